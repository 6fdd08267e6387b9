"""Preparation of calls: the caller's arguments are checked and bound to an operation. Nothing here does I/O.

All operations are called alike, ``method(record, body, /, *, names…)``, and their rows (``Spec``) say which
parameters they have. So one function checks the arguments of all of them, and everything that can be wrong is
found before anything is sent. Its steps:

1. Names: an argument that the operation lacks is refused, with a hint at the one that was meant.
2. Positional arguments: the record that the call is about, where there is one; then the body.
3. Defaults from that record: its ID, its folder and its time stamp, as far as the operation takes them and no
   argument names them. For a list of records it is the oldest time stamp, which protects all of them.
4. Columns: names become numbers, and ``full_time`` is added where it decides whether a field is a day. Where the
   server needs columns and the caller names none, all cheap ones are read.
5. The query, the path and the body, as they are sent. ``timezone=UTC`` always goes along, so that times are
   instants.
6. What comes after the answer: its reader, and a function that brings the caller's record up to date.

The time stamp is what protects others' changes: the server refuses a write that names an older one than that of the
object. So it is never made up; a write without one is refused here, and the message says where to get it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import attrs

from ...errors import InvalidArgument, quote_value, suggest
from ...urls import check_path
from ...wire import Safety
from .answers import Envelope
from .asked_for import check_asked
from .bodies import MISSING, build_body
from .records import OxRecord, from_object, record_class, to_object
from .results import make_reader
from .spec import BodyShape, Param, PreparedCall, ResultShape, Spec
from .tables import FULL_TIME, WireField, WireSchema
from .values import WireKind, instant_from_wire, instant_to_wire, to_query_text

__all__ = ["prepare_call"]

_FILE_ARGUMENTS: Final = ("file", "files")
_RECORD_PARAMS: Final = frozenset(
    {"id", "folder", "folder_id", "folderId", "attached", "module", "recurrenceId", "recurrence_position"}
)
_TIMESTAMP_PARAMS: Final = frozenset({"timestamp"})


def prepare_call(spec: Spec, args: Sequence[Any], arguments: Mapping[str, Any]) -> PreparedCall[Any]:
    """Make a call of an operation and the caller's arguments.

    Args:
        spec: The operation.
        args: Positional arguments: the record that it is about, where it is about one; then its body.
        arguments: Arguments by name. ``None`` is the same as nothing, but for the body.

    Raises:
        InvalidArgument: An argument is missing, unknown, or does not fit.
        UnknownField: A column, a field to sort by or a field of the body does not exist.
    """
    _check_names(spec, arguments)
    record, value = _split_positional(spec, args)
    value = _collect_items(spec, value)
    named = {name: value for name, value in arguments.items() if value is not None}
    defaults = (
        _take_from_record(spec, record, named) if record is not None else _take_from_list(spec, value, named)
    )
    columns = _find_columns(spec, named.get("columns", named.get("fields")))
    query = list(_build_query(spec, {**defaults, **named}, columns))
    body = None
    if spec.body is not None:
        file, files = (arguments.get(name, MISSING) for name in _FILE_ARGUMENTS)
        body = build_body(spec, spec.body, value, file, files)
    values = {**defaults, **named}
    read = make_reader(spec, (*columns, *_find_headers(spec, named)), _find_folder(spec, values))
    read = check_asked(spec, values, body, columns, read)
    return PreparedCall(
        spec=spec,
        query=tuple(query),
        path=_build_path(spec, {**defaults, **named}),
        body=body,
        read=_keep_timestamp(query, read) if spec.returns is ResultShape.UPDATES else read,
        on_response=_record_updater(spec, record, value),
    )


def _keep_timestamp(
    query: Iterable[tuple[str, str]], read: Callable[[Envelope], Any]
) -> Callable[[Envelope], Any]:
    """Return a reader of changes whose time stamp never goes back.

    Where nothing changed, servers have no greatest time stamp to send, and send none, or 0: then the next
    question begins where this one did.
    """
    since = max((int(value) for name, value in query if name == "timestamp"), default=0)
    return lambda envelope: read(attrs.evolve(envelope, timestamp=max(envelope.timestamp or 0, since)))


# -- arguments -------------------------------------------------------------------------------------


def _list_arguments(spec: Spec) -> list[str]:
    names = [param.attr for param in spec.params]
    if spec.body is not None:
        names += ["file"] if spec.body.has_file else []
        names += ["files"] if spec.body.has_files else []
    return names


def _check_names(spec: Spec, arguments: Mapping[str, Any]) -> None:
    names = _list_arguments(spec)
    for name in arguments:
        if name not in names:
            raise InvalidArgument(
                f"{spec.operation} takes no {name!r}.{_suggest_argument(spec, name, names)}"
            )


def _suggest_argument(spec: Spec, name: str, names: Sequence[str]) -> str:
    """Return a hint at what is meant by a name that an operation does not take: the document's own, perhaps."""
    if name == "timezone":
        return " It is always UTC, so that times are instants."
    sent = next((param.attr for param in spec.params if param.name == name), None)
    if sent is not None:
        return f" Here it is called {sent!r}."
    return suggest(name, names) or (f" It takes {', '.join(names)}." if names else "")


def _split_positional(spec: Spec, args: Sequence[Any]) -> tuple[OxRecord | None, Any]:
    """Return the record that a call is about, and its body, of the positional arguments."""
    has_body = spec.body is not None and (spec.body.shape is not BodyShape.PARTS or bool(spec.body.part))
    limit = bool(spec.target) + has_body
    if len(args) > limit:
        raise InvalidArgument(f"{spec.operation} takes at most {limit} positional arguments, not {len(args)}")
    if not spec.target:
        return None, args[0] if args and args[0] is not None else MISSING
    if not has_body:
        return _check_target(spec, args[0]) if args else None, MISSING
    if len(args) == 2 and args[1] is not None:
        return _check_target(spec, args[0]), args[1]
    if args and isinstance(args[0], OxRecord) and type(args[0]).__name__ == spec.target:
        # One argument may be either: a record of the target's class is what the call is about.
        return args[0], _default_body(spec, args[0])
    return None, args[0] if args and args[0] is not None else MISSING


def _default_body(spec: Spec, record: OxRecord) -> Any:
    """Return the body of a call that begins with a record and has no changes: all of it, or only the file."""
    if spec.body is None or spec.body.record != spec.target:
        return MISSING
    return {} if spec.body.shape is BodyShape.PARTS else record


def _check_target(spec: Spec, value: Any) -> OxRecord | None:
    if value is None:
        return None
    if not isinstance(value, OxRecord) or _is_of_another_module(spec, value):
        raise InvalidArgument(
            f"{spec.operation} begins with the record that it is about ({spec.target}), not {quote_value(value)}; "
            "without one, name its id= and folder="
        )
    return value


def _take_from_record(spec: Spec, record: OxRecord, named: Mapping[str, Any]) -> dict[str, Any]:
    """Return ID, folder and time stamp of the record, as far as the operation takes them and nobody names them."""
    schema = type(record).__schema__
    arguments: dict[str, Any] = {}
    for param in spec.params:
        if param.attr in named or param.explicit:
            continue
        if param.name in _TIMESTAMP_PARAMS:
            arguments[param.attr] = _find_timestamp(record)
        elif param.name in _RECORD_PARAMS and schema.has(param.name):
            arguments[param.attr] = getattr(record, schema.find(param.name).attr)
    return {name: value for name, value in arguments.items() if value is not None}


def _collect_items(spec: Spec, value: Any) -> Any:
    """Return the items of a generator as a list, since they are read more than once; return others as they are."""
    listed = spec.body is not None and spec.body.shape in (BodyShape.RECORDS, BodyShape.VALUES)
    return list(value) if listed and isinstance(value, Iterator) else value


def _take_from_list(spec: Spec, value: Any, named: Mapping[str, Any]) -> dict[str, Any]:
    """Return the time stamp of the records of a list: the oldest, since it protects all of them."""
    if isinstance(value, OxRecord):
        value = [value]
    if not isinstance(value, list | tuple | set | frozenset) or "timestamp" in named:
        return {}
    if not any(param.attr == "timestamp" for param in spec.params):
        return {}
    if not value:
        return {
            "timestamp": 0
        }  # the server wants one, though there is nothing that others could have changed
    records = [item for item in value if isinstance(item, OxRecord)]
    stamps = [stamp for item in records if (stamp := _find_timestamp(item)) is not None]
    if records and len(stamps) == len(value):
        return {"timestamp": min(stamps, key=lambda stamp: instant_to_wire(stamp, "timestamp"))}
    timestamp = getattr(value, "timestamp", None)
    return {} if timestamp is None else {"timestamp": timestamp}


_TIMESTAMP_FIELDS: Final = ("timestamp", "last_modified_utc", "last_modified")


def _find_timestamp(record: OxRecord) -> Any:
    """Return the moment up to which the record is known; parts of other records only have their own fields."""
    fields = type(record).__schema__.fields
    stamps = (getattr(record, fields[name].attr) for name in _TIMESTAMP_FIELDS if name in fields)
    return next(
        (stamp for stamp in (getattr(record, type(record).__timestamp_name__), *stamps) if stamp is not None),
        None,
    )


def _record_updater(spec: Spec, record: OxRecord | None, value: Any) -> Callable[[Envelope], None] | None:
    """Return the function that brings the caller's record up to date after a write, or ``None``."""
    if record is None or spec.safety is Safety.READ:
        return None
    schema = type(record).__schema__
    written = spec.body is not None and spec.body.record == schema.name and isinstance(value, Mapping)
    changes = to_object(schema, value) if written and not (spec.body and spec.body.wrap in value) else {}

    def on_response(envelope: Envelope) -> None:
        updated = from_object(type(record), changes)
        for name in changes:
            attribute = schema.fields[name].attr
            setattr(record, attribute, getattr(updated, attribute))
        if envelope.timestamp is not None:
            setattr(record, type(record).__timestamp_name__, instant_from_wire(envelope.timestamp))

    return on_response


_FOLDER_ACTIONS: Final = frozenset({"all", "get", "updates"})


def _find_folder(spec: Spec, values: Mapping[str, Any]) -> dict[str, str]:
    """Return the folder of the call, for records that come without theirs: it is needed to change them."""
    folder = values.get("folder")
    if spec.action not in _FOLDER_ACTIONS or not isinstance(folder, str) or not spec.record:
        return {}
    schema = record_class(spec.record).__schema__
    field = schema.find("folder") if schema.has("folder") and spec.module != "folders" else None
    return {field.attr: folder} if field is not None and field.kind is WireKind.TEXT else {}


def _is_of_another_module(spec: Spec, record: OxRecord) -> bool:
    """Return whether a record's ID would mean something else; a mere reference belongs to no module."""
    schema = type(record).__schema__
    return bool(schema.module) and schema.name != spec.target


# -- columns ---------------------------------------------------------------------------------------


def _find_columns(spec: Spec, requested: Any) -> tuple[WireField, ...]:
    """Return the columns of a call, with ``full_time`` where it decides whether a field is a day."""
    if not spec.columns:
        return ()
    schema = record_class(spec.columns).__schema__
    if requested is None:
        return schema.default_columns if _needs_columns(spec) else ()
    names = requested.split(",") if isinstance(requested, str) else requested
    if isinstance(names, int) or not isinstance(names, Iterable):
        raise InvalidArgument(
            f"{spec.operation}: columns takes a list of names, not {quote_value(requested)}"
        )
    headers = any(param.name == "headers" for param in spec.params)
    fields = [
        schema.find_column(name.strip() if isinstance(name, str) else name, headers=headers) for name in names
    ]
    if not fields:
        raise InvalidArgument(f"{spec.operation}: columns is empty: name at least one, or leave it out")
    unique = list(dict.fromkeys(field.name for field in fields))
    columns = [next(field for field in fields if field.name == name) for name in unique]
    return tuple(_add_full_time(schema, columns))


def _needs_columns(spec: Spec) -> bool:
    """Return whether columns have to be named; where they need not be, the server gives all."""
    params = [param for param in spec.params if param.kind in (WireKind.COLUMNS, WireKind.FIELDS)]
    rows = spec.returns in (ResultShape.ROWS, ResultShape.UPDATES, ResultShape.GROUPED)
    return any(param.required or (rows and param.kind is WireKind.COLUMNS) for param in params)


def _find_headers(spec: Spec, named: Mapping[str, Any]) -> list[WireField]:
    """Return the requested mail headers; their values come behind the columns."""
    requested = named.get("headers") if any(param.name == "headers" for param in spec.params) else None
    names = requested.split(",") if isinstance(requested, str) else requested or ()
    return [WireField(str(name).strip(), WireKind.ANY) for name in names]


def _add_full_time(schema: WireSchema, columns: list[WireField]) -> list[WireField]:
    if any(field.kind is WireKind.DATE_OR_TIME for field in columns) and FULL_TIME in schema.fields:
        full_time = schema.fields[FULL_TIME]
        return columns if full_time in columns else [*columns, full_time]
    return columns


# -- query and path --------------------------------------------------------------------------------


def _build_query(
    spec: Spec, values: Mapping[str, Any], columns: Sequence[WireField]
) -> Iterable[tuple[str, str]]:
    if spec.action:
        yield "action", spec.action
    yield from spec.fixed
    values = _complete_order(spec, values)
    for param in spec.params:
        if param.in_path:
            continue
        if param.kind in (WireKind.COLUMNS, WireKind.FIELDS) and columns:
            yield param.name, ",".join(_format_column(param, field) for field in columns)
        elif param.attr in values:
            yield param.name, _format_param(spec, param, values[param.attr])
        elif param.sent:
            yield param.name, param.sent
        elif param.required:
            raise InvalidArgument(_describe_missing(spec, param))
    if spec.session and spec.module != "login":
        yield "timezone", "UTC"  # without it, times are shifted by the offset of the user's own zone


def _format_column(param: Param, field: WireField) -> str:
    return field.name if param.kind is WireKind.FIELDS or field.column is None else str(field.column)


def _complete_order(spec: Spec, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Add ``order`` to a ``sort`` without one: the server heeds them only together."""
    names = {param.name for param in spec.params}
    if not {"sort", "order"} <= names:
        return values
    if "order" in values and "sort" not in values:
        raise InvalidArgument(f"{spec.operation}: order needs sort: the column to sort by")
    if "sort" in values and "order" not in values:
        return {**values, "order": "asc"}
    return values


def _format_param(spec: Spec, param: Param, value: Any) -> str:
    label = f"{spec.operation}: {param.attr}"
    if param.kind in (WireKind.SORT, WireKind.SORT_FIELD):
        return _format_sort(spec, param, value)
    if param.many and not isinstance(value, str | int):
        if not isinstance(value, Iterable):
            raise InvalidArgument(f"{label} takes a list, not {quote_value(value)}")
        return ",".join(to_query_text(_value_kind(param), item, label) for item in value)
    text = to_query_text(_value_kind(param), value, label)
    return _match_choice(param.choices, text, label) if param.choices else text


def _match_choice(choices: Sequence[str], text: str, label: str) -> str:
    """Return the choice that a text means; case does not count where it tells none from another."""
    matches = [choice for choice in choices if choice.casefold() == text.casefold()]
    if text in choices or len(matches) == 1:
        return text if text in choices else matches[0]
    raise InvalidArgument(f"{label} is one of {', '.join(map(repr, choices))}, not {quote_value(text)}")


def _value_kind(param: Param) -> WireKind:
    return WireKind.TEXT if param.kind in (WireKind.COLUMNS, WireKind.FIELDS) else param.kind


def _format_sort(spec: Spec, param: Param, value: Any) -> str:
    if value in param.choices:
        return str(value)
    if not spec.columns or isinstance(value, int):
        return to_query_text(WireKind.TEXT, value, f"{spec.operation}: sort")
    field = record_class(spec.columns).__schema__.find_column(value)
    return field.name if param.kind is WireKind.SORT_FIELD or field.column is None else str(field.column)


def _describe_missing(spec: Spec, param: Param) -> str:
    if param.name in _TIMESTAMP_PARAMS:
        if param.attr == "since":
            return f"{spec.operation} needs since: the timestamp of the last answer, or 0 for everything"
        how = " Begin with the record that was read, or" if spec.target else " Read what it is about, and"
        return (
            f"{spec.operation} needs the timestamp of what it changes, so that others' changes are not lost."
            f"{how} give timestamp= (of the record, the Rows or the Result that told of it)"
        )
    label = {"columns": "columns", "sort": "sort"}.get(param.name, f"{param.attr}=")
    record = f", or a {spec.target} to begin with" if spec.target and param.name in _RECORD_PARAMS else ""
    return f"{spec.operation} needs {label}{record}"


def _build_path(spec: Spec, values: Mapping[str, Any]) -> str:
    path = spec.path
    for param in spec.params:
        if not param.in_path:
            continue
        if param.attr not in values:
            raise InvalidArgument(_describe_missing(spec, param))
        text = to_query_text(param.kind, values[param.attr], f"{spec.operation}: {param.attr}")
        if param.choices and text not in param.choices:
            raise InvalidArgument(
                f"{spec.operation} has no {param.attr} {text!r}.{suggest(text, param.choices)}"
            )
        path = path.replace(f"{{{param.name}}}", _quote_part(spec, param, text))
    return path


def _quote_part(spec: Spec, param: Param, text: str) -> str:
    """Quote a part of the path; where the part is a path itself, its slashes stay."""
    safe = "/" if param.name in ("path", "jslobPath") else ""
    if not text or any(part in ("", ".", "..") for part in (text.split("/") if safe else [text])):
        raise InvalidArgument(f"{spec.operation}: {param.attr} can't be {text!r}, which is no part of a path")
    return quote(check_path(text, f"{spec.operation}: {param.attr}"), safe=safe)
