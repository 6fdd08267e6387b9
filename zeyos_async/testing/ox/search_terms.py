"""Search terms: ``["and", ["=", {"field": "last_name"}, "M*"], ["not", ["isNull", {"field": "email1"}]]]``.

Mail, files, events and contacts take the same terms with different fields. A term is compiled once into a function,
which is then called for each object with a reader of operands; the module that searches supplies the reader, so that
nothing here knows what an object is.

* A term is checked as a whole before anything is searched: a field or an operator that the module's grammar does not
  have is an error even if no object is there. Otherwise a typo would look like an empty result.
* An operand stands for any number of values (a mail has many recipients); a comparison holds if it holds for one.
* An absent value fits no comparison, ``<>`` included; only ``isNull`` finds it.
* Numbers may be written as strings, as documents do: ``"1024"``.
* Texts are compared without case. The right-hand text of ``=`` and ``<>`` is a pattern with ``*`` and ``?``; a
  backslash takes their meaning away.
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

OperandReader = Callable[["SearchOperand"], Iterable[Any]]
SearchTerm = Callable[[OperandReader], bool]


@attrs.frozen
class SearchOperand:
    """A field, an attachment's property, or a header.

    Attributes:
        kind: ``"field"``, ``"attachment"`` or ``"header"``.
        name: The name of the field, property or header.
    """

    kind: str
    name: str


@attrs.frozen(kw_only=True)
class SearchGrammar:
    """The fields and operators that a module allows in terms.

    Attributes:
        fields: Field → its operators.
        kinds: The kinds of operands that are allowed.
        code: The code of the error for anything else.
    """

    fields: Mapping[str, frozenset[str]]
    kinds: frozenset[str] = frozenset({"field"})
    code: str = "SVL-0027"

    @classmethod
    def with_operators(
        cls, names: Iterable[str], operators: Iterable[str] = _OPERATORS, **options: Any
    ) -> SearchGrammar:
        """Build a grammar that allows the same operators for every field."""
        allowed = frozenset(operators)
        return cls(fields=dict.fromkeys(names, allowed), **options)

    def invalid_term(self, problem: str) -> OxError:
        """Return the error about an invalid term."""
        return OxError(self.code, f"the search term is invalid: {problem}", params=(problem,))


def compile_filter(body: Any, grammar: SearchGrammar) -> SearchTerm | None:
    """Compile the term of a body ``{"filter": [...]}``; return ``None`` where there is none.

    Raises:
        OxError: It is no term, or has a field or operator that the module does not allow.
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
    readers = [_read_operand(operand, name, grammar) for operand in operands]
    first = readers[0]
    if name == "isNull":
        if not isinstance(first, SearchOperand):
            raise grammar.invalid_term("isNull needs a field")
        return lambda values: all(value in (None, "") for value in values(first))
    return lambda values: any(
        _holds(name, first_value, second_value)
        for first_value in _operand_values(readers[0], values)
        for second_value in _operand_values(readers[1], values)
    )


def _operand_values(operand: Any, read_values: OperandReader) -> Iterable[Any]:
    return read_values(operand) if isinstance(operand, SearchOperand) else (operand,)


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
        reason = "there is no such field" if name not in grammar.fields else f"{comparison!r} is not possible"
        raise grammar.invalid_term(f"field {name!r}: {reason}")
    return SearchOperand(kind, name)


def _holds(name: str, first: Any, second: Any) -> bool:
    # Also for "<>": the server finds no object by a field that it has not.
    if first is None or second is None:
        return False
    first, second = _coerce(first, second), _coerce(second, first)
    if name in ("=", "<>"):
        return _is_equal(first, second) is (name == "=")
    # Python can't order a text and a number; the server just does not find it.
    if isinstance(first, str) is not isinstance(second, str):
        return False
    return _COMPARISONS[name](_fold_case(first), _fold_case(second))


def _coerce(value: Any, other: Any) -> Any:
    """Return a value as the type of the other: numbers may be written as strings, such as ``"1024"``."""
    if isinstance(value, str) and isinstance(other, int | float):
        # Before the numbers: ``True`` is an ``int`` too.
        if isinstance(other, bool):
            return value.lower() == "true"
        try:
            return float(value) if "." in value else int(value)
        except ValueError:
            return value
    return value


def _is_equal(value: Any, pattern: Any) -> bool:
    if isinstance(value, str) and isinstance(pattern, str):
        return _compile_pattern(pattern).fullmatch(value) is not None
    return bool(value == pattern)


# A search compares one pattern with thousands of objects.
@lru_cache(maxsize=256)
def _compile_pattern(text: str) -> re.Pattern[str]:
    """Compile a pattern with ``*`` and ``?``; a backslash takes their meaning away."""
    pieces = []
    for escaped, any_text, any_letter, literal in _PATTERN_PIECE.findall(text):
        pieces.append(".*" if any_text else "." if any_letter else re.escape(escaped or literal))
    return re.compile("".join(pieces), re.IGNORECASE | re.DOTALL)


def _fold_case(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value
