"""Jobs: calls that take long are answered with the number of a job, and carried out when it is due."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from .handlers import OxReply
from .refusals import WARNING, OxError, not_found
from .state import ServerState

__all__ = ["EnqueuedJob", "Jobs"]


@attrs.define(kw_only=True)
class EnqueuedJob:
    """A call that was put off.

    Attributes:
        id: Its number.
        module: The module that is called.
        action: The action that is called.
        user: The number of the user who called.
        due_at: The time to carry it out, in Unix seconds.
        signature: Module, action, parameters and body, to tell whether it runs already.
        run: Carries it out.
        reply: Its result, once it is done.
        error: The error, if it went wrong.
    """

    id: str
    module: str
    action: str
    user: int
    due_at: float
    signature: str
    run: Callable[[], OxReply] = attrs.field(repr=False)
    reply: OxReply | None = None
    error: OxError | None = None

    @property
    def is_done(self) -> bool:
        """Whether it was carried out."""
        return self.reply is not None or self.error is not None

    def info(self) -> dict[str, Any]:
        """Return the job as ``jobs?action=info`` tells it."""
        return {"id": self.id, "module": self.module, "action": self.action, "done": self.is_done}


class Jobs:
    """The jobs of a server."""

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._jobs: dict[str, EnqueuedJob] = {}

    def jobs_of(self, user: int) -> list[EnqueuedJob]:
        """Return the jobs of a user."""
        return [job for job in self._jobs.values() if job.user == user]

    def find(self, key: str, user: int) -> EnqueuedJob:
        """Return a job of a user.

        Raises:
            OxError: ``JOB-0002``.
        """
        job = self._jobs.get(key)
        if job is None or job.user != user:
            raise not_found("JOB-0002", f"job {key}")
        return job

    def forget(self, job: EnqueuedJob) -> None:
        """Remove a job from the list; if it is not done, it never will be."""
        self._jobs.pop(job.id, None)

    def enqueue(
        self,
        module: str,
        action: str,
        *,
        user: int,
        seconds: float,
        signature: str,
        run: Callable[[], OxReply],
    ) -> EnqueuedJob:
        """Put a call off.

        Raises:
            OxError: ``JOB-0004``, the same one is running.
        """
        # As on the server: two of them would delete the same folder twice.
        if any(job.signature == signature and not job.is_done for job in self.jobs_of(user)):
            raise OxError("JOB-0004", "the same job is already running", status=409)
        due = self._state.clock.now() + seconds
        key = f"{module}-{self._state.next_id()}"
        job = EnqueuedJob(
            id=key, module=module, action=action, user=user, due_at=due, signature=signature, run=run
        )
        self._jobs[key] = job
        return job

    def run_due(self) -> None:
        """Carry out the jobs that are due."""
        now = self._state.clock.now()
        # A copy, as a job may enqueue another one.
        for job in list(self._jobs.values()):
            if not job.is_done and job.due_at <= now:
                try:
                    job.reply = job.run()
                except OxError as error:
                    job.error = error

    def run_all(self) -> None:
        """Carry out every job, due or not."""
        for job in self._jobs.values():
            job.due_at = 0.0
        self.run_due()


def build_job_reply(job: EnqueuedJob) -> OxReply:
    """Build the reply that tells of a job in place of its result."""
    warning = OxError("JOB-0003", f"The operation takes long: see job {job.id}", category=WARNING)
    return OxReply(data={"job": job.id}, status=202, warnings=(warning,))
