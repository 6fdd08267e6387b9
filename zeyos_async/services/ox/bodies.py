"""Bodies of calls, made of the caller's values, which are all checked. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...errors import InvalidArgument, quote_value
from .records import OxRecord, field_to_wire, record_class, to_object, to_plain_json
from .spec import Body, BodyShape, FormBody, JsonBody, PartsBody, RawBody, Spec
from .tables import WireSchema
from .values import to_wire

__all__ = ["MISSING", "build_body"]


class _Missing:
    """The mark of an argument that was left out. ``None`` can't be the mark: it is sent as ``null``."""

    def __repr__(self) -> str:
        return "nothing"


MISSING = _Missing()


def build_body(
    spec: Spec, body: Body, value: Any, file: Any, files: Any
) -> JsonBody | FormBody | PartsBody | RawBody | None:
    """Build the body of a call.

    Args:
        spec: The operation.
        body: What it sends.
        value: The caller's value for it, or ``MISSING``.
        file: The file of an upload, or ``MISSING``.
        files: The files of an upload, or ``MISSING``.

    Raises:
        InvalidArgument: A value does not fit, or a needed one is missing.
        UnknownField: An object has a field that the document does not know.
    """
    if body.shape is BodyShape.PARTS:
        return _build_parts(spec, body, value, file, files)
    if value is MISSING:
        if body.required:
            raise InvalidArgument(f"{spec.operation} needs {_describe_body(body)} to send")
        return None
    if body.shape is BodyShape.RAW:
        return RawBody(_check_file(spec, value), body.media_type)
    if body.shape is BodyShape.FORM:
        return FormBody(tuple(_iterate_form_fields(body, value)))
    return JsonBody(_build_json(spec, body, value))


def _describe_body(body: Body) -> str:
    return {
        BodyShape.RECORD: f"a {body.record} or a dict of its fields",
        BodyShape.RECORDS: f"a list of {body.record}",
        BodyShape.VALUES: f"a list of {body.kind.value} values",
        BodyShape.FORM: f"a dict of the fields of {body.record}",
        BodyShape.RAW: "the bytes",
    }.get(body.shape, "a value")


def _build_json(spec: Spec, body: Body, value: Any) -> Any:
    if _is_wrapped(body, value):
        return _build_object(body.outer, value) if body.outer else to_plain_json(value, spec.operation)
    if body.shape is BodyShape.RECORD:
        inner: Any = _build_object(body.record, value)
    elif body.shape is BodyShape.RECORDS:
        inner = _build_list(spec, body, value)
    elif body.shape is BodyShape.VALUES:
        inner = _build_values(spec, body, value)
    else:
        inner = to_plain_json(value, spec.operation)
    return {body.wrap: inner} if body.wrap else inner


def _is_wrapped(body: Body, value: Any) -> bool:
    """Return whether the caller gave the outer object, perhaps with more in it than the wrapped value."""
    if isinstance(value, OxRecord):
        return type(value).__name__ == body.outer
    return (
        bool(body.wrap)
        and isinstance(value, Mapping)
        and isinstance(value.get(body.wrap), Mapping | OxRecord | list | tuple)
    )


def _find_schema(name: str) -> WireSchema:
    return record_class(name).__schema__


def _build_object(name: str, value: Any) -> dict[str, Any]:
    """Build an object, and check that it has all fields that the document requires.

    Raises:
        InvalidArgument: Something is missing.
    """
    schema = _find_schema(name)
    sent = to_object(schema, value, with_read_only=False)
    missing = [
        field.attr for field in schema.fields.values() if field.required and sent.get(field.name) is None
    ]
    if missing:
        raise InvalidArgument(f"{schema.name} needs {' and '.join(missing)}")
    return sent


def _build_list(spec: Spec, body: Body, value: Any) -> list[Any]:
    if isinstance(value, OxRecord | Mapping) or _is_pair(body, value):
        value = [value]
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise InvalidArgument(f"{spec.operation} takes {_describe_body(body)}, not {quote_value(value)}")
    return [_build_list_item(body, item) for item in value]


def _is_pair(body: Body, value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(isinstance(part, str) for part in value)


def _build_list_item(body: Body, value: Any) -> dict[str, Any]:
    """Build one object of a list. A record of another schema becomes a reference: the fields that name it."""
    schema = _find_schema(body.record)
    if isinstance(value, OxRecord):
        return (
            _build_object(body.record, value)
            if type(value).__schema__ is schema
            else _build_reference(schema, value)
        )
    if isinstance(value, Mapping):
        return _build_object(body.record, value)
    if isinstance(value, tuple) and len(value) == 2 and schema.has("folder"):
        return {
            schema.find(name).name: field_to_wire(schema.find(name), part, f"{schema.name}.{name}")
            for name, part in zip(("folder", "id"), value, strict=True)
        }
    if isinstance(value, str | int) and not isinstance(value, bool) and "id" in schema.fields:
        # An ID names nothing where there are folders: the server would look in the wrong one.
        needed = [name for name in schema.fields if name != "id"]
        if "folder" not in needed and "folder_id" not in needed:
            return {"id": field_to_wire(schema.fields["id"], value, f"{schema.name}.id")}
    raise InvalidArgument(
        f"{schema.name}: a record, a (folder, id) pair or a dict with {', '.join(schema.fields)} is wanted, "
        f"not {quote_value(value)}"
    )


def _build_reference(schema: WireSchema, record: OxRecord) -> dict[str, Any]:
    """Build a reference to a record: the fields of the schema, under whatever name the record has them."""
    source = type(record).__schema__
    sent: dict[str, Any] = {}
    for field in schema.fields.values():
        if source.has(field.name) and (value := getattr(record, source.find(field.name).attr)) is not None:
            sent[field.name] = field_to_wire(field, value, f"{schema.name}.{field.name}")
    missing = [name for name in ("id", "folder", "folder_id") if name in schema.fields and name not in sent]
    if missing:
        raise InvalidArgument(
            f"this {source.name} has no {' and no '.join(missing)}: ask for the columns, or give (folder, id)"
        )
    return sent


def _build_values(spec: Spec, body: Body, value: Any) -> list[Any]:
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        if isinstance(value, bytes | Mapping):
            raise InvalidArgument(f"{spec.operation} takes {_describe_body(body)}, not {quote_value(value)}")
        value = [value]
    label = f"{spec.operation}: an item"
    return [_build_value(body, item, label) for item in value]


def _build_value(body: Body, value: Any, label: str) -> Any:
    if isinstance(value, OxRecord):
        number = getattr(value, "id", None)
        if number is None:
            raise InvalidArgument(f"this {type(value).__name__} has no id: ask for that column")
        value = number
    return to_wire(body.kind, value, label) if value is not None else None


# -- forms and files -------------------------------------------------------------------------------


def _iterate_form_fields(body: Body, value: Any) -> Iterable[tuple[str, str]]:
    """Yield the fields of a form, booleans as ``true`` and ``false``; leave out what is ``None``."""
    for name, value_ in _build_object(body.record, value).items():
        if value_ is not None:
            yield name, ("true" if value_ else "false") if isinstance(value_, bool) else str(value_)


def _build_parts(spec: Spec, body: Body, value: Any, file: Any, files: Any) -> PartsBody:
    uploads = _collect_files(spec, body, file, files)
    if not body.part:
        return PartsBody((), uploads)
    if value is MISSING:
        raise InvalidArgument(f"{spec.operation} needs {_describe_body(body)} to send")
    if "{n}" not in body.part:
        shape = BodyShape.RECORD if body.record else BodyShape.JSON
        inner = Body(shape=shape, record=body.record, wrap=body.wrap, outer=body.outer)
        return PartsBody(((body.part, _build_json(spec, inner, value)),), uploads)
    return PartsBody(tuple(_build_numbered_parts(spec, body, value, uploads)), uploads)


def _build_numbered_parts(spec: Spec, body: Body, value: Any, uploads: Any) -> Iterable[tuple[str, Any]]:
    """Yield a part with an object for each file."""
    items = [value] if isinstance(value, OxRecord | Mapping) else list(value)
    if len(items) != len(uploads):
        raise InvalidArgument(
            f"{spec.operation} takes one {body.record} for each file: {len(items)} and {len(uploads)} were given"
        )
    schema = _find_schema(body.record)
    for number, item in enumerate(items):
        yield body.part.replace("{n}", str(number)), to_object(schema, item, with_read_only=False)


def _collect_files(spec: Spec, body: Body, file: Any, files: Any) -> tuple[tuple[str, Any], ...]:
    if body.has_files:
        several = _list_files(files)
        if body.file_required and not several:
            raise InvalidArgument(f"{spec.operation} needs files=, the files to send")
        return tuple(
            (body.file.replace("{n}", str(number)), _check_file(spec, item))
            for number, item in enumerate(several)
        )
    if file is MISSING or file is None:
        if body.file_required and body.file:
            raise InvalidArgument(f"{spec.operation} needs file=, the file to send")
        return ()
    return ((body.file, _check_file(spec, file)),)


def _list_files(files: Any) -> list[Any]:
    if files is MISSING or files is None:
        return []
    return list(files) if isinstance(files, list | tuple) else [files]


def _check_file(spec: Spec, value: Any) -> Any:
    """Return a file as it is, after refusing what is surely none; ``Upload`` checks the rest when it is made."""
    if isinstance(value, str | int | float | Mapping | list | tuple):
        raise InvalidArgument(
            f"{spec.operation}: a file is bytes, a Path, an async iterable of bytes or an Upload, not {quote_value(value)}"
        )
    return value
