"""``import``, whose failures of single objects are errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ....errors import PartialFailure
from .._generated.import_ import Import as Documented
from ..rows import Rows
from ._shared import reading

if TYPE_CHECKING:
    from .._generated.records_files import ImportResult

__all__ = ["Import", "PartlyImported"]


class PartlyImported(PartialFailure):
    """Some objects of a file were imported, and others were not.

    Attributes:
        imported: Those that were.
    """

    imported: Rows[ImportResult]


def _whole(results: Rows[ImportResult]) -> Rows[ImportResult]:
    """The results, if each of them is an object that was made."""
    failed = {place: _reason(each.extra) for place, each in enumerate(results) if each.id is None}
    if not failed:
        return results
    imported = Rows(
        (each for each in results if each.id is not None),
        timestamp=results.timestamp,
        warnings=results.warnings,
    )
    place, why = next(iter(failed.items()))
    error = PartlyImported(
        f"{len(failed)} of {len(results)} objects were not imported, the first of them number {place + 1} "
        f"of the file: {why}; .imported has the others",
        ids=[str(each) for each in failed],
        reasons={str(each): text for each, text in failed.items()},
    )
    error.imported = imported
    raise error


def _reason(extra: Mapping[str, Any]) -> str:
    return str(extra.get("error") or extra.get("error_desc") or "the server does not say why")


class Import(Documented):
    """``import``: its operations. An object that could not be imported is a ``PartlyImported``."""

    csv = reading(Documented.csv, _whole)
    ical = reading(Documented.ical, _whole)
    outlook_csv = reading(Documented.outlook_csv, _whole)
    vcard = reading(Documented.vcard, _whole)
