"""Filters of the General API (action ``list``, section "Filters"), in both directions.

A list of ``{"fieldname", "comparison", "value"}``, of which all must hold. There is no OR and no NOT, apart
from comparisons that have an opposite; ``like`` means "contains", whatever the case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

from ...errors import FilterError, InvalidCondition
from ...schema import Entity
from ..display import shorten
from ..expression import LIST_OPS, And, Comparison, Constant, Expression, Op, Or, all_of, comparisons_in
from ..normalize import normalize
from ..operands import compare
from .base import Compiler, check_integer, check_text, to_json_number

__all__ = ["ALL_FIELDS", "from_general", "to_general"]

_Items: TypeAlias = list[dict[str, Any]]

ALL_FIELDS: Final = "query"
"""The field name that means all fields at once."""

_COMPARISONS: Final = {
    Op.EQ: "eql",
    Op.LT: "lt",
    Op.GT: "gt",
    Op.LE: "lte",
    Op.GE: "gte",
    Op.IN: "in",
    Op.IS_NULL: "is",
    Op.IS_NOT_NULL: "isnot",
}
_OPERATORS: Final = {text: op for op, text in _COMPARISONS.items()}
_SPECIAL: Final = re.compile(r"\\(.)|([%_])", re.DOTALL)


def to_general(expr: Expression, entity: Entity | None = None) -> list[dict[str, Any]]:
    """Return the value of a list's ``filters``, ready for JSON.

    A condition that is always true gives an empty list.

    Args:
        expr: The condition.
        entity: The entity whose rows it is about; without it names and types are not checked.

    Raises:
        UnknownField: The entity lacks a field.
        InvalidCondition: A value doesn't fit its field.
        UnsupportedFilter: The API can't say a part of it: OR, ``!=``, patterns other than "contains", moments.
    """
    for comparison in comparisons_in(expr):
        _refuse_moments(comparison)
        if comparison.is_bare:
            raise _COMPILER.unsupported(
                comparison,
                "a field alone, as nothing tells which fields are true or false",
                f"compare it, such as {comparison.path} == 1",
            )
    return _COMPILER.compile(normalize(expr, entity))


def from_general(items: Any) -> Expression:
    """Return the condition that a list's ``filters`` say.

    Raises:
        FilterError: It is no such list, or searches all fields at once; the message says where.
    """
    if not isinstance(items, list):
        raise FilterError(f"filters are a list of objects, not {shorten(repr(items))}")
    return all_of([_read_item(item, f"filters[{index}]") for index, item in enumerate(items)])


class _GeneralCompiler(Compiler[_Items]):
    name = "The General API"

    def compile_comparison(self, comparison: Comparison) -> _Items:
        if comparison.path == ALL_FIELDS:
            raise self.unsupported(
                comparison, f"a field called {ALL_FIELDS!r}, as that means all fields", "use search()"
            )
        if comparison.op in (Op.LIKE, Op.ILIKE):
            return self._compile_contains(comparison)
        word = _COMPARISONS.get(comparison.op)
        if word is None:
            raise self.unsupported(
                comparison, f"{comparison.op.value!r}", "ask for more, and filter the rows with evaluate()"
            )
        item: dict[str, Any] = {"fieldname": comparison.path, "comparison": word}
        if comparison.op in LIST_OPS:
            item["value"] = [_to_json(value, comparison) for value in comparison.value]
        elif comparison.value is not None:
            item["value"] = _to_json(comparison.value, comparison)
        return [item]

    def compile_and(self, expr: And) -> _Items:
        return [item for part in expr.items for item in self.compile(part)]

    def compile_or(self, expr: Or) -> _Items:
        # An OR over equalities of one field is a list, which is the only OR that the API has.
        paths = {
            item.path for item in expr.items if isinstance(item, Comparison) and item.op in (Op.EQ, Op.IN)
        }
        if len(paths) != 1 or not all(
            isinstance(item, Comparison) and item.op in (Op.EQ, Op.IN) for item in expr.items
        ):
            return super().compile_or(expr)
        values: list[Any] = []
        for item in expr.items:
            assert isinstance(item, Comparison)
            values += item.value if item.op is Op.IN else [item.value]
        return self.compile_comparison(Comparison(paths.pop(), Op.IN, tuple(dict.fromkeys(values))))

    def compile_constant(self, expr: Constant) -> _Items:
        return [] if expr.value else super().compile_constant(expr)

    def _compile_contains(self, comparison: Comparison) -> _Items:
        text = _text_within(comparison.value)
        if text is None:
            raise self.unsupported(comparison, "a pattern other than '%text%'", "use contains()")
        if not text:  # every text contains the empty one
            return [{"fieldname": comparison.path, "comparison": "isnot"}]
        return [{"fieldname": comparison.path, "comparison": "like", "value": check_text(text, comparison)}]


_COMPILER: Final = _GeneralCompiler()


def _refuse_moments(comparison: Comparison) -> None:
    """Refuse moments while they are still moments: the normal form has their seconds, as it has for all APIs."""
    values = comparison.value
    if any(isinstance(value, datetime) for value in (values if isinstance(values, tuple) else (values,))):
        raise _COMPILER.unsupported(
            comparison,
            "a moment, as the form of its dates is not documented",
            "compare with text as the model has it",
        )


def _text_within(pattern: str) -> str | None:
    """Return the text of a pattern that says "contains", or ``None`` for any other pattern."""
    if len(pattern) < 2 or pattern[0] != "%" or pattern[-1] != "%":
        return None
    inner = pattern[1:-1]
    if (len(inner) - len(inner.rstrip("\\"))) % 2:  # the last % is escaped
        return None
    if any(match[2] for match in _SPECIAL.finditer(inner)):  # a wildcard within
        return None
    return _SPECIAL.sub(lambda match: match[1], inner)


def _to_json(value: Any, comparison: Comparison) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return check_integer(value, comparison)
    if isinstance(value, str):
        return check_text(value, comparison)
    return to_json_number(value, comparison) if isinstance(value, float | Decimal) else value


def _read_item(item: Any, place: str) -> Expression:
    if not isinstance(item, Mapping) or not isinstance(item.get("fieldname"), str):
        raise FilterError(f"{place} is no object with a fieldname: {shorten(repr(item))}")
    if item["fieldname"] == ALL_FIELDS:
        raise FilterError(f"{place} searches all fields, which no condition can say; use search()")
    word, value = item.get("comparison", "eql"), item.get("value")
    if word == "like":
        return compare(item["fieldname"], Op.ILIKE, f"%{_escape(value, place)}%")
    op = _OPERATORS.get(word) if isinstance(word, str) else None
    if op is None:
        raise FilterError(f"{place} has the unknown comparison {shorten(repr(word))}")
    if op in (Op.IS_NULL, Op.IS_NOT_NULL):
        return Comparison(item["fieldname"], op)
    if value is None or (op is Op.IN) is not isinstance(value, list):
        raise FilterError(f"{place}: {word!r} can't compare with {shorten(repr(value))}")
    try:
        return compare(item["fieldname"], op, value)
    except InvalidCondition as error:
        raise FilterError(f"{place}: {error}") from error


def _escape(value: Any, place: str) -> str:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise FilterError(f"{place}: 'like' looks for text, not {shorten(repr(value))}")
    return re.sub(r"([\\%_])", r"\\\1", str(value))
