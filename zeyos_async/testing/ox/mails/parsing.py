"""What a message is made of: addresses, headers, its text, its attachments, messages within it.

Everything is read from the raw RFC 822 bytes, as a mail server does it.
"""

from __future__ import annotations

import email
import html
import re
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses, parsedate_to_datetime
from typing import Final

import attrs

__all__ = [
    "STANDARD_HEADERS",
    "Head",
    "Part",
    "as_text",
    "body_parts",
    "parts_of",
    "snippet_of",
    "without_markup",
]

STANDARD_HEADERS: Final = frozenset(
    [
        "from",
        "to",
        "cc",
        "bcc",
        "sender",
        "reply-to",
        "subject",
        "date",
        "message-id",
        "in-reply-to",
        "references",
        "mime-version",
        "content-type",
        "content-transfer-encoding",
        "content-disposition",
        "disposition-notification-to",
        "x-priority",
    ]
)
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_FOLD: Final = re.compile(r"\r?\n([ \t])")
MESSAGE: Final = "message/rfc822"
_TAG: Final = re.compile(r"<[^>]*>")
_PREVIEW: Final = 200


@attrs.frozen(kw_only=True)
class Part:
    """One leaf of a message.

    Attributes:
        id: Its number within the message, such as ``"1.2"``.
        content_type: Its MIME type.
        content: Its bytes, decoded.
        text: Its text, where it is text.
        filename: Its name, or ``""``.
        disposition: ``inline``, ``attachment``, ``alternative``.
        cid: Its Content-ID without the angle brackets.
    """

    id: str
    content_type: str
    content: bytes
    text: str | None = None
    filename: str = ""
    disposition: str = "inline"
    cid: str = ""

    @property
    def is_message(self) -> bool:
        """Whether it is a message within the message."""
        return self.content_type == MESSAGE

    @property
    def is_body(self) -> bool:
        """Whether it is shown, and not attached."""
        return self.text is not None and not self.filename and self.disposition != "attachment"


class Head:
    """The headers of a message, decoded when they are read; its body is left alone.

    Args:
        raw: The message.
    """

    def __init__(self, raw: bytes) -> None:
        end = _HEAD_END.search(raw)
        self._message = BytesHeaderParser().parsebytes(raw if end is None else raw[: end.end()])

    @property
    def names(self) -> list[str]:
        """The headers that there are, once each."""
        return list(dict.fromkeys(self._message.keys()))

    @property
    def content_type(self) -> str:
        """The media type of the message."""
        return self._message.get_content_type()

    @property
    def sent(self) -> int | None:
        """The ``Date`` in milliseconds."""
        try:
            return int(parsedate_to_datetime(self.text("Date") or "").timestamp() * 1000)
        except (TypeError, ValueError):
            return None

    def text(self, name: str) -> str | None:
        """A header's value, or all its values in a row; ``None`` if there is none."""
        values = self._message.get_all(name)
        return None if values is None else ", ".join(_decoded(_unfolded(value)) for value in values)

    def addresses(self, name: str) -> list[list[str | None]]:
        """The addresses of a header as pairs of name and address."""
        values = [_unfolded(value) for value in self._message.get_all(name, [])]
        return [[_decoded(person) or None, address] for person, address in getaddresses(values) if address]


def _unfolded(value: object) -> str:
    return _FOLD.sub(r"\1", str(value))


def _decoded(text: str) -> str:
    """A text without the encoded words of RFC 2047."""
    return str(make_header(decode_header(text))) if "=?" in text else text


def parts_of(raw: bytes) -> list[Part]:
    """The leaves of a message, in their order."""
    return list(_leaves(email.message_from_bytes(raw), "", alternative=False))


def body_parts(parts: list[Part], view: str) -> list[Part]:
    """What is shown: one representation of the text in the asked form first, then its alternatives."""
    bodies = [part for part in parts if part.is_body]
    if not bodies:
        return []
    wanted = "text/plain" if view in ("text", "textNoHtmlAttach") else "text/html"
    first = next((part for part in bodies if part.content_type == wanted), bodies[0])
    others = [attrs.evolve(part, disposition="alternative") for part in bodies if part is not first]
    if view == "textNoHtmlAttach":
        others = [part for part in others if part.content_type != "text/html"]
    return [attrs.evolve(first, disposition="inline"), *others]


def as_text(part: Part) -> str:
    """A part's text without mark-up."""
    text = part.text or ""
    return without_markup(text) if part.content_type == "text/html" else text


def without_markup(text: str) -> str:
    """HTML as plain text."""
    return html.unescape(_TAG.sub("", text))


def snippet_of(parts: list[Part]) -> str:
    """The beginning of the text."""
    bodies = body_parts(parts, "text")
    return " ".join(as_text(bodies[0]).split())[:_PREVIEW] if bodies else ""


def _leaves(message: Message, path: str, *, alternative: bool) -> Iterator[Part]:
    """Read with the old policy of ``email``: the new one parses a header every time that it is looked at."""
    kind = message.get_content_type()
    payload = message.get_payload()
    if not kind.startswith("multipart/") or not isinstance(payload, list):
        yield _leaf(message, path or "1", alternative=alternative)
        return
    for number, child in enumerate(payload, 1):
        assert isinstance(child, Message)
        below = f"{path}.{number}" if path else str(number)
        yield from _leaves(child, below, alternative=kind == "multipart/alternative")


def _leaf(message: Message, path: str, *, alternative: bool) -> Part:
    kind = message.get_content_type()
    content = _content(message)
    filename = _decoded(message.get_filename() or "")
    disposition = message.get_content_disposition() or ("alternative" if alternative else "inline")
    return Part(
        id=path,
        content_type=kind,
        content=content,
        text=_text(content, message) if kind.startswith("text/") else None,
        filename=filename or (f"message-{path}.eml" if kind == MESSAGE else ""),
        disposition=disposition,
        cid=str(message.get("Content-ID") or "").strip("<> "),
    )


def _content(message: Message) -> bytes:
    payload = message.get_payload()
    if isinstance(payload, list):
        return b"".join(part.as_bytes() for part in payload if isinstance(part, Message))
    content = message.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _text(content: bytes, message: Message) -> str:
    try:
        return content.decode(str(message.get_content_charset() or "utf-8"), "replace")
    except LookupError:
        return content.decode("utf-8", "replace")
