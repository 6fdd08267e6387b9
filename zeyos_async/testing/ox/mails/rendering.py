"""Messages as the API shows them: rows of columns, and whole objects."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from .parsing import (
    STANDARD_HEADERS,
    MailHeaders,
    MailPart,
    build_snippet,
    parse_parts,
    select_bodies,
    to_plain_text,
)
from .store import ANSWERED, DRAFT, FLAGGED, FORWARDED, StoredMail

__all__ = ["MailView", "build_mail_object", "build_mail_row", "extra_headers", "list_attachments"]

_PRIORITY: Final = re.compile(r"\d")
_MIN_TEXT_LIMIT: Final = 10_000
_ADDRESSES: Final = {
    "from": "From",
    "to": "To",
    "cc": "Cc",
    "bcc": "Bcc",
    "sender": "Sender",
    "reply_to": "Reply-To",
}

Data = dict[str, Any]


@attrs.frozen(kw_only=True)
class MailView:
    """The options for showing a whole message.

    Attributes:
        kind: ``raw text textNoHtmlAttach html noimg document``.
        max_size: The greatest number of characters of the text; small values count as 10,000.
        source: Whether the RFC 822 source goes along.
        nested: Whether messages within it are shown as messages.
    """

    kind: str = "html"
    max_size: int | None = None
    source: bool = False
    nested: bool = True

    @property
    def text_limit(self) -> int | None:
        """The greatest number of characters of the text that are shown; ``None`` is any number."""
        return None if self.max_size is None else max(self.max_size, _MIN_TEXT_LIMIT)


def extra_headers(mail: StoredMail) -> Data:
    """Return the headers without a field of their own."""
    names = (name for name in mail.headers.names if name.lower() not in STANDARD_HEADERS)
    return {name: mail.headers.text(name) for name in names}


def list_attachments(mail: StoredMail) -> list[MailPart]:
    """Return the attached parts, messages included."""
    return [part for part in mail.parts if not part.is_body]


def _build_address_reader(title: str) -> Callable[[StoredMail], Any]:
    return lambda mail: mail.headers.addresses(title)


_FIELDS: Final[Mapping[str, Callable[[StoredMail], Any]]] = {
    "id": lambda mail: mail.id,
    "folder_id": lambda mail: mail.folder,
    "color_label": lambda mail: mail.color,
    "attachment": lambda mail: bool(list_attachments(mail)),
    "subject": lambda mail: mail.subject,
    "size": lambda mail: len(mail.raw),
    "sent_date": lambda mail: mail.headers.sent_at,
    "received_date": lambda mail: mail.received_at,
    "date": lambda mail: mail.received_at,
    "flags": lambda mail: mail.flags,
    "level": lambda mail: 0,
    "disp_notification_to": lambda mail: mail.headers.text("Disposition-Notification-To"),
    "priority": lambda mail: _read_priority(mail),
    "flag_seen": lambda mail: _boolean_text(mail.is_seen),
    "account_name": lambda mail: "E-Mail",
    "account_id": lambda mail: 0,
    "user": lambda mail: list(mail.user_flags),
    "original_id": lambda mail: mail.id,
    "original_folder_id": lambda mail: mail.folder,
    "content_type": lambda mail: mail.headers.content_type,
    "answered": lambda mail: _boolean_text(bool(mail.flags & ANSWERED)),
    "forwarded": lambda mail: _boolean_text(bool(mail.flags & FORWARDED)),
    "draft": lambda mail: _boolean_text(bool(mail.flags & DRAFT)),
    "flagged": lambda mail: _boolean_text(bool(mail.flags & FLAGGED)),
    "text_preview_if_available": lambda mail: build_snippet(mail.parts),
    "text_preview": lambda mail: build_snippet(mail.parts),
    "authenticity_preview": lambda mail: {"status": "neutral"},
    "authenticity": lambda mail: {"status": "neutral", "from_domain": _sender_domain(mail)},
    **{name: _build_address_reader(title) for name, title in _ADDRESSES.items()},
}

_OBJECT_FIELDS: Final = [
    "id",
    "folder_id",
    "color_label",
    "attachment",
    "from",
    "to",
    "cc",
    "bcc",
    "sender",
    "reply_to",
    "subject",
    "size",
    "sent_date",
    "received_date",
    "flags",
    "level",
    "disp_notification_to",
    "priority",
    "account_name",
    "account_id",
    "user",
    "original_id",
    "original_folder_id",
    "content_type",
    "authenticity",
]


def build_mail_row(mail: StoredMail) -> Data:
    """Return the row of a message for the columns; a cell is made when it is read."""
    return _LazyRow(mail)


class _LazyRow(Data):
    """A row whose cells are made when they are read: parsing thousands of messages takes time."""

    def __init__(self, mail: StoredMail) -> None:
        super().__init__()
        self._mail = mail

    def __missing__(self, name: str) -> Any:
        self[name] = _FIELDS[name](self._mail)
        return self[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return a cell, or ``default`` if there is no such column."""
        return self[name] if name in _FIELDS else default


def build_mail_object(mail: StoredMail, view: MailView) -> Data:
    """Build a whole message."""
    values: Data = {name: _FIELDS[name](mail) for name in _OBJECT_FIELDS}
    if not values["reply_to"]:
        del values["reply_to"]
    values["headers"] = extra_headers(mail)
    if references := mail.headers.text("References"):
        values["headers"]["References"] = references
    if mail.message_id:
        values["headers"]["Message-ID"] = mail.message_id
    values |= _build_content(mail.parts, view)
    if view.source:
        values["source"] = mail.raw.decode("utf-8", "replace")
    return {name: value for name, value in values.items() if value is not None}


def _build_content(parts: list[MailPart], view: MailView) -> Data:
    bodies, truncated = [], False
    for part in select_bodies(parts, view.kind):
        text = to_plain_text(part) if view.kind == "text" else part.text or ""
        shortened = text if view.text_limit is None else text[: view.text_limit]
        truncated = truncated or shortened != text
        kind = "text/plain" if view.kind == "text" else part.content_type
        bodies.append(
            {
                "id": part.id,
                "content_type": kind,
                "content": shortened,
                "size": len(part.content),
                "disp": part.disposition,
            }
        )
    nested = [part for part in parts if part.is_message and view.nested]
    files = [part for part in parts if not part.is_body and part not in nested]
    content: Data = {"attachments": [*bodies, *map(_build_attachment, files)], "truncated": truncated}
    if nested:
        content["nested_msgs"] = [_build_nested(part, view) for part in nested]
    return content


def _build_attachment(part: MailPart) -> Data:
    attachment = {
        "id": part.id,
        "content_type": part.content_type,
        "filename": part.filename or f"part-{part.id}",
        "size": len(part.content),
        "disp": part.disposition if part.disposition == "inline" else "attachment",
    }
    return attachment | {"cid": f"<{part.cid}>"} if part.cid else attachment


def _build_nested(part: MailPart, view: MailView) -> Data:
    headers = MailHeaders(part.content)
    nested: Data = {"id": part.id, "subject": headers.text("Subject") or "", "size": len(part.content)}
    nested |= {name: headers.addresses(title) for name, title in _ADDRESSES.items()}
    nested |= {"sent_date": headers.sent_at, "content_type": headers.content_type, "filename": part.filename}
    return nested | _build_content(parse_parts(part.content), view)


def _read_priority(mail: StoredMail) -> int:
    match = _PRIORITY.search(mail.headers.text("X-Priority") or "")
    return int(match.group()) if match else 3


def _sender_domain(mail: StoredMail) -> str:
    senders = mail.headers.addresses("From")
    return str(senders[0][1]).rpartition("@")[2] if senders else ""


def _boolean_text(value: bool) -> str:
    return "true" if value else "false"
