"""Hooks: a user's methods that are told of every call, and change none."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, Final

from yarl import URL

from ..wire import Request, Response

__all__ = ["Hooks", "Listeners", "notify"]

_log: Final = logging.getLogger("zeyos_async")


class Hooks:
    """The methods that hooks may have. Override some of them; any object with some of them will do, too.

    Hooks are called on the event loop and must not block. They see requests without the credential. Each
    ``on_call`` is followed by one ``on_done`` in the same task, and each ``on_request`` between them by one
    ``on_response`` or ``on_failure`` in the task it was called in (which is another one than the call's
    where a session hedges). Several hooks nest: the first to hear of a beginning is the last to hear of its
    end.

    An error in a hook does not change the call, which may have written something already: it is
    logged, with its traceback, at level ``ERROR``.
    """

    def on_call(self, request: Request) -> None:
        """Hear that a call begins; it may wait, log in, and send the request any number of times."""

    def on_done(
        self, request: Request, response: Response | None, error: BaseException | None, seconds: float
    ) -> None:
        """Hear that a call ended after so many seconds: with an answer, or with the error that its caller gets."""

    def on_request(self, request: Request, attempt: int) -> None:
        """Hear that a request is about to be sent; ``attempt`` counts from 1."""

    def on_response(self, request: Request, response: Response, seconds: float) -> None:
        """Hear that an answer came, after so many seconds, whatever its status."""

    def on_failure(self, request: Request, error: BaseException, seconds: float) -> None:
        """Hear that an attempt ended without a usable answer; ``CancelledError`` if its caller was cancelled."""

    def on_retry(self, request: Request, attempt: int, wait: float, reason: str) -> None:
        """Hear that the request will be sent again in ``wait`` seconds; ``attempt`` is the one that failed."""

    def on_login(self, base_url: URL, error: Exception | None) -> None:
        """Hear that a log-in or refresh ended, well (``None``) or not."""

    def on_limit(self, origin: URL, limit: int, in_flight: int, waiting: int) -> None:
        """Hear how many requests may run at once to a host now, or that one must wait for a slot or its pace.

        Args:
            origin: The host, as ``https://name:port``.
            limit: The limit in force, which adapts to what the host bears.
            in_flight: How many requests run.
            waiting: How many calls wait.
        """


class Listeners:
    """The methods of some hooks, by event; an event that nobody listens to costs nothing."""

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
        listeners = list(hooks)
        # Hooks nest: the last to hear of a beginning is the first to hear of its end.
        inside_out = listeners[::-1]
        self.on_call = _find_methods(listeners, "on_call")
        self.on_done = _find_methods(inside_out, "on_done")
        self.on_limit = _find_methods(listeners, "on_limit")
        self.on_request = _find_methods(listeners, "on_request")
        self.on_response = _find_methods(inside_out, "on_response")
        self.on_failure = _find_methods(inside_out, "on_failure")
        self.on_retry = _find_methods(listeners, "on_retry")
        self.on_login = _find_methods(listeners, "on_login")


def _find_methods(hooks: list[object], name: str) -> tuple[Callable[..., Any], ...]:
    """Return the methods of this name that do something."""
    no_op = getattr(Hooks, name)
    return tuple(
        method
        for hook in hooks
        if callable(method := getattr(hook, name, None)) and getattr(method, "__func__", None) is not no_op
    )


def notify(listeners: tuple[Callable[..., Any], ...], *args: Any) -> None:
    """Call the listeners of one event, and log the errors that they raise."""
    for listener in listeners:
        try:
            listener(*args)
        except Exception:  # noqa: BLE001 - a hook is the user's, and the call is not to pay for it
            _log.exception(
                "The hook %r failed; the call goes on", getattr(listener, "__qualname__", listener)
            )
