"""``import``, which raises an error if single objects were not imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ....errors import PartialFailure
from .._generated.import_ import Import as GeneratedImport
from ..rows import Rows
from ._operations import checked_operation

if TYPE_CHECKING:
    from .._generated.records_files import ImportResult

__all__ = ["Import", "PartlyImported"]


class PartlyImported(PartialFailure):
    """The error of a file of which some objects were imported, and others were not.

    Attributes:
        imported: Those that were.
    """

    imported: Rows[ImportResult]


def _check_imported(results: Rows[ImportResult]) -> Rows[ImportResult]:
    """Return the results if each of them is an object that was made; raise ``PartlyImported`` otherwise."""
    failed = {number: _extract_reason(item.extra) for number, item in enumerate(results) if item.id is None}
    if not failed:
        return results
    imported = Rows(
        (item for item in results if item.id is not None),
        timestamp=results.timestamp,
        warnings=results.warnings,
    )
    first, reason = next(iter(failed.items()))
    error = PartlyImported(
        f"{len(failed)} of {len(results)} objects were not imported, the first of them number {first + 1} "
        f"of the file: {reason}; .imported has the others",
        ids=[str(item) for item in failed],
        reasons={str(item): text for item, text in failed.items()},
    )
    error.imported = imported
    raise error


def _extract_reason(extra: Mapping[str, Any]) -> str:
    return str(extra.get("error") or extra.get("error_desc") or "the server does not say why")


class Import(GeneratedImport):
    """``import``: its operations. An object that could not be imported is a ``PartlyImported``."""

    csv = checked_operation(GeneratedImport.csv, _check_imported)
    ical = checked_operation(GeneratedImport.ical, _check_imported)
    outlook_csv = checked_operation(GeneratedImport.outlook_csv, _check_imported)
    vcard = checked_operation(GeneratedImport.vcard, _check_imported)
