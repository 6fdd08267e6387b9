"""Readers of answers: one function for each shape of result, from an envelope to what a call returns.

An operation's row says which of twelve shapes its data has (``ResultShape``). The reader of a call is made before it
is sent, from the row, the columns of the call and its folder; it does no I/O, so that an answer from the network, an
item of a ``multiple`` and the result of a job are all read in the same way. What makes no sense raises
``DecodeFailed``, which the caller turns into a ``ServerError``, or a ``FailedWrite`` for a write.

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
from typing import Any, Final

from ...codec import DecodeFailed
from ...errors import NotDeleted, PartialFailure
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
    read = _READERS[spec.returns]
    if not defaults:
        return lambda envelope: read(spec, columns, envelope)
    return lambda envelope: _fill_missing(read(spec, columns, envelope), defaults)


def _fill_missing(value: Any, defaults: Mapping[str, str]) -> Any:
    records = value.changed if isinstance(value, Updates) else value if isinstance(value, list) else [value]
    for record in records:
        for name, default in defaults.items():
            if getattr(record, name, default) is None:
                setattr(record, name, default)
    return value


def _read_nothing(spec: Spec, columns: Sequence[WireField], envelope: Envelope) -> None:
    return None


def _read_json(spec: Spec, columns: Sequence[WireField], envelope: Envelope) -> Any:
    return _extract_data(spec, envelope)


def _extract_data(spec: Spec, envelope: Envelope) -> Any:
    """Return the data, or the part of it under the operation's key."""
    data = envelope.data
    if spec.key and isinstance(data, Mapping):
        if spec.key not in data:
            raise DecodeFailed(f"{spec.operation}: the answer has no {spec.key!r}: {data!r:.80}")
        return data[spec.key]
    return data


def _read_value(spec: Spec, columns: Sequence[WireField], envelope: Envelope) -> Any:
    data = _extract_data(spec, envelope)
    if spec.kind is WireKind.TEXT and isinstance(data, Mapping) and "id" in data:
        data = data["id"]  # the ID of a new object comes in an object at times
    return from_wire(spec.kind, data)


def _read_values(spec: Spec, columns: Sequence[WireField], envelope: Envelope) -> Rows[Any]:
    items = _expect_list(spec, _extract_data(spec, envelope))
    return _make_rows(envelope, (from_wire(spec.kind, item) for item in items))


def _read_record(spec: Spec, columns: Sequence[WireField], envelope: Envelope) -> OxRecord:
    data = _extract_data(spec, envelope)
    if isinstance(data, list) and len(data) == 1:  # some servers wrap the one record in a list
        data = data[0]
    if isinstance(data, str | int) and not isinstance(data, bool):
        data = {"id": data}  # a new object comes as its ID alone at times
    if not isinstance(data, Mapping):
        raise DecodeFailed(f"{spec.operation}: a {spec.record} was expected, and {data!r:.80} came")
    return from_object(
        record_class(spec.record),
        data,
        timestamp=instant_from_wire(envelope.timestamp),
        warnings=envelope.warnings,
    )


def _expect_list(spec: Spec, data: Any) -> list[Any]:
    if data is None:
        return []
    if not isinstance(data, list):
        raise DecodeFailed(f"{spec.operation}: a list was expected, and {data!r:.80} came")
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
        if isinstance(item, Mapping):
            return from_object(cls, item, timestamp=stamp)
        raise DecodeFailed(f"{spec.operation}: a {spec.record} was expected, and {item!r:.80} came")

    return read


def _read_groups(spec: Spec, columns: Sequence[WireField], envelope: Envelope) -> dict[str, Rows[Any]]:
    data = _extract_data(spec, envelope)
    if not isinstance(data, Mapping):
        raise DecodeFailed(f"{spec.operation}: an object of lists was expected, and {data!r:.80} came")
    read = _make_item_reader(spec, columns, envelope)
    return {
        str(name): _make_rows(envelope, map(read, _expect_list(spec, items))) for name, items in data.items()
    }


# -- updates ---------------------------------------------------------------------------------------


def _read_updates(spec: Spec, columns: Sequence[WireField], envelope: Envelope) -> Updates[Any]:
    """Read changes, which come in three forms: rows among bare IDs, or an object with one of two sets of lists."""
    data = _extract_data(spec, envelope)
    if isinstance(data, Mapping):
        changed = [item for name in _CHANGED_KEYS for item in _expect_list(spec, data.get(name))]
        deleted = _expect_list(spec, data.get("deleted"))
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
