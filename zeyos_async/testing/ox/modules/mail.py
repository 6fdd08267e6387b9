"""``mail``: what reads messages."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from ...answers import Answer, json_answer
from ..handlers import OxCall, OxReply, handles
from ..listing import read_objects, cut_range
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
from ..refusals import missing_value, not_found

__all__: list[str] = []

_DOWNLOAD: Final = "application/octet-stream"


@handles("mail", "all")
def _all(call: OxCall) -> OxReply:
    columns = Columns(call)
    folder = call.text_param("folder")
    chunk, more = cut_range(call, listed(call, mails_in(call, folder)))
    return OxReply(data=[columns.cells(mail, folder) for mail in chunk], envelope_fields=more)


@handles("mail", "list")
def _list(call: OxCall) -> OxReply:
    columns = Columns(call)
    box = mailbox(call.state, call.user)
    found = [
        box.find(str(item["folder"]), str(item["id"])) for item in read_objects(call.body, "folder", "id")
    ]
    return OxReply(data=[columns.cells(mail) for mail in found if mail is not None])


@handles("mail", "search")
def _search(call: OxCall) -> OxReply:
    columns = Columns(call)
    folder = call.text_param("folder")
    found = matching(call, call.body, mails_in(call, folder))
    return OxReply(data=[columns.cells(mail, folder) for mail in listed(call, found)])


@handles("mail", "updates")
def _updates(call: OxCall) -> OxReply:
    check_folder(call, call.text_param("folder"))
    return OxReply(data=[])


@handles("mail", "count")
def _count(call: OxCall) -> OxReply:
    return OxReply(data=len(mails_in(call, call.text_param("folder"))))


@handles("mail", "examine")
def _examine(call: OxCall) -> OxReply:
    folder = call.text_param("folder")
    found = mails_in(call, folder)
    return OxReply(
        data={
            "validity": "1356434356",
            "total": len(found),
            "unread": sum(not mail.seen for mail in found),
            "next": str(mailbox(call.state, call.user).next_id(folder)),
        }
    )


@handles("mail", "get")
def _get(call: OxCall) -> OxReply:
    mail = given_mail(
        call, call.text_param("folder"), call.text_param("id"), message_id=call.text_param("message_id")
    )
    if not call.flag_param("unseen"):
        mail.flags = (mail.flags | SEEN) & ~RECENT
    if "hdr" in call.operation.fixed:
        return OxReply(data=_head(mail))
    if "src" in call.operation.fixed:
        return _source(call, mail)
    return OxReply(data=shifted(call, mail_object(mail, _view(call))))


def _view(call: OxCall) -> View:
    return View(
        kind=call.text_param("view", "html"),
        max_size=call.params.get("max_size"),
        source=call.number_param("attach_src") == 1,
        nested=not call.flag_param("no_nested_message"),
    )


def _head(mail: Mail) -> str:
    text = mail.raw.decode("utf-8", "replace").replace("\r\n", "\n")
    return text.partition("\n\n")[0].replace("\n", "\r\n") + "\r\n"


def _source(call: OxCall, mail: Mail) -> OxReply:
    if call.number_param("save") == 1:
        return _download(mail.raw, "message/rfc822", f"{mail.id}.eml", save=True)
    return OxReply(data=mail.raw.decode("utf-8", "replace"))


def _download(content: bytes, kind: str, filename: str, *, save: bool) -> OxReply:
    disposition = "attachment" if save else "inline"
    plain = filename.encode("ascii", "replace").decode().replace('"', "_").replace("?", "_")
    headers = {
        "Content-Type": _DOWNLOAD if save and kind != "message/rfc822" else kind,
        "Content-Disposition": f"{disposition}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename)}",
    }
    return OxReply(answer=Answer(headers=headers, body=content))


def part_of(mail: Mail, key: str, cid: str = "") -> Part:
    """The attachment (or other part) that a request means.

    Raises:
        OxError: There is none (``MSG-0049``), or it says neither id nor ``cid``.
    """
    if not key and not cid:
        raise missing_value("attachment")
    for part in mail.parts:
        if part.id == key or (cid and part.cid == cid.strip("<> ")):
            return part
    raise not_found("MSG-0049", f"attachment {key or cid} of mail {mail.id}")


@handles("mail", "attachment", method="GET")
def _attachment(call: OxCall) -> OxReply:
    mail = given_mail(call, call.text_param("folder"), call.text_param("id"))
    part = part_of(mail, call.text_param("attachment"), call.text_param("cid"))
    if call.flag_param("as_json") and part.is_message:
        found = Mail(part.id, mail.folder, part.content, mail.received)
        return OxReply(answer=json_answer({"data": shifted(call, mail_object(found, View()))}))
    filename = part.filename or f"part-{part.id}"
    return _download(part.content, part.content_type, filename, save=call.number_param("save") == 1)


@handles("mail", "zip_attachments")
def _zip_attachments(call: OxCall) -> OxReply:
    mail = given_mail(call, call.text_param("folder"), call.text_param("id"))
    parts = [part_of(mail, key) for key in call.text_param("attachment").split(",")]
    files = [(part.filename or f"part-{part.id}", part.content) for part in parts]
    return OxReply(answer=zipped(files, "attachments.zip"))


@handles("mail", "zip_messages")
def _zip_messages(call: OxCall) -> OxReply:
    folder = call.text_param("folder")
    mails = [given_mail(call, folder, key) for key in call.text_param("id").split(",")]
    files = [(f"{mail.subject or mail.id}.eml", mail.raw) for mail in mails]
    return OxReply(answer=zipped(files, "mails.zip"))


def _threads(call: OxCall) -> list[list[Mail]]:
    found = listed(call, mails_in(call, call.text_param("folder")))
    if call.flag_param("includeSent") and call.text_param("folder") != SENT:
        found = [*found, *mails_in(call, SENT)]
    inside = [thread for thread in threads(found) if any(mail.folder != SENT for mail in thread)]
    chosen = inside if call.text_param("folder") != SENT else threads(found)
    down = call.text_param("order", "desc").lower() == "desc"
    return sorted(chosen, key=lambda thread: thread[-1].received, reverse=down)


@handles("mail", "threadedAll")
def _threaded(call: OxCall) -> OxReply:
    columns = Columns(call)
    chunk, more = cut_range(call, _threads(call))
    return OxReply(data=[_conversation(columns, thread) for thread in chunk], envelope_fields=more)


def _conversation(columns: Columns, thread: list[Mail]) -> dict[str, Any]:
    """The newest message leads, with the whole conversation, newest first, in ``thread``."""
    below = [columns.object(mail) for mail in reversed(thread)]
    return {**below[0], "thread": below, "unreadCount": sum(not mail.seen for mail in thread)}


@handles("mail", "thread_references")
def _thread_references(call: OxCall) -> OxReply:
    columns = Columns(call)
    found = mails_in(call, call.text_param("folder"))
    wanted = set(map(id, matching(call, call.body, found))) if call.body else set(map(id, found))
    chosen = [thread for thread in threads(found) if any(id(mail) in wanted for mail in thread)]
    chosen.sort(key=lambda thread: thread[-1].received, reverse=True)
    return OxReply(data=[_reference(columns, thread) for thread in chosen[: call.params.get("size")]])


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
def _reply(call: OxCall) -> OxReply:
    mail = given_mail(call, call.text_param("folder"), call.text_param("id"))
    view = call.text_param("view", "html")
    if call.operation.action == "forward":
        return OxReply(data=forward_of(mail, view))
    everyone = call.operation.action == "replyall"
    return OxReply(data=reply_to(mail, call.user, view, everyone=everyone))
