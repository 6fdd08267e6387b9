"""Messages as RFC 822 bytes, built from the JSON that clients send."""

from __future__ import annotations

import email.policy
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from typing import Any, Final

import attrs

from .parsing import strip_markup

__all__ = [
    "OutgoingFile",
    "attach_file",
    "build_mail",
    "format_addresses",
    "read_addresses",
    "serialize_mail",
    "set_text",
]

_ADDRESS_FIELDS: Final = {"from": "From", "to": "To", "cc": "Cc", "bcc": "Bcc", "reply_to": "Reply-To"}
_PRIORITIES: Final = {"high": 1, "normal": 3, "low": 5}


@attrs.frozen(kw_only=True)
class OutgoingFile:
    """A file that goes with a message.

    Attributes:
        filename: Its name.
        content_type: Its MIME type.
        content: Its bytes.
        cid: Its Content-ID, for an image within the text.
    """

    filename: str
    content_type: str
    content: bytes = attrs.field(repr=False)
    cid: str = ""


def read_addresses(value: Any) -> list[tuple[str, str]]:
    """Return addresses as pairs of name and address, whichever way they were written.

    Raises:
        ValueError: They are no addresses.
    """
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return [("", value)]
    if isinstance(value, Sequence):
        if len(value) == 2 and isinstance(value[1], str):
            return [(value[0] or "", value[1])]
        if len(value) == 1 and isinstance(value[0], str):
            return [("", value[0])]
        return [pair for item in value for pair in read_addresses(item)]
    raise ValueError(f"{value!r} is no list of [name, address] pairs")


def format_addresses(value: Any) -> str:
    """Return addresses as a header has them."""
    return ", ".join(formataddr(pair) for pair in read_addresses(value))


def build_mail(
    fields: Mapping[str, Any],
    *,
    text: str,
    content_type: str,
    files: Iterable[OutgoingFile] = (),
    now: datetime,
    message_id: str,
) -> bytes:
    """Build the bytes of a message.

    Args:
        fields: ``from``, ``to``, ``cc``, ``bcc``, ``reply_to``, ``subject``, ``priority``, ``headers``.
        text: Its text.
        content_type: ``text/plain``, ``text/html``, or ``multipart/alternative`` for both from HTML.
        files: The files that go with it.
        now: The time for its ``Date``, aware.
        message_id: Its ``Message-ID`` with the angle brackets.
    """
    message = EmailMessage(policy=email.policy.SMTP)
    for name, header in _ADDRESS_FIELDS.items():
        if line := format_addresses(fields.get(name)):
            message[header] = line
    # A line break in a subject would begin another header.
    message["Subject"] = " ".join(str(fields.get("subject") or "").split("\n"))
    message["Date"] = format_datetime(now)
    message["Message-ID"] = message_id
    _set_headers(message, fields)
    set_text(message, text, content_type)
    for file in files:
        attach_file(message, file)
    return serialize_mail(message, message_id)


def serialize_mail(message: EmailMessage, salt: str) -> bytes:
    """Return the bytes of a message, with boundaries that follow from ``salt``: the same every time."""
    # ``email`` makes boundaries at random: the same message would have other bytes each time.
    digest = hashlib.sha256(salt.encode()).hexdigest()[:24]
    for number, part in enumerate(message.walk()):
        if part.is_multipart() and part.get_content_maintype() == "multipart":
            part.set_boundary(f"----=_Part_{number}_{digest}")
    return message.as_bytes()


def _set_headers(message: EmailMessage, fields: Mapping[str, Any]) -> None:
    priority = fields.get("priority")
    if priority not in (None, 0, 3, "normal"):
        message["X-Priority"] = str(_PRIORITIES.get(str(priority), priority))
    if fields.get("disp_notification_to"):
        message["Disposition-Notification-To"] = format_addresses(fields["disp_notification_to"])
    for name, value in (fields.get("headers") or {}).items():
        # Other headers are the server's own; a client must not forge a ``Received``.
        if name.lower().startswith("x-"):
            message[name] = str(value)


def set_text(message: EmailMessage, text: str, content_type: str) -> None:
    """Give a message its text, in one form or in two."""
    kind = content_type.lower()
    if kind in ("multipart/alternative", "alternative"):
        # The plain form comes first: clients show the last one that they understand.
        message.set_content(strip_markup(text))
        message.add_alternative(text, subtype="html")
    else:
        message.set_content(text, subtype="html" if kind == "text/html" else "plain")


def attach_file(message: EmailMessage, file: OutgoingFile) -> None:
    """Add a file to a message."""
    main, _, sub = file.content_type.partition("/")
    sub = sub.partition(";")[0] or "octet-stream"
    if file.content_type.startswith(("message/", "multipart/")):
        # ``email`` wants message objects for these types, not bytes.
        main, sub = "application", "octet-stream"
    message.add_attachment(
        file.content,
        maintype=main or "application",
        subtype=sub,
        filename=file.filename,
        cid=f"<{file.cid}>" if file.cid else None,
    )
