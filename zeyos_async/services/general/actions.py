"""Actions of the General API: their requests, in either layout of the addresses, and the ``data`` of the responses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeVar

import attrs
import msgspec
from yarl import URL

from ...errors import FailedWrite, InvalidArgument, ServerError
from ...session import Channel
from ...wire import Request, Safety, public_url
from .responses import data_of

__all__ = ["JSON_HEADERS", "ActionCaller", "Layout"]

T = TypeVar("T")
Layout = Literal["single", "paths"]
JSON_HEADERS: Final[Mapping[str, str]] = {"Content-Type": "application/json", "Accept": "application/json"}
_PATHS_WITHOUT_MODEL: Final = {"auth": ("auth", "auth"), "rights": ("auth", "rights"), "info": ("info",)}


@attrs.frozen
class ActionCaller:
    """Builds and sends the requests of one endpoint's actions.

    Attributes:
        channel: Sends the requests.
        endpoint: The endpoint's URL.
        layout: ``"single"`` posts everything to the endpoint, with action and model in the body;
            ``"paths"`` has them in the path: ``/model/{MODEL}/{ACTION}``.
    """

    channel: Channel
    endpoint: URL
    layout: Layout = "single"

    def build_request(
        self, action: str, fields: Mapping[str, Any], *, safety: Safety, model: str = "", sent: Any = None
    ) -> Request:
        """Return the request for an action.

        Raises:
            InvalidArgument: A value can't be written as JSON, or the names make no path.
        """
        url, names = self.endpoint, {"action": action, **({"model": model} if model else {})}
        if self.layout == "paths":
            parts = ("model", model, action) if model else _PATHS_WITHOUT_MODEL.get(action, (action,))
            # A model called ".." would send the token to another path of the host.
            if any(part in ("", ".", "..") or "/" in part for part in parts):
                raise InvalidArgument(f"{'/'.join(parts)!r} is no action of a model")
            url, names = url.joinpath(*parts), {}
        try:
            body = msgspec.json.encode({**names, **fields})
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

    async def call(self, request: Request, read: Callable[[Any], T]) -> T:
        """Send a request, and read the response's ``data``.

        Args:
            request: The request of an action.
            read: Converts the ``data``; raises ``ServerError`` where it makes no sense.

        Raises:
            FailedWrite: The response to a write makes no sense: it may have been done.
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
