"""The base of all compilers: the walk over a filter, and the refusal of what an API can't say.

The problem: four APIs write filters in four ways, and each can say another part of what a condition can mean. A part
that is quietly left out gives wrong rows, which nobody notices.

The idea: a compiler gets conditions in normal form (see :mod:`zeyos_async.filters.simplify` and
:mod:`~zeyos_async.filters.normalize`): no NOT, no constants inside, AND and OR flat and alternating, values as the
fields store them. So a compiler has four methods, one for each kind of node. ``compile`` chooses between them, and a
compiler calls it again for the operands of AND and OR.

All but comparisons are refused unless the subclass overrides the method, so a compiler says what its API can do
and never has to think of what it can't: a new kind of node is an error everywhere and is dropped nowhere. An error
names the part of the filter that can't be said and what to do in its place.

Left out: reading an API's own form back (``from_zeyos`` and so on) shares no walk, since each form is another tree;
each has a reader of its own.
"""

from __future__ import annotations

import abc
import re
from typing import Any, ClassVar, Final, Generic, TypeVar

from ...errors import UnsupportedFilter
from ..display import shorten
from ..expression import And, Comparison, Constant, Expression, Or

__all__ = ["Compiler", "check_integer", "check_text", "is_sendable", "to_json_number"]

T = TypeVar("T")

_INT64: Final = 2**63
_UNSENDABLE: Final = re.compile("[\0\ud800-\udfff]")


class Compiler(abc.ABC, Generic[T]):
    """A compiler of conditions in normal form to what one API takes.

    Attributes:
        name: The name of the API or of its language, for messages.
    """

    name: ClassVar[str]

    def compile(self, expr: Expression) -> T:
        """Return the condition as the API takes it.

        Raises:
            UnsupportedFilter: The API can't say a part of it.
        """
        if isinstance(expr, Comparison):
            return self.compile_comparison(expr)
        if isinstance(expr, And):
            return self.compile_and(expr)
        if isinstance(expr, Or):
            return self.compile_or(expr)
        if isinstance(expr, Constant):
            return self.compile_constant(expr)
        raise self.unsupported(expr, "NOT of a condition", "simplify() the condition first")

    @abc.abstractmethod
    def compile_comparison(self, comparison: Comparison) -> T:
        """Compile one comparison."""

    def compile_and(self, expr: And) -> T:
        """Compile conditions that must all hold."""
        raise self.unsupported(
            expr, "AND", "ask for one of the conditions, and filter the rows with evaluate()"
        )

    def compile_or(self, expr: Or) -> T:
        """Compile conditions of which one must hold."""
        raise self.unsupported(expr, "OR", "ask once for each of the conditions")

    def compile_constant(self, expr: Constant) -> T:
        """Compile a condition that is true, or false, for every row."""
        raise self.unsupported(
            expr, f"a condition that is always {expr.value}", "test is_true() and is_false() first"
        )

    def unsupported(self, part: Expression, feature: str, advice: str) -> UnsupportedFilter:
        """Return the error for a part of a filter that the API can't say.

        Args:
            part: The part of the filter.
            feature: What about it can't be said, as in "ZeyOS can't say OR".
            advice: What the user can do in place of it.
        """
        return UnsupportedFilter(f"{self.name} can't say {feature}: {advice}", part=shorten(str(part)))


def check_text(value: str, comparison: Comparison) -> str:
    """Return the text itself, if a database can hold it.

    Raises:
        UnsupportedFilter: It has a NUL character, or a lone surrogate, which UTF-8 can't carry.
    """
    if not _UNSENDABLE.search(value):  # in C: a list may have ten thousand texts
        return value
    raise UnsupportedFilter(
        f"{comparison.path}: text with a NUL character or a lone surrogate can't be sent",
        part=shorten(str(comparison)),
    )


def is_sendable(values: tuple[Any, ...]) -> bool:
    """Return whether each value of a list is text, or each a whole number, that every API takes as it is."""
    kinds = set(map(type, values))
    if kinds == {str}:
        return not _UNSENDABLE.search("".join(values))
    return kinds == {int} and min(values) >= -_INT64 and max(values) < _INT64


def check_integer(value: int, comparison: Comparison) -> int:
    """Return the number itself, if it fits 64 bits.

    Raises:
        UnsupportedFilter: It doesn't fit.
    """
    if -_INT64 <= value < _INT64:
        return value
    raise UnsupportedFilter(
        f"{comparison.path}: the integer is larger than the 64 bits that an API takes",
        part=shorten(str(comparison)),
    )


def to_json_number(value: Any, comparison: Comparison) -> int | float:
    """Return a ``Decimal`` or ``float`` as a JSON number that reads back as exactly this number.

    Raises:
        UnsupportedFilter: A JSON number can't carry all of its digits.
    """
    if isinstance(value, float):
        return value
    if -_INT64 <= value < _INT64 and value == int(value):
        return int(value)
    # Not all decimals have a float that is equal, and a rounded one would select other rows.
    number = float(value)
    if type(value)(repr(number)) != value:
        raise UnsupportedFilter(
            f"{comparison.path}: {shorten(str(value))} has more digits than a JSON number can carry",
            part=shorten(str(comparison)),
        )
    return number
