"""What a filter is, as a value: a small frozen tree of comparisons.

Every way to write a filter (``F``, typed fields, text, an API's own JSON) ends in these nodes, and
everything that reads one (compilers, ``evaluate``, ``str``) starts from them. The nodes hold plain
values only: ``None``, ``bool``, ``int``, ``float``, ``Decimal``, ``str`` and UTC ``datetime``; enums
have become their codes on the way in (see :func:`plain`).

``and``/``or``/``not`` follow SQL's three-valued logic: a comparison with NULL is neither true nor
false, and a row is selected only where the whole filter is true. So ``x != 5`` does not select
rows whose ``x`` is NULL.

The nodes are ``msgspec`` structs, since a filter's cost is the making of its nodes, and those are
five times cheaper to make than a frozen ``attrs`` instance.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, NoReturn, TypeAlias

import msgspec

from ..errors import InvalidCondition

__all__ = [
    "FALSE",
    "MAX_DEPTH",
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
    "check_path",
    "check_pattern",
    "compare",
    "describe",
    "fields",
    "leaves",
    "literal",
    "plain",
    "plain_list",
    "shorten",
]

Scalar: TypeAlias = bool | int | float | Decimal | str | datetime
"""What a comparison may compare with, apart from ``None``."""

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
            return And((*self.items, other), self.depth)  # a chain of & counts the depth once
        return And(_flat(And, (self, other)))

    def __or__(self, other: Expression) -> Or:
        if not isinstance(other, Expression):
            return NotImplemented
        if type(self) is Or and type(other) is Comparison:
            return Or((*self.items, other), self.depth)
        return Or(_flat(Or, (self, other)))

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
        return _identity(self) == _identity(other)

    def __ne__(self, other: object) -> bool:  # msgspec's own would compare by identity
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal

    def __hash__(self) -> int:
        return hash(_identity(self))

    def __str__(self) -> str:
        from .parser import to_text

        return to_text(self)

    def __repr__(self) -> str:
        return f"parse({str(self)!r})"


class Comparison(Expression, frozen=True, eq=False, gc=False):
    """One field compared with a constant. Made by ``F``, typed fields, ``parse`` or :func:`compare`.

    The constructor itself checks nothing, for speed; :func:`compare` does.

    Attributes:
        path: The field, dotted: ``"lastname"``, ``"contact.city"``, ``"extdata.nickname"``.
        op: The operator.
        value: A plain value; a tuple of them for ``IN`` and ``NOT_IN``; ``None`` for the NULL tests.
    """

    path: str
    op: Op
    value: Any = None


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
            _close(self, self.items, least=2)


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
            _close(self, self.items, least=2)


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
            _close(self, (self.item,), least=1)


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
    """AND over any number of conditions; ``TRUE`` over none. Nested ANDs become one."""
    flat = _flat(And, items)
    return And(flat) if len(flat) > 1 else flat[0] if flat else TRUE


def any_of(items: Iterable[Expression]) -> Expression:
    """OR over any number of conditions; ``FALSE`` over none. Nested ORs become one."""
    flat = _flat(Or, items)
    return Or(flat) if len(flat) > 1 else flat[0] if flat else FALSE


_AS_THEY_ARE: Final = frozenset({str, int, bool})


def compare(path: str, op: Op, value: Any = None) -> Comparison:
    """A comparison, checked.

    Args:
        path: The field, dotted.
        op: The operator.
        value: What to compare with: an iterable for ``IN`` and ``NOT_IN``, text for the LIKE and regular
            expression operators, nothing for the NULL tests, else one value.

    Raises:
        InvalidCondition: The path is empty or has an empty part, or the value doesn't fit the operator.
    """
    check_path(path)
    if op in NULL_OPS:
        if value is not None:
            raise InvalidCondition(f"{path} {op} takes no value, not {describe(value)}.")
        return Comparison(path, op)
    if op in LIST_OPS:
        kept, null = plain_list(path, value)
        if null:
            raise InvalidCondition(f"{path}: a list can't hold NULL; use in_() or not_in() of a field.")
        return Comparison(path, op, kept)
    if op in TEXT_OPS:
        return Comparison(path, op, check_pattern(path, op, value))
    return Comparison(path, op, plain(path, value))


def check_path(path: str) -> str:
    """The path itself, if it can be one.

    Raises:
        InvalidCondition: It is no text, empty, or has an empty part.
    """
    if not isinstance(path, str) or not path or "" in path.split("."):
        raise InvalidCondition(
            f"A field is named by dotted text such as 'contact.city', not {describe(path)}."
        )
    return path


def plain(path: str, value: Any) -> Scalar:
    """The plain value that a condition keeps: enums become codes, times become UTC.

    Args:
        path: The field it is compared with, for the message.
        value: What the user gave.

    Raises:
        InvalidCondition: No filter can compare with it.
    """
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value  # type: ignore[no-any-return]
    if isinstance(value, enum.Enum) and isinstance(value.value, str | int):
        return value.value
    if isinstance(value, datetime):
        return _utc(path, value)
    if isinstance(value, float | Decimal):
        if not (math.isfinite(value) if isinstance(value, float) else value.is_finite()):
            raise InvalidCondition(f"{path}: {value!r} is not a number that can be compared with.")
        return float(value) if isinstance(value, float) else Decimal(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    raise InvalidCondition(f"{path} can't be compared with {describe(value)}.{_advice(value)}")


def plain_list(path: str, values: Any) -> tuple[tuple[Scalar, ...], bool]:
    """The plain values of an ``in`` list but ``None``, and whether ``None`` was among them.

    They keep their order; those of a set are sorted, so that the same set always sends the same request.

    Raises:
        InvalidCondition: It is text, no iterable of values, or has an element that can't be compared with.
    """
    if isinstance(values, str | bytes | bytearray | dict) or not isinstance(values, Iterable):
        hint = f" Did you mean [{values!r}]?" if isinstance(values, str) else ""
        raise InvalidCondition(f"{path}: 'in' takes a list of values, not {describe(values)}.{hint}")
    given = list(values)
    if _AS_THEY_ARE.issuperset(map(type, given)) and not isinstance(values, set | frozenset):
        return tuple(given), False
    kept = [plain(path, value) for value in given if value is not None]
    if isinstance(values, set | frozenset):
        kept.sort(key=lambda value: (type(value).__name__, value))
    return tuple(kept), len(kept) < len(given)


def check_pattern(path: str, op: Op, pattern: Any) -> str:
    """The pattern itself, if LIKE or a regular expression can take it.

    Raises:
        InvalidCondition: It is no text, or a LIKE pattern that ends within an escape.
    """
    if not isinstance(pattern, str):
        raise InvalidCondition(f"{path}: {op} takes a text pattern, not {describe(pattern)}.")
    if op in LIKE_OPS and (len(pattern) - len(pattern.rstrip("\\"))) % 2:
        raise InvalidCondition(
            f"{path}: the LIKE pattern {shorten(repr(pattern))} ends with a lone backslash, which escapes nothing: double it."
        )
    return str(pattern)


def describe(value: Any) -> str:
    """A value and its type for a message, short and without fail."""
    return f"{type(value).__name__} {shorten(literal(value))}"


def literal(value: Any) -> str:
    """``repr``, also of integers that are too large for Python to write in decimal."""
    return hex(value) if type(value) is int and value.bit_length() > 10_000 else repr(value)


def shorten(text: str, most: int = 80) -> str:
    """A text for a message: its beginning, if it is long."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def fields(expr: Expression) -> frozenset[str]:
    """The paths of all fields that a condition reads."""
    if isinstance(expr, And | Or):
        below = [item for item in expr.items if type(item) is not Comparison]
        own = frozenset([item.path for item in expr.items if type(item) is Comparison])
        return own.union(*map(fields, below)) if below else own
    return frozenset([leaf.path for leaf in leaves(expr)])


def leaves(expr: Expression) -> Iterator[Comparison]:
    """The comparisons in a condition, from left to right."""
    if isinstance(expr, Comparison):
        yield expr
    elif isinstance(expr, And | Or):
        for item in expr.items:
            yield from leaves(item)
    elif isinstance(expr, Not):
        yield from leaves(expr.item)


def _flat(kind: type[And] | type[Or], items: Iterable[Expression]) -> tuple[Expression, ...]:
    flat: list[Expression] = []
    for item in items:
        if isinstance(item, kind):
            flat += item.items
        else:
            flat.append(item)
    return tuple(flat)


def _close(node: And | Or | Not, items: tuple[Expression, ...], *, least: int) -> None:
    """Count the depth, once and for all: what is bounded here can be walked by recursion everywhere."""
    if len(items) < least:
        raise InvalidCondition(
            f"{type(node).__name__} needs at least {least} conditions; use all_of() or any_of()."
        )
    below = 0
    for item in items:
        kind = type(item)
        if kind is Comparison:
            continue
        if kind is And or kind is Or or kind is Not:
            below = max(below, item.depth)  # type: ignore[attr-defined]
        elif kind is not Constant:
            raise InvalidCondition(f"{type(node).__name__} takes conditions, not {describe(item)}.")
    if below >= MAX_DEPTH:
        raise InvalidCondition(f"The condition is nested deeper than {MAX_DEPTH} levels.")
    msgspec.structs.force_setattr(node, "depth", below + 1)


def _identity(expr: Expression) -> tuple[Any, ...]:
    """What makes two nodes of one class the same; ``1``, ``1.0`` and ``True`` differ."""
    if isinstance(expr, Comparison):
        value = expr.value
        if type(value) is tuple:
            return (expr.path, expr.op, value, tuple(map(type, value)))
        return (expr.path, expr.op, value, type(value))
    if isinstance(expr, And | Or):
        return expr.items
    return (expr.item,) if isinstance(expr, Not) else (getattr(expr, "value", None),)


def _utc(path: str, value: datetime) -> datetime:
    """The same moment in UTC; moments of one zone compare without surprises at clock changes."""
    if value.tzinfo is UTC and type(value) is datetime:
        return value
    if value.utcoffset() is None:
        raise InvalidCondition(
            f"{path}: {value!r} has no timezone, so it names no moment: "
            "use datetime.now(UTC), or value.astimezone() if it is local time."
        )
    try:
        moment = value.astimezone(UTC)
    except OverflowError as error:
        raise InvalidCondition(f"{path}: {value!r} is out of the range of UTC times.") from error
    return datetime.combine(moment.date(), moment.time(), UTC)


def _advice(value: Any) -> str:
    if value is None:
        return " NULL has no order and is in no list: use is_null() or is_not_null()."
    if hasattr(value, "_path"):
        return " Two fields can't be compared with each other."
    if isinstance(value, Expression):
        return " & and | bind tighter than ==: put parentheses around each condition."
    if isinstance(value, date):
        return (
            " A day starts at another moment in each timezone: give an aware datetime; "
            "for a field that holds days, give the day as text, such as '2026-01-31'."
        )
    if isinstance(value, list | tuple | set | frozenset):
        return " Use in_() for a list of values."
    return " Values are bool, int, float, Decimal, str, aware datetime and enums of them."
