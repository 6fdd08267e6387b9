"""``mail/compose``: composition spaces, by verb and path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...answers import Answer
from ..events.event_times import parse_instant
from ..files.access import drive
from ..form_data import FormPart
from ..handlers import OxCall, OxReply, handles
from ..listing import read_objects
from ..mails.access import DRAFTS, TRASH, given_mail, mailbox
from ..mails.composition_spaces import Attachment, Space, check_claim, spaces
from ..mails.mail_builder import Attached, build, pairs
from ..mails.parsing import body_parts
from ..mails.rendering import View, attachments_of, mail_object
from ..mails.reply_templates import quoted, reply_to, subject_with
from ..mails.sending import message_id, new_time, send
from ..mails.store import ANSWERED, DRAFT, FORWARDED, SEEN, Mail
from ..refusals import OxError, bad_value, missing_value, not_found
from ..requests import read_json
from ..transfer.vcard import write_vcards

__all__: list[str] = []

_ONE: Final = "/mail/compose/{id}"
_ATTACHMENTS: Final = f"{_ONE}/attachments"
_ATTACHMENT: Final = f"{_ATTACHMENTS}/{{attachmentId}}"
_TYPES: Final = ("new", "reply", "replyall", "forward", "resend", "edit", "copy")
_KEEPS_CONTENT: Final = frozenset({"resend", "edit", "copy"})


def _space(call: OxCall) -> Space:
    token = call.params.get("clientToken")
    return spaces(call.state, call.user).get(call.text_param("id"), token, call.server_options)


@handles("mail/compose", "GET /mail/compose")
def _all(call: OxCall) -> OxReply:
    wanted = [name for name in call.text_param("columns").split(",") if name]
    shown = [space.shown() for space in spaces(call.state, call.user).all()]
    if wanted:
        shown = [{name: one[name] for name in ["id", *wanted] if name in one} for one in shown]
    return OxReply(data=shown)


@handles("mail/compose", "POST /mail/compose")
def _open(call: OxCall) -> OxReply:
    kind = call.text_param("type", "new").lower()
    if kind not in _TYPES:
        raise bad_value("type", kind, f"it is one of {', '.join(_TYPES)}")
    given = read_objects(call.body or [], "folderId", "id")
    mails = [given_mail(call, str(one["folderId"]), str(one["id"])) for one in given]
    if kind != "new" and not mails:
        raise missing_value("body")
    space = Space(
        id=call.state.next_token(),
        fields=_start(call, kind, mails),
        claim=check_claim(call.text_param("claim")),
    )
    space.originals = [(mail.folder, mail.id) for mail in mails]
    for mail in mails if kind in ("forward", *_KEEPS_CONTENT) else ():
        _take_over(call, space, mail)
    if call.flag_param("vcard"):
        _attach_vcard(call, space)
    if kind == "edit":
        space.draft = (mails[0].folder, mails[0].id)
    return _saved(call, spaces(call.state, call.user).open(space))


def _start(call: OxCall, kind: str, mails: list[Mail]) -> dict[str, Any]:
    """The fields that a new space begins with."""
    fields: dict[str, Any] = {
        "from": [call.user.display_name, call.user.email],
        "to": [],
        "cc": [],
        "bcc": [],
    }
    fields |= {"subject": "", "content": "", "contentType": "text/html"}
    fields |= {"requestReadReceipt": False, "priority": "normal"}
    fields["meta"] = _meta(kind, mails)
    if not mails:
        return fields
    mail = mails[0]
    if kind in _KEEPS_CONTENT:
        return fields | _same(mail)
    if kind == "forward":
        return fields | {"subject": subject_with("Fwd:", mail), "content": quoted(mail, "html")}
    made = reply_to(mail, call.user, "html", everyone=kind == "replyall")
    return fields | {
        "to": made["to"],
        "cc": made["cc"],
        "subject": made["subject"],
        "content": quoted(mail, "html"),
    }


def _meta(kind: str, mails: list[Mail]) -> dict[str, Any]:
    name = {"replyall": "reply_all", "forward": "forward-inline"}.get(kind, kind)
    meta: dict[str, Any] = {"type": name if kind not in ("edit", "copy") else "new"}
    if mails and kind not in _KEEPS_CONTENT:
        mail = mails[0]
        meta |= {"date": mail.received, "originalFolderId": mail.folder, "originalId": mail.id}
    return meta


def _same(mail: Mail) -> dict[str, Any]:
    shown = mail_object(mail, View())
    bodies = body_parts(mail.parts, "html")
    made = {name: shown[name] for name in ("to", "cc", "bcc", "subject")}
    if bodies:
        made |= {"content": bodies[0].text, "contentType": bodies[0].content_type}
    return made


def _take_over(call: OxCall, space: Space, mail: Mail) -> list[Attachment]:
    """What is attached to a message goes along."""
    return [
        _attach(call, space, part.filename or f"part-{part.id}", part.content_type, part.content, "MAIL")
        for part in attachments_of(mail)
    ]


def _attach(
    call: OxCall, space: Space, name: str, mime_type: str, content: bytes, origin: str, key: str = ""
) -> Attachment:
    attachment = Attachment(
        id=key or call.state.next_token(), name=name, mime_type=mime_type, content=content, origin=origin
    )
    space.attachments[attachment.id] = attachment
    return attachment


@handles("mail/compose", f"GET {_ONE}")
def _get(call: OxCall) -> OxReply:
    return OxReply(data=_space(call).shown())


@handles("mail/compose", f"PATCH {_ONE}", f"PUT {_ONE}")
def _change(call: OxCall) -> OxReply:
    space = _space(call)
    space.change(_dated(call.body_object()))
    return _saved(call, space)


def _dated(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Requests say when to send as ``20170708T220000Z``, replies in milliseconds."""
    if not fields.get("dateToSend"):
        return dict(fields)
    try:
        at = parse_instant(str(fields["dateToSend"]))
    except ValueError as error:
        raise bad_value("dateToSend", fields["dateToSend"], str(error)) from error
    return {**fields, "dateToSend": int(at.timestamp() * 1000)}


def _saved(call: OxCall, space: Space) -> OxReply:
    """Save the draft anew, as mail servers can't change one, and show the space."""
    box = mailbox(call.state, call.user)
    old = box.find(*space.draft)
    draft = box.add(DRAFTS, _built(call, space), flags=DRAFT | SEEN)
    space.draft = (draft.folder, draft.id)
    if old is not None:
        box.remove(old)
    return OxReply(data=space.shown())


def _built(call: OxCall, space: Space) -> bytes:
    fields = dict(space.fields)
    fields["from"] = [fields["from"]] if fields.get("from") else []
    fields["headers"] = fields.get("customHeaders")
    if fields.get("requestReadReceipt"):
        fields["disp_notification_to"] = fields["from"]
    files = [
        Attached(filename=one.name, content_type=one.mime_type, content=one.content)
        for one in space.attachments.values()
    ]
    return build(
        fields,
        text=str(fields.get("content") or ""),
        content_type=str(fields.get("contentType") or "text/html"),
        files=files,
        now=new_time(call.state),
        message_id=message_id(call.state),
    )


@handles("mail/compose", f"DELETE {_ONE}")
def _close(call: OxCall) -> OxReply:
    space = _space(call)
    box = mailbox(call.state, call.user)
    if (draft := box.find(*space.draft)) is not None:
        if call.flag_param("harddelete"):
            box.remove(draft)
        else:
            box.move(draft, TRASH)
    spaces(call.state, call.user).close(space)
    return OxReply(bare_json={"success": True})


@handles("mail/compose", f"POST {_ONE}/save")
def _save(call: OxCall) -> OxReply:
    space = _space(call)
    spaces(call.state, call.user).close(space)
    return OxReply(data=space.path())


@handles("mail/compose", f"POST {_ONE}/send")
def _send(call: OxCall) -> OxReply:
    space = _space(call)
    fields = read_json(call.find_part("JSON").content)
    if not isinstance(fields, dict):
        raise bad_value("JSON", fields, "it has to be a JSON object")
    space.change({name: value for name, value in _dated(fields).items() if name != "attachments"})
    for part in call.files:
        _uploaded(call, space, part)
    if not pairs([space.fields.get(name) or [] for name in ("to", "cc", "bcc")]):
        raise OxError("MSG-0011", "a message needs a recipient", params=("to",))
    box = mailbox(call.state, call.user)
    if (draft := box.find(*space.draft)) is not None:
        box.remove(draft)
    mail = _sent(call, space)
    _note(call, space)
    spaces(call.state, call.user).close(space)
    return OxReply(data={"id": mail.id, "folderId": mail.folder})


def _sent(call: OxCall, space: Space) -> Mail:
    """Send now; what is to be sent later waits among the drafts."""
    raw = _built(call, space)
    if space.fields.get("dateToSend", 0) > call.state.clock.now() * 1000:
        return mailbox(call.state, call.user).add(DRAFTS, raw, flags=DRAFT | SEEN)
    return send(call, raw)


def _note(call: OxCall, space: Space) -> None:
    """Mark what was answered or forwarded."""
    flag = {"reply": ANSWERED, "reply_all": ANSWERED, "forward-inline": FORWARDED}.get(
        space.fields["meta"]["type"], 0
    )
    for folder, key in space.originals:
        if (mail := mailbox(call.state, call.user).find(folder, key)) is not None:
            mail.flags |= flag


def _uploaded(call: OxCall, space: Space, part: FormPart, key: str = "") -> Attachment:
    name = part.filename or "file"
    return _attach(
        call, space, name, part.content_type or "application/octet-stream", part.content, "UPLOAD", key
    )


def _result(call: OxCall, space: Space, attachments: list[Attachment]) -> OxReply:
    _saved(call, space)
    info = {"id": space.id, "mailPath": space.path()}
    return OxReply(data={"attachments": [one.shown() for one in attachments], "compositionSpace": info})


@handles("mail/compose", f"POST {_ATTACHMENTS}")
def _add(call: OxCall) -> OxReply:
    space = _space(call)
    if not call.files:
        raise missing_value("file")
    made = [_uploaded(call, space, part) for part in call.files]
    for part in call.parts:
        if part.name == "contentDisposition" and part.text.upper() == "INLINE":
            for one in made:
                one.disposition = "INLINE"
    return _result(call, space, made)


@handles("mail/compose", f"POST {_ATTACHMENTS}/original")
def _add_original(call: OxCall) -> OxReply:
    space = _space(call)
    mails = [given_mail(call, folder, key) for folder, key in space.originals]
    return _result(call, space, [one for mail in mails for one in _take_over(call, space, mail)])


@handles("mail/compose", f"POST {_ATTACHMENTS}/vcard")
def _add_vcard(call: OxCall) -> OxReply:
    space = _space(call)
    return _result(call, space, [_attach_vcard(call, space)])


def _attach_vcard(call: OxCall, space: Space) -> Attachment:
    user = call.user
    card = {"display_name": user.display_name, "first_name": user.first_name}
    content = write_vcards([card | {"last_name": user.last_name, "email1": user.email}])
    return _attach(call, space, f"{user.display_name}.vcf", "text/vcard", content, "VCARD")


def _attachment(call: OxCall, space: Space) -> Attachment:
    key = call.text_param("attachmentId")
    if key not in space.attachments:
        raise not_found("MSGCS-0009", f"attachment {key} of composition space {space.id}")
    return space.attachments[key]


@handles("mail/compose", f"GET {_ATTACHMENT}")
def _get_attachment(call: OxCall) -> OxReply:
    found = _attachment(call, _space(call))
    headers = {"Content-Type": found.mime_type, "Content-Disposition": f'attachment; filename="{found.id}"'}
    return OxReply(answer=Answer(headers=headers, body=found.content))


@handles("mail/compose", f"POST {_ATTACHMENT}")
def _replace(call: OxCall) -> OxReply:
    space = _space(call)
    key = _attachment(call, space).id
    if not call.files:
        raise missing_value("file")
    return _result(call, space, [_uploaded(call, space, call.files[0], key)])


@handles("mail/compose", f"DELETE {_ATTACHMENT}")
def _remove(call: OxCall) -> OxReply:
    space = _space(call)
    found = _attachment(call, space)
    del space.attachments[found.id]
    return _result(call, space, [])


@handles("mail/compose", f"POST {_ONE}/referencedAttachment")
def _refer(call: OxCall) -> OxReply:
    """A file of Drive: ``{"origin": "drive", "id": …}``."""
    space = _space(call)
    asked = read_json(call.find_part("JSON").content)
    version = drive(call.state).get(str(asked.get("id"))).current
    if version is None:
        raise not_found("IFO-0438", f"a file in {asked.get('id')}")
    made = _attach(call, space, version.filename, version.mimetype, version.content, "DRIVE")
    return _result(call, space, [made])
