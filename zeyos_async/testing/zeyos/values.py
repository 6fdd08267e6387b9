"""Values between the wire and the database: for a column, for a comparison, and for an answer."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

from .refusals import Refusal, bad_request
from .table_definitions import ENTITY_NAMES, Column

__all__ = ["array_literal", "compact", "flag", "operand", "parse_array", "parse_json", "stored", "to_int"]

_INTEGER: Final = re.compile(r"\s*[+-]?\d{1,40}\s*")
_BOUNDS: Final = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
_VARYING: Final = re.compile(r"character varying\((\d+)\)")
_ARRAY_ITEM: Final = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^",{}\s\\][^",{}]*))\s*(,|$)', re.DOTALL)


def stored(column: Column, value: Any) -> Any:
    """Return what the database stores for a value of a write.

    Raises:
        Refusal: 400, in PostgreSQL's words, if the column's type can't hold it.
    """
    if value is None:
        return None
    if column.is_integer:
        return _integer(value, column.type)
    if column.type == "double precision":
        return _number(value)
    if column.type == "json":
        return _json_text(value)
    if column.is_array:
        return _array_text(column, value)
    text = _text(value, column)
    length = _VARYING.fullmatch(column.type)
    if length and len(text) > int(length.group(1)):
        raise bad_request(f"value too long for type {column.type}")
    return text


def operand(column: Column, value: Any) -> Any:
    """Return what a filter compares a column with.

    Raises:
        Refusal: 400, if the type of the column can't be compared with it.
    """
    if column.is_integer:
        return _integer(value, "bigint")
    if column.type == "double precision":
        return _number(value)
    if column.type == "json" or column.is_array:
        raise bad_request(f"operator does not exist: {column.type} = unknown ({column.name})")
    return _text(value, column)


def _integer(value: Any, kind: str) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    # True is an int to Python, and none to PostgreSQL.
    if not isinstance(value, int) or isinstance(value, bool):
        raise bad_request(f'invalid input syntax for type {kind}: "{_quote_value(value)}"')
    if not -_BOUNDS[kind] <= value < _BOUNDS[kind]:
        raise bad_request(f'value "{value}" is out of range for type {kind}')
    return value


def _number(value: Any) -> float | int:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise bad_request(f'invalid input syntax for type double precision: "{value}"') from None
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise bad_request(f'invalid input syntax for type double precision: "{_quote_value(value)}"')
    return float(value)


def _text(value: Any, column: Column) -> str:
    if not isinstance(value, str):
        raise bad_request(f"{column.name} is of type {column.type} but the value is {_quote_value(value)}")
    if "\0" in value:
        raise bad_request('invalid byte sequence for encoding "UTF8": 0x00')
    if column.type == "t_entity" and value not in ENTITY_NAMES:
        raise bad_request(f'invalid input value for enum t_entity: "{value}"')
    return value


def _quote_value(value: Any) -> str:
    return value if isinstance(value, str) else compact(value)[:200]


def _json_text(value: Any) -> str:
    if not isinstance(value, str):
        return compact(value)
    parse_json(value)
    return value


def parse_json(text: str | bytes) -> Any:
    """Parse strict JSON: no NaN, no lone surrogates, no NUL.

    Raises:
        Refusal: 400, if it is not JSON.
    """
    try:
        value = json.loads(text, parse_constant=_no_constant)
        # Encoding finds lone surrogates, which JSON's escapes can write and no database stores.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise bad_request("invalid input syntax for type json") from None
    return value


def _no_constant(name: str) -> None:
    raise ValueError(name)


def compact(value: Any) -> str:
    """Return JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _array_text(column: Column, value: Any) -> str:
    items = parse_array(value) if isinstance(value, str) else value
    if not isinstance(items, list):
        raise bad_request(f'malformed array literal: "{_quote_value(value)}"')
    if column.type == "bigint[]":
        return compact([_integer(item, "bigint") for item in items])
    return compact([_text(item, column) for item in items])


def parse_array(text: str) -> list[str]:
    """Parse the items of PostgreSQL's text form of a one-dimensional array, such as ``{a,"b c"}``.

    Raises:
        Refusal: 400, if it is malformed.
    """
    body = text.strip()
    if not (body.startswith("{") and body.endswith("}")):
        raise bad_request(f'malformed array literal: "{text}"')
    items, rest = [], body[1:-1]
    at = 0
    separator = "," if rest.strip() else ""
    while separator:
        match = _ARRAY_ITEM.match(rest, at)
        if match is None:
            raise bad_request(f'malformed array literal: "{text}"')
        quoted, plain, separator = match.groups()
        items.append(plain.strip() if quoted is None else re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL))
        at = match.end()
    return items


def array_literal(items: list[Any]) -> str:
    """Return PostgreSQL's text form of a one-dimensional array."""
    return "{" + ",".join(_array_item(item) for item in items) + "}"


def _array_item(item: Any) -> str:
    if isinstance(item, int):
        return str(item)
    # Without quotes, NULL is a null and a brace or comma is syntax.
    if item and item.upper() != "NULL" and not re.search(r'[\s",{}\\]', item):
        return str(item)
    return '"' + str(item).replace("\\", "\\\\").replace('"', '\\"') + '"'


def flag(name: str, value: Any) -> bool:
    """Read a yes or no of a request.

    Raises:
        Refusal: 400, if it is neither.
    """
    if value in (None, False, 0, "0", "", "false"):
        return False
    if value in (True, 1, "1", "true"):
        return True
    raise bad_request(f"Invalid {name}")


def to_int(name: str, value: Any, *, default: int, minimum: int, maximum: int) -> int:
    """Read a whole number of a request, within bounds.

    Raises:
        Refusal: 400, if it is none or out of bounds.
    """
    if value is None:
        return default
    if isinstance(value, str) and re.fullmatch(r"\d{1,18}", value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
        raise Refusal(400, f"Bad Request: Invalid {name}")
    return value
