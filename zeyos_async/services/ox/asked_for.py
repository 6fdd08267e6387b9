"""Whether an answer is about what was asked for: the record of that ID, and no rows but those that were named.

A server that mixes up two calls, or a proxy that keeps answers, sends what is right in itself and belongs to somebody
else. The IDs tell. They are compared as text, since servers send numbers where the document has text. Files may
be named by their folder and their ID in one (``"17/42"``), and come with the ID alone, or with the folder they were moved to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from ...codec import DecodeFailed
from ...errors import quote_value
from .answers import Envelope
from .records import OxRecord, record_class
from .spec import JsonBody, ResultShape, Spec
from .tables import WireField

__all__ = ["check_asked"]

_BY_ID: Final = frozenset({"get", "getuser", "info", "resolve"})
_CHANGES: Final = frozenset({"update", "update_with_image", "put", "remind_again"})
"""Operations whose answer may name the object that was changed. A changed mail may have been moved, and has another ID then."""
_LISTS: Final = frozenset({"list", "listuser"})


def check_asked(
    spec: Spec,
    values: Mapping[str, Any],
    body: Any,
    columns: Sequence[WireField],
    read: Callable[[Envelope], Any],
) -> Callable[[Envelope], Any]:
    """Return a reader that refuses records that were not asked for; ``read`` itself where none are named.

    Args:
        spec: The operation.
        values: The arguments of the call.
        body: Its body.
        columns: Its columns.
        read: Its reader.
    """
    if not spec.record or "id" not in record_class(spec.record).__schema__.fields:
        return read
    selected = not columns or any(field.name == "id" for field in columns)
    if (
        spec.returns is ResultShape.RECORD
        and spec.name in _BY_ID
        and values.get("id") is not None
        and selected
    ):
        return lambda envelope: _check_record(spec, str(values["id"]), read(envelope))
    if (
        spec.returns is ResultShape.RECORD
        and spec.name in _CHANGES
        and spec.module != "mail"
        and values.get("id") is not None
    ):
        return lambda envelope: _check_changed(spec, str(values["id"]), read(envelope))
    if spec.returns is ResultShape.ROWS and spec.action in _LISTS and isinstance(body, JsonBody):
        places = [_find_place(item) for item in body.value] if isinstance(body.value, list) else []
        return lambda envelope: _check_rows(spec, places, read(envelope), selected=selected)
    return read


def _check_record(spec: Spec, asked_id: str, record: OxRecord) -> OxRecord:
    record_id = _find_id(record)
    if record_id is None and spec.may_be_missing and record == type(record)():
        return record  # an empty result, as the document has it
    if record_id is None or not _Wanted(spec, [("", asked_id)]).has("", record_id):
        raise DecodeFailed(
            f"{spec.operation}: the record {asked_id!r} was asked for, and {quote_value(record_id)} came"
        )
    return record


def _check_changed(spec: Spec, asked_id: str, record: OxRecord) -> OxRecord:
    """Refuse the answer to a change that names another object; most servers name none."""
    record_id = _find_id(record)
    if record_id is not None and record_id != asked_id:
        raise DecodeFailed(
            f"{spec.operation}: {asked_id!r} was to be changed, and the answer is about {quote_value(record_id)}"
        )
    return record


def _check_rows(spec: Spec, places: Sequence[tuple[str, str]], rows: Any, *, selected: bool) -> Any:
    if len(rows) > len(places):
        raise DecodeFailed(f"{spec.operation}: {len(places)} records were asked for, and {len(rows)} came")
    asked_places = _Wanted(spec, places)
    for record in rows if selected else ():
        record_id = _find_id(record)
        folder = getattr(record, "folder", None) if spec.module == "mail" else None  # others' IDs are unique
        if record_id is None or not asked_places.has(folder or "", record_id):
            raise DecodeFailed(
                f"{spec.operation}: a record came that was not asked for: {quote_value(record_id)}"
            )
    return rows


def _find_id(record: OxRecord) -> str | None:
    value = getattr(record, record.__schema__.find("id").attr)
    return None if value is None else str(value)


def _find_place(item: Any) -> tuple[str, str]:
    """Return the folder (``""`` if there is none) and the ID of an item of a list."""
    if isinstance(item, Mapping):
        return str(item.get("folder") or ""), str(item.get("id"))
    return "", str(item[-1] if isinstance(item, list) and item else item)


class _Wanted:
    """The places that were asked for. An empty folder is any."""

    def __init__(self, spec: Spec, places: Iterable[tuple[str, str]]) -> None:
        self._folders: dict[str, set[str]] = {}
        for folder, number in places:
            self._folders.setdefault(number, set()).add(folder)
        self._has_long_ids = spec.module == "infostore"
        self._short_ids = {number.rpartition("/")[2] for number in self._folders}

    def has(self, folder: str, number: str) -> bool:
        """Return whether a record was asked for."""
        folders = self._folders.get(number)
        if folders is not None:
            return not folder or not folders.isdisjoint({folder, ""})
        return self._has_long_ids and number.rpartition("/")[2] in self._short_ids
