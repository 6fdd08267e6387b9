"""``mail``: what changes, moves and deletes messages, and stores what was written elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..files.access import check_folder as check_drive_folder
from ..files.access import drive, save_file
from ..handlers import OxCall, OxReply, handles
from ..listing import read_objects
from ..mails.access import (
    TRASH,
    check_folder,
    given_mail,
    mailbox,
    mails_in,
)
from ..mails.store import DELETED, RECENT, SEEN, Mail
from ..refusals import OxError, bad_value, missing_value
from .mail import part_of

__all__: list[str] = []

_PDF: Final = b"%PDF-1.4\n%emulated\n"


def _path(mail: Mail) -> dict[str, str]:
    return {"folder_id": mail.folder, "id": mail.id}


def _counts(call: OxCall, folders: Iterable[str]) -> dict[str, dict[str, int]]:
    box = mailbox(call.state, call.user)
    made = {}
    for folder in dict.fromkeys(folders):
        mails = box.mails(folder)
        made[folder] = {"total": len(mails), "unread": sum(not mail.seen for mail in mails)}
    return made


@handles("mail", "update")
def _update(call: OxCall) -> OxReply:
    body, folder = call.body_object(), call.text_param("folder")
    target = body.get("folder_id")
    if "id" not in call.params and "message_id" not in call.params:
        for mail in mails_in(call, folder):
            _change(mail, body)
        if target:
            raise missing_value("id")
        return OxReply(data={"folder_id": folder})
    mail = given_mail(call, folder, call.text_param("id"), message_id=call.text_param("message_id"))
    _change(mail, body)
    if target and str(target) != mail.folder:
        mail = mailbox(call.state, call.user).move(mail, check_folder(call, str(target)))
    return OxReply(data=_path(mail))


def _change(mail: Mail, body: Mapping[str, Any]) -> None:
    """Colour and flags: a bit mask with ``value``, or masks of what to set and to clear."""
    if "color_label" in body:
        mail.color = _bits(body, "color_label")
    if "flags" in body:
        bits = _bits(body, "flags")
        mail.flags = mail.flags | bits if body.get("value", True) else mail.flags & ~bits
    mail.flags = (mail.flags | _bits(body, "set_flags")) & ~_bits(body, "clear_flags")
    gone = set(body.get("clear_user_flags") or ())
    mail.user = [
        flag for flag in dict.fromkeys([*mail.user, *(body.get("set_user_flags") or ())]) if flag not in gone
    ]


def _bits(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise bad_value(name, value, "it is a number")
    return value


@handles("mail", "all_seen")
def _all_seen(call: OxCall) -> OxReply:
    for mail in mails_in(call, call.text_param("folder")):
        mail.flags = (mail.flags | SEEN) & ~RECENT
    return OxReply(data=True)


@handles("mail", "copy")
def _copy(call: OxCall) -> OxReply:
    mail = given_mail(call, call.text_param("folder"), call.text_param("id"))
    target = call.body_object().get("folder_id")
    if not target:
        raise missing_value("folder_id")
    return OxReply(data=_path(mailbox(call.state, call.user).copy(mail, check_folder(call, str(target)))))


@handles("mail", "move_all")
def _move_all(call: OxCall) -> OxReply:
    body = call.body_object()
    for name in ("source", "target"):
        if not body.get(name):
            raise missing_value(name)
    source, target = str(body["source"]), check_folder(call, str(body["target"]))
    for mail in mails_in(call, source):
        mailbox(call.state, call.user).move(mail, target)
    return OxReply(data=_counts(call, (source, target)))


@handles("mail", "delete")
def _delete(call: OxCall) -> OxReply:
    box = mailbox(call.state, call.user)
    touched = []
    for item in read_objects(call.body, "folder", "id"):
        folder = str(item["folder"])
        touched.append(folder)
        if (mail := box.find(folder, str(item["id"]))) is not None:
            touched += _discard(call, mail, hard=call.flag_param("harddelete"))
    return OxReply(data=_counts(call, touched) if call.flag_param("returnAffectedFolders") else [])


def _discard(call: OxCall, mail: Mail, *, hard: bool) -> list[str]:
    """Delete a message; unless it is for good, the trash keeps a copy."""
    box = mailbox(call.state, call.user)
    if hard or mail.folder == TRASH:
        box.remove(mail)
        return []
    box.move(mail, TRASH)
    return [TRASH]


@handles("mail", "clear")
def _clear(call: OxCall) -> OxReply:
    left = []
    for folder in map(str, call.body_array()):
        try:
            found = mails_in(call, folder)
        except OxError:
            left.append(folder)
            continue
        for mail in found:
            _discard(call, mail, hard=folder == TRASH)
    return OxReply(data=left)


@handles("mail", "expunge")
def _expunge(call: OxCall) -> OxReply:
    for folder in map(str, call.body_array()):
        for mail in mails_in(call, folder):
            if mail.flags & DELETED:
                mailbox(call.state, call.user).remove(mail)
    return OxReply(bare_json=[])


@handles("mail", "import")
def _import(call: OxCall) -> OxReply:
    folder = check_folder(call, call.text_param("folder"))
    flags = int(call.text_param("flags") or 0)
    files = call.files or call.parts
    if not files:
        raise missing_value("file")
    box = mailbox(call.state, call.user)
    return OxReply(data=[_path(box.add(folder, part.content, flags=flags)) for part in files])


@handles("mail", "receipt_ack")
def _acknowledge(call: OxCall) -> OxReply:
    body = call.body_object()
    for name in ("folder", "id"):
        if not body.get(name):
            raise missing_value(name)
    given_mail(call, str(body["folder"]), str(body["id"])).flags |= 512
    return OxReply(data={})


@handles("mail", "attachment", method="PUT")
def _save_attachment(call: OxCall) -> OxReply:
    mail = given_mail(call, call.text_param("folder"), call.text_param("id"))
    part = part_of(mail, call.text_param("attachment"))
    folder = check_drive_folder(call, call.text_param("dest_folder"), right="folder")
    filename = call.body_object().get("filename") or part.filename or f"part-{part.id}"
    item = save_file(call, folder, str(filename), part.content, part.content_type)
    if description := call.body_object().get("description"):
        drive(call.state).change(item, {"description": description})
    kept = {"mailFolder": mail.folder, "mailUID": mail.id, "id": item.id, "folder_id": item.folder}
    return OxReply(data={**kept, "filename": item.values()["filename"]})


@handles("mail", "export_PDF")
def _export_pdf(call: OxCall) -> OxReply:
    mail = given_mail(call, call.text_param("folder"), call.text_param("id"))
    folder = check_drive_folder(call, call.body_object().get("folder_id"), right="folder")
    name = f"{mail.subject or mail.id}.pdf"
    item = save_file(call, folder, name, _PDF + mail.raw, "application/pdf")
    return OxReply(data={"id": item.id, "warnings": []})
