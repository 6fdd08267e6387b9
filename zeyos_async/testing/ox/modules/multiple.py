"""``multiple``: several calls in one; and ``jobs``: calls that were put off."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ..envelope import build_envelope, build_error_fields
from ..handlers import OxCall, OxReply, handles
from ..jobs import build_job_reply
from ..refusals import OxError, PageRefusal
from ..requests import ParsedRequest, find_operation

__all__: list[str] = []

_AT_ONCE: Final = 5
_SERIAL: Final = frozenset({"drive", "mail", "templating"})
_SERIAL_WRITES: Final = frozenset({"calendar", "contacts", "folders", "tasks"})
_WRITES: Final = frozenset({"delete", "new", "update"})
_OWN: Final = frozenset({"action", "data", "module"})
_REFUSED: Final = frozenset({"login", "multiple"})


@handles("multiple", "PUT /multiple")
def _multiple(call: OxCall) -> OxReply:
    """A bare array of envelopes in the order of the items, carried out in another."""
    items = call.body
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise PageRefusal(400, "the body is no array of objects")
    for item in items:
        if not item.get("module"):
            raise OxError("EMU-0006", "an item has no module", params=("module",), status=400)
    answers: dict[int, Any] = dict.fromkeys(range(len(items)))
    for place in _order(call, items):
        answers[place] = _one(call, items[place])
    return OxReply(bare_json=list(answers.values()))


def _order(call: OxCall, items: Sequence[Mapping[str, Any]]) -> Iterator[int]:
    """Five at a time, in no order; but what is serial keeps its own."""
    for start in range(0, len(items), _AT_ONCE):
        places = list(range(start, min(start + _AT_ONCE, len(items))))
        if call.server_options.multiple_order == "shuffled":
            free = [place for place in places if not _is_serial(items[place])]
            drawn = iter(call.state.random.sample(free, len(free)))
            places = [place if _is_serial(items[place]) else next(drawn) for place in places]
        yield from places


def _is_serial(item: Mapping[str, Any]) -> bool:
    module = item["module"]
    return module in _SERIAL or (module in _SERIAL_WRITES and item.get("action") in _WRITES)


def _one(call: OxCall, item: Mapping[str, Any]) -> Any:
    number = call.request.number
    try:
        reply = _carried_out(call, item)
    except OxError as error:
        return build_error_fields(error, call.server_options, number)
    except PageRefusal as refusal:
        return build_error_fields(OxError("EMU-0007", refusal.text), call.server_options, number)
    return build_envelope(reply, call.server_options, number)


def _carried_out(call: OxCall, item: Mapping[str, Any]) -> OxReply:
    query = {name: _as_text(value) for name, value in item.items() if name not in _OWN}
    query["action"] = _as_text(item.get("action", ""))
    body = item.get("data")
    methods = ("PUT", "GET", "POST", "DELETE", "PATCH")
    operation = _documented(f"/{item['module']}", query, methods, call)
    if operation.operation.module in _REFUSED or operation.operation.body == "multipart":
        raise OxError("EMU-0008", f"{operation.operation} can't be part of multiple", status=400)
    if operation.operation.body_required and body is None:
        raise OxError("SVL-0002", "Missing the following request parameter: data", params=("data",))
    asked = ParsedRequest(operation=operation.operation, query={**query, **operation.query}, body=body)
    reply = call.dispatcher.perform(
        asked, call.request, call.server_options, session=call.session, user=call.caller
    )
    if reply.answer is not None:
        raise OxError("EMU-0008", f"{operation.operation} answers no JSON, so it can't be part of multiple")
    return reply


def _documented(path: str, query: Mapping[str, str], methods: Sequence[str], call: OxCall) -> ParsedRequest:
    """The operation of an item, which has no verb: the first one that is documented with some verb."""
    last: OxError | None = None
    for method in methods:
        try:
            operation, inside = find_operation(method, path, query, call.server_options)
        except OxError as error:
            last = error
        else:
            if operation.body != "multipart":
                return ParsedRequest(operation=operation, query=inside)
            last = OxError("EMU-0008", f"{operation} can't be part of multiple", status=400)
    assert last is not None, path
    raise last


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@handles("jobs", "all")
def _all_jobs(call: OxCall) -> OxReply:
    return OxReply(data=[job.info() for job in call.jobs.jobs_of(call.user.id)])


@handles("jobs", "info")
def _job_info(call: OxCall) -> OxReply:
    return OxReply(data=call.jobs.find(call.text_param("id"), call.user.id).info())


@handles("jobs", "get")
def _job_result(call: OxCall) -> OxReply:
    """What came of a job, once; until it is done, the same 202 as before."""
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
