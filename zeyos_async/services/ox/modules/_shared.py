"""What the hand-written modules share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar

import attrs

from ....errors import InvalidArgument
from ..operation import Bound, Module, Operation
from ..spec import Prepared
from ._listing import ListCall

__all__ = ["documented", "folder_list", "reading", "sorting", "without_nothing"]

P = ParamSpec("P")
T = TypeVar("T")


def documented(module: Module, operation: Operation[P, T]) -> Bound[P, T]:
    """An operation as the document has it, of a module whose class says more under its name."""
    return operation.__get__(module, type(module))


def reading(base: Operation[P, T], read: Callable[[T], T]) -> Operation[P, T]:
    """An operation whose result is looked at before the caller gets it.

    Args:
        base: The operation.
        read: Returns the result, or raises.
    """

    def make(module: Module, *args: P.args, **kwargs: P.kwargs) -> Prepared[T]:
        prepared = documented(module, base).prepare(*args, **kwargs)
        inner = prepared.read
        return attrs.evolve(prepared, read=lambda envelope: read(inner(envelope)))

    declared: Any = base  # which wraps the function that has its signature
    return Operation(base.spec, declared.__wrapped__, make)


def without_nothing(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are given."""
    return {name: value for name, value in values.items() if value is not None}


def sorting(asked: ListCall) -> Any:
    """``sort`` and ``order`` of a call, as far as a query has an order."""
    return without_nothing({"sort": asked.sort, "order": asked.order})


def folder_list(folder: str | None, folders: Iterable[str] | None) -> list[str] | None:
    """Folders that are named one by one or together.

    Raises:
        InvalidArgument: Both are given, or ``folders`` is a text or empty.
    """
    if folder is not None and folders is not None:
        raise InvalidArgument("give folder= for one folder, or folders= for several, not both")
    if folder is not None:
        return [str(folder)]
    if folders is None:
        return None
    if isinstance(folders, str) or not (found := [str(each) for each in folders]):
        raise InvalidArgument(f"folders= takes a list of IDs, not {folders!r}; for one folder use folder=")
    return found
