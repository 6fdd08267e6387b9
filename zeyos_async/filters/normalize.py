"""Check a filter against an entity, and put its values into the form in which its fields are stored.

The problem: ``type == "customer"``, ``lastmodified > datetime(…)`` and ``count < 10.5`` are sensible conditions, but no
API takes them: it stores codes, whole seconds and whole numbers. A compiler sees one comparison at a time and
shouldn't have to know the entity.

The idea: after :func:`~zeyos_async.filters.simplify.simplify` has removed NOT and constants, each comparison is looked
up in the entity, checked, and rewritten by the kind of its field, so that everything that a compiler needs to know of
a field's type is in the value:

* Moments become Unix seconds, names of codes become codes, 0 and 1 of a boolean field become false and true.
* A fraction compared with a field of whole numbers is rounded in the direction that keeps the meaning: ``> 10.5`` is
  ``> 10``, ``< 10.5`` is ``<= 10``; ``== 10.5`` never holds, ``!= 10.5`` holds wherever there is a value.
* Values that don't fit (text for a number, a pattern on a date) are errors that name the field.

Rounding can leave constants and short lists, so a rewritten condition is simplified once more. The result selects the
same rows, but it is not the same in three-valued logic: ``== 10.5`` becomes false where it was unknown. That is safe
only because NOT is gone by then; under a NOT, unknown and false select different rows.

Most comparisons (text with a text field, a whole number with a number field) need nothing; ``_is_converted`` finds
them first, since this runs for each query. Without an entity nothing is known of the fields, and only moments are
converted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, TypeAlias

from ..errors import InvalidCondition, UnsupportedFilter, suggest
from ..schema import Entity, Field, Kind, resolve
from .display import describe, no_flag, shorten
from .expression import (
    FALSE,
    LIST_OPS,
    NULL_OPS,
    TEXT_OPS,
    And,
    Comparison,
    Expression,
    Op,
    Or,
    Scalar,
    fields,
)
from .simplify import simplify
from .values import to_seconds

__all__ = ["normalize", "resolve_fields"]

_INT64: Final = 2**63
_AnyNumber: TypeAlias = int | float | Decimal
_NO_FIELDS: Final[Mapping[str, Field]] = {}
_TEXTUAL: Final = frozenset({Kind.TEXT, Kind.JSON, Kind.ARRAY})
_TAKES_INTEGERS: Final = frozenset({Kind.INTEGER, Kind.TIME, Kind.JSON, Kind.ARRAY})
"""Kinds of fields that take any whole number as it is."""
_KIND_NAMES: Final = {
    Kind.INTEGER: "a whole number",
    Kind.NUMBER: "a number",
    Kind.TEXT: "text",
    Kind.BOOLEAN: "true or false",
    Kind.TIME: "a moment: an aware datetime, or Unix seconds",
    Kind.CLOCK: "a clock's reading: seconds since 1970 on that clock",
    Kind.DATE: "a day, as text: YYYY-MM-DD",
    Kind.BINARY: "stored bytes, named by an ID",
}


def normalize(expr: Expression, entity: Entity | None = None) -> Expression:
    """Return the condition in normal form, checked, with values as they travel.

    It selects the same rows as ``expr``. (Where ``expr`` is unknown for a row, the result may be false: that selects
    neither.)

    Args:
        expr: The condition.
        entity: The entity whose rows it is about; without it paths and types are not checked, and only moments are converted.

    Raises:
        UnknownField: The entity lacks a field; the message has the closest names.
        InvalidCondition: A value doesn't fit its field.
        UnsupportedFilter: A pattern on a field that isn't text.
    """
    known_fields = resolve_fields(expr, entity)  # of the whole condition: simplifying may drop a misspelt one
    normal = simplify(expr)
    converted = _convert_values(normal, known_fields)
    return normal if converted is normal else simplify(converted)


def resolve_fields(expr: Expression, entity: Entity | None) -> Mapping[str, Field]:
    """Return the field of each path; nothing without an entity.

    Raises:
        UnknownField: The entity lacks one.
    """
    if entity is None:
        return _NO_FIELDS
    own = entity.fields
    return {path: own[path] if path in own else _resolve(entity, path) for path in fields(expr)}


# Entities never change, and following a reference loads the table that it leads to by name.
_resolve = lru_cache(maxsize=4096)(resolve)


def _convert_values(expr: Expression, known_fields: Mapping[str, Field]) -> Expression:
    """Return the condition with converted values, or the same object where nothing changes.

    Constants that come of it are left for the caller to simplify.
    """
    if isinstance(expr, Comparison):
        field = known_fields.get(expr.path)
        return expr if _is_converted(expr.value, field) else _convert_comparison(expr, field)
    if not isinstance(expr, And | Or):
        return expr
    items = tuple([_convert_values(item, known_fields) for item in expr.items])
    return expr if items == expr.items else type(expr)(items)


def _is_converted(value: Any, field: Field | None) -> bool:
    """Return whether a value clearly is as its field has it, so that nothing need be done."""
    kind = type(value)
    if kind is tuple:
        kinds = set(map(type, value))
        kind = kinds.pop() if len(kinds) == 1 else tuple
    if field is None:
        return kind is int or kind is str
    if kind is str:
        return field.kind in _TEXTUAL and field.codes is None
    return kind is int and field.kind in _TAKES_INTEGERS


def _convert_comparison(comparison: Comparison, field: Field | None) -> Expression:
    if comparison.is_bare and field is not None and not field.is_flag:
        raise InvalidCondition(no_flag(comparison.path))
    if comparison.op in NULL_OPS:
        return comparison
    if comparison.op in TEXT_OPS:
        _check_textual(comparison, field)
        return comparison
    if comparison.op in LIST_OPS:
        return _convert_list(comparison, field)
    value = _convert_value(comparison.value, comparison, field)
    if _holds_integers(field, comparison.value) and not _is_integer(value):
        return _round_bound(comparison, value)
    return comparison if value is comparison.value else Comparison(comparison.path, comparison.op, value)


def _convert_list(comparison: Comparison, field: Field | None) -> Expression:
    """Return the comparison with a list's values converted."""
    values = []
    for original in comparison.value:
        value = _convert_value(original, comparison, field)
        # A fraction equals no whole number, so it leaves the list; an empty list is simplified later.
        if _is_integer(value) or not _holds_integers(field, original):
            values.append(value)
    if not values and comparison.op is Op.NOT_IN:  # simplify() would make it true, for NULL as well
        return Comparison(comparison.path, Op.IS_NOT_NULL)
    return Comparison(comparison.path, comparison.op, tuple(values))


def _check_textual(comparison: Comparison, field: Field | None) -> None:
    """Refuse a pattern on a field that is known not to hold text."""
    if field is not None and (field.kind not in _TEXTUAL or field.codes is not None):
        raise UnsupportedFilter(
            f"{comparison.path} is {_KIND_NAMES.get(field.kind, 'no text')}, and patterns match text only: "
            "compare it with ==, <, in_() and the like",
            part=shorten(str(comparison)),
        )


def _round_bound(comparison: Comparison, value: Any) -> Expression:
    """Return the comparison of a field of whole numbers with a fraction, as one with a whole number."""
    path, floor = comparison.path, math.floor(value)
    if comparison.op is Op.EQ:
        return FALSE
    if comparison.op is Op.NE:
        return Comparison(path, Op.IS_NOT_NULL)
    return Comparison(path, Op.LE if comparison.op in (Op.LT, Op.LE) else Op.GT, floor)


def _holds_integers(field: Field | None, value: Scalar) -> bool:
    """Return whether the field holds whole numbers only.

    Of an unknown field, a moment that it is compared with tells that it holds seconds.
    """
    if field is None or field.kind in (Kind.JSON, Kind.ARRAY):
        return isinstance(value, datetime)
    return field.kind in (Kind.INTEGER, Kind.TIME, Kind.BINARY)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int)


def _convert_value(value: Scalar, comparison: Comparison, field: Field | None) -> Any:
    """Return the value as the field's kind has it; a fraction stays one, for the caller to round."""
    if field is None:
        return to_seconds(value) if isinstance(value, datetime) else value
    return _CONVERTERS[field.kind](value, comparison, field)


def _to_json(value: Scalar, comparison: Comparison, field: Field) -> Any:
    return to_seconds(value) if isinstance(value, datetime) else value


def _to_text(value: Scalar, comparison: Comparison, field: Field) -> str:
    if not isinstance(value, str):
        raise _mismatch(value, comparison, field)
    return value


def _to_number(value: Scalar, comparison: Comparison, field: Field) -> _AnyNumber:
    if isinstance(value, str | datetime):
        raise _mismatch(value, comparison, field)
    return int(value) if isinstance(value, bool) else value


def _to_integer(value: Scalar, comparison: Comparison, field: Field) -> _AnyNumber:
    if isinstance(value, str) and field.codes is not None:
        return _find_code(value, comparison, field.codes)
    if isinstance(value, bool) and field.target is not None:
        raise _mismatch(value, comparison, field, hint=" It is the ID of a record.")
    number = _to_number(value, comparison, field)
    if isinstance(number, int):
        return number
    if (
        not -_INT64 <= number < _INT64
    ):  # before int(), which would write out the digits of Decimal("1e999999999")
        raise UnsupportedFilter(
            f"{comparison.path}: {describe(number)} is larger than the 64 bits that an API takes"
        )
    return int(number) if number == math.floor(number) else number


def _to_time(value: Scalar, comparison: Comparison, field: Field) -> _AnyNumber:
    if isinstance(value, datetime):
        return to_seconds(value)
    if isinstance(value, str | bool):
        raise _mismatch(
            value, comparison, field, hint=' In text it is written datetime("2026-01-31T00:00:00+00:00").'
        )
    return _to_integer(value, comparison, field)


def _to_boolean(value: Scalar, comparison: Comparison, field: Field) -> bool:
    if not isinstance(value, int) or value not in (0, 1):
        raise _mismatch(value, comparison, field)
    return bool(value)


_CONVERTERS: Final[dict[Kind, Callable[[Scalar, Comparison, Field], Any]]] = {
    Kind.INTEGER: _to_integer,
    Kind.NUMBER: _to_number,
    Kind.TEXT: _to_text,
    Kind.BOOLEAN: _to_boolean,
    Kind.TIME: _to_time,
    Kind.CLOCK: _to_integer,
    Kind.DATE: _to_text,
    Kind.JSON: _to_json,
    Kind.ARRAY: _to_json,
    Kind.BINARY: _to_integer,
}


def _find_code(name: str, comparison: Comparison, codes: Mapping[int, str]) -> int:
    """Return the code of a name, in any case: ``"customer"`` for ``CUSTOMER``.

    Raises:
        InvalidCondition: No code has this name.
    """
    for code, code_name in codes.items():
        if code_name and code_name.casefold() == name.casefold():
            return int(code)
    names = [code_name for code_name in codes.values() if code_name]
    raise InvalidCondition(
        f"{comparison.path} has no code named {shorten(repr(name))}.{suggest(name, names)} Its codes: "
        + ", ".join(f"{code} {code_name}".rstrip() for code, code_name in codes.items())
        + "."
    )


def _mismatch(value: Scalar, comparison: Comparison, field: Field, *, hint: str = "") -> InvalidCondition:
    """Return the error for a value that its field can't have."""
    return InvalidCondition(
        f"{comparison.path} is {_KIND_NAMES.get(field.kind, 'JSON')}, and can't be compared with {describe(value)}.{hint}"
    )
