"""Traces for OpenTelemetry, as hooks: a span for each call, and one below it for each attempt.

::

    from zeyos_async import Session
    from zeyos_async.telemetry import OpenTelemetryHooks

    session = Session(hooks=[OpenTelemetryHooks()])

Needs the extra ``otel``. Names are those of OpenTelemetry's semantic conventions for HTTP clients. No
span holds a query, a header, a body, a credential, or what a server said.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

import attrs
from yarl import URL

from .errors import ApiError, ConfigurationError
from .session.hooks import Hooks
from .wire import Request, Response, public_url

if TYPE_CHECKING:
    from opentelemetry.trace import Span, TracerProvider

__all__ = ["OpenTelemetryHooks"]

_NAME: Final = "zeyos_async"


@attrs.frozen(eq=False)
class _OpenSpan:
    """A span that has not ended, and the one that was current before it."""

    span: Span
    token: Any
    outer: _OpenSpan | None


class OpenTelemetryHooks(Hooks):
    """Hooks that trace every call of a session or a client.

    The span of a call is current while it is under way, and that of an attempt while it is sent, so that
    spans of others (of aiohttp's instrumentation, of a callable that gets tokens) come below them.

    Args:
        tracer_provider: Gets the spans; the global one if ``None``.

    Raises:
        ConfigurationError: OpenTelemetry is not installed.
    """

    def __init__(self, tracer_provider: TracerProvider | None = None) -> None:
        try:
            from opentelemetry import context, trace
        except ImportError as error:
            raise ConfigurationError(
                "OpenTelemetryHooks needs the package opentelemetry-api: pip install 'zeyos-async[otel]'"
            ) from error
        self._trace = trace
        self._context = context
        self._tracer = trace.get_tracer(_NAME, tracer_provider=tracer_provider)
        self._current_span: ContextVar[_OpenSpan | None] = ContextVar("zeyos_async_span", default=None)

    def on_call(self, request: Request) -> None:
        """Begin the span of a call."""
        name = request.operation or request.method
        self._begin_span(name, {**_request_attributes(request), "zeyos_async.operation": request.operation})

    def on_request(self, request: Request, attempt: int) -> None:
        """Begin the span of an attempt."""
        values = _request_attributes(request)
        if attempt > 1:
            values["http.request.resend_count"] = attempt - 1
        self._begin_span(request.method, values)

    def on_response(self, request: Request, response: Response, seconds: float) -> None:
        """End the span of an attempt that was answered."""
        self._end_span(response.status, None)

    def on_failure(self, request: Request, error: BaseException, seconds: float) -> None:
        """End the span of an attempt that was not answered."""
        self._end_span(None, error)

    def on_done(
        self, request: Request, response: Response | None, error: BaseException | None, seconds: float
    ) -> None:
        """End the span of a call."""
        # A call that an answer failed has no response here; its error knows the status.
        status = response.status if response is not None else getattr(error, "status", None) or None
        self._end_span(status, error)

    def on_retry(self, request: Request, attempt: int, wait: float, reason: str) -> None:
        """Note a pause before another attempt in the span of the call."""
        self._add_event("retry", {"zeyos_async.attempt": attempt, "zeyos_async.wait": wait})

    def on_login(self, base_url: URL, error: Exception | None) -> None:
        """Note a log-in in the span of the call that began it."""
        self._add_event("login", {} if error is None else {"error.type": _error_type(error)})

    def on_limit(self, origin: URL, limit: int, in_flight: int, waiting: int) -> None:
        """Note a wait for a slot, or a new limit, in the span of the call that meets it."""
        counts = {"limit": limit, "in_flight": in_flight, "waiting": waiting}
        self._add_event("limit", {f"zeyos_async.{name}": count for name, count in counts.items()})

    def _begin_span(self, name: str, values: dict[str, Any]) -> None:
        span = self._tracer.start_span(name, kind=self._trace.SpanKind.CLIENT, attributes=values)
        # Kept in a variable of the context: a call and its attempts may run in tasks of their own.
        token = self._context.attach(self._trace.set_span_in_context(span))
        self._current_span.set(_OpenSpan(span, token, self._current_span.get()))

    def _end_span(self, status: int | None, error: BaseException | None) -> None:
        current = self._current_span.get()
        if current is None:
            return  # the hooks were added while the call was under way
        if status is not None:
            current.span.set_attribute("http.response.status_code", status)
        kind = _error_type(error) if error is not None else str(status) if status and status >= 400 else None
        if kind is not None:
            current.span.set_attribute("error.type", kind)
            current.span.set_status(self._trace.StatusCode.ERROR)
        current.span.end()
        self._context.detach(current.token)
        self._current_span.set(current.outer)

    def _add_event(self, name: str, attributes: dict[str, Any]) -> None:
        if (current := self._current_span.get()) is not None:
            current.span.add_event(name, attributes)


def _request_attributes(request: Request) -> dict[str, Any]:
    url = request.url
    values: dict[str, Any] = {
        "http.request.method": request.method,
        "server.address": url.host or "",
        "url.full": public_url(url),
    }
    if url.port is not None:
        values["server.port"] = url.port
    return values


def _error_type(error: BaseException) -> str:
    if isinstance(error, ApiError) and error.status:
        return str(error.status)
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
