"""Calls that outlast their request: the server answers 202 and goes on with the work as a job.

Operations with ``allow_enqueue=True`` may become one. A plain call waits for the end; ``OpenXchange.start``
gives the job itself, to watch it or to cancel it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import attrs

from ...addresses import set_query
from ...errors import InvalidArgument
from ...wire import Request, Safety
from .answers import parse
from .multiple import finished
from .rows import Result
from .spec import Prepared

if TYPE_CHECKING:
    from .caller import OxCaller

__all__ = ["Job", "JobInfo"]

T = TypeVar("T")

_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 10.0


@attrs.frozen(kw_only=True)
class JobInfo:
    """How far a job is.

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
    """A call that the server carries out by and by.

    Attributes:
        id: The job's ID, for ``ox.jobs``.
    """

    def __init__(self, caller: OxCaller, prepared: Prepared[T], job: str) -> None:
        self.id = job
        self._caller = caller
        self._prepared = prepared

    def __repr__(self) -> str:
        return f"<Job {self.id} of {self._prepared.operation}>"

    async def info(self) -> JobInfo:
        """How far it is."""
        data = await self._ask("info", Safety.READ)
        found: Any = data if isinstance(data, dict) else {}
        return JobInfo(
            id=self.id,
            done=found.get("done") is True,
            module=str(found.get("module") or ""),
            action=str(found.get("action") or ""),
        )

    async def cancel(self) -> None:
        """Stop it; what it has done so far stays done."""
        await self._ask("cancel", Safety.REPEATABLE)

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
            pause = min(_LONGEST_PAUSE, max(pause, 0.05) * 1.5)
            info = await self.info()
            if on_progress is not None:
                on_progress(info)
            if info.done:
                result = await self._result()
                if result is not None:
                    return result

    async def _result(self) -> Result[T] | None:
        """The result, or ``None`` if the server has not got it yet after all."""
        # The server forgets a job with its result, so that an answer that is lost leaves the outcome unknown.
        request = self._request("get", self._prepared.spec.safety)
        envelope, _ = parse(request, await self._caller.channel.send(request))
        if envelope.job is not None:
            return None
        result = finished(request, self._prepared, envelope)
        if isinstance(result, Exception):
            raise result
        return result

    async def _ask(self, action: str, safety: Safety) -> Any:
        request = self._request(action, safety)
        return parse(request, await self._caller.channel.send(request))[0].data

    def _request(self, action: str, safety: Safety) -> Request:
        return Request(
            method="GET",
            url=set_query(self._caller.url("jobs"), {"action": action, "id": self.id}),
            headers={"Accept": "application/json"},
            safety=safety,
            operation=f"{self._prepared.operation} (job {action})",
        )
