"""One action of the General API as a request, in either layout of the addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import attrs
import msgspec
from yarl import URL

from ...errors import InvalidArgument
from ...session import Channel
from ...wire import Request, Safety
from .answers import data_of

__all__ = ["JSON_HEADERS", "Layout", "Wire"]

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
            url, named = url.joinpath(*parts), {}
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

    async def ask(self, request: Request) -> Any:
        """Send it, and give the answer's ``data``."""
        return data_of(request, await self.channel.send(request))
