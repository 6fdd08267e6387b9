"""What the methods of a query take, as values: conditions, orders and paths."""

from __future__ import annotations

from typing import Any

from .builder import FieldRef, as_condition
from .expression import Expression, Order, check_path

__all__ = ["condition", "field_path", "order"]


def condition(value: Expression | FieldRef[Any] | str) -> Expression:
    """What a ``where`` takes, as a condition: a condition, its text form, or a field alone (is true).

    Raises:
        FilterSyntaxError: The text does not parse.
        InvalidCondition: It is something else, such as the ``bool`` that comes of a comparison without a field.
    """
    if isinstance(value, str):
        from .parser import parse

        return parse(value)
    return as_condition(value)


def order(value: Order | FieldRef[Any] | str) -> Order:
    """What an ``order_by`` takes, as an order: ``"lastname"``, ``"-contact.country"``, a field, ``field.desc()``.

    Raises:
        InvalidCondition: It is something else, or names no field.
    """
    if isinstance(value, Order):
        return value
    path = field_path(value)
    descending = path.startswith("-")
    return Order(check_path(path[1:] if path.startswith(("-", "+")) else path), descending=descending)


def field_path(value: FieldRef[Any] | str) -> str:
    """What a ``select`` takes, as a path: a field, or its dotted name.

    Raises:
        InvalidCondition: It is something else, or names no field.
    """
    return value._path if isinstance(value, FieldRef) else check_path(value)
