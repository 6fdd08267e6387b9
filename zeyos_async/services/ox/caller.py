"""From a prepared call to its result: the request, the answer, and what goes on after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import msgspec
from yarl import URL

from ...addresses import set_query
from ...errors import ApiError, InvalidArgument, ZeyosAsyncError
from ...forms import Form as FormBody
from ...forms import Multipart, Upload
from ...session import Channel
from ...wire import Request, Response, StreamingBody
from .answers import Envelope, parse
from .download import Download
from .errors import explained
from .jobs import Job
from .multiple import current_batch, finished, is_lost_session, item_of, outcomes, safety_of
from .operation import Module
from .rows import Result
from .spec import Form, Json, Parts, Prepared, Raw, Shape

__all__ = ["OxCaller"]

T = TypeVar("T")

_JSON: Final = "application/json"
_PLAIN: Final = (("force_json_response", "true"), ("plainJson", "true"))
"""What asks for JSON outside of a web page; servers heed either of them at times, and neither always."""


class OxCaller:
    """Sends prepared calls.

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
        """The URL of a path below the base URL, whose parts are quoted already."""
        return URL(f"{self._base}/{path}", encoded=True)

    async def call(self, prepared: Prepared[T]) -> Result[T]:
        """Send a call, alone or with the batch that the task is in, and read its answer.

        A job that the server makes of it is waited for.
        """
        batch = current_batch()
        if batch is not None and batch.takes(self, prepared):
            return await batch.add(prepared)
        request = self.request(prepared)
        response = await self._answer(prepared, request)
        if prepared.spec.returns is Shape.PAGE:
            return self._finished(request, prepared, Envelope(response))
        envelope, _ = parse(request, response)
        if envelope.job is not None:
            return await Job(self, prepared, envelope.job).wait()
        return self._finished(request, prepared, envelope)

    def download(self, prepared: Prepared[Any]) -> Download:
        """The file that a call gives; it is sent when that is entered or awaited."""
        return Download(self.channel, self.request(prepared))

    async def start(self, prepared: Prepared[T]) -> Job[T] | Result[T]:
        """Send a call, and return its job if the server makes one of it, else its result."""
        request = self.request(prepared)
        envelope, _ = parse(request, await self._answer(prepared, request))
        if envelope.job is not None:
            return Job(self, prepared, envelope.job)
        return self._finished(request, prepared, envelope)

    async def _answer(self, prepared: Prepared[Any], request: Request) -> Response:
        try:
            return await self.channel.send(request)
        except ApiError as error:
            explained(error, prepared.spec)
            raise

    async def together(self, calls: Sequence[Prepared[Any]]) -> list[Result[Any] | ZeyosAsyncError]:
        """Send calls in one request; each one's result or error, in order.

        Calls that found no session are sent once more, with a new one: they were not carried out.
        """
        if len(calls) == 1:
            return [await self._tried(calls[0])]
        found = await self._multiple(calls)
        lost = [index for index, each in enumerate(found) if is_lost_session(each)]
        if lost:  # the first alone, which gets a session; then the others
            found[lost[0]] = await self._tried(calls[lost[0]])
            rest = lost[1:]
            again = await self._multiple([calls[index] for index in rest]) if rest else []
            for index, each in zip(rest, again, strict=True):
                found[index] = each
        return found

    async def _tried(self, prepared: Prepared[T]) -> Result[T] | ZeyosAsyncError:
        request = self.request(prepared)
        try:
            envelope, _ = parse(request, await self._answer(prepared, request))
            if envelope.job is not None:
                return await Job(self, prepared, envelope.job).wait()
        except ZeyosAsyncError as error:
            return error
        return finished(request, prepared, envelope)

    async def _multiple(self, calls: Sequence[Prepared[Any]]) -> list[Result[Any] | ZeyosAsyncError]:
        items = [item_of(each) for each in calls]
        request = Request(
            method="PUT",
            url=self.url("multiple"),
            headers={"Accept": _JSON, "Content-Type": _JSON},
            body=_encoded(items, "multiple"),
            safety=safety_of(calls),
            operation="multiple",
            sent=items,
        )
        return outcomes(request, await self.channel.send(request), calls)

    @staticmethod
    def _finished(request: Request, prepared: Prepared[T], envelope: Envelope) -> Result[T]:
        result = finished(request, prepared, envelope)
        if isinstance(result, ZeyosAsyncError):
            raise result
        return result

    def request(self, prepared: Prepared[Any]) -> Request:
        """The request of a call.

        Raises:
            InvalidArgument: A value has no JSON form, or a file can't be one.
        """
        spec = prepared.spec
        body, kind = _body(prepared)
        parts = isinstance(body, Multipart)
        query = (*prepared.query, *(_PLAIN if parts or spec.html else ()))
        return Request(
            method=spec.method,
            url=set_query(self.url(prepared.path), query),
            headers={"Accept": _accepted(spec.returns), **kind},
            body=body,
            safety=spec.safety,
            operation=prepared.operation,
            sent=prepared.body.value if isinstance(prepared.body, Json) else None,
            follow=spec.returns is not Shape.PAGE,
        )


def _accepted(shape: Shape) -> str:
    """What is accepted as an answer. For files it is anything, as only then their errors come as JSON."""
    return "*/*" if shape in (Shape.DOWNLOAD, Shape.PAGE) else _JSON


def _encoded(value: Any, what: str) -> bytes:
    try:
        return msgspec.json.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgument(f"{what}: the values can't be written as JSON: {error}") from error


def _body(prepared: Prepared[Any]) -> tuple[bytes | StreamingBody | None, dict[str, str]]:
    """The body of a call, and the header that names its type."""
    body = prepared.body
    if body is None:
        return None, {}
    if isinstance(body, Json):
        return _encoded(body.value, prepared.operation), {"Content-Type": _JSON}
    if isinstance(body, Form):
        form = FormBody(body.fields)
        return form.encode(), {"Content-Type": form.content_type}
    if isinstance(body, Raw):
        upload = Upload.of(body.content)
        return upload, {"Content-Type": upload.content_type or body.media_type}
    parts = _multipart(prepared.operation, body)
    return parts, {"Content-Type": parts.content_type}


def _multipart(operation: str, body: Parts) -> Multipart:
    texts = [(name, _encoded(value, operation).decode()) for name, value in body.json]
    files = [(name, Upload.of(content, filename=name)) for name, content in body.files]
    return Multipart([*texts, *files])
