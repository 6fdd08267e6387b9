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
from ..display import shorten
from ..expression import And, Comparison, Constant, Expression, Op, Or
from ..normalize import normalize
from .base import Compiler, check_integer, check_text, is_sendable, to_json_number

__all__ = ["OPERATORS", "add_id_bounds", "compile_normal", "from_zeyos", "to_zeyos"]

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
"""Operator → its spelling in the API. The NULL tests are ``=`` and ``!=`` with ``null``."""


def to_zeyos(expr: Expression, entity: Entity | None = None) -> dict[str, Any]:
    """Return the value of a ZeyOS list's ``filters``: plain dicts, lists and scalars, ready for JSON.

    A condition that is always true gives ``{}``, one that is never true ``{"ID": {"<": 0}}``; callers who test
    ``is_false(normalize(expr, entity))`` first need send nothing.

    Args:
        expr: The condition.
        entity: The entity whose rows it is about: checks paths and values, and takes names of codes.

    Raises:
        UnknownField: The entity lacks a field.
        InvalidCondition: A value doesn't fit its field.
        UnsupportedFilter: The API can't say a part of it.
    """
    return compile_normal(normalize(expr, entity))


def compile_normal(expr: Expression) -> dict[str, Any]:
    """Return the value of ``filters`` for a condition in normal form; see :func:`to_zeyos`."""
    return _COMPILER.compile(expr)


def add_id_bounds(filters: dict[str, Any], *, after: int | None, up_to: int | None) -> dict[str, Any] | None:
    """Return compiled filters with bounds of the ID beside them, or ``None`` where both name the same bound.

    Args:
        filters: What :func:`compile_normal` returned; it is not changed.
        after: Only IDs above this one.
        up_to: Only IDs up to this one.
    """
    bounds = {OPERATORS[op]: value for op, value in ((Op.GT, after), (Op.LE, up_to)) if value is not None}
    if not bounds:
        return filters
    merged = _merge_tests(filters["ID"], bounds) if "ID" in filters else bounds
    return None if merged is None else {**filters, "ID": merged}


def from_zeyos(json: Any) -> Expression:
    """Return the condition that a ZeyOS filter says.

    Args:
        json: The value of ``filters``: an object, a composite (``["OR", {…}, {…}]``), or the JSON text of one. An
            object with several filters is an AND; NOT over several filters is NOT of their AND.

    Raises:
        FilterError: It is no such filter; the message says where.
    """
    from .zeyos_reader import read_filter  # here: most programs never read a filter

    return read_filter(json)


class _ZeyosCompiler(Compiler[_Object]):
    name = "ZeyOS"

    def compile_comparison(self, comparison: Comparison) -> _Object:
        return {_object_key(comparison): _compile_test(comparison)}

    def compile_and(self, expr: And) -> _Object:
        tests: _Object = {}
        repeats: dict[str, list[_Object]] = {}
        for item in expr.items:
            if not isinstance(item, Comparison):
                tests[str(len(tests))] = self._compile_composite(item)
                continue
            key, test = _object_key(item), _compile_test(item)
            if key not in tests:
                tests[key] = test
            elif (merged := _merge_tests(tests[key], test)) is not None:
                tests[key] = merged
            else:  # an object can't have one operator of one field twice
                repeats.setdefault(key, []).append({key: test})
        return _add_repeats(tests, repeats) if repeats else tests

    def compile_or(self, expr: Or) -> _Object:
        return {"0": self._compile_composite(expr)}

    def compile_constant(self, expr: Constant) -> _Object:
        return {} if expr.value else {"ID": {"<": 0}}

    def _compile_composite(self, expr: Expression) -> list[Any]:
        assert isinstance(expr, Or)  # normal form: AND holds comparisons and ORs
        return ["OR", *[self.compile(item) for item in expr.items]]


_EQ, _IS_NULL = Op.EQ, Op.IS_NULL
_COMPILER: Final = _ZeyosCompiler()


def _object_key(comparison: Comparison) -> str:
    """Return the key under which a field's test stands: its path.

    Raises:
        UnsupportedFilter: The path is a number, which the API takes for a composite.
    """
    path = comparison.path
    if path < ":" and path.lstrip("-").isdecimal():  # ":" comes after the digits and "-"
        raise UnsupportedFilter(
            f"A ZeyOS filter can't name the field {shorten(repr(path))}: a number as a key means a composite",
            part=shorten(str(comparison)),
        )
    return path


def _compile_test(comparison: Comparison) -> Any:
    """Return the test that stands under the field's name."""
    op, value = comparison.op, comparison.value
    if type(value) is tuple:
        value = list(value) if is_sendable(value) else [_to_json(item, comparison) for item in value]
    elif value is not None:
        value = _to_json(value, comparison)
    return value if op is _EQ or op is _IS_NULL else {OPERATORS[op]: value}


def _to_json(value: Any, comparison: Comparison) -> Any:
    kind = type(value)
    if kind is int:
        return value if value.bit_length() < 64 else check_integer(value, comparison)
    if kind is str:
        return value if value.isascii() and "\0" not in value else check_text(value, comparison)
    return to_json_number(value, comparison) if kind is float or kind is Decimal else value


def _merge_tests(first: Any, second: Any) -> _Object | None:
    """Merge two tests of one field into one object; return ``None`` where they use the same operator."""
    if first is None or second is None:
        return None
    first_tests = first if type(first) is dict else {OPERATORS[Op.EQ]: first}
    second_tests = second if type(second) is dict else {OPERATORS[Op.EQ]: second}
    return None if first_tests.keys() & second_tests.keys() else {**first_tests, **second_tests}


def _add_repeats(tests: _Object, repeats: dict[str, list[_Object]]) -> _Object:
    """Return the object with a composite in the place of each field that uses an operator more than once."""
    # One entry takes the place of one, so that the keys of other composites still are their positions.
    return {
        str(position) if key in repeats else key: ["AND", {key: test}, *repeats[key]]
        if key in repeats
        else test
        for position, (key, test) in enumerate(tests.items())
    }
