"""A check whether the server applied the filter: the rows of the first page tell.

The problem. A misspelt parameter, or one that an instance knows by another name, makes the API answer all rows
without a word. Whoever deletes or exports "what the filter found" then deletes or exports everything.

The idea. The library has an evaluator of conditions (``filters.evaluate``), and the first rows are here anyway. So
each of them is compared with the filter, and one row that can't have passed it makes the answer an error.

The check must never be wrong about a good server. So it only takes parts of the condition in which our reading must
be the server's:

- The condition is cut at its ANDs, and a part is taken where the rows have all its fields. A hidden field would
  have to be selected for it, which changes distinct rows and what the caller gets.
- Of numbers and times every comparison is certain; of numbers with digits after the point only order, as equality
  depends on rounding; of texts only equality, as order depends on a collation that we don't know.
- LIKE, regular expressions and everything else is the server's own dialect, and is not judged.
- Texts are equal without regard to case, as some columns (``users.name``) compare like that on the server.

Left out: later pages. A filter that is ignored shows in the first rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from ...errors import ServerError
from ...filters import And, Comparison, Expression, Op, Or, evaluate, fields
from ...schema import Entity, Kind, resolve
from .plan import QueryPlan

__all__ = ["build_filter_check"]

_EQUALITY_OPS: Final = frozenset({Op.EQ, Op.NE, Op.IN, Op.NOT_IN, Op.IS_NULL, Op.IS_NOT_NULL})
_TEXT_OPS: Final = frozenset({Op.EQ, Op.IN, Op.IS_NULL, Op.IS_NOT_NULL})
_ORDER_OPS: Final = frozenset({Op.LT, Op.LE, Op.GT, Op.GE})
_MAX_CHECKED_ROWS: Final = 200


def build_filter_check(
    plan: QueryPlan, paths: Iterable[str], value_of: Callable[[Any, str], Any]
) -> Callable[[Sequence[Any]], None]:
    """Return a function that compares the first rows of a result with its filter.

    Args:
        plan: The result that was asked for.
        paths: The paths that the rows have.
        value_of: Returns a row's value for a path.

    Returns:
        A function that raises ``ServerError`` if some row can't have passed the filter.
    """
    selected = set(paths)
    parts = [
        part
        for part in _split_conjunction(plan.where)
        if fields(part) <= selected and _is_certain(part, plan.entity)
    ]

    def check_rows(rows: Sequence[Any]) -> None:
        for part in parts:
            part_paths = fields(part)
            for row in rows[:_MAX_CHECKED_ROWS]:
                values = {path: value_of(row, path) for path in part_paths}
                if not _may_pass(part, values):
                    raise ServerError(
                        f"{plan.entity.name}: the server did not apply the filter {part}: it answered a row "
                        f"with {_describe_values(values)}; nothing of this answer can be relied on"
                    )

    return check_rows


def _split_conjunction(where: Expression) -> tuple[Expression, ...]:
    return tuple(where.items) if isinstance(where, And) else (where,)


def _is_certain(part: Expression, entity: Entity) -> bool:
    """Return whether our reading of the condition must be the server's."""
    if isinstance(part, (And, Or)):
        return all(_is_certain(item, entity) for item in part.items)
    if not isinstance(part, Comparison):
        return False
    kind = resolve(entity, part.path).kind
    if kind in (Kind.INTEGER, Kind.TIME):
        return part.op in _EQUALITY_OPS or part.op in _ORDER_OPS
    if kind is Kind.TEXT:
        return part.op in _TEXT_OPS
    return kind is Kind.NUMBER and part.op in _ORDER_OPS


def _may_pass(part: Expression, values: Mapping[str, Any]) -> bool:
    if isinstance(part, And):
        return all(_may_pass(item, values) for item in part.items)
    if isinstance(part, Or):
        return any(_may_pass(item, values) for item in part.items)
    if isinstance(part, Comparison) and part.op in (Op.EQ, Op.IN) and isinstance(values[part.path], str):
        texts = part.value if part.op is Op.IN else (part.value,)
        # Some columns (users.name, users.email) compare without case on the server.
        return values[part.path].casefold() in {str(text).casefold() for text in texts}
    return evaluate(part, values) is True


def _describe_values(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{path} = {value!r:.60}" for path, value in values.items())
