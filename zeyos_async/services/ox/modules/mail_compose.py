"""``mail/compose``, with mails that are written in one block."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, get_args

from ....errors import InvalidArgument, quote_value, suggest
from .._generated.mail_compose import MailCompose as GeneratedMailCompose
from ._composition import Composition, build_fields
from ._mail_references import locate_mails

if TYPE_CHECKING:
    from ._addresses import Addresses
    from ._mail_references import MailRef

__all__ = ["Composition", "MailCompose"]

ComposeType = Literal["new", "reply", "replyall", "forward", "resend", "edit", "copy"]


class MailCompose(GeneratedMailCompose):
    """``mail/compose``: its operations, with mails that are written in one block."""

    def draft(
        self,
        mails: MailRef | Iterable[MailRef] | None = None,
        /,
        *,
        type: ComposeType | None = None,
        fields: Mapping[str, Any] | None = None,
        sender: Addresses | None = None,
        to: Addresses | None = None,
        cc: Addresses | None = None,
        bcc: Addresses | None = None,
        subject: str | None = None,
        text: str | None = None,
        html: str | None = None,
        send_at: datetime | None = None,
        vcard: bool | None = None,
        shared_attachments: bool | None = None,
    ) -> Composition:
        """Begin a mail: ``async with ox.mail.compose.draft(…) as draft: … await draft.send()``.

        Nothing is sent before it is entered or awaited. Nobody else can edit it meanwhile.

        Args:
            mails: The mail that is answered, resent or edited, or the mails that are forwarded.
            type: What it is; ``new``, or ``reply`` if there are mails.
            fields: More fields, by the document's names: ``{"priority": "high"}``.
            sender: Whom it is from; what the server thinks, or else the user's own address.
            to: Recipients: ``"Jane Doe <jane@example.com>"``, or a list of such and of pairs (name, address).
            cc: Recipients of copies.
            bcc: Recipients of copies whom nobody else sees.
            subject: The subject.
            text: The content as plain text.
            html: The content as a web page.
            send_at: When the server is to send it.
            vcard: Whether the user's vCard is attached.
            shared_attachments: Whether attachments are sent as links.

        Raises:
            InvalidArgument: The type needs mails, or something is no address.
        """
        kind = type or ("new" if mails is None else "reply")
        places = [] if mails is None else locate_mails(mails)
        _check_start(kind, len(places))
        people = {"sender": sender, "to": to, "cc": cc, "bcc": bcc}
        changes = build_fields(fields, **people, subject=subject, text=text, html=html, send_at=send_at)
        return Composition(
            self,
            [(folder, number) for _, folder, number in places] or None,
            type=kind,
            vcard=vcard,
            shared_attachments=shared_attachments,
            fields=changes,
        )


def _check_start(kind: str, mails: int) -> None:
    """Check that a mail of this type begins with so many others.

    Raises:
        InvalidArgument: It does not, or there is no such type.
    """
    if kind not in get_args(ComposeType):
        raise InvalidArgument(
            f"a mail can't be of type {quote_value(kind)}.{suggest(str(kind), get_args(ComposeType))}"
        )
    if (kind == "new") == bool(mails) or (mails > 1 and kind != "forward"):
        wants = {"new": "no other mail", "forward": "the mails to forward"}.get(
            kind, "one mail to begin with"
        )
        raise InvalidArgument(f"a mail of type {kind!r} takes {wants}, and {mails} were given")
