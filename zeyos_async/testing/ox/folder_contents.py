"""Contents of folders, whichever store has them: counting, deleting, and following a renamed folder."""

from __future__ import annotations

from .events.view import calendar_of
from .files.access import drive_of
from .handlers import OxCall
from .mails.access import mailbox_of
from .mails.store import DELETED, RECENT, StoredMail
from .state import Row

__all__ = ["count_contents", "delete_contents", "rename_mail_folder"]

_TABLES = {"contacts": "contacts", "tasks": "tasks", "calendar": "appointments"}


def count_contents(call: OxCall, folder: Row) -> Row:
    """Count the contents of a folder, as the folder's fields tell them."""
    key = folder["id"]
    match folder["module"]:
        case "mail":
            return _count_mails(mailbox_of(call.state, call.user).mails(key))
        case "infostore":
            return {"total": len(drive_of(call.state).items([key]))}
        case "contacts" | "tasks" as name:
            return {"total": len(call.table(_TABLES[name]).rows_in(key))}
        case _:
            return {}


def _count_mails(mails: list[StoredMail]) -> Row:
    return {
        "total": len(mails),
        "new": sum(bool(mail.flags & RECENT) for mail in mails),
        "unread": sum(not mail.is_seen for mail in mails),
        "deleted": sum(bool(mail.flags & DELETED) for mail in mails),
    }


def delete_contents(call: OxCall, folder: Row) -> None:
    """Delete everything in a folder, for good."""
    key, module = folder["id"], folder["module"]
    if module == "mail":
        mailbox_of(call.state, call.user).remove_folder(key)
    if module == "infostore":
        for item in drive_of(call.state).items([key]):
            drive_of(call.state).remove(item)
    if module == "calendar":
        for event in calendar_of(call.state).events([key]):
            # An earlier turn may have deleted it: exceptions go with their series.
            if calendar_of(call.state).find(event.id) is event:
                calendar_of(call.state).remove(event)
    if module in _TABLES:
        table = call.table(_TABLES[module])
        for row in table.rows_in(key):
            table.remove(row)


def rename_mail_folder(call: OxCall, old: str, new: str) -> None:
    """Move the messages of a mail folder to its new path."""
    mailbox_of(call.state, call.user).rename_folder(old, new)
