"""``mail``: the actions that change, move and delete messages, and store imported ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..files.access import check_drive_folder as check_drive_folder
from ..files.access import drive_of, save_file
from ..handlers import OxCall, OxReply, handles
from ..listing import read_objects
from ..mails.access import (
    TRASH,
    check_mail_folder,
    find_mail,
    list_mails,
    mailbox_of,
)
from ..mails.store import DELETED, RECENT, SEEN, StoredMail
from ..refusals import OxError, bad_value, missing_value
from .mail import find_part

__all__: list[str] = []

_PDF: Final = b"%PDF-1.4\n%emulated\n"


def _mail_path(mail: StoredMail) -> dict[str, str]:
    return {"folder_id": mail.folder, "id": mail.id}


def _count_folders(call: OxCall, folders: Iterable[str]) -> dict[str, dict[str, int]]:
    box = mailbox_of(call.state, call.user)
    counts = {}
    for folder in dict.fromkeys(folders):
        mails = box.mails(folder)
        counts[folder] = {"total": len(mails), "unread": sum(not mail.is_seen for mail in mails)}
    return counts


@handles("mail", "update")
def _update(call: OxCall) -> OxReply:
    body, folder = call.body_object(), call.text_param("folder")
    target = body.get("folder_id")
    # Without an id the server changes the whole folder; clients that forget it find out here.
    if "id" not in call.params and "message_id" not in call.params:
        for mail in list_mails(call, folder):
            _change_mail(mail, body)
        if target:
            raise missing_value("id")
        return OxReply(data={"folder_id": folder})
    mail = find_mail(call, folder, call.text_param("id"), message_id=call.text_param("message_id"))
    _change_mail(mail, body)
    if target and str(target) != mail.folder:
        mail = mailbox_of(call.state, call.user).move(mail, check_mail_folder(call, str(target)))
    return OxReply(data=_mail_path(mail))


def _change_mail(mail: StoredMail, body: Mapping[str, Any]) -> None:
    """Change colour and flags: a bit mask with ``value``, or masks of what to set and to clear."""
    if "color_label" in body:
        mail.color = _read_bits(body, "color_label")
    if "flags" in body:
        bits = _read_bits(body, "flags")
        mail.flags = mail.flags | bits if body.get("value", True) else mail.flags & ~bits
    mail.flags = (mail.flags | _read_bits(body, "set_flags")) & ~_read_bits(body, "clear_flags")
    cleared_flags = set(body.get("clear_user_flags") or ())
    mail.user_flags = [
        flag
        for flag in dict.fromkeys([*mail.user_flags, *(body.get("set_user_flags") or ())])
        if flag not in cleared_flags
    ]


def _read_bits(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise bad_value(name, value, "it is a number")
    return value


@handles("mail", "all_seen")
def _all_seen(call: OxCall) -> OxReply:
    for mail in list_mails(call, call.text_param("folder")):
        mail.flags = (mail.flags | SEEN) & ~RECENT
    return OxReply(data=True)


@handles("mail", "copy")
def _copy(call: OxCall) -> OxReply:
    mail = find_mail(call, call.text_param("folder"), call.text_param("id"))
    target = call.body_object().get("folder_id")
    if not target:
        raise missing_value("folder_id")
    return OxReply(
        data=_mail_path(mailbox_of(call.state, call.user).copy(mail, check_mail_folder(call, str(target))))
    )


@handles("mail", "move_all")
def _move_all(call: OxCall) -> OxReply:
    body = call.body_object()
    for name in ("source", "target"):
        if not body.get(name):
            raise missing_value(name)
    source, target = str(body["source"]), check_mail_folder(call, str(body["target"]))
    for mail in list_mails(call, source):
        mailbox_of(call.state, call.user).move(mail, target)
    return OxReply(data=_count_folders(call, (source, target)))


@handles("mail", "delete")
def _delete(call: OxCall) -> OxReply:
    box = mailbox_of(call.state, call.user)
    affected = []
    for item in read_objects(call.body, "folder", "id"):
        folder = str(item["folder"])
        affected.append(folder)
        if (mail := box.find(folder, str(item["id"]))) is not None:
            affected += _discard_mail(call, mail, hard=call.flag_param("harddelete"))
    return OxReply(data=_count_folders(call, affected) if call.flag_param("returnAffectedFolders") else [])


def _discard_mail(call: OxCall, mail: StoredMail, *, hard: bool) -> list[str]:
    """Delete a message; unless it is for good, the trash keeps a copy."""
    box = mailbox_of(call.state, call.user)
    if hard or mail.folder == TRASH:
        box.remove(mail)
        return []
    box.move(mail, TRASH)
    return [TRASH]


@handles("mail", "clear")
def _clear(call: OxCall) -> OxReply:
    failed = []
    for folder in map(str, call.body_array()):
        try:
            mails = list_mails(call, folder)
        except OxError:
            failed.append(folder)
            continue
        for mail in mails:
            _discard_mail(call, mail, hard=folder == TRASH)
    return OxReply(data=failed)


@handles("mail", "expunge")
def _expunge(call: OxCall) -> OxReply:
    for folder in map(str, call.body_array()):
        for mail in list_mails(call, folder):
            if mail.flags & DELETED:
                mailbox_of(call.state, call.user).remove(mail)
    return OxReply(bare_json=[])


@handles("mail", "import")
def _import(call: OxCall) -> OxReply:
    folder = check_mail_folder(call, call.text_param("folder"))
    flags = int(call.text_param("flags") or 0)
    files = call.files or call.parts
    if not files:
        raise missing_value("file")
    box = mailbox_of(call.state, call.user)
    return OxReply(data=[_mail_path(box.add(folder, part.content, flags=flags)) for part in files])


@handles("mail", "receipt_ack")
def _acknowledge(call: OxCall) -> OxReply:
    body = call.body_object()
    for name in ("folder", "id"):
        if not body.get(name):
            raise missing_value(name)
    find_mail(call, str(body["folder"]), str(body["id"])).flags |= 512
    return OxReply(data={})


@handles("mail", "attachment", method="PUT")
def _save_attachment(call: OxCall) -> OxReply:
    mail = find_mail(call, call.text_param("folder"), call.text_param("id"))
    part = find_part(mail, call.text_param("attachment"))
    folder = check_drive_folder(call, call.text_param("dest_folder"), right="folder")
    filename = call.body_object().get("filename") or part.filename or f"part-{part.id}"
    item = save_file(call, folder, str(filename), part.content, part.content_type)
    if description := call.body_object().get("description"):
        drive_of(call.state).change(item, {"description": description})
    saved = {"mailFolder": mail.folder, "mailUID": mail.id, "id": item.id, "folder_id": item.folder}
    return OxReply(data={**saved, "filename": item.values()["filename"]})


@handles("mail", "export_PDF")
def _export_pdf(call: OxCall) -> OxReply:
    mail = find_mail(call, call.text_param("folder"), call.text_param("id"))
    folder = check_drive_folder(call, call.body_object().get("folder_id"), right="folder")
    name = f"{mail.subject or mail.id}.pdf"
    item = save_file(call, folder, name, _PDF + mail.raw, "application/pdf")
    return OxReply(data={"id": item.id, "warnings": []})
