"""The messages of a new server: threads, attachments, HTML, messages in messages, awkward texts."""

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

from ..mails.access import INBOX, SENT, mailbox_of
from ..mails.mail_builder import OutgoingFile, attach_file, build_mail, serialize_mail, set_text
from ..mails.store import FLAGGED, SEEN, MailStore
from ..seeding import AWKWARD_TEXTS, SeedRows, exposes, seeds
from ..state import OxUser, ServerState

__all__: list[str] = []

_FIRST_DATE: Final = datetime(2024, 2, 28, 23, 30, tzinfo=UTC)
_SENDERS: Final = (
    ("Max Mustermann", "max@example.org"),
    ('Zoë "Zed" O\'Neill', "zoe@example.org"),
    ("", "no-reply@example.net"),
    ("Ärzte, Söhne & Co.", "praxis@example.de"),
)
_KINDS: Final = ("text/plain", "text/html", "multipart/alternative")
_NUMBER: Final = b"@NUMBER@"
_FILES: Final = (
    OutgoingFile(
        filename="Rechnung für März.pdf", content_type="application/pdf", content=b"%PDF-1.4\n%\xe2\xe3\n"
    ),
    OutgoingFile(filename='quote".txt', content_type="text/plain", content="Grüße 🚀\r\n".encode()),
    OutgoingFile(filename="empty.bin", content_type="application/octet-stream", content=b""),
)


@seeds("mail", default_count=9)
def _seed(state: ServerState, rows: SeedRows) -> None:
    """Make messages in the first user's inbox; explicit ones have ``folder_id``, ``raw`` or fields."""
    user = next(iter(state.users.values()))
    box = mailbox_of(state, user)
    if not isinstance(rows, int):
        for values in rows:
            _add_explicit(state, user, box, values)
        return
    chance = random.Random(f"mail:{state.seed}")
    for index in range(rows):
        raw, sent_at = _build_sample_mail(user, index, chance)
        received = int(sent_at.timestamp() * 1000) + index % 3
        mail = box.add(INBOX if index % 8 != 7 else SENT, raw, flags=_sample_flags(index), received=received)
        mail.color = index % 4
    if rows:
        newest = box.mails(INBOX)[0]
        newest.user_flags = ["$Important"]


@exposes("mail")
def _list_all_mails(state: ServerState) -> list[dict[str, Any]]:
    """Return every message of every user, with ``raw`` and the ``user_id``."""
    return [
        {
            "user_id": user.id,
            "folder_id": mail.folder,
            "id": mail.id,
            "subject": mail.subject,
            "flags": mail.flags,
            "color_label": mail.color,
            "user": list(mail.user_flags),
            "received_date": mail.received_at,
            "raw": mail.raw,
        }
        for user in state.users.values()
        for mail in mailbox_of(state, user).all_mails()
    ]


def _add_explicit(state: ServerState, user: OxUser, box: MailStore, values: Mapping[str, Any]) -> None:
    raw = values.get("raw")
    if raw is None:
        fields = {"from": [["", "sender@example.org"]], "to": [[user.display_name, user.email]], **values}
        raw = build_mail(
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


def _sample_flags(place: int) -> int:
    return (SEEN if place % 2 else 0) | (FLAGGED if place % 5 == 4 else 0)


def _build_sample_mail(user: OxUser, index: int, chance: random.Random) -> tuple[bytes, datetime]:
    """Build the n-th message: every third one begins a thread; some come at the same time."""
    sent_at = _FIRST_DATE + timedelta(hours=6 * (index - index % 3 // 2))
    subject = " ".join(AWKWARD_TEXTS[index // 3 % len(AWKWARD_TEXTS)].split())
    first_id = _sample_id(index - index % 3)
    lines = {
        "From": formataddr(chance.choice(_SENDERS)),
        "To": formataddr((user.display_name, user.email)) + (", team@example.org" if index % 2 else ""),
        "Cc": "Copy <copy@example.org>" if index % 4 == 3 else "",
        "Subject": Header(f"Re: {subject}" if index % 3 else subject).encode(),
        "Date": format_datetime(sent_at),
        "Message-ID": _sample_id(index),
        "In-Reply-To": first_id if index % 3 else "",
        "References": first_id if index % 3 else "",
        "X-Priority": "1" if index % 6 == 5 else "",
        "X-Custom-Header": f"value {index}",
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    # The number of the message is put in afterwards, so that bodies can be cached.
    body = _build_body(_KINDS[index % 3], index % 4, nested=index % 8 == 5)
    return head.encode() + body.replace(_NUMBER, str(index).encode()), sent_at


def _sample_id(place: int) -> str:
    return f"<sample-{place}@example.org>"


@cache
def _build_body(kind: str, files: int, *, nested: bool) -> bytes:
    """Build everything from ``MIME-Version`` on, once, as that takes time; one in eight nests a message."""
    number = _NUMBER.decode()
    text = f"Hello {number}\n" if kind == "text/plain" else f"<p>Hello {number} &amp; <b>welcome</b></p>\n"
    message = EmailMessage(policy=email.policy.SMTP)
    set_text(message, text, kind)
    for file in _FILES[:files]:
        attach_file(message, file)
    if nested:
        inner = EmailMessage()
        inner["From"], inner["To"], inner["Subject"] = "inner@example.org", "outer@example.org", "Nested"
        inner.set_content("A message in a message.\n")
        message.add_attachment(inner)
    return serialize_mail(message, f"{kind} {files} {nested}")
