"""Operations of the hand-written modules that build on the generated ones of the same name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import attrs

from ..operation import BoundOperation, Module, Operation
from ..spec import PreparedCall

__all__ = ["checked_operation", "generated_operation"]

P = ParamSpec("P")
T = TypeVar("T")


def generated_operation(module: Module, operation: Operation[P, T]) -> BoundOperation[P, T]:
    """Return the generated operation of a module whose class has another one under its name."""
    return operation.__get__(module, type(module))


def checked_operation(base: Operation[P, T], read: Callable[[T], T]) -> Operation[P, T]:
    """Make an operation whose result is checked before the caller gets it.

    Args:
        base: The operation.
        read: Returns the result, or raises.
    """

    def make(module: Module, *args: P.args, **kwargs: P.kwargs) -> PreparedCall[T]:
        prepared = generated_operation(module, base).prepare(*args, **kwargs)
        inner = prepared.read
        return attrs.evolve(prepared, read=lambda envelope: read(inner(envelope)))

    declared: Any = base  # an operation wraps the function with its signature
    return Operation(base.spec, declared.__wrapped__, make)
