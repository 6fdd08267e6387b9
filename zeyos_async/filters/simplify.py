"""The normal form of a filter, and the cutting of long lists.

The normal form has no NOT (each operator has an opposite that is the same under NULL: not ``a < 5`` is
``a >= 5``, both unknown where ``a`` is NULL), no constants inside, no AND in AND or OR in OR, no duplicates,
and no list of one.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Final

from ..errors import UnsupportedFilter
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
    leaves,
    literal,
)
from .values import distinct, sort_key

__all__ = ["OPPOSITE", "is_false", "is_true", "simplify", "split"]

_PAIRS: Final = (
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
OPPOSITE: Final = {**dict(_PAIRS), **{right: left for left, right in _PAIRS}}
"""Operator → the operator that is true where it is false, and unknown where it is unknown."""


def simplify(expr: Expression) -> Expression:
    """The normal form: true, false and unknown for the same rows as ``expr``."""
    if isinstance(expr, Comparison):
        return _shorten(expr) if type(expr.value) is tuple else expr
    if isinstance(expr, And | Or):
        # A comparison but with a list is in normal form; asked here, it costs no call.
        items = [
            item if type(item) is Comparison and type(item.value) is not tuple else simplify(item)
            for item in expr.items
        ]
        return _flatten(type(expr), items, expr)
    return _negate(expr.item) if isinstance(expr, Not) else expr


def is_true(expr: Expression) -> bool:
    """Whether a simplified condition holds for every row."""
    return isinstance(expr, Constant) and expr.value


def is_false(expr: Expression) -> bool:
    """Whether a simplified condition holds for no row, so that nothing need be sent."""
    return isinstance(expr, Constant) and not expr.value


def split(expr: Expression, most: int) -> list[Expression]:
    """Cut lists that are too long for one request, so that the answers add up.

    Args:
        expr: The condition.
        most: How many values one ``in`` list may have.

    Returns:
        Conditions of which each row of ``expr`` fulfils exactly one; just the simplified one where no list is too
        long. The values of ``ID`` are cut in ascending order, so that answers sorted by ID can be joined end to end.

    Raises:
        UnsupportedFilter: A long list stands under OR, or is a ``not in``, where cutting it changes the meaning.
    """
    normal = simplify(expr)
    conjuncts = normal.items if isinstance(normal, And) else (normal,)
    choices = [_chunks(part, most) for part in conjuncts]
    if all(len(choice) == 1 for choice in choices):
        return [normal]
    return [all_of(parts) for parts in itertools.product(*choices)]


def _negate(expr: Expression) -> Expression:
    """The normal form of NOT ``expr``."""
    if isinstance(expr, Comparison):
        return simplify(Comparison(expr.path, OPPOSITE[expr.op], expr.value))
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
    """AND or OR over conditions in normal form; ``origin`` itself if it is that already."""
    absorbing = kind is Or
    kept: list[Expression] = []
    for item in items:
        if type(item) is Comparison:
            kept.append(item)
        elif isinstance(item, kind):
            kept.extend(item.items)
        elif not isinstance(item, Constant):
            kept.append(item)
        elif item.value is absorbing:
            return item
    unique = _distinct(kept)
    if len(unique) > 1:
        parts = tuple(unique)
        return origin if origin is not None and parts == origin.items else kind(parts)
    return unique[0] if unique else FALSE if absorbing else TRUE


def _distinct(items: list[Expression]) -> list[Expression]:
    """The conditions without repetitions. Hashing a condition is dear, so only those of one field are hashed."""
    places = {(item.path, item.op) if type(item) is Comparison else None for item in items}
    if len(places) == len(items):
        return items
    kept: dict[Any, Expression] = {}
    for item in items:
        kept.setdefault(_meaning(item), item)
    return list(kept.values())


def _meaning(item: Expression) -> Any:
    """What makes two conditions select the same rows: ``1`` and ``1.0`` do, ``1`` and ``True`` may not."""
    if type(item) is not Comparison:
        return item
    values = item.value if type(item.value) is tuple else (item.value,)
    return item.path, item.op, values, tuple([type(value) is bool for value in values])


def _shorten(leaf: Comparison) -> Expression:
    """A list without repetitions; a list of one is a comparison, an empty one a constant."""
    values = distinct(leaf.value)
    if not values:
        return FALSE if leaf.op is Op.IN else TRUE
    if len(values) == 1:
        return Comparison(leaf.path, Op.EQ if leaf.op is Op.IN else Op.NE, values[0])
    return leaf if len(values) == len(leaf.value) else Comparison(leaf.path, leaf.op, values)


def _chunks(part: Expression, most: int) -> Sequence[Expression]:
    """One conjunct, cut; in one piece if it is short enough."""
    if isinstance(part, Comparison) and part.op is Op.IN and len(part.value) > most:
        values = tuple(sorted(part.value, key=sort_key)) if part.path == "ID" else part.value
        return [_shorten(Comparison(part.path, Op.IN, chunk)) for chunk in _batches(values, most)]
    for leaf in leaves(part):
        if leaf.op in LIST_OPS and len(leaf.value) > most:
            raise UnsupportedFilter(
                f"The list of {leaf.path} has {len(leaf.value)} values, and one request takes {most}. It can only be "
                "cut where it is an `in` that all the rest is combined with by AND, not in a `not in` or under OR",
                part=_shown(leaf),
            )
    return [part]


def _batches(values: tuple[Any, ...], most: int) -> list[tuple[Any, ...]]:
    return [values[start : start + most] for start in range(0, len(values), most)]


def _shown(leaf: Comparison) -> str:
    return f"{leaf.path} {leaf.op} [{', '.join(map(literal, leaf.value[:3]))}, …]"
