"""Search terms: ``["and", ["=", {"field": "last_name"}, "Muster*"], ["not", ["isNull", {"field": "email1"}]]]``.

A term is checked as a whole before anything is searched. Operands give any number of values (a mail
has many recipients); a comparison holds if it holds for one of them.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import attrs

from .refusals import OxError

__all__ = ["SearchGrammar", "SearchOperand", "SearchTerm", "compile_filter"]

_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_OPERATORS: Final = frozenset({"=", "<>", "<", ">", "<=", ">=", "isNull"})
_OPERAND_KINDS: Final = ("field", "attachment", "header")
_PATTERN_PIECE: Final = re.compile(r"\\(.)|(\*)|(\?)|([^\\*?]+|\\)", re.DOTALL)

OperandReader = Callable[["Operand"], Iterable[Any]]
SearchTerm = Callable[[OperandReader], bool]


@attrs.frozen
class SearchOperand:
    """A field, an attachment's property, or a header.

    Attributes:
        kind: ``"field"``, ``"attachment"`` or ``"header"``.
        name: Which.
    """

    kind: str
    name: str


@attrs.frozen(kw_only=True)
class SearchGrammar:
    """What a module lets terms say.

    Attributes:
        fields: Field → its operators.
        kinds: Which kinds of operands there are.
        code: The code of the error for anything else.
    """

    fields: Mapping[str, frozenset[str]]
    kinds: frozenset[str] = frozenset({"field"})
    code: str = "SVL-0027"

    @classmethod
    def with_operators(
        cls, names: Iterable[str], operators: Iterable[str] = _OPERATORS, **options: Any
    ) -> SearchGrammar:
        """The same operators for every field."""
        allowed = frozenset(operators)
        return cls(fields=dict.fromkeys(names, allowed), **options)

    def invalid_term(self, what: str) -> OxError:
        """An error about a term."""
        return OxError(self.code, f"the search term is invalid: {what}", params=(what,))


def compile_filter(body: Any, grammar: SearchGrammar) -> SearchTerm | None:
    """The term of a body ``{"filter": [...]}``; ``None`` where there is none.

    Raises:
        OxError: It is no term, or says what the module doesn't know.
    """
    if not isinstance(body, Mapping):
        raise grammar.invalid_term(f"{body!r} is no object with a filter")
    term = body.get("filter")
    return None if term is None else _compile_term(term, grammar)


def _compile_term(term: Any, grammar: SearchGrammar) -> SearchTerm:
    if not isinstance(term, Sequence) or isinstance(term, str) or not term or not isinstance(term[0], str):
        raise grammar.invalid_term(f"{term!r} is no array that begins with an operator")
    name, operands = term[0], term[1:]
    match name.lower():
        case "and" | "or" | "not":
            return _compile_logic(
                name.lower(), [_compile_term(operand, grammar) for operand in operands], grammar
            )
        case _:
            return _compile_comparison(name, operands, grammar)


def _compile_logic(name: str, terms: list[SearchTerm], grammar: SearchGrammar) -> SearchTerm:
    if not terms or (name == "not" and len(terms) != 1):
        raise grammar.invalid_term(f"{name} with {len(terms)} operands")
    if name == "not":
        return lambda values: not terms[0](values)
    join = all if name == "and" else any
    return lambda values: join(term(values) for term in terms)


def _compile_comparison(name: str, operands: Sequence[Any], grammar: SearchGrammar) -> SearchTerm:
    count = 1 if name == "isNull" else 2
    if name not in _OPERATORS or len(operands) != count:
        raise grammar.invalid_term(f"{name!r} with {len(operands)} operands")
    read = [_read_operand(operand, name, grammar) for operand in operands]
    first = read[0]
    if name == "isNull":
        if not isinstance(first, SearchOperand):
            raise grammar.invalid_term("isNull needs a field")
        return lambda values: all(value in (None, "") for value in values(first))
    return lambda values: any(
        _holds(name, left, right)
        for left in _operand_values(read[0], values)
        for right in _operand_values(read[1], values)
    )


def _operand_values(operand: Any, values: OperandReader) -> Iterable[Any]:
    return values(operand) if isinstance(operand, SearchOperand) else (operand,)


def _read_operand(operand: Any, comparison: str, grammar: SearchGrammar) -> Any:
    if isinstance(operand, list):
        raise grammar.invalid_term("an array is no operand of a comparison")
    if not isinstance(operand, Mapping):
        return operand
    kind = next((kind for kind in _OPERAND_KINDS if isinstance(operand.get(kind), str)), "")
    if len(operand) != 1 or kind not in grammar.kinds:
        raise grammar.invalid_term(f"{dict(operand)!r} is no operand here")
    name = operand[kind]
    if kind == "field" and comparison not in grammar.fields.get(name, ()):
        known = "there is no such field" if name not in grammar.fields else f"{comparison!r} is not possible"
        raise grammar.invalid_term(f"field {name!r}: {known}")
    return SearchOperand(kind, name)


def _holds(name: str, left: Any, right: Any) -> bool:
    if left is None or right is None:
        return False
    left, right = _coerce(left, right), _coerce(right, left)
    if name in ("=", "<>"):
        return _is_equal(left, right) is (name == "=")
    if isinstance(left, str) is not isinstance(right, str):
        return False
    return _COMPARISONS[name](_fold_case(left), _fold_case(right))


def _coerce(value: Any, other: Any) -> Any:
    """Numbers may be written as strings: ``"1024"``."""
    if isinstance(value, str) and isinstance(other, int | float):
        if isinstance(other, bool):
            return value.lower() == "true"
        try:
            return float(value) if "." in value else int(value)
        except ValueError:
            return value
    return value


def _is_equal(left: Any, right: Any) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return _compile_pattern(right).fullmatch(left) is not None
    return bool(left == right)


@lru_cache(maxsize=256)
def _compile_pattern(text: str) -> re.Pattern[str]:
    """A pattern with ``*`` and ``?``; a backslash takes their meaning away."""
    made = []
    for escaped, star, mark, plain in _PATTERN_PIECE.findall(text):
        made.append(".*" if star else "." if mark else re.escape(escaped or plain))
    return re.compile("".join(made), re.IGNORECASE | re.DOTALL)


def _fold_case(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value
