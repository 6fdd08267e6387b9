"""Actions of the General API: their requests, in either layout of the addresses, and the ``data`` of the responses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, TypeVar

import attrs
import msgspec
from yarl import URL

from ...auth.general.login import ActionRequest, KmdBackend
from ...errors import FailedWrite, InvalidArgument, ZeyosAsyncError, quote_value
from ...session import Channel
from ...urls import add_segments
from ...wire import Response, Safety
from ..base.answers import read_answer
from .responses import data_of
from .values import to_json

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
        backend: Knows the status codes that mean the end of the token; ``None`` where there is none.
    """

    channel: Channel
    endpoint: URL
    layout: Layout = "single"
    backend: KmdBackend | None = None

    def build_request(
        self, action: str, fields: Mapping[str, Any], *, safety: Safety, model: str = "", sent: Any = None
    ) -> ActionRequest:
        """Return the request for an action.

        Raises:
            InvalidArgument: A value can't be written as JSON, or the names make no path.
        """
        if not isinstance(action, str) or not action:
            raise InvalidArgument(f"an action has a name, not {quote_value(action)}")
        url, names = self.endpoint, {"action": action, **({"model": model} if model else {})}
        if self.layout == "paths":
            parts = ("model", model, action) if model else _PATHS_WITHOUT_MODEL.get(action, (action,))
            # A model called ".." would send the token to another path of the host.
            if any(part in ("", ".", "..") or "/" in part for part in parts):
                raise InvalidArgument(f"{'/'.join(parts)!r} is no action of a model")
            url, names = add_segments(url, *parts), {}
        try:
            body = msgspec.json.encode({**names, **to_json(action, fields)})
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidArgument(f"{action}: {error}") from error
        return ActionRequest(
            method="POST",
            url=url,
            headers=JSON_HEADERS,
            body=body,
            safety=safety,
            operation=f"{model}.{action}" if model else action,
            sent=sent,
        )

    async def call(self, request: ActionRequest, read: Callable[[Any], T]) -> T:
        """Send a request, and read the response's ``data``.

        Args:
            request: The request of an action.
            read: Converts the ``data``; raises ``ServerError`` where it makes no sense.

        Raises:
            FailedWrite: The response to a write makes no sense: it may have been done.
        """
        response = await self._send(request)
        return read_answer(request, response, lambda response: read(data_of(request, response)))

    async def _send(self, request: ActionRequest) -> Response:
        """Send a request; a write once more where a read tells that it was refused for its token alone.

        A write that is answered with a code may have been stored all the same, even with one that meant the end of
        another token. So a read goes out with the same token. Refused with the same code, the token is over its time:
        the server looks at it before anything else, so that the write was not begun.
        """
        try:
            return await self.channel.send(request)
        except FailedWrite as error:
            backend, code = self.backend, _code_of(error)
            if backend is None or code is None or error.status >= 400 or error.after_unknown:
                raise
            if not (backend.is_unknown(code) or backend.means_expired(code)):
                raise
            if not await self._is_about_token(backend, code, request.tokens[-1:]):
                raise
        # The token is fresh now: the same code once more is not about it, and the write is not sent a third time.
        return await self.channel.send(attrs.evolve(request, renews=False))

    async def _is_about_token(self, backend: KmdBackend, code: int, tokens: Sequence[int]) -> bool:
        """Return whether a read with the token of a write met the code as well, and with a fresh one does not."""
        probe = attrs.evolve(self.build_request("rights", {}, safety=Safety.READ), probed=code)
        try:
            await self.channel.send(probe)
        except ZeyosAsyncError:
            return False
        # Where another call has logged in meanwhile, it was that call's read which met it, and this one had a fresh token.
        return any((token, code) in backend.learned.ended for token in tokens)


def _code_of(error: FailedWrite) -> int | None:
    return int(error.code) if error.code.isdecimal() else None
