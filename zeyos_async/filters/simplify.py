"""The normal form of a filter, and the cutting of lists that are too long for one request.

The problem: users write conditions in any shape, and every target (an API's JSON, a search term) knows only a part
of the shapes. Without a common form each compiler would have to handle NOT, constants and nesting by itself.

The idea: rewrite the tree bottom up until it obeys these invariants, without a change of what it selects:

* No NOT. Each operator has an opposite that is unknown for the same rows: not ``a < 5`` is ``a >= 5``, both
  unknown where ``a`` is NULL. NOT of AND is OR of NOTs (De Morgan), which holds in three-valued logic as well.
* No constants inside: ``true`` leaves an AND and decides an OR, ``false`` the other way round. A whole condition
  may be a constant, which callers test with ``is_true`` and ``is_false``.
* AND and OR alternate and have at least two operands, none of them twice.
* Lists have no value twice and at least two values: one is ``==``, none is a constant.

A condition in normal form is given back as the same object, so that simplifying it again costs next to nothing and
callers can tell by ``is`` that nothing changed.

Left out on purpose: ``a > 1 and a > 2`` is not merged, nor is ``a == 1 and a == 2`` found to be false. Whether two
values compare as Python's do is the database's matter (its collation, its types), so nothing is decided by values.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Final

from ..errors import UnsupportedFilter
from .display import to_literal
from .expression import (
    FALSE,
    LIST_OPS,
    TRUE,
    And,
    Comparison,
    Constant,
    Expression,
    Not,
    Op,
    Or,
    all_of,
    comparisons_in,
)
from .values import drop_duplicates, sort_key

__all__ = ["OPPOSITE", "is_false", "is_true", "simplify", "split"]

_OPPOSITE_PAIRS: Final = (
    (Op.EQ, Op.NE),
    (Op.LT, Op.GE),
    (Op.GT, Op.LE),
    (Op.IN, Op.NOT_IN),
    (Op.IS_NULL, Op.IS_NOT_NULL),
    (Op.LIKE, Op.NOT_LIKE),
    (Op.ILIKE, Op.NOT_ILIKE),
    (Op.MATCHES, Op.NOT_MATCHES),
    (Op.IMATCHES, Op.NOT_IMATCHES),
)
OPPOSITE: Final = {**dict(_OPPOSITE_PAIRS), **{second: first for first, second in _OPPOSITE_PAIRS}}
"""Operator → the operator that is true where it is false, and unknown where it is unknown."""


def simplify(expr: Expression) -> Expression:
    """Return the normal form: true, false and unknown for the same rows as ``expr``."""
    if isinstance(expr, Comparison):
        return _simplify_list(expr) if type(expr.value) is tuple else expr
    if isinstance(expr, And | Or):
        # A comparison without a list is in normal form; a call for each of them would double the cost.
        items = [
            item if type(item) is Comparison and type(item.value) is not tuple else simplify(item)
            for item in expr.items
        ]
        return _flatten(type(expr), items, expr)
    return _negate(expr.item) if isinstance(expr, Not) else expr


def is_true(expr: Expression) -> bool:
    """Return whether a simplified condition holds for every row."""
    return isinstance(expr, Constant) and expr.value


def is_false(expr: Expression) -> bool:
    """Return whether a simplified condition holds for no row, so that nothing need be sent."""
    return isinstance(expr, Constant) and not expr.value


def split(expr: Expression, max_values: int) -> list[Expression]:
    """Cut lists that are too long for one request, so that the answers add up.

    Args:
        expr: The condition.
        max_values: Values that one ``in`` list may have.

    Returns:
        Conditions of which each row of ``expr`` fulfils exactly one; just the simplified one where no list is too
        long. The values of ``ID`` are cut in ascending order, so that answers sorted by ID can be joined end to end.

    Raises:
        UnsupportedFilter: A long list stands under OR, or is a ``not in``, where cutting it changes the meaning.
    """
    normal = simplify(expr)
    conjuncts = normal.items if isinstance(normal, And) else (normal,)
    choices = [_split_conjunct(conjunct, max_values) for conjunct in conjuncts]
    if all(len(choice) == 1 for choice in choices):
        return [normal]
    return [all_of(parts) for parts in itertools.product(*choices)]


def _negate(expr: Expression) -> Expression:
    """Return the normal form of NOT ``expr``."""
    if isinstance(expr, Comparison):
        return simplify(Comparison(expr.path, OPPOSITE[expr.op], expr.value, expr.is_bare))
    if isinstance(expr, Not):
        return simplify(expr.item)
    if isinstance(expr, And):
        return _flatten(Or, [_negate(item) for item in expr.items])
    if isinstance(expr, Or):
        return _flatten(And, [_negate(item) for item in expr.items])
    return FALSE if is_true(expr) else TRUE


def _flatten(
    kind: type[And] | type[Or], items: list[Expression], origin: And | Or | None = None
) -> Expression:
    """Return the AND or OR of conditions in normal form; ``origin`` itself if it is that already."""
    absorbing = kind is Or
    operands: list[Expression] = []
    for item in items:
        if type(item) is Comparison:
            operands.append(item)
        elif isinstance(item, kind):
            operands.extend(item.items)
        elif not isinstance(item, Constant):
            operands.append(item)
        elif item.value is absorbing:
            return item
    unique = _drop_repetitions(operands)
    if len(unique) > 1:
        parts = tuple(unique)
        return origin if origin is not None and parts == origin.items else kind(parts)
    return unique[0] if unique else FALSE if absorbing else TRUE


def _drop_repetitions(items: list[Expression]) -> list[Expression]:
    """Return the conditions without repetitions, in order."""
    # Hashing a condition is slow; where all fields or operators differ, there is nothing to find.
    fields = {(item.path, item.op) if type(item) is Comparison else None for item in items}
    if len(fields) == len(items):
        return items
    unique: dict[Any, Expression] = {}
    for item in items:
        unique.setdefault(_selection_key(item), item)
    return list(unique.values())


def _selection_key(item: Expression) -> Any:
    """Return a key that is equal for conditions that select the same rows."""
    # 1 and 1.0 select the same rows; 1 and True may not (a server may have a type of its own for truth values).
    if type(item) is not Comparison:
        return item
    values = item.value if type(item.value) is tuple else (item.value,)
    return item.path, item.op, values, tuple([type(value) is bool for value in values])


def _simplify_list(comparison: Comparison) -> Expression:
    """Return a list's comparison without repetitions: of one value ``==`` or ``!=``, of none a constant."""
    values = drop_duplicates(comparison.value)
    if not values:
        return FALSE if comparison.op is Op.IN else TRUE
    if len(values) == 1:
        return Comparison(comparison.path, Op.EQ if comparison.op is Op.IN else Op.NE, values[0])
    return (
        comparison
        if len(values) == len(comparison.value)
        else Comparison(comparison.path, comparison.op, values)
    )


def _split_conjunct(conjunct: Expression, max_values: int) -> Sequence[Expression]:
    """Cut one operand of the AND; into one piece if it is short enough.

    Raises:
        UnsupportedFilter: It has a list that is too long and can't be cut.
    """
    if isinstance(conjunct, Comparison) and conjunct.op is Op.IN and len(conjunct.value) > max_values:
        values = tuple(sorted(conjunct.value, key=sort_key)) if conjunct.path == "ID" else conjunct.value
        return [
            _simplify_list(Comparison(conjunct.path, Op.IN, batch)) for batch in _batch(values, max_values)
        ]
    for comparison in comparisons_in(conjunct):
        if comparison.op in LIST_OPS and len(comparison.value) > max_values:
            raise UnsupportedFilter(
                f"The list of {comparison.path} has {len(comparison.value)} values, and one request takes {max_values}. "
                "It can only be cut where it is an `in` that all the rest is combined with by AND, not in a `not in` or under OR",
                part=_describe_list(comparison),
            )
    return [conjunct]


def _batch(values: tuple[Any, ...], size: int) -> list[tuple[Any, ...]]:
    return [values[start : start + size] for start in range(0, len(values), size)]


def _describe_list(comparison: Comparison) -> str:
    return f"{comparison.path} {comparison.op} [{', '.join(map(to_literal, comparison.value[:3]))}, …]"
