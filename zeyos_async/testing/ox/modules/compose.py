"""``mail/compose``: composition spaces, by verb and path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...answers import Answer
from ..events.event_times import parse_instant
from ..files.access import drive_of
from ..form_data import FormPart
from ..handlers import OxCall, OxReply, handles
from ..listing import read_objects
from ..mails.access import DRAFTS, TRASH, find_mail, mailbox_of
from ..mails.composition_spaces import CompositionSpace, SpaceAttachment, check_claim, spaces_of
from ..mails.mail_builder import OutgoingFile, build_mail, read_addresses
from ..mails.parsing import select_bodies
from ..mails.rendering import MailView, build_mail_object, list_attachments
from ..mails.reply_templates import build_reply, prefix_subject, quote_text
from ..mails.sending import current_time, new_message_id, send_mail
from ..mails.store import ANSWERED, DRAFT, FORWARDED, SEEN, StoredMail
from ..refusals import OxError, bad_value, missing_value, not_found
from ..requests import read_json
from ..transfer.vcard import write_vcards

__all__: list[str] = []

_SPACE_PATH: Final = "/mail/compose/{id}"
_ATTACHMENTS_PATH: Final = f"{_SPACE_PATH}/attachments"
_ATTACHMENT_PATH: Final = f"{_ATTACHMENTS_PATH}/{{attachmentId}}"
_TYPES: Final = ("new", "reply", "replyall", "forward", "resend", "edit", "copy")
_CONTENT_COPYING_TYPES: Final = frozenset({"resend", "edit", "copy"})


def _find_space(call: OxCall) -> CompositionSpace:
    token = call.params.get("clientToken")
    return spaces_of(call.state, call.user).find(call.text_param("id"), token, call.server_options)


@handles("mail/compose", "GET /mail/compose")
def _all(call: OxCall) -> OxReply:
    columns = [name for name in call.text_param("columns").split(",") if name]
    shown_spaces = [space.to_wire() for space in spaces_of(call.state, call.user).open_spaces()]
    if columns:
        shown_spaces = [
            {name: space[name] for name in ["id", *columns] if name in space} for space in shown_spaces
        ]
    return OxReply(data=shown_spaces)


@handles("mail/compose", "POST /mail/compose")
def _open_space(call: OxCall) -> OxReply:
    kind = call.text_param("type", "new").lower()
    if kind not in _TYPES:
        raise bad_value("type", kind, f"it is one of {', '.join(_TYPES)}")
    references = read_objects(call.body or [], "folderId", "id")
    mails = [find_mail(call, str(item["folderId"]), str(item["id"])) for item in references]
    if kind != "new" and not mails:
        raise missing_value("body")
    space = CompositionSpace(
        id=call.state.next_token(),
        fields=_initial_fields(call, kind, mails),
        claim=check_claim(call.text_param("claim")),
    )
    space.originals = [(mail.folder, mail.id) for mail in mails]
    for mail in mails if kind in ("forward", *_CONTENT_COPYING_TYPES) else ():
        _copy_attachments(call, space, mail)
    if call.flag_param("vcard"):
        _attach_vcard(call, space)
    if kind == "edit":
        space.draft = (mails[0].folder, mails[0].id)
    return _save_draft(call, spaces_of(call.state, call.user).add(space))


def _initial_fields(call: OxCall, kind: str, mails: list[StoredMail]) -> dict[str, Any]:
    """Return the fields that a new space begins with."""
    fields: dict[str, Any] = {
        "from": [call.user.display_name, call.user.email],
        "to": [],
        "cc": [],
        "bcc": [],
    }
    fields |= {"subject": "", "content": "", "contentType": "text/html"}
    fields |= {"requestReadReceipt": False, "priority": "normal"}
    fields["meta"] = _build_meta(kind, mails)
    if not mails:
        return fields
    mail = mails[0]
    if kind in _CONTENT_COPYING_TYPES:
        return fields | _copy_fields(mail)
    if kind == "forward":
        return fields | {"subject": prefix_subject("Fwd:", mail), "content": quote_text(mail, "html")}
    template = build_reply(mail, call.user, "html", everyone=kind == "replyall")
    return fields | {
        "to": template["to"],
        "cc": template["cc"],
        "subject": template["subject"],
        "content": quote_text(mail, "html"),
    }


def _build_meta(kind: str, mails: list[StoredMail]) -> dict[str, Any]:
    name = {"replyall": "reply_all", "forward": "forward-inline"}.get(kind, kind)
    meta: dict[str, Any] = {"type": name if kind not in ("edit", "copy") else "new"}
    if mails and kind not in _CONTENT_COPYING_TYPES:
        mail = mails[0]
        meta |= {"date": mail.received_at, "originalFolderId": mail.folder, "originalId": mail.id}
    return meta


def _copy_fields(mail: StoredMail) -> dict[str, Any]:
    mail_object = build_mail_object(mail, MailView())
    bodies = select_bodies(mail.parts, "html")
    fields = {name: mail_object[name] for name in ("to", "cc", "bcc", "subject")}
    if bodies:
        fields |= {"content": bodies[0].text, "contentType": bodies[0].content_type}
    return fields


def _copy_attachments(call: OxCall, space: CompositionSpace, mail: StoredMail) -> list[SpaceAttachment]:
    """Copy what is attached to a message into the space."""
    return [
        _add_attachment(
            call, space, part.filename or f"part-{part.id}", part.content_type, part.content, "MAIL"
        )
        for part in list_attachments(mail)
    ]


def _add_attachment(
    call: OxCall,
    space: CompositionSpace,
    name: str,
    mime_type: str,
    content: bytes,
    origin: str,
    key: str = "",
) -> SpaceAttachment:
    attachment = SpaceAttachment(
        id=key or call.state.next_token(), name=name, mime_type=mime_type, content=content, origin=origin
    )
    space.attachments[attachment.id] = attachment
    return attachment


@handles("mail/compose", f"GET {_SPACE_PATH}")
def _get(call: OxCall) -> OxReply:
    return OxReply(data=_find_space(call).to_wire())


@handles("mail/compose", f"PATCH {_SPACE_PATH}", f"PUT {_SPACE_PATH}")
def _change_space(call: OxCall) -> OxReply:
    space = _find_space(call)
    space.change(_parse_send_time(call.body_object()))
    return _save_draft(call, space)


def _parse_send_time(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the time to send into milliseconds: requests write it as ``20170708T220000Z``."""
    if not fields.get("dateToSend"):
        return dict(fields)
    try:
        send_at = parse_instant(str(fields["dateToSend"]))
    except ValueError as error:
        raise bad_value("dateToSend", fields["dateToSend"], str(error)) from error
    return {**fields, "dateToSend": int(send_at.timestamp() * 1000)}


def _save_draft(call: OxCall, space: CompositionSpace) -> OxReply:
    """Save the draft anew, as mail servers can't change one, and show the space."""
    # The new draft is stored before the old one goes: a failure must not lose the text.
    box = mailbox_of(call.state, call.user)
    old = box.find(*space.draft)
    draft = box.add(DRAFTS, _build_message(call, space), flags=DRAFT | SEEN)
    space.draft = (draft.folder, draft.id)
    if old is not None:
        box.remove(old)
    return OxReply(data=space.to_wire())


def _build_message(call: OxCall, space: CompositionSpace) -> bytes:
    fields = dict(space.fields)
    fields["from"] = [fields["from"]] if fields.get("from") else []
    fields["headers"] = fields.get("customHeaders")
    if fields.get("requestReadReceipt"):
        fields["disp_notification_to"] = fields["from"]
    files = [
        OutgoingFile(filename=attachment.name, content_type=attachment.mime_type, content=attachment.content)
        for attachment in space.attachments.values()
    ]
    return build_mail(
        fields,
        text=str(fields.get("content") or ""),
        content_type=str(fields.get("contentType") or "text/html"),
        files=files,
        now=current_time(call.state),
        message_id=new_message_id(call.state),
    )


@handles("mail/compose", f"DELETE {_SPACE_PATH}")
def _close_space(call: OxCall) -> OxReply:
    space = _find_space(call)
    box = mailbox_of(call.state, call.user)
    if (draft := box.find(*space.draft)) is not None:
        if call.flag_param("harddelete"):
            box.remove(draft)
        else:
            box.move(draft, TRASH)
    spaces_of(call.state, call.user).remove(space)
    return OxReply(bare_json={"success": True})


@handles("mail/compose", f"POST {_SPACE_PATH}/save")
def _save_and_close(call: OxCall) -> OxReply:
    space = _find_space(call)
    spaces_of(call.state, call.user).remove(space)
    return OxReply(data=space.mail_path())


@handles("mail/compose", f"POST {_SPACE_PATH}/send")
def _send(call: OxCall) -> OxReply:
    space = _find_space(call)
    fields = read_json(call.find_part("JSON").content)
    if not isinstance(fields, dict):
        raise bad_value("JSON", fields, "it has to be a JSON object")
    space.change({name: value for name, value in _parse_send_time(fields).items() if name != "attachments"})
    for part in call.files:
        _add_upload(call, space, part)
    if not read_addresses([space.fields.get(name) or [] for name in ("to", "cc", "bcc")]):
        raise OxError("MSG-0011", "a message needs a recipient", params=("to",))
    box = mailbox_of(call.state, call.user)
    if (draft := box.find(*space.draft)) is not None:
        box.remove(draft)
    mail = _send_or_schedule(call, space)
    _mark_originals(call, space)
    spaces_of(call.state, call.user).remove(space)
    return OxReply(data={"id": mail.id, "folderId": mail.folder})


def _send_or_schedule(call: OxCall, space: CompositionSpace) -> StoredMail:
    """Send a message now; one for later waits among the drafts."""
    raw = _build_message(call, space)
    if space.fields.get("dateToSend", 0) > call.state.clock.now() * 1000:
        return mailbox_of(call.state, call.user).add(DRAFTS, raw, flags=DRAFT | SEEN)
    return send_mail(call, raw)


def _mark_originals(call: OxCall, space: CompositionSpace) -> None:
    """Mark what was answered or forwarded."""
    flag = {"reply": ANSWERED, "reply_all": ANSWERED, "forward-inline": FORWARDED}.get(
        space.fields["meta"]["type"], 0
    )
    for folder, key in space.originals:
        if (mail := mailbox_of(call.state, call.user).find(folder, key)) is not None:
            mail.flags |= flag


def _add_upload(call: OxCall, space: CompositionSpace, part: FormPart, key: str = "") -> SpaceAttachment:
    name = part.filename or "file"
    return _add_attachment(
        call, space, name, part.content_type or "application/octet-stream", part.content, "UPLOAD", key
    )


def _build_result(call: OxCall, space: CompositionSpace, attachments: list[SpaceAttachment]) -> OxReply:
    _save_draft(call, space)
    info = {"id": space.id, "mailPath": space.mail_path()}
    return OxReply(
        data={"attachments": [attachment.to_wire() for attachment in attachments], "compositionSpace": info}
    )


@handles("mail/compose", f"POST {_ATTACHMENTS_PATH}")
def _add_uploads(call: OxCall) -> OxReply:
    space = _find_space(call)
    if not call.files:
        raise missing_value("file")
    attachments = [_add_upload(call, space, part) for part in call.files]
    for part in call.parts:
        if part.name == "contentDisposition" and part.text.upper() == "INLINE":
            for attachment in attachments:
                attachment.disposition = "INLINE"
    return _build_result(call, space, attachments)


@handles("mail/compose", f"POST {_ATTACHMENTS_PATH}/original")
def _add_original(call: OxCall) -> OxReply:
    space = _find_space(call)
    mails = [find_mail(call, folder, key) for folder, key in space.originals]
    return _build_result(
        call, space, [attachment for mail in mails for attachment in _copy_attachments(call, space, mail)]
    )


@handles("mail/compose", f"POST {_ATTACHMENTS_PATH}/vcard")
def _add_vcard(call: OxCall) -> OxReply:
    space = _find_space(call)
    return _build_result(call, space, [_attach_vcard(call, space)])


def _attach_vcard(call: OxCall, space: CompositionSpace) -> SpaceAttachment:
    user = call.user
    card = {"display_name": user.display_name, "first_name": user.first_name}
    content = write_vcards([card | {"last_name": user.last_name, "email1": user.email}])
    return _add_attachment(call, space, f"{user.display_name}.vcf", "text/vcard", content, "VCARD")


def _find_attachment(call: OxCall, space: CompositionSpace) -> SpaceAttachment:
    key = call.text_param("attachmentId")
    if key not in space.attachments:
        raise not_found("MSGCS-0009", f"attachment {key} of composition space {space.id}")
    return space.attachments[key]


@handles("mail/compose", f"GET {_ATTACHMENT_PATH}")
def _get_attachment(call: OxCall) -> OxReply:
    attachment = _find_attachment(call, _find_space(call))
    headers = {
        "Content-Type": attachment.mime_type,
        "Content-Disposition": f'attachment; filename="{attachment.id}"',
    }
    return OxReply(answer=Answer(headers=headers, body=attachment.content))


@handles("mail/compose", f"POST {_ATTACHMENT_PATH}")
def _replace_attachment(call: OxCall) -> OxReply:
    space = _find_space(call)
    key = _find_attachment(call, space).id
    if not call.files:
        raise missing_value("file")
    return _build_result(call, space, [_add_upload(call, space, call.files[0], key)])


@handles("mail/compose", f"DELETE {_ATTACHMENT_PATH}")
def _remove_attachment(call: OxCall) -> OxReply:
    space = _find_space(call)
    attachment = _find_attachment(call, space)
    del space.attachments[attachment.id]
    return _build_result(call, space, [])


@handles("mail/compose", f"POST {_SPACE_PATH}/referencedAttachment")
def _add_drive_file(call: OxCall) -> OxReply:
    """Attach a file of Drive: ``{"origin": "drive", "id": …}``."""
    space = _find_space(call)
    reference = read_json(call.find_part("JSON").content)
    version = drive_of(call.state).get(str(reference.get("id"))).current
    if version is None:
        raise not_found("IFO-0438", f"a file in {reference.get('id')}")
    attachment = _add_attachment(call, space, version.filename, version.mimetype, version.content, "DRIVE")
    return _build_result(call, space, [attachment])
