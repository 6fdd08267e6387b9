"""Search terms of Open-Xchange (chapter "Advanced search"), in both directions.

A term is a list in prefix notation, ``["and", ["=", {"field": "last_name"}, "Doe"], ["isNull", {"field": "email1"}]]``.
In the text of a comparison with ``=`` two characters stand for others: ``*`` for any text and ``?`` for one
character. The document knows no way to take them literally, so a text that has one of them can't be searched for.

The headers and attachments of messages are searched by paths: ``header.From``, ``attachment.name``.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

from ...errors import InvalidCondition, UnsupportedFilter
from ...schema import Entity, Field, Kind
from ..builder import AnyField
from ..display import describe, shorten, to_literal
from ..expression import And, Comparison, Constant, Expression, Op, Or, comparisons_in
from ..like import Wildcard, split_pattern
from ..normalize import normalize, resolve_fields
from ..operands import check_path
from ..simplify import simplify
from ..values import to_seconds
from .base import Compiler, check_integer, check_text, to_json_number
from .ox_dialects import OPERANDS, Dialect, dialect_of, searchable_entity

__all__ = ["attachment", "from_ox", "header", "to_ox"]

_Term: TypeAlias = list[Any]

_SYMBOLS: Final = {Op.EQ: "=", Op.NE: "<>", Op.LT: "<", Op.LE: "<=", Op.GT: ">", Op.GE: ">="}
_STRICT: Final = {Op.LE: "<", Op.GE: ">"}
_WILDCARDS: Final = {Wildcard.ANY: "*", Wildcard.ONE: "?"}


def header(name: str) -> AnyField:
    """Return a header of messages as a field, to search mail by: ``header("X-Mailer") == "Thunderbird*"``.

    It is also ``F.header["X-Mailer"]``, and ``header.From`` in text.
    """
    return AnyField(check_path(f"header.{name}"))


def attachment(name: str) -> AnyField:
    """Return a property of attachments as a field, to search mail by: ``attachment("name") == "document.pdf"``.

    It is also ``F.attachment["name"]``, and ``attachment.name`` in text. Only folders with the capability
    ``FILENAME_SEARCH`` can be searched so.
    """
    return AnyField(check_path(f"attachment.{name}"))


def to_ox(expr: Expression, module: str | Entity | None = None) -> list[Any]:
    """Return the search term for a condition: what is sent as ``{"filter": term}``.

    Moments become milliseconds since 1970, which is also what whole numbers are taken for; a day, as text
    ``2026-01-31``, becomes the millisecond at which it begins in UTC. Whether case counts is the server's matter.

    Args:
        expr: The condition.
        module: The module that is searched, ``"contacts"`` or ``"mail"`` for instance, or an entity of that name, whose fields
            are the ones there are. Without it names and types are not checked.

    Raises:
        UnknownField: The module has no such field to search by.
        InvalidCondition: A value doesn't fit its field.
        UnsupportedFilter: The module can't say a part of it: regular expressions, patterns that ignore case, texts with
            ``*`` or ``?``, a condition that is always or never true; all but ``=``, ``<`` and ``>`` for some modules.
    """
    dialect = dialect_of(module)
    for comparison in comparisons_in(expr):
        _check_field(comparison, dialect)
    entity = searchable_entity(dialect)
    resolve_fields(expr, entity)  # of the whole condition: simplifying may drop a misspelt one
    return _OxCompiler(dialect).compile(normalize(_to_millis(simplify(expr), dialect), entity))


def from_ox(json: Any, module: str | Entity | None = None) -> Expression:
    """Return the condition that a search term says.

    Args:
        json: The term, ``{"filter": term}``, or the JSON text of either.
        module: The module that is searched, which tells which fields are moments.

    Raises:
        FilterError: It is no search term; the message says where.
    """
    from .ox_reader import read_term  # here: most programs never read a term

    return read_term(json, dialect_of(module))


def _check_field(comparison: Comparison, dialect: Dialect) -> None:
    """Refuse a field that the module can't search by, where there is advice on what to do in its place."""
    advice = dialect.advice.get(comparison.path)
    head, dot, _ = comparison.path.partition(".")
    if advice is None and dot and head in OPERANDS and head not in dialect.operands:
        advice = f"only messages have {head}s"
    if advice is not None:
        raise UnsupportedFilter(
            f"A search in {dialect.name} can't ask for {comparison.path}: {advice}",
            part=shorten(str(comparison)),
        )


class _OxCompiler(Compiler[_Term]):
    name = "A search in Open-Xchange"

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def compile_and(self, expr: And) -> _Term:
        return ["and", *[self.compile(item) for item in expr.items]]

    def compile_or(self, expr: Or) -> _Term:
        return ["or", *[self.compile(item) for item in expr.items]]

    def compile_constant(self, expr: Constant) -> _Term:
        feature = "that it looks for everything" if expr.value else "that it looks for nothing"
        raise self.unsupported(expr, feature, "read the folder, or send nothing")

    def compile_comparison(self, comparison: Comparison) -> _Term:
        op = comparison.op
        if op in _SYMBOLS:
            return self._compile_symbol(comparison, op, comparison.value)
        if op is Op.IN or op is Op.NOT_IN:
            item_op = Op.EQ if op is Op.IN else Op.NE
            word = "or" if op is Op.IN else "and"
            return [word, *[self._compile_symbol(comparison, item_op, value) for value in comparison.value]]
        if op is Op.LIKE or op is Op.NOT_LIKE:
            term = ["=", _operand(comparison.path), self._to_glob(comparison)]
            return term if op is Op.LIKE else ["not", term]
        if op is Op.IS_NULL or op is Op.IS_NOT_NULL:
            return self._compile_null(comparison)
        raise self._no_operator(comparison)

    def _compile_symbol(self, comparison: Comparison, op: Op, value: Any) -> _Term:
        operand, constant = _operand(comparison.path), self._to_constant(comparison, value)
        if op is Op.EQ:
            return ["=", operand, constant]
        if op is Op.NE and (self._lacks("<>") or "field" not in operand):
            return ["not", ["=", operand, constant]]
        self._check_order(comparison, op)
        if self._lacks(_SYMBOLS[op]):
            return ["or", [_STRICT[op], operand, constant], ["=", operand, constant]]
        return [_SYMBOLS[op], operand, constant]

    def _lacks(self, symbol: str) -> bool:
        return symbol not in self._dialect.operators

    def _check_order(self, comparison: Comparison, op: Op) -> None:
        if op is not Op.NE and (
            comparison.path in self._dialect.equal_only or "field" not in _operand(comparison.path)
        ):
            raise self.unsupported(
                comparison,
                f"{op.value!r} of {comparison.path}",
                "it can only be compared with ==, != and in_()",
            )

    def _compile_null(self, comparison: Comparison) -> _Term:
        if self._lacks("isNull") or "field" not in _operand(comparison.path):
            raise self.unsupported(
                comparison,
                f"that {comparison.path} has {'no' if comparison.op is Op.IS_NULL else 'a'} value",
                "ask for more, and filter the rows with evaluate()",
            )
        term = ["isNull", _operand(comparison.path)]
        return term if comparison.op is Op.IS_NULL else ["not", term]

    def _to_constant(self, comparison: Comparison, value: Any) -> Any:
        if self._dialect.kind(comparison.path) is Kind.DATE and isinstance(value, str):
            return _day_to_millis(comparison, value)
        if isinstance(value, str):
            if "*" in value or "?" in value:
                raise self._no_literal_wildcard(
                    comparison, "use like() with _ in its place, which finds more"
                )
            return check_text(value, comparison)
        if isinstance(value, bool):
            return value
        number = (
            check_integer(value, comparison) if isinstance(value, int) else to_json_number(value, comparison)
        )
        return to_literal(number) if self._dialect.numbers_as_text else number

    def _to_glob(self, comparison: Comparison) -> str:
        pieces = split_pattern(comparison.value)
        if any(isinstance(piece, str) and ("*" in piece or "?" in piece) for piece in pieces):
            raise self._no_literal_wildcard(comparison, "put _ in its place, which finds more")
        texts = [_WILDCARDS[piece] if isinstance(piece, Wildcard) else piece for piece in pieces]
        return check_text("".join(texts), comparison)

    def _no_literal_wildcard(self, comparison: Comparison, advice: str) -> UnsupportedFilter:
        return self.unsupported(comparison, "'*' and '?' literally, as they stand for other text", advice)

    def _no_operator(self, comparison: Comparison) -> UnsupportedFilter:
        if comparison.op in (Op.ILIKE, Op.NOT_ILIKE):
            return self.unsupported(
                comparison,
                "whether case counts, which each server decides",
                "leave out ignore_case, or use like()",
            )
        return self.unsupported(
            comparison, f"{comparison.op.value!r}", "use like(), with % for any text and _ for a character"
        )


def _operand(path: str) -> dict[str, str]:
    head, dot, name = path.partition(".")
    return {head: name} if dot and head in OPERANDS else {"field": path}


def _day_to_millis(comparison: Comparison, text: str) -> int:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidCondition(
            f"{comparison.path} is a day, as text such as '2026-01-31', and can't be compared with {describe(text)}."
        ) from None
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def _to_millis(expr: Expression, dialect: Dialect) -> Expression:
    """Return the condition with each moment as its milliseconds.

    Bounds with a fraction of a millisecond are rounded so that the meaning stays. That holds for conditions without
    NOT only: a comparison that is never true is unknown where there is no value, and false here.
    """
    if isinstance(expr, Comparison):
        values = expr.value if type(expr.value) is tuple else (expr.value,)
        moments = any(isinstance(value, datetime) for value in values)
        return _comparison_to_millis(expr) if moments and dialect.kind(expr.path) is not Kind.DATE else expr
    if isinstance(expr, And | Or):
        return type(expr)(tuple([_to_millis(item, dialect) for item in expr.items]))
    return expr


def _comparison_to_millis(comparison: Comparison) -> Expression:
    if type(comparison.value) is tuple:
        value: Any = tuple([_value_to_millis(item) for item in comparison.value])
    else:
        value = _value_to_millis(comparison.value)
    # An entity whose field holds whole numbers makes normalize() round them.
    entity = Entity("", "", {comparison.path: Field(comparison.path, Kind.INTEGER)})
    return normalize(Comparison(comparison.path, comparison.op, value), entity)


def _value_to_millis(value: Any) -> Any:
    return Decimal(to_seconds(value)) * 1000 if isinstance(value, datetime) else value
