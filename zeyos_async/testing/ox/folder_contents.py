"""What is in folders, whichever store keeps it: counted, emptied, moved along with its folder."""

from __future__ import annotations

from .events.view import calendar
from .files.access import drive
from .handlers import OxCall
from .mails.access import mailbox
from .mails.store import DELETED, RECENT, Mail
from .state import Row

__all__ = ["count_contents", "delete_contents", "rename_mail_folder"]

_TABLES = {"contacts": "contacts", "tasks": "tasks", "calendar": "appointments"}


def count_contents(call: OxCall, folder: Row) -> Row:
    """How much is in a folder, as the folder's fields tell it."""
    key = folder["id"]
    match folder["module"]:
        case "mail":
            return _count_mails(mailbox(call.state, call.user).mails(key))
        case "infostore":
            return {"total": len(drive(call.state).items([key]))}
        case "contacts" | "tasks" as name:
            return {"total": len(call.table(_TABLES[name]).rows_in(key))}
        case _:
            return {}


def _count_mails(mails: list[Mail]) -> Row:
    return {
        "total": len(mails),
        "new": sum(bool(mail.flags & RECENT) for mail in mails),
        "unread": sum(not mail.seen for mail in mails),
        "deleted": sum(bool(mail.flags & DELETED) for mail in mails),
    }


def delete_contents(call: OxCall, folder: Row) -> None:
    """Delete everything in a folder, for good."""
    key, module = folder["id"], folder["module"]
    if module == "mail":
        mailbox(call.state, call.user).drop(key)
    if module == "infostore":
        for item in drive(call.state).items([key]):
            drive(call.state).remove(item)
    if module == "calendar":
        for event in calendar(call.state).events([key]):
            if calendar(call.state).find(event.id) is event:
                calendar(call.state).remove(event)
    if module in _TABLES:
        table = call.table(_TABLES[module])
        for row in table.rows_in(key):
            table.remove(row)


def rename_mail_folder(call: OxCall, old: str, new: str) -> None:
    """A mail folder got another path: its messages are there now."""
    mailbox(call.state, call.user).rename(old, new)
