"""Messages as the API shows them: rows of columns, and whole objects."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from .parsing import (
    STANDARD_HEADERS,
    Head,
    Part,
    as_text,
    body_parts,
    parts_of,
    snippet_of,
)
from .store import ANSWERED, DRAFT, FLAGGED, FORWARDED, Mail

__all__ = ["View", "attachments_of", "headers_of", "mail_object", "mail_row"]

_PRIORITY: Final = re.compile(r"\d")
_SMALLEST: Final = 10_000
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
class View:
    """How a whole message is to be shown.

    Attributes:
        kind: ``raw text textNoHtmlAttach html noimg document``.
        max_size: How many characters of the text at most; small values count as 10,000.
        source: Whether the RFC 822 source goes along.
        nested: Whether messages within it are shown as messages.
    """

    kind: str = "html"
    max_size: int | None = None
    source: bool = False
    nested: bool = True

    @property
    def limit(self) -> int | None:
        """How many characters of the text are shown."""
        return None if self.max_size is None else max(self.max_size, _SMALLEST)


def headers_of(mail: Mail) -> Data:
    """The headers without a field of their own."""
    names = (name for name in mail.head.names if name.lower() not in STANDARD_HEADERS)
    return {name: mail.head.text(name) for name in names}


def attachments_of(mail: Mail) -> list[Part]:
    """What is attached, messages included."""
    return [part for part in mail.parts if not part.is_body]


def _reader(title: str) -> Callable[[Mail], Any]:
    return lambda mail: mail.head.addresses(title)


_FIELDS: Final[Mapping[str, Callable[[Mail], Any]]] = {
    "id": lambda mail: mail.id,
    "folder_id": lambda mail: mail.folder,
    "color_label": lambda mail: mail.color,
    "attachment": lambda mail: bool(attachments_of(mail)),
    "subject": lambda mail: mail.subject,
    "size": lambda mail: len(mail.raw),
    "sent_date": lambda mail: mail.head.sent,
    "received_date": lambda mail: mail.received,
    "date": lambda mail: mail.received,
    "flags": lambda mail: mail.flags,
    "level": lambda mail: 0,
    "disp_notification_to": lambda mail: mail.head.text("Disposition-Notification-To"),
    "priority": lambda mail: _priority(mail),
    "flag_seen": lambda mail: _word(mail.seen),
    "account_name": lambda mail: "E-Mail",
    "account_id": lambda mail: 0,
    "user": lambda mail: list(mail.user),
    "original_id": lambda mail: mail.id,
    "original_folder_id": lambda mail: mail.folder,
    "content_type": lambda mail: mail.head.content_type,
    "answered": lambda mail: _word(bool(mail.flags & ANSWERED)),
    "forwarded": lambda mail: _word(bool(mail.flags & FORWARDED)),
    "draft": lambda mail: _word(bool(mail.flags & DRAFT)),
    "flagged": lambda mail: _word(bool(mail.flags & FLAGGED)),
    "text_preview_if_available": lambda mail: snippet_of(mail.parts),
    "text_preview": lambda mail: snippet_of(mail.parts),
    "authenticity_preview": lambda mail: {"status": "neutral"},
    "authenticity": lambda mail: {"status": "neutral", "from_domain": _domain(mail)},
    **{name: _reader(title) for name, title in _ADDRESSES.items()},
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


def mail_row(mail: Mail) -> Data:
    """What there is for the columns; each is made when it is read."""
    return _Lazy(mail)


class _Lazy(Data):
    """A row whose cells are made when they are asked for: parsing thousands of messages takes time."""

    def __init__(self, mail: Mail) -> None:
        super().__init__()
        self._mail = mail

    def __missing__(self, name: str) -> Any:
        self[name] = _FIELDS[name](self._mail)
        return self[name]

    def get(self, name: str, default: Any = None) -> Any:
        """A cell, or ``default`` if there is no such column."""
        return self[name] if name in _FIELDS else default


def mail_object(mail: Mail, view: View) -> Data:
    """A whole message."""
    made: Data = {name: _FIELDS[name](mail) for name in _OBJECT_FIELDS}
    if not made["reply_to"]:
        del made["reply_to"]
    made["headers"] = headers_of(mail)
    if references := mail.head.text("References"):
        made["headers"]["References"] = references
    if mail.message_id:
        made["headers"]["Message-ID"] = mail.message_id
    made |= _content(mail.parts, view)
    if view.source:
        made["source"] = mail.raw.decode("utf-8", "replace")
    return {name: value for name, value in made.items() if value is not None}


def _content(parts: list[Part], view: View) -> Data:
    shown, truncated = [], False
    for part in body_parts(parts, view.kind):
        text = as_text(part) if view.kind == "text" else part.text or ""
        cut = text if view.limit is None else text[: view.limit]
        truncated = truncated or cut != text
        kind = "text/plain" if view.kind == "text" else part.content_type
        shown.append(
            {
                "id": part.id,
                "content_type": kind,
                "content": cut,
                "size": len(part.content),
                "disp": part.disposition,
            }
        )
    nested = [part for part in parts if part.is_message and view.nested]
    files = [part for part in parts if not part.is_body and part not in nested]
    made: Data = {"attachments": [*shown, *map(_file, files)], "truncated": truncated}
    if nested:
        made["nested_msgs"] = [_nested(part, view) for part in nested]
    return made


def _file(part: Part) -> Data:
    made = {
        "id": part.id,
        "content_type": part.content_type,
        "filename": part.filename or f"part-{part.id}",
        "size": len(part.content),
        "disp": part.disposition if part.disposition == "inline" else "attachment",
    }
    return made | {"cid": f"<{part.cid}>"} if part.cid else made


def _nested(part: Part, view: View) -> Data:
    inner = Head(part.content)
    made: Data = {"id": part.id, "subject": inner.text("Subject") or "", "size": len(part.content)}
    made |= {name: inner.addresses(title) for name, title in _ADDRESSES.items()}
    made |= {"sent_date": inner.sent, "content_type": inner.content_type, "filename": part.filename}
    return made | _content(parts_of(part.content), view)


def _priority(mail: Mail) -> int:
    found = _PRIORITY.search(mail.head.text("X-Priority") or "")
    return int(found.group()) if found else 3


def _domain(mail: Mail) -> str:
    found = mail.head.addresses("From")
    return str(found[0][1]).rpartition("@")[2] if found else ""


def _word(value: bool) -> str:
    return "true" if value else "false"
