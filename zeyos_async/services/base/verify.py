"""Did the server apply the filter? The rows of the first page tell.

A misspelt parameter makes the API answer all rows without a word. So the first rows are compared
with the conditions, as far as those can be read from the selected fields without knowing the
server's collation or its dialect of regular expressions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from ...errors import ServerError
from ...filters import And, Comparison, Expression, Op, Or, evaluate, fields
from ...schema import Entity, Kind, resolve
from .plan import QueryPlan

__all__ = ["verifier"]

_EXACT: Final = frozenset({Op.EQ, Op.NE, Op.IN, Op.NOT_IN, Op.IS_NULL, Op.IS_NOT_NULL})
_TEXT: Final = frozenset({Op.EQ, Op.IN, Op.IS_NULL, Op.IS_NOT_NULL})
_ORDERED: Final = frozenset({Op.LT, Op.LE, Op.GT, Op.GE})
_SAMPLE: Final = 200
"""Rows that are looked at: a filter that is ignored shows in the first few."""


def verifier(
    plan: QueryPlan, paths: Iterable[str], value: Callable[[Any, str], Any]
) -> Callable[[Sequence[Any]], None]:
    """A check of the first rows of a result.

    Args:
        plan: What was asked for.
        paths: The paths that the rows have.
        value: Gives a row's value for a path.

    Returns:
        A function that raises ``ServerError`` if some row can't have passed the filter.
    """
    have = set(paths)
    parts = [part for part in _conjuncts(plan.where) if fields(part) <= have and _certain(part, plan.entity)]

    def verify(rows: Sequence[Any]) -> None:
        for part in parts:
            needed = fields(part)
            for row in rows[:_SAMPLE]:
                values = {path: value(row, path) for path in needed}
                if not _may_pass(part, values):
                    raise ServerError(
                        f"{plan.entity.name}: the server did not apply the filter {part}: it answered a row "
                        f"with {_shown(values)}; nothing of this answer can be relied on"
                    )

    return verify


def _conjuncts(where: Expression) -> tuple[Expression, ...]:
    return tuple(where.items) if isinstance(where, And) else (where,)


def _certain(part: Expression, entity: Entity) -> bool:
    """Whether our reading of the condition must be the server's."""
    if isinstance(part, (And, Or)):
        return all(_certain(item, entity) for item in part.items)
    if not isinstance(part, Comparison):
        return False
    kind = resolve(entity, part.path).kind
    if kind in (Kind.INTEGER, Kind.TIME):
        return part.op in _EXACT or part.op in _ORDERED
    if kind is Kind.TEXT:
        return part.op in _TEXT
    return kind is Kind.NUMBER and part.op in _ORDERED


def _may_pass(part: Expression, values: Mapping[str, Any]) -> bool:
    if isinstance(part, And):
        return all(_may_pass(item, values) for item in part.items)
    if isinstance(part, Or):
        return any(_may_pass(item, values) for item in part.items)
    if isinstance(part, Comparison) and part.op in (Op.EQ, Op.IN) and isinstance(values[part.path], str):
        wanted = part.value if part.op is Op.IN else (part.value,)
        # Some columns (users.name, users.email) compare without case on the server.
        return values[part.path].casefold() in {str(text).casefold() for text in wanted}
    return evaluate(part, values) is True


def _shown(values: dict[str, Any]) -> str:
    return ", ".join(f"{path} = {value!r:.60}" for path, value in values.items())
