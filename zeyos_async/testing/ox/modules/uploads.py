"""``file`` (uploads that wait to be used) and ``image`` (pictures by cookie)."""

from __future__ import annotations

from typing import Any, Final

import attrs

from ...answers import Answer
from ..files.access import file_answer
from ..form_data import FormPart
from ..handlers import OxCall, OxReply, handles
from ..mails.access import mailbox
from ..refusals import OxError, missing_value, not_found
from ..state import ServerState

__all__: list[str] = []

_LIFETIME: Final = 300.0
_MEDIA: Final = ("image/", "audio/", "video/")


@attrs.define(kw_only=True)
class _Waiting:
    """An upload and when it was last asked for."""

    part: FormPart
    used: float


def _uploads(state: ServerState, user: Any) -> dict[str, _Waiting]:
    """The uploads of a user, by identifier."""
    return {}


@handles("file", "new")
def _new(call: OxCall) -> OxReply:
    if not call.files:
        raise missing_value("file")
    for part in call.files:
        _check_type(part, call.text_param("type"))
    made = []
    for part in call.files:
        key = call.state.next_token()
        call.module_state(_uploads)[key] = _Waiting(part=part, used=call.state.clock.now())
        made.append(key)
    return OxReply(data=made)


def _check_type(part: FormPart, wanted: str) -> None:
    """Refuse a file that is not of the kind that ``type`` allows."""
    allowed = {"file": ("",), "media": _MEDIA}.get(wanted, (f"{wanted}/",))
    if not part.content_type.startswith(allowed):
        raise OxError("UPL-0008", f"{part.content_type!r} is not a file of type {wanted}", params=(wanted,))


def _waiting(call: OxCall, key: str) -> FormPart:
    """An upload, kept for some more minutes.

    Raises:
        OxError: There is none, or it waited too long.
    """
    found = call.module_state(_uploads).get(key)
    now = call.state.clock.now()
    if found is None or found.used < now - _LIFETIME:
        raise not_found("UPL-0005", f"upload {key}")
    found.used = now
    return found.part


@handles("file", "keepalive")
def _keep(call: OxCall) -> OxReply:
    _waiting(call, call.text_param("id"))
    return OxReply()


@handles("file", "get")
def _get(call: OxCall) -> OxReply:
    part = _waiting(call, call.text_param("id"))
    mimetype = part.content_type or "application/octet-stream"
    answer = file_answer(
        call, part.content, filename=part.filename or "file", mimetype=mimetype, etag=call.text_param("id")
    )
    return OxReply(answer=answer)


def _identified(call: OxCall) -> bool:
    """Whether the cookie for the public tells who asks: images have no session in their address."""
    session = call.sessions.find_by_public_cookie(call.request)
    call.caller = session.user if session else None
    return session is not None


@handles("image", "GET /image/mfile/picture", "GET /image/file/mp3cover")
def _uploaded_image(call: OxCall) -> OxReply:
    if not _identified(call):
        return OxReply(answer=Answer(status=403))
    found = call.module_state(_uploads).get(call.text_param("uid") or call.text_param("id"))
    return (
        _picture(found.part.content, found.part.content_type) if found else OxReply(answer=Answer(status=404))
    )


@handles("image", "GET /image/mail/picture", "GET /image/mail/trustedMail/picture")
def _mail_image(call: OxCall) -> OxReply:
    """A picture within a message, by its Content-ID or its number."""
    if not _identified(call):
        return OxReply(answer=Answer(status=403))
    mail = mailbox(call.state, call.user).find(call.text_param("folder"), call.text_param("id"))
    key = call.text_param("uid").strip("<>")
    for part in mail.parts if mail else ():
        if key in (part.cid, part.id, part.filename):
            return _picture(part.content, part.content_type)
    return OxReply(answer=Answer(status=404))


def _picture(content: bytes, mimetype: str) -> OxReply:
    return OxReply(answer=Answer(headers={"Content-Type": mimetype}, body=content))
