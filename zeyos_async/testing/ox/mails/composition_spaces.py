"""Composition spaces: messages that are being written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import attrs

from ..refusals import CONFLICT, OxError, bad_value, not_found
from ..server_options import OxServerOptions
from ..state import OxUser, ServerState

__all__ = ["WRITABLE", "Attachment", "Space", "Spaces", "check_claim", "spaces"]

_CLAIM: Final = re.compile(r"[a-zA-Z0-9]{16}")
_CONTENT_TYPES: Final = frozenset({"text/plain", "text/html", "multipart/alternative"})
_PRIORITIES: Final = frozenset({"low", "normal", "high"})

WRITABLE: Final = frozenset(
    {
        "from", "to", "cc", "bcc", "subject", "content", "contentType", "meta", "requestReadReceipt", "priority",
        "sharedAttachments", "security", "customHeaders", "claim", "dateToSend", "attachments", "id",
    }
)  # fmt: skip
"""What a client may set."""


@attrs.define(kw_only=True)
class Attachment:
    """One attachment of a space."""

    id: str
    name: str
    mime_type: str
    content: bytes = attrs.field(repr=False)
    origin: str = "UPLOAD"
    disposition: str = "ATTACHMENT"

    def shown(self) -> dict[str, Any]:
        """As the API has it."""
        return {
            "id": self.id,
            "name": self.name,
            "size": len(self.content),
            "mimeType": self.mime_type,
            "cid": f"{self.id}@open-xchange.com",
            "contentDisposition": self.disposition,
            "origin": self.origin,
        }


@attrs.define(kw_only=True)
class Space:
    """One message that is being written.

    Attributes:
        id: 32 hexadecimal digits.
        fields: What was written so far.
        claim: The token that further writes have to show, or ``""``.
        attachments: By identifier.
        originals: The messages that it refers to: pairs of folder and id.
        draft: The message in the drafts that holds it, as folder and id.
    """

    id: str
    fields: dict[str, Any]
    claim: str = ""
    attachments: dict[str, Attachment] = attrs.field(factory=dict)
    originals: list[tuple[str, str]] = attrs.field(factory=list)
    draft: tuple[str, str] = ("", "")

    def shown(self) -> dict[str, Any]:
        """As the API has it."""
        made = {**self.fields, "id": self.id}
        made["attachments"] = [one.shown() for one in self.attachments.values()]
        made["mailPath"] = self.path()
        made["capabilities"] = ["sharedAttachments"]
        return {name: value for name, value in made.items() if value is not None}

    def path(self) -> dict[str, str]:
        """Where its draft is."""
        return {"id": self.draft[1], "folderId": self.draft[0]}

    def change(self, fields: Mapping[str, Any]) -> None:
        """Set fields, and the claim.

        Raises:
            OxError: One is unknown, or has a value that makes no sense.
        """
        _check(fields)
        if "claim" in fields:
            self.claim = str(fields["claim"] or "")
        self.fields |= {
            name: value for name, value in fields.items() if name not in ("claim", "attachments", "id")
        }
        if fields.get("attachments") is not None:
            kept = [str(one["id"]) for one in fields["attachments"]]
            self.attachments = {key: self.attachments[key] for key in kept if key in self.attachments}


class Spaces:
    """The open composition spaces of a user."""

    def __init__(self) -> None:
        self._spaces: dict[str, Space] = {}

    def all(self) -> list[Space]:
        """The open ones, in the order of their opening."""
        return list(self._spaces.values())

    def open(self, space: Space) -> Space:
        """Keep a new one."""
        self._spaces[space.id] = space
        return space

    def get(self, key: str, token: str | None, server_options: OxServerOptions) -> Space:
        """An open space, for a write of a client that shows its token, if any.

        Raises:
            OxError: There is none (``MSGCS-0007``), or somebody else claimed it.
        """
        if (space := self._spaces.get(key)) is None:
            raise not_found("MSGCS-0007", f"composition space {key}")
        if token and space.claim and token != space.claim:
            text = "the composition space is being edited elsewhere"
            raise OxError(server_options.compose_code, text, category=CONFLICT, params=(key,), status=409)
        return space

    def close(self, space: Space) -> None:
        """Forget one."""
        self._spaces.pop(space.id, None)


def spaces(state: ServerState, user: OxUser) -> Spaces:
    """What a user is writing."""
    return state.module_state(_make, user)


def _make(state: ServerState, user: OxUser) -> Spaces:
    return Spaces()


def check_claim(claim: str) -> str:
    """A token that is 16 letters and digits.

    Raises:
        OxError: It is something else.
    """
    if claim and not _CLAIM.fullmatch(claim):
        raise bad_value("claim", claim, "it is 16 letters and digits")
    return claim


def _check(fields: Mapping[str, Any]) -> None:
    if unknown := fields.keys() - WRITABLE:
        raise bad_value("body", min(unknown), "there is no such field of a message")
    if fields.get("contentType") not in (None, *_CONTENT_TYPES):
        raise bad_value(
            "contentType", fields["contentType"], f"it is one of {', '.join(sorted(_CONTENT_TYPES))}"
        )
    if fields.get("priority") not in (None, *_PRIORITIES):
        raise bad_value("priority", fields["priority"], "it is low, normal or high")
    check_claim(str(fields.get("claim") or ""))
