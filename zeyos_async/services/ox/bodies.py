"""From the caller's values to the body of a call: no I/O, everything checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...errors import InvalidArgument
from .records import OxRecord, plain_json, record_class, sent_value, to_object
from .spec import Body, BodyShape, Form, Json, Parts, Raw, Spec
from .tables import Model
from .values import to_wire

__all__ = ["MISSING", "body_of"]


class _Missing:
    """Nothing was given, which is not ``None``: that is ``null``."""

    def __repr__(self) -> str:
        return "nothing"


MISSING = _Missing()


def body_of(spec: Spec, body: Body, value: Any, file: Any, files: Any) -> Json | Form | Parts | Raw | None:
    """The body of a call.

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
        return _parts(spec, body, value, file, files)
    if value is MISSING:
        if body.required:
            raise InvalidArgument(f"{spec.operation} needs {_wanted(body)} to send")
        return None
    if body.shape is BodyShape.RAW:
        return Raw(_checked_file(spec, value), body.media_type)
    if body.shape is BodyShape.FORM:
        return Form(tuple(_form_fields(body, value)))
    return Json(_json(spec, body, value))


def _wanted(body: Body) -> str:
    return {
        BodyShape.RECORD: f"a {body.record} or a dict of its fields",
        BodyShape.RECORDS: f"a list of {body.record}",
        BodyShape.VALUES: f"a list of {body.kind.value} values",
        BodyShape.FORM: f"a dict of the fields of {body.record}",
        BodyShape.RAW: "the bytes",
    }.get(body.shape, "a value")


def _json(spec: Spec, body: Body, value: Any) -> Any:
    if _is_whole(body, value):
        return _complete(body.outer, value) if body.outer else plain_json(value, spec.operation)
    if body.shape is BodyShape.RECORD:
        inner: Any = _complete(body.record, value)
    elif body.shape is BodyShape.RECORDS:
        inner = _objects(spec, body, value)
    elif body.shape is BodyShape.VALUES:
        inner = _plain(spec, body, value)
    else:
        inner = plain_json(value, spec.operation)
    return {body.wrap: inner} if body.wrap else inner


def _is_whole(body: Body, value: Any) -> bool:
    """Whether the caller gave the object around, perhaps with more in it than the object or list itself."""
    if isinstance(value, OxRecord):
        return type(value).__name__ == body.outer
    return (
        bool(body.wrap)
        and isinstance(value, Mapping)
        and isinstance(value.get(body.wrap), Mapping | OxRecord | list | tuple)
    )


def _model(name: str) -> Model:
    return record_class(name).__model__


def _complete(name: str, value: Any) -> dict[str, Any]:
    """An object with all that the document says it needs.

    Raises:
        InvalidArgument: Something is missing.
    """
    model = _model(name)
    sent = to_object(model, value, whole=False)
    missing = [
        field.attr for field in model.fields.values() if field.required and sent.get(field.name) is None
    ]
    if missing:
        raise InvalidArgument(f"{model.name} needs {' and '.join(missing)}")
    return sent


def _objects(spec: Spec, body: Body, value: Any) -> list[Any]:
    if isinstance(value, OxRecord | Mapping) or _is_pair(body, value):
        value = [value]
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise InvalidArgument(f"{spec.operation} takes {_wanted(body)}, not {value!r:.60}")
    return [_object(body, each) for each in value]


def _is_pair(body: Body, value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(isinstance(part, str) for part in value)


def _object(body: Body, value: Any) -> dict[str, Any]:
    """One object of a list: of a record only what the schema of the list has, so that references stay small."""
    model = _model(body.record)
    if isinstance(value, OxRecord):
        return _complete(body.record, value) if type(value).__model__ is model else _reference(model, value)
    if isinstance(value, Mapping):
        return _complete(body.record, value)
    if isinstance(value, tuple) and len(value) == 2 and model.has("folder"):
        return {
            model.find(name).name: sent_value(model.find(name), part, f"{model.name}.{name}")
            for name, part in zip(("folder", "id"), value, strict=True)
        }
    if isinstance(value, str | int) and not isinstance(value, bool) and "id" in model.fields:
        needed = [name for name in model.fields if name != "id"]
        if "folder" not in needed and "folder_id" not in needed:
            return {"id": sent_value(model.fields["id"], value, f"{model.name}.id")}
    raise InvalidArgument(
        f"{model.name}: a record, a (folder, id) pair or a dict with {', '.join(model.fields)} is wanted, "
        f"not {value!r:.60}"
    )


def _reference(model: Model, record: OxRecord) -> dict[str, Any]:
    """What names a record: its fields that the schema has, by whatever name the record has them."""
    own = type(record).__model__
    sent: dict[str, Any] = {}
    for field in model.fields.values():
        if own.has(field.name) and (value := getattr(record, own.find(field.name).attr)) is not None:
            sent[field.name] = sent_value(field, value, f"{model.name}.{field.name}")
    missing = [name for name in ("id", "folder", "folder_id") if name in model.fields and name not in sent]
    if missing:
        raise InvalidArgument(
            f"this {own.name} has no {' and no '.join(missing)}: ask for the columns, or give (folder, id)"
        )
    return sent


def _plain(spec: Spec, body: Body, value: Any) -> list[Any]:
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        if isinstance(value, bytes | Mapping):
            raise InvalidArgument(f"{spec.operation} takes {_wanted(body)}, not {value!r:.60}")
        value = [value]
    what = f"{spec.operation}: an item"
    return [_plain_item(body, each, what) for each in value]


def _plain_item(body: Body, value: Any, what: str) -> Any:
    if isinstance(value, OxRecord):
        number = getattr(value, "id", None)
        if number is None:
            raise InvalidArgument(f"this {type(value).__name__} has no id: ask for that column")
        value = number
    return to_wire(body.kind, value, what) if value is not None else None


# -- forms and files -------------------------------------------------------------------------------


def _form_fields(body: Body, value: Any) -> Iterable[tuple[str, str]]:
    """The fields of a form, booleans as ``true`` and ``false``; what is ``None`` is left out."""
    for name, each in _complete(body.record, value).items():
        if each is not None:
            yield name, ("true" if each else "false") if isinstance(each, bool) else str(each)


def _parts(spec: Spec, body: Body, value: Any, file: Any, files: Any) -> Parts:
    given = _files(spec, body, file, files)
    if not body.part:
        return Parts((), given)
    if value is MISSING:
        raise InvalidArgument(f"{spec.operation} needs {_wanted(body)} to send")
    if "{n}" not in body.part:
        json = {"shape": BodyShape.RECORD if body.record else BodyShape.JSON}
        inner = Body(shape=json["shape"], record=body.record, wrap=body.wrap, outer=body.outer)
        return Parts(((body.part, _json(spec, inner, value)),), given)
    return Parts(tuple(_numbered_parts(spec, body, value, given)), given)


def _numbered_parts(spec: Spec, body: Body, value: Any, given: Any) -> Iterable[tuple[str, Any]]:
    """One object for each file."""
    items = [value] if isinstance(value, OxRecord | Mapping) else list(value)
    if len(items) != len(given):
        raise InvalidArgument(
            f"{spec.operation} takes one {body.record} for each file: {len(items)} and {len(given)} were given"
        )
    model = _model(body.record)
    for place, item in enumerate(items):
        yield body.part.replace("{n}", str(place)), to_object(model, item, whole=False)


def _files(spec: Spec, body: Body, file: Any, files: Any) -> tuple[tuple[str, Any], ...]:
    if body.has_files:
        several = _several(files)
        if body.file_required and not several:
            raise InvalidArgument(f"{spec.operation} needs files=, the files to send")
        return tuple(
            (body.file.replace("{n}", str(place)), _checked_file(spec, each))
            for place, each in enumerate(several)
        )
    if file is MISSING or file is None:
        if body.file_required and body.file:
            raise InvalidArgument(f"{spec.operation} needs file=, the file to send")
        return ()
    return ((body.file, _checked_file(spec, file)),)


def _several(files: Any) -> list[Any]:
    if files is MISSING or files is None:
        return []
    return list(files) if isinstance(files, list | tuple) else [files]


def _checked_file(spec: Spec, value: Any) -> Any:
    """What an upload takes is judged when it is made; what is surely no file is refused here."""
    if isinstance(value, str | int | float | Mapping | list | tuple):
        raise InvalidArgument(
            f"{spec.operation}: a file is bytes, a Path, an async iterable of bytes or an Upload, not {value!r:.60}"
        )
    return value
