"""Composition spaces: messages that are being written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import attrs

from ..refusals import CONFLICT, OxError, bad_value, not_found
from ..server_options import OxServerOptions
from ..state import OxUser, ServerState

__all__ = [
    "WRITABLE_FIELDS",
    "CompositionSpace",
    "CompositionSpaces",
    "SpaceAttachment",
    "check_claim",
    "spaces_of",
]

_CLAIM: Final = re.compile(r"[a-zA-Z0-9]{16}")
_CONTENT_TYPES: Final = frozenset({"text/plain", "text/html", "multipart/alternative"})
_PRIORITIES: Final = frozenset({"low", "normal", "high"})

WRITABLE_FIELDS: Final = frozenset(
    {
        "from", "to", "cc", "bcc", "subject", "content", "contentType", "meta", "requestReadReceipt", "priority",
        "sharedAttachments", "security", "customHeaders", "claim", "dateToSend", "attachments", "id",
    }
)  # fmt: skip
"""The fields that a client may set."""


@attrs.define(kw_only=True)
class SpaceAttachment:
    """An attachment of a space."""

    id: str
    name: str
    mime_type: str
    content: bytes = attrs.field(repr=False)
    origin: str = "UPLOAD"
    disposition: str = "ATTACHMENT"

    def to_wire(self) -> dict[str, Any]:
        """Return the attachment as the API has it."""
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
class CompositionSpace:
    """A message that is being written.

    Attributes:
        id: 32 hexadecimal digits.
        fields: The fields as written so far.
        claim: The token that further writes have to show, or ``""``.
        attachments: By identifier.
        originals: The messages that it refers to: pairs of folder and id.
        draft: The message in the drafts that holds it, as folder and id.
    """

    id: str
    fields: dict[str, Any]
    claim: str = ""
    attachments: dict[str, SpaceAttachment] = attrs.field(factory=dict)
    originals: list[tuple[str, str]] = attrs.field(factory=list)
    draft: tuple[str, str] = ("", "")

    def to_wire(self) -> dict[str, Any]:
        """Return the space as the API has it."""
        values = {**self.fields, "id": self.id}
        values["attachments"] = [attachment.to_wire() for attachment in self.attachments.values()]
        values["mailPath"] = self.mail_path()
        values["capabilities"] = ["sharedAttachments"]
        return {name: value for name, value in values.items() if value is not None}

    def mail_path(self) -> dict[str, str]:
        """Return the folder and the id of its draft."""
        return {"id": self.draft[1], "folderId": self.draft[0]}

    def change(self, fields: Mapping[str, Any]) -> None:
        """Set fields, and the claim.

        Raises:
            OxError: One is unknown, or has a value that makes no sense.
        """
        _check_fields(fields)
        if "claim" in fields:
            self.claim = str(fields["claim"] or "")
        self.fields |= {
            name: value for name, value in fields.items() if name not in ("claim", "attachments", "id")
        }
        if fields.get("attachments") is not None:
            ids = [str(attachment["id"]) for attachment in fields["attachments"]]
            # In the order of the client, and without those that it left out.
            self.attachments = {key: self.attachments[key] for key in ids if key in self.attachments}


class CompositionSpaces:
    """The open composition spaces of a user."""

    def __init__(self) -> None:
        self._spaces: dict[str, CompositionSpace] = {}

    def open_spaces(self) -> list[CompositionSpace]:
        """Return the open spaces, in the order of their opening."""
        return list(self._spaces.values())

    def add(self, space: CompositionSpace) -> CompositionSpace:
        """Add a new space to the open ones."""
        self._spaces[space.id] = space
        return space

    def find(self, key: str, token: str | None, server_options: OxServerOptions) -> CompositionSpace:
        """Return an open space for a write of a client that shows its token, if any.

        Raises:
            OxError: There is none (``MSGCS-0007``), or somebody else claimed it.
        """
        if (space := self._spaces.get(key)) is None:
            raise not_found("MSGCS-0007", f"composition space {key}")
        # No token at all passes: clients from before claims send none.
        if token and space.claim and token != space.claim:
            text = "the composition space is being edited elsewhere"
            raise OxError(server_options.compose_code, text, category=CONFLICT, params=(key,), status=409)
        return space

    def remove(self, space: CompositionSpace) -> None:
        """Close a space."""
        self._spaces.pop(space.id, None)


def spaces_of(state: ServerState, user: OxUser) -> CompositionSpaces:
    """Return the composition spaces of a user, and create them on their first use."""
    return state.module_state(_create_spaces, user)


def _create_spaces(state: ServerState, user: OxUser) -> CompositionSpaces:
    return CompositionSpaces()


def check_claim(claim: str) -> str:
    """Return a token, if it is 16 letters and digits.

    Raises:
        OxError: It is something else.
    """
    if claim and not _CLAIM.fullmatch(claim):
        raise bad_value("claim", claim, "it is 16 letters and digits")
    return claim


def _check_fields(fields: Mapping[str, Any]) -> None:
    if unknown := fields.keys() - WRITABLE_FIELDS:
        raise bad_value("body", min(unknown), "there is no such field of a message")
    if fields.get("contentType") not in (None, *_CONTENT_TYPES):
        raise bad_value(
            "contentType", fields["contentType"], f"it is one of {', '.join(sorted(_CONTENT_TYPES))}"
        )
    if fields.get("priority") not in (None, *_PRIORITIES):
        raise bad_value("priority", fields["priority"], "it is low, normal or high")
    check_claim(str(fields.get("claim") or ""))
