"""``jobs``: calls that were put off, and their results."""

from __future__ import annotations

from ..handlers import OxCall, OxReply, handles
from ..jobs import build_job_reply

__all__: list[str] = []


@handles("jobs", "all")
def _all_jobs(call: OxCall) -> OxReply:
    return OxReply(data=[job.info() for job in call.jobs.jobs_of(call.user.id)])


@handles("jobs", "info")
def _job_info(call: OxCall) -> OxReply:
    return OxReply(data=call.jobs.find(call.text_param("id"), call.user.id).info())


@handles("jobs", "get")
def _job_result(call: OxCall) -> OxReply:
    """Answer with the result of a job, once; until it is done, with the same 202 as before."""
    job = call.jobs.find(call.text_param("id"), call.user.id)
    if not job.is_done:
        return build_job_reply(job)
    call.jobs.forget(job)
    if job.error is not None:
        raise job.error
    assert job.reply is not None, job
    return job.reply


@handles("jobs", "cancel")
def _cancel_job(call: OxCall) -> OxReply:
    job = call.jobs.find(call.text_param("id"), call.user.id)
    call.jobs.forget(job)
    return OxReply(data={"success": not job.is_done})
