"""A reader of the filter JSON of the ZeyOS REST API. See :mod:`zeyos_async.filters.compilers.zeyos`."""

from __future__ import annotations

import json as _json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ...errors import FilterError, suggest
from ..display import describe
from ..expression import LIST_OPS, MAX_DEPTH, NULL_OPS, Expression, Not, Op, all_of, any_of
from ..operands import compare

__all__ = ["read_filter"]

_OPERATORS: Final = {
    "=": Op.EQ,
    "!=": Op.NE,
    "<>": Op.NE,
    "<": Op.LT,
    "<=": Op.LE,
    ">": Op.GT,
    ">=": Op.GE,
    "IN": Op.IN,
    "!IN": Op.NOT_IN,
    "~": Op.MATCHES,
    "~*": Op.IMATCHES,
    "!~": Op.NOT_MATCHES,
    "!~*": Op.NOT_IMATCHES,
    "~~": Op.LIKE,
    "~~*": Op.ILIKE,
    "!~~": Op.NOT_LIKE,
    "!~~*": Op.NOT_ILIKE,
}
_WITH_NULL: Final = {Op.EQ: Op.IS_NULL, Op.NE: Op.IS_NOT_NULL}
_CONNECTIVES: Final = ("AND", "OR", "NOT")


def read_filter(json: Any) -> Expression:
    """Return the condition that a filter says; see ``from_zeyos``."""
    if isinstance(json, str | bytes | bytearray):
        try:
            json = _json.loads(json)
        except (ValueError, RecursionError) as error:
            raise FilterError(f"The filter is not JSON: {error}") from error
    return _read_node(json, "filters", 0)


def _read_node(node: Any, place: str, depth: int) -> Expression:
    if depth > MAX_DEPTH:
        raise FilterError(f"The filter is nested deeper than {MAX_DEPTH} levels.")
    if isinstance(node, Mapping):
        return all_of([_read_entry(key, value, place, depth) for key, value in node.items()])
    if _is_list(node):
        return _read_composite(node, place, depth)
    raise FilterError(
        f'{place} must be an object or a composite such as ["OR", {{…}}, {{…}}], not {describe(node)}.'
    )


def _read_entry(key: Any, value: Any, place: str, depth: int) -> Expression:
    entry_path = f"{place}[{key!r}]"
    if isinstance(key, int) or (isinstance(key, str) and key.isascii() and key.isdecimal()):
        if not _is_list(value):
            raise FilterError(
                f'{entry_path}: a number as a key takes a composite such as ["OR", {{…}}, {{…}}], not {describe(value)}.'
            )
        return _read_composite(value, entry_path, depth + 1)
    if not isinstance(key, str):
        raise FilterError(f"{entry_path}: a filter's keys are texts.")
    if isinstance(value, Mapping):
        if not value:
            raise FilterError(f"{entry_path}: the object has no operator.")
        return all_of([_read_operation(key, name, operand, entry_path) for name, operand in value.items()])
    if _is_list(value):
        raise FilterError(
            f'{entry_path}: a list of values is written {{"IN": […]}}; a composite\'s key is a number.'
        )
    return _to_comparison(key, Op.EQ, value, entry_path)


def _read_composite(node: Sequence[Any], place: str, depth: int) -> Expression:
    if not node:
        return all_of(())  # an empty object, as PHP writes it
    connective, *operands = node
    if not isinstance(connective, str) or connective.upper() not in _CONNECTIVES:
        raise FilterError(
            f'{place}: a composite starts with "AND", "OR" or "NOT", not {describe(connective)}.'
        )
    if not operands:
        raise FilterError(f"{place}: {connective} has nothing to combine.")
    items = [_read_node(item, f"{place}[{index}]", depth + 1) for index, item in enumerate(operands, 1)]
    if connective.upper() == "OR":
        return any_of(items)
    combined = all_of(items)
    return Not(combined) if connective.upper() == "NOT" else combined


def _read_operation(path: str, name: Any, operand: Any, place: str) -> Expression:
    op = _OPERATORS.get(name.upper()) if isinstance(name, str) else None
    if op is None:
        raise FilterError(
            f"{place}: there is no operator {describe(name)}.{suggest(str(name), _OPERATORS)} Operators: {' '.join(_OPERATORS)}"
        )
    return _to_comparison(path, op, operand, f"{place}[{name!r}]")


def _to_comparison(path: str, op: Op, value: Any, place: str) -> Expression:
    if value is None:
        if op not in _WITH_NULL:
            raise FilterError(f"{place}: null can only be tested with = and !=.")
        op = _WITH_NULL[op]
    elif op in LIST_OPS and not _is_list(value):
        raise FilterError(f"{place} takes a list, not {describe(value)}.")
    try:
        return compare(path, op, None if op in NULL_OPS else value)
    except FilterError as error:
        raise FilterError(f"{place}: {error}") from error


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)
