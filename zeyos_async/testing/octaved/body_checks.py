"""The checks of a body: unknown fields, wrong types, texts that are too long."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from .fields import Field, Schema
from .refusals import Refusal

__all__ = ["MAX_KEYS", "MAX_VALUE_BYTES", "check_body", "is_date", "is_id"]

MAX_KEYS: Final = 20
MAX_VALUE_BYTES: Final = 20 * 1024
_ID: Final = re.compile(r"[0-9A-F]{32}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def is_id(value: Any) -> bool:
    """Return whether it is 32 hexadecimal digits in upper case."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def is_date(value: Any) -> bool:
    """Return whether it is a day of the calendar, ``YYYY-MM-DD``."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return False
    try:
        dt.date.fromisoformat(value)
    except ValueError:
        return False
    return True


def check_body(schema: Schema, body: Any, *, creates: bool) -> None:
    """Hold a body against its schema.

    Raises:
        Refusal: 400, with a message for each field that is wrong.
    """
    if not isinstance(body, dict):
        raise Refusal(400, "the body must be a JSON object")
    wrong = {name: message for name in body if (message := _find_mistake(schema, name, body[name], creates))}
    if creates:
        missing = (f.name for f in schema.fields.values() if f.required and f.name not in body)
        wrong |= dict.fromkeys(missing, "is required")
    if wrong:
        raise Refusal(400, "the body does not fit the schema", fields=wrong)


def _find_mistake(schema: Schema, name: str, value: Any, creates: bool) -> str:
    field = schema.fields.get(name)
    if field is None or field.write == "never":
        return "is no field that can be written"
    if field.write == "create" and not creates:
        return "can't be patched"
    if value is None:
        return "" if field.null else "must not be null"
    return _CHECKS[field.kind](field, value, creates)


def _text(field: Field, value: Any, creates: bool) -> str:
    if not isinstance(value, str):
        return "must be a string"
    if field.choices and value not in field.choices:
        return f"must be one of {', '.join(field.choices)}"
    if field.max_length and len(value) > field.max_length:
        return f"is longer than {field.max_length} characters"
    return ""


def _expect(test: Callable[[Any], bool], message: str) -> Callable[[Field, Any, bool], str]:
    return lambda field, value, creates: "" if test(value) else message


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _locations(field: Field, value: Any, creates: bool) -> str:
    if not _is_objects(value):
        return "must be an array of objects"
    # A patch finds the old location by these; one without either would be a new one each time.
    nameless = any(item.get("id") is None and item.get("number") is None for item in value)
    return "each location needs its id or its number" if nameless and not creates else ""


def _store(field: Field, value: Any, creates: bool) -> str:
    if not isinstance(value, dict):
        return "must be an object"
    if len(value) > MAX_KEYS:
        return f"has more than {MAX_KEYS} properties"
    large = [key for key, item in value.items() if _size(item) > MAX_VALUE_BYTES]
    return f"{large[0]!r} is larger than 20 KiB" if large else ""


def _size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


_CHECKS: Final[Mapping[str, Callable[[Field, Any, bool], str]]] = {
    "text": _text,
    "flag": _expect(lambda value: isinstance(value, bool), "must be true or false"),
    "integer": _expect(_is_integer, "must be an integer"),
    "unix": _expect(_is_integer, "must be Unix seconds"),
    "number": _expect(_is_number, "must be a number"),
    "id": _expect(is_id, "must be 32 hexadecimal digits in upper case"),
    "ids": _expect(
        lambda value: isinstance(value, list) and all(map(is_id, value)), "must be an array of ids"
    ),
    "date": _expect(is_date, "must be a date as YYYY-MM-DD"),
    "object": _expect(lambda value: isinstance(value, dict), "must be an object"),
    "objects": _expect(_is_objects, "must be an array of objects"),
    "locations": _locations,
    "store": _store,
}
