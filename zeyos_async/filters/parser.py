"""Filters as text: a safe subset of Python's expressions, read by Python's own parser and never run.

::

    visibility == 0 and contact.country in ["DE", "AT"] and not lastname.ilike("%gmbh%")
    1 < amount <= 5 and lastmodified > datetime("2026-01-31T00:00:00+00:00")
    F["odd name"] is None or extdata.price == Decimal("1.50")

Names are fields, dotted; one that is no Python name stands in brackets. The calls are the methods of
``F``, and ``datetime`` and ``Decimal`` of one text. ``&``, ``|`` and ``~`` work as in Python. A field of true
and false, alone where a condition is expected, means ``== True``; ``true`` and ``false`` are conditions.

Python's parser makes the tree and refuses what is no Python; this module gives each node of the tree its meaning,
or an error that points into the user's own text. A node that has no meaning here is an error, so nothing of
Python can come in that was not thought of: no names are looked up, nothing is called but the methods of
``AnyField`` that ``_METHODS`` lists, with literal arguments.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final, TypeAlias, cast

from ..errors import FilterError, FilterSyntaxError, InvalidCondition, suggest
from .display import describe, shorten, to_literal
from .expression import FALSE, TRUE, And, Comparison, Expression, Not, Op, Or, all_of, any_of
from .field_ref import AnyField
from .printer import RESERVED_NAMES, is_mangled

__all__ = ["MAX_LENGTH", "parse"]

MAX_LENGTH: Final = 1_000_000
"""Characters that a text may have."""

_MAX_BITS: Final = 65_536
"""Bits of a whole number. A hexadecimal one of a million digits takes a minute to be compared with a decimal."""

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_FORBIDDEN: Final = re.compile("[\0\ud800-\udfff]")
"""Characters that Python's parser refuses: NUL, and lone surrogates. Inside quotes they are written as escapes."""
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


def parse(text: str) -> Expression:
    """Return the condition that a text says. Nothing in the text is run.

    Args:
        text: One condition, which may go over several lines.

    Raises:
        FilterSyntaxError: It says no condition; the error has the position.
        InvalidCondition: The argument is no text.
    """
    if not isinstance(text, str):
        raise InvalidCondition(f"A filter's text form is text, not {describe(text)}.")
    return _parse_cached(text) if len(text) <= _MAX_CACHED_LENGTH else _Parser(text).parse()


_MAX_CACHED_LENGTH: Final = 1000
"""Characters of the longest text whose condition is remembered: long ones are seldom the same."""


@lru_cache(maxsize=256)
def _parse_cached(text: str) -> Expression:
    return _Parser(text).parse()


_Node: TypeAlias = ast.expr

_COMPARISON_METHODS: Final[dict[type[ast.cmpop], str]] = {
    ast.Eq: "__eq__",
    ast.NotEq: "__ne__",
    ast.Is: "__eq__",
    ast.IsNot: "__ne__",
    ast.Lt: "__lt__",
    ast.LtE: "__le__",
    ast.Gt: "__gt__",
    ast.GtE: "__ge__",
}
_MIRRORED_METHODS: Final = {"__lt__": "__gt__", "__le__": "__ge__", "__gt__": "__lt__", "__ge__": "__le__"}


class _Parser:
    """A parser of one text: gives each node of Python's tree its meaning, or an error with its position."""

    def __init__(self, text: str) -> None:
        self.text = text
        # Characters that stand before the first line for Python, but not for the user; subtracted from columns.
        self.column_shift = 0

    def parse(self) -> Expression:
        """Return the condition that the whole text says.

        Raises:
            FilterSyntaxError: It says none.
        """
        if len(self.text) > MAX_LENGTH:
            raise FilterSyntaxError(f"The filter is longer than {MAX_LENGTH} characters", text="", position=0)
        if not self.text.strip():
            raise FilterSyntaxError("The filter is empty", text=self.text, position=0)
        if match := _FORBIDDEN.search(self.text):
            raise FilterSyntaxError(
                "A character that no text can have", text=self.text, position=match.start()
            )
        try:
            return self.parse_condition(self._parse_tree())
        except (RecursionError, MemoryError):  # a MemoryError is how Python's parser tells of deep nesting
            error = FilterSyntaxError("The filter is nested too deeply", text=self.text, position=0)
        raise error  # outside the except, so that thousands of frames are not kept with it

    def _parse_tree(self) -> _Node:
        """Return Python's tree of the text, and note by how much its columns differ from the user's."""
        if not _LINE_END.search(self.text):
            stripped = self.text.lstrip(" \t")  # Python would take blanks at the start for an indentation
            self.column_shift = len(stripped) - len(self.text)
            return self._parse_python(stripped)
        # In parentheses, so that it may go over several lines. A root that starts at our own parenthesis shows
        # that the text closes it by itself, as "a) or (b" does.
        self.column_shift = 1
        root = self._parse_python(f"({self.text}\n)")
        if root.lineno == 1 and root.col_offset == 0 and not isinstance(root, ast.Tuple | ast.GeneratorExp):
            raise FilterSyntaxError("The parentheses don't match", text=self.text, position=0)
        return root

    def _parse_python(self, source: str) -> _Node:
        try:
            with warnings.catch_warnings():
                # Python warns of a backslash that escapes nothing, and keeps it; so do we.
                warnings.simplefilter("ignore")
                return ast.parse(source, mode="eval").body
        except SyntaxError as error:
            position = (
                self._text_index(error.lineno or 1, error.offset - 1) if error.offset else len(self.text)
            )
            message = _syntax_message(error, self.text[position : position + 1])
            raise FilterSyntaxError(message, text=self.text, position=position) from None

    # --- positions

    def _text_index(self, line: int, column: int) -> int:
        """Return the index in the user's text of a line, counted from 1, and a column, counted in characters."""
        position = self._line_start(line) + column - (self.column_shift if line == 1 else 0)
        return max(0, min(position, len(self.text)))

    def _line_start(self, line: int) -> int:
        ends = [0, *(match.end() for match in _LINE_END.finditer(self.text))]
        return ends[line - 1] if line <= len(ends) else len(self.text)

    def _node_position(self, node: _Node) -> int:
        """Return the index in the user's text at which a node starts."""
        start = self._line_start(node.lineno)
        # Python counts the columns of nodes in bytes of UTF-8, and those of its errors in characters.
        byte_column = node.col_offset - (self.column_shift if node.lineno == 1 else 0)
        before = self.text[start:].encode("utf-8", "surrogatepass")[:byte_column]
        return start + len(before.decode("utf-8", "surrogatepass"))

    def _error(self, message: str, node: _Node) -> FilterSyntaxError:
        return FilterSyntaxError(message, text=self.text, position=self._node_position(node))

    # --- conditions

    def parse_condition(self, node: _Node) -> Expression:
        """Return the condition that a node says; errors from below get the node's position."""
        try:
            return self._parse_node(node)
        except FilterSyntaxError:
            raise
        except FilterError as error:
            raise self._error(str(error), node) from error

    def _parse_node(self, node: _Node) -> Expression:
        if isinstance(node, ast.BoolOp):
            kind = And if isinstance(node.op, ast.And) else Or
            return kind(tuple([self.parse_condition(value) for value in node.values]))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert):
            return Not(self.parse_condition(node.operand))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
            return self._parse_chain(node)
        if isinstance(node, ast.Compare):
            return self._parse_comparison(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            return self._parse_call(node, node.func)
        return self._parse_single(node)

    def _parse_chain(self, node: ast.BinOp) -> Expression:
        """Parse ``a & b & c``, which Python nests to the left, into one flat AND (or OR)."""
        kind = type(node.op)
        operands: list[_Node] = []
        rest: _Node = node
        while isinstance(rest, ast.BinOp) and type(rest.op) is kind:
            operands.append(rest.right)
            rest = rest.left
        items = [self.parse_condition(operand) for operand in (rest, *reversed(operands))]
        return all_of(items) if kind is ast.BitAnd else any_of(items)

    def _parse_single(self, node: _Node) -> Expression:
        """Parse a constant, or a field alone."""
        name = node.id if isinstance(node, ast.Name) else None
        value = node.value if isinstance(node, ast.Constant) else None
        if name in ("true", "false") or isinstance(value, bool):
            return TRUE if name == "true" or value is True else FALSE
        path = self._field_path(node)
        if path is None:
            raise self._error(_explain_no_condition(node), node)
        return Comparison(path, Op.EQ, True, True)

    def _parse_comparison(self, node: ast.Compare) -> Expression:
        operands = [node.left, *node.comparators]
        pairs = [
            self._parse_pair(node, first, op, second)
            for first, op, second in zip(operands, node.ops, operands[1:], strict=False)
        ]
        return pairs[0] if len(pairs) == 1 else And(tuple(pairs))

    def _parse_pair(self, node: ast.Compare, first: _Node, op: ast.cmpop, second: _Node) -> Expression:
        """Parse one comparison of a chain: a field on one side, and a value on the other."""
        first_path, second_path = self._field_path(first), self._field_path(second)
        if first_path is not None and second_path is not None:
            raise self._error("Two fields can't be compared with each other", second)
        if isinstance(op, ast.In | ast.NotIn):
            return self._parse_membership(first_path, first, op, second)
        if first_path is None and second_path is None:
            raise self._error(_explain_no_field(node), first)
        method = _COMPARISON_METHODS[type(op)]
        path, literal = (first_path, second) if first_path is not None else (second_path, first)
        if first_path is None:
            method = _MIRRORED_METHODS.get(method, method)  # 5 < x is x > 5
        value = self.parse_value(literal)
        if isinstance(op, ast.Is | ast.IsNot) and value is not None:
            raise self._error("`is` goes with None only; use ==", literal)
        return self._call_method(literal, cast(str, path), method, (value,), {})

    def _parse_membership(self, path: str | None, operand: _Node, op: ast.cmpop, values: _Node) -> Expression:
        if path is None:
            raise self._error(
                "`in` needs a field on its left; for text inside a field use .contains(…)", operand
            )
        method = "in_" if isinstance(op, ast.In) else "not_in"
        return self._call_method(values, path, method, (self.parse_value(values),), {})

    def _parse_call(self, node: ast.Call, func: ast.Attribute) -> Expression:
        path = self._field_path(func.value)
        if path is None:
            raise self._error("Only a field has methods", func.value)
        if func.attr not in _METHODS:
            raise self._error(f"There is no method {func.attr!r}.{suggest(func.attr, _METHODS)}", node)
        if any(keyword.arg is None for keyword in node.keywords):
            raise self._error("** is not understood here", node)
        values = tuple([self.parse_value(argument) for argument in node.args])
        named = {cast(str, keyword.arg): self.parse_value(keyword.value) for keyword in node.keywords}
        return self._call_method(node, path, func.attr, values, named)

    def _call_method(
        self, node: _Node, path: str, method: str, values: tuple[Any, ...], named: dict[str, Any]
    ) -> Expression:
        """Return the condition that a method of ``AnyField`` makes of the values; its errors get a position."""
        try:
            return cast(Expression, getattr(AnyField(path), method)(*values, **named))
        except FilterError as error:
            raise self._error(str(error), node) from error
        except TypeError as error:
            # Python's message begins with the method's qualified name, which says nothing to the user.
            raise self._error(f"{method}: {str(error).partition('() ')[2] or error}", node) from error

    # --- fields and values

    def _field_path(self, node: _Node) -> str | None:
        """Return the dotted path that a node names, or ``None`` for anything else."""
        if isinstance(node, ast.Name):
            return None if node.id in RESERVED_NAMES else _unmangle(node.id)
        if isinstance(node, ast.Attribute):
            if _is_root(node.value):
                return _unmangle(node.attr)
            head = self._field_path(node.value)
            return head and f"{head}.{_unmangle(node.attr)}"
        if isinstance(node, ast.Subscript):
            return self._subscript_path(node)
        return None

    def _subscript_path(self, node: ast.Subscript) -> str | None:
        head = "" if _is_root(node.value) else self._field_path(node.value)
        if head is None:
            return None
        name = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if not isinstance(name, str) or "" in name.split("."):
            raise self._error("Brackets hold the name of a field, as text", node.slice)
        return f"{head}.{name}" if head else name

    def parse_value(self, node: _Node) -> Any:
        """Return the value of a literal, a list of literals, or a call of a constructor."""
        if isinstance(node, ast.Constant):
            if isinstance(node.value, int) and node.value.bit_length() > _MAX_BITS:
                raise self._error("The number is larger than any API takes", node)
            if node.value is None or isinstance(node.value, str | int | float):
                return node.value
        elif isinstance(node, ast.List | ast.Tuple | ast.Set):
            return [self.parse_value(item) for item in node.elts]
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            number = self.parse_value(node.operand)
            if isinstance(number, int | float | Decimal) and not isinstance(number, bool):
                negate = number.copy_negate if isinstance(number, Decimal) else number.__neg__
                return negate() if isinstance(node.op, ast.USub) else number  # -Decimal(…) would round it
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CONSTRUCTORS:
            return self._parse_constructor(node, node.func.id)
        elif isinstance(node, ast.Name) and node.id in _NAMED_VALUES:
            return _NAMED_VALUES[node.id]
        raise self._error(_explain_no_value(node), node)

    def _parse_constructor(self, node: ast.Call, name: str) -> Any:
        argument = node.args[0] if len(node.args) == 1 and not node.keywords else None
        if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
            raise self._error(f"{name} takes one text: {_CONSTRUCTORS[name][1]}", node)
        try:
            return _CONSTRUCTORS[name][0](argument.value)
        except (ValueError, InvalidOperation, OverflowError) as error:
            reason = (
                "has no timezone, so it names no moment"
                if isinstance(error, _NaiveDatetime)
                else f"is no {name}"
            )
            raise self._error(
                f"{argument.value!r} {reason}; write {_CONSTRUCTORS[name][1]}", argument
            ) from error


class _NaiveDatetime(ValueError):
    """A date and time without its offset from UTC."""


def _parse_datetime(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() is None:
        raise _NaiveDatetime
    return moment


_NAMED_VALUES: Final = {"true": True, "false": False, "null": None}
_CONSTRUCTORS: Final[dict[str, tuple[Callable[[str], Any], str]]] = {
    "datetime": (_parse_datetime, 'datetime("2026-01-31T00:00:00+00:00")'),
    "Decimal": (Decimal, 'Decimal("1.50")'),
}


def _is_root(node: _Node) -> bool:
    return isinstance(node, ast.Name) and node.id == "F"


def _unmangle(name: str) -> str:
    return name[:-1] if is_mangled(name) else name


def _syntax_message(error: SyntaxError, character: str) -> str:
    """Return our message for an error of Python's parser at a character of the text."""
    if character == "=" or ":=" in error.msg or error.msg.startswith("cannot assign"):
        return "A comparison is written with =="
    if "indent" in error.msg:
        return "The condition ends before this line"
    message = re.split(r" \(detected at line|\. (?:Perhaps|Maybe)", error.msg)[0]
    return message[:1].upper() + message[1:]


def _explain_no_condition(node: _Node) -> str:
    if isinstance(node, ast.Tuple):
        return "One condition is expected, not several; combine them with `and`"
    if isinstance(node, ast.Call):
        return "A call is a method of a field, as in lastname.ilike('%a%')"
    if isinstance(node, ast.Constant):
        return f"{shorten(to_literal(node.value))} is a value, not a condition; & and | bind tighter than ==, so use `and` and `or`"
    return f"A condition can't be made of {_describe_node(node)}"


def _explain_no_value(node: _Node) -> str:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
        return "& and | bind tighter than ==: use `and` and `or`, or parentheses around each condition"
    return f"A value can't be made of {_describe_node(node)}; values are texts, numbers, True, False, None, datetime(…), Decimal(…)"


def _explain_no_field(node: ast.Compare) -> str:
    """Return the message for a comparison without a field; ``a & b == c`` is the usual way to write one."""
    operands = (node.left, *node.comparators)
    connectives = [
        operand
        for operand in operands
        if isinstance(operand, ast.BinOp) and isinstance(operand.op, ast.BitAnd | ast.BitOr)
    ]
    return (
        _explain_no_value(connectives[0]) if connectives else "A comparison needs a field on one side, alone"
    )


def _describe_node(node: _Node) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(node).__name__).lower()
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
