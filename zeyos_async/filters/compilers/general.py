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
from ..expression import (
    LIST_OPS,
    And,
    Comparison,
    Constant,
    Expression,
    Op,
    Or,
    all_of,
    compare,
    leaves,
    shorten,
)
from ..normalize import normalize
from .base import Target, check_integer, check_text, json_number

__all__ = ["EVERYWHERE", "from_general", "to_general"]

_Items: TypeAlias = list[dict[str, Any]]

EVERYWHERE: Final = "query"
"""The field name that stands for all fields at once."""

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
    """The value of a list's ``filters``, ready for JSON.

    A condition that is always true gives an empty list.

    Args:
        expr: The condition.
        entity: Whose rows it is about; without it names and types are not checked.

    Raises:
        UnknownField: The entity lacks a field.
        InvalidCondition: A value doesn't fit its field.
        UnsupportedFilter: The API can't say a part of it: OR, ``!=``, patterns other than "contains", moments.
    """
    for leaf in leaves(expr):
        _refuse_moments(leaf)
    return _TARGET.compile(normalize(expr, entity))


def from_general(items: Any) -> Expression:
    """The condition that a list's ``filters`` say.

    Raises:
        FilterError: It is no such list, or searches all fields at once; the message says where.
    """
    if not isinstance(items, list):
        raise FilterError(f"filters are a list of objects, not {shorten(repr(items))}")
    return all_of([_read(item, f"filters[{place}]") for place, item in enumerate(items)])


class _General(Target[_Items]):
    name = "The General API"

    def comparison(self, leaf: Comparison) -> _Items:
        if leaf.path == EVERYWHERE:
            raise self.refuse(
                leaf, f"a field called {EVERYWHERE!r}, as that means all fields", "use search()"
            )
        if leaf.op in (Op.LIKE, Op.ILIKE):
            return self._contains(leaf)
        comparison = _COMPARISONS.get(leaf.op)
        if comparison is None:
            raise self.refuse(leaf, f"{leaf.op.value!r}", "ask for more, and filter the rows with evaluate()")
        item: dict[str, Any] = {"fieldname": leaf.path, "comparison": comparison}
        if leaf.op in LIST_OPS:
            item["value"] = [_scalar(value, leaf) for value in leaf.value]
        elif leaf.value is not None:
            item["value"] = _scalar(leaf.value, leaf)
        return [item]

    def conjunction(self, expr: And) -> _Items:
        return [item for part in expr.items for item in self.compile(part)]

    def disjunction(self, expr: Or) -> _Items:
        same = {
            item.path for item in expr.items if isinstance(item, Comparison) and item.op in (Op.EQ, Op.IN)
        }
        if len(same) != 1 or not all(
            isinstance(item, Comparison) and item.op in (Op.EQ, Op.IN) for item in expr.items
        ):
            return super().disjunction(expr)
        values: list[Any] = []
        for item in expr.items:
            assert isinstance(item, Comparison)
            values += item.value if item.op is Op.IN else [item.value]
        return self.comparison(Comparison(same.pop(), Op.IN, tuple(dict.fromkeys(values))))

    def constant(self, expr: Constant) -> _Items:
        return [] if expr.value else super().constant(expr)

    def _contains(self, leaf: Comparison) -> _Items:
        text = _contained(leaf.value)
        if text is None:
            raise self.refuse(leaf, "a pattern other than '%text%'", "use contains()")
        if not text:  # every text contains the empty one
            return [{"fieldname": leaf.path, "comparison": "isnot"}]
        return [{"fieldname": leaf.path, "comparison": "like", "value": check_text(text, leaf)}]


_TARGET: Final = _General()


def _refuse_moments(leaf: Expression) -> None:
    values = getattr(leaf, "value", None)
    if any(isinstance(value, datetime) for value in (values if isinstance(values, tuple) else (values,))):
        raise _TARGET.refuse(
            leaf,
            "a moment, as the form of its dates is not documented",
            "compare with text as the model has it",
        )


def _contained(pattern: str) -> str | None:
    """The text of a pattern that says "contains", or ``None`` for any other pattern."""
    if len(pattern) < 2 or pattern[0] != "%" or pattern[-1] != "%":
        return None
    inner = pattern[1:-1]
    if (len(inner) - len(inner.rstrip("\\"))) % 2:  # the last % is escaped
        return None
    if any(found[2] for found in _SPECIAL.finditer(inner)):
        return None
    return _SPECIAL.sub(lambda found: found[1], inner)


def _scalar(value: Any, leaf: Comparison) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return check_integer(value, leaf)
    if isinstance(value, str):
        return check_text(value, leaf)
    return json_number(value, leaf) if isinstance(value, float | Decimal) else value


def _read(item: Any, where: str) -> Expression:
    if not isinstance(item, Mapping) or not isinstance(item.get("fieldname"), str):
        raise FilterError(f"{where} is no object with a fieldname: {shorten(repr(item))}")
    if item["fieldname"] == EVERYWHERE:
        raise FilterError(f"{where} searches all fields, which no condition can say; use search()")
    comparison, value = item.get("comparison", "eql"), item.get("value")
    if comparison == "like":
        return compare(item["fieldname"], Op.ILIKE, f"%{_escape(value, where)}%")
    op = _OPERATORS.get(comparison) if isinstance(comparison, str) else None
    if op is None:
        raise FilterError(f"{where} has the unknown comparison {shorten(repr(comparison))}")
    if op in (Op.IS_NULL, Op.IS_NOT_NULL):
        return Comparison(item["fieldname"], op)
    if value is None or (op is Op.IN) is not isinstance(value, list):
        raise FilterError(f"{where}: {comparison!r} can't compare with {shorten(repr(value))}")
    try:
        return compare(item["fieldname"], op, value)
    except InvalidCondition as error:
        raise FilterError(f"{where}: {error}") from error


def _escape(value: Any, where: str) -> str:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise FilterError(f"{where}: 'like' looks for text, not {shorten(repr(value))}")
    return re.sub(r"([\\%_])", r"\\\1", str(value))
