"""Templates of replies and forwards, which a client starts to write from."""

from __future__ import annotations

from typing import Any

from ..state import OxUser
from .parsing import select_bodies, to_plain_text
from .rendering import MailView, build_mail_object, list_attachments
from .store import StoredMail

__all__ = ["build_forward", "build_reference", "build_reply", "prefix_subject", "quote_text"]


def build_reference(mail: StoredMail) -> str:
    """Return the ``msgref`` by which a reply refers to its original."""
    return f"{mail.folder}/{mail.id}"


def prefix_subject(prefix: str, mail: StoredMail) -> str:
    """Return the subject with ``Re:`` or ``Fwd:`` before it, once."""
    subject = mail.subject
    # Otherwise subjects grow with each reply: "Re: Re: Re:".
    return subject if subject.lower().startswith(prefix.lower()) else f"{prefix} {subject}"


def quote_text(mail: StoredMail, view: str) -> str:
    """Return the text of a message as a quotation."""
    bodies = select_bodies(mail.parts, view)
    text = to_plain_text(bodies[0]) if bodies else ""
    if view == "text":
        return "\n".join(f"> {line}" for line in text.splitlines())
    return f"<blockquote>{bodies[0].text if bodies else ''}</blockquote>"


def build_reply(mail: StoredMail, user: OxUser, view: str, *, everyone: bool) -> dict[str, Any]:
    """Build the template of a reply."""
    mail_object = build_mail_object(mail, MailView())
    template = _build_template(mail, user, view, prefix_subject("Re:", mail))
    template["to"] = mail_object.get("reply_to") or mail_object["from"]
    if everyone:
        # Whoever is answered already, and the user, need no copy.
        addresses = {address for _, address in template["to"]} | {user.email}
        others = [pair for pair in [*mail_object["to"], *mail_object["cc"]] if pair[1] not in addresses]
        template["cc"] = [list(pair) for pair in dict.fromkeys(map(tuple, others))]
    if message_id := mail.headers.text("Message-ID"):
        template["headers"] = {"In-Reply-To": message_id, "References": message_id}
    return template


def build_forward(mail: StoredMail, view: str) -> dict[str, Any]:
    """Build the template of a forward, with everything that was attached."""
    template = _build_template(mail, None, view, prefix_subject("Fwd:", mail))
    parts_by_id = {
        part["id"]: part for part in build_mail_object(mail, MailView(nested=False))["attachments"]
    }
    template["attachments"] += [parts_by_id[part.id] for part in list_attachments(mail)]
    return template


def _build_template(mail: StoredMail, user: OxUser | None, view: str, subject: str) -> dict[str, Any]:
    kind = "text/plain" if view == "text" else "text/html"
    text = quote_text(mail, view)
    body = {"id": "1", "content_type": kind, "content": text, "size": len(text.encode()), "disp": "inline"}
    return {
        "from": [[user.display_name, user.email]] if user else [],
        "to": [],
        "cc": [],
        "bcc": [],
        "subject": subject,
        "priority": 3,
        "msgref": build_reference(mail),
        "attachments": [body],
    }
