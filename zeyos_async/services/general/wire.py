"""One action of the General API as a request, in either layout of the addresses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeVar

import attrs
import msgspec
from yarl import URL

from ...addresses import add_segments
from ...errors import FailedWrite, InvalidArgument, ServerError
from ...session import Channel
from ...wire import Request, Safety, public_url
from .answers import data_of

__all__ = ["JSON_HEADERS", "Layout", "Wire"]

T = TypeVar("T")
Layout = Literal["single", "paths"]
JSON_HEADERS: Final[Mapping[str, str]] = {"Content-Type": "application/json", "Accept": "application/json"}
_WITHOUT_MODEL: Final = {"auth": ("auth", "auth"), "rights": ("auth", "rights"), "info": ("info",)}


@attrs.frozen
class Wire:
    """Where actions are sent.

    Attributes:
        channel: The way to the server.
        endpoint: The endpoint's URL.
        layout: ``"single"`` posts everything to the endpoint, with action and model in the body;
            ``"paths"`` has them in the path: ``/model/{MODEL}/{ACTION}``.
    """

    channel: Channel
    endpoint: URL
    layout: Layout = "single"

    def request(
        self, action: str, fields: Mapping[str, Any], *, safety: Safety, model: str = "", sent: Any = None
    ) -> Request:
        """The request for an action.

        Raises:
            InvalidArgument: A value can't be written as JSON, or the names make no path.
        """
        url, named = self.endpoint, {"action": action, **({"model": model} if model else {})}
        if self.layout == "paths":
            parts = ("model", model, action) if model else _WITHOUT_MODEL.get(action, (action,))
            if any(part in ("", ".", "..") or "/" in part for part in parts):
                raise InvalidArgument(f"{'/'.join(parts)!r} is no action of a model")
            url, named = add_segments(url, *parts), {}
        try:
            body = msgspec.json.encode({**named, **fields})
        except (TypeError, ValueError) as error:
            raise InvalidArgument(f"{action}: {error}") from error
        return Request(
            method="POST",
            url=url,
            headers=JSON_HEADERS,
            body=body,
            safety=safety,
            operation=f"{model}.{action}" if model else action,
            sent=sent,
        )

    async def ask(self, request: Request, read: Callable[[Any], T]) -> T:
        """Send it, and read the answer's ``data``.

        Args:
            request: What to send.
            read: Makes something of the ``data``; raises ``ServerError`` where that makes no sense.

        Raises:
            FailedWrite: A write was answered with something that makes no sense: it may have been done.
        """
        response = await self.channel.send(request)
        try:
            return read(data_of(request, response))
        except ServerError as error:
            if request.safety is Safety.READ:
                raise
            raise FailedWrite(
                error.message,
                method=request.method,
                url=public_url(request.url),
                operation=request.operation,
                sent=request.sent,
                status=response.status,
            ) from error
