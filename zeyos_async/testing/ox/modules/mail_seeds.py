"""The messages that mailboxes begin with: threads, attachments, HTML, messages in messages, awkward texts."""

from __future__ import annotations

import email.policy
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.header import Header
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from functools import cache
from typing import Any, Final

from ..mails.access import INBOX, SENT, mailbox
from ..mails.mail_builder import Attached, attach, build, set_text, with_boundaries
from ..mails.store import FLAGGED, SEEN, MailStore
from ..seeding import AWKWARD_TEXTS, SeedRows, seeds, exposes
from ..state import OxUser, ServerState

__all__: list[str] = []

_START: Final = datetime(2024, 2, 28, 23, 30, tzinfo=UTC)
_SENDERS: Final = (
    ("Max Mustermann", "max@example.org"),
    ('Zoë "Zed" O\'Neill', "zoe@example.org"),
    ("", "no-reply@example.net"),
    ("Ärzte, Söhne & Co.", "praxis@example.de"),
)
_KINDS: Final = ("text/plain", "text/html", "multipart/alternative")
_NUMBER: Final = b"@NUMBER@"
_FILES: Final = (
    Attached(
        filename="Rechnung für März.pdf", content_type="application/pdf", content=b"%PDF-1.4\n%\xe2\xe3\n"
    ),
    Attached(filename='quote".txt', content_type="text/plain", content="Grüße 🚀\r\n".encode()),
    Attached(filename="empty.bin", content_type="application/octet-stream", content=b""),
)


@seeds("mail", default_count=9)
def _fill(state: ServerState, rows: SeedRows) -> None:
    """Messages in the first user's inbox; given ones may say ``folder_id``, ``flags``, ``raw`` or fields."""
    user = next(iter(state.users.values()))
    box = mailbox(state, user)
    if not isinstance(rows, int):
        for values in rows:
            _given(state, user, box, values)
        return
    chance = random.Random(f"mail:{state.seed}")
    for place in range(rows):
        raw, at = _sample(user, place, chance)
        received = int(at.timestamp() * 1000) + place % 3
        mail = box.add(INBOX if place % 8 != 7 else SENT, raw, flags=_flags(place), received=received)
        mail.color = place % 4
    if rows:
        newest = box.mails(INBOX)[0]
        newest.user = ["$Important"]


@exposes("mail")
def _show(state: ServerState) -> list[dict[str, Any]]:
    """Every message of every user, with ``raw`` and the ``user_id``."""
    return [
        {
            "user_id": user.id,
            "folder_id": mail.folder,
            "id": mail.id,
            "subject": mail.subject,
            "flags": mail.flags,
            "color_label": mail.color,
            "user": list(mail.user),
            "received_date": mail.received,
            "raw": mail.raw,
        }
        for user in state.users.values()
        for mail in mailbox(state, user).all_mails()
    ]


def _given(state: ServerState, user: OxUser, box: MailStore, values: Mapping[str, Any]) -> None:
    raw = values.get("raw")
    if raw is None:
        fields = {"from": [["", "sender@example.org"]], "to": [[user.display_name, user.email]], **values}
        raw = build(
            fields,
            text=str(values.get("content") or ""),
            content_type=str(values.get("content_type") or "text/plain"),
            now=datetime.fromtimestamp(int(state.clock.now()), UTC),
            message_id=f"<{state.next_token()}@example.org>",
        )
    received = values.get("received_date")
    box.add(
        str(values.get("folder_id") or INBOX), raw, flags=int(values.get("flags") or 0), received=received
    )


def _flags(place: int) -> int:
    return (SEEN if place % 2 else 0) | (FLAGGED if place % 5 == 4 else 0)


def _sample(user: OxUser, place: int, chance: random.Random) -> tuple[bytes, datetime]:
    """The n-th message: every third one begins a thread; some come at the same time."""
    at = _START + timedelta(hours=6 * (place - place % 3 // 2))
    subject = " ".join(AWKWARD_TEXTS[place // 3 % len(AWKWARD_TEXTS)].split())
    beginning = _id(place - place % 3)
    lines = {
        "From": formataddr(chance.choice(_SENDERS)),
        "To": formataddr((user.display_name, user.email)) + (", team@example.org" if place % 2 else ""),
        "Cc": "Copy <copy@example.org>" if place % 4 == 3 else "",
        "Subject": Header(f"Re: {subject}" if place % 3 else subject).encode(),
        "Date": format_datetime(at),
        "Message-ID": _id(place),
        "In-Reply-To": beginning if place % 3 else "",
        "References": beginning if place % 3 else "",
        "X-Priority": "1" if place % 6 == 5 else "",
        "X-Custom-Header": f"value {place}",
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    body = _body(_KINDS[place % 3], place % 4, nested=place % 8 == 5)
    return head.encode() + body.replace(_NUMBER, str(place).encode()), at


def _id(place: int) -> str:
    return f"<sample-{place}@example.org>"


@cache
def _body(kind: str, files: int, *, nested: bool) -> bytes:
    """Everything from ``MIME-Version`` on; made once, as that takes time. One in eight carries a message."""
    number = _NUMBER.decode()
    text = f"Hello {number}\n" if kind == "text/plain" else f"<p>Hello {number} &amp; <b>welcome</b></p>\n"
    message = EmailMessage(policy=email.policy.SMTP)
    set_text(message, text, kind)
    for file in _FILES[:files]:
        attach(message, file)
    if nested:
        inner = EmailMessage()
        inner["From"], inner["To"], inner["Subject"] = "inner@example.org", "outer@example.org", "Nested"
        inner.set_content("A message in a message.\n")
        message.add_attachment(inner)
    return with_boundaries(message, f"{kind} {files} {nested}")
