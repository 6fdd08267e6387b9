"""A check whether the server applied the filter and the order: the rows of the first page tell.

The problem. A misspelt parameter, or one that an instance knows by another name, makes the API answer all rows
without a word. Whoever deletes or exports "what the filter found" then deletes or exports everything.

The idea. The library has an evaluator of conditions (``filters.evaluate``), and the first rows are here anyway. So
each of them is compared with the filter, and one row that can't have passed it makes the answer an error.

The check must never be wrong about a good server. So it only takes parts of the condition in which our reading must
be the server's:

- The condition is cut at its ANDs, and a part is judged where the rows have all its fields. Fields that were not
  selected ride hidden on the first page (``hidden_columns``): never with ``distinct()``, whose rows they would change,
  and never large texts. What the server left out is not judged.
- The order is judged by its first field, where that is a number or a time; an order of texts depends on a collation.
- Of numbers and times every comparison is certain; of numbers with digits after the point only order, as equality
  depends on rounding; of texts only equality, as order depends on a collation that we don't know.
- LIKE, regular expressions and everything else is the server's own dialect, and is not judged.
- Texts are equal without regard to case, as some columns (``users.name``) compare like that on the server.

Left out: later pages. A filter that is ignored shows in the first rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from ...errors import ServerError, quote_value
from ...filters import And, Comparison, Expression, Op, Or, evaluate, fields
from ...filters.display import shorten
from ...schema import Entity, Kind, resolve
from .plan import QueryPlan

__all__ = ["check_first_rows", "checked_paths", "hidden_columns"]

_EQUALITY_OPS: Final = frozenset({Op.EQ, Op.NE, Op.IN, Op.NOT_IN, Op.IS_NULL, Op.IS_NOT_NULL})
_TEXT_OPS: Final = frozenset({Op.EQ, Op.IN, Op.IS_NULL, Op.IS_NOT_NULL})
_ORDER_OPS: Final = frozenset({Op.LT, Op.LE, Op.GT, Op.GE})
_MAX_CHECKED_ROWS: Final = 200
_MAX_COMPARISONS: Final = 20_000
"""Comparisons of all rows with one part of the condition; an OR of thousands is judged by fewer rows."""
_HIDDEN_KEY: Final = "_zeyos_async_check_"
_LARGE_TEXTS: Final = (
    "text",
    "description",
    "html",
    "body",
    "content",
    "comment",
    "note",
    "message",
    "readme",
)
"""Parts of the names of texts that may be large: the API does not tell the lengths of its texts."""


def checked_paths(plan: QueryPlan) -> list[str]:
    """Return the paths of the condition and the order that can be judged, whether they are selected or not."""
    parts = [part for part in _split_conjunction(plan.where) if _is_certain(part, plan.entity)]
    paths = dict.fromkeys(path for part in parts for path in sorted(fields(part)))
    if plan.order and _has_certain_order(plan):
        paths[plan.order[0].path] = None
    return list(paths)


def hidden_columns(plan: QueryPlan, refused: Collection[str]) -> dict[str, str]:
    """Return key → path of the fields that the first page needs for the check and the caller did not select."""
    if plan.distinct:
        return {}
    selected = set(plan.entity.fields if plan.columns is None else plan.columns.values())
    keys = plan.columns or {}
    hidden: dict[str, str] = {}
    for path in checked_paths(plan):
        if path in selected or path in refused or _is_large(path, plan.entity):
            continue
        hidden[path if path not in keys else f"{_HIDDEN_KEY}{len(hidden)}"] = path
    return hidden


def _is_large(path: str, entity: Entity) -> bool:
    field = resolve(entity, path)
    name = field.name.lower()
    return field.kind is Kind.TEXT and any(word in name for word in _LARGE_TEXTS)


def check_first_rows(plan: QueryPlan, rows: Sequence[Mapping[str, Any]]) -> None:
    """Compare the first rows of a result with its filter and its order.

    Args:
        plan: The result that was asked for.
        rows: Path → value of each row, for the paths that came.

    Raises:
        ServerError: Some row can't have passed the filter, or the rows are in another order.
    """
    for part in _split_conjunction(plan.where):
        if not _is_certain(part, plan.entity):
            continue
        part_paths, may_pass = fields(part), _build_test(part)
        for row in rows[: max(1, min(_MAX_CHECKED_ROWS, _MAX_COMPARISONS // _count(part)))]:
            if part_paths <= row.keys() and not may_pass(row):
                values = {path: row[path] for path in sorted(part_paths)}
                raise ServerError(
                    f"{plan.entity.name}: the server did not apply the filter {shorten(str(part), 500)}: it answered "
                    f"a row with {_describe_values(values)}; nothing of this answer can be relied on"
                )
    if plan.order and _has_certain_order(plan):
        _check_order(plan, rows[:_MAX_CHECKED_ROWS])


def _has_certain_order(plan: QueryPlan) -> bool:
    return resolve(plan.entity, plan.order[0].path).kind in (Kind.INTEGER, Kind.TIME, Kind.NUMBER)


def _check_order(plan: QueryPlan, rows: Sequence[Mapping[str, Any]]) -> None:
    term = plan.order[0]
    if not all(term.path in row for row in rows):
        return
    pair = _find_disorder([row[term.path] for row in rows], descending=term.descending)
    if pair is not None:
        first, second = pair
        raise ServerError(
            f"{plan.entity.name}: the server did not apply the order by {term.path}: {quote_value(first)} comes before "
            f"{quote_value(second)}; nothing of this answer can be relied on"
        )


def _find_disorder(values: Sequence[Any], *, descending: bool) -> tuple[Any, Any] | None:
    """Return two neighbours that can't stand like that in a sorted list, or ``None``."""
    # At which end NULLs stand differs from server to server; they never stand in between.
    edges = [(a, b) for a, b in pairwise(values) if (a is None) != (b is None)]
    if len(edges) > 1:
        return edges[1]
    pairs = pairwise([value for value in values if value is not None])
    try:
        return next(((a, b) for a, b in pairs if (a < b if descending else a > b)), None)
    except TypeError:  # a moment beyond the calendar stays a number
        return None


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


def _count(part: Expression) -> int:
    """Return how many comparisons a condition makes of each row; a list counts as one, as its values are a set."""
    return sum(map(_count, part.items)) if isinstance(part, And | Or) else 1


def _build_test(part: Expression) -> Callable[[Mapping[str, Any]], bool]:
    """Return a function that tells whether a row with these values may have passed the condition."""
    if isinstance(part, And | Or):
        tests = [_build_test(item) for item in part.items]
        combine = all if isinstance(part, And) else any
        return lambda values: combine(test(values) for test in tests)
    if not isinstance(part, Comparison) or part.op not in (Op.EQ, Op.IN):
        return lambda values: evaluate(part, values) is True
    path, operands = part.path, part.value if part.op is Op.IN else (part.value,)
    # Some columns (users.name, users.email) compare without case on the server.
    texts = frozenset([text.casefold() for text in operands if isinstance(text, str)])

    def may_pass(values: Mapping[str, Any]) -> bool:
        value = values[path]
        return value.casefold() in texts if isinstance(value, str) else evaluate(part, values) is True

    return may_pass


def _describe_values(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{path} = {quote_value(value)}" for path, value in values.items())
