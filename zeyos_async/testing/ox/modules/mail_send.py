"""``mail``: what sends messages and saves drafts, the old way (``mail/compose`` is the new one)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..files.access import drive
from ..form_data import FormPart
from ..handlers import OxCall, OxReply, handles
from ..mails.access import DRAFTS, mailbox
from ..mails.mail_builder import Attached, build, pairs
from ..mails.sending import message_id, new_time, note_use, original, send, store_raw
from ..mails.store import DRAFT, SEEN, Mail
from ..refusals import OxError, bad_value, missing_value, not_found
from ..requests import read_json

__all__: list[str] = []

_SEND_TYPES: Final = frozenset({0, 1, 2, 3, 4, 6})
_NEEDS_REFERENCE: Final = frozenset({1, 2, 3, 4, 6})
_DRAFT_EDIT: Final = 3


def _path(mail: Mail) -> dict[str, str]:
    return {"folder_id": mail.folder, "id": mail.id}


@handles("mail", "new", method="PUT")
def _new_raw(call: OxCall) -> OxReply:
    raw = call.request.body
    if b":" not in raw.partition(b"\n")[0]:
        raise OxError("MSG-0105", "the body is no message by RFC 822")
    if folder := call.text_param("folder"):
        return OxReply(data=_path(store_raw(call, folder, raw, int(call.text_param("flags") or 0))))
    if "flags" in call.params:
        raise bad_value("flags", call.params["flags"], "flags are for messages that are stored in a folder")
    return OxReply(data=_path(send(call, raw)))


@handles("mail", "new", method="POST")
def _new(call: OxCall) -> OxReply:
    given = read_json(call.find_part("json_0").content)
    if not isinstance(given, dict):
        raise bad_value("json_0", given, "it has to be a JSON object")
    sendtype, reference = _sendtype(given), str(given.get("msgref") or "")
    if sendtype != _DRAFT_EDIT and not pairs([given.get(name) or [] for name in ("to", "cc", "bcc")]):
        raise OxError("MSG-0011", "a message needs a recipient", params=("to",))
    raw = _built(call, given, [part for part in call.files if part.name.startswith("file_")])
    if sendtype == _DRAFT_EDIT:
        note_use(call, sendtype, reference)
        return OxReply(data=_reference(_draft(call, raw)))
    mail = send(call, raw)
    note_use(call, sendtype, reference)
    return OxReply(data=_reference(mail))


def _reference(mail: Mail) -> str:
    return f"{mail.folder}/{mail.id}"


@handles("mail", "autosave")
def _autosave(call: OxCall) -> OxReply:
    given = call.body_object()
    csid = call.text_param("csid") or str(given.get("csid") or "")
    if not csid:
        raise missing_value("csid")
    saved = call.module_state(_autosaves)
    box = mailbox(call.state, call.user)
    if (old := saved.get(csid)) is not None:
        box.remove(old)
    saved[csid] = _draft(call, _built(call, given, []))
    return OxReply(data=_reference(saved[csid]))


def _autosaves(state: Any, user: Any) -> dict[str, Mail]:
    """Composition space → its draft."""
    return {}


def _draft(call: OxCall, raw: bytes) -> Mail:
    return mailbox(call.state, call.user).add(DRAFTS, raw, flags=DRAFT | SEEN)


def _sendtype(given: Mapping[str, Any]) -> int:
    try:
        sendtype = int(given.get("sendtype") or 0)
    except (TypeError, ValueError) as error:
        raise bad_value("sendtype", given.get("sendtype"), "it is a number") from error
    if sendtype not in _SEND_TYPES:
        raise bad_value("sendtype", sendtype, "it is 0, 1, 2, 3, 4 or 6")
    if sendtype in _NEEDS_REFERENCE and not given.get("msgref"):
        raise missing_value("msgref")
    return sendtype


def _built(call: OxCall, given: Mapping[str, Any], uploads: list[FormPart]) -> bytes:
    described = given.get("attachments") or [{}]
    body = described[0]
    files = [_uploaded(part) for part in uploads]
    files += [file for one in described[1:] if (file := _referred(call, given, one)) is not None]
    files += [_from_drive(call, str(key)) for key in given.get("infostore_ids") or ()]
    return build(
        {"from": [[call.user.display_name, call.user.email]], **{k: v for k, v in given.items() if v}},
        text=str(body.get("content") or ""),
        content_type=str(body.get("content_type") or given.get("content_type") or "text/plain"),
        files=files,
        now=new_time(call.state),
        message_id=message_id(call.state),
    )


def _uploaded(part: FormPart) -> Attached:
    kind = part.content_type or "application/octet-stream"
    return Attached(filename=part.filename or "file", content_type=kind, content=part.content)


def _referred(call: OxCall, given: Mapping[str, Any], described: Mapping[str, Any]) -> Attached | None:
    """An attachment of the original that goes along; alternatives of the text do not count."""
    if described.get("disp") == "alternative" or not described.get("id"):
        return None
    reference = str(described.get("msgref") or given.get("msgref") or "")
    mail = original(call, reference)
    for part in mail.parts if mail else ():
        if part.id == str(described["id"]):
            return Attached(filename=part.filename, content_type=part.content_type, content=part.content)
    raise not_found("MSG-0049", f"attachment {described['id']} of mail {reference}")


def _from_drive(call: OxCall, key: str) -> Attached:
    item = drive(call.state).get(key)
    version = item.current
    if version is None:
        raise not_found("IFO-0438", f"a file in {key}")
    return Attached(filename=version.filename, content_type=version.mimetype, content=version.content)
