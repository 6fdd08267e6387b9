"""What is sent by a create or an update: the caller's values, checked and in the API's form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import attrs

from ...errors import InvalidArgument, UnknownField
from ...records import Record
from ...schema import Entity, Field, Kind
from ..base.values import encode, seconds, to_wire
from .content import content_to_wire

__all__ = ["changes_of", "encode", "prepare"]

_TAGS: Final = {"tags": "tags", "add_tags": "+tags", "remove_tags": "-tags"}


def changes_of(record: Record) -> dict[str, Any]:
    """The values that a record holds and that a create may send.

    Raises:
        InvalidArgument: The record has an ID: it is stored already.
    """
    values = {
        field.name: getattr(record, field.name)
        for field in attrs.fields(type(record))
        if field.name not in ("extra", record.__etag__) and getattr(record, field.name) is not None
    }
    if "ID" in values:
        raise InvalidArgument(
            f"this {type(record).__name__} has the ID {values['ID']}, so it is stored already: update it, or create "
            "a copy with attrs.evolve(record, ID=None)"
        )
    return values


async def prepare(entity: Entity, values: Mapping[str, Any], *, create: bool) -> dict[str, Any]:
    """The body of a create or an update.

    Args:
        entity: What is written.
        values: Attribute → value, with ``tags``, ``add_tags``, ``remove_tags`` and ``extdata``.
        create: Whether required fields must be there.

    Returns:
        The body's values.

    Raises:
        UnknownField: The entity has no such field.
        InvalidArgument: A value does not fit its field, or a required one is missing.
    """
    by_attribute = {field.attr: field for field in entity}
    body: dict[str, Any] = {}
    for name, value in values.items():
        field = by_attribute.get(name) or entity.fields.get(name)
        if field is not None:
            body[field.name] = await _field(entity, field, value)
        elif name in _TAGS or name == "extdata":
            body.update(_pseudo(entity, name, value))
        else:
            raise UnknownField(name, entity.name, [*by_attribute, *_pseudo_names(entity)])
    _check_whole(entity, body, create=create)
    return body


def _pseudo_names(entity: Entity) -> list[str]:
    return [*(_TAGS if entity.tags else ()), *(("extdata",) if entity.extdata else ())]


def _check_whole(entity: Entity, body: Mapping[str, Any], *, create: bool) -> None:
    if "ID" in body:
        raise InvalidArgument(f"{entity.name}: the server chooses the ID; it can't be written")
    if not create:
        if not body:
            raise InvalidArgument(f"{entity.name}: nothing to change was given")
        return
    missing = [field.attr for field in entity if field.required and body.get(field.name) is None]
    if missing:
        raise InvalidArgument(
            f"{entity.singular} can't be created without {' and '.join(missing)}; the server has no default for it"
        )


def _pseudo(entity: Entity, name: str, value: Any) -> dict[str, Any]:
    if name == "extdata":
        if not entity.extdata:
            raise InvalidArgument(f"{entity.name} has no extdata")
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise InvalidArgument(f"extdata takes a dict of field names and values, not {value!r:.60}")
        return {
            "extdata": {key: seconds(key, v) if isinstance(v, datetime) else v for key, v in value.items()}
        }
    if not entity.tags:
        raise InvalidArgument(f"{entity.name} has no tags")
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidArgument(f"{name} takes a list of tags, not {value!r:.60}")
    tags: list[str] = list(value)
    if not all(isinstance(tag, str) and tag for tag in tags):
        raise InvalidArgument(f"{name} takes tags that are text and not empty, not {tags!r:.60}")
    return {_TAGS[name]: sorted(tags) if isinstance(value, (set, frozenset)) else list(dict.fromkeys(tags))}


async def _field(entity: Entity, field: Field, value: Any) -> Any:
    where = f"{entity.singular}.{field.attr}"
    if field.read_only:
        raise InvalidArgument(f"{where} is set by the server and can't be written")
    if value is None:
        if not field.nullable:
            raise InvalidArgument(f"{where} can't be empty (None); leave it out to keep or default it")
        return None
    if field.kind is Kind.BINARY:
        return await content_to_wire(where, value)
    return to_wire(where, field, value)
