"""Headers and parts of a message: addresses, its text, its attachments, messages within it.

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
    "MailHeaders",
    "MailPart",
    "build_snippet",
    "parse_parts",
    "select_bodies",
    "strip_markup",
    "to_plain_text",
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
MESSAGE_TYPE: Final = "message/rfc822"
_TAG: Final = re.compile(r"<[^>]*>")
_PREVIEW_LENGTH: Final = 200


@attrs.frozen(kw_only=True)
class MailPart:
    """A leaf of a message.

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
        return self.content_type == MESSAGE_TYPE

    @property
    def is_body(self) -> bool:
        """Whether it is shown, and not attached."""
        return self.text is not None and not self.filename and self.disposition != "attachment"


class MailHeaders:
    """The headers of a message, decoded when they are read; its body is left alone.

    Args:
        raw: The message.
    """

    def __init__(self, raw: bytes) -> None:
        end = _HEAD_END.search(raw)
        # Without the body: parsing thousands of attachments for a list takes seconds.
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
    def sent_at(self) -> int | None:
        """The ``Date`` in milliseconds."""
        try:
            return int(parsedate_to_datetime(self.text("Date") or "").timestamp() * 1000)
        except (TypeError, ValueError):
            return None

    def text(self, name: str) -> str | None:
        """Return a header's value, or all its values in a row; ``None`` if there is none."""
        values = self._message.get_all(name)
        return None if values is None else ", ".join(_decode_words(_unfold(value)) for value in values)

    def addresses(self, name: str) -> list[list[str | None]]:
        """Return the addresses of a header as pairs of name and address."""
        values = [_unfold(value) for value in self._message.get_all(name, [])]
        return [
            [_decode_words(person) or None, address] for person, address in getaddresses(values) if address
        ]


def _unfold(value: object) -> str:
    return _FOLD.sub(r"\1", str(value))


def _decode_words(text: str) -> str:
    """Return a text without the encoded words of RFC 2047."""
    # ``decode_header`` is slow, and most headers have no encoded words.
    return str(make_header(decode_header(text))) if "=?" in text else text


def parse_parts(raw: bytes) -> list[MailPart]:
    """Return the leaves of a message, in their order."""
    return list(_iterate_leaves(email.message_from_bytes(raw), "", alternative=False))


def select_bodies(parts: list[MailPart], view: str) -> list[MailPart]:
    """Return one representation of the text in the form of the view first, then its alternatives."""
    bodies = [part for part in parts if part.is_body]
    if not bodies:
        return []
    content_type = "text/plain" if view in ("text", "textNoHtmlAttach") else "text/html"
    # A message may have only one form: better the other one than nothing.
    first = next((part for part in bodies if part.content_type == content_type), bodies[0])
    others = [attrs.evolve(part, disposition="alternative") for part in bodies if part is not first]
    if view == "textNoHtmlAttach":
        others = [part for part in others if part.content_type != "text/html"]
    return [attrs.evolve(first, disposition="inline"), *others]


def to_plain_text(part: MailPart) -> str:
    """Return a part's text without mark-up."""
    text = part.text or ""
    return strip_markup(text) if part.content_type == "text/html" else text


def strip_markup(text: str) -> str:
    """Return HTML as plain text."""
    return html.unescape(_TAG.sub("", text))


def build_snippet(parts: list[MailPart]) -> str:
    """Return the beginning of the text."""
    bodies = select_bodies(parts, "text")
    return " ".join(to_plain_text(bodies[0]).split())[:_PREVIEW_LENGTH] if bodies else ""


def _iterate_leaves(message: Message, path: str, *, alternative: bool) -> Iterator[MailPart]:
    """Read with the old policy of ``email``: the new one parses a header every time that it is looked at."""
    kind = message.get_content_type()
    payload = message.get_payload()
    if not kind.startswith("multipart/") or not isinstance(payload, list):
        yield _parse_leaf(message, path or "1", alternative=alternative)
        return
    for number, child in enumerate(payload, 1):
        assert isinstance(child, Message)
        child_path = f"{path}.{number}" if path else str(number)
        yield from _iterate_leaves(child, child_path, alternative=kind == "multipart/alternative")


def _parse_leaf(message: Message, path: str, *, alternative: bool) -> MailPart:
    kind = message.get_content_type()
    content = _read_content(message)
    filename = _decode_words(message.get_filename() or "")
    disposition = message.get_content_disposition() or ("alternative" if alternative else "inline")
    return MailPart(
        id=path,
        content_type=kind,
        content=content,
        text=_decode_text(content, message) if kind.startswith("text/") else None,
        filename=filename or (f"message-{path}.eml" if kind == MESSAGE_TYPE else ""),
        disposition=disposition,
        cid=str(message.get("Content-ID") or "").strip("<> "),
    )


def _read_content(message: Message) -> bytes:
    payload = message.get_payload()
    if isinstance(payload, list):
        return b"".join(part.as_bytes() for part in payload if isinstance(part, Message))
    content = message.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _decode_text(content: bytes, message: Message) -> str:
    try:
        return content.decode(str(message.get_content_charset() or "utf-8"), "replace")
    # A charset that nobody knows is still a message that has to be shown.
    except LookupError:
        return content.decode("utf-8", "replace")
