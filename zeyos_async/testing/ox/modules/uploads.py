"""``file`` (uploads that wait to be used) and ``image`` (pictures by cookie)."""

from __future__ import annotations

from typing import Any, Final

import attrs

from ...answers import Answer
from ..files.access import answer_file
from ..form_data import FormPart
from ..handlers import OxCall, OxReply, handles
from ..mails.access import mailbox_of
from ..refusals import OxError, missing_value, not_found
from ..state import ServerState

__all__: list[str] = []

_LIFETIME: Final = 300.0
_MEDIA_TYPES: Final = ("image/", "audio/", "video/")


@attrs.define(kw_only=True)
class _Upload:
    """An upload, and the time of its last use."""

    part: FormPart
    used: float


def _uploads(state: ServerState, user: Any) -> dict[str, _Upload]:
    """Create the uploads of a user, by identifier: none so far."""
    return {}


@handles("file", "new")
def _new(call: OxCall) -> OxReply:
    if not call.files:
        raise missing_value("file")
    # All are checked before any is stored: a refused upload leaves nothing behind.
    for part in call.files:
        _check_type(part, call.text_param("type"))
    ids = []
    for part in call.files:
        key = call.state.next_token()
        call.module_state(_uploads)[key] = _Upload(part=part, used=call.state.clock.now())
        ids.append(key)
    return OxReply(data=ids)


def _check_type(part: FormPart, kind: str) -> None:
    """Refuse a file that is not of the kind that ``type`` allows."""
    allowed = {"file": ("",), "media": _MEDIA_TYPES}.get(kind, (f"{kind}/",))
    if not part.content_type.startswith(allowed):
        raise OxError("UPL-0008", f"{part.content_type!r} is not a file of type {kind}", params=(kind,))


def _find_upload(call: OxCall, key: str) -> FormPart:
    """Return an upload, which lives for some more minutes then.

    Raises:
        OxError: There is none, or it waited too long.
    """
    upload = call.module_state(_uploads).get(key)
    now = call.state.clock.now()
    if upload is None or upload.used < now - _LIFETIME:
        raise not_found("UPL-0005", f"upload {key}")
    # \n
    upload.used = now
    return upload.part


@handles("file", "keepalive")
def _keep_alive(call: OxCall) -> OxReply:
    _find_upload(call, call.text_param("id"))
    return OxReply()


@handles("file", "get")
def _get(call: OxCall) -> OxReply:
    part = _find_upload(call, call.text_param("id"))
    mimetype = part.content_type or "application/octet-stream"
    answer = answer_file(
        call, part.content, filename=part.filename or "file", mimetype=mimetype, etag=call.text_param("id")
    )
    return OxReply(answer=answer)


def _identify_by_cookie(call: OxCall) -> bool:
    """Return whether the public cookie tells who calls: images have no session in their address."""
    session = call.sessions.find_by_public_cookie(call.request)
    call.caller = session.user if session else None
    return session is not None


@handles("image", "GET /image/mfile/picture", "GET /image/file/mp3cover")
def _uploaded_image(call: OxCall) -> OxReply:
    if not _identify_by_cookie(call):
        return OxReply(answer=Answer(status=403))
    upload = call.module_state(_uploads).get(call.text_param("uid") or call.text_param("id"))
    return (
        _answer_picture(upload.part.content, upload.part.content_type)
        if upload
        else OxReply(answer=Answer(status=404))
    )


@handles("image", "GET /image/mail/picture", "GET /image/mail/trustedMail/picture")
def _mail_image(call: OxCall) -> OxReply:
    """Answer with a picture within a message, by its Content-ID or its number."""
    if not _identify_by_cookie(call):
        return OxReply(answer=Answer(status=403))
    mail = mailbox_of(call.state, call.user).find(call.text_param("folder"), call.text_param("id"))
    key = call.text_param("uid").strip("<>")
    for part in mail.parts if mail else ():
        if key in (part.cid, part.id, part.filename):
            return _answer_picture(part.content, part.content_type)
    return OxReply(answer=Answer(status=404))


def _answer_picture(content: bytes, mimetype: str) -> OxReply:
    return OxReply(answer=Answer(headers={"Content-Type": mimetype}, body=content))
