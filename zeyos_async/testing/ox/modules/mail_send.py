"""``mail``: the actions that send messages and save drafts, the old way (``mail/compose`` is the new one)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..files.access import drive_of
from ..form_data import FormPart
from ..handlers import OxCall, OxReply, handles
from ..mails.access import DRAFTS, mailbox_of
from ..mails.mail_builder import OutgoingFile, build_mail, read_addresses
from ..mails.sending import current_time, find_original, mark_original, new_message_id, send_mail, store_mail
from ..mails.store import DRAFT, SEEN, StoredMail
from ..refusals import OxError, bad_value, missing_value, not_found
from ..requests import read_json

__all__: list[str] = []

_SEND_TYPES: Final = frozenset({0, 1, 2, 3, 4, 6})
_NEEDS_REFERENCE: Final = frozenset({1, 2, 3, 4, 6})
_EDIT_DRAFT: Final = 3


def _mail_path(mail: StoredMail) -> dict[str, str]:
    return {"folder_id": mail.folder, "id": mail.id}


@handles("mail", "new", method="PUT")
def _new_raw(call: OxCall) -> OxReply:
    raw = call.request.body
    if b":" not in raw.partition(b"\n")[0]:
        raise OxError("MSG-0105", "the body is no message by RFC 822")
    if folder := call.text_param("folder"):
        return OxReply(data=_mail_path(store_mail(call, folder, raw, int(call.text_param("flags") or 0))))
    if "flags" in call.params:
        raise bad_value("flags", call.params["flags"], "flags are for messages that are stored in a folder")
    return OxReply(data=_mail_path(send_mail(call, raw)))


@handles("mail", "new", method="POST")
def _new(call: OxCall) -> OxReply:
    fields = read_json(call.find_part("json_0").content)
    if not isinstance(fields, dict):
        raise bad_value("json_0", fields, "it has to be a JSON object")
    sendtype, reference = _read_sendtype(fields), str(fields.get("msgref") or "")
    if sendtype != _EDIT_DRAFT and not read_addresses(
        [fields.get(name) or [] for name in ("to", "cc", "bcc")]
    ):
        raise OxError("MSG-0011", "a message needs a recipient", params=("to",))
    raw = _build_message(call, fields, [part for part in call.files if part.name.startswith("file_")])
    if sendtype == _EDIT_DRAFT:
        mark_original(call, sendtype, reference)
        return OxReply(data=_mail_reference(_save_draft(call, raw)))
    mail = send_mail(call, raw)
    mark_original(call, sendtype, reference)
    return OxReply(data=_mail_reference(mail))


def _mail_reference(mail: StoredMail) -> str:
    return f"{mail.folder}/{mail.id}"


@handles("mail", "autosave")
def _autosave(call: OxCall) -> OxReply:
    fields = call.body_object()
    csid = call.text_param("csid") or str(fields.get("csid") or "")
    if not csid:
        raise missing_value("csid")
    drafts = call.module_state(_autosaves)
    box = mailbox_of(call.state, call.user)
    if (old_draft := drafts.get(csid)) is not None:
        box.remove(old_draft)
    drafts[csid] = _save_draft(call, _build_message(call, fields, []))
    return OxReply(data=_mail_reference(drafts[csid]))


def _autosaves(state: Any, user: Any) -> dict[str, StoredMail]:
    """Create the drafts of composition spaces, by their id: none so far."""
    return {}


def _save_draft(call: OxCall, raw: bytes) -> StoredMail:
    return mailbox_of(call.state, call.user).add(DRAFTS, raw, flags=DRAFT | SEEN)


def _read_sendtype(fields: Mapping[str, Any]) -> int:
    try:
        sendtype = int(fields.get("sendtype") or 0)
    except (TypeError, ValueError) as error:
        raise bad_value("sendtype", fields.get("sendtype"), "it is a number") from error
    if sendtype not in _SEND_TYPES:
        raise bad_value("sendtype", sendtype, "it is 0, 1, 2, 3, 4 or 6")
    if sendtype in _NEEDS_REFERENCE and not fields.get("msgref"):
        raise missing_value("msgref")
    return sendtype


def _build_message(call: OxCall, fields: Mapping[str, Any], uploads: list[FormPart]) -> bytes:
    described = fields.get("attachments") or [{}]
    body = described[0]
    files = [_read_upload(part) for part in uploads]
    files += [file for item in described[1:] if (file := _read_referred(call, fields, item)) is not None]
    files += [_read_drive_file(call, str(key)) for key in fields.get("infostore_ids") or ()]
    return build_mail(
        {
            "from": [[call.user.display_name, call.user.email]],
            **{name: value for name, value in fields.items() if value},
        },
        text=str(body.get("content") or ""),
        content_type=str(body.get("content_type") or fields.get("content_type") or "text/plain"),
        files=files,
        now=current_time(call.state),
        message_id=new_message_id(call.state),
    )


def _read_upload(part: FormPart) -> OutgoingFile:
    kind = part.content_type or "application/octet-stream"
    return OutgoingFile(filename=part.filename or "file", content_type=kind, content=part.content)


def _read_referred(
    call: OxCall, fields: Mapping[str, Any], attachment: Mapping[str, Any]
) -> OutgoingFile | None:
    """Return an attachment of the original that goes along; ``None`` for alternatives of the text."""
    if attachment.get("disp") == "alternative" or not attachment.get("id"):
        return None
    reference = str(attachment.get("msgref") or fields.get("msgref") or "")
    mail = find_original(call, reference)
    for part in mail.parts if mail else ():
        if part.id == str(attachment["id"]):
            return OutgoingFile(filename=part.filename, content_type=part.content_type, content=part.content)
    raise not_found("MSG-0049", f"attachment {attachment['id']} of mail {reference}")


def _read_drive_file(call: OxCall, key: str) -> OutgoingFile:
    item = drive_of(call.state).get(key)
    version = item.current
    if version is None:
        raise not_found("IFO-0438", f"a file in {key}")
    return OutgoingFile(filename=version.filename, content_type=version.mimetype, content=version.content)
