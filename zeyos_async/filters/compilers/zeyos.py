"""Filters in the JSON of the ZeyOS REST API (API reference, section "Filters"), in both directions.

An object is an AND: ``{"visibility": 0, "contact.country": {"IN": ["DE", "AT"]}}``. OR, and a second use of an
operator on one field, are composites: a list under a key that is a number in a string, which here is the
position in the object: ``{"visibility": 0, "1": ["OR", {…}, {…}]}``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, TypeAlias

from ...errors import UnsupportedFilter
from ...schema import Entity
from ..expression import And, Comparison, Constant, Expression, Op, Or, shorten
from ..normalize import normalize
from .base import Target, check_integer, check_text, json_number

__all__ = ["OPERATORS", "from_zeyos", "to_zeyos"]

_Object: TypeAlias = dict[str, Any]

OPERATORS: Final = {
    Op.EQ: "=",
    Op.NE: "!=",
    Op.LT: "<",
    Op.LE: "<=",
    Op.GT: ">",
    Op.GE: ">=",
    Op.IN: "IN",
    Op.NOT_IN: "!IN",
    Op.LIKE: "~~",
    Op.ILIKE: "~~*",
    Op.NOT_LIKE: "!~~",
    Op.NOT_ILIKE: "!~~*",
    Op.MATCHES: "~",
    Op.IMATCHES: "~*",
    Op.NOT_MATCHES: "!~",
    Op.NOT_IMATCHES: "!~*",
    # The documents say nothing about NULL; here, and in the reader's table, is all that we assume.
    Op.IS_NULL: "=",
    Op.IS_NOT_NULL: "!=",
}
"""Operator → how the API spells it. The NULL tests are ``=`` and ``!=`` with ``null``."""


def to_zeyos(expr: Expression, entity: Entity | None = None) -> dict[str, Any]:
    """The value of a ZeyOS list's ``filters``: plain dicts, lists and scalars, ready for JSON.

    A condition that is always true gives ``{}``, one that is never true ``{"ID": {"<": 0}}``; callers who test
    ``is_false(bind(expr, entity))`` first need send nothing.

    Args:
        expr: The condition.
        entity: Whose rows it is about: checks paths and values, and takes names of codes.

    Raises:
        UnknownField: The entity lacks a field.
        InvalidCondition: A value doesn't fit its field.
        UnsupportedFilter: The API can't say a part of it.
    """
    return _TARGET.compile(normalize(expr, entity))


def from_zeyos(json: Any) -> Expression:
    """The condition that a ZeyOS filter says.

    Args:
        json: The value of ``filters``: an object, a composite (``["OR", {…}, {…}]``), or the JSON text of one. An
            object with several filters is an AND; NOT over several filters is NOT of their AND.

    Raises:
        FilterError: It is no such filter; the message says where.
    """
    from .zeyos_reader import read

    return read(json)


class _Zeyos(Target[_Object]):
    name = "ZeyOS"

    def comparison(self, leaf: Comparison) -> _Object:
        return {_key(leaf): _test(leaf)}

    def conjunction(self, expr: And) -> _Object:
        out: _Object = {}
        again: dict[str, list[_Object]] = {}
        for item in expr.items:
            if not isinstance(item, Comparison):
                out[str(len(out))] = self._composite(item)
                continue
            key, test = _key(item), _test(item)
            if key not in out:
                out[key] = test
            elif (merged := _merge(out[key], test)) is not None:
                out[key] = merged
            else:
                again.setdefault(key, []).append({key: test})
        return _with_repeats(out, again) if again else out

    def disjunction(self, expr: Or) -> _Object:
        return {"0": self._composite(expr)}

    def constant(self, expr: Constant) -> _Object:
        return {} if expr.value else {"ID": {"<": 0}}

    def _composite(self, expr: Expression) -> list[Any]:
        assert isinstance(expr, Or)  # normal form: AND holds comparisons and ORs
        return ["OR", *[self.compile(item) for item in expr.items]]


_EQ, _IS_NULL = Op.EQ, Op.IS_NULL
_TARGET: Final = _Zeyos()


def _key(leaf: Comparison) -> str:
    path = leaf.path
    if path < ":" and path.lstrip("-").isdecimal():  # ":" comes after the digits and "-"
        raise UnsupportedFilter(
            f"A ZeyOS filter can't name the field {shorten(repr(path))}: a number as a key means a composite",
            part=shorten(str(leaf)),
        )
    return path


def _test(leaf: Comparison) -> Any:
    """What stands under the field's name."""
    op, value = leaf.op, leaf.value
    if type(value) is tuple:
        value = [_scalar(item, leaf) for item in value]
    elif value is not None:
        value = _scalar(value, leaf)
    return value if op is _EQ or op is _IS_NULL else {OPERATORS[op]: value}


def _scalar(value: Any, leaf: Comparison) -> Any:
    kind = type(value)
    if kind is int:
        return value if value.bit_length() < 64 else check_integer(value, leaf)
    if kind is str:
        return value if value.isascii() and "\0" not in value else check_text(value, leaf)
    return json_number(value, leaf) if kind is float or kind is Decimal else value


def _merge(first: Any, second: Any) -> _Object | None:
    """Two tests of one field in one object, or ``None`` where they use the same operator."""
    if first is None or second is None:
        return None
    left = first if type(first) is dict else {OPERATORS[Op.EQ]: first}
    right = second if type(second) is dict else {OPERATORS[Op.EQ]: second}
    return None if left.keys() & right.keys() else {**left, **right}


def _with_repeats(tests: _Object, again: dict[str, list[_Object]]) -> _Object:
    """The object with a composite in the place of each field that uses an operator more than once."""
    # One entry takes the place of one, so that the keys of other composites still are their positions.
    return {
        str(position) if key in again else key: ["AND", {key: test}, *again[key]] if key in again else test
        for position, (key, test) in enumerate(tests.items())
    }
