"""What a message is made of: addresses, headers, its text, its attachments, messages within it.

Everything is read from the raw RFC 822 bytes, as a mail server does it.
"""

from __future__ import annotations

import email
import email.policy
import html
import re
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import getaddresses, parsedate_to_datetime
from typing import Final

import attrs

__all__ = [
    "STANDARD_HEADERS",
    "Part",
    "addresses",
    "as_text",
    "body_parts",
    "parse",
    "parts_of",
    "sent_at",
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
        message: The message, where it is one.
    """

    id: str
    content_type: str
    content: bytes
    text: str | None = None
    filename: str = ""
    disposition: str = "inline"
    cid: str = ""
    message: EmailMessage | None = None

    @property
    def is_body(self) -> bool:
        """Whether it is shown, and not attached."""
        return self.text is not None and not self.filename and self.disposition != "attachment"


def parse(raw: bytes) -> EmailMessage:
    """Read the bytes of a message."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def addresses(message: EmailMessage, header: str) -> list[list[str | None]]:
    """The addresses of a header as pairs of name and address."""
    values = [str(value) for value in message.get_all(header, [])]
    return [[name or None, address] for name, address in getaddresses(values) if address]


def sent_at(message: EmailMessage) -> int | None:
    """The ``Date`` header in milliseconds."""
    if not (value := message.get("Date")):
        return None
    try:
        return int(parsedate_to_datetime(str(value)).timestamp() * 1000)
    except (TypeError, ValueError):
        return None


def parts_of(message: EmailMessage) -> list[Part]:
    """The leaves of a message, in their order."""
    return list(_leaves(message, "", alternative=False))


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


def _leaves(message: EmailMessage, path: str, *, alternative: bool) -> Iterator[Part]:
    kind = message.get_content_type()
    if kind.startswith("multipart/"):
        for number, child in enumerate(message.iter_parts(), 1):
            assert isinstance(child, EmailMessage)
            below = f"{path}.{number}" if path else str(number)
            yield from _leaves(child, below, alternative=kind == "multipart/alternative")
        return
    yield _leaf(message, path or "1", alternative=alternative)


def _leaf(message: EmailMessage, path: str, *, alternative: bool) -> Part:
    kind = message.get_content_type()
    nested = message.get_content() if kind == "message/rfc822" else None
    payload = nested.as_bytes() if nested is not None else message.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    disposition = message.get_content_disposition() or ("alternative" if alternative else "inline")
    return Part(
        id=path,
        content_type=kind,
        content=content,
        text=_text(content, message) if kind.startswith("text/") else None,
        filename=message.get_filename() or (f"message-{path}.eml" if nested is not None else ""),
        disposition=disposition,
        cid=str(message.get("Content-ID") or "").strip("<> "),
        message=nested,
    )


def _text(content: bytes, message: EmailMessage) -> str:
    try:
        return content.decode(message.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return content.decode("utf-8", "replace")
