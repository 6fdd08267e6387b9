"""References to mails, and flags of mails."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ....errors import InvalidArgument, quote_value
from ..records import OxRecord
from ._arguments import drop_none

if TYPE_CHECKING:
    from .._generated.records_mail import MailData, MailDestinationData

__all__ = [
    "MailFlag",
    "MailRef",
    "build_flag_changes",
    "check_flags",
    "is_single_mail",
    "locate_mail",
    "locate_mails",
    "update_flags",
    "update_location",
]

MailRef: TypeAlias = "MailData | MailDestinationData | tuple[str, str]"
"""A mail: as it was read or as it was moved, or as a pair ``(folder, id)``."""

_VIRTUAL: Final = ("virtual/",)


class MailFlag(enum.IntFlag):
    """The system's flags of a mail, as bits of ``MailData.flags``.

    The document's text calls 8 the flag "recent"; its table, which is followed here, calls 8 "flagged" and 16
    "recent". ``RECENT`` and ``USER`` are the server's: it ignores who sets them.
    """

    ANSWERED = 1
    DELETED = 2
    DRAFT = 4
    FLAGGED = 8
    RECENT = 16
    SEEN = 32
    USER = 64
    SPAM = 128
    FORWARDED = 256
    READ_ACK = 512


def check_flags(value: Any, label: str) -> int:
    """Return a mask of flags, after a check that it is one.

    Raises:
        InvalidArgument: It is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidArgument(
            f"{label} takes flags, such as MailFlag.SEEN | MailFlag.FLAGGED, not {quote_value(value)}"
        )
    return int(value)


def build_flag_changes(
    set_flags: int, clear_flags: int, set_user: Iterable[str], clear_user: Iterable[str], color: int | None
) -> dict[str, Any]:
    """Build the body of a change of flags.

    Raises:
        InvalidArgument: Nothing is to be changed, or something is to be set and cleared.
    """
    added, removed = check_flags(set_flags, "set_flags"), check_flags(clear_flags, "clear_flags")
    added_names, removed_names = _check_user_flags(set_user), _check_user_flags(clear_user)
    if added & removed or set(added_names) & set(removed_names):
        raise InvalidArgument("mail.flags: the same flag is to be set and cleared")
    if color is not None and (isinstance(color, bool) or not isinstance(color, int) or not 0 <= color <= 10):
        raise InvalidArgument(f"mail.flags: color_label is a number from 0 to 10, not {quote_value(color)}")
    body = drop_none(
        {
            "set_flags": added or None,
            "clear_flags": removed or None,
            "set_user_flags": added_names or None,
            "clear_user_flags": removed_names or None,
            "color_label": color,
        }
    )
    if not body:
        raise InvalidArgument("mail.flags: nothing is to be set or cleared")
    return body


def _check_user_flags(names: Iterable[str]) -> list[str]:
    flags = [names] if isinstance(names, str) else list(names)
    for name in flags:
        if not isinstance(name, str) or not name or name.startswith("\\"):
            raise InvalidArgument(
                f"{quote_value(name)} is no flag of the user's own; system flags are numbers"
            )
    return flags


def is_single_mail(mails: Any) -> bool:
    """Return whether this is one mail, and not several: a pair of texts is one."""
    pair = isinstance(mails, tuple) and len(mails) == 2 and all(isinstance(part, str) for part in mails)
    return pair or isinstance(mails, OxRecord | Mapping)


def locate_mails(mails: Any) -> list[tuple[Any, str, str]]:
    """Return each mail with its folder and its ID there.

    Args:
        mails: One, or several.

    Raises:
        InvalidArgument: Something names no mail.
    """
    if is_single_mail(mails):
        mails = [mails]
    if isinstance(mails, str | bytes) or not isinstance(mails, Iterable):
        raise InvalidArgument(f"a mail is a record or a pair (folder, id), not {quote_value(mails)}")
    return [(mail, *locate_mail(mail)) for mail in mails]


def locate_mail(mail: Any) -> tuple[str, str]:
    """Return the folder of a mail, and its ID there; for a mail in a virtual folder, its real place.

    Raises:
        InvalidArgument: It is no mail, or lacks one of the two.
    """
    if isinstance(mail, OxRecord):
        folder, number = getattr(mail, "folder_id", None), getattr(mail, "id", None)
        real = (getattr(mail, "original_folder_id", None), getattr(mail, "original_id", None))
        if isinstance(folder, str) and _is_virtual(folder) and all(real):
            folder, number = real
    elif isinstance(mail, Mapping):
        folder, number = mail.get("folder", mail.get("folder_id")), mail.get("id")
    elif isinstance(mail, tuple) and len(mail) == 2:
        folder, number = mail
    else:
        raise InvalidArgument(f"a mail is a record or a pair (folder, id), not {quote_value(mail)}")
    if not folder or not number or not isinstance(folder, str) or not isinstance(number, str | int):
        raise InvalidArgument(
            f"{quote_value(mail, 80)} names no mail: it needs its folder and its id (columns folder_id and id)"
        )
    return folder, str(number)


def _is_virtual(folder: str) -> bool:
    return folder.startswith(_VIRTUAL) or "/virtual/" in folder


def update_location(mail: Any, folder: str, number: Any) -> None:
    """Bring a record up to date after its mail got a new place."""
    if not isinstance(mail, OxRecord):
        return
    values = {"folder_id": folder, "id": None if number is None else str(number)}
    for name, value in values.items():
        setattr(mail, name, value)
        if getattr(mail, f"original_{name}", None) is not None:
            setattr(mail, f"original_{name}", value)


def update_flags(mail: Any, body: Mapping[str, Any]) -> None:
    """Bring a record up to date after its flags were changed, as far as it knows them."""
    if not isinstance(mail, OxRecord):
        return
    record: Any = mail
    if isinstance(getattr(record, "flags", None), int):
        record.flags = (record.flags | body.get("set_flags", 0)) & ~body.get("clear_flags", 0)
    if getattr(record, "color_label", None) is not None and "color_label" in body:
        record.color_label = body["color_label"]
    if isinstance(names := getattr(record, "user", None), list):
        remaining = [name for name in names if name not in body.get("clear_user_flags", ())]
        record.user = [
            *remaining,
            *(name for name in body.get("set_user_flags", ()) if name not in remaining),
        ]
