"""The base of every client: a base URL, a channel on a session, and ``request()`` for calls without a method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from yarl import URL

from ...errors import ConfigurationError, InvalidArgument, quote_value
from ...session import Channel, Session
from ...urls import Query, add_segments, check_path, parse_address, set_query
from ...wire import Request, Response, Safety, public_url
from .options import ClientOptions, check_option_names
from .values import encode_json

if TYPE_CHECKING:
    from ...auth import AuthBackend

__all__ = ["ApiClient", "parse_base_url"]


class ApiClient:
    """The base of the clients. Creating one sends nothing; close it with ``async with`` or ``aclose()``.

    Args:
        base_url: The API's address, checked by ``parse_base_url``.
        auth: The way to log in; ``None`` for servers that ask nothing.
        options: The options that all clients take.
        check: Raises the error that a response stands for, where its HTTP status alone does not say so.
        status: Returns the status that a response stands for, where its HTTP status does not say so.
    """

    def __init__(
        self,
        base_url: URL,
        *,
        auth: AuthBackend | None,
        options: ClientOptions,
        check: Callable[[Request, Response], None] | None = None,
        status: Callable[[Request, Response], int] | None = None,
    ) -> None:
        self._base = base_url
        check_option_names(type(self).__name__, options)
        session, limits = options.get("session"), options.get("limits")
        self._session = session or Session(limits=limits)
        self._owns_session = session is None
        self.allow_http = _check_flag(options.get("allow_http"))
        self._channel: Channel = self._session.bind(
            base_url,
            auth,
            timeout=options.get("timeout"),
            retry=options.get("retry"),
            limits=limits,
            hooks=options.get("hooks", ()),
            check=check,
            status=status,
            allow_http=self.allow_http,
        )

    @property
    def base_url(self) -> URL:
        """The API's address."""
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
        self._channel.close()
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
            path: The path below the API's root; a slash at its end is kept.
            query: Query parameters.
            json: Values for a JSON body.
            headers: More headers.
            safe: Whether it may be sent again: ``True`` if it changes nothing, ``False`` if it must not happen
                twice. By default requests that only read may, all others may not.

        Returns:
            The response, of a status below 400.

        Raises:
            ApiError: The server answered with an error.
            InvalidArgument: The path leaves the API, or the values have no JSON form.
        """
        method = check_path(method, "request(): the method").upper()
        url = self._url(path)
        content_type = {"Content-Type": "application/json"} if json is not None else {}
        return await self._channel.send(
            Request(
                method=method,
                url=set_query(url, query) if query else url,
                headers={"Accept": "application/json", **content_type, **_to_header_texts(headers or {})},
                body=None if json is None else encode_json(json, operation=f"{method} {path}"),
                safety=self._safety(method, path, safe),
                operation=f"request.{method.lower()}",
                sent=json,
            )
        )

    def _url(self, path: str) -> URL:
        """Return the absolute URL of a path that a user gave to ``request()``."""
        check_path(path, "request(): the path")
        if "://" in path:
            raise InvalidArgument("request() takes a path below the base URL, and not a URL")
        parts = path.strip("/").split("/")
        # URL libraries resolve dots: the credential would be sent to another path of the host.
        if any(part in (".", "..") for part in parts):
            raise InvalidArgument(f"request(): the path {path!r} leaves the API")
        url = add_segments(self._root_of(path), *parts)
        return url / "" if path.endswith("/") else url

    def _root_of(self, path: str) -> URL:
        """Return the URL that a path is below."""
        return self._base

    def _safety(self, method: str, path: str, safe: bool | Safety | None) -> Safety:
        if isinstance(safe, Safety):
            return safe
        if safe is not None:
            return Safety.READ if safe else Safety.ONCE
        return Safety.READ if self._only_reads(method, path) else Safety.ONCE

    def _only_reads(self, method: str, path: str) -> bool:
        """Return whether a request changes nothing, judged by its method and its path."""
        return method in ("GET", "HEAD", "OPTIONS")


def _to_header_texts(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers as plain texts: a subclass of ``str`` may write itself in another way than it compares."""
    if not isinstance(headers, Mapping):
        raise InvalidArgument(f"headers is a mapping, not {quote_value(headers)}; nothing was sent.")
    for name, value in headers.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise InvalidArgument(
                f"A header has a text for its name and its value, not {quote_value(name)} and "
                f"{type(value).__name__}; nothing was sent."
            )
    return {str.__str__(name): str.__str__(value) for name, value in headers.items()}


def _check_flag(allow_http: object) -> bool | None:
    # A text such as "false" would permit what it is meant to forbid.
    if allow_http is None or isinstance(allow_http, bool):
        return allow_http
    raise ConfigurationError(f"allow_http= takes True, False or None, not {allow_http!r}")


def parse_base_url(value: str | URL, *, subject: str, example: str) -> URL:
    """Return a base URL without query, fragment and a slash at its end.

    Args:
        value: The user's argument.
        subject: The thing that it should be the URL of, for messages: ``"an instance"``.
        example: A right one, for messages.

    Raises:
        ConfigurationError: It can't be one; the message says why.
    """
    url = parse_address(value, subject=f"the URL of {subject}", example=example)
    return url if url.path else url.with_path("/")
