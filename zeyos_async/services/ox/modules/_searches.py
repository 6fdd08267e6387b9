"""Searches by conditions and by patterns, as operations of a module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec, TypeVar, overload

from ....errors import InvalidArgument, UnsupportedFilter, quote_value
from ....filters import Condition, Expression, FieldRef, condition, is_false, simplify
from ....filters.compilers.ox import to_ox
from ....schema import Entity
from ..operation import BoundOperation, Module, Operation
from ..records import OxRecord
from ..rows import Result, Rows
from ..spec import PreparedCall

__all__ = ["Condition", "EmptySearch", "build_pattern_body", "compile_term", "search_operation"]

P = ParamSpec("P")
T = TypeVar("T")
M = TypeVar("M", bound=Module)

"""A condition of a search: ``F.last_name == "Doe"``, or its text form."""


class EmptySearch(UnsupportedFilter):
    """The error of a condition that can't hold for anything, so that there is nothing to send."""


def compile_term(where: Condition, module: str | Entity) -> list[Any]:
    """Compile a condition to a search term.

    Raises:
        EmptySearch: It can't hold for anything.
        FilterError: The module can't say it.
    """
    expr = simplify(condition(where))
    if is_false(expr):
        raise EmptySearch(
            "the condition can't hold for anything, and a search can't say that", part=str(expr)
        )
    return to_ox(expr, module)


def build_pattern_body(module: str, criteria: Any, **options: str | None) -> Any:
    """Build the body of a search by a pattern.

    Args:
        module: What is searched, for messages.
        criteria: The pattern, or the body itself.
        **options: The other fields of a body with a pattern; ``None`` for those that it does not have.

    Raises:
        UnsupportedFilter: It is a condition.
        InvalidArgument: It is neither, or a body is given together with what it says itself.
    """
    fields = {name: value for name, value in options.items() if value is not None}
    if isinstance(criteria, str):
        return {"pattern": criteria, **fields}
    if isinstance(criteria, Expression | FieldRef):
        raise UnsupportedFilter(
            f"{module} can be searched by a pattern, as text, and not by conditions", part=str(criteria)
        )
    if not isinstance(criteria, Mapping | OxRecord):
        raise InvalidArgument(
            f"{module}.search takes a pattern as text, or a body, not {quote_value(criteria)}"
        )
    if fields:
        raise InvalidArgument(f"{module}.search: the body says itself what its {' and '.join(fields)} is")
    return criteria


class _SearchOperation(Operation[P, T]):
    """A search as an operation; it sends nothing where nothing can be found."""

    @overload
    def __get__(self, instance: None, owner: type) -> Operation[P, T]: ...

    @overload
    def __get__(self, instance: Module, owner: type) -> BoundOperation[P, T]: ...

    def __get__(self, instance: Module | None, owner: type) -> Operation[P, T] | BoundOperation[P, T]:
        return self if instance is None else _BoundSearchOperation(instance, self)


class _BoundSearchOperation(BoundOperation[P, T]):
    __slots__ = ()

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        return self._declared.__doc__  # again, since every class has a __doc__ that hides its base's

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        return (await self.result(*args, **kwargs)).data

    async def result(self, *args: P.args, **kwargs: P.kwargs) -> Result[T]:
        try:
            prepared = self.prepare(*args, **kwargs)
        except EmptySearch:
            nothing: Any = Rows()
            return Result(data=nothing)
        return await self._module._caller.call(prepared)


def search_operation(make: Callable[Concatenate[M, P], PreparedCall[Rows[T]]]) -> Operation[P, Rows[T]]:
    """Declare a search: the function takes the module and the arguments, and makes the call.

    Where it raises ``EmptySearch``, awaiting the operation gives no rows and sends nothing.
    """
    return _SearchOperation(None, make, make)
