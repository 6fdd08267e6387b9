"""A reader of the search terms of Open-Xchange. See :mod:`zeyos_async.filters.compilers.ox`."""

from __future__ import annotations

import json as _json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ...errors import FilterError, suggest
from ...schema import Kind
from ..display import describe
from ..expression import MAX_DEPTH, Expression, Not, Op, all_of, any_of
from ..like import escape_pattern
from ..operands import compare
from .ox_dialects import OPERANDS, Dialect

__all__ = ["read_term"]

_COMPARISONS: Final = {"=": Op.EQ, "<>": Op.NE, "<": Op.LT, "<=": Op.LE, ">": Op.GT, ">=": Op.GE}
_MIRRORED: Final = {Op.LT: Op.GT, Op.LE: Op.GE, Op.GT: Op.LT, Op.GE: Op.LE}
_PATTERNS: Final = {Op.EQ: Op.LIKE, Op.NE: Op.NOT_LIKE}
_WORDS: Final = ("and", "or", "not", "isNull", *_COMPARISONS)
_KINDS: Final = ("field", *OPERANDS)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def read_term(json: Any, dialect: Dialect) -> Expression:
    """Return the condition that a term says; see ``from_ox``."""
    if isinstance(json, str | bytes | bytearray):
        try:
            json = _json.loads(json)
        except (ValueError, RecursionError) as error:
            raise FilterError(f"The search is not JSON: {error}") from error
    if isinstance(json, Mapping):
        if set(json) != {"filter"}:
            raise FilterError(f"A search is an object with the one key filter, not {describe(json)}.")
        json = json["filter"]
    return _TermReader(dialect).read(json, "filter", 0)


class _TermReader:
    """A reader of terms, which knows the kinds of a module's fields."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def read(self, node: Any, place: str, depth: int) -> Expression:
        """Return the condition that a term says, with those in it.

        Raises:
            FilterError: It is no such term; the message says where it is.
        """
        if depth > MAX_DEPTH:
            raise FilterError(f"The search is nested deeper than {MAX_DEPTH} levels.")
        if not isinstance(node, list) or not node or not isinstance(node[0], str):
            raise FilterError(f"{place} must be a list that begins with an operator, not {describe(node)}.")
        word, *operands = node
        if word in _COMPARISONS:
            return self._read_comparison(_COMPARISONS[word], operands, place)
        if word == "isNull":
            return self._read_null(operands, place)
        if word not in _WORDS:
            raise FilterError(
                f"{place}: there is no operator {describe(word)}.{suggest(word, _WORDS)} "
                f"Operators: {' '.join(_WORDS)}"
            )
        return self._read_logic(word, operands, place, depth)

    def _read_logic(self, word: str, operands: list[Any], place: str, depth: int) -> Expression:
        items = [self.read(item, f"{place}[{index}]", depth + 1) for index, item in enumerate(operands, 1)]
        if word == "not":
            if len(items) != 1:
                raise FilterError(f"{place}: 'not' has one operand, not {len(items)}.")
            return Not(items[0])
        if not items:
            raise FilterError(f"{place}: {word!r} has nothing to combine.")
        return all_of(items) if word == "and" else any_of(items)

    def _read_null(self, operands: list[Any], place: str) -> Expression:
        if len(operands) != 1 or not isinstance(operands[0], Mapping) or "field" not in operands[0]:
            raise FilterError(f"{place}: 'isNull' has one operand, a field.")
        return compare(self._to_path(operands[0], place), Op.IS_NULL)

    def _read_comparison(self, op: Op, operands: list[Any], place: str) -> Expression:
        if len(operands) != 2:
            raise FilterError(f"{place}: a comparison has two operands, not {len(operands)}.")
        field, constant = operands
        if isinstance(field, Mapping) is isinstance(constant, Mapping):
            raise FilterError(f"{place}: a field is compared with a constant, one on each side.")
        if isinstance(constant, Mapping):  # 5 < x
            field, constant, op = constant, field, _MIRRORED.get(op, op)
        path = self._to_path(field, place)
        try:
            return self._to_comparison(path, op, constant)
        except FilterError as error:
            raise FilterError(f"{place}: {error}") from error

    def _to_comparison(self, path: str, op: Op, value: Any) -> Expression:
        if value is None:
            raise FilterError("null can't be compared with; a field without a value is found by 'isNull'.")
        if isinstance(value, str) and op in _PATTERNS and ("*" in value or "?" in value):
            return compare(path, _PATTERNS[op], escape_pattern(value).replace("*", "%").replace("?", "_"))
        return compare(path, op, self._to_value(path, value))

    def _to_value(self, path: str, value: Any) -> Any:
        """Return a constant as the field's kind has it: numbers come as texts, moments as milliseconds."""
        kind = self._dialect.kind(path)
        try:
            if kind in (Kind.INTEGER, Kind.TIME, Kind.DATE) and isinstance(value, str):
                value = int(value)
            elif kind is Kind.NUMBER and isinstance(value, str):
                value = float(value)
            if kind is Kind.TIME and not isinstance(value, bool):
                return _EPOCH + timedelta(milliseconds=value)
            if kind is Kind.DATE and not isinstance(value, bool):
                return (_EPOCH + timedelta(milliseconds=value)).date().isoformat()
        except ValueError:
            raise FilterError(f"{path} takes numbers, not {describe(value)}.") from None
        except OverflowError:  # no calendar has it, so it stays the number that it is
            return value
        return value

    def _to_path(self, operand: Mapping[Any, Any], place: str) -> str:
        kind, name = next(iter(operand.items()), ("", ""))
        if len(operand) != 1 or kind not in _KINDS or not isinstance(name, str):
            raise FilterError(
                f"{place}: an operand is an object with one of {', '.join(_KINDS)}, not {describe(operand)}."
            )
        return name if kind == "field" else f"{kind}.{name}"
