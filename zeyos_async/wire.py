"""The values that go over the wire: a request, a response, and what may be repeated.

Everything that decides without I/O (authentication, retries, paging, decoding) is a function of
these. They are frozen; nothing in this module talks to a network.
"""

from __future__ import annotations

import codecs
import enum
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final, Protocol

import attrs
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from .errors import ResponseTooLarge

__all__ = [
    "Request",
    "Response",
    "Safety",
    "StreamingBody",
    "public_url",
    "too_deep",
    "without_byte_order_mark",
]

_OPEN_HEADERS: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "etag",
        "if-match",
    }
    | {"if-none-match", "last-modified", "retry-after", "server", "transfer-encoding", "user-agent"}
)
_NO_HEADERS: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict())


class Safety(enum.Enum):
    """The effect of sending an operation a second time.

    This is a property of the operation and never of the HTTP verb: a ZeyOS list is a POST and may
    be repeated at will, a ZeyOS create is a PUT and must not be.
    """

    READ = "read"
    """Changes nothing; may be sent any number of times."""
    REPEATABLE = "repeatable"
    """Changes something, but twice is the same as once (a delete by ID, an update with If-Match)."""
    ONCE = "once"
    """Twice is not the same as once (a create); never sent again once it may have arrived."""


class StreamingBody(Protocol):
    """A body that is sent as it is read, such as :class:`~zeyos_async.forms.Upload`."""

    @property
    def replayable(self) -> bool:
        """Whether it can be sent from its first byte now; once it can't, it is never sent again."""
        ...

    async def measure(self) -> int | None:
        """Return the number of its bytes; ``None`` if that is not known, and it is sent in chunks.

        Raises:
            InvalidArgument: It can't be read; nothing was sent.
        """
        ...

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield its bytes, from the first. An error cuts the request off, and is raised by the call."""
        ...


def _to_headers(value: Mapping[str, str] | None) -> CIMultiDictProxy[str]:
    if isinstance(value, CIMultiDictProxy):
        return value
    if not value:
        return _NO_HEADERS
    return CIMultiDictProxy(CIMultiDict(value))


def _redact_headers(headers: Mapping[str, str]) -> str:
    """Return headers for a ``repr``: the values only of those that can't carry a credential."""
    # A list of harmless headers and not of secret ones: a header that nobody thought of stays hidden.
    pairs = (f"{k}: {v if k.lower() in _OPEN_HEADERS else '***'}" for k, v in headers.items())
    return f"{{{', '.join(pairs)}}}"


def _redact_body(body: bytes | StreamingBody | None) -> str:
    return f"<{len(body)} bytes>" if isinstance(body, bytes) else "None" if body is None else repr(body)


@attrs.frozen(kw_only=True)
class Request:
    """One HTTP request, complete but for the credential.

    Attributes:
        method: HTTP method, upper case.
        url: The absolute URL.
        headers: Names are compared without case.
        body: The bytes of the body, or a body that is sent as it is read, or ``None``.
        safety: Whether the operation may be sent again.
        operation: A name for logs, hooks and errors, such as ``"accounts.list"``.
        sent: The argument of the caller, kept for ``OutcomeUnknown.sent``.
        follow: Whether a redirect is followed, where that is safe, and an error where it is not. If
            false, the redirect itself is the answer.
        renews: Whether a refused credential is replaced by a fresh one, and the request sent again. If
            false, the refusal is the answer, and says nothing of the credential.
    """

    method: str
    url: URL = attrs.field(repr=lambda url: public_url(url))
    headers: CIMultiDictProxy[str] = attrs.field(default=None, converter=_to_headers, repr=_redact_headers)
    body: bytes | StreamingBody | None = attrs.field(default=None, repr=_redact_body)
    safety: Safety = Safety.ONCE
    operation: str = ""
    sent: Any = attrs.field(default=None, repr=False, eq=False)
    follow: bool = True
    renews: bool = True

    @property
    def content(self) -> bytes | None:
        """The body, if it is in memory."""
        return self.body if isinstance(self.body, bytes) else None

    @property
    def stream(self) -> StreamingBody | None:
        """The body, if it is sent as it is read."""
        return None if self.body is None or isinstance(self.body, bytes) else self.body

    @property
    def resendable(self) -> bool:
        """Whether its body can be sent from its first byte (again)."""
        return self.body is None or isinstance(self.body, bytes) or self.body.replayable

    def with_headers(self, **headers: str) -> Request:
        """Return a copy with more headers; an underscore in a name stands for a hyphen."""
        return self.with_header_map({name.replace("_", "-"): value for name, value in headers.items()})

    def with_header_map(self, headers: Mapping[str, str]) -> Request:
        """Return a copy with these headers set, replacing those of the same names."""
        merged = CIMultiDict(self.headers)
        merged.update(headers)
        return self.with_url(self.url, headers=merged)

    def with_url(self, url: URL, *, headers: CIMultiDict[str] | None = None) -> Request:
        """Return a copy for another URL and, if given, with these headers in place of its own."""
        # attrs.evolve costs five times as much, and this runs for every request.
        return Request(
            method=self.method,
            url=url,
            headers=self.headers if headers is None else CIMultiDictProxy(headers),
            body=self.body,
            safety=self.safety,
            operation=self.operation,
            sent=self.sent,
            follow=self.follow,
            renews=self.renews,
        )


@attrs.frozen(kw_only=True)
class Response:
    """One HTTP response, read to its end and decompressed.

    Attributes:
        status: HTTP status.
        headers: Names are compared without case.
        body: The bytes of the body after decompression.
        url: The URL that answered.
    """

    status: int
    headers: CIMultiDictProxy[str] = attrs.field(default=None, converter=_to_headers, repr=_redact_headers)
    body: bytes = attrs.field(default=b"", repr=lambda b: f"<{len(b)} bytes>")
    url: URL = attrs.field(default=URL(), repr=lambda url: public_url(url))

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self.status < 400

    @property
    def content_type(self) -> str:
        """The media type without parameters, in lower case, or ``""``."""
        return self.headers.get("Content-Type", "").split(";", 1)[0].strip().lower()

    @property
    def text(self) -> str:
        """The body as text: UTF-8 whatever the server declares; undecodable bytes become U+FFFD."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body as JSON values.

        Raises:
            ValueError: The body is not JSON.
            ResponseTooLarge: It is nested more deeply than the interpreter's recursion limit lets it be read.
        """
        import msgspec  # here, so that importing this module stays cheap

        from .json_text import decode_json

        try:
            # A mark that servers in PHP and C# put there, and that RFC 8259, 8.1 lets readers skip.
            return decode_json(skip_byte_order_mark(self.body))
        except msgspec.DecodeError as error:
            raise ValueError(f"not JSON: {error}") from error
        except RecursionError as error:
            raise too_deep(self.url) from error


def skip_byte_order_mark(body: bytes) -> bytes:
    """Return a body without the byte order mark that some servers write before their JSON (RFC 8259, 8.1)."""
    return body.removeprefix(codecs.BOM_UTF8)


def without_byte_order_mark(request: Request, response: Response) -> Response:
    """Return an answer without a byte order mark where it is read as JSON; that of a file belongs to the file."""
    body = response.body
    if not body.startswith(codecs.BOM_UTF8):
        return response
    rest = skip_byte_order_mark(body)
    wants_json = request.headers.get("Accept") == "application/json"
    is_json = "json" in response.content_type or rest.lstrip()[:1] in (b"", b"{", b"[", b"<")
    return (
        attrs.evolve(response, body=rest) if response.status >= 400 or (wants_json and is_json) else response
    )


def too_deep(url: URL) -> ResponseTooLarge:
    """Return the error for JSON that is nested too deeply to be read."""
    return ResponseTooLarge("the JSON of the answer is nested too deeply", url=public_url(url))


def public_url(url: URL) -> str:
    """Return a URL that may be shown: no user info, no query, no fragment (sessions travel there)."""
    return str(url.with_user(None).with_query(None).with_fragment(None)) if url.is_absolute() else url.path
