"""Bodies of creates and updates: the caller's values, checked and in the API's form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import attrs

from ...errors import InvalidArgument, UnknownField, quote_value
from ...records import Record
from ...schema import Entity, Field, Kind
from ..base.values import to_unix_seconds, to_wire
from .content import content_to_wire

__all__ = ["prepare_body", "values_of"]

_TAG_PARAMETERS: Final = {"tags": "tags", "add_tags": "+tags", "remove_tags": "-tags"}
"""Argument → name in the body."""


def values_of(record: Record) -> dict[str, Any]:
    """Return the values of a record that a create may send.

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


async def prepare_body(entity: Entity, values: Mapping[str, Any], *, create: bool) -> dict[str, Any]:
    """Return the body of a create or an update.

    Args:
        entity: The entity that is written.
        values: Attribute → value, with ``tags``, ``add_tags``, ``remove_tags`` and ``extdata``.
        create: Whether it is a create, which needs the required fields.

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
            body[field.name] = await _field_value(entity, field, value)
        elif name == "extdata":
            body["extdata"] = _extdata_value(entity, value)
        elif name in _TAG_PARAMETERS:
            body[_TAG_PARAMETERS[name]] = _tags_value(entity, name, value)
        else:
            raise UnknownField(name, entity.name, [*by_attribute, *_pseudo_field_names(entity)])
    _check_required(entity, body, create=create)
    return body


def _pseudo_field_names(entity: Entity) -> list[str]:
    return [*(_TAG_PARAMETERS if entity.tags else ()), *(("extdata",) if entity.extdata else ())]


def _check_required(entity: Entity, body: Mapping[str, Any], *, create: bool) -> None:
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


def _extdata_value(entity: Entity, value: Any) -> dict[str, Any]:
    if not entity.extdata:
        raise InvalidArgument(f"{entity.name} has no extdata")
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InvalidArgument(f"extdata takes a dict of field names and values, not {quote_value(value)}")
    # The types of an instance's own fields are not known here: moments are converted, as JSON has none.
    return {
        key: to_unix_seconds(key, item) if isinstance(item, datetime) else item for key, item in value.items()
    }


def _tags_value(entity: Entity, name: str, value: Any) -> list[str]:
    if not entity.tags:
        raise InvalidArgument(f"{entity.name} has no tags")
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidArgument(f"{name} takes a list of tags, not {quote_value(value)}")
    tags: list[str] = list(value)
    if not all(isinstance(tag, str) and tag for tag in tags):
        raise InvalidArgument(f"{name} takes tags that are text and not empty, not {quote_value(tags)}")
    # A set has no order of its own: sorted, the same tags make the same body each time.
    return sorted(tags) if isinstance(value, (set, frozenset)) else list(dict.fromkeys(tags))


async def _field_value(entity: Entity, field: Field, value: Any) -> Any:
    label = f"{entity.singular}.{field.attr}"
    if field.read_only:
        raise InvalidArgument(f"{label} is set by the server and can't be written")
    if value is None:
        if not field.nullable:
            raise InvalidArgument(f"{label} can't be empty (None); leave it out to keep or default it")
        return None
    if field.kind is Kind.BINARY:
        return await content_to_wire(label, value)
    return to_wire(label, field, value)
