"""Searches by conditions, as operations of a module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec, TypeVar, overload

from ....errors import InvalidArgument, UnsupportedFilter
from ....filters import Expression, FieldRef, condition, is_false, simplify
from ....filters.compilers.ox import to_ox
from ....schema import Entity
from ..operation import Bound, Module, Operation
from ..records import OxRecord
from ..rows import Result, Rows
from ..spec import Prepared

__all__ = ["Condition", "FindsNothing", "pattern_body", "searching", "term_of"]

P = ParamSpec("P")
T = TypeVar("T")
M = TypeVar("M", bound=Module)

Condition = Expression | FieldRef[Any] | str
"""What is searched by: ``F.last_name == "Doe"``, or such as text."""


class FindsNothing(UnsupportedFilter):
    """The condition can't hold for anything, so that there is nothing to send."""


def term_of(where: Condition, module: str | Entity) -> list[Any]:
    """The search term for a condition.

    Raises:
        FindsNothing: It can't hold for anything.
        FilterError: The module can't say it.
    """
    expr = simplify(condition(where))
    if is_false(expr):
        raise FindsNothing(
            "the condition can't hold for anything, and a search can't say that", part=str(expr)
        )
    return to_ox(expr, module)


def pattern_body(module: str, what: Any, **more: str | None) -> Any:
    """The body of a search by a pattern.

    Args:
        module: What is searched, for messages.
        what: The pattern, or the body itself.
        **more: What a body with a pattern has besides, as far as it is given.

    Raises:
        UnsupportedFilter: It is a condition.
        InvalidArgument: It is neither, or a body is given together with what it says itself.
    """
    given = {name: value for name, value in more.items() if value is not None}
    if isinstance(what, str):
        return {"pattern": what, **given}
    if isinstance(what, Expression | FieldRef):
        raise UnsupportedFilter(
            f"{module} can be searched by a pattern, as text, and not by conditions", part=str(what)
        )
    if not isinstance(what, Mapping | OxRecord):
        raise InvalidArgument(f"{module}.search takes a pattern as text, or a body, not {what!r:.60}")
    if given:
        raise InvalidArgument(f"{module}.search: the body says itself what its {' and '.join(given)} is")
    return what


class _Search(Operation[P, T]):
    """An operation that sends nothing where nothing can be found."""

    @overload
    def __get__(self, instance: None, owner: type) -> Operation[P, T]: ...

    @overload
    def __get__(self, instance: Module, owner: type) -> Bound[P, T]: ...

    def __get__(self, instance: Module | None, owner: type) -> Operation[P, T] | Bound[P, T]:
        return self if instance is None else _BoundSearch(instance, self)


class _BoundSearch(Bound[P, T]):
    __slots__ = ()

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        return self._declared.__doc__  # a class's own would stand in the way

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        return (await self.result(*args, **kwargs)).data

    async def result(self, *args: P.args, **kwargs: P.kwargs) -> Result[T]:
        try:
            prepared = self.prepare(*args, **kwargs)
        except FindsNothing:
            nothing: Any = Rows()
            return Result(data=nothing)
        return await self._module._caller.call(prepared)


def searching(make: Callable[Concatenate[M, P], Prepared[Rows[T]]]) -> Operation[P, Rows[T]]:
    """A search as an operation: the function takes the module and the arguments, and makes the call.

    Where it raises ``FindsNothing``, awaiting the operation gives no rows and sends nothing.
    """
    return _Search(None, make, make)
