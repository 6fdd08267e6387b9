"""From an answer's data to what a call returns: no I/O, one function for each shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from ...codec import DecodeFailed
from ...errors import NotDeleted, PartialFailure
from ...records import EMPTY
from .answers import Envelope
from .records import OxRecord, from_object, record_class, row_reader
from .rows import Rows, Updates
from .spec import Shape, Spec
from .tables import Field
from .values import Kind, from_wire, moment

__all__ = ["reader"]

_CHANGED: Final = ("newAndModified", "new", "modified")


def reader(
    spec: Spec, columns: Sequence[Field], place: Mapping[str, str] = EMPTY
) -> Callable[[Envelope], Any]:
    """What reads the answers of one call.

    Args:
        spec: The operation.
        columns: The columns that were asked for, in their order.
        place: Attributes that records get where the answer does not have them: the folder that was asked for.
    """
    read = _READERS[spec.returns]
    if not place:
        return lambda envelope: read(spec, columns, envelope)
    return lambda envelope: _placed(read(spec, columns, envelope), place)


def _placed(value: Any, place: Mapping[str, str]) -> Any:
    records = value.changed if isinstance(value, Updates) else value if isinstance(value, list) else [value]
    for record in records:
        for name, each in place.items():
            if getattr(record, name, each) is None:
                setattr(record, name, each)
    return value


def _nothing(spec: Spec, columns: Sequence[Field], envelope: Envelope) -> None:
    return None


def _json(spec: Spec, columns: Sequence[Field], envelope: Envelope) -> Any:
    return _data(spec, envelope)


def _data(spec: Spec, envelope: Envelope) -> Any:
    """The data, or what lies in it under the operation's key."""
    data = envelope.data
    if spec.key and isinstance(data, Mapping):
        if spec.key not in data:
            raise DecodeFailed(f"{spec.operation}: the answer has no {spec.key!r}: {data!r:.80}")
        return data[spec.key]
    return data


def _value(spec: Spec, columns: Sequence[Field], envelope: Envelope) -> Any:
    data = _data(spec, envelope)
    if spec.kind is Kind.TEXT and isinstance(data, Mapping) and "id" in data:
        data = data["id"]  # what was made, in an object of its own
    return from_wire(spec.kind, data)


def _values(spec: Spec, columns: Sequence[Field], envelope: Envelope) -> Rows[Any]:
    items = _list(spec, _data(spec, envelope))
    return _rows(envelope, (from_wire(spec.kind, each) for each in items))


def _record(spec: Spec, columns: Sequence[Field], envelope: Envelope) -> OxRecord:
    data = _data(spec, envelope)
    if isinstance(data, list) and len(data) == 1:
        data = data[0]
    if isinstance(data, str | int) and not isinstance(data, bool):
        data = {"id": data}  # what was made, by its ID alone
    if not isinstance(data, Mapping):
        raise DecodeFailed(f"{spec.operation}: a {spec.record} was expected, and {data!r:.80} came")
    return from_object(
        record_class(spec.record), data, timestamp=moment(envelope.timestamp), warnings=envelope.warnings
    )


def _list(spec: Spec, data: Any) -> list[Any]:
    if data is None:
        return []
    if not isinstance(data, list):
        raise DecodeFailed(f"{spec.operation}: a list was expected, and {data!r:.80} came")
    return data


def _rows(envelope: Envelope, items: Iterable[Any]) -> Rows[Any]:
    return Rows(items, timestamp=moment(envelope.timestamp), warnings=envelope.warnings)


def _records(spec: Spec, columns: Sequence[Field], envelope: Envelope) -> Rows[Any]:
    read = _item_reader(spec, columns, envelope)
    return _rows(envelope, map(read, _list(spec, _data(spec, envelope))))


def _item_reader(spec: Spec, columns: Sequence[Field], envelope: Envelope) -> Callable[[Any], Any]:
    """Reads one item: an array under the columns, or an object."""
    cls = record_class(spec.record)
    of_row = row_reader(cls, columns)
    stamp = moment(envelope.timestamp)

    def read(item: Any) -> Any:
        if isinstance(item, list):
            return of_row(item, stamp)
        if isinstance(item, Mapping):
            return from_object(cls, item, timestamp=stamp)
        raise DecodeFailed(f"{spec.operation}: a {spec.record} was expected, and {item!r:.80} came")

    return read


def _grouped(spec: Spec, columns: Sequence[Field], envelope: Envelope) -> dict[str, Rows[Any]]:
    data = _data(spec, envelope)
    if not isinstance(data, Mapping):
        raise DecodeFailed(f"{spec.operation}: an object of lists was expected, and {data!r:.80} came")
    read = _item_reader(spec, columns, envelope)
    return {str(name): _rows(envelope, map(read, _list(spec, items))) for name, items in data.items()}


# -- updates ---------------------------------------------------------------------------------------


def _updates(spec: Spec, columns: Sequence[Field], envelope: Envelope) -> Updates[Any]:
    """Three forms: one list of rows and bare IDs, or an object with a list of each."""
    data = _data(spec, envelope)
    if isinstance(data, Mapping):
        changed = [each for name in _CHANGED for each in _list(spec, data.get(name))]
        gone = _list(spec, data.get("deleted"))
    else:
        items = _list(spec, data)
        changed = [each for each in items if isinstance(each, list | Mapping)]
        gone = [each for each in items if not isinstance(each, list | Mapping)]
    return Updates(
        changed=_rows(envelope, map(_item_reader(spec, columns, envelope), changed)),
        deleted=[_id(each) for each in gone],
        timestamp=moment(envelope.timestamp),
        warnings=envelope.warnings,
    )


def _id(item: Any) -> str:
    """The ID of something: bare, of an object, or behind its folder."""
    if isinstance(item, list) and item:
        return str(item[-1])
    return str(item.get("id", item)) if isinstance(item, Mapping) else str(item)


# -- what was not done -----------------------------------------------------------------------------


def _left(spec: Spec, columns: Sequence[Field], envelope: Envelope) -> None:
    """Nothing, if nothing is left; otherwise an error that says what."""
    _complain(spec, [each for each in _listed(_data(spec, envelope)) if _failed(each)])


def _results(spec: Spec, columns: Sequence[Field], envelope: Envelope) -> Rows[Any]:
    """The results, if none of them is an error."""
    _complain(spec, [each for each in _listed(_data(spec, envelope)) if _reason(each)])
    return _records(spec, columns, envelope)


def _complain(spec: Spec, left: list[Any]) -> None:
    if not left:
        return
    ids = [_id(each) for each in left]
    reasons = {_id(each): why for each in left if (why := _reason(each))}
    verb = _VERBS.get(spec.name, "cleared")
    kind = NotDeleted if verb in ("deleted", "cleared") else PartialFailure
    why = "; ".join(f"{one}: {text}" for one, text in reasons.items()) or _WHY
    shown = ", ".join(ids[:10]) + (", …" if len(ids) > 10 else "")
    raise kind(
        f"{spec.operation}: {len(ids)} of the items were not {verb}: {shown} ({why})",
        ids=ids,
        reasons=reasons,
    )


_WHY: Final = "they were changed meanwhile, are gone, or may not be: read them again"
_VERBS: Final = {
    "delete": "deleted",
    "detach": "deleted",
    "clear": "cleared",
    "expunge": "deleted",
    "move": "moved",
    "move_many": "moved",
}


def _listed(data: Any) -> list[Any]:
    """A list of what is left: a list, one object, or nothing (``{}``, ``""``, ``true``)."""
    if isinstance(data, list):
        return data
    if isinstance(data, Mapping) and data:
        return [data]
    return [data] if isinstance(data, str | int) and not isinstance(data, bool) and data != "" else []


def _failed(item: Any) -> bool:
    """Whether an item was not done. Where the answer has one for every item, it says which failed."""
    if isinstance(item, Mapping) and "has_failed" in item:
        return bool(item["has_failed"])
    return True


def _reason(item: Any) -> str:
    error = item.get("error") if isinstance(item, Mapping) else None
    if isinstance(error, Mapping):
        error = error.get("error") or error.get("error_desc")
    return str(error) if error else ""


_READERS: Final[Mapping[Shape, Callable[[Spec, Sequence[Field], Envelope], Any]]] = {
    Shape.RECORD: _record,
    Shape.ROWS: _records,
    Shape.UPDATES: _updates,
    Shape.GROUPED: _grouped,
    Shape.RESULTS: _results,
    Shape.LEFT: _left,
    Shape.VALUE: _value,
    Shape.VALUES: _values,
    Shape.NOTHING: _nothing,
    Shape.JSON: _json,
    Shape.DOWNLOAD: _json,
    Shape.PAGE: _json,
}
