"""Read a search term of Open-Xchange. See :mod:`zeyos_async.filters.compilers.ox`."""

from __future__ import annotations

import json as _json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ...errors import FilterError, suggest
from ...schema import Kind
from ..expression import MAX_DEPTH, Expression, Not, Op, all_of, any_of, compare, describe
from ..like import escape
from .ox_dialects import OPERANDS, Dialect

__all__ = ["read"]

_COMPARISONS: Final = {"=": Op.EQ, "<>": Op.NE, "<": Op.LT, "<=": Op.LE, ">": Op.GT, ">=": Op.GE}
_MIRRORED: Final = {Op.LT: Op.GT, Op.LE: Op.GE, Op.GT: Op.LT, Op.GE: Op.LE}
_PATTERNS: Final = {Op.EQ: Op.LIKE, Op.NE: Op.NOT_LIKE}
_WORDS: Final = ("and", "or", "not", "isNull", *_COMPARISONS)
_KINDS: Final = ("field", *OPERANDS)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def read(json: Any, dialect: Dialect) -> Expression:
    """The condition that a term says; see ``from_ox``."""
    if isinstance(json, str | bytes | bytearray):
        try:
            json = _json.loads(json)
        except (ValueError, RecursionError) as error:
            raise FilterError(f"The search is not JSON: {error}") from error
    if isinstance(json, Mapping):
        if set(json) != {"filter"}:
            raise FilterError(f"A search is an object with the one key filter, not {describe(json)}.")
        json = json["filter"]
    return _Reader(dialect).read(json, "filter", 0)


class _Reader:
    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def read(self, node: Any, where: str, depth: int) -> Expression:
        """One term, with those in it."""
        if depth > MAX_DEPTH:
            raise FilterError(f"The search is nested deeper than {MAX_DEPTH} levels.")
        if not isinstance(node, list) or not node or not isinstance(node[0], str):
            raise FilterError(f"{where} must be a list that begins with an operator, not {describe(node)}.")
        word, *operands = node
        if word in _COMPARISONS:
            return self._comparison(_COMPARISONS[word], operands, where)
        if word == "isNull":
            return self._null(operands, where)
        if word not in _WORDS:
            raise FilterError(
                f"{where}: there is no operator {describe(word)}.{suggest(word, _WORDS)} "
                f"Operators: {' '.join(_WORDS)}"
            )
        return self._logic(word, operands, where, depth)

    def _logic(self, word: str, operands: list[Any], where: str, depth: int) -> Expression:
        items = [self.read(item, f"{where}[{place}]", depth + 1) for place, item in enumerate(operands, 1)]
        if word == "not":
            if len(items) != 1:
                raise FilterError(f"{where}: 'not' has one operand, not {len(items)}.")
            return Not(items[0])
        if not items:
            raise FilterError(f"{where}: {word!r} has nothing to combine.")
        return all_of(items) if word == "and" else any_of(items)

    def _null(self, operands: list[Any], where: str) -> Expression:
        if len(operands) != 1 or not isinstance(operands[0], Mapping) or "field" not in operands[0]:
            raise FilterError(f"{where}: 'isNull' has one operand, a field.")
        return compare(self._path(operands[0], where), Op.IS_NULL)

    def _comparison(self, op: Op, operands: list[Any], where: str) -> Expression:
        if len(operands) != 2:
            raise FilterError(f"{where}: a comparison has two operands, not {len(operands)}.")
        left, right = operands
        if isinstance(left, Mapping) is isinstance(right, Mapping):
            raise FilterError(f"{where}: a field is compared with a constant, one on each side.")
        if isinstance(right, Mapping):  # 5 < x
            left, right, op = right, left, _MIRRORED.get(op, op)
        path = self._path(left, where)
        try:
            return self._leaf(path, op, right)
        except FilterError as error:
            raise FilterError(f"{where}: {error}") from error

    def _leaf(self, path: str, op: Op, value: Any) -> Expression:
        if value is None:
            raise FilterError("null can't be compared with; a field without a value is found by 'isNull'.")
        if isinstance(value, str) and op in _PATTERNS and ("*" in value or "?" in value):
            return compare(path, _PATTERNS[op], escape(value).replace("*", "%").replace("?", "_"))
        return compare(path, op, self._value(path, value))

    def _value(self, path: str, value: Any) -> Any:
        """A constant as the field's kind has it: numbers come as texts, moments as milliseconds."""
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

    def _path(self, operand: Mapping[Any, Any], where: str) -> str:
        kind, name = next(iter(operand.items()), ("", ""))
        if len(operand) != 1 or kind not in _KINDS or not isinstance(name, str):
            raise FilterError(
                f"{where}: an operand is an object with one of {', '.join(_KINDS)}, not {describe(operand)}."
            )
        return name if kind == "field" else f"{kind}.{name}"
