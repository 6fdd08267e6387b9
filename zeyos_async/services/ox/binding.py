"""From an operation and the caller's arguments to one call, before anything is sent: no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import attrs

from ...addresses import check_path
from ...errors import InvalidArgument, suggest
from ...wire import Safety
from .answers import Envelope
from .bodies import MISSING, body_of
from .records import OxRecord, from_object, record_class, to_object
from .results import reader
from .spec import BodyShape, Param, Prepared, Shape, Spec
from .tables import FULL_TIME, Field, Model
from .values import Kind, instant_to_wire, moment, query_text

__all__ = ["prepare"]

_FILES: Final = ("file", "files")
_TAKEN: Final = frozenset(
    {"id", "folder", "folder_id", "folderId", "attached", "module", "recurrenceId", "recurrence_position"}
)
_STAMPS: Final = frozenset({"timestamp"})


def prepare(spec: Spec, args: Sequence[Any], given: Mapping[str, Any]) -> Prepared[Any]:
    """One call.

    Args:
        spec: The operation.
        args: Positional arguments: the record that it is about, where it is about one; then its body.
        given: Arguments by name. ``None`` is the same as nothing, but for the body.

    Raises:
        InvalidArgument: An argument is missing, unknown, or does not fit.
        UnknownField: A column, a field to sort by or a field of the body does not exist.
    """
    _check_names(spec, given)
    record, value = _sorted_out(spec, args)
    value = _whole(spec, value)
    named = {name: each for name, each in given.items() if each is not None}
    taken = _from_record(spec, record, named) if record is not None else _from_list(spec, value, named)
    columns = _columns(spec, named.get("columns", named.get("fields")))
    query = list(_query(spec, {**taken, **named}, columns))
    body = None
    if spec.body is not None:
        file, files = (given.get(name, MISSING) for name in _FILES)
        body = body_of(spec, spec.body, value, file, files)
    read = reader(spec, (*columns, *_headers(spec, named)), _place(spec, {**taken, **named}))
    return Prepared(
        spec=spec,
        query=tuple(query),
        path=_path(spec, {**taken, **named}),
        body=body,
        read=_not_before(query, read) if spec.returns is Shape.UPDATES else read,
        arrived=_toucher(spec, record, value),
    )


def _not_before(
    query: Iterable[tuple[str, str]], read: Callable[[Envelope], Any]
) -> Callable[[Envelope], Any]:
    """Reads changes with a time stamp that never goes back.

    Where nothing changed, servers have no greatest time stamp to send, and send none, or 0: then the next
    question begins where this one did.
    """
    since = max((int(value) for name, value in query if name == "timestamp"), default=0)
    return lambda envelope: read(attrs.evolve(envelope, timestamp=max(envelope.timestamp or 0, since)))


# -- arguments -------------------------------------------------------------------------------------


def _names(spec: Spec) -> list[str]:
    names = [param.attr for param in spec.params]
    if spec.body is not None:
        names += ["file"] if spec.body.has_file else []
        names += ["files"] if spec.body.has_files else []
    return names


def _check_names(spec: Spec, given: Mapping[str, Any]) -> None:
    known = _names(spec)
    for name in given:
        if name not in known:
            raise InvalidArgument(f"{spec.operation} takes no {name!r}.{_hint(spec, name, known)}")


def _hint(spec: Spec, name: str, known: Sequence[str]) -> str:
    """What is meant by a name that an operation does not take: the document's own, perhaps."""
    if name == "timezone":
        return " It is always UTC, so that times are instants."
    sent = next((param.attr for param in spec.params if param.name == name), None)
    if sent is not None:
        return f" Here it is called {sent!r}."
    return suggest(name, known) or (f" It takes {', '.join(known)}." if known else "")


def _sorted_out(spec: Spec, args: Sequence[Any]) -> tuple[OxRecord | None, Any]:
    """The record that a call is about, and its body, of the positional arguments."""
    has_body = spec.body is not None and (spec.body.shape is not BodyShape.PARTS or bool(spec.body.part))
    most = bool(spec.target) + has_body
    if len(args) > most:
        raise InvalidArgument(f"{spec.operation} takes at most {most} positional arguments, not {len(args)}")
    if not spec.target:
        return None, args[0] if args and args[0] is not None else MISSING
    if not has_body:
        return _checked_target(spec, args[0]) if args else None, MISSING
    if len(args) == 2 and args[1] is not None:
        return _checked_target(spec, args[0]), args[1]
    if args and isinstance(args[0], OxRecord) and type(args[0]).__name__ == spec.target:
        return args[0], _alone(spec, args[0])
    return None, args[0] if args and args[0] is not None else MISSING


def _alone(spec: Spec, record: OxRecord) -> Any:
    """The body of a call that is given a record and no changes: all of it, or nothing but the file."""
    if spec.body is None or spec.body.record != spec.target:
        return MISSING
    return {} if spec.body.shape is BodyShape.PARTS else record


def _checked_target(spec: Spec, value: Any) -> OxRecord | None:
    if value is None:
        return None
    if not isinstance(value, OxRecord) or _is_of_another_module(spec, value):
        raise InvalidArgument(
            f"{spec.operation} begins with the record that it is about ({spec.target}), not {value!r:.60}; "
            "without one, name its id= and folder="
        )
    return value


def _from_record(spec: Spec, record: OxRecord, named: Mapping[str, Any]) -> dict[str, Any]:
    """ID, folder and time stamp of the record, as far as the operation takes them and nobody names them."""
    own = type(record).__model__
    taken: dict[str, Any] = {}
    for param in spec.params:
        if param.attr in named or param.given:
            continue
        if param.name in _STAMPS:
            taken[param.attr] = _stamp_of(record)
        elif param.name in _TAKEN and own.has(param.name):
            taken[param.attr] = getattr(record, own.find(param.name).attr)
    return {name: value for name, value in taken.items() if value is not None}


def _whole(spec: Spec, value: Any) -> Any:
    """The items of a generator, which are looked at more than once; anything else as it is."""
    listed = spec.body is not None and spec.body.shape in (BodyShape.RECORDS, BodyShape.VALUES)
    return list(value) if listed and isinstance(value, Iterator) else value


def _from_list(spec: Spec, value: Any, named: Mapping[str, Any]) -> dict[str, Any]:
    """The time stamp of the records of a list: the oldest, since it protects all of them."""
    if isinstance(value, OxRecord):
        value = [value]
    if not isinstance(value, list | tuple | set | frozenset) or "timestamp" in named:
        return {}
    if not any(param.attr == "timestamp" for param in spec.params):
        return {}
    if not value:
        return {"timestamp": 0}  # there is nothing that others could have changed
    records = [each for each in value if isinstance(each, OxRecord)]
    stamps = [stamp for each in records if (stamp := _stamp_of(each)) is not None]
    if records and len(stamps) == len(value):
        return {"timestamp": min(stamps, key=lambda stamp: instant_to_wire(stamp, "timestamp"))}
    known = getattr(value, "timestamp", None)
    return {} if known is None else {"timestamp": known}


_CHANGED: Final = ("timestamp", "last_modified_utc", "last_modified")


def _stamp_of(record: OxRecord) -> Any:
    """When the record was last known to be as it is; what came as a part of another has only its own fields."""
    fields = type(record).__model__.fields
    known = (getattr(record, fields[name].attr) for name in _CHANGED if name in fields)
    return next(
        (each for each in (getattr(record, type(record).__stamp__), *known) if each is not None), None
    )


def _toucher(spec: Spec, record: OxRecord | None, value: Any) -> Callable[[Envelope], None] | None:
    """What brings the caller's record up to date: after a write, it holds what was written, as of then."""
    if record is None or spec.safety is Safety.READ:
        return None
    own = type(record).__model__
    written = spec.body is not None and spec.body.record == own.name and isinstance(value, Mapping)
    changes = to_object(own, value) if written and not (spec.body and spec.body.wrap in value) else {}

    def arrived(envelope: Envelope) -> None:
        fresh = from_object(type(record), changes)
        for name in changes:
            attribute = own.fields[name].attr
            setattr(record, attribute, getattr(fresh, attribute))
        if envelope.timestamp is not None:
            setattr(record, type(record).__stamp__, moment(envelope.timestamp))

    return arrived


_PLACED: Final = frozenset({"all", "get", "updates"})


def _place(spec: Spec, values: Mapping[str, Any]) -> dict[str, str]:
    """The folder that was asked for, for records whose folder was not: it is needed to change them."""
    folder = values.get("folder")
    if spec.action not in _PLACED or not isinstance(folder, str) or not spec.record:
        return {}
    model = record_class(spec.record).__model__
    found = model.find("folder") if model.has("folder") and spec.module != "folders" else None
    return {found.attr: folder} if found is not None and found.kind is Kind.TEXT else {}


def _is_of_another_module(spec: Spec, record: OxRecord) -> bool:
    """Whether a record's ID would mean something else; what is only a reference belongs to no module."""
    own = type(record).__model__
    return bool(own.module) and own.name != spec.target


# -- columns ---------------------------------------------------------------------------------------


def _columns(spec: Spec, asked: Any) -> tuple[Field, ...]:
    """The columns of a call; whether days are days needs one more where such fields are asked for."""
    if not spec.columns:
        return ()
    model = record_class(spec.columns).__model__
    if asked is None:
        return model.plain if _needs_columns(spec) else ()
    names = asked.split(",") if isinstance(asked, str) else asked
    if isinstance(names, int) or not isinstance(names, Iterable):
        raise InvalidArgument(f"{spec.operation}: columns takes a list of names, not {asked!r:.60}")
    headers = any(param.name == "headers" for param in spec.params)
    found = [model.column(name.strip() if isinstance(name, str) else name, headers=headers) for name in names]
    if not found:
        raise InvalidArgument(f"{spec.operation}: columns is empty: name at least one, or leave it out")
    unique = list(dict.fromkeys(field.name for field in found))
    wanted = [next(field for field in found if field.name == name) for name in unique]
    return tuple(_with_full_time(model, wanted))


def _needs_columns(spec: Spec) -> bool:
    """Whether something has to be asked for; where it need not be, the server gives all."""
    asked = [param for param in spec.params if param.kind in (Kind.COLUMNS, Kind.FIELDS)]
    rows = spec.returns in (Shape.ROWS, Shape.UPDATES, Shape.GROUPED)
    return any(param.required or (rows and param.kind is Kind.COLUMNS) for param in asked)


def _headers(spec: Spec, named: Mapping[str, Any]) -> list[Field]:
    """The headers that were asked for: their values come behind the columns."""
    asked = named.get("headers") if any(param.name == "headers" for param in spec.params) else None
    names = asked.split(",") if isinstance(asked, str) else asked or ()
    return [Field(str(name).strip(), Kind.ANY) for name in names]


def _with_full_time(model: Model, wanted: list[Field]) -> list[Field]:
    if any(field.kind is Kind.DATE_OR_TIME for field in wanted) and FULL_TIME in model.fields:
        full_time = model.fields[FULL_TIME]
        return wanted if full_time in wanted else [*wanted, full_time]
    return wanted


# -- query and path --------------------------------------------------------------------------------


def _query(spec: Spec, values: Mapping[str, Any], columns: Sequence[Field]) -> Iterable[tuple[str, str]]:
    if spec.action:
        yield "action", spec.action
    yield from spec.fixed
    values = _with_order(spec, values)
    for param in spec.params:
        if param.in_path:
            continue
        if param.kind in (Kind.COLUMNS, Kind.FIELDS) and columns:
            yield param.name, ",".join(_column_text(param, field) for field in columns)
        elif param.attr in values:
            yield param.name, _text(spec, param, values[param.attr])
        elif param.sent:
            yield param.name, param.sent
        elif param.required:
            raise InvalidArgument(_missing(spec, param))
    if spec.session and spec.module != "login":
        yield "timezone", "UTC"


def _column_text(param: Param, field: Field) -> str:
    return field.name if param.kind is Kind.FIELDS or field.column is None else str(field.column)


def _with_order(spec: Spec, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """``sort`` and ``order`` only count together."""
    names = {param.name for param in spec.params}
    if not {"sort", "order"} <= names:
        return values
    if "order" in values and "sort" not in values:
        raise InvalidArgument(f"{spec.operation}: order needs sort: the column to sort by")
    if "sort" in values and "order" not in values:
        return {**values, "order": "asc"}
    return values


def _text(spec: Spec, param: Param, value: Any) -> str:
    what = f"{spec.operation}: {param.attr}"
    if param.kind in (Kind.SORT, Kind.SORT_FIELD):
        return _sort(spec, param, value)
    if param.many and not isinstance(value, str | int):
        if not isinstance(value, Iterable):
            raise InvalidArgument(f"{what} takes a list, not {value!r:.60}")
        return ",".join(query_text(_plain_kind(param), each, what) for each in value)
    text = query_text(_plain_kind(param), value, what)
    return _choice(param.choices, text, what) if param.choices else text


def _choice(choices: Sequence[str], text: str, what: str) -> str:
    """One of the choices; case does not count where it tells none from another."""
    found = [choice for choice in choices if choice.casefold() == text.casefold()]
    if text in choices or len(found) == 1:
        return text if text in choices else found[0]
    raise InvalidArgument(f"{what} is one of {', '.join(map(repr, choices))}, not {text!r:.60}")


def _plain_kind(param: Param) -> Kind:
    return Kind.TEXT if param.kind in (Kind.COLUMNS, Kind.FIELDS) else param.kind


def _sort(spec: Spec, param: Param, value: Any) -> str:
    if value in param.choices:
        return str(value)
    if not spec.columns or isinstance(value, int):
        return query_text(Kind.TEXT, value, f"{spec.operation}: sort")
    field = record_class(spec.columns).__model__.column(value)
    return field.name if param.kind is Kind.SORT_FIELD or field.column is None else str(field.column)


def _missing(spec: Spec, param: Param) -> str:
    if param.name in _STAMPS:
        if param.attr == "since":
            return f"{spec.operation} needs since: the timestamp of the last answer, or 0 for everything"
        how = " Begin with the record that was read, or" if spec.target else " Read what it is about, and"
        return (
            f"{spec.operation} needs the timestamp of what it changes, so that others' changes are not lost."
            f"{how} give timestamp= (of the record, the Rows or the Result that told of it)"
        )
    what = {"columns": "columns", "sort": "sort"}.get(param.name, f"{param.attr}=")
    record = f", or a {spec.target} to begin with" if spec.target and param.name in _TAKEN else ""
    return f"{spec.operation} needs {what}{record}"


def _path(spec: Spec, values: Mapping[str, Any]) -> str:
    path = spec.path
    for param in spec.params:
        if not param.in_path:
            continue
        if param.attr not in values:
            raise InvalidArgument(_missing(spec, param))
        text = query_text(param.kind, values[param.attr], f"{spec.operation}: {param.attr}")
        if param.choices and text not in param.choices:
            raise InvalidArgument(
                f"{spec.operation} has no {param.attr} {text!r}.{suggest(text, param.choices)}"
            )
        path = path.replace(f"{{{param.name}}}", _quoted(spec, param, text))
    return path


def _quoted(spec: Spec, param: Param, text: str) -> str:
    """A part of the path; of one that is a path itself, the slashes stay."""
    safe = "/" if param.name in ("path", "jslobPath") else ""
    if not text or any(part in ("", ".", "..") for part in (text.split("/") if safe else [text])):
        raise InvalidArgument(f"{spec.operation}: {param.attr} can't be {text!r}, which is no part of a path")
    return quote(check_path(text, f"{spec.operation}: {param.attr}"), safe=safe)
