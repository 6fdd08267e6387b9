"""Other readings of a condition, which share no code with the library: by arithmetic, as a server, as SQL."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from zeyos_async.filters import TRUE, And, Comparison, Constant, Expression, Not, Op, Or
from zeyos_async.filters.expression import LIKE_OPS, LIST_OPS

ORDER_OPS = (Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE)


def like(text: str, pattern: str, escape: str = "\\") -> bool:
    """LIKE, by its definition."""
    if not pattern:
        return not text
    head, remainder = pattern[0], pattern[1:]
    if head == "%":
        return any(like(text[skip:], remainder) for skip in range(len(text) + 1))
    if head == escape:
        head, remainder = remainder[0], remainder[1:]
    elif head == "_":
        return bool(text) and like(text[1:], remainder)
    return bool(text) and text[0] == head and like(text[1:], remainder)


def exact(value: Any) -> Any:
    """Numbers as fractions over a common ground: no rounding."""
    if isinstance(value, datetime):
        return Decimal((value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)) / 1_000_000
    return value if isinstance(value, str) else Decimal(value)


def truth(op: str, value: Any, operand: Any) -> float:
    """One comparison as a number: 1 true, 0 false, ½ unknown. ``op`` as the ZeyOS API writes it."""
    if operand is None:
        return float((value is None) is (op == "="))
    if op in ("IN", "!IN"):
        highest = max([truth("=", value, one) for one in operand], default=0.0)
        return highest if op == "IN" else 1 - highest
    if op.startswith("!") and op != "!=":
        return 1 - truth(op[1:], value, operand)
    if value is None:
        return 0.5
    if op.startswith("~"):
        fold = str.lower if op.endswith("*") else str
        if op.startswith("~~"):
            return float(like(fold(value), fold(operand)))
        return float(re.search(fold(operand), fold(value)) is not None)
    first, second = exact(value), exact(operand)
    answers = {
        "=": first == second,
        "!=": first != second,
        "<>": first != second,
        "<": first < second,
        ">": first > second,
    }
    return float({**answers, "<=": first <= second, ">=": first >= second}[op])


WIRE = {
    Op.EQ: "=", Op.NE: "!=", Op.LT: "<", Op.LE: "<=", Op.GT: ">", Op.GE: ">=", Op.IN: "IN", Op.NOT_IN: "!IN",
    Op.IS_NULL: "=", Op.IS_NOT_NULL: "!=", Op.LIKE: "~~", Op.ILIKE: "~~*", Op.NOT_LIKE: "!~~", Op.NOT_ILIKE: "!~~*",
    Op.MATCHES: "~", Op.IMATCHES: "~*", Op.NOT_MATCHES: "!~", Op.NOT_IMATCHES: "!~*",
}  # fmt: skip


def weigh(expr: Expression, row: dict[str, Any]) -> float:
    """A condition by arithmetic: AND is the minimum, OR the maximum, NOT the complement."""
    if isinstance(expr, Comparison):
        return truth(WIRE[expr.op], row.get(expr.path), expr.value)
    if isinstance(expr, And):
        return min(weigh(item, row) for item in expr.items)
    if isinstance(expr, Or):
        return max(weigh(item, row) for item in expr.items)
    return 1 - weigh(expr.item, row) if isinstance(expr, Not) else float(expr == TRUE)


def serve(node: Any, row: dict[str, Any]) -> float:
    """The ZeyOS JSON as a server reads it."""
    if isinstance(node, list):
        weights = [serve(item, row) for item in node[1:]]
        return {"AND": min, "OR": max}[node[0]](weights)
    weights = [1.0]
    for position, (key, value) in enumerate(node.items()):
        if key.isdecimal():
            assert key == str(position)
            weights.append(serve(value, row))
        elif isinstance(value, dict):
            assert value
            weights += [truth(op, row.get(key), operand) for op, operand in value.items()]
        else:
            weights.append(truth("=", row.get(key), value))
    return min(weights)


SQL = {**{op: wire for op, wire in WIRE.items() if op in ORDER_OPS}, Op.IN: "IN", Op.NOT_IN: "NOT IN"}


def to_sql(expr: Expression, values: list[Any]) -> str:
    """A condition as SQLite reads it; the values go into ``values``."""
    if isinstance(expr, Constant):
        return "1" if expr.value else "0"
    if isinstance(expr, Not):
        return f"(NOT {to_sql(expr.item, values)})"
    if isinstance(expr, And | Or):
        word = " AND " if isinstance(expr, And) else " OR "
        return "(" + word.join(to_sql(item, values) for item in expr.items) + ")"
    assert isinstance(expr, Comparison)
    path, op = expr.path, expr.op
    if op in (Op.IS_NULL, Op.IS_NOT_NULL):
        return f"({path} IS {'NOT ' if op is Op.IS_NOT_NULL else ''}NULL)"
    if op in LIST_OPS:
        values += map(native, expr.value)
        return f"({path} {SQL[op]} ({', '.join('?' for _ in expr.value)}))"
    values.append(native(expr.value))
    if op in SQL:
        return f"({path} {SQL[op]} ?)"
    no = "NOT " if op.startswith("not_") else ""
    fold = "lower" if "ilike" in op or "imatches" in op else ""
    word, end = ("LIKE", r" ESCAPE '\'") if op in LIKE_OPS else ("REGEXP", "")
    return f"({fold}({path}) {no}{word} {fold}(?){end})"


def native(value: Any) -> Any:
    """A value that SQLite has, exactly."""
    number = exact(value)
    return number if isinstance(number, str) else int(number) if number == int(number) else float(number)
