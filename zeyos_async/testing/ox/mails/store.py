"""The mail folders and what is in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Final

import attrs

from .parsing import Head, Part, parts_of

__all__ = [
    "ANSWERED", "DELETED", "DRAFT", "FLAGGED", "FORWARDED", "RECENT", "SEEN", "USER", "Mail", "MailStore", "threads",
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
class Mail:
    """One message in one folder.

    Attributes:
        id: Its number within the folder; a new one after every move.
        folder: The folder's identifier.
        raw: The message as it came.
        received: When, in milliseconds.
        flags: The sum of the system flags.
        color: The colour label.
        user: The user's own flags.
        category: Of the inbox, ``""`` for the general one.
    """

    id: str
    folder: str
    raw: bytes = attrs.field(repr=False)
    received: int
    flags: int = 0
    color: int = 0
    user: list[str] = attrs.field(factory=list)
    category: str = ""

    @cached_property
    def head(self) -> Head:
        """Its headers; for long lists, reading the rest takes too long."""
        return Head(self.raw)

    @cached_property
    def parts(self) -> list[Part]:
        """Its leaves."""
        return parts_of(self.raw)

    @property
    def subject(self) -> str:
        """Its subject, or ``""``."""
        return self.head.text("Subject") or ""

    @property
    def message_id(self) -> str:
        """Its ``Message-ID``, or ``""``."""
        return (self.head.text("Message-ID") or "").strip()

    @property
    def seen(self) -> bool:
        """Whether it was read."""
        return bool(self.flags & SEEN)


class MailStore:
    """All messages of one user, by folder.

    Args:
        now: Gives the server's time in milliseconds.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._folders: dict[str, dict[str, Mail]] = {}
        self._next: dict[str, int] = {}
        self._trains: dict[str, str] = {}

    def mails(self, folder: str) -> list[Mail]:
        """What is in a folder, oldest first."""
        return list(self._folders.get(folder, {}).values())

    def all_mails(self) -> list[Mail]:
        """What is in any folder, oldest first."""
        found = [mail for mails in self._folders.values() for mail in mails.values()]
        return sorted(found, key=lambda mail: mail.received)

    def find(self, folder: str, mail: str) -> Mail | None:
        """One message by its number."""
        return self._folders.get(folder, {}).get(mail)

    def find_by_message_id(self, folder: str, message_id: str) -> Mail | None:
        """One message by its header ``Message-ID``, with or without the angle brackets."""
        wanted = message_id.strip("<> ")
        return next((mail for mail in self.mails(folder) if mail.message_id.strip("<> ") == wanted), None)

    def next_id(self, folder: str) -> int:
        """The number that the next message of a folder gets."""
        return self._next.get(folder, _FIRST_UID)

    def add(self, folder: str, raw: bytes, *, flags: int = 0, received: int | None = None) -> Mail:
        """Put a message into a folder."""
        number = self.next_id(folder)
        self._next[folder] = number + 1
        mail = Mail(str(number), folder, raw, self._now() if received is None else received, flags)
        mail.category = self._trained(mail)
        self._folders.setdefault(folder, {})[mail.id] = mail
        return mail

    def copy(self, mail: Mail, target: str) -> Mail:
        """A copy in a folder, with a number of its own."""
        other = self.add(target, mail.raw, flags=mail.flags, received=mail.received)
        other.color, other.user, other.category = mail.color, list(mail.user), mail.category
        return other

    def move(self, mail: Mail, target: str) -> Mail:
        """Move to a folder; the number there is a new one."""
        other = self.copy(mail, target)
        self.remove(mail)
        return other

    def remove(self, mail: Mail) -> None:
        """Take a message away for good."""
        self._folders.get(mail.folder, {}).pop(mail.id, None)

    def rename(self, old: str, new: str) -> None:
        """A folder got another identifier."""
        if old in self._folders:
            self._folders[new] = self._folders.pop(old)
            self._next[new] = self._next.pop(old)
            for mail in self._folders[new].values():
                mail.folder = new

    def drop(self, folder: str) -> None:
        """A folder is gone with everything in it."""
        self._folders.pop(folder, None)

    def train(self, sender: str, category: str) -> None:
        """Messages of a sender belong to a category from now on."""
        self._trains[sender.lower()] = category

    def _trained(self, mail: Mail) -> str:
        if not self._trains:
            return ""
        sender = (mail.head.text("From") or "").lower()
        return next((category for address, category in self._trains.items() if address in sender), "")


def threads(mails: Iterable[Mail]) -> list[list[Mail]]:
    """Conversations, by what a message refers to; each with its oldest message first."""
    roots: dict[str, list[Mail]] = {}
    known: dict[str, list[Mail]] = {}
    for mail in sorted(mails, key=lambda mail: mail.received):
        refers = f"{mail.head.text('References')} {mail.head.text('In-Reply-To')}".split()
        thread = next((known[one] for one in refers if one in known), None)
        if thread is None:
            thread = roots.setdefault(f"{mail.folder}/{mail.id}", [])
        thread.append(mail)
        if mail.message_id:
            known[mail.message_id] = thread
    return list(roots.values())
