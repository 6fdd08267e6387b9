"""What is sent by a create or an update: the caller's values, checked and in the API's form."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import attrs
import msgspec

from ...errors import InvalidArgument, UnknownField
from ...records import Record
from ...schema import Entity, Field, Kind
from .content import content_to_wire

__all__ = ["changes_of", "encode", "prepare"]

_TAGS: Final = {"tags": "tags", "add_tags": "+tags", "remove_tags": "-tags"}
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def encode(body: Mapping[str, Any], *, what: str) -> bytes:
    """The JSON of a body; decimals keep every digit.

    Raises:
        InvalidArgument: Some value inside a JSON field has no JSON form.
    """
    try:
        return _ENCODER.encode(body)
    except (TypeError, msgspec.MsgspecError, ValueError, RecursionError, UnicodeEncodeError) as error:
        raise InvalidArgument(f"{what}: a value can't be written as JSON: {error}") from error


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
            "extdata": {key: _seconds(key, v) if isinstance(v, datetime) else v for key, v in value.items()}
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
    match field.kind:
        case Kind.BINARY:
            return await content_to_wire(where, value)
        case Kind.JSON | Kind.ARRAY:
            return value
        case Kind.TIME:
            return _seconds(where, value)
        case Kind.TEXT:
            return _text(where, field, value)
        case Kind.BOOLEAN:
            return _boolean(where, value)
        case Kind.INTEGER | Kind.NUMBER:
            return _in_range(where, field, _number(where, field, value))


def _seconds(where: str, value: Any) -> int:
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise InvalidArgument(
                f"{where}: {value!r} has no timezone, so it names no moment: use datetime.now(UTC), "
                "or value.astimezone() if it is local time"
            )
        return math.floor(value.timestamp())
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise InvalidArgument(f"{where} takes an aware datetime or whole Unix seconds, not {value!r:.60}")


def _boolean(where: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise InvalidArgument(f"{where} takes True or False, not {value!r:.60}")


def _number(where: str, field: Field, value: Any) -> int | float | Decimal:
    if isinstance(value, int):
        return int(value)  # a bool or an IntEnum becomes its number
    if isinstance(value, (float, Decimal)) and math.isfinite(value):
        if field.kind is Kind.NUMBER:
            return value
        if value == int(value):
            return int(value)
    wanted = "a number" if field.kind is Kind.NUMBER else "a whole number"
    raise InvalidArgument(f"{where} takes {wanted}{_codes_hint(field, value)}, not {value!r:.60}")


def _codes_hint(field: Field, value: object) -> str:
    """The codes of a coded field: the one that was meant, if that is clear, else the first few."""
    codes = {name: code for code, name in (field.codes or {}).items() if name}
    if isinstance(value, str) and value.upper() in codes:
        return f" (the code of {value.upper()} is {codes[value.upper()]}; its enum is in zeyos_async.zeyos)"
    shown = [f"{code}={name}" for name, code in codes.items()]
    return f" ({', '.join(shown[:6])}{', …' if len(shown) > 6 else ''})" if shown else ""


def _in_range(where: str, field: Field, value: int | float | Decimal) -> int | float | Decimal:
    low, high = field.minimum, field.maximum
    below = low is not None and (value <= low if field.exclusive else value < low)
    if below or (high is not None and value > high):
        bounds = [f"{'above' if field.exclusive else 'from'} {low:g}"] if low is not None else []
        bounds += [f"up to {high:g}"] if high is not None else []
        raise InvalidArgument(f"{where} takes numbers {' '.join(bounds)}, not {value}")
    return value


def _text(where: str, field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidArgument(f"{where} takes text, not {value!r:.60}")
    if "\x00" in value:
        raise InvalidArgument(f"{where}: text can't hold the character NUL")
    if field.min_length is not None and len(value) < field.min_length:
        raise InvalidArgument(f"{where} needs at least {field.min_length} characters")
    if field.max_length is not None and len(value) > field.max_length:
        raise InvalidArgument(f"{where} takes at most {field.max_length} characters, not {len(value)}")
    if field.pattern is not None and not _pattern(field.pattern).search(value):
        raise InvalidArgument(f"{where}: {value!r:.60} does not match {field.pattern}")
    return str(value)


@lru_cache(maxsize=64)
def _pattern(pattern: str) -> re.Pattern[str]:
    # A final $ must not accept a trailing newline, which the server's dialect does not either.
    return re.compile(re.sub(r"\$$", r"\\Z", pattern))
