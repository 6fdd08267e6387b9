"""Filters as text: a safe subset of Python's expressions, read by Python's own parser and never run.

::

    visibility == 0 and contact.country in ["DE", "AT"] and not lastname.ilike("%gmbh%")
    1 < amount <= 5 and lastmodified > datetime("2026-01-31T00:00:00+00:00")
    F["odd name"] is None or extdata.price == Decimal("1.50")

Names are fields, dotted; one that is no Python name stands in brackets. The calls are the methods of
``F``, and ``datetime`` and ``Decimal`` of one text. ``&``, ``|`` and ``~`` work as in Python. A field
alone where a condition is expected means ``== True``; ``true`` and ``false`` are conditions.
"""

from __future__ import annotations

import ast
import keyword
import re
import warnings
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final, TypeAlias, cast

from ..errors import FilterError, FilterSyntaxError, InvalidCondition, suggest
from .builder import AnyField
from .expression import (
    FALSE,
    LIKE_OPS,
    LIST_OPS,
    NULL_OPS,
    TRUE,
    And,
    Comparison,
    Constant,
    Expression,
    Not,
    Op,
    Or,
    all_of,
    any_of,
    describe,
    literal,
    shorten,
)

__all__ = ["MAX_LENGTH", "parse", "to_text"]

MAX_LENGTH: Final = 1_000_000
"""How long a text may be, in characters."""

_RESERVED: Final = frozenset({"F", "true", "false", "null", "datetime", "Decimal"})
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_UNREADABLE: Final = re.compile("[\0\ud800-\udfff]")
"""What Python's parser refuses: NUL, and lone surrogates. Inside quotes they are written as escapes."""
_METHODS: Final = frozenset(
    [
        "like",
        "ilike",
        "not_like",
        "not_ilike",
        "matches",
        "not_matches",
        "contains",
        "startswith",
        "endswith",
        "in_",
        "not_in",
        "between",
        "is_null",
        "is_not_null",
    ]
)


# --- writing -------------------------------------------------------------------------------------


def to_text(expr: Expression) -> str:
    """The text form, which :func:`parse` reads back to an equal condition."""
    if isinstance(expr, Comparison):
        return _leaf_text(expr)
    if isinstance(expr, And):
        return " and ".join(_inside(item, Or, And) for item in expr.items)
    if isinstance(expr, Or):
        return " or ".join(_inside(item, Or) for item in expr.items)
    if isinstance(expr, Not):
        return f"not ({to_text(expr.item)})"
    return "true" if isinstance(expr, Constant) and expr.value else "false"


def _inside(expr: Expression, *looser: type[Expression]) -> str:
    """The text of an operand, in parentheses where the operator around it binds as tightly or tighter."""
    return f"({to_text(expr)})" if isinstance(expr, looser) else to_text(expr)


def _leaf_text(leaf: Comparison) -> str:
    path, op = _path_text(leaf.path), leaf.op
    if op in NULL_OPS:
        return f"{path} {op}"
    if op in LIST_OPS:
        return f"{path} {op} [{', '.join(map(_value_text, leaf.value))}]"
    if op in LIKE_OPS:
        return f"{path}.{op}({leaf.value!r})"
    if op in _REGEX_CALLS:
        method, flag = _REGEX_CALLS[op]
        return f"{path}.{method}({leaf.value!r}{flag})"
    return f"{path} {op} {_value_text(leaf.value)}"


_REGEX_CALLS: Final = {
    Op.MATCHES: ("matches", ""),
    Op.IMATCHES: ("matches", ", ignore_case=True"),
    Op.NOT_MATCHES: ("not_matches", ""),
    Op.NOT_IMATCHES: ("not_matches", ", ignore_case=True"),
}


def _path_text(path: str) -> str:
    parts = path.split(".")
    plain = all(_NAME.match(part) and not keyword.iskeyword(part) and not _is_mangled(part) for part in parts)
    return path if plain and parts[0] not in _RESERVED else f"F[{path!r}]"


def _is_mangled(name: str) -> bool:
    """Whether the name would be read as a keyword with an underscore added."""
    return name.endswith("_") and keyword.iskeyword(name[:-1])


def _value_text(value: Any) -> str:
    if isinstance(value, datetime):
        return f'datetime("{value.isoformat()}")'
    if isinstance(value, Decimal):
        return f'Decimal("{value}")'
    return literal(value)


# --- reading -------------------------------------------------------------------------------------


def parse(text: str) -> Expression:
    """The condition that a text says. Nothing in the text is run.

    Args:
        text: One condition, which may go over several lines.

    Raises:
        FilterSyntaxError: It says no condition; the error has the position.
        InvalidCondition: It is no text.
    """
    if not isinstance(text, str):
        raise InvalidCondition(f"A filter's text form is text, not {describe(text)}.")
    return _parse_again(text) if len(text) <= _REMEMBERED_LENGTH else _Reader(text).read()


_REMEMBERED_LENGTH: Final = 1000


@lru_cache(maxsize=256)
def _parse_again(text: str) -> Expression:
    return _Reader(text).read()


_Node: TypeAlias = ast.expr

_SYMBOLS: Final[dict[type[ast.cmpop], str]] = {
    ast.Eq: "__eq__",
    ast.NotEq: "__ne__",
    ast.Is: "__eq__",
    ast.IsNot: "__ne__",
    ast.Lt: "__lt__",
    ast.LtE: "__le__",
    ast.Gt: "__gt__",
    ast.GtE: "__ge__",
}
_MIRRORED: Final = {"__lt__": "__gt__", "__le__": "__ge__", "__gt__": "__lt__", "__ge__": "__le__"}


class _Reader:
    """Reads one text. Python's parser gives the tree, and this gives each node its meaning or an error."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.shift = 0  # how many characters stand before the first line for Python, but not for the user

    def read(self) -> Expression:
        if len(self.text) > MAX_LENGTH:
            raise FilterSyntaxError(f"The filter is longer than {MAX_LENGTH} characters", text="", position=0)
        if not self.text.strip():
            raise FilterSyntaxError("The filter is empty", text=self.text, position=0)
        if odd := _UNREADABLE.search(self.text):
            raise FilterSyntaxError("A character that no text can have", text=self.text, position=odd.start())
        try:
            return self.condition(self._tree())
        except (RecursionError, MemoryError):
            error = FilterSyntaxError("The filter is nested too deeply", text=self.text, position=0)
        raise error

    def _tree(self) -> _Node:
        if not _LINE_END.search(self.text):
            bare = self.text.lstrip(" \t")
            self.shift = len(bare) - len(self.text)
            return self._python(bare)
        # In parentheses, so that it may go over several lines. A root that starts at our own parenthesis shows
        # that the text closes it by itself, as "a) or (b" does.
        self.shift = 1
        root = self._python(f"({self.text}\n)")
        if root.lineno == 1 and root.col_offset == 0 and not isinstance(root, ast.Tuple | ast.GeneratorExp):
            raise FilterSyntaxError("The parentheses don't match", text=self.text, position=0)
        return root

    def _python(self, source: str) -> _Node:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore"
                )  # of a backslash that escapes nothing: Python keeps it, and so do we
                return ast.parse(source, mode="eval").body
        except SyntaxError as error:
            position = self._index(error.lineno or 1, error.offset - 1) if error.offset else len(self.text)
            message = _syntax_message(error, self.text[position : position + 1])
            raise FilterSyntaxError(message, text=self.text, position=position) from None

    # --- positions

    def _index(self, line: int, column: int) -> int:
        """The index in the user's text of a column, counted in characters, of a line, counted from 1."""
        position = self._line_start(line) + column - (self.shift if line == 1 else 0)
        return max(0, min(position, len(self.text)))

    def _line_start(self, line: int) -> int:
        ends = [0, *(match.end() for match in _LINE_END.finditer(self.text))]
        return ends[line - 1] if line <= len(ends) else len(self.text)

    def _position(self, node: _Node) -> int:
        """Python counts a node's column in bytes of UTF-8."""
        start = self._line_start(node.lineno)
        in_bytes = node.col_offset - (self.shift if node.lineno == 1 else 0)
        before = self.text[start:].encode("utf-8", "surrogatepass")[:in_bytes]
        return start + len(before.decode("utf-8", "surrogatepass"))

    def _error(self, message: str, node: _Node) -> FilterSyntaxError:
        return FilterSyntaxError(message, text=self.text, position=self._position(node))

    # --- conditions

    def condition(self, node: _Node) -> Expression:
        try:
            return self._condition(node)
        except FilterSyntaxError:
            raise
        except FilterError as error:
            raise self._error(str(error), node) from error

    def _condition(self, node: _Node) -> Expression:
        if isinstance(node, ast.BoolOp):
            kind = And if isinstance(node.op, ast.And) else Or
            return kind(tuple([self.condition(value) for value in node.values]))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert):
            return Not(self.condition(node.operand))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
            return self._chain(node)
        if isinstance(node, ast.Compare):
            return self._comparison(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            return self._call(node, node.func)
        return self._single(node)

    def _chain(self, node: ast.BinOp) -> Expression:
        """``a & b & c``, which Python nests to the left, in one list."""
        kind = type(node.op)
        operands: list[_Node] = []
        rest: _Node = node
        while isinstance(rest, ast.BinOp) and type(rest.op) is kind:
            operands.append(rest.right)
            rest = rest.left
        items = [self.condition(part) for part in (rest, *reversed(operands))]
        return all_of(items) if kind is ast.BitAnd else any_of(items)

    def _single(self, node: _Node) -> Expression:
        """A constant, or a field alone."""
        name = node.id if isinstance(node, ast.Name) else None
        value = node.value if isinstance(node, ast.Constant) else None
        if name in ("true", "false") or isinstance(value, bool):
            return TRUE if name == "true" or value is True else FALSE
        path = self._path(node)
        if path is None:
            raise self._error(_not_a_condition(node), node)
        return Comparison(path, Op.EQ, True)

    def _comparison(self, node: ast.Compare) -> Expression:
        operands = [node.left, *node.comparators]
        links = [
            self._link(node, left, op, right)
            for left, op, right in zip(operands, node.ops, operands[1:], strict=False)
        ]
        return links[0] if len(links) == 1 else And(tuple(links))

    def _link(self, node: ast.Compare, left: _Node, op: ast.cmpop, right: _Node) -> Expression:
        path, other = self._path(left), self._path(right)
        if path is not None and other is not None:
            raise self._error("Two fields can't be compared with each other", right)
        if isinstance(op, ast.In | ast.NotIn):
            return self._membership(path, left, op, right)
        if path is None and other is None:
            raise self._error(_no_field(node), left)
        method = _SYMBOLS[type(op)]
        field, literal = (path, right) if path is not None else (other, left)
        if path is None:
            method = _MIRRORED.get(method, method)
        value = self.value(literal)
        if isinstance(op, ast.Is | ast.IsNot) and value is not None:
            raise self._error("`is` goes with None only; use ==", literal)
        return self._apply(literal, cast(str, field), method, (value,), {})

    def _membership(self, path: str | None, left: _Node, op: ast.cmpop, right: _Node) -> Expression:
        if path is None:
            raise self._error(
                "`in` needs a field on its left; for text inside a field use .contains(…)", left
            )
        method = "in_" if isinstance(op, ast.In) else "not_in"
        return self._apply(right, path, method, (self.value(right),), {})

    def _call(self, node: ast.Call, func: ast.Attribute) -> Expression:
        path = self._path(func.value)
        if path is None:
            raise self._error("Only a field has methods", func.value)
        if func.attr not in _METHODS:
            raise self._error(f"There is no method {func.attr!r}.{suggest(func.attr, _METHODS)}", node)
        if any(keyword.arg is None for keyword in node.keywords):
            raise self._error("** is not understood here", node)
        values = tuple([self.value(argument) for argument in node.args])
        named = {cast(str, keyword.arg): self.value(keyword.value) for keyword in node.keywords}
        return self._apply(node, path, func.attr, values, named)

    def _apply(
        self, node: _Node, path: str, method: str, values: tuple[Any, ...], named: dict[str, Any]
    ) -> Expression:
        """What the method of ``F`` makes of it."""
        try:
            return cast(Expression, getattr(AnyField(path), method)(*values, **named))
        except FilterError as error:
            raise self._error(str(error), node) from error
        except TypeError as error:
            raise self._error(f"{method}: {str(error).partition('() ')[2] or error}", node) from error

    # --- fields and values

    def _path(self, node: _Node) -> str | None:
        """The dotted path that a node names, or ``None`` for anything else."""
        if isinstance(node, ast.Name):
            return None if node.id in _RESERVED else _unmangled(node.id)
        if isinstance(node, ast.Attribute):
            if _is_root(node.value):
                return _unmangled(node.attr)
            head = self._path(node.value)
            return head and f"{head}.{_unmangled(node.attr)}"
        if isinstance(node, ast.Subscript):
            return self._subscript(node)
        return None

    def _subscript(self, node: ast.Subscript) -> str | None:
        head = "" if _is_root(node.value) else self._path(node.value)
        if head is None:
            return None
        name = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if not isinstance(name, str) or "" in name.split("."):
            raise self._error("Brackets hold the name of a field, as text", node.slice)
        return f"{head}.{name}" if head else name

    def value(self, node: _Node) -> Any:
        """The value of a literal."""
        if isinstance(node, ast.Constant):
            if node.value is None or isinstance(node.value, str | int | float):
                return node.value
        elif isinstance(node, ast.List | ast.Tuple | ast.Set):
            return [self.value(item) for item in node.elts]
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            number = self.value(node.operand)
            if isinstance(number, int | float | Decimal) and not isinstance(number, bool):
                return -number if isinstance(node.op, ast.USub) else number
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CONSTRUCTORS:
            return self._constructed(node, node.func.id)
        elif isinstance(node, ast.Name) and node.id in _NAMED_VALUES:
            return _NAMED_VALUES[node.id]
        raise self._error(_not_a_value(node), node)

    def _constructed(self, node: ast.Call, name: str) -> Any:
        only = node.args[0] if len(node.args) == 1 and not node.keywords else None
        if not isinstance(only, ast.Constant) or not isinstance(only.value, str):
            raise self._error(f"{name} takes one text: {_CONSTRUCTORS[name][1]}", node)
        try:
            return _CONSTRUCTORS[name][0](only.value)
        except (ValueError, InvalidOperation, OverflowError) as error:
            why = "has no timezone, so it names no moment" if isinstance(error, _Naive) else f"is no {name}"
            raise self._error(f"{only.value!r} {why}; write {_CONSTRUCTORS[name][1]}", only) from error


class _Naive(ValueError):
    """A date and time without its offset from UTC."""


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() is None:
        raise _Naive
    return moment


_NAMED_VALUES: Final = {"true": True, "false": False, "null": None}
_CONSTRUCTORS: Final[dict[str, tuple[Callable[[str], Any], str]]] = {
    "datetime": (_moment, 'datetime("2026-01-31T00:00:00+00:00")'),
    "Decimal": (Decimal, 'Decimal("1.50")'),
}


def _is_root(node: _Node) -> bool:
    return isinstance(node, ast.Name) and node.id == "F"


def _unmangled(name: str) -> str:
    return name[:-1] if _is_mangled(name) else name


def _syntax_message(error: SyntaxError, found: str) -> str:
    if found == "=" or ":=" in error.msg or error.msg.startswith("cannot assign"):
        return "A comparison is written with =="
    if "indent" in error.msg:
        return "The condition ends before this line"
    message = re.split(r" \(detected at line|\. (?:Perhaps|Maybe)", error.msg)[0]
    return message[:1].upper() + message[1:]


def _not_a_condition(node: _Node) -> str:
    if isinstance(node, ast.Tuple):
        return "One condition is expected, not several; combine them with `and`"
    if isinstance(node, ast.Call):
        return "A call is a method of a field, as in lastname.ilike('%a%')"
    if isinstance(node, ast.Constant):
        return f"{shorten(literal(node.value))} is a value, not a condition; & and | bind tighter than ==, so use `and` and `or`"
    return f"A condition can't be made of {_kind(node)}"


def _not_a_value(node: _Node) -> str:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
        return "& and | bind tighter than ==: use `and` and `or`, or parentheses around each condition"
    return f"A value can't be made of {_kind(node)}; values are texts, numbers, True, False, None, datetime(…), Decimal(…)"


def _no_field(node: ast.Compare) -> str:
    operands = (node.left, *node.comparators)
    tight = [
        part
        for part in operands
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.BitAnd | ast.BitOr)
    ]
    return _not_a_value(tight[0]) if tight else "A comparison needs a field on one side, alone"


def _kind(node: _Node) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(node).__name__).lower()
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
