"""Replies and forwards as templates: what a client starts to write from."""

from __future__ import annotations

from typing import Any

from ..state import OxUser
from .parsing import as_text, body_parts
from .rendering import View, attachments_of, mail_object
from .store import Mail

__all__ = ["forward_of", "quoted", "reference_of", "reply_to", "subject_with"]


def reference_of(mail: Mail) -> str:
    """How a reply refers to its original: ``msgref``."""
    return f"{mail.folder}/{mail.id}"


def subject_with(prefix: str, mail: Mail) -> str:
    """The subject with ``Re:`` or ``Fwd:`` before it, once."""
    subject = mail.subject
    return subject if subject.lower().startswith(prefix.lower()) else f"{prefix} {subject}"


def quoted(mail: Mail, view: str) -> str:
    """The text of a message as a quotation."""
    bodies = body_parts(mail.parts, view)
    text = as_text(bodies[0]) if bodies else ""
    if view == "text":
        return "\n".join(f"> {line}" for line in text.splitlines())
    return f"<blockquote>{bodies[0].text if bodies else ''}</blockquote>"


def reply_to(mail: Mail, user: OxUser, view: str, *, everyone: bool) -> dict[str, Any]:
    """The template of a reply."""
    shown = mail_object(mail, View())
    made = _template(mail, user, view, subject_with("Re:", mail))
    made["to"] = shown.get("reply_to") or shown["from"]
    if everyone:
        known = {address for _, address in made["to"]} | {user.email}
        others = [pair for pair in [*shown["to"], *shown["cc"]] if pair[1] not in known]
        made["cc"] = [list(pair) for pair in dict.fromkeys(map(tuple, others))]
    if message_id := mail.head.text("Message-ID"):
        made["headers"] = {"In-Reply-To": message_id, "References": message_id}
    return made


def forward_of(mail: Mail, view: str) -> dict[str, Any]:
    """The template of a forward: what was attached goes along."""
    made = _template(mail, None, view, subject_with("Fwd:", mail))
    shown = {part["id"]: part for part in mail_object(mail, View(nested=False))["attachments"]}
    made["attachments"] += [shown[part.id] for part in attachments_of(mail)]
    return made


def _template(mail: Mail, user: OxUser | None, view: str, subject: str) -> dict[str, Any]:
    kind = "text/plain" if view == "text" else "text/html"
    text = quoted(mail, view)
    body = {"id": "1", "content_type": kind, "content": text, "size": len(text.encode()), "disp": "inline"}
    return {
        "from": [[user.display_name, user.email]] if user else [],
        "to": [],
        "cc": [],
        "bcc": [],
        "subject": subject,
        "priority": 3,
        "msgref": reference_of(mail),
        "attachments": [body],
    }
