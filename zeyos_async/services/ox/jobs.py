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

from ...errors import InvalidArgument
from ...wire import Request, Response, Safety
from .answers import parse_response
from .outcomes import finish_call
from .rows import Result
from .spec import PreparedCall

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
        data = await self._query_job("info", Safety.READ)
        fields: Any = data if isinstance(data, dict) else {}
        return JobInfo(
            id=self.id,
            done=fields.get("done") is True,
            module=str(fields.get("module") or ""),
            action=str(fields.get("action") or ""),
        )

    async def cancel(self) -> None:
        """Stop it; what it has done so far stays done."""
        await self._query_job("cancel", Safety.REPEATABLE)

    async def wait(
        self, *, on_progress: Callable[[JobInfo], object] | None = None, pause: float = _FIRST_PAUSE
    ) -> Result[T]:
        """Wait for the end, and fetch the result.

        Who stops waiting, by a time-out for instance, does not stop the job.

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
            info = await self.info()
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
        envelope, _ = parse_response(request, await self._send(request))
        if envelope.job is not None:  # the job again, in place of its result
            return None
        result = finish_call(request, self._prepared, envelope)
        if isinstance(result, Exception):
            raise result
        return result

    async def _query_job(self, action: str, safety: Safety) -> Any:
        request = self._build_request(action, safety)
        return parse_response(request, await self._send(request))[0].data

    def _build_request(self, action: str, safety: Safety) -> Request:
        return Request(
            method="GET",
            url=self._url.with_query(action=action, id=self.id),
            headers={"Accept": "application/json"},
            safety=safety,
            operation=f"{self._prepared.operation} (job {action})",
        )
