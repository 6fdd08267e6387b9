"""Check a filter against an entity, and put its values into the form that the entity's fields have.

Everything that a target then needs to know about a field's type is in the values: moments have become whole
Unix seconds, names of codes have become codes, fractions have been rounded away where a field holds whole numbers, in
the direction that keeps the meaning (``> 10.5`` is ``> 10``, ``< 10.5`` is ``<= 10``, ``== 10.5`` is never).
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
    describe,
    fields,
    shorten,
)
from .simplify import simplify
from .values import seconds

__all__ = ["normalize"]

_INT64: Final = 2**63
_Number: TypeAlias = int | float | Decimal
_NOTHING_KNOWN: Final[Mapping[str, Field]] = {}
_TEXTUAL: Final = frozenset({Kind.TEXT, Kind.JSON, Kind.ARRAY})
_SHOWN: Final = {
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
    """The condition in normal form, checked, with values as they travel.

    It selects the same rows as ``expr``. (Where ``expr`` is unknown for a row, the result may be false: that selects
    neither.)

    Args:
        expr: The condition.
        entity: Whose rows it is about; without it paths and types are not checked, and only moments are converted.

    Raises:
        UnknownField: The entity lacks a field; the message has the closest names.
        InvalidCondition: A value doesn't fit its field.
        UnsupportedFilter: A pattern on a field that isn't text.
    """
    known = _resolve_all(expr, entity)
    normal = simplify(expr)
    bound = _bind(normal, known)
    return normal if bound is normal else simplify(bound)


def _resolve_all(expr: Expression, entity: Entity | None) -> Mapping[str, Field]:
    if entity is None:
        return _NOTHING_KNOWN
    own = entity.fields
    return {path: own[path] if path in own else _resolve(entity, path) for path in fields(expr)}


_resolve = lru_cache(maxsize=4096)(resolve)  # tables don't change, and a reference's is looked up by name


def _bind(expr: Expression, known: Mapping[str, Field]) -> Expression:
    """The same object where nothing changes; constants are left for the caller to fold."""
    if isinstance(expr, Comparison):
        field = known.get(expr.path)
        return expr if _fits(expr.value, field) else _bind_leaf(expr, field)
    if not isinstance(expr, And | Or):
        return expr
    items = tuple([_bind(item, known) for item in expr.items])
    return expr if items == expr.items else type(expr)(items)


def _fits(value: Any, field: Field | None) -> bool:
    """Whether there is clearly nothing to do: the way most comparisons go, so it is short."""
    kind = type(value)
    if kind is tuple:
        kinds = set(map(type, value))
        kind = kinds.pop() if len(kinds) == 1 else tuple
    if field is None:
        return kind is int or kind is str
    if kind is str:
        return field.kind is Kind.TEXT
    return kind is int and (field.kind is Kind.INTEGER or field.kind is Kind.TIME)


def _bind_leaf(leaf: Comparison, field: Field | None) -> Expression:
    if leaf.op in NULL_OPS:
        return leaf
    if leaf.op in TEXT_OPS:
        _check_textual(leaf, field)
        return leaf
    if leaf.op in LIST_OPS:
        return _bind_list(leaf, field)
    value = _convert(leaf.value, leaf, field)
    if _whole(field, leaf.value) and not _integral(value):
        return _round(leaf, value)
    return leaf if value is leaf.value else Comparison(leaf.path, leaf.op, value)


def _bind_list(leaf: Comparison, field: Field | None) -> Expression:
    """A fraction equals no whole number, so it leaves the list; an empty list folds later."""
    kept = tuple(
        value
        for given in leaf.value
        for value in (_convert(given, leaf, field),)
        if _integral(value) or not _whole(field, given)
    )
    if not kept and leaf.op is Op.NOT_IN:
        return Comparison(leaf.path, Op.IS_NOT_NULL)
    return Comparison(leaf.path, leaf.op, kept)


def _check_textual(leaf: Comparison, field: Field | None) -> None:
    if field is not None and (field.kind not in _TEXTUAL or field.codes is not None):
        raise UnsupportedFilter(
            f"{leaf.path} is {_SHOWN.get(field.kind, 'no text')}, and patterns match text only: "
            "compare it with ==, <, in_() and the like",
            part=shorten(str(leaf)),
        )


def _round(leaf: Comparison, value: Any) -> Expression:
    """A whole number compared with a fraction, said with a whole number."""
    path, below = leaf.path, math.floor(value)
    if leaf.op is Op.EQ:
        return FALSE
    if leaf.op is Op.NE:
        return Comparison(path, Op.IS_NOT_NULL)
    return Comparison(path, Op.LE if leaf.op in (Op.LT, Op.LE) else Op.GT, below)


def _whole(field: Field | None, value: Scalar) -> bool:
    """Whether the field holds whole numbers only; of an unknown field a moment tells that it holds seconds."""
    if field is None or field.kind in (Kind.JSON, Kind.ARRAY):
        return isinstance(value, datetime)
    return field.kind in (Kind.INTEGER, Kind.TIME, Kind.BINARY)


def _integral(value: Any) -> bool:
    return isinstance(value, int)


def _convert(value: Scalar, leaf: Comparison, field: Field | None) -> Any:
    """The value as the field's kind has it; a fraction stays one, for the caller to round."""
    if field is None:
        return seconds(value) if isinstance(value, datetime) else value
    return _CONVERTERS[field.kind](value, leaf, field)


def _to_anything(value: Scalar, leaf: Comparison, field: Field) -> Any:
    return seconds(value) if isinstance(value, datetime) else value


def _to_text(value: Scalar, leaf: Comparison, field: Field) -> str:
    if not isinstance(value, str):
        raise _misfit(value, leaf, field)
    return value


def _to_number(value: Scalar, leaf: Comparison, field: Field) -> _Number:
    if isinstance(value, str | datetime):
        raise _misfit(value, leaf, field)
    return int(value) if isinstance(value, bool) else value


def _to_integer(value: Scalar, leaf: Comparison, field: Field) -> _Number:
    if isinstance(value, str) and field.codes is not None:
        return _code(value, leaf, field.codes)
    number = _to_number(value, leaf, field)
    if isinstance(number, int):
        return number
    if not -_INT64 <= number < _INT64:  # asked before int(), which would write out Decimal("1e999999999")
        raise UnsupportedFilter(
            f"{leaf.path}: {describe(number)} is larger than the 64 bits that an API takes"
        )
    return int(number) if number == math.floor(number) else number


def _to_time(value: Scalar, leaf: Comparison, field: Field) -> _Number:
    if isinstance(value, datetime):
        return seconds(value)
    if isinstance(value, str | bool):
        raise _misfit(
            value, leaf, field, hint=' In text it is written datetime("2026-01-31T00:00:00+00:00").'
        )
    return _to_integer(value, leaf, field)


def _to_boolean(value: Scalar, leaf: Comparison, field: Field) -> bool:
    if not isinstance(value, int) or value not in (0, 1):
        raise _misfit(value, leaf, field)
    return bool(value)


_CONVERTERS: Final[dict[Kind, Callable[[Scalar, Comparison, Field], Any]]] = {
    Kind.INTEGER: _to_integer,
    Kind.NUMBER: _to_number,
    Kind.TEXT: _to_text,
    Kind.BOOLEAN: _to_boolean,
    Kind.TIME: _to_time,
    Kind.CLOCK: _to_integer,
    Kind.DATE: _to_text,
    Kind.JSON: _to_anything,
    Kind.ARRAY: _to_anything,
    Kind.BINARY: _to_integer,
}


def _code(name: str, leaf: Comparison, codes: Any) -> int:
    """The code of a name, in any case: ``"customer"`` for ``CUSTOMER``."""
    for code, known in codes.items():
        if known and known.casefold() == name.casefold():
            return int(code)
    names = [known for known in codes.values() if known]
    raise InvalidCondition(
        f"{leaf.path} has no code named {shorten(repr(name))}.{suggest(name, names)} Its codes: "
        + ", ".join(f"{code} {known}".rstrip() for code, known in codes.items())
        + "."
    )


def _misfit(value: Scalar, leaf: Comparison, field: Field, *, hint: str = "") -> InvalidCondition:
    return InvalidCondition(
        f"{leaf.path} is {_SHOWN.get(field.kind, 'JSON')}, and can't be compared with {describe(value)}.{hint}"
    )
