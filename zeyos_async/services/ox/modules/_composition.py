"""Mails that are being written: a composition space of the server, from its opening to its end."""

from __future__ import annotations

import secrets
import string
from collections.abc import Awaitable, Generator, Mapping
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from ....errors import InvalidArgument, OutcomeUnknown, ZeyosAsyncError
from ..values import to_utc_text
from ._addresses import Addresses, fetch_own_address, parse_addresses

if TYPE_CHECKING:
    from ....forms import Upload, UploadSource
    from .._generated.mail_compose import MailCompose
    from .._generated.records_compose import (
        MailComposeAttachment,
        MailComposeMailPathModel,
        MailComposeResponseMessageModel,
    )

__all__ = ["Composition", "build_fields", "make_claim"]

T = TypeVar("T")

_LETTERS: Final = string.ascii_letters + string.digits
_CLAIM_LENGTH: Final = 16
_SET_BEFORE_SENDING: Final = ("attachments", "sharedAttachments", "security")
"""Fields that the document has set before a mail is sent, and not along with it."""


def make_claim() -> str:
    """Make a token that keeps others from editing a mail that one has opened."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_CLAIM_LENGTH))


def build_fields(
    fields: Mapping[str, Any] | None,
    *,
    sender: Addresses | None = None,
    to: Addresses | None = None,
    cc: Addresses | None = None,
    bcc: Addresses | None = None,
    subject: str | None = None,
    text: str | None = None,
    html: str | None = None,
    send_at: datetime | None = None,
) -> dict[str, Any]:
    """Build the document's fields of what somebody writes.

    Raises:
        InvalidArgument: Something is given twice, or is no address.
    """
    if text is not None and html is not None:
        raise InvalidArgument("give text= or html=, not both: the server makes a text of the page itself")
    values: dict[str, Any] = {}
    if sender is not None:
        senders = _to_pairs(sender, "sender")
        if len(senders) != 1:
            raise InvalidArgument("sender= is one address")
        values["from"] = senders[0]
    for name, value in (("to", to), ("cc", cc), ("bcc", bcc)):
        if value is not None:
            values[name] = _to_pairs(value, name)
    if subject is not None:
        values["subject"] = subject
    if text is not None or html is not None:
        values["content"] = text if html is None else html
        values["contentType"] = "text/plain" if html is None else "text/html"
    if send_at is not None:
        values["dateToSend"] = to_utc_text(send_at, "send_at")
    if twice := sorted(values.keys() & (fields or {}).keys()):
        raise InvalidArgument(f"{', '.join(twice)}: given among the fields and as an argument, too")
    return {**(fields or {}), **values}


def _to_pairs(value: Addresses, label: str) -> list[list[str]]:
    return [[name or "", address] for name, address in parse_addresses(value, label)]


class Composition:
    """A mail that is being written on the server; made by ``ox.mail.compose.draft(…)``.

    ::

        async with ox.mail.compose.draft(to="max@example.com", subject="Report") as draft:
            await draft.set(text="Here it is.")
            await draft.attach(Path("report.pdf"))
            await draft.send()

    What is left without being sent or saved is discarded, after an error as well; the server keeps a copy in the
    trash. Awaiting it in place of ``async with`` opens it, and leaves its end to the caller.

    Attributes:
        message: The mail, as the server had it last.
    """

    def __init__(
        self,
        compose: MailCompose,
        mails: Any,
        *,
        type: str,
        vcard: bool | None,
        shared_attachments: bool | None,
        fields: Mapping[str, Any],
    ) -> None:
        self._compose = compose
        self._mails = mails
        self._type = type
        self._vcard = vcard
        self._shared = shared_attachments
        self._fields = dict(fields)
        self._claim = make_claim()
        self._message: MailComposeResponseMessageModel | None = None
        self._ended = ""

    def __repr__(self) -> str:
        state = self._ended or ("open" if self._message is not None else "not opened")
        return f"<Composition of type {self._type!r}, {state}>"

    # -- opening -----------------------------------------------------------------------------------

    def __await__(self) -> Generator[Any, Any, Self]:
        return self._open().__await__()

    async def _open(self) -> Self:
        if self._message is not None:
            raise InvalidArgument(f"{self!r} was opened already; make another one")
        self._message = await self._compose.new(
            self._mails,
            type=self._type,
            vcard=self._vcard,
            shared_attachments_enabled=self._shared,
            claim=self._claim,
        )
        if self._fields:
            try:
                await self._update(self._fields)
            except (
                BaseException
            ) as error:  # of a cancelled task, too: the space would stay open on the server
                await self._discard_after(error)
                raise
        return self

    async def __aenter__(self) -> Self:
        return await self._open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ended:
            return
        if error is None:
            await self.discard()
        else:
            await self._discard_after(error)

    async def _discard_after(self, error: BaseException) -> None:
        """Discard the mail because of an error; a failure to discard it is only noted at that error."""
        try:
            await self.discard()
        except ZeyosAsyncError as other:
            error.add_note(f"The mail that was being written is still open on the server: {other}")

    def _check_open(self) -> MailComposeResponseMessageModel:
        if self._ended:
            raise InvalidArgument(f"the mail was {self._ended}: nothing more can be done with it")
        return self.message

    @property
    def message(self) -> MailComposeResponseMessageModel:
        """The mail, as the server had it last."""
        if self._message is None:
            raise InvalidArgument(f"{self!r}: enter it with 'async with … as draft', or await it")
        return self._message

    @property
    def id(self) -> str:
        """The ID of the composition space."""
        return str(self.message.id)

    # -- writing -----------------------------------------------------------------------------------

    async def set(
        self,
        fields: Mapping[str, Any] | None = None,
        /,
        *,
        sender: Addresses | None = None,
        to: Addresses | None = None,
        cc: Addresses | None = None,
        bcc: Addresses | None = None,
        subject: str | None = None,
        text: str | None = None,
        html: str | None = None,
        send_at: datetime | None = None,
    ) -> MailComposeResponseMessageModel:
        """Change the mail; what is not given stays.

        Args:
            fields: More fields, by the document's names: ``{"priority": "high"}``.
            sender: Whom it is from.
            to: Recipients, in place of those before.
            cc: Recipients of copies.
            bcc: Recipients of copies whom nobody else sees.
            subject: The subject.
            text: The content as plain text.
            html: The content as a web page.
            send_at: When the server is to send it.

        Returns:
            The mail, as the server has it now.
        """
        people = {"sender": sender, "to": to, "cc": cc, "bcc": bcc}
        changes = build_fields(fields, **people, subject=subject, text=text, html=html, send_at=send_at)
        if not changes:
            raise InvalidArgument("set() changes nothing: name what is to be changed")
        return await self._update(changes)

    async def _update(self, changes: Mapping[str, Any]) -> MailComposeResponseMessageModel:
        self._check_open()
        body: Any = changes
        self._message = await self._compose.update(body, id=self.id, client_token=self._claim)
        self._fields.update(changes)
        return self._message

    async def attach(self, *files: Upload | UploadSource) -> list[MailComposeAttachment]:
        """Attach files, which are read while they are sent.

        Args:
            *files: Paths, bytes, asynchronous iterators, or an ``Upload`` to say name and type.

        Returns:
            The attachments, as the server has them.
        """
        added: list[MailComposeAttachment] = []
        for file in files:
            self._check_open()
            result = await self._compose.attach(id=self.id, client_token=self._claim, file=file)
            added += result.attachments or []
        return added

    async def attach_original(self) -> list[MailComposeAttachment]:
        """Attach what was attached to the mail that this one answers or forwards."""
        self._check_open()
        result = await self._compose.attach_original(id=self.id, client_token=self._claim)
        return list(result.attachments or [])

    async def attach_vcard(self) -> list[MailComposeAttachment]:
        """Attach the user's own vCard."""
        self._check_open()
        result = await self._compose.attach_vcard(id=self.id, client_token=self._claim)
        return list(result.attachments or [])

    async def detach(self, attachment: MailComposeAttachment | str, /) -> None:
        """Take an attachment off.

        Args:
            attachment: The attachment, or its ID.
        """
        self._check_open()
        number = attachment if isinstance(attachment, str) else attachment.id
        await self._compose.delete_attachment(id=self.id, attachment_id=str(number), client_token=self._claim)

    # -- ending ------------------------------------------------------------------------------------

    async def send(self) -> MailComposeMailPathModel | None:
        """Send the mail, which ends its writing.

        Returns:
            Where the copy of what was sent is; ``None`` if the server only says that it was sent.

        Raises:
            OutcomeUnknown: Nobody knows whether it was sent; it is left as it is, and not discarded.
        """
        message = self._check_open()
        if not self._fields.get("from") and not message.from_:
            await self.set(sender=await fetch_own_address(self._compose._caller))
        body: Any = {name: value for name, value in self._fields.items() if name not in _SET_BEFORE_SENDING}
        sent = await self._finish(self._compose.send(body, id=self.id, client_token=self._claim), "sent")
        return sent if sent.id else None

    async def save(self) -> MailComposeMailPathModel:
        """Save the mail as a draft, which ends its writing.

        Returns:
            Where the draft is.

        Raises:
            OutcomeUnknown: Nobody knows whether it was saved; it is left as it is, and not discarded.
        """
        self._check_open()
        return await self._finish(self._compose.save(id=self.id, client_token=self._claim), "saved")

    async def _finish(self, call: Awaitable[T], outcome: str) -> T:
        """Await the call that ends the writing. After an unknown outcome the mail may not be discarded."""
        try:
            result = await call
        except OutcomeUnknown:
            self._ended = f"{outcome}, or not: nobody knows"
            raise
        self._ended = outcome
        return result

    async def discard(self, *, hard: bool = False) -> None:
        """Throw the mail away.

        Args:
            hard: Whether no copy is kept in the trash.
        """
        self._check_open()
        await self._compose.delete(id=self.id, harddelete=hard or None, client_token=self._claim)
        self._ended = "discarded"
