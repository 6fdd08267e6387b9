"""The client of one Open-Xchange server, for one user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack, overload

from yarl import URL

from ...auth import AuthBackend
from ...errors import ApiError, InvalidArgument, ZeyosAsyncError, quote_value, suggest
from ..base.client import ApiClient, parse_base_url
from ..base.options import ClientOptions
from ._generated import MODULES
from .caller import OxCaller
from .errors import check_answer, effective_status
from .jobs import Job
from .modules import ExtendedModules, load_module
from .multiple import MAX_ITEMS, Batch, MultipleFailed
from .operation import Later, Module
from .outcomes import to_item
from .rows import Result

if TYPE_CHECKING:
    pass

__all__ = ["OpenXchange"]

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
T = TypeVar("T")


class OpenXchange(ApiClient, ExtendedModules):
    """A client of Open-Xchange: an attribute for each module, whose methods are the module's actions.

    Creating one sends nothing. Close it with ``async with`` or ``aclose()``; that leaves the log-in to other
    clients of the session, and to its own end. ``log_out()`` ends it.

    Args:
        base_url: Where the API is, such as ``https://ox.example.com/ajax``.
        auth: How to prove who you are: ``OxLogin(name, password)``, ``OxOAuth(token)`` and others.
        **options: The options that all clients take, see ``ClientOptions``: ``session``, ``timeout``, ``retry``,
            ``limits``, ``hooks``, ``allow_http``.

    Raises:
        ConfigurationError: The URL can't be one, or others could read a credential on its
            way there.
    """

    def __init__(
        self,
        base_url: str | URL,
        *,
        auth: AuthBackend | None = None,
        **options: Unpack[ClientOptions],
    ) -> None:
        super().__init__(
            parse_base_url(base_url, subject="the API", example="https://ox.example.com/ajax"),
            auth=auth,
            options=options,
            check=check_answer,
            status=effective_status,
        )
        self._caller = OxCaller(self._channel, self._base, self.module)
        self._modules: dict[str, Module] = {}

    def module(self, name: str) -> Module:
        """Return the module of a name such as ``"contacts"`` or ``"chronos_itip"``; always the same object.

        Raises:
            InvalidArgument: There is no such module; the closest names are in the message.
        """
        if not isinstance(name, str):
            raise InvalidArgument(f"a module has a name, not {quote_value(name)}")
        if name not in self._modules:
            self._modules[name] = load_module(name, self._caller)
        return self._modules[name]

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name not in MODULES:
                raise AttributeError(f"Open-Xchange has no module {name!r}.{suggest(name, MODULES)}")
            # Stored on the instance, so that the next access is an ordinary attribute.
            module = self.__dict__[name] = self.module(name)
            return module

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *MODULES})

    @overload
    async def multiple(
        self, a: Later[A], /, *, return_exceptions: Literal[True] = True
    ) -> tuple[A | ApiError]: ...
    @overload
    async def multiple(
        self, a: Later[A], b: Later[B], /, *, return_exceptions: Literal[True] = True
    ) -> tuple[A | ApiError, B | ApiError]: ...
    @overload
    async def multiple(
        self, a: Later[A], b: Later[B], c: Later[C], /, *, return_exceptions: Literal[True] = True
    ) -> tuple[A | ApiError, B | ApiError, C | ApiError]: ...
    @overload
    async def multiple(self, a: Later[A], /, *, return_exceptions: Literal[False]) -> tuple[A]: ...
    @overload
    async def multiple(
        self, a: Later[A], b: Later[B], /, *, return_exceptions: Literal[False]
    ) -> tuple[A, B]: ...
    @overload
    async def multiple(
        self, a: Later[A], b: Later[B], c: Later[C], /, *, return_exceptions: Literal[False]
    ) -> tuple[A, B, C]: ...
    @overload
    async def multiple(self, *calls: Later[Any], return_exceptions: bool = True) -> tuple[Any, ...]: ...

    async def multiple(self, *calls: Later[Any], return_exceptions: bool = True) -> tuple[Any, ...]:
        """Send several calls in one request.

        The server runs them at the same time and in no order, apart from those about mail and from writes of
        calendar, contacts, folders or tasks. For calls that build on each other, use ``batch``.

        Args:
            *calls: Made with ``.later(…)``: ``ox.contacts.get.later(id="3", folder="25")``.
            return_exceptions: Whether a call that failed leaves its error among the results. Otherwise
                ``MultipleFailed`` is raised if any failed; it has all results.

        Returns:
            What each call returns by itself, or its error, in the order of the calls.

        Raises:
            InvalidArgument: A call can't be part of it, as uploads, downloads and log-ins.
            TransportError: The request failed as a whole.
            MultipleFailed: Some failed, and ``return_exceptions`` is false.
        """
        for call in calls:
            if not isinstance(call, Later):
                raise InvalidArgument(f"multiple() takes calls made with .later(…), not {quote_value(call)}")
            to_item(call.prepared)  # for the errors, also where a single call is sent by itself
        if not calls:
            return ()
        outcomes = await self._caller.call_many([call.prepared for call in calls])
        results = tuple(outcome.data if isinstance(outcome, Result) else outcome for outcome in outcomes)
        if not return_exceptions and any(isinstance(outcome, ZeyosAsyncError) for outcome in outcomes):
            raise MultipleFailed(results)
        return results

    def batch(self, *, size: int = MAX_ITEMS) -> Batch:
        """Gather the calls that are made at the same time into few requests.

        ::

            async with ox.batch(), asyncio.TaskGroup() as group:
                for id in ids:
                    group.create_task(ox.contacts.get(id=id, folder="25"))

        Args:
            size: Calls in one request at most.
        """
        return Batch(self._caller, size)

    async def start(self, call: Later[T]) -> Job[T] | Result[T]:
        """Send a call that may take long, and don't wait for its end.

        Args:
            call: Made with ``.later(…)``, and ``allow_enqueue=True`` where the operation has it.

        Returns:
            The job, if the server makes one of the call; else its result.
        """
        if not isinstance(call, Later):
            raise InvalidArgument(f"start() takes a call made with .later(…), not {quote_value(call)}")
        return await self._caller.start(call.prepared)

    async def log_out(self) -> None:
        """End the session on the server, if there is one. The next call logs in again."""
        await self._channel.log_out()
