r"""Evaluation of a filter on a row in memory, with SQL's three-valued logic.

It stands in for a database, PostgreSQL in particular, and differs from one in three ways that matter:

* Text is ordered by code point; a database may order by the rules of a language.
* Regular expressions are Python's ``re``, where PostgreSQL has its own dialect. What only one of the two knows
  (``[[:alpha:]]``, ``\m``, ``(?P<name>…)``) raises or differs.
* Values of different families (text and number) can't be compared: the result is unknown, where a database
  converts, or fails. Numbers, booleans and moments (Unix seconds) are one family, and compare exactly, a float as
  the number that it is written as (``1.1``).
"""

from __future__ import annotations

import operator
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from ..errors import InvalidCondition, UnsupportedFilter
from .expression import LIKE_OPS, LIST_OPS, REGEX_OPS, And, Comparison, Constant, Expression, Not, Op, Or
from .like import compile_pattern
from .values import to_comparable

__all__ = ["evaluate"]

_MISSING: Final = object()
_SCALARS: Final = (str, int, float, Decimal, date, list, tuple)
"""Not records, though they have attributes (``int.real``, ``date.year``)."""
_COMPARE_FUNCTIONS: Final[dict[Op, Callable[[Any, Any], bool]]] = {
    Op.EQ: operator.eq,
    Op.NE: operator.ne,
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
}
_NEGATIVE: Final = frozenset({Op.NOT_IN, Op.NOT_LIKE, Op.NOT_ILIKE, Op.NOT_MATCHES, Op.NOT_IMATCHES})
_IGNORE_CASE: Final = frozenset({Op.ILIKE, Op.NOT_ILIKE, Op.IMATCHES, Op.NOT_IMATCHES})


def evaluate(expr: Expression, row: Any) -> bool | None:
    """Return whether a row fulfils a condition.

    Args:
        expr: The condition.
        row: A mapping by path (``{"contact.city": …}``), nested mappings (``{"contact": {"city": …}}``), or a
            record with attributes. What it lacks counts as NULL.

    Returns:
        ``True``, ``False``, or ``None`` for unknown; only ``True`` selects a row.

    Raises:
        UnsupportedFilter: A regular expression that Python's ``re`` can't read.
    """
    if isinstance(expr, Comparison):
        return _evaluate_comparison(expr, _lookup(row, expr.path))
    if isinstance(expr, And):
        return _and(evaluate(item, row) for item in expr.items)
    if isinstance(expr, Or):  # a OR b is NOT (NOT a AND NOT b) in this logic, too
        return _not(_and(_not(evaluate(item, row)) for item in expr.items))
    if isinstance(expr, Not):
        return _not(evaluate(expr.item, row))
    if isinstance(expr, Constant):
        return expr.value
    raise InvalidCondition(f"{type(expr).__name__} is no condition.")


def _and(results: Iterable[bool | None]) -> bool | None:
    """Return the AND of truth values: false if any is false, else unknown if any is unknown, else true."""
    outcome: bool | None = True
    for result in results:
        if result is False:
            return False
        if result is None:
            outcome = None
    return outcome


def _not(result: bool | None) -> bool | None:
    return None if result is None else not result


def _evaluate_comparison(comparison: Comparison, value: Any) -> bool | None:
    op = comparison.op
    if op is Op.IS_NULL or op is Op.IS_NOT_NULL:
        return (value is None) is (op is Op.IS_NULL)
    if op in LIST_OPS and not comparison.value:
        return op is Op.NOT_IN  # nothing to compare with, so NULL makes no difference
    comparable = to_comparable(value)
    if comparable is None:
        return None
    if op in _COMPARE_FUNCTIONS:
        return _compare(op, comparable, comparison.value)
    if op in LIST_OPS:
        result = _is_member(comparable, comparison.value)
    else:
        result = _match_text(comparison, comparable)
    return _not(result) if op in _NEGATIVE else result


def _compare(op: Op, comparable: tuple[str, Any], operand: Any) -> bool | None:
    other = to_comparable(operand)
    if other is None or other[0] != comparable[0]:
        return None
    return _COMPARE_FUNCTIONS[op](comparable[1], other[1])


def _is_member(comparable: tuple[str, Any], operands: tuple[Any, ...]) -> bool | None:
    """Evaluate SQL's IN, which is a chain of ``=`` joined by OR."""
    if len(operands) <= _SHORT_LIST:
        return _not(_and(_compare(Op.NE, comparable, operand) for operand in operands))
    members, families = _index_operands(_ListKey(operands))
    return True if comparable in members else False if families == {comparable[0]} else None


_SHORT_LIST: Final = 8
"""Values of a list up to which comparing with each of them is cheaper than finding its set."""


class _ListKey:
    """A list of operands as a key, compared by identity: hashing ten thousand values would cost as much as a look at each."""

    __slots__ = ("operands",)

    def __init__(self, operands: tuple[Any, ...]) -> None:
        self.operands = operands

    def __hash__(self) -> int:
        return id(self.operands)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ListKey) and self.operands is other.operands


@lru_cache(maxsize=32)
def _index_operands(key: _ListKey) -> tuple[frozenset[tuple[str, Any]], frozenset[str | None]]:
    """Return the values of a list as a set, and the families that they are of."""
    values = [to_comparable(operand) for operand in key.operands]
    return frozenset(filter(None, values)), frozenset([value and value[0] for value in values])


def _match_text(comparison: Comparison, comparable: tuple[str, Any]) -> bool | None:
    family, text = comparable
    if family != "text":
        return None
    ignore_case = comparison.op in _IGNORE_CASE
    if comparison.op in LIKE_OPS:
        return compile_pattern(comparison.value, ignore_case=ignore_case).fullmatch(text) is not None
    if comparison.op in REGEX_OPS:
        return _compile_regex(comparison.value, ignore_case).search(text) is not None
    raise InvalidCondition(f"There is no operator {comparison.op!r}.")


@lru_cache(maxsize=256)
def _compile_regex(source: str, ignore_case: bool) -> re.Pattern[str]:
    try:
        with warnings.catch_warnings():
            # Python warns of sets such as [[:alpha:]], which mean something else to it than to PostgreSQL.
            warnings.simplefilter("error")
            return re.compile(source, re.IGNORECASE if ignore_case else 0)
    except (re.error, Warning, OverflowError, RecursionError) as error:
        raise UnsupportedFilter(f"Python can't read the regular expression {source!r} ({error})") from error


def _lookup(row: Any, path: str) -> Any:
    """Return the value at a path, or ``None``: by the whole path first, then step by step."""
    value = _get_value(row, path)
    if value is not _MISSING:
        return value
    head, dot, rest = path.partition(".")
    if not dot:
        return None
    inner = _get_value(row, head)
    return None if inner is None or inner is _MISSING else _lookup(inner, rest)


def _get_value(row: Any, name: str) -> Any:
    if isinstance(row, Mapping):
        return row.get(name, _MISSING)
    if "." in name or isinstance(row, _SCALARS):
        return _MISSING
    value = getattr(row, name, _MISSING)
    if value is _MISSING:  # a field that is a keyword of Python has an attribute with an underscore
        value = getattr(row, f"{name}_", _MISSING)
    return _MISSING if callable(value) else value
