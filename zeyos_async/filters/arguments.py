"""Arguments of a query's methods, turned into values: conditions, orders and paths."""

from __future__ import annotations

from typing import Any, TypeAlias

from .expression import Expression, Order
from .field_ref import FieldRef, as_condition
from .operands import check_path

__all__ = ["Condition", "condition", "field_path", "order"]


Condition: TypeAlias = Expression | FieldRef[Any] | str
"""A condition as arguments take it: an expression, a field of true and false alone, or the text form of a condition."""


def condition(value: Condition) -> Expression:
    """Return the condition that an argument of ``where`` means: a condition, its text form, or a field alone (is true).

    Raises:
        FilterSyntaxError: The text does not parse.
        InvalidCondition: It is something else, such as the ``bool`` that comes of a comparison without a field.
    """
    if isinstance(value, str):
        from .parser import parse  # here: most programs never write a filter as text

        return parse(value)
    return as_condition(value)


def order(value: Order | FieldRef[Any] | str) -> Order:
    """Return the order that an argument of ``order_by`` means.

    It is ``"lastname"``, ``"-contact.country"``, a field, or what its ``asc()`` and ``desc()`` give.

    Raises:
        InvalidCondition: It is something else, or names no field.
    """
    if isinstance(value, Order):
        return value
    path = field_path(value)
    descending = path.startswith("-")
    return Order(check_path(path[1:] if path.startswith(("-", "+")) else path), descending=descending)


def field_path(value: FieldRef[Any] | str) -> str:
    """Return the path that an argument of ``select`` means: a field, or its dotted name.

    Raises:
        InvalidCondition: It is something else, or names no field.
    """
    return value._path if isinstance(value, FieldRef) else check_path(value)
