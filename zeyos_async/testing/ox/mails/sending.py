"""Sending: the message is stored in ``Sent``, and in the mailbox of every recipient who is a user here."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from ..handlers import OxCall
from ..state import ServerState
from .access import INBOX, SENT, check_mail_folder, mailbox_of
from .parsing import MailHeaders
from .store import ANSWERED, DRAFT, FORWARDED, RECENT, SEEN, StoredMail

__all__ = [
    "current_time",
    "deliver_mail",
    "find_original",
    "mark_original",
    "new_message_id",
    "send_mail",
    "store_mail",
]

_BCC_HEADER: Final = re.compile(rb"(?im)^bcc:.*\r?\n(?:[ \t].*\r?\n)*")


def current_time(state: ServerState) -> datetime:
    """Return the server's time, for the header of a message."""
    return datetime.fromtimestamp(int(state.clock.now()), UTC)


def new_message_id(state: ServerState) -> str:
    """Return an identifier for a message that nothing has yet."""
    return f"<{state.next_token()}@ox.example.com>"


def send_mail(call: OxCall, raw: bytes) -> StoredMail:
    """Send a message, and return the copy in ``Sent``."""
    deliver_mail(call.state, raw)
    return mailbox_of(call.state, call.user).add(SENT, raw, flags=SEEN)


def deliver_mail(state: ServerState, raw: bytes) -> None:
    """Store a message in the inboxes of its recipients among the users; blind copies stay blind."""
    head = MailHeaders(raw)
    recipients = {pair[1] for name in ("To", "Cc", "Bcc") for pair in head.addresses(name)}
    # Whoever gets a blind copy must not read who else did.
    delivered = _BCC_HEADER.sub(b"", raw, count=1) if head.text("Bcc") else raw
    for user in state.users.values():
        if user.email in recipients:
            mailbox_of(state, user).add(INBOX, delivered, flags=RECENT)


def find_original(call: OxCall, reference: str) -> StoredMail | None:
    """Return the message that a ``msgref`` names, if it still exists."""
    folder, _, key = reference.rpartition("/")
    return mailbox_of(call.state, call.user).find(folder, key)


def mark_original(call: OxCall, sendtype: int, reference: str) -> None:
    """Mark the message that was answered or forwarded, or delete the draft that was sent."""
    mail = find_original(call, reference)
    if mail is None:
        return
    if sendtype == 1:
        mail.flags |= ANSWERED
    elif sendtype == 2:
        mail.flags |= FORWARDED
    # The flag is checked, as ``msgref`` may name any message of the user.
    elif sendtype in (3, 6) and mail.flags & DRAFT:
        mailbox_of(call.state, call.user).remove(mail)


def store_mail(call: OxCall, folder: str, raw: bytes, flags: int) -> StoredMail:
    """Store a message that was written elsewhere."""
    return mailbox_of(call.state, call.user).add(check_mail_folder(call, folder), raw, flags=flags)
