"""Operations as methods: ``ox.contacts.get(…)``, ``.get.later(…)``, ``.get.result(…)``.

The document names over 400 operations, which are all called in the same way. So a generated class declares its
methods with their signatures and a row of data, and no code::

    @operation(Spec(module="contacts", name="get", action="get", method="GET", path="contacts", …))
    async def get(self, record: ContactData | None = None, /, *, id: str | None = None, …) -> ContactData:
        \"\"\"One contact.\"\"\"

Such a method is a descriptor. On the class it is an ``Operation``: signature, docstring and row. On a module it is a
``BoundOperation``, which checks the arguments, makes a ``PreparedCall`` of them and has the module's caller send
that. It has four ways to be used: called, it returns the data; ``result`` adds the envelope's time stamp and
warnings; ``later`` gives the call for ``multiple``; ``prepare`` gives the call itself, which the hand-written
modules change before they send it. Files have descriptors of their own, as nothing is awaited to make a download.

``custom_operation`` makes the same of a hand-written function that returns a ``PreparedCall``, so that methods of
ours have ``later`` and ``result``, too. A decorator that sends by itself would have neither.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

import attrs

from ...errors import ZeyosAsyncError, suggest
from ...wire import Request
from .binding import prepare_call
from .download import Download
from .rows import Result, Rows, Updates
from .spec import (
    Body,
    BodyShape,
    FileInput,
    FormBody,
    JsonBody,
    Param,
    PartsBody,
    PreparedCall,
    RawBody,
    ResultShape,
    Spec,
)

__all__ = [
    "Body",
    "BodyShape",
    "BoundDownload",
    "BoundOperation",
    "Caller",
    "Download",
    "DownloadOperation",
    "FileInput",
    "FormBody",
    "JsonBody",
    "Later",
    "Module",
    "Operation",
    "Param",
    "PartsBody",
    "PreparedCall",
    "RawBody",
    "Result",
    "ResultShape",
    "Rows",
    "Spec",
    "Updates",
    "custom_operation",
    "download",
    "operation",
    "prepared_by",
]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
P = ParamSpec("P")
M = TypeVar("M", bound="Module")


@attrs.frozen
class Later(Generic[T]):
    """A call that is not sent yet, for ``multiple``: ``ox.contacts.get.later(id="3", folder="25")``.

    Attributes:
        prepared: The call.
    """

    prepared: PreparedCall[T]


class Caller(Protocol):
    """A sender of calls; the client gives one to its modules."""

    async def call(self, prepared: PreparedCall[T], /) -> Result[T]:
        """Send a call, and read its answer."""
        ...

    def download(self, prepared: PreparedCall[Any], /) -> Download:
        """Return a download, which is sent when it is entered or awaited."""
        ...

    async def call_many(self, calls: Sequence[PreparedCall[Any]], /) -> list[Result[Any] | ZeyosAsyncError]:
        """Send calls in one request, and return the result or the error of each, in order."""
        ...

    def build_request(self, prepared: PreparedCall[Any], /) -> Request:
        """Build the request of a call, to show what would be sent."""
        ...

    def module(self, name: str, /) -> Any:
        """Return the module of a name (``"chronos_itip"``), always the same object."""


class Module:
    """The operations of one module. Made by the client; see ``ox.contacts``.

    Args:
        caller: What sends the calls.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    if not TYPE_CHECKING:  # type checkers would take every name for an attribute

        def __getattr__(self, name: str) -> Any:
            hint = (
                "" if name.startswith("_") else suggest(name, [n for n in dir(self) if not n.startswith("_")])
            )
            raise AttributeError(f"Open-Xchange's {type(self).__name__} has no {name!r}.{hint}")


class _BaseOperation(Generic[P, T]):
    """The base of all operations of a class.

    Attributes:
        spec: The operation as data.
    """

    def __init__(
        self, spec: Spec | None, declared: Callable[..., Any], make: Callable[..., PreparedCall[T]]
    ) -> None:
        self.spec = spec
        self._make = make
        functools.update_wrapper(self, declared)  # type: ignore[arg-type]

    def __set_name__(self, owner: type, name: str) -> None:
        self.__name__ = name


class Operation(_BaseOperation[P, T]):
    """An operation of a class of modules; of a module, it is ``Bound``."""

    @overload
    def __get__(self, instance: None, owner: type) -> Operation[P, T]: ...

    @overload
    def __get__(self, instance: Module, owner: type) -> BoundOperation[P, T]: ...

    def __get__(self, instance: Module | None, owner: type) -> Operation[P, T] | BoundOperation[P, T]:
        if instance is None:
            return self
        return BoundOperation(instance, self)


class DownloadOperation(_BaseOperation[P, bytes]):
    """An operation that answers with a file; of a module, it is ``BoundDownload``."""

    @overload
    def __get__(self, instance: None, owner: type) -> DownloadOperation[P]: ...

    @overload
    def __get__(self, instance: Module, owner: type) -> BoundDownload[P]: ...

    def __get__(self, instance: Module | None, owner: type) -> DownloadOperation[P] | BoundDownload[P]:
        if instance is None:
            return self
        return BoundDownload(instance, self)


class BoundOperation(Generic[P, T]):
    """An operation of a module, to be called."""

    __slots__ = ("__wrapped__", "_declared", "_module")

    def __init__(self, module: Module, declared: Operation[P, T]) -> None:
        self._module = module
        self._declared = declared
        self.__wrapped__ = declared

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        return self._declared.__doc__

    @property
    def spec(self) -> Spec | None:
        """The operation as data."""
        return self._declared.spec

    def __repr__(self) -> str:
        return f"<operation {type(self._module).__name__}.{self._declared.__name__}>"

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Send the call, and return what the document promises."""
        return (await self._module._caller.call(self.prepare(*args, **kwargs))).data

    async def result(self, *args: P.args, **kwargs: P.kwargs) -> Result[T]:
        """Send the call, and return the result with the envelope's time stamp and warnings."""
        return await self._module._caller.call(self.prepare(*args, **kwargs))

    def later(self, *args: P.args, **kwargs: P.kwargs) -> Later[T]:
        """Return the call for ``multiple``; nothing is sent."""
        return Later(self.prepare(*args, **kwargs))

    def prepare(self, *args: P.args, **kwargs: P.kwargs) -> PreparedCall[T]:
        """Return the call as a value, checked; nothing is sent."""
        return self._declared._make(self._module, *args, **kwargs)


class BoundDownload(Generic[P]):
    """An operation of a module that answers with a file, to be called."""

    __slots__ = ("__wrapped__", "_declared", "_module")

    def __init__(self, module: Module, declared: DownloadOperation[P]) -> None:
        self._module = module
        self._declared = declared
        self.__wrapped__ = declared

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        return self._declared.__doc__

    @property
    def spec(self) -> Spec | None:
        """The operation as data."""
        return self._declared.spec

    def __repr__(self) -> str:
        return f"<download {type(self._module).__name__}.{self._declared.__name__}>"

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Download:
        """Return the download; it is sent when it is entered (``async with``), awaited or saved."""
        return self._module._caller.download(self.prepare(*args, **kwargs))

    def prepare(self, *args: P.args, **kwargs: P.kwargs) -> PreparedCall[bytes]:
        """Return the call as a value, checked; nothing is sent."""
        return self._declared._make(self._module, *args, **kwargs)


def _preparation_of(spec: Spec) -> Callable[..., PreparedCall[Any]]:
    return lambda _module, /, *args, **kwargs: prepare_call(spec, args, kwargs)


def operation(
    spec: Spec,
) -> Callable[[Callable[Concatenate[Any, P], Awaitable[T]]], Operation[P, T]]:
    """Declare an operation: the decorated function gives signature and docstring, the row all else."""
    return lambda declared: Operation(spec, declared, _preparation_of(spec))


def download(
    spec: Spec,
) -> Callable[[Callable[Concatenate[Any, P], Awaitable[bytes]]], DownloadOperation[P]]:
    """Declare an operation that answers with a file; see :func:`operation`."""
    return lambda declared: DownloadOperation(spec, declared, _preparation_of(spec))


def custom_operation(make: Callable[Concatenate[M, P], PreparedCall[T]]) -> Operation[P, T]:
    """Declare an operation that prepares its call itself, for methods that take more than the document's.

    The function takes the module and the arguments, and returns the ``PreparedCall`` to be sent; the method gets
    ``later`` and ``result`` as all others have.
    """
    return Operation(None, make, make)


def prepared_by(
    make: Callable[..., PreparedCall[T]],
) -> Callable[[Callable[Concatenate[Any, P], PreparedCall[T]]], Operation[P, T]]:
    """Declare an operation whose call another function prepares.

    The decorated function gives signature and docstring, and has no code. It is for methods with many arguments of
    which most go on to the document's operation as they are.
    """
    return lambda declared: Operation(None, declared, make)
