"""References to fields, whose operators and methods make conditions.

A field here is a path and, where it is known, the entity that it belongs to. Comparing one gives a
:class:`~zeyos_async.filters.expression.Comparison`; nothing is compared in Python. Everything of our own on a field
is an operator, a method, or starts with an underscore, since the other attributes are names of the API.

:class:`FieldRef` has what every field has, :class:`AnyField` is a field of unknown type; the fields of known types
are in :mod:`zeyos_async.filters.builder`.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Generic, NoReturn, TypeVar

import msgspec

from ..errors import InvalidCondition
from ..schema import Entity, Field
from .display import describe, no_flag, shorten, to_literal
from .expression import And, Comparison, Expression, Not, Op, Or, Order, Scalar
from .like import escape_pattern
from .operands import check_path, check_pattern, to_plain, to_plain_list

__all__ = ["AnyField", "FieldRef", "TextOperators", "as_condition", "to_api_name"]

V = TypeVar("V")
"""The type that a field may be compared with."""

_EQ, _NE, _LT, _LE, _GT, _GE = Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE
_IS_NULL, _IS_NOT_NULL = Op.IS_NULL, Op.IS_NOT_NULL


class FieldRef(msgspec.Struct, Generic[V], frozen=True, eq=False, gc=False):
    """A field to write conditions with. Operators give conditions; nothing is compared here.

    ``field == None`` and ``field != None`` test for NULL. ``field != 5`` is SQL's: rows whose field is
    NULL are not selected by it; say ``(field != 5) | field.is_null()`` where they should be.
    """

    _path: str
    _entity: Entity | None = None
    _field: Field | None = None

    _unchanged: ClassVar[frozenset[type]] = frozenset({str, int, bool})
    """Types whose values are kept as they are, without a look at them."""
    _accepted: ClassVar[frozenset[type]] = frozenset({bool, int, float, Decimal, str, datetime})
    """Types that values may have once they are plain."""
    _expected: ClassVar[str] = "a value"
    """The values that the field takes, for messages."""

    def __eq__(self, value: V | None) -> Comparison:  # type: ignore[override]
        if type(value) in self._unchanged:
            return Comparison(self._path, _EQ, value)
        if value is None:
            return Comparison(self._path, _IS_NULL)
        return Comparison(self._path, _EQ, self._coerce(value))

    def __ne__(self, value: V | None) -> Comparison:  # type: ignore[override]
        if type(value) in self._unchanged:
            return Comparison(self._path, _NE, value)
        if value is None:
            return Comparison(self._path, _IS_NOT_NULL)
        return Comparison(self._path, _NE, self._coerce(value))

    def __lt__(self, value: V) -> Comparison:
        return Comparison(self._path, _LT, value if type(value) in self._unchanged else self._coerce(value))

    def __le__(self, value: V) -> Comparison:
        return Comparison(self._path, _LE, value if type(value) in self._unchanged else self._coerce(value))

    def __gt__(self, value: V) -> Comparison:
        return Comparison(self._path, _GT, value if type(value) in self._unchanged else self._coerce(value))

    def __ge__(self, value: V) -> Comparison:
        return Comparison(self._path, _GE, value if type(value) in self._unchanged else self._coerce(value))

    __hash__ = object.__hash__

    def in_(self, values: Iterable[V | None]) -> Expression:
        """Test for one of the values. No values: false. ``None`` among them: NULL is selected too.

        Args:
            values: Any iterable but text; a generator is read to its end.

        Raises:
            InvalidCondition: It is text, no iterable, or holds something that can't be compared with.
        """
        plain, has_null = self._coerce_list(values)
        comparison = Comparison(self._path, Op.IN, plain)
        return comparison | self.is_null() if has_null else comparison

    def not_in(self, values: Iterable[V | None]) -> Expression:
        """Test for none of the values: the opposite of ``in_``, so ``None`` among them leaves NULL out.

        Without ``None`` NULL is left out as well unless there are no values at all, which is true for
        every row: that is how SQL has it.

        Args:
            values: Any iterable but text; a generator is read to its end.

        Raises:
            InvalidCondition: It is text, no iterable, or holds something that can't be compared with.
        """
        plain, has_null = self._coerce_list(values)
        comparison = Comparison(self._path, Op.NOT_IN, plain)
        return comparison & self.is_not_null() if has_null else comparison

    def between(self, low: V, high: V) -> Expression:
        """Test for a value from ``low`` to ``high``, both included."""
        return (self >= low) & (self <= high)

    def is_null(self) -> Comparison:
        """Test for NULL: no value."""
        return Comparison(self._path, Op.IS_NULL)

    def is_not_null(self) -> Comparison:
        """Test for any value but NULL."""
        return Comparison(self._path, Op.IS_NOT_NULL)

    def asc(self) -> Order:
        """Sort by this field, smallest first."""
        return Order(self._path)

    def desc(self) -> Order:
        """Sort by this field, largest first."""
        return Order(self._path, descending=True)

    def __and__(self, other: Expression | FieldRef[Any]) -> And:
        return self._as_condition() & as_condition(other)

    def __rand__(self, other: Expression | FieldRef[Any]) -> And:
        return as_condition(other) & self._as_condition()

    def __or__(self, other: Expression | FieldRef[Any]) -> Or:
        return self._as_condition() | as_condition(other)

    def __ror__(self, other: Expression | FieldRef[Any]) -> Or:
        return as_condition(other) | self._as_condition()

    def __invert__(self) -> Expression:
        return Not(self._as_condition())

    def __bool__(self) -> NoReturn:
        raise InvalidCondition(
            f"The field {self._path} has no truth value by itself: compare it, and combine conditions "
            "with &, | and ~ in place of and, or and not, with parentheses around each."
        )

    def __iter__(self) -> Iterator[Any]:
        raise InvalidCondition(
            f"The field {self._path} can't be iterated; `in` on a list is written .in_([…])."
        )

    def __contains__(self, item: object) -> bool:
        raise InvalidCondition(
            f"`{shorten(to_literal(item))} in field` can't become a filter; use {self._path}.contains(…) or .in_([…])."
        )

    def __repr__(self) -> str:
        return f"<field {self._path}>"

    def _as_condition(self) -> Comparison:
        """Return the comparison that the field alone means where a condition is expected: it is true.

        Raises:
            InvalidCondition: It is known to be no field of true and false. (Of ``F`` that is found out later.)
        """
        if self._field is not None and not self._field.is_flag:
            raise InvalidCondition(no_flag(self._path))
        return Comparison(self._path, _EQ, True, True)

    def _coerce(self, value: Any) -> Scalar:
        """Return a value as conditions hold it; refuse one that the field does not take."""
        plain = to_plain(self._path, value)
        if type(plain) not in self._accepted:
            raise InvalidCondition(f"{self._path} takes {self._expected}, not {describe(value)}.")
        return plain

    def _coerce_list(self, values: Iterable[V | None]) -> tuple[tuple[Scalar, ...], bool]:
        """Return the values but ``None``, and whether ``None`` was among them."""
        plain, has_null = to_plain_list(self._path, values)
        if not self._accepted.issuperset(map(type, plain)):
            for value in plain:
                self._coerce(value)
        return plain, has_null


class TextOperators(FieldRef[V], frozen=True, eq=False, gc=False):
    """The operators of fields that may hold text."""

    def like(self, pattern: str) -> Comparison:
        """Match a pattern: ``%`` is any text, ``_`` any character, a backslash takes them literally."""
        return self._match_pattern(Op.LIKE, pattern)

    def ilike(self, pattern: str) -> Comparison:
        """Match a pattern as :meth:`like` does, without regard to case."""
        return self._match_pattern(Op.ILIKE, pattern)

    def not_like(self, pattern: str) -> Comparison:
        """Test for a value that doesn't match the pattern."""
        return self._match_pattern(Op.NOT_LIKE, pattern)

    def not_ilike(self, pattern: str) -> Comparison:
        """Test for a value that doesn't match the pattern, without regard to case."""
        return self._match_pattern(Op.NOT_ILIKE, pattern)

    def matches(self, regex: str, *, ignore_case: bool = False) -> Comparison:
        """Find a regular expression anywhere in the text. The dialect is the server's."""
        return self._match_pattern(Op.IMATCHES if ignore_case else Op.MATCHES, regex)

    def not_matches(self, regex: str, *, ignore_case: bool = False) -> Comparison:
        """Test for a value in which the regular expression is found nowhere."""
        return self._match_pattern(Op.NOT_IMATCHES if ignore_case else Op.NOT_MATCHES, regex)

    def contains(self, text: str, *, ignore_case: bool = False) -> Comparison:
        """Test for a text within the value; it is taken literally."""
        return self._match_text("%", text, "%", ignore_case)

    def startswith(self, text: str, *, ignore_case: bool = False) -> Comparison:
        """Test for a text at the start of the value; it is taken literally."""
        return self._match_text("", text, "%", ignore_case)

    def endswith(self, text: str, *, ignore_case: bool = False) -> Comparison:
        """Test for a text at the end of the value; it is taken literally."""
        return self._match_text("%", text, "", ignore_case)

    def _match_pattern(self, op: Op, pattern: str) -> Comparison:
        return Comparison(self._path, op, check_pattern(self._path, op, pattern))

    def _match_text(self, before: str, text: str, after: str, ignore_case: bool) -> Comparison:
        op = Op.ILIKE if ignore_case else Op.LIKE
        # Checked as a regular expression would be: a backslash at the end is fine, as it is escaped here.
        literal = escape_pattern(check_pattern(self._path, Op.MATCHES, text))
        return Comparison(self._path, op, before + literal + after)


class AnyField(TextOperators[Any], frozen=True, eq=False, gc=False):
    """A field of unknown type; its attributes are the fields that it leads to."""

    def __getattr__(self, name: str) -> AnyField:
        return AnyField(f"{self._path}.{to_api_name(name)}", self._entity)

    def __getitem__(self, path: str) -> AnyField:
        return AnyField(f"{self._path}.{check_path(path)}", self._entity)


def as_condition(value: Any) -> Expression:
    """Return a condition itself, or the comparison that a field alone means.

    Raises:
        InvalidCondition: The value is something else.
    """
    if isinstance(value, Expression):
        return value
    if isinstance(value, FieldRef):
        return value._as_condition()
    raise InvalidCondition(
        f"{describe(value)} is no condition: & and | bind tighter than ==, "
        "so put parentheses around each condition, as in (F.a == 1) & (F.b == 2)."
    )


def to_api_name(name: str) -> str:
    """Return the API's name for a Python attribute: without the underscore that stands after a keyword.

    Raises:
        AttributeError: It starts with an underscore.
    """
    # Notebooks, copies and mocks ask for names of Python's protocols, which must not become fields.
    if name.startswith("_"):
        raise AttributeError(
            f"A field name that starts with an underscore is written in brackets: [{name!r}]."
        )
    return name[:-1] if name.endswith("_") and keyword.iskeyword(name[:-1]) else name
