"""One timer for everything that can take too long in an attempt.

``asyncio.timeout`` around the attempt and aiohttp's own timer for silences would arm four timers for
each small request, a tenth of its cost. Here one is armed; when it fires and data came in the meantime,
it is armed again.
"""

from __future__ import annotations

import asyncio
import math
from types import TracebackType
from typing import Self

__all__ = ["AttemptTimeout"]


class AttemptTimeout:
    """A context manager that ends its block at a deadline, or after a silence of the server.

    The block is left with ``TimeoutError`` if this timer ended it. A cancellation by somebody else stays a
    ``CancelledError``, even in the same turn of the event loop.

    Args:
        deadline: When to end at the latest, on the event loop's clock; infinity for never.
        max_silence: Longest silence in seconds, counted from :meth:`restart_silence`, or ``None``.

    Attributes:
        was_silence: Whether it was the silence that ended the block.
    """

    __slots__ = (
        "_cancelling",
        "_deadline",
        "_handle",
        "_has_expired",
        "_last_heard",
        "_loop",
        "_max_silence",
        "_task",
        "was_silence",
    )

    def __init__(self, deadline: float, max_silence: float | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._deadline = deadline
        self._max_silence = math.inf if max_silence is None else max_silence
        self._last_heard = math.inf
        self._handle: asyncio.TimerHandle | None = None
        self._cancelling = 0
        self._has_expired = False
        self.was_silence = False

    def restart_silence(self) -> None:
        """Count the silence from now on: data came, or is awaited from this moment."""
        self._last_heard = self._loop.time()

    def suspend_silence(self) -> None:
        """Stop counting until :meth:`restart_silence`: the server is not what is awaited now."""
        self._last_heard = math.inf

    def __enter__(self) -> Self:
        if self._task is None:
            raise RuntimeError("a request can be sent from within a task only")
        self._cancelling = self._task.cancelling()
        self._set_timer(min(self._deadline, self._loop.time() + self._max_silence))
        return self

    def _set_timer(self, moment: float) -> None:
        if moment < math.inf:
            self._handle = self._loop.call_at(moment, self._on_timer)

    def _on_timer(self) -> None:
        now = self._loop.time()
        silence_ends = self._last_heard + self._max_silence
        due = min(self._deadline, silence_ends)
        if now < due:
            # While nothing is awaited the silence ends never: look again after the longest one that may begin.
            self._set_timer(min(due, now + self._max_silence))
            return
        self._has_expired = True
        self.was_silence = silence_ends <= now < self._deadline
        if self._task is not None:
            self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle is not None:
            self._handle.cancel()
        if self._has_expired and self._task is not None:
            # If somebody else cancelled the task too, their cancellation still counts after ours is taken back.
            is_ours = self._task.uncancel() <= self._cancelling
            if is_ours and kind is not None and issubclass(kind, asyncio.CancelledError):
                raise TimeoutError from error
