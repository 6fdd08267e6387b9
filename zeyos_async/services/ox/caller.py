"""The sender of prepared calls: it makes their requests, sends them, and reads their answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import msgspec
from yarl import URL

from ...errors import ApiError, FailedWrite, InvalidArgument, ServerError, ZeyosAsyncError
from ...forms import Form, Multipart, Upload
from ...session import Channel
from ...urls import set_query
from ...wire import Request, Response, Safety, StreamingBody
from ..base.values import check_finite
from .answers import Envelope
from .download import Download
from .errors import add_hint
from .jobs import Job
from .multiple import get_current_batch
from .operation import Module
from .outcomes import (
    combine_safety,
    finish_call,
    is_lost_session,
    read_envelope,
    read_outcomes,
    to_item,
)
from .rows import Result
from .spec import FormBody, JsonBody, PartsBody, PreparedCall, RawBody, ResultShape

__all__ = ["OxCaller"]

T = TypeVar("T")

_JSON: Final = "application/json"
_PLAIN_JSON: Final = (("force_json_response", "true"), ("plainJson", "true"))
"""Parameters that ask for JSON outside of a web page. Servers obey sometimes one and sometimes the other."""


class OxCaller:
    """The sender of prepared calls of one client.

    Args:
        channel: The way to the server.
        base_url: Where the API is, such as ``https://ox.example.com/ajax``.
        module: Gives the module of a name.
    """

    def __init__(self, channel: Channel, base_url: URL, module: Callable[[str], Module]) -> None:
        self.channel = channel
        self.module = module
        self._base = base_url

    def url(self, path: str) -> URL:
        """Return the URL of a path below the base URL; the parts of the path have to be quoted."""
        return URL(f"{self._base}/{path}", encoded=True)

    async def call(self, prepared: PreparedCall[T]) -> Result[T]:
        """Send a call, alone or with the batch that the task is in, and return its result.

        A job that the server makes of it is waited for.
        """
        batch = get_current_batch()
        # What no batch can have (an upload, a call of another client) is sent at once, from within one, too.
        if batch is not None and batch.accepts(self, prepared):
            return await batch.add(prepared)
        request = self.build_request(prepared)
        envelope = read_envelope(request, await self._send(prepared, request), prepared)
        if envelope.job is not None:
            return await self._make_job(prepared, envelope.job).wait()
        return self._finish_or_raise(request, prepared, envelope)

    def download(self, prepared: PreparedCall[Any]) -> Download:
        """Return the download of a call, which is sent when the download is entered or awaited."""
        return Download(self.channel, self.build_request(prepared))

    async def start(self, prepared: PreparedCall[T]) -> Job[T] | Result[T]:
        """Send a call, and return its job if the server makes one of it, else its result."""
        request = self.build_request(prepared)
        envelope = read_envelope(request, await self._send(prepared, request), prepared)
        if envelope.job is not None:
            return self._make_job(prepared, envelope.job)
        return self._finish_or_raise(request, prepared, envelope)

    def _make_job(self, prepared: PreparedCall[T], job: str) -> Job[T]:
        return Job(self.channel.send, self.url("jobs"), prepared, job)

    async def _send(self, prepared: PreparedCall[Any], request: Request) -> Response:
        try:
            return await self.channel.send(request)
        except ApiError as error:
            add_hint(error, prepared.spec)
            raise

    async def call_many(self, calls: Sequence[PreparedCall[Any]]) -> list[Result[Any] | ZeyosAsyncError]:
        """Send calls in one request, and return the result or the error of each, in order.

        Calls that found no session are sent once more, with a new one: they were not carried out.
        """
        if len(calls) == 1:
            return [await self._call_alone(calls[0])]
        results = await self._call_multiple(calls)
        lost = [index for index, result in enumerate(results) if is_lost_session(result)]
        if lost:
            # A lost session is renewed for a request that fails as a whole, which a multiple does not. So the first
            # one is sent alone, which gets a new session, and then the others together.
            results[lost[0]] = await self._call_alone(calls[lost[0]])
            others = lost[1:]
            for index, result in zip(others, await self._call_rest([calls[i] for i in others]), strict=True):
                results[index] = result
        return results

    async def _call_rest(self, calls: Sequence[PreparedCall[Any]]) -> Sequence[Result[Any] | ZeyosAsyncError]:
        """Send calls once more; if that fails as a whole, each gets the error: the results of others are known."""
        try:
            return await self._call_multiple(calls) if calls else []
        except FailedWrite as error:
            # An answer that makes no sense leaves no outcome open of a call that only reads.
            read_error = ServerError(error.message, status=error.status, method=error.method, url=error.url)
            return [read_error if call.spec.safety is Safety.READ else error for call in calls]
        except ZeyosAsyncError as error:
            return [error] * len(calls)

    async def _call_alone(self, prepared: PreparedCall[T]) -> Result[T] | ZeyosAsyncError:
        request = self.build_request(prepared)
        try:
            envelope = read_envelope(request, await self._send(prepared, request), prepared)
            if envelope.job is not None:
                return await self._make_job(prepared, envelope.job).wait()
        except ZeyosAsyncError as error:
            return error
        return finish_call(request, prepared, envelope)

    async def _call_multiple(self, calls: Sequence[PreparedCall[Any]]) -> list[Result[Any] | ZeyosAsyncError]:
        items = [to_item(call) for call in calls]
        request = Request(
            method="PUT",
            url=self.url("multiple"),
            headers={"Accept": _JSON, "Content-Type": _JSON},
            body=_encode_json(items, "multiple"),
            safety=combine_safety(calls),
            operation="multiple",
            sent=items,
        )
        return read_outcomes(request, await self.channel.send(request), calls)

    @staticmethod
    def _finish_or_raise(request: Request, prepared: PreparedCall[T], envelope: Envelope) -> Result[T]:
        result = finish_call(request, prepared, envelope)
        if isinstance(result, ZeyosAsyncError):
            raise result
        return result

    def build_request(self, prepared: PreparedCall[Any]) -> Request:
        """Build the request of a call.

        Raises:
            InvalidArgument: A value has no JSON form, or a file can't be one.
        """
        spec = prepared.spec
        body, kind = _encode_body(prepared)
        parts = isinstance(body, Multipart)
        query = (*prepared.query, *(_PLAIN_JSON if parts or spec.html else ()))
        return Request(
            method=spec.method,
            url=set_query(self.url(prepared.path), query),
            headers={"Accept": _accept_header(spec.returns), **kind},
            body=body,
            safety=spec.safety,
            operation=prepared.operation,
            sent=prepared.body.value if isinstance(prepared.body, JsonBody) else None,
            follow=spec.returns
            is not ResultShape.PAGE,  # a redirect is meant for a browser, and is the result
        )


def _accept_header(shape: ResultShape) -> str:
    """Return the header ``Accept``. For files it is anything, since only then their errors come as JSON."""
    return "*/*" if shape in (ResultShape.DOWNLOAD, ResultShape.PAGE) else _JSON


def _encode_json(value: Any, label: str) -> bytes:
    try:
        check_finite(value)
        return msgspec.json.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgument(f"{label}: the values can't be written as JSON: {error}") from error


def _encode_body(prepared: PreparedCall[Any]) -> tuple[bytes | StreamingBody | None, dict[str, str]]:
    """Return the body of a call as it is sent, and the header that names its type."""
    body = prepared.body
    if body is None:
        return None, {}
    if isinstance(body, JsonBody):
        return _encode_json(body.value, prepared.operation), {"Content-Type": _JSON}
    if isinstance(body, FormBody):
        form = Form(body.fields)
        return form.encode(), {"Content-Type": form.content_type}
    if isinstance(body, RawBody):
        upload = Upload.of(body.content)
        return upload, {"Content-Type": upload.content_type or body.media_type}
    parts = _make_multipart(prepared.operation, body)
    return parts, {"Content-Type": parts.content_type}


def _make_multipart(operation: str, body: PartsBody) -> Multipart:
    texts = [(name, _encode_json(value, operation).decode()) for name, value in body.json]
    files = [(name, Upload.of(content, filename=name)) for name, content in body.files]
    return Multipart([*texts, *files])
