"""A filter as a value: a small frozen tree of comparisons.

Every way to write a filter (``F``, typed fields, text, an API's own JSON) ends in these nodes, and
everything that reads one (compilers, ``evaluate``, ``str``) starts from them. The nodes hold plain
values only: ``None``, ``bool``, ``int``, ``float``, ``Decimal``, ``str`` and UTC ``datetime``; enums
have become their codes on the way in (see :mod:`~zeyos_async.filters.operands`).

``and``/``or``/``not`` follow SQL's three-valued logic: a comparison with NULL is neither true nor
false, and a row is selected only where the whole filter is true. So ``x != 5`` does not select
rows whose ``x`` is NULL.

How deep a tree is nested is counted when a node is made and bounded by ``MAX_DEPTH``, so that every reader may
walk it by recursion. The nodes are ``msgspec`` structs, since a filter's cost is the making of its nodes, and
those are five times cheaper to make than a frozen ``attrs`` instance.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NoReturn, TypeAlias

import msgspec

from ..errors import InvalidCondition
from .display import describe

__all__ = [
    "FALSE",
    "LIKE_OPS",
    "LIST_OPS",
    "MAX_DEPTH",
    "NULL_OPS",
    "REGEX_OPS",
    "TEXT_OPS",
    "TRUE",
    "And",
    "Comparison",
    "Constant",
    "Expression",
    "Not",
    "Op",
    "Or",
    "Order",
    "Scalar",
    "all_of",
    "any_of",
    "comparisons_in",
    "fields",
]

Scalar: TypeAlias = bool | int | float | Decimal | str | datetime
"""A value that a comparison may compare with, apart from ``None``."""

MAX_DEPTH: Final = 100
"""How deep conditions may be nested. Flat AND and OR lists of any length are one level."""


class Op(enum.StrEnum):
    """An operator; its value is how the text form spells it."""

    EQ = "=="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    IN = "in"
    NOT_IN = "not in"
    IS_NULL = "is None"
    IS_NOT_NULL = "is not None"
    LIKE = "like"
    ILIKE = "ilike"
    NOT_LIKE = "not_like"
    NOT_ILIKE = "not_ilike"
    MATCHES = "matches"
    IMATCHES = "imatches"
    NOT_MATCHES = "not_matches"
    NOT_IMATCHES = "not_imatches"


NULL_OPS: Final = frozenset({Op.IS_NULL, Op.IS_NOT_NULL})
LIST_OPS: Final = frozenset({Op.IN, Op.NOT_IN})
LIKE_OPS: Final = frozenset({Op.LIKE, Op.ILIKE, Op.NOT_LIKE, Op.NOT_ILIKE})
REGEX_OPS: Final = frozenset({Op.MATCHES, Op.IMATCHES, Op.NOT_MATCHES, Op.NOT_IMATCHES})
TEXT_OPS: Final = LIKE_OPS | REGEX_OPS


class Expression(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A condition. Combine with ``&``, ``|`` and ``~``; never with ``and``, ``or``, ``not``.

    ``==`` between two conditions compares their structure (and the types of their values), ``str``
    gives the text form that ``parse`` reads back.
    """

    def __and__(self, other: Expression) -> And:
        if not isinstance(other, Expression):
            return NotImplemented
        if type(self) is And and type(other) is Comparison:
            # A comparison adds no depth; counting it anew at each & would walk a long chain again and again.
            return And((*self.items, other), self.depth)
        return And(_flatten(And, (self, other)))

    def __or__(self, other: Expression) -> Or:
        if not isinstance(other, Expression):
            return NotImplemented
        if type(self) is Or and type(other) is Comparison:
            return Or((*self.items, other), self.depth)
        return Or(_flatten(Or, (self, other)))

    def __invert__(self) -> Expression:
        return Not(self)

    def __bool__(self) -> NoReturn:
        raise InvalidCondition(
            "A condition has no truth value by itself: combine conditions with &, | and ~ in place of and, or "
            "and not, with parentheses around each, as in (F.a == 1) & (F.b > 2); "
            "write 1 < F.x < 5 as F.x.between(…) or (F.x > 1) & (F.x < 5)."
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Expression) or type(self) is not type(other):
            return NotImplemented
        return _identity_key(self) == _identity_key(other)

    def __ne__(self, other: object) -> bool:  # msgspec's own would compare by identity
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal

    def __hash__(self) -> int:
        return hash(_identity_key(self))

    def __str__(self) -> str:
        from .printer import to_text  # here: the printer imports this module

        return to_text(self)

    def __repr__(self) -> str:
        return f"parse({str(self)!r})"


class Comparison(Expression, frozen=True, eq=False, gc=False):
    """One field compared with a constant. Made by ``F``, typed fields, ``parse`` or ``compare``.

    The constructor itself checks nothing, for speed; ``compare`` does.

    Attributes:
        path: The field, dotted: ``"lastname"``, ``"contact.city"``, ``"extdata.nickname"``.
        op: The operator.
        value: A plain value; a tuple of them for ``IN`` and ``NOT_IN``; ``None`` for the NULL tests.
        is_bare: Whether it was written as a field alone, which only fields of true and false may be; equality and
            text don't tell.
    """

    path: str
    op: Op
    value: Any = None
    is_bare: bool = False


class And(Expression, frozen=True, eq=False, gc=False):
    """True where all of its conditions are true; there are at least two.

    Attributes:
        items: The conditions.
        depth: How deep conditions are nested in this one; counted by the constructor, which callers leave to it.
    """

    items: tuple[Expression, ...]
    depth: int = 0

    def __post_init__(self) -> None:
        if not self.depth:
            _count_depth(self, self.items, minimum=2)


class Or(Expression, frozen=True, eq=False, gc=False):
    """True where one of its conditions is true; there are at least two.

    Attributes:
        items: The conditions.
        depth: How deep conditions are nested in this one; counted by the constructor, which callers leave to it.
    """

    items: tuple[Expression, ...]
    depth: int = 0

    def __post_init__(self) -> None:
        if not self.depth:
            _count_depth(self, self.items, minimum=2)


class Not(Expression, frozen=True, eq=False, gc=False):
    """True where its condition is false; unknown where that is unknown.

    Attributes:
        item: The condition.
        depth: How deep conditions are nested in this one; counted by the constructor, which callers leave to it.
    """

    item: Expression
    depth: int = 0

    def __post_init__(self) -> None:
        if not self.depth:
            _count_depth(self, (self.item,), minimum=1)


class Constant(Expression, frozen=True, eq=False, gc=False):
    """True, or false, whatever the row.

    Attributes:
        value: Which of the two.
    """

    value: bool


TRUE: Final = Constant(True)
FALSE: Final = Constant(False)


class Order(msgspec.Struct, frozen=True, gc=False):
    """One field to sort by. ``str`` gives the API's form: ``"+lastname"``, ``"-contact.country"``.

    Attributes:
        path: The field, dotted.
        descending: Largest first.
    """

    path: str
    descending: bool = False

    def __str__(self) -> str:
        return f"{'-' if self.descending else '+'}{self.path}"


def all_of(items: Iterable[Expression]) -> Expression:
    """Return the AND of any number of conditions; ``TRUE`` for none. Nested ANDs become one."""
    flat = _flatten(And, items)
    return And(flat) if len(flat) > 1 else flat[0] if flat else TRUE


def any_of(items: Iterable[Expression]) -> Expression:
    """Return the OR of any number of conditions; ``FALSE`` for none. Nested ORs become one."""
    flat = _flatten(Or, items)
    return Or(flat) if len(flat) > 1 else flat[0] if flat else FALSE


def fields(expr: Expression) -> frozenset[str]:
    """Return the paths of all fields that a condition reads."""
    if isinstance(expr, And | Or):
        nested = [item for item in expr.items if type(item) is not Comparison]
        own = frozenset([item.path for item in expr.items if type(item) is Comparison])
        return own.union(*map(fields, nested)) if nested else own
    return frozenset([comparison.path for comparison in comparisons_in(expr)])


def comparisons_in(expr: Expression) -> Iterator[Comparison]:
    """Yield the comparisons in a condition, from left to right."""
    if isinstance(expr, Comparison):
        yield expr
    elif isinstance(expr, And | Or):
        for item in expr.items:
            yield from comparisons_in(item)
    elif isinstance(expr, Not):
        yield from comparisons_in(expr.item)


def _flatten(kind: type[And] | type[Or], items: Iterable[Expression]) -> tuple[Expression, ...]:
    """Return the operands of an AND (or OR), with those of operands that are themselves one in their place."""
    flat: list[Expression] = []
    for item in items:
        if isinstance(item, kind):
            flat += item.items
        else:
            flat.append(item)
    return tuple(flat)


def _count_depth(node: And | Or | Not, items: tuple[Expression, ...], *, minimum: int) -> None:
    """Count the depth of a new node and store it; refuse a node with too few or with wrong operands."""
    if len(items) < minimum:
        raise InvalidCondition(
            f"{type(node).__name__} needs at least {minimum} conditions; use all_of() or any_of()."
        )
    depth = 0
    for item in items:
        kind = type(item)
        if kind is Comparison:
            continue
        if kind is And or kind is Or or kind is Not:
            depth = max(depth, item.depth)  # type: ignore[attr-defined]
        elif kind is not Constant:
            raise InvalidCondition(f"{type(node).__name__} takes conditions, not {describe(item)}.")
    if depth >= MAX_DEPTH:
        raise InvalidCondition(f"The condition is nested deeper than {MAX_DEPTH} levels.")
    msgspec.structs.force_setattr(node, "depth", depth + 1)


def _identity_key(expr: Expression) -> tuple[Any, ...]:
    """Return the key by which two nodes of one class are equal; ``1``, ``1.0`` and ``True`` differ."""
    if isinstance(expr, Comparison):
        value = expr.value
        if type(value) is tuple:
            return (expr.path, expr.op, value, tuple(map(type, value)))
        return (expr.path, expr.op, value, type(value))
    if isinstance(expr, And | Or):
        return expr.items
    return (expr.item,) if isinstance(expr, Not) else (getattr(expr, "value", None),)
