"""What is in folders, whichever store keeps it: counted, emptied, moved along with its folder."""

from __future__ import annotations

from .events.view import calendar
from .files.access import drive
from .handlers import Call
from .mails.access import mailbox
from .mails.store import DELETED, RECENT, Mail
from .state import Row

__all__ = ["counted", "emptied", "renamed"]

_TABLES = {"contacts": "contacts", "tasks": "tasks", "calendar": "appointments"}


def counted(call: Call, folder: Row) -> Row:
    """How much is in a folder, as the folder's fields tell it."""
    key = folder["id"]
    match folder["module"]:
        case "mail":
            return _counted_mail(mailbox(call.state, call.user).mails(key))
        case "infostore":
            return {"total": len(drive(call.state).items([key]))}
        case "contacts" | "tasks" as name:
            return {"total": len(call.table(_TABLES[name]).within(key))}
        case _:
            return {}


def _counted_mail(mails: list[Mail]) -> Row:
    return {
        "total": len(mails),
        "new": sum(bool(mail.flags & RECENT) for mail in mails),
        "unread": sum(not mail.seen for mail in mails),
        "deleted": sum(bool(mail.flags & DELETED) for mail in mails),
    }


def emptied(call: Call, folder: Row) -> None:
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
        for row in table.within(key):
            table.remove(row)


def renamed(call: Call, old: str, new: str) -> None:
    """A mail folder got another path: its messages are there now."""
    mailbox(call.state, call.user).rename(old, new)
