"""Readers of answers: one function for each shape of result, from an envelope to what a call returns.

An operation's row says which of twelve shapes its data has (``ResultShape``). The reader of a call is made before it
is sent, from the row, the columns of the call and its folder; it does no I/O, so that an answer from the network, an
item of a ``multiple`` and the result of a job are all read in the same way. What makes no sense raises
``DecodeFailed``, which the caller turns into a ``ServerError``, or a ``FailedWrite`` for a write.

Nothing is not an empty list: an answer without data (an empty body, ``{}``, ``{"timestamp": 1}``, ``"data": null``) is
what a proxy or a broken server sends, and makes no sense, except where the operation's row says that it may be.
Neither does a list without an envelope, or an object that has none of the record's fields.

The document and its servers differ in ways that are evened out here:

- An item of a list is an array under the columns, or an object; both become records.
- What was created comes as its ID, as an object with it, or as a list of one such object.
- Changes come as one list, in which arrays are records and anything else is a deleted ID, or as an object with a
  list of each.
- What could not be deleted or moved comes as a list, as one object, or as nothing. Such an answer looks like a
  success, and is raised as an error that names each item and why.
- Records don't have their folder unless the column was named. They get that of the call, as they can't be changed
  without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeGuard

from ...codec import DecodeFailed
from ...errors import NotDeleted, PartialFailure, quote_value
from ...records import EMPTY
from .answers import Envelope
from .records import OxRecord, from_object, make_row_reader, record_class
from .rows import Rows, Updates
from .spec import ResultShape, Spec
from .tables import WireField
from .values import WireKind, from_wire, instant_from_wire

__all__ = ["make_reader"]

_CHANGED_KEYS: Final = ("newAndModified", "new", "modified")


def make_reader(
    spec: Spec, columns: Sequence[WireField], defaults: Mapping[str, str] = EMPTY
) -> Callable[[Envelope], Any]:
    """Return the function that reads the answers of one call.

    Args:
        spec: The operation.
        columns: The columns of the call, in their order.
        defaults: Attributes that records get where the answer does not have them: the folder of the call.
    """
    read_data = _READERS[spec.returns]

    def read(envelope: Envelope) -> Any:
        _check_data(spec, envelope)
        return read_data(spec, columns, envelope)

    if not defaults:
        return read
    return lambda envelope: _fill_missing(read(envelope), defaults)


_ANY_DATA: Final = frozenset({ResultShape.NOTHING, ResultShape.DOWNLOAD, ResultShape.PAGE})


def _check_data(spec: Spec, envelope: Envelope) -> None:
    """Raise an error if an answer has no data, or has it without the envelope that belongs around it."""
    data = envelope.data
    if spec.returns in _ANY_DATA or (data is None and spec.may_be_missing):
        return
    if data is None:
        raise DecodeFailed(f"{spec.operation}: the answer has no data, which does not say that there is none")
    if envelope.bare and not spec.bare and not _is_record_or_rows(spec, data):
        raise DecodeFailed(
            f"{spec.operation}: the answer's data was expected, and {quote_value(data, 80)} came"
        )


def _is_record_or_rows(spec: Spec, data: Any) -> bool:
    """Return whether what came without an envelope can't be anything but the data."""
    if isinstance(data, Mapping):
        return spec.returns is not ResultShape.FAILURES
    return isinstance(data, list) and bool(data)


def _fill_missing(value: Any, defaults: Mapping[str, str]) -> Any:
    records = value.changed if isinstance(value, Updates) else value if isinstance(value, list) else [value]
    for record in records:
        for name, default in defaults.items():
            if getattr(record, name, default) is None:
                setattr(record, name, default)
    return value


def _read_nothing(spec: Spec, columns: Sequence[WireField], envelope: Envelope) -> None:
    data = envelope.data
    success = data.get("success") if isinstance(data, Mapping) else data
    if success is False or (envelope.bare and success is not True):
        raise DecodeFailed(
            f"{spec.operation}: it was to be answered with nothing, and {quote_value(data, 80)} came"
        )


def _read_json(spec: Spec, columns: Sequence[WireField], envelope: Envelope) -> Any:
    return _extract_data(spec, envelope)


def _extract_data(spec: Spec, envelope: Envelope) -> Any:
    """Return the data, or the part of it under the operation's key."""
    data = envelope.data
    if spec.key and isinstance(data, Mapping):
        if spec.key not in data:
            raise DecodeFailed(f"{spec.operation}: the answer has no {spec.key!r}: {quote_value(data, 80)}")
        return data[spec.key]
    return data


def _read_value(spec: Spec, columns: Sequence[WireField], envelope: Envelope) -> Any:
    data = _extract_data(spec, envelope)
    if spec.kind is WireKind.TEXT and isinstance(data, Mapping) and "id" in data:
        data = data["id"]  # the ID of a new object comes in an object at times
    value = from_wire(spec.kind, data)
    if not _fits(spec, value):
        raise DecodeFailed(
            f"{spec.operation}: a value ({spec.kind.value}) was expected, and {quote_value(data, 80)} came"
        )
    return value


_VALUE_TYPES: Final[Mapping[WireKind, tuple[type, ...]]] = {
    WireKind.TEXT: (str,),
    WireKind.INTEGER: (int,),
    WireKind.BOOLEAN: (bool,),
    WireKind.STAMP: (datetime, int),
}


def _fits(spec: Spec, value: Any) -> bool:
    """Return whether a value is one that the operation promises; an empty text names nothing new."""
    kinds = _VALUE_TYPES.get(spec.kind)
    if kinds is None:
        return True
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        return False
    if isinstance(value, int):
        return spec.name != "count" or value >= 0
    return not (spec.creates and value == "")


def _read_values(spec: Spec, columns: Sequence[WireField], envelope: Envelope) -> Rows[Any]:
    items = _expect_list(spec, _extract_data(spec, envelope))
    return _make_rows(envelope, (from_wire(spec.kind, item) for item in items))


def _read_record(spec: Spec, columns: Sequence[WireField], envelope: Envelope) -> OxRecord:
    data = _extract_data(spec, envelope)
    if isinstance(data, list) and len(data) == 1:  # some servers wrap the one record in a list
        data = data[0]
    if isinstance(data, str | int) and not isinstance(data, bool):
        data = {"id": data}  # a new object comes as its ID alone at times
    may_be_empty = spec.may_be_empty or spec.may_be_missing
    cls = record_class(spec.record)
    if may_be_empty and data in (None, {}):  # without the document's word, None does not get here
        data = {}
    elif not _is_object_of(data, cls):
        raise DecodeFailed(
            f"{spec.operation}: a {spec.record} was expected, and {quote_value(data, 80)} came"
        )
    if spec.creates and not may_be_empty and "id" in cls.__schema__.fields and not _names_new(data):
        raise DecodeFailed(
            f"{spec.operation}: the ID of what is new was expected, and {quote_value(data, 80)} came"
        )
    return from_object(
        cls,
        data,
        timestamp=instant_from_wire(envelope.timestamp),
        warnings=envelope.warnings,
    )


def _is_object_of(data: Any, cls: type[OxRecord]) -> TypeGuard[Mapping[str, Any]]:
    """Return whether something is an object with a field of the record's."""
    fields = cls.__schema__.fields
    # What an appointment conflicts with is told in the place of the record, of changes without a word in the document.
    return isinstance(data, Mapping) and (
        not fields or any(name in fields or name == "conflicts" for name in data)
    )


def _names_new(data: Mapping[str, Any]) -> bool:
    """Return whether the answer to a creation has an ID, or what stands in the way of the creation."""
    new_id = data.get("id")
    is_id = isinstance(new_id, str | int) and not isinstance(new_id, bool) and new_id != ""
    return is_id or bool(data.get("conflicts"))


def _expect_list(spec: Spec, data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise DecodeFailed(f"{spec.operation}: a list was expected, and {quote_value(data, 80)} came")
    return data


def _make_rows(envelope: Envelope, items: Iterable[Any]) -> Rows[Any]:
    return Rows(items, timestamp=instant_from_wire(envelope.timestamp), warnings=envelope.warnings)


def _read_rows(spec: Spec, columns: Sequence[WireField], envelope: Envelope) -> Rows[Any]:
    read = _make_item_reader(spec, columns, envelope)
    return _make_rows(envelope, map(read, _expect_list(spec, _extract_data(spec, envelope))))


def _make_item_reader(spec: Spec, columns: Sequence[WireField], envelope: Envelope) -> Callable[[Any], Any]:
    """Return a function that reads one item: an array under the columns, or an object."""
    cls = record_class(spec.record)
    of_row = make_row_reader(cls, columns)
    stamp = instant_from_wire(envelope.timestamp)

    def read(item: Any) -> Any:
        if isinstance(item, list):
            return of_row(item, stamp)
        if _is_object_of(item, cls) or _says_why(item):
            return from_object(cls, item, timestamp=stamp)
        raise DecodeFailed(
            f"{spec.operation}: a {spec.record} was expected, and {quote_value(item, 80)} came"
        )

    return read


def _read_groups(spec: Spec, columns: Sequence[WireField], envelope: Envelope) -> dict[str, Rows[Any]]:
    data = _extract_data(spec, envelope)
    if not isinstance(data, Mapping):
        raise DecodeFailed(
            f"{spec.operation}: an object of lists was expected, and {quote_value(data, 80)} came"
        )
    read = _make_item_reader(spec, columns, envelope)
    return {
        str(name): _make_rows(envelope, map(read, _expect_list(spec, items))) for name, items in data.items()
    }


# -- updates ---------------------------------------------------------------------------------------


def _read_updates(spec: Spec, columns: Sequence[WireField], envelope: Envelope) -> Updates[Any]:
    """Read changes, which come in three forms: rows among bare IDs, or an object with one of two sets of lists."""
    data = _extract_data(spec, envelope)
    if isinstance(data, Mapping):
        if not any(name in data for name in (*_CHANGED_KEYS, "deleted")):
            raise DecodeFailed(
                f"{spec.operation}: lists of changes were expected, and {quote_value(data, 80)} came"
            )
        changed = [item for name in _CHANGED_KEYS for item in _expect_list(spec, data.get(name) or [])]
        deleted = _expect_list(spec, data.get("deleted") or [])
    else:
        items = _expect_list(spec, data)
        changed = [item for item in items if isinstance(item, list | Mapping)]
        deleted = [item for item in items if not isinstance(item, list | Mapping)]
    return Updates(
        changed=_make_rows(envelope, map(_make_item_reader(spec, columns, envelope), changed)),
        deleted=[_extract_id(item) for item in deleted],
        timestamp=instant_from_wire(envelope.timestamp),
        warnings=envelope.warnings,
    )


def _extract_id(item: Any) -> str:
    """Return the ID of something that came bare, in an object, or in a list behind its folder."""
    if isinstance(item, list) and item:
        return str(item[-1])
    return str(item.get("id", item)) if isinstance(item, Mapping) else str(item)


# -- what was not done -----------------------------------------------------------------------------


def _check_failures(spec: Spec, columns: Sequence[WireField], envelope: Envelope) -> None:
    """Raise an error if anything was not done; the answer lists what."""
    if _extract_data(spec, envelope) is False:
        raise DecodeFailed(f"{spec.operation}: a list of what was not done was expected, and false came")
    _raise_failures(spec, [item for item in _to_list(_extract_data(spec, envelope)) if _is_failure(item)])


def _read_results(spec: Spec, columns: Sequence[WireField], envelope: Envelope) -> Rows[Any]:
    """Return the results, or raise an error if one of them is one."""
    _raise_failures(spec, [item for item in _to_list(_extract_data(spec, envelope)) if _extract_reason(item)])
    return _read_rows(spec, columns, envelope)


def _raise_failures(spec: Spec, items: list[Any]) -> None:
    if not items:
        return
    ids = [_extract_id(item) for item in items]
    reasons = {_extract_id(item): why for item in items if (why := _extract_reason(item))}
    verb = _PARTICIPLES.get(spec.name, "cleared")
    kind = NotDeleted if verb in ("deleted", "cleared") else PartialFailure
    why = "; ".join(f"{identifier}: {text}" for identifier, text in reasons.items()) or _USUAL_REASON
    listing = ", ".join(ids[:10]) + (", …" if len(ids) > 10 else "")
    raise kind(
        f"{spec.operation}: {len(ids)} of the items were not {verb}: {listing} ({why})",
        ids=ids,
        reasons=reasons,
    )


_USUAL_REASON: Final = "they were changed meanwhile, are gone, or may not be: read them again"
_PARTICIPLES: Final = {
    "delete": "deleted",
    "detach": "deleted",
    "clear": "cleared",
    "expunge": "deleted",
    "move": "moved",
    "move_many": "moved",
}


def _to_list(data: Any) -> list[Any]:
    """Return a list of what was not done, which comes as a list, one object, or nothing (``{}``, ``""``, ``true``)."""
    if isinstance(data, list):
        return data
    if isinstance(data, Mapping) and data:
        return [data]
    return [data] if isinstance(data, str | int) and not isinstance(data, bool) and data != "" else []


def _is_failure(item: Any) -> bool:
    """Return whether an item was not done; where the answer has all items, ``has_failed`` tells."""
    if isinstance(item, Mapping) and "has_failed" in item:
        return bool(item["has_failed"])
    return True


def _says_why(item: Any) -> bool:
    """Return whether an item is the error that came in the place of a result."""
    return isinstance(item, Mapping) and ("error" in item or "error_desc" in item)


def _extract_reason(item: Any) -> str:
    error = item.get("error") if isinstance(item, Mapping) else None
    if isinstance(error, Mapping):
        error = error.get("error") or error.get("error_desc")
    return str(error) if error else ""


_READERS: Final[Mapping[ResultShape, Callable[[Spec, Sequence[WireField], Envelope], Any]]] = {
    ResultShape.RECORD: _read_record,
    ResultShape.ROWS: _read_rows,
    ResultShape.UPDATES: _read_updates,
    ResultShape.GROUPED: _read_groups,
    ResultShape.RESULTS: _read_results,
    ResultShape.FAILURES: _check_failures,
    ResultShape.VALUE: _read_value,
    ResultShape.VALUES: _read_values,
    ResultShape.NOTHING: _read_nothing,
    ResultShape.JSON: _read_json,
    ResultShape.DOWNLOAD: _read_json,
    ResultShape.PAGE: _read_json,
}
