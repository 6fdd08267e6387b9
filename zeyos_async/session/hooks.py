"""Hooks: what a user sees of every call, without touching it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, Final

from yarl import URL

from ..wire import Request, Response

__all__ = ["Hooks", "Listeners"]

_log: Final = logging.getLogger("zeyos_async")


class Hooks:
    """Override what is wanted; any object with some of these methods will do.

    Hooks are called on the event loop and must not block. They see requests without the credential. Each
    ``on_call`` is followed by one ``on_done`` in the same task, and each ``on_request`` between them by one
    ``on_response`` or ``on_failure`` in the task it was called in (which is another one than the call's
    where a session hedges). Several hooks nest: the first to hear of a beginning is the last to hear of its
    end.

    An error in a hook does not change the call, which may have written something already: it is
    logged, with its traceback, at level ``ERROR``.
    """

    def on_call(self, request: Request) -> None:
        """A call begins; it may wait, log in, and send the request any number of times."""

    def on_done(
        self, request: Request, response: Response | None, error: BaseException | None, seconds: float
    ) -> None:
        """A call ended after so many seconds: with an answer, or with the error that its caller gets."""

    def on_request(self, request: Request, attempt: int) -> None:
        """A request is about to be sent; ``attempt`` counts from 1."""

    def on_response(self, request: Request, response: Response, seconds: float) -> None:
        """An answer came, after so many seconds, whatever its status."""

    def on_failure(self, request: Request, error: BaseException, seconds: float) -> None:
        """An attempt ended without a usable answer; ``CancelledError`` if its caller was cancelled."""

    def on_retry(self, request: Request, attempt: int, wait: float, reason: str) -> None:
        """The request will be sent again in ``wait`` seconds; ``attempt`` is the one that failed."""

    def on_login(self, base_url: URL, error: Exception | None) -> None:
        """A log-in or refresh ended, well (``None``) or not."""

    def on_limit(self, origin: URL, limit: int, in_flight: int, waiting: int) -> None:
        """So many requests may run at once to a host now, or one must wait for a slot or for its pace.

        Args:
            origin: The host, as ``https://name:port``.
            limit: The limit in force, which adapts to what the host bears.
            in_flight: How many requests run.
            waiting: How many calls wait.
        """


class Listeners:
    """The hooks of a session and a channel, by event; an event that nobody listens to costs nothing."""

    __slots__ = (
        "on_call",
        "on_done",
        "on_failure",
        "on_limit",
        "on_login",
        "on_request",
        "on_response",
        "on_retry",
    )

    def __init__(self, hooks: Iterable[object]) -> None:
        found = list(hooks)
        self.on_call = _find_methods(found, "on_call")
        self.on_done = _find_methods(found[::-1], "on_done")
        self.on_limit = _find_methods(found, "on_limit")
        self.on_request = _find_methods(found, "on_request")
        self.on_response = _find_methods(found[::-1], "on_response")
        self.on_failure = _find_methods(found[::-1], "on_failure")
        self.on_retry = _find_methods(found, "on_retry")
        self.on_login = _find_methods(found, "on_login")


def _find_methods(hooks: list[object], name: str) -> tuple[Callable[..., Any], ...]:
    """The methods of this name that do something."""
    idle = getattr(Hooks, name)
    return tuple(
        method
        for hook in hooks
        if callable(method := getattr(hook, name, None)) and getattr(method, "__func__", None) is not idle
    )


def notify(listeners: tuple[Callable[..., Any], ...], *args: Any) -> None:
    """Call the listeners of one event; what goes wrong in them is logged."""
    for listener in listeners:
        try:
            listener(*args)
        except Exception:  # noqa: BLE001 - a hook is the user's, and the call is not to pay for it
            _log.exception(
                "The hook %r failed; the call goes on", getattr(listener, "__qualname__", listener)
            )
