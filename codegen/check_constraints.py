"""Reads the conditions of a PostgreSQL CHECK constraint into plain trees.

A tree is a scalar (a literal) or a list whose first item names the node::

    ["col", name]                      a column
    ["and" | "or", tree, …]            ["not", tree]
    ["=" | "<>" | "<" | "<=" | ">" | ">=" | "~" | "!~", left, right]
    ["null" | "notnull", tree]         ["distinct", left, right]
    ["in" | "notin", tree, [literal, …]]
    ["case", subject or None, [[when, then], …], otherwise]
    ["call", function, tree, …]

Only what the vendor's tables use is understood; anything else is an error, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

__all__ = ["parse_check"]

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<string>'(?:[^']|'')*')|(?P<number>\d+(?:\.\d+)?)|(?P<quoted>"[^"]+")"""
    r"""|(?P<word>[A-Za-z_]\w*)|(?P<operator>::|<>|<=|>=|!~|[-=<>~(),\[\]]))"""
)
_COMPARISONS: Final = frozenset({"=", "<>", "<", "<=", ">", ">=", "~", "!~"})
_NUMERIC: Final = frozenset({"smallint", "integer", "bigint", "double precision"})
_DROPPED: Final = frozenset({"text", "t_entity", "character varying"})


def parse_check(definition: str, column: str | None = None) -> Any:
    """Return the tree of a constraint's definition.

    Args:
        definition: ``CHECK (…)`` as the database prints it.
        column: The column that ``VALUE`` stands for, where the rule belongs to a domain.

    Raises:
        ValueError: A construct that this reader does not know.
    """
    parser = _Parser(list(_tokens(definition)), column)
    parser.expect("CHECK")
    tree = parser.disjunction()
    if parser.peek() is not None:
        raise ValueError(f"unexpected {parser.peek()!r} in {definition!r}")
    return tree


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise ValueError(f"can't read {text[position:]!r}")
        yield match.lastgroup, match.group(match.lastgroup)
        position = match.end()


class _Parser:
    """Recursive descent over the tokens, lowest precedence first."""

    def __init__(self, tokens: list[tuple[str, str]], column: str | None) -> None:
        self._tokens = tokens
        self._at = 0
        self._column = column

    def peek(self) -> str | None:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else None

    def take(self) -> tuple[str, str]:
        self._at += 1
        return self._tokens[self._at - 1]

    def accept(self, *texts: str) -> bool:
        following = [text for _, text in self._tokens[self._at : self._at + len(texts)]]
        if following != list(texts):
            return False
        self._at += len(texts)
        return True

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise ValueError(f"expected {text!r}, found {self.peek()!r}")

    def disjunction(self) -> Any:
        return self._joined("OR", self._conjunction)

    def _conjunction(self) -> Any:
        return self._joined("AND", self._negation)

    def _joined(self, word: str, operand: Any) -> Any:
        parts = [operand()]
        while self.accept(word):
            parts.append(operand())
        return parts[0] if len(parts) == 1 else [word.lower(), *parts]

    def _negation(self) -> Any:
        return ["not", self._negation()] if self.accept("NOT") else self._comparison()

    def _comparison(self) -> Any:
        operand = self._operand()
        if self.accept("IS", "NOT", "NULL"):
            return ["notnull", operand]
        if self.accept("IS", "NULL"):
            return ["null", operand]
        if self.accept("IS", "DISTINCT", "FROM"):
            return ["distinct", operand, self._operand()]
        operator = self.peek()
        if operator not in _COMPARISONS:
            return operand
        self.take()
        # The database prints IN as `= ANY (ARRAY[…])`, and NOT IN as `<> ALL (ARRAY[…])`.
        if self.accept("ANY") or self.accept("ALL"):
            return ["in" if operator == "=" else "notin", operand, self._array()]
        return [operator, operand, self._operand()]

    def _array(self) -> list[Any]:
        for text in ("(", "ARRAY", "["):
            self.expect(text)
        items = [self._operand()]
        while self.accept(","):
            items.append(self._operand())
        self.expect("]")
        self.expect(")")
        return items

    def _operand(self) -> Any:
        value = self._primary()
        while self.accept("::"):
            value = self._cast(value)
        return value

    def _cast(self, value: Any) -> Any:
        kind = self.take()[1]
        # The one type of two words; its second is a token of its own.
        if kind == "double":
            self.expect("precision")
            kind = "double precision"
        # Negative numbers are printed as text with a cast: '-1'::integer.
        if kind in _NUMERIC:
            return int(value) if isinstance(value, str) else value
        if kind == "jsonb":
            return value if isinstance(value, str) else ["call", "jsonb", value]
        if kind not in _DROPPED:
            raise ValueError(f"unknown type {kind!r}")
        return value

    def _primary(self) -> Any:
        kind, text = self.take()
        if text == "(":
            tree = self.disjunction()
            self.expect(")")
            return tree
        if kind == "string":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return float(text) if "." in text else int(text)
        if kind == "quoted":
            return ["col", text[1:-1]]
        if kind != "word":
            raise ValueError(f"unexpected {text!r}")
        return self._named(text)

    def _named(self, word: str) -> Any:
        if word == "CASE":
            return self._case()
        if self.accept("("):
            return self._call(word)
        if word != "VALUE":
            return ["col", word]
        if self._column is None:
            raise ValueError("VALUE outside of a domain")
        return ["col", self._column]

    def _call(self, name: str) -> list[Any]:
        arguments = [self.disjunction()]
        while self.accept(","):
            arguments.append(self.disjunction())
        self.expect(")")
        return ["call", name, *arguments]

    def _case(self) -> list[Any]:
        subject = None if self.peek() == "WHEN" else self._operand()
        branches: list[Any] = []
        while self.accept("WHEN"):
            when = self.disjunction()
            self.expect("THEN")
            branches.append([when, self.disjunction()])
        self.expect("ELSE")
        otherwise = self.disjunction()
        self.expect("END")
        return ["case", subject, branches, otherwise]
