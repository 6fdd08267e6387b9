"""A user's sign-in by the browser: the address to open, and the server to which the user comes back.

Authorization code with PKCE (RFC 7636, S256) and a loopback redirect (RFC 8252). The server listens on
127.0.0.1 only, for one answer: the one that carries the state that was sent along.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import html
import inspect
import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self

import attrs
from yarl import URL

from ...errors import ConfigurationError, InvalidArgument, PermissionDenied, ZeyosAsyncError
from ...secrets import Secret
from ...urls import add_segments, set_query
from ...wire import public_url
from ..base import to_secret

__all__ = [
    "Authorization",
    "CallbackServer",
    "challenge_of",
    "new_verifier",
    "show_to_user",
    "start_authorization",
]

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_CALLBACK_PATH: Final = "/callback"
_MAX_HEAD: Final = 16 * 1024
_MAX_REQUEST_TIME: Final = 10.0
_MAX_QUOTE: Final = 200
_SIGNED_IN: Final = "You are signed in. You can close this window."
_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:1.125rem/1.5 system-ui,sans-serif;display:grid;place-content:center;min-height:90vh;margin:0;"
    "text-align:center;padding:1rem}"
    "b{font-size:3rem;line-height:1}"
)
# The page forbids everything but this one style, which its Content-Security-Policy names by the hash.
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HTML: Final = (
    '<!DOCTYPE html><html lang="en"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width,initial-scale=1">'
    '<title>Sign-in</title><link rel="icon" href="data:,"><style>{style}</style>'
    '<main><b aria-hidden="true">{sign}</b><p>{text}</p></main></html>'
)


def new_verifier() -> Secret:
    """Return a random PKCE verifier: 43 characters with 256 bits."""
    return Secret(secrets.token_urlsafe(32))


def challenge_of(verifier: Secret) -> str:
    """Return the S256 challenge of a PKCE verifier."""
    digest = hashlib.sha256(verifier.reveal().encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def _to_state(value: str | Secret) -> Secret:
    return to_secret(value, "state")


def _to_verifier(value: str | Secret) -> Secret:
    return to_secret(value, "verifier")


@attrs.frozen(kw_only=True)
class Authorization:
    """A sign-in of one user, from the address to open to the answer: keep it until the user comes back.

    A web application keeps ``state`` and ``verifier`` in the user's session meanwhile, and makes the
    value anew from them.

    Attributes:
        url: Where the user goes to sign in.
        redirect_uri: Where the server sends the user afterwards.
        state: What shows that an answer belongs to this sign-in.
        verifier: The PKCE verifier: what shows the server that the code comes from whom it was meant for.
    """

    url: URL = attrs.field(converter=URL, repr=lambda url: public_url(url))
    redirect_uri: str
    state: Secret = attrs.field(converter=_to_state)
    verifier: Secret = attrs.field(converter=_to_verifier)

    def code(self, answer: str | URL | Mapping[str, str]) -> Secret:
        """Return the authorization code in what the user came back with.

        Args:
            answer: The URL at which the user arrived, or the parameters of its query or form.

        Raises:
            InvalidArgument: It does not belong to this sign-in, or holds no code.
            PermissionDenied: The user said no, or the server did.
        """
        values = answer if isinstance(answer, Mapping) else URL(answer).query
        if not self.owns(values):
            raise InvalidArgument(
                "The answer does not belong to this sign-in: its state differs. It may be an old or a forged one; "
                "begin again."
            )
        if values.get("error"):
            raise PermissionDenied(_describe_denial(values), code=str(values["error"])[:80])
        code = values.get("code")
        if not code:
            raise InvalidArgument("The answer holds neither a code nor an error; begin the sign-in again.")
        return Secret(code)

    def owns(self, values: Mapping[str, str]) -> bool:
        """Return whether an answer carries the state of this sign-in."""
        state = values.get("state") or ""
        return hmac.compare_digest(state.encode(), self.state.reveal().encode())


def _describe_denial(values: Mapping[str, str]) -> str:
    text = values.get("error_description") or values["error"]
    reason = "".join(c for c in text[:_MAX_QUOTE] if c.isprintable())
    return f"the sign-in was refused: {reason}"


def start_authorization(
    base_url: URL, *, client_id: str, redirect_uri: str, response_mode: str | None
) -> Authorization:
    """Return a new sign-in, with a state and a verifier of its own.

    Raises:
        ConfigurationError: The redirect URI is neither https nor on this machine.
    """
    _check_redirect(redirect_uri)
    state, verifier = Secret(secrets.token_urlsafe(24)), new_verifier()
    query = {
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
        "state": state.reveal(),
    }
    if response_mode is not None:
        query["response_mode"] = response_mode
    url = set_query(add_segments(base_url, "oauth2", "v1", "authorize"), query)
    return Authorization(url=url, redirect_uri=redirect_uri, state=state, verifier=verifier)


def _check_redirect(redirect_uri: str) -> None:
    url = URL(redirect_uri)
    if url.scheme == "https" or (url.scheme == "http" and url.host in _LOOPBACK):
        return
    raise ConfigurationError(
        f"redirect_uri={public_url(url)!r}: the server takes https:// addresses, and http:// on 127.0.0.1 only."
    )


async def show_to_user(url: str, show: Callable[[str], Any] | None) -> None:
    """Show the user the address to open, by the callable or else by opening the browser.

    Raises:
        ConfigurationError: There is no browser to open it.
    """
    if show is None:
        import webbrowser  # here, as few need it

        if not await asyncio.to_thread(webbrowser.open, url):
            raise ConfigurationError(
                "There is no browser here that could be opened. Give show=, for instance print, and open the "
                "address in a browser of this machine."
            )
        return
    result = show(url)
    if inspect.isawaitable(result):
        await result


class CallbackServer:
    """A server on 127.0.0.1 that waits for the user to come back from a sign-in; use it with ``async with``.

    It takes one answer, which carries the state of the sign-in that it expects, and shows a small page.
    Everything else is refused and changes nothing.

    Args:
        port: The port; 0 is a free one.

    Attributes:
        redirect_uri: The address to which the user has to come back.
    """

    def __init__(self, *, port: int = 0) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._expected: Authorization | None = None
        self._code: asyncio.Future[Secret] | None = None
        self.redirect_uri = ""

    async def __aenter__(self) -> Self:
        try:
            self._server = await asyncio.start_server(
                self._handle_connection, "127.0.0.1", self._port, limit=_MAX_HEAD
            )
        except OSError as error:
            raise ConfigurationError(
                f"Port {self._port} on 127.0.0.1 can't be used for the sign-in: {error.strerror}. Take port=0."
            ) from error
        self._code = asyncio.get_running_loop().create_future()
        self.redirect_uri = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}{_CALLBACK_PATH}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        if self._code is not None and not self._code.cancel() and not self._code.cancelled():
            self._code.exception()  # else asyncio logs an error that nobody fetched

    def expect(self, authorization: Authorization) -> None:
        """Take the answer to this sign-in, and no other."""
        self._expected = authorization

    async def code(self, *, timeout: float) -> Secret:
        """Wait for the user to come back, and return the authorization code.

        Args:
            timeout: How many seconds the user has.

        Raises:
            PermissionDenied: The user, or the server, said no.
            TimeoutError: Nobody came back in time.
        """
        if self._code is None or self._expected is None:
            raise ConfigurationError(
                "Use CallbackServer with `async with`, and call expect() before you wait."
            )
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.shield(self._code)
        except TimeoutError:
            raise TimeoutError(f"nobody came back from the sign-in within {timeout:g} s") from None

    async def _handle_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request, answer it, and hang up."""
        try:
            async with asyncio.timeout(_MAX_REQUEST_TIME):
                status, text = self._handle_request(await reader.readuntil(b"\r\n\r\n"))
                writer.write(_page_response(status, text))
                await writer.drain()
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the other end is no browser, and nobody reads an answer
        finally:
            writer.close()

    def _handle_request(self, head: bytes) -> tuple[HTTPStatus, str]:
        """Return the status and the text to show. The first good request is the answer that is waited for.

        The Host is checked, as a page of another site could make its own name lead to 127.0.0.1 (DNS rebinding).
        """
        method, target, host = _parse_head(head)
        if self._expected is None or self._code is None or target is None or target.path != _CALLBACK_PATH:
            return HTTPStatus.NOT_FOUND, "There is nothing here."
        if method != "GET":
            return HTTPStatus.METHOD_NOT_ALLOWED, "This address is opened by a browser after a sign-in."
        if host not in (URL(self.redirect_uri).authority, f"localhost:{URL(self.redirect_uri).port}"):
            return HTTPStatus.BAD_REQUEST, "This page was asked for under another name."
        if not self._expected.owns(target.query):
            return HTTPStatus.BAD_REQUEST, "This does not belong to the sign-in that is under way."
        if self._code.done():
            return HTTPStatus.GONE, "This sign-in is over already."
        return self._settle(self._expected, target)

    def _settle(self, expected: Authorization, target: URL) -> tuple[HTTPStatus, str]:
        future = self._code
        if future is None:
            return HTTPStatus.GONE, "This sign-in is over already."
        try:
            future.set_result(expected.code(target))
        except ZeyosAsyncError as error:
            future.set_exception(error)
            return HTTPStatus.OK, "The sign-in was refused. You can close this window."
        return HTTPStatus.OK, _SIGNED_IN


def _parse_head(head: bytes) -> tuple[str, URL | None, str]:
    """Return method, target and Host header of a request's head; no target if it makes no sense."""
    first, *lines = head.decode("latin-1").split("\r\n")
    parts = first.split(" ")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    if len(parts) != 3 or not parts[1].startswith("/") or parts[1].startswith("//"):
        return "", None, ""
    try:
        return parts[0], URL(parts[1]), headers.get("host", "")
    except ValueError:
        return "", None, ""


def _page_response(status: HTTPStatus, text: str) -> bytes:
    sign = "✓" if status is HTTPStatus.OK and text == _SIGNED_IN else "!"
    body = _HTML.format(style=_STYLE, sign=sign, text=html.escape(text)).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        "Content-Type: text/html; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\n"
        "Referrer-Policy: no-referrer\r\n"
        f"Content-Security-Policy: default-src 'none'; img-src data:; style-src 'sha256-{_STYLE_HASH}'\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
