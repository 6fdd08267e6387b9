"""``mail``: what reads messages."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from ...answers import Answer, json_answer
from ..handlers import Call, Reply, handles
from ..listing import objects, ranged
from ..mails.access import (
    SENT,
    Columns,
    check_folder,
    given_mail,
    listed,
    mailbox,
    mails_in,
    shifted,
    zipped,
)
from ..mails.parsing import Part
from ..mails.rendering import View, mail_object
from ..mails.reply_templates import forward_of, reply_to
from ..mails.search import matching
from ..mails.store import RECENT, SEEN, Mail, threads
from ..refusals import missing, not_found

__all__: list[str] = []

_DOWNLOAD: Final = "application/octet-stream"


@handles("mail", "all")
def _all(call: Call) -> Reply:
    columns = Columns(call)
    folder = call.text("folder")
    chunk, more = ranged(call, listed(call, mails_in(call, folder)))
    return Reply(data=[columns.cells(mail, folder) for mail in chunk], top=more)


@handles("mail", "list")
def _list(call: Call) -> Reply:
    columns = Columns(call)
    box = mailbox(call.state, call.user)
    found = [box.find(str(item["folder"]), str(item["id"])) for item in objects(call.body, "folder", "id")]
    return Reply(data=[columns.cells(mail) for mail in found if mail is not None])


@handles("mail", "search")
def _search(call: Call) -> Reply:
    columns = Columns(call)
    folder = call.text("folder")
    found = matching(call, call.body, mails_in(call, folder))
    return Reply(data=[columns.cells(mail, folder) for mail in listed(call, found)])


@handles("mail", "updates")
def _updates(call: Call) -> Reply:
    check_folder(call, call.text("folder"))
    return Reply(data=[])


@handles("mail", "count")
def _count(call: Call) -> Reply:
    return Reply(data=len(mails_in(call, call.text("folder"))))


@handles("mail", "examine")
def _examine(call: Call) -> Reply:
    folder = call.text("folder")
    found = mails_in(call, folder)
    return Reply(
        data={
            "validity": "1356434356",
            "total": len(found),
            "unread": sum(not mail.seen for mail in found),
            "next": str(mailbox(call.state, call.user).next_id(folder)),
        }
    )


@handles("mail", "get")
def _get(call: Call) -> Reply:
    mail = given_mail(call, call.text("folder"), call.text("id"), message_id=call.text("message_id"))
    if not call.flag("unseen"):
        mail.flags = (mail.flags | SEEN) & ~RECENT
    if "hdr" in call.operation.fixed:
        return Reply(data=_head(mail))
    if "src" in call.operation.fixed:
        return _source(call, mail)
    return Reply(data=shifted(call, mail_object(mail, _view(call))))


def _view(call: Call) -> View:
    return View(
        kind=call.text("view", "html"),
        max_size=call.params.get("max_size"),
        source=call.number("attach_src") == 1,
        nested=not call.flag("no_nested_message"),
    )


def _head(mail: Mail) -> str:
    text = mail.raw.decode("utf-8", "replace").replace("\r\n", "\n")
    return text.partition("\n\n")[0].replace("\n", "\r\n") + "\r\n"


def _source(call: Call, mail: Mail) -> Reply:
    if call.number("save") == 1:
        return _download(mail.raw, "message/rfc822", f"{mail.id}.eml", save=True)
    return Reply(data=mail.raw.decode("utf-8", "replace"))


def _download(content: bytes, kind: str, filename: str, *, save: bool) -> Reply:
    disposition = "attachment" if save else "inline"
    plain = filename.encode("ascii", "replace").decode().replace('"', "_").replace("?", "_")
    headers = {
        "Content-Type": _DOWNLOAD if save and kind != "message/rfc822" else kind,
        "Content-Disposition": f"{disposition}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename)}",
    }
    return Reply(raw=Answer(headers=headers, body=content))


def part_of(mail: Mail, key: str, cid: str = "") -> Part:
    """The attachment (or other part) that a request means.

    Raises:
        OxError: There is none (``MSG-0049``), or it says neither id nor ``cid``.
    """
    if not key and not cid:
        raise missing("attachment")
    for part in mail.parts:
        if part.id == key or (cid and part.cid == cid.strip("<> ")):
            return part
    raise not_found("MSG-0049", f"attachment {key or cid} of mail {mail.id}")


@handles("mail", "attachment", method="GET")
def _attachment(call: Call) -> Reply:
    mail = given_mail(call, call.text("folder"), call.text("id"))
    part = part_of(mail, call.text("attachment"), call.text("cid"))
    if call.flag("as_json") and part.is_message:
        found = Mail(part.id, mail.folder, part.content, mail.received)
        return Reply(raw=json_answer({"data": shifted(call, mail_object(found, View()))}))
    filename = part.filename or f"part-{part.id}"
    return _download(part.content, part.content_type, filename, save=call.number("save") == 1)


@handles("mail", "zip_attachments")
def _zip_attachments(call: Call) -> Reply:
    mail = given_mail(call, call.text("folder"), call.text("id"))
    parts = [part_of(mail, key) for key in call.text("attachment").split(",")]
    files = [(part.filename or f"part-{part.id}", part.content) for part in parts]
    return Reply(raw=zipped(files, "attachments.zip"))


@handles("mail", "zip_messages")
def _zip_messages(call: Call) -> Reply:
    folder = call.text("folder")
    mails = [given_mail(call, folder, key) for key in call.text("id").split(",")]
    files = [(f"{mail.subject or mail.id}.eml", mail.raw) for mail in mails]
    return Reply(raw=zipped(files, "mails.zip"))


def _threads(call: Call) -> list[list[Mail]]:
    found = listed(call, mails_in(call, call.text("folder")))
    if call.flag("includeSent") and call.text("folder") != SENT:
        found = [*found, *mails_in(call, SENT)]
    inside = [thread for thread in threads(found) if any(mail.folder != SENT for mail in thread)]
    chosen = inside if call.text("folder") != SENT else threads(found)
    down = call.text("order", "desc").lower() == "desc"
    return sorted(chosen, key=lambda thread: thread[-1].received, reverse=down)


@handles("mail", "threadedAll")
def _threaded(call: Call) -> Reply:
    columns = Columns(call)
    chunk, more = ranged(call, _threads(call))
    return Reply(data=[_conversation(columns, thread) for thread in chunk], top=more)


def _conversation(columns: Columns, thread: list[Mail]) -> dict[str, Any]:
    """The newest message leads, with the whole conversation, newest first, in ``thread``."""
    below = [columns.object(mail) for mail in reversed(thread)]
    return {**below[0], "thread": below, "unreadCount": sum(not mail.seen for mail in thread)}


@handles("mail", "thread_references")
def _thread_references(call: Call) -> Reply:
    columns = Columns(call)
    found = mails_in(call, call.text("folder"))
    wanted = set(map(id, matching(call, call.body, found))) if call.body else set(map(id, found))
    chosen = [thread for thread in threads(found) if any(id(mail) in wanted for mail in thread)]
    chosen.sort(key=lambda thread: thread[-1].received, reverse=True)
    return Reply(data=[_reference(columns, thread) for thread in chosen[: call.params.get("size")]])


def _reference(columns: Columns, thread: list[Mail]) -> dict[str, Any]:
    root, latest = thread[0], thread[-1]
    return {
        "rootMailId": root.id,
        "rootOriginalMailId": root.id,
        "rootOriginalFolderId": root.folder,
        "latestMailId": latest.id,
        "latestOriginalMailId": latest.id,
        "latestOriginalFolderId": latest.folder,
        "latestReceivedDate": latest.received,
        "thread": [columns.object(mail) for mail in thread],
    }


@handles("mail", "reply", "replyall", "forward")
def _reply(call: Call) -> Reply:
    mail = given_mail(call, call.text("folder"), call.text("id"))
    view = call.text("view", "html")
    if call.operation.action == "forward":
        return Reply(data=forward_of(mail, view))
    everyone = call.operation.action == "replyall"
    return Reply(data=reply_to(mail, call.user, view, everyone=everyone))
