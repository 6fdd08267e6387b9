"""What every client is: a base URL, a channel on a session, a life, and the door for what is not typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from yarl import URL

from ...addresses import Query, add_segments, check_path, parse_base_url, set_query
from ...errors import InvalidArgument
from ...session import Channel, Limits, Retry, Session, Timeout
from ...wire import Request, Response, Safety, public_url
from .values import encode

if TYPE_CHECKING:
    from ...auth import AuthBackend
    from ...session import Hooks

__all__ = ["ApiClient", "service_url"]


class ApiClient:
    """The base of the clients. Creating one sends nothing; close it with ``async with`` or ``aclose()``.

    Args:
        base_url: Where the API is, checked by ``service_url``.
        auth: How to prove who you are; ``None`` for servers that ask nothing.
        session: A session to share between clients; it is not closed with this client.
        timeout: Seconds for a call, waits and retries included, or a ``Timeout``.
        retry: What is tried again, and how often.
        limits: How much runs at once.
        hooks: Called on requests, responses, retries and log-ins.
        check: Raises the error that an answer is, where that is not told by its status alone.
        status: The status that an answer stands for, where its HTTP status does not tell.
    """

    def __init__(
        self,
        base_url: URL,
        *,
        auth: AuthBackend | None,
        session: Session | None,
        timeout: Timeout | float | None,
        retry: Retry | None,
        limits: Limits | None,
        hooks: Sequence[Hooks],
        check: Callable[[Request, Response], None] | None = None,
        status: Callable[[Request, Response], int] | None = None,
    ) -> None:
        self._base = base_url
        self._session = session or Session(limits=limits)
        self._owns_session = session is None
        self._channel: Channel = self._session.bind(
            base_url,
            auth,
            timeout=timeout,
            retry=retry,
            limits=limits,
            hooks=hooks,
            check=check,
            status=status,
        )

    @property
    def base_url(self) -> URL:
        """Where the API is."""
        return self._base

    @property
    def session(self) -> Session:
        """The session that sends this client's requests."""
        return self._session

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close what this client opened. A shared session stays open."""
        if self._owns_session:
            await self._session.aclose()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {public_url(self._base)}>"

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        safe: bool | Safety | None = None,
    ) -> Response:
        """Send a request that the typed API lacks, with its credential, retries and errors.

        Args:
            method: HTTP method.
            path: Below the API's root; a slash at its end is kept.
            query: Query parameters: texts and numbers by their names, a list for a name that is repeated.
            json: Values for a JSON body.
            headers: More headers.
            safe: Whether it may be sent again: ``True`` for what changes nothing, ``False`` for what
                must not happen twice. By default what only reads may, all else may not.

        Returns:
            The response, of a status below 400.

        Raises:
            ApiError: The server answered with an error.
            InvalidArgument: The path leaves the API, or the values have no JSON form.
        """
        method = check_path(method, "request(): the method").upper()
        url = self._url(path)
        kind = {"Content-Type": "application/json"} if json is not None else {}
        return await self._channel.send(
            Request(
                method=method,
                url=set_query(url, query) if query else url,
                headers={"Accept": "application/json", **kind, **(headers or {})},
                body=None if json is None else encode(json, what=f"{method} {path}"),
                safety=self._safety(method, path, safe),
                operation=f"request.{method.lower()}",
                sent=json,
            )
        )

    def _url(self, path: str) -> URL:
        """The absolute URL of a path that a user gave."""
        check_path(path, "request(): the path")
        if "://" in path:
            raise InvalidArgument("request() takes a path below the base URL, and not a URL")
        parts = path.strip("/").split("/")
        if any(part in (".", "..") for part in parts):
            raise InvalidArgument(f"request(): the path {path!r} leaves the API")
        url = add_segments(self._root_of(path), *parts)
        return url / "" if path.endswith("/") else url

    def _root_of(self, path: str) -> URL:
        """What a path is below."""
        return self._base

    def _safety(self, method: str, path: str, safe: bool | Safety | None) -> Safety:
        if isinstance(safe, Safety):
            return safe
        if safe is not None:
            return Safety.READ if safe else Safety.ONCE
        return Safety.READ if self._only_reads(method, path) else Safety.ONCE

    def _only_reads(self, method: str, path: str) -> bool:
        """Whether a request changes nothing, as far as its method and its path tell."""
        return method in ("GET", "HEAD", "OPTIONS")


def service_url(value: str | URL, *, what: str, example: str) -> URL:
    """A base URL without a slash at its end.

    Args:
        value: What the user gave.
        what: What it should be the URL of, for messages.
        example: A right one, for messages.

    Raises:
        ConfigurationError: It can't be one; the message says why.
    """
    url = parse_base_url(value, what=what, example=example)
    return url.with_path(url.raw_path.rstrip("/") or "/", encoded=True)
