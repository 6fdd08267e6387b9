"""Search terms of Open-Xchange (chapter "Advanced search"), in both directions.

A term is a list in prefix notation, ``["and", ["=", {"field": "last_name"}, "Doe"], ["isNull", {"field": "email1"}]]``.
In the text of a comparison with ``=`` two characters stand for others: ``*`` for any text and ``?`` for one
character. The document knows no way to take them literally, so a text that has one of them can't be searched for.

What a message's headers and attachments say is searched for by paths: ``header.From``, ``attachment.name``.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

from ...errors import InvalidCondition, UnsupportedFilter
from ...schema import Entity, Field, Kind
from ..builder import AnyField
from ..expression import (
    And,
    Comparison,
    Constant,
    Expression,
    Not,
    Op,
    Or,
    check_path,
    describe,
    leaves,
    literal,
    shorten,
)
from ..like import Wildcard, tokens
from ..normalize import normalize
from ..values import seconds
from .base import Target, check_integer, check_text, json_number
from .ox_dialects import OPERANDS, Dialect, dialect_of, searchable

__all__ = ["attachment", "from_ox", "header", "to_ox"]

_Term: TypeAlias = list[Any]

_SYMBOLS: Final = {Op.EQ: "=", Op.NE: "<>", Op.LT: "<", Op.LE: "<=", Op.GT: ">", Op.GE: ">="}
_STRICT: Final = {Op.LE: "<", Op.GE: ">"}
_WILDCARDS: Final = {Wildcard.ANY: "*", Wildcard.ONE: "?"}


def header(name: str) -> AnyField:
    """A header of a message, to search mail by: ``header("X-Mailer") == "Thunderbird*"``.

    It is also ``F.header["X-Mailer"]``, and ``header.From`` in text.
    """
    return AnyField(check_path(f"header.{name}"))


def attachment(name: str) -> AnyField:
    """What messages have as attachments, to search mail by: ``attachment("name") == "document.pdf"``.

    It is also ``F.attachment["name"]``, and ``attachment.name`` in text. Only folders with the capability
    ``FILENAME_SEARCH`` can be searched so.
    """
    return AnyField(check_path(f"attachment.{name}"))


def to_ox(expr: Expression, module: str | Entity | None = None) -> list[Any]:
    """The search term for a condition: what is sent as ``{"filter": term}``.

    Moments become milliseconds since 1970, which is also what whole numbers are taken for; a day, as text
    ``2026-01-31``, becomes the millisecond at which it begins in UTC. Whether case counts is the server's matter.

    Args:
        expr: The condition.
        module: Where it is searched, ``"contacts"`` or ``"mail"`` for instance, or an entity of that name, whose fields
            are the ones there are. Without it names and types are not checked.

    Raises:
        UnknownField: The module has no such field to search by.
        InvalidCondition: A value doesn't fit its field.
        UnsupportedFilter: The module can't say a part of it: regular expressions, patterns that ignore case, texts with
            ``*`` or ``?``, a condition that is always or never true; all but ``=``, ``<`` and ``>`` for some modules.
    """
    dialect = dialect_of(module)
    for leaf in leaves(expr):
        _check_field(leaf, dialect)
    return _Ox(dialect).compile(normalize(_in_millis(expr, dialect), searchable(dialect)))


def from_ox(json: Any, module: str | Entity | None = None) -> Expression:
    """The condition that a search term says.

    Args:
        json: The term, ``{"filter": term}``, or the JSON text of either.
        module: Where it is searched, which tells which fields are moments.

    Raises:
        FilterError: It is no search term; the message says where.
    """
    from .ox_reader import read

    return read(json, dialect_of(module))


def _check_field(leaf: Comparison, dialect: Dialect) -> None:
    """Refuse what is no field of the module, where something better can be said than that there is none."""
    advice = dialect.instead.get(leaf.path)
    head, dot, _ = leaf.path.partition(".")
    if advice is None and dot and head in OPERANDS and head not in dialect.operands:
        advice = f"only messages have {head}s"
    if advice is not None:
        raise UnsupportedFilter(
            f"A search in {dialect.name} can't ask for {leaf.path}: {advice}", part=shorten(str(leaf))
        )


class _Ox(Target[_Term]):
    name = "A search in Open-Xchange"

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def conjunction(self, expr: And) -> _Term:
        return ["and", *[self.compile(item) for item in expr.items]]

    def disjunction(self, expr: Or) -> _Term:
        return ["or", *[self.compile(item) for item in expr.items]]

    def constant(self, expr: Constant) -> _Term:
        what = "for everything" if expr.value else "for nothing"
        raise self.refuse(expr, f"that it looks {what}", "read the folder, or send nothing")

    def comparison(self, leaf: Comparison) -> _Term:
        op = leaf.op
        if op in _SYMBOLS:
            return self._ordinary(leaf, op, leaf.value)
        if op is Op.IN or op is Op.NOT_IN:
            one = Op.EQ if op is Op.IN else Op.NE
            word = "or" if op is Op.IN else "and"
            return [word, *[self._ordinary(leaf, one, value) for value in leaf.value]]
        if op is Op.LIKE or op is Op.NOT_LIKE:
            term = ["=", _operand(leaf.path), self._pattern(leaf)]
            return term if op is Op.LIKE else ["not", term]
        if op is Op.IS_NULL or op is Op.IS_NOT_NULL:
            return self._null(leaf)
        raise self._cannot(leaf)

    def _ordinary(self, leaf: Comparison, op: Op, value: Any) -> _Term:
        operand, constant = _operand(leaf.path), self._constant(leaf, value)
        if op is Op.EQ:
            return ["=", operand, constant]
        if op is Op.NE and (self._lacks("<>") or "field" not in operand):
            return ["not", ["=", operand, constant]]
        self._check_order(leaf, op)
        if self._lacks(_SYMBOLS[op]):
            return ["or", [_STRICT[op], operand, constant], ["=", operand, constant]]
        return [_SYMBOLS[op], operand, constant]

    def _lacks(self, symbol: str) -> bool:
        return symbol not in self._dialect.operators

    def _check_order(self, leaf: Comparison, op: Op) -> None:
        if op is not Op.NE and (leaf.path in self._dialect.equal_only or "field" not in _operand(leaf.path)):
            raise self.refuse(
                leaf, f"{op.value!r} of {leaf.path}", "it can only be compared with ==, != and in_()"
            )

    def _null(self, leaf: Comparison) -> _Term:
        if self._lacks("isNull") or "field" not in _operand(leaf.path):
            raise self.refuse(
                leaf,
                f"that {leaf.path} has {'no' if leaf.op is Op.IS_NULL else 'a'} value",
                "ask for more, and filter the rows with evaluate()",
            )
        term = ["isNull", _operand(leaf.path)]
        return term if leaf.op is Op.IS_NULL else ["not", term]

    def _constant(self, leaf: Comparison, value: Any) -> Any:
        if self._dialect.kind(leaf.path) is Kind.DATE and isinstance(value, str):
            return _day(leaf, value)
        if isinstance(value, str):
            if "*" in value or "?" in value:
                raise self._wildcard(leaf, "use like() with _ in its place, which finds more")
            return check_text(value, leaf)
        if isinstance(value, bool):
            return value
        number = check_integer(value, leaf) if isinstance(value, int) else json_number(value, leaf)
        return literal(number) if self._dialect.texts else number

    def _pattern(self, leaf: Comparison) -> str:
        pieces = tokens(leaf.value)
        if any(isinstance(piece, str) and ("*" in piece or "?" in piece) for piece in pieces):
            raise self._wildcard(leaf, "put _ in its place, which finds more")
        texts = [_WILDCARDS[piece] if isinstance(piece, Wildcard) else piece for piece in pieces]
        return check_text("".join(texts), leaf)

    def _wildcard(self, leaf: Comparison, instead: str) -> UnsupportedFilter:
        return self.refuse(leaf, "'*' and '?' literally, as they stand for other text", instead)

    def _cannot(self, leaf: Comparison) -> UnsupportedFilter:
        if leaf.op in (Op.ILIKE, Op.NOT_ILIKE):
            return self.refuse(
                leaf, "whether case counts, which each server decides", "leave out ignore_case, or use like()"
            )
        return self.refuse(
            leaf, f"{leaf.op.value!r}", "use like(), with % for any text and _ for a character"
        )


def _operand(path: str) -> dict[str, str]:
    head, dot, name = path.partition(".")
    return {head: name} if dot and head in OPERANDS else {"field": path}


def _day(leaf: Comparison, text: str) -> int:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidCondition(
            f"{leaf.path} is a day, as text such as '2026-01-31', and can't be compared with {describe(text)}."
        ) from None
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def _in_millis(expr: Expression, dialect: Dialect) -> Expression:
    """The condition with each moment as its milliseconds, which are whole where it makes a difference."""
    if isinstance(expr, Comparison):
        values = expr.value if type(expr.value) is tuple else (expr.value,)
        moments = any(isinstance(value, datetime) for value in values)
        return _leaf_in_millis(expr) if moments and dialect.kind(expr.path) is not Kind.DATE else expr
    if isinstance(expr, And | Or):
        return type(expr)(tuple([_in_millis(item, dialect) for item in expr.items]))
    return Not(_in_millis(expr.item, dialect)) if isinstance(expr, Not) else expr


def _leaf_in_millis(leaf: Comparison) -> Expression:
    if type(leaf.value) is tuple:
        value: Any = tuple([_millis(item) for item in leaf.value])
    else:
        value = _millis(leaf.value)
    whole = Entity("", "", {leaf.path: Field(leaf.path, Kind.INTEGER)})
    return normalize(Comparison(leaf.path, leaf.op, value), whole)


def _millis(value: Any) -> Any:
    return Decimal(seconds(value)) * 1000 if isinstance(value, datetime) else value
