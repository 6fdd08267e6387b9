"""What all compilers share: the walk over a filter, and the refusal of what a target can't say.

A target gets conditions in normal form (see :mod:`zeyos_async.filters.simplify`): no NOT, no constants inside, AND and OR
flat and alternating. It overrides what it can say; the rest is refused with the part that can't be said, so that
nothing is ever dropped.
"""

from __future__ import annotations

import abc
from typing import Any, ClassVar, Final, Generic, TypeVar

from ...errors import UnsupportedFilter
from ..expression import And, Comparison, Constant, Expression, Or, shorten

__all__ = ["Target", "check_integer", "check_text", "json_number"]

T = TypeVar("T")

_INT64: Final = 2**63


class Target(abc.ABC, Generic[T]):
    """Compiles a condition in normal form to what one API takes.

    Attributes:
        name: What the target is called in messages.
    """

    name: ClassVar[str]

    def compile(self, expr: Expression) -> T:
        """The condition as the API takes it.

        Raises:
            UnsupportedFilter: The API can't say a part of it.
        """
        if isinstance(expr, Comparison):
            return self.comparison(expr)
        if isinstance(expr, And):
            return self.conjunction(expr)
        if isinstance(expr, Or):
            return self.disjunction(expr)
        if isinstance(expr, Constant):
            return self.constant(expr)
        raise self.refuse(expr, "NOT of a condition", "simplify() the condition first")

    @abc.abstractmethod
    def comparison(self, leaf: Comparison) -> T:
        """One comparison."""

    def conjunction(self, expr: And) -> T:
        """Conditions that must all hold."""
        raise self.refuse(expr, "AND", "ask for one of the conditions, and filter the rows with evaluate()")

    def disjunction(self, expr: Or) -> T:
        """Conditions of which one must hold."""
        raise self.refuse(expr, "OR", "ask once for each of the conditions")

    def constant(self, expr: Constant) -> T:
        """A condition that is true, or false, for every row."""
        raise self.refuse(
            expr, f"a condition that is always {expr.value}", "test is_true() and is_false() first"
        )

    def refuse(self, part: Expression, what: str, instead: str) -> UnsupportedFilter:
        """The error for what the target can't say.

        Args:
            part: The part of the filter.
            what: What about it can't be said.
            instead: What the user can do.
        """
        return UnsupportedFilter(f"{self.name} can't say {what}: {instead}", part=shorten(str(part)))


def check_text(value: str, leaf: Comparison) -> str:
    """The text itself, if a database can hold it.

    Raises:
        UnsupportedFilter: It has a NUL character, or a lone surrogate, which UTF-8 can't carry.
    """
    if "\0" not in value and not any("\ud800" <= char <= "\udfff" for char in value):
        return value
    raise UnsupportedFilter(
        f"{leaf.path}: text with a NUL character or a lone surrogate can't be sent", part=shorten(str(leaf))
    )


def check_integer(value: int, leaf: Comparison) -> int:
    """The number itself, if it fits 64 bits.

    Raises:
        UnsupportedFilter: It doesn't.
    """
    if -_INT64 <= value < _INT64:
        return value
    raise UnsupportedFilter(
        f"{leaf.path}: the integer is larger than the 64 bits that an API takes", part=shorten(str(leaf))
    )


def json_number(value: Any, leaf: Comparison) -> int | float:
    """A ``Decimal`` or ``float`` as a JSON number that reads back as exactly this number.

    Raises:
        UnsupportedFilter: A JSON number can't carry all of its digits.
    """
    if isinstance(value, float):
        return value
    if -_INT64 <= value < _INT64 and value == int(value):
        return int(value)
    number = float(value)
    if type(value)(repr(number)) != value:
        raise UnsupportedFilter(
            f"{leaf.path}: {shorten(str(value))} has more digits than a JSON number can carry",
            part=shorten(str(leaf)),
        )
    return number
