"""``mail``: the actions that read messages."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from ...answers import Answer, make_json_answer
from ..handlers import OxCall, OxReply, handles
from ..listing import cut_range, read_objects
from ..mails.access import (
    SENT,
    MailColumns,
    arrange_mails,
    build_zip,
    check_mail_folder,
    find_mail,
    list_mails,
    mailbox_of,
    shift_times,
)
from ..mails.parsing import MailPart
from ..mails.rendering import MailView, build_mail_object
from ..mails.reply_templates import build_forward, build_reply
from ..mails.search import search_mails
from ..mails.store import RECENT, SEEN, StoredMail, group_threads
from ..refusals import missing_value, not_found

__all__: list[str] = []

_DOWNLOAD: Final = "application/octet-stream"


@handles("mail", "all")
def _all(call: OxCall) -> OxReply:
    columns = MailColumns(call)
    folder = call.text_param("folder")
    chunk, more = cut_range(call, arrange_mails(call, list_mails(call, folder)))
    return OxReply(data=[columns.to_cells(mail, folder) for mail in chunk], envelope_fields=more)


@handles("mail", "list")
def _list(call: OxCall) -> OxReply:
    columns = MailColumns(call)
    box = mailbox_of(call.state, call.user)
    mails = [
        box.find(str(item["folder"]), str(item["id"])) for item in read_objects(call.body, "folder", "id")
    ]
    return OxReply(data=[columns.to_cells(mail) for mail in mails if mail is not None])


@handles("mail", "search")
def _search(call: OxCall) -> OxReply:
    columns = MailColumns(call)
    folder = call.text_param("folder")
    mails = search_mails(call, call.body, list_mails(call, folder))
    return OxReply(data=[columns.to_cells(mail, folder) for mail in arrange_mails(call, mails)])


@handles("mail", "updates")
def _updates(call: OxCall) -> OxReply:
    check_mail_folder(call, call.text_param("folder"))
    return OxReply(data=[])


@handles("mail", "count")
def _count(call: OxCall) -> OxReply:
    return OxReply(data=len(list_mails(call, call.text_param("folder"))))


@handles("mail", "examine")
def _examine(call: OxCall) -> OxReply:
    folder = call.text_param("folder")
    mails = list_mails(call, folder)
    return OxReply(
        data={
            "validity": "1356434356",
            "total": len(mails),
            "unread": sum(not mail.is_seen for mail in mails),
            "next": str(mailbox_of(call.state, call.user).next_id(folder)),
        }
    )


@handles("mail", "get")
def _get(call: OxCall) -> OxReply:
    mail = find_mail(
        call, call.text_param("folder"), call.text_param("id"), message_id=call.text_param("message_id")
    )
    if not call.flag_param("unseen"):
        mail.flags = (mail.flags | SEEN) & ~RECENT
    if "hdr" in call.operation.fixed:
        return OxReply(data=_header_text(mail))
    if "src" in call.operation.fixed:
        return _answer_source(call, mail)
    return OxReply(data=shift_times(call, build_mail_object(mail, _read_view(call))))


def _read_view(call: OxCall) -> MailView:
    return MailView(
        kind=call.text_param("view", "html"),
        max_size=call.params.get("max_size"),
        source=call.number_param("attach_src") == 1,
        nested=not call.flag_param("no_nested_message"),
    )


def _header_text(mail: StoredMail) -> str:
    text = mail.raw.decode("utf-8", "replace").replace("\r\n", "\n")
    return text.partition("\n\n")[0].replace("\n", "\r\n") + "\r\n"


def _answer_source(call: OxCall, mail: StoredMail) -> OxReply:
    if call.number_param("save") == 1:
        return _build_download(mail.raw, "message/rfc822", f"{mail.id}.eml", save=True)
    return OxReply(data=mail.raw.decode("utf-8", "replace"))


def _build_download(content: bytes, kind: str, filename: str, *, save: bool) -> OxReply:
    disposition = "attachment" if save else "inline"
    ascii_name = filename.encode("ascii", "replace").decode().replace('"', "_").replace("?", "_")
    headers = {
        "Content-Type": _DOWNLOAD if save and kind != "message/rfc822" else kind,
        "Content-Disposition": f"{disposition}; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(filename)}",
    }
    return OxReply(answer=Answer(headers=headers, body=content))


def find_part(mail: StoredMail, key: str, cid: str = "") -> MailPart:
    """Return the attachment (or other part) that a request names.

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
    mail = find_mail(call, call.text_param("folder"), call.text_param("id"))
    part = find_part(mail, call.text_param("attachment"), call.text_param("cid"))
    if call.flag_param("as_json") and part.is_message:
        nested_mail = StoredMail(part.id, mail.folder, part.content, mail.received_at)
        return OxReply(
            answer=make_json_answer({"data": shift_times(call, build_mail_object(nested_mail, MailView()))})
        )
    filename = part.filename or f"part-{part.id}"
    return _build_download(part.content, part.content_type, filename, save=call.number_param("save") == 1)


@handles("mail", "zip_attachments")
def _zip_attachments(call: OxCall) -> OxReply:
    mail = find_mail(call, call.text_param("folder"), call.text_param("id"))
    parts = [find_part(mail, key) for key in call.text_param("attachment").split(",")]
    files = [(part.filename or f"part-{part.id}", part.content) for part in parts]
    return OxReply(answer=build_zip(files, "attachments.zip"))


@handles("mail", "zip_messages")
def _zip_messages(call: OxCall) -> OxReply:
    folder = call.text_param("folder")
    mails = [find_mail(call, folder, key) for key in call.text_param("id").split(",")]
    files = [(f"{mail.subject or mail.id}.eml", mail.raw) for mail in mails]
    return OxReply(answer=build_zip(files, "mails.zip"))


def _select_threads(call: OxCall) -> list[list[StoredMail]]:
    mails = arrange_mails(call, list_mails(call, call.text_param("folder")))
    if call.flag_param("includeSent") and call.text_param("folder") != SENT:
        mails = [*mails, *list_mails(call, SENT)]
    threads_in_folder = [
        thread for thread in group_threads(mails) if any(mail.folder != SENT for mail in thread)
    ]
    threads = threads_in_folder if call.text_param("folder") != SENT else group_threads(mails)
    descending = call.text_param("order", "desc").lower() == "desc"
    return sorted(threads, key=lambda thread: thread[-1].received_at, reverse=descending)


@handles("mail", "threadedAll")
def _threaded_all(call: OxCall) -> OxReply:
    columns = MailColumns(call)
    chunk, more = cut_range(call, _select_threads(call))
    return OxReply(data=[_build_conversation(columns, thread) for thread in chunk], envelope_fields=more)


def _build_conversation(columns: MailColumns, thread: list[StoredMail]) -> dict[str, Any]:
    """Return the newest message with the whole conversation, newest first, in ``thread``."""
    mail_objects = [columns.to_object(mail) for mail in reversed(thread)]
    return {
        **mail_objects[0],
        "thread": mail_objects,
        "unreadCount": sum(not mail.is_seen for mail in thread),
    }


@handles("mail", "thread_references")
def _thread_references(call: OxCall) -> OxReply:
    columns = MailColumns(call)
    mails = list_mails(call, call.text_param("folder"))
    matching_ids = set(map(id, search_mails(call, call.body, mails))) if call.body else set(map(id, mails))
    threads = [thread for thread in group_threads(mails) if any(id(mail) in matching_ids for mail in thread)]
    threads.sort(key=lambda thread: thread[-1].received_at, reverse=True)
    return OxReply(data=[_build_reference(columns, thread) for thread in threads[: call.params.get("size")]])


def _build_reference(columns: MailColumns, thread: list[StoredMail]) -> dict[str, Any]:
    root, latest = thread[0], thread[-1]
    return {
        "rootMailId": root.id,
        "rootOriginalMailId": root.id,
        "rootOriginalFolderId": root.folder,
        "latestMailId": latest.id,
        "latestOriginalMailId": latest.id,
        "latestOriginalFolderId": latest.folder,
        "latestReceivedDate": latest.received_at,
        "thread": [columns.to_object(mail) for mail in thread],
    }


@handles("mail", "reply", "replyall", "forward")
def _reply(call: OxCall) -> OxReply:
    mail = find_mail(call, call.text_param("folder"), call.text_param("id"))
    view = call.text_param("view", "html")
    if call.operation.action == "forward":
        return OxReply(data=build_forward(mail, view))
    everyone = call.operation.action == "replyall"
    return OxReply(data=build_reply(mail, call.user, view, everyone=everyone))
