"""Mailboxes: the messages of a user by folder, with ids as IMAP has them.

A message is stored as the bytes that came, and everything else is read from them when it is needed, as a mail server
does: what a client sent is what it gets back. What a client can rely on, and has to:

* The id of a message is a number within its folder, counted up from 17 and never used again. It is no id of the
  message: a move gives it a new one, as IMAP copies and deletes.
* Only flags, colour, user flags and category can change; the bytes never do. A draft that is edited is a new message.
* A folder is its path, so renaming it moves its messages to another key and leaves their numbers alone.
* A deletion leaves nothing behind: ``updates`` tells no deletions for mail, in the emulator as on the server.

Headers and parts are cached per message (``cached_property``): lists of thousands of messages only need headers, and
parsing everything each time made them slow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Final

import attrs

from .parsing import MailHeaders, MailPart, parse_parts

__all__ = [
    "ANSWERED",
    "DELETED",
    "DRAFT",
    "FLAGGED",
    "FORWARDED",
    "RECENT",
    "SEEN",
    "USER",
    "MailStore",
    "StoredMail",
    "group_threads",
]  # fmt: skip

ANSWERED: Final = 1
DELETED: Final = 2
DRAFT: Final = 4
FLAGGED: Final = 8
RECENT: Final = 16
SEEN: Final = 32
USER: Final = 64
FORWARDED: Final = 256

_FIRST_UID: Final = 17


@attrs.define(slots=False, eq=False)
class StoredMail:
    """A message in a folder.

    Attributes:
        id: Its number within the folder; a new one after every move.
        folder: The folder's identifier.
        raw: The message as it came.
        received_at: The time of its arrival, in milliseconds.
        flags: The sum of the system flags.
        color: The colour label.
        user_flags: The user's own flags.
        category: Of the inbox, ``""`` for the general one.
    """

    id: str
    folder: str
    raw: bytes = attrs.field(repr=False)
    received_at: int
    flags: int = 0
    color: int = 0
    user_flags: list[str] = attrs.field(factory=list)
    category: str = ""

    @cached_property
    def headers(self) -> MailHeaders:
        """Its headers; for long lists, reading the rest takes too long."""
        return MailHeaders(self.raw)

    @cached_property
    def parts(self) -> list[MailPart]:
        """Its leaves."""
        return parse_parts(self.raw)

    @property
    def subject(self) -> str:
        """Its subject, or ``""``."""
        return self.headers.text("Subject") or ""

    @property
    def message_id(self) -> str:
        """Its ``Message-ID``, or ``""``."""
        return (self.headers.text("Message-ID") or "").strip()

    @property
    def is_seen(self) -> bool:
        """Whether it was read."""
        return bool(self.flags & SEEN)


class MailStore:
    """All messages of one user, by folder.

    Args:
        now: Gives the server's time in milliseconds.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._folders: dict[str, dict[str, StoredMail]] = {}
        self._next_ids: dict[str, int] = {}
        self._categories_by_sender: dict[str, str] = {}

    def mails(self, folder: str) -> list[StoredMail]:
        """Return the messages of a folder, oldest first."""
        return list(self._folders.get(folder, {}).values())

    def all_mails(self) -> list[StoredMail]:
        """Return the messages of every folder, oldest first."""
        all_mails = [mail for mails in self._folders.values() for mail in mails.values()]
        return sorted(all_mails, key=lambda mail: mail.received_at)

    def find(self, folder: str, mail: str) -> StoredMail | None:
        """Return a message by its number."""
        return self._folders.get(folder, {}).get(mail)

    def find_by_message_id(self, folder: str, message_id: str) -> StoredMail | None:
        """Return a message by its header ``Message-ID``, with or without the angle brackets."""
        bare_id = message_id.strip("<> ")
        return next((mail for mail in self.mails(folder) if mail.message_id.strip("<> ") == bare_id), None)

    def next_id(self, folder: str) -> int:
        """Return the number that the next message of a folder gets."""
        return self._next_ids.get(folder, _FIRST_UID)

    def add(self, folder: str, raw: bytes, *, flags: int = 0, received: int | None = None) -> StoredMail:
        """Store a message in a folder."""
        number = self.next_id(folder)
        # Never reused: a client that remembers an id would find another message.
        self._next_ids[folder] = number + 1
        mail = StoredMail(str(number), folder, raw, self._now() if received is None else received, flags)
        mail.category = self._trained_category(mail)
        self._folders.setdefault(folder, {})[mail.id] = mail
        return mail

    def copy(self, mail: StoredMail, target: str) -> StoredMail:
        """Copy a message to a folder, where it gets a number of its own."""
        copied = self.add(target, mail.raw, flags=mail.flags, received=mail.received_at)
        # A list of its own: else a flag on the copy would appear on the original.
        copied.color, copied.user_flags, copied.category = mail.color, list(mail.user_flags), mail.category
        return copied

    def move(self, mail: StoredMail, target: str) -> StoredMail:
        """Move a message to a folder, where it gets a new number."""
        moved = self.copy(mail, target)
        self.remove(mail)
        return moved

    def remove(self, mail: StoredMail) -> None:
        """Delete a message for good."""
        self._folders.get(mail.folder, {}).pop(mail.id, None)

    def rename_folder(self, old: str, new: str) -> None:
        """Give a folder another identifier."""
        if old in self._folders:
            self._folders[new] = self._folders.pop(old)
            self._next_ids[new] = self._next_ids.pop(old)
            for mail in self._folders[new].values():
                mail.folder = new

    def remove_folder(self, folder: str) -> None:
        """Delete a folder with everything in it."""
        self._folders.pop(folder, None)

    def train_category(self, sender: str, category: str) -> None:
        """Put the messages of a sender into a category from now on."""
        self._categories_by_sender[sender.lower()] = category

    def _trained_category(self, mail: StoredMail) -> str:
        if not self._categories_by_sender:
            return ""
        sender = (mail.headers.text("From") or "").lower()
        return next(
            (category for address, category in self._categories_by_sender.items() if address in sender), ""
        )


def group_threads(mails: Iterable[StoredMail]) -> list[list[StoredMail]]:
    """Group messages into conversations, by what they refer to; each with its oldest message first."""
    roots: dict[str, list[StoredMail]] = {}
    threads_by_id: dict[str, list[StoredMail]] = {}
    # Oldest first, so that the message that a reply refers to has its thread already.
    for mail in sorted(mails, key=lambda mail: mail.received_at):
        references = f"{mail.headers.text('References')} {mail.headers.text('In-Reply-To')}".split()
        thread = next((threads_by_id[key] for key in references if key in threads_by_id), None)
        if thread is None:
            thread = roots.setdefault(f"{mail.folder}/{mail.id}", [])
        thread.append(mail)
        if mail.message_id:
            threads_by_id[mail.message_id] = thread
    return list(roots.values())
