"""Calls that outlast their request: the server answers 202 and goes on with the work as a job.

Operations with ``allow_enqueue=True`` may become one. A plain call waits for the end; ``OpenXchange.start``
gives the job itself, to watch it or to cancel it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Generic, TypeVar

import attrs
from yarl import URL

from ...errors import (
    InvalidArgument,
    NotAuthenticated,
    OutcomeUnknown,
    ServerError,
    TransportError,
    ZeyosAsyncError,
    quote_value,
)
from ...urls import set_query
from ...wire import Request, Response, Safety, public_url
from .answers import parse_response
from .outcomes import finish_call, read_envelope
from .rows import Result
from .spec import JsonBody, PreparedCall

__all__ = ["Job", "JobInfo"]

T = TypeVar("T")

_FIRST_PAUSE: Final = 0.5
_MAX_PAUSE: Final = 10.0


@attrs.frozen(kw_only=True)
class JobInfo:
    """The progress of a job.

    Attributes:
        id: The job's ID.
        done: Whether its result is there.
        module: What it works on.
        action: What it does.
    """

    id: str
    done: bool
    module: str = ""
    action: str = ""


class Job(Generic[T]):
    """A call that the server works on after it answered; made by ``OpenXchange.start``.

    Args:
        send: Sends a request of the session.
        url: The URL of the module ``jobs``.
        prepared: The call.
        job: The job's ID.

    Attributes:
        id: The job's ID, for ``ox.jobs``.
    """

    def __init__(
        self,
        send: Callable[[Request], Awaitable[Response]],
        url: URL,
        prepared: PreparedCall[T],
        job: str,
    ) -> None:
        self.id = job
        self._send = send
        self._url = url
        self._prepared = prepared

    def __repr__(self) -> str:
        return f"<Job {self.id} of {self._prepared.operation}>"

    async def info(self) -> JobInfo:
        """Fetch its progress."""
        request = self._build_request("info", Safety.READ)
        fields = await self._query_job(request)
        # Without this, an answer that does not say whether it is done would be asked for again for ever.
        is_info = isinstance(fields, dict) and isinstance(fields.get("done"), bool)
        if not is_info or str(fields.get("id", self.id)) != self.id:
            raise ServerError(
                f"{request.operation}: the progress of {self.id!r} was asked for, and {quote_value(fields, 80)} came",
                method=request.method,
                url=public_url(request.url),
            )
        return JobInfo(
            id=self.id,
            done=fields["done"],
            module=str(fields.get("module") or ""),
            action=str(fields.get("action") or ""),
        )

    async def cancel(self) -> None:
        """Stop it; what it has done so far stays done."""
        await self._query_job(self._build_request("cancel", Safety.REPEATABLE))

    async def wait(
        self, *, on_progress: Callable[[JobInfo], object] | None = None, pause: float = _FIRST_PAUSE
    ) -> Result[T]:
        """Wait for the end, and fetch the result.

        Who stops waiting, by a time-out for instance, does not stop the job. Where its progress can't be learned, or its
        result is lost, nobody knows what became of a write: that is an ``OutcomeUnknown``.

        Args:
            on_progress: Called with what is known after each question.
            pause: Seconds to the first question; the pauses grow up to ten seconds.

        Raises:
            ApiError: The job ended in an error.
            InvalidArgument: ``pause`` is no number of seconds.
        """
        if isinstance(pause, bool) or not isinstance(pause, (int, float)) or not 0 <= pause < float("inf"):
            raise InvalidArgument(f"wait(pause=…) is a number of seconds, not {pause!r}")
        while True:
            await asyncio.sleep(pause)
            pause = min(_MAX_PAUSE, max(pause, 0.05) * 1.5)  # a pause of 0 would never grow
            try:
                info = await self.info()
            except ZeyosAsyncError as error:
                raise self._unknown_outcome(error) from error
            if on_progress is not None:
                on_progress(info)
            if info.done:
                result = await self._fetch_result()
                if result is not None:
                    return result

    async def _fetch_result(self) -> Result[T] | None:
        """Fetch the result, or return ``None`` if the server has none yet in spite of ``done``."""
        # The server forgets a job with its result. If this answer is lost, nobody knows the outcome.
        request = self._build_request("get", self._prepared.spec.safety)
        try:
            response = await self._send(request)
        except (TransportError, NotAuthenticated) as error:  # other answers are those of the call itself
            raise self._unknown_outcome(error) from error
        envelope = read_envelope(request, response, self._prepared)
        if envelope.job is not None:  # the job again, in place of its result
            return None
        result = finish_call(request, self._prepared, envelope)
        if isinstance(result, Exception):
            raise result
        return result

    def _unknown_outcome(self, error: ZeyosAsyncError) -> ZeyosAsyncError:
        """Return the error of a call whose job can't be asked: of a write, it must not look as if nothing was sent."""
        if self._prepared.spec.safety is Safety.READ or isinstance(error, OutcomeUnknown):
            return error
        body = self._prepared.body
        return OutcomeUnknown(
            f"the server began the work as job {self.id!r}, and what became of it can't be learned: {error.args[0]}",
            operation=self._prepared.operation,
            sent=body.value if isinstance(body, JsonBody) else None,
        )

    async def _query_job(self, request: Request) -> Any:
        return parse_response(request, await self._send(request))[0].data

    def _build_request(self, action: str, safety: Safety) -> Request:
        return Request(
            method="GET",
            url=set_query(self._url, {"action": action, "id": self.id}),
            headers={"Accept": "application/json"},
            safety=safety,
            operation=f"{self._prepared.operation} (job {action})",
        )
