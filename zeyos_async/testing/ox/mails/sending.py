"""Sending: the message goes to ``Sent``, and into the mailbox of every recipient who is a user here."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from ..handlers import OxCall
from ..state import ServerState
from .access import INBOX, SENT, check_folder, mailbox
from .parsing import Head
from .store import ANSWERED, DRAFT, FORWARDED, RECENT, SEEN, Mail

__all__ = ["deliver", "message_id", "new_time", "note_use", "original", "send", "store_raw"]

_BLIND: Final = re.compile(rb"(?im)^bcc:.*\r?\n(?:[ \t].*\r?\n)*")


def new_time(state: ServerState) -> datetime:
    """Now, for the header of a message."""
    return datetime.fromtimestamp(int(state.clock.now()), UTC)


def message_id(state: ServerState) -> str:
    """An identifier for a message that nothing has yet."""
    return f"<{state.next_token()}@ox.example.com>"


def send(call: OxCall, raw: bytes) -> Mail:
    """Send a message; the copy in ``Sent``."""
    deliver(call.state, raw)
    return mailbox(call.state, call.user).add(SENT, raw, flags=SEEN)


def deliver(state: ServerState, raw: bytes) -> None:
    """Put a message into the inboxes of those users whom it is for; blind copies stay blind."""
    head = Head(raw)
    known = {pair[1] for name in ("To", "Cc", "Bcc") for pair in head.addresses(name)}
    shown = _BLIND.sub(b"", raw, count=1) if head.text("Bcc") else raw
    for user in state.users.values():
        if user.email in known:
            mailbox(state, user).add(INBOX, shown, flags=RECENT)


def original(call: OxCall, reference: str) -> Mail | None:
    """The message that a ``msgref`` names, if it is still there."""
    folder, _, key = reference.rpartition("/")
    return mailbox(call.state, call.user).find(folder, key)


def note_use(call: OxCall, sendtype: int, reference: str) -> None:
    """What sending does to the message it refers to: answered, forwarded, or a draft that is gone."""
    mail = original(call, reference)
    if mail is None:
        return
    if sendtype == 1:
        mail.flags |= ANSWERED
    elif sendtype == 2:
        mail.flags |= FORWARDED
    elif sendtype in (3, 6) and mail.flags & DRAFT:
        mailbox(call.state, call.user).remove(mail)


def store_raw(call: OxCall, folder: str, raw: bytes, flags: int) -> Mail:
    """Store a message that somebody wrote elsewhere."""
    return mailbox(call.state, call.user).add(check_folder(call, folder), raw, flags=flags)
