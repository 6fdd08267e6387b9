"""Conditions printed in their text form, which the parser reads back to an equal condition.

This module also has the rules about names that printing and parsing share: a name is printed bare only if the
parser would read it as that field, and in brackets otherwise (``F['odd name']``).
"""

from __future__ import annotations

import keyword
import re
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from .display import to_literal
from .expression import LIKE_OPS, LIST_OPS, NULL_OPS, And, Comparison, Constant, Expression, Not, Op, Or

__all__ = ["RESERVED_NAMES", "is_mangled", "to_text"]

RESERVED_NAMES: Final = frozenset({"F", "true", "false", "null", "datetime", "Decimal"})
"""Names that have a meaning of their own in the text form, so that no field can be written so at its start."""

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_REGEX_CALLS: Final = {
    Op.MATCHES: ("matches", ""),
    Op.IMATCHES: ("matches", ", ignore_case=True"),
    Op.NOT_MATCHES: ("not_matches", ""),
    Op.NOT_IMATCHES: ("not_matches", ", ignore_case=True"),
}


def to_text(expr: Expression) -> str:
    """Return the text form of a condition, which ``parse`` reads back to an equal condition."""
    if isinstance(expr, Comparison):
        return _comparison_text(expr)
    if isinstance(expr, And):
        # An AND in an AND would be read back as one flat AND, which is another condition.
        return " and ".join(_operand_text(item, Or, And) for item in expr.items)
    if isinstance(expr, Or):
        return " or ".join(_operand_text(item, Or) for item in expr.items)
    if isinstance(expr, Not):
        return f"not ({to_text(expr.item)})"
    return "true" if isinstance(expr, Constant) and expr.value else "false"


def is_mangled(name: str) -> bool:
    """Return whether the name would be read as a keyword with an underscore added."""
    return name.endswith("_") and keyword.iskeyword(name[:-1])


def _operand_text(expr: Expression, *looser: type[Expression]) -> str:
    """Return the text of an operand, in parentheses if it is one of the classes that bind less tightly."""
    return f"({to_text(expr)})" if isinstance(expr, looser) else to_text(expr)


def _comparison_text(comparison: Comparison) -> str:
    path, op = _path_text(comparison.path), comparison.op
    if op in NULL_OPS:
        return f"{path} {op}"
    if op in LIST_OPS:
        return f"{path} {op} [{', '.join(map(_value_text, comparison.value))}]"
    if op in LIKE_OPS:
        return f"{path}.{op}({comparison.value!r})"
    if op in _REGEX_CALLS:
        method, flag = _REGEX_CALLS[op]
        return f"{path}.{method}({comparison.value!r}{flag})"
    return f"{path} {op} {_value_text(comparison.value)}"


def _path_text(path: str) -> str:
    names = path.split(".")
    is_plain = all(
        _NAME.match(name) and not keyword.iskeyword(name) and not is_mangled(name) for name in names
    )
    return path if is_plain and names[0] not in RESERVED_NAMES else f"F[{path!r}]"


def _value_text(value: Any) -> str:
    if isinstance(value, datetime):
        return f'datetime("{value.isoformat()}")'
    if isinstance(value, Decimal):
        return f'Decimal("{value}")'
    return to_literal(value)
