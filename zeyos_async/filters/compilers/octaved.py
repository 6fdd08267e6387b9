"""Searches of Octaved Flow, in both directions.

A search is one ident with its value, ``{"ident": "name", "value": "Briefing"}``, or such combined by ``and``, ``or``
and ``not``. An ident is a question that the API knows how to answer; the only operator is equality, and flags have
no value: ``{"ident": "isArchived"}``. ``not`` is the complement: it finds the objects without a value, too.
"""

from __future__ import annotations

import json as _json
from collections.abc import Mapping
from functools import lru_cache
from re import Pattern, compile
from typing import Any, Final, TypeAlias

from ...errors import FilterError, InvalidCondition, suggest
from ...schema import Entity, Field, Kind
from ..display import describe, shorten
from ..expression import MAX_DEPTH, And, Comparison, Constant, Expression, Not, Op, Or, all_of, any_of
from ..normalize import normalize
from ..operands import compare
from .base import Compiler, check_text

__all__ = ["from_octaved", "to_octaved"]

_Search: TypeAlias = dict[str, Any]


def to_octaved(expr: Expression, entity: Entity | None = None) -> _Search:
    """Return the JSON of a complex search; of a single ident that is ``{"ident": …}`` with its ``value``.

    Args:
        expr: The condition.
        entity: The idents that the resource knows: checks names and values, and tells which flags take ``"0"``
            or ``"1"``. Without it a flag has no value, and everything else is text.

    Raises:
        UnknownField: The resource has no such ident.
        InvalidCondition: A value doesn't fit its ident.
        UnsupportedFilter: The API can't say a part of it.
    """
    return _OctavedCompiler(entity).compile(normalize(expr, entity))


class _OctavedCompiler(Compiler[_Search]):
    name = "A search of Octaved Flow"

    def __init__(self, entity: Entity | None) -> None:
        self._entity = entity

    def compile_comparison(self, comparison: Comparison) -> _Search:
        op = comparison.op
        if op is Op.EQ:
            return self._compile_equal(comparison, comparison.value)
        if op is Op.NE:
            return {"not": self._compile_equal(comparison, comparison.value)}
        if op is Op.IN or op is Op.NOT_IN:
            search = {"or": [self._compile_equal(comparison, value) for value in comparison.value]}
            return search if op is Op.IN else {"not": search}
        raise self.unsupported(comparison, f"{op}", _advise(comparison, self._entity))

    def compile_and(self, expr: And) -> _Search:
        return {"and": [self.compile(item) for item in expr.items]}

    def compile_or(self, expr: Or) -> _Search:
        return {"or": [self.compile(item) for item in expr.items]}

    def compile_constant(self, expr: Constant) -> _Search:
        feature = "all objects" if expr.value else "no object"
        raise self.unsupported(expr, feature, "search for something, such as descendantsOf a node")

    def _compile_equal(self, comparison: Comparison, value: Any) -> _Search:
        field = None if self._entity is None else self._entity.field(comparison.path)
        if isinstance(value, bool):
            return _compile_flag(comparison.path, value, field)
        if not isinstance(value, str):
            raise self.unsupported(
                comparison, f"values but text and flags ({describe(value)})", "give it as text"
            )
        text = check_text(value, comparison)
        if field is not None:
            _check_value(comparison, text, field)
        return {"ident": comparison.path, "value": text}


def _compile_flag(ident: str, value: bool, field: Field | None) -> _Search:
    # Two kinds of flags: those that take "0" or "1", and those without a value, whose absence needs a NOT.
    if field is not None and field.choices is not None:
        return {"ident": ident, "value": "1" if value else "0"}
    return {"ident": ident} if value else {"not": {"ident": ident}}


def _advise(comparison: Comparison, entity: Entity | None) -> str:
    """Return what the API can say in place of a comparison that it can't."""
    advice = "there are only ==, !=, in_() and not_in(), &, | and ~"
    if entity is not None and f"{comparison.path}Range" in entity.fields:
        return f"{advice}; for a span, {comparison.path}Range == '2026-01-01-2026-01-31'"
    return advice


def _check_value(comparison: Comparison, value: str, field: Field) -> None:
    """Refuse a value that the ident does not take.

    Raises:
        InvalidCondition: It doesn't fit; the message says what would.
    """
    requirement = ""
    if field.choices is not None and value not in field.choices:
        requirement = f"takes one of {', '.join(field.choices)}"
    elif len(value) < (field.min_length or 0):
        requirement = "takes text that is not empty"
    elif field.max_length is not None and len(value) > field.max_length:
        requirement = f"takes at most {field.max_length} characters"
    elif field.pattern is not None and not _compile_pattern(field.pattern).fullmatch(value):
        requirement = f"takes text that matches {field.pattern}"
    if requirement:
        close = suggest(value, field.choices or ())
        raise InvalidCondition(f"{comparison.path} {requirement}, not {shorten(repr(value))}.{close}")


@lru_cache(maxsize=16)
def _compile_pattern(pattern: str) -> Pattern[str]:
    return compile(pattern)


def from_octaved(json: Any, entity: Entity | None = None) -> Expression:
    """Return the condition that a complex search says.

    Args:
        json: The object of a search, or the JSON text of one.
        entity: The idents that the resource knows, which tells what is a flag; without it only an ident without
            a value is one.

    Raises:
        FilterError: It is no search; the message says where.
    """
    if isinstance(json, str | bytes | bytearray):
        try:
            json = _json.loads(json)
        except (ValueError, RecursionError) as error:
            raise FilterError(f"The search is not JSON: {error}") from error
    return _SearchReader(entity).read(json, "search", 0)


_FLAG_VALUES: Final = {None: True, "": True, "1": True, "0": False}


class _SearchReader:
    """A reader of the tree of a search, which knows what the idents of one entity are."""

    def __init__(self, entity: Entity | None) -> None:
        self._entity = entity

    def read(self, node: Any, place: str, depth: int) -> Expression:
        """Return the condition that a node of the tree says, with those in it.

        Raises:
            FilterError: It is no such node; the message says where it is.
        """
        if depth > MAX_DEPTH:
            raise FilterError(f"The search is nested deeper than {MAX_DEPTH} levels.")
        if not isinstance(node, Mapping):
            raise FilterError(
                f"{place} must be an object with ident, and, or, or not; it is {describe(node)}."
            )
        match sorted(map(str, node)):
            case ["not"]:
                return Not(self.read(node["not"], f"{place}.not", depth + 1))
            case ["and" | "or" as word]:
                items = self._items(node[word], f"{place}.{word}", depth)
                return all_of(items) if word == "and" else any_of(items)
            case ["ident"] | ["ident", "value"]:
                return self._ident(node, place)
        raise FilterError(
            f"{place}: an object has ident (and value), and, or, or not; this has {sorted(node)}."
        )

    def _items(self, nodes: Any, place: str, depth: int) -> list[Expression]:
        if not isinstance(nodes, list) or not nodes:
            raise FilterError(f"{place} must be a list that is not empty, not {describe(nodes)}.")
        return [self.read(node, f"{place}[{index}]", depth + 1) for index, node in enumerate(nodes)]

    def _ident(self, node: Mapping[str, Any], place: str) -> Expression:
        ident, value = node["ident"], node.get("value")
        if not isinstance(ident, str) or (value is not None and not isinstance(value, str)):
            raise FilterError(
                f"{place}: ident and value are texts, not {describe(ident)} and {describe(value)}."
            )
        field = None if self._entity is None else self._entity.field(ident)
        if field is not None and field.kind is Kind.BOOLEAN and value in _FLAG_VALUES:
            return compare(ident, Op.EQ, _FLAG_VALUES[value] if field.choices else True)
        return compare(ident, Op.EQ, True if value is None else value)
