"""``mail``, with queries, flags, moving and copying, and sending."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import attrs

from ....errors import InvalidArgument, quote_value
from ....forms import Upload
from ....wire import Safety
from ...base.query import Query
from .._generated.mail import Mail as GeneratedMail
from .._generated.records_mail import MailData, MailDestinationData
from ..files.names import make_safe_name
from ..files.saving import find_free_path
from ..operation import Download, PreparedCall, ResultShape, Rows, custom_operation
from ._addresses import fetch_own_address
from ._arguments import sort_arguments
from ._bulk_calls import call_all
from ._list_backend import ListingCalls, ListingRequest, make_query
from ._mail_references import (
    MailFlag,
    MailRef,
    build_flag_changes,
    check_flags,
    locate_mail,
    locate_mails,
    update_flags,
    update_location,
)
from ._mime_messages import compose_message, encode_message, make_upload
from ._operations import generated_operation
from ._searches import Condition, compile_term, search_operation
from ._source import OxSource

if TYPE_CHECKING:
    from ....forms import Progress, UploadSource
    from .._generated.records_mail import (
        MailDestinationBody,
        MailDestinationBodyFields,
        MailUpdateBody,
        MailUpdateBodyFields,
    )
    from ._addresses import Addresses
    from .mail_compose import MailCompose

__all__ = ["Mail", "MailFlag"]

Outgoing = Message | bytes | os.PathLike[str] | Upload
"""A whole mail: an ``EmailMessage``, its bytes, or the path of a file with them."""


class Mail(GeneratedMail):
    """``mail``: its operations, with queries, flags, moving and copying, and sending."""

    @property
    def compose(self) -> MailCompose:
        """The mails that are being written: ``mail_compose`` of the client."""
        module: MailCompose = self._caller.module("mail_compose")
        return module

    # -- reading -----------------------------------------------------------------------------------

    def query(self, *, folder: str) -> Query[MailData]:
        """Return a query over the mails of a folder: ``async for mail in ox.mail.query(folder="default0/INBOX")``.

        Args:
            folder: The folder.
        """

        def find(request: ListingRequest) -> PreparedCall[Rows[MailData]]:
            if request.term is not None:
                return generated_operation(self, GeneratedMail.search).prepare(
                    {"filter": request.term},
                    folder=folder,
                    columns=request.columns,
                    **sort_arguments(request),
                )
            return self.all.prepare(
                folder=folder, columns=request.columns, limit=request.limit or None, **sort_arguments(request)
            )

        def read(keys: Sequence[Any], columns: tuple[str, ...] | None) -> PreparedCall[Rows[MailData]]:
            return self.list.prepare(keys, columns=columns)

        return make_query(self._caller, MailData, ListingCalls(find=find, read=read, dialect="mail"))

    def where(self, *conditions: Condition, folder: str) -> Query[MailData]:
        """Return a query over the mails for which all conditions hold: ``where(F.subject.contains("invoice"), folder=…)``.

        Headers are ``header("X-Spam")``, and names of attachments ``attachment("name")``.

        Args:
            *conditions: Conditions made with ``F``, or their text form.
            folder: The folder to search.

        Raises:
            UnknownField: Mails can't be searched by such a field.
            UnsupportedFilter: A search can't say this.
        """
        return self.query(folder=folder).where(*conditions)

    def source(self, *, folder: str) -> OxSource[MailData]:
        """Return the mails of a folder for exports. Servers don't tell what changed in a folder of mails."""
        return OxSource(query=self.query(folder=folder), updates=None)

    @search_operation
    def search(  # pyright: ignore[reportIncompatibleVariableOverride] - it takes more
        self,
        criteria: Condition | Mapping[str, Any] | Sequence[Any],
        /,
        *,
        folder: str,
        columns: Sequence[str | int] | None = None,
        headers: Sequence[str] | str | None = None,
        unseen: bool | None = None,
        deleted: bool | None = None,
        sort: str | int | None = None,
        order: Literal["asc", "desc"] | None = None,
    ) -> PreparedCall[Rows[MailData]]:
        """Return the mails that a search finds.

        Args:
            criteria: A condition, ``F.subject.contains("invoice") & (F.size > 10_000)`` or its text form; or the body
                of the document's ``search``: ``{"filter": […]}``.
            folder: The folder to search.
            columns: What is read of the mails.
            headers: Names of headers that are wanted besides the columns; they come in ``extra``.
            unseen: Whether only unread ones are wanted.
            deleted: Whether mails that are marked as deleted are found too.
            sort: The column to sort by.
            order: Up or down.
        """
        is_body = isinstance(criteria, Mapping) or (
            isinstance(criteria, Sequence) and not isinstance(criteria, str)
        )
        body: Any = criteria if is_body else {"filter": compile_term(criteria, "mail")}  # type: ignore[arg-type]
        return generated_operation(self, GeneratedMail.search).prepare(
            body,
            folder=folder,
            columns=columns,
            headers=headers,
            unseen=unseen,
            deleted=deleted,
            sort=sort,
            order=order,
        )

    def raw(self, mail: MailRef, /, *, unseen: bool | None = None) -> Download:
        """Return a mail as it was sent, in RFC 822: ``await ox.mail.raw(mail).save("mail.eml")``.

        Args:
            mail: The mail, or its ``(folder, id)``.
            unseen: Whether an unread mail stays unread; the server marks it as read otherwise.
        """
        folder, number = locate_mail(mail)
        prepared = self.get_source.prepare(folder=folder, id=number, unseen=unseen, save=1)
        spec = attrs.evolve(prepared.spec, returns=ResultShape.DOWNLOAD)
        return self._caller.download(attrs.evolve(prepared, spec=spec))

    async def message(self, mail: MailRef, /, *, unseen: bool | None = None) -> EmailMessage:
        """Return a mail as a message of the standard library, with all of its headers and parts.

        Args:
            mail: The mail, or its ``(folder, id)``.
            unseen: Whether an unread mail stays unread; the server marks it as read otherwise.
        """
        # The standard library's own type for what this policy makes of bytes is too wide.
        parsed: Any = message_from_bytes(await self.raw(mail, unseen=unseen), policy=default)
        return parsed  # type: ignore[no-any-return]

    async def save_attachments(
        self, mail: MailRef, into: str | os.PathLike[str], /, *, overwrite: bool = False
    ) -> Sequence[Path]:
        """Save the files that are attached to a mail; those that are shown within its text are not among them.

        Args:
            mail: The mail, or its ``(folder, id)``; it stays unread if it was.
            into: A folder that is there.
            overwrite: Whether files of the same names are replaced. Otherwise they get another name.

        Returns:
            Where they are, in the mail's order.
        """
        folder, number = locate_mail(mail)
        parts = (await self.get(folder=folder, id=number, unseen=True)).attachments or ()
        saved: dict[Path, None] = {}  # a set that keeps its order
        for part in parts:
            if part.disp != "attachment" or part.id is None:
                continue
            path = Path(into) / (make_safe_name(part.filename or "") or f"attachment {part.id}")
            path = await find_free_path(path, reserved=saved, replaces=overwrite)
            download = self.attachment(folder=folder, id=number, attachment=part.id)
            saved[await download.save(path, overwrite=overwrite)] = None
        return tuple(saved)

    # -- changing ----------------------------------------------------------------------------------

    @custom_operation
    def update(  # pyright: ignore[reportIncompatibleVariableOverride] - it takes more
        self,
        record: MailData | MailUpdateBody | MailUpdateBodyFields,
        body: MailUpdateBody | MailUpdateBodyFields | None = None,
        /,
        *,
        folder: str | None = None,
        id: str | None = None,
        message_id: str | None = None,
        whole_folder: bool = False,
    ) -> PreparedCall[MailDestinationData]:
        """Change flags or the colour of a mail, or move it; see ``flags`` and ``move``, too.

        Args:
            record: The mail, and ``body`` after it; or the changes, with ``folder=`` and ``id=``.
            body: The changes.
            folder: The folder where the mail is.
            id: The mail's ID.
            message_id: Its Message-ID, in place of the ID.
            whole_folder: Whether *all* mails of the folder are meant, which is what the server makes of a call
                that names none; refused otherwise.

        Raises:
            InvalidArgument: It names no mail, and ``whole_folder`` is not true; or it names one, and it is.
        """
        positional: Any = (record, body)
        prepared = generated_operation(self, GeneratedMail.update).prepare(
            *positional, folder=folder, id=id, message_id=message_id
        )
        names_one = any(name in ("id", "message_id") and value for name, value in prepared.query)
        sent: Any = prepared.body.value if prepared.body is not None else {}  # type: ignore[union-attr]
        _check_scope(names_one, whole_folder, moves="folder_id" in sent)
        return prepared if "folder_id" in sent else _allow_repeats(prepared)

    @custom_operation
    def move(self, mail: MailRef, /, *, to: str) -> PreparedCall[MailDestinationData]:
        """Move a mail to another folder, where it has another ID; a record is brought up to date.

        Args:
            mail: The mail, or its ``(folder, id)``.
            to: The folder.

        Returns:
            Where it is now: ``folder_id`` and ``id``.
        """
        folder, number = locate_mail(mail)
        body: Any = {"folder_id": _check_folder(to)}
        prepared = generated_operation(self, GeneratedMail.update).prepare(body, folder=folder, id=number)

        def on_response(envelope: Any) -> None:
            data = envelope.data if isinstance(envelope.data, Mapping) else {}
            update_location(mail, str(data.get("folder_id") or to), data.get("id"))

        return attrs.evolve(prepared, on_response=on_response)

    @custom_operation
    def copy(  # pyright: ignore[reportIncompatibleVariableOverride] - it takes more
        self,
        record: MailRef | MailDestinationBody | MailDestinationBodyFields,
        body: MailDestinationBody | MailDestinationBodyFields | None = None,
        /,
        *,
        to: str | None = None,
        id: str | None = None,
        folder: str | None = None,
    ) -> PreparedCall[MailDestinationData]:
        """Copy a mail to another folder: ``copy(mail, to="default0/Archive")``.

        Args:
            record: The mail, or its ``(folder, id)``; or the body, with ``id=`` and ``folder=``.
            body: The body as the document has it: ``{"folder_id": …}``.
            to: The folder, in place of a body.
            id: The mail's ID, where no mail is given.
            folder: The folder where the mail is.

        Returns:
            Where the copy is: ``folder_id`` and ``id``.
        """
        positional: Any = (record, body)
        if to is not None:
            if body is not None or id is not None or folder is not None:
                raise InvalidArgument("mail.copy: give a mail and to=, and nothing else")
            (folder, id), positional = locate_mail(record), ({"folder_id": _check_folder(to)},)
        return generated_operation(self, GeneratedMail.copy).prepare(*positional, id=id, folder=folder)

    async def move_many(self, mails: Iterable[MailRef], /, *, to: str) -> list[MailDestinationData]:
        """Move mails to another folder, in as few requests as it takes.

        Args:
            mails: The mails, or their ``(folder, id)``; records are brought up to date.
            to: The folder.

        Returns:
            Where they are now, in their order.

        Raises:
            MultipleFailed: Some were not moved; ``.results`` has all results and errors in order.
        """
        calls = [self.move.prepare(mail, to=to) for mail, _, _ in locate_mails(mails)]
        return await call_all(self._caller, calls)

    async def copy_many(self, mails: Iterable[MailRef], /, *, to: str) -> list[MailDestinationData]:
        """Copy mails to another folder; see ``move_many``."""
        calls = [self.copy.prepare(mail, to=to) for mail, _, _ in locate_mails(mails)]
        return await call_all(self._caller, calls)

    async def flags(
        self,
        mails: MailRef | Iterable[MailRef],
        /,
        *,
        set_flags: int = 0,
        clear_flags: int = 0,
        set_user_flags: Iterable[str] = (),
        clear_user_flags: Iterable[str] = (),
        color_label: int | None = None,
    ) -> None:
        """Set and clear flags of mails: ``flags(mail, set_flags=MailFlag.FLAGGED, clear_flags=MailFlag.SEEN)``.

        Args:
            mails: One or several mails, or their ``(folder, id)``; records are brought up to date.
            set_flags: System flags to set.
            clear_flags: System flags to clear.
            set_user_flags: Flags of the user's own to set.
            clear_user_flags: Flags of the user's own to clear.
            color_label: The colour, from 0 (none) to 10.

        Raises:
            InvalidArgument: Nothing is to be changed, or something is to be set and cleared.
            MultipleFailed: Some were not changed; ``.results`` has all results and errors in order.
        """
        body = build_flag_changes(set_flags, clear_flags, set_user_flags, clear_user_flags, color_label)
        await call_all(
            self._caller, [self._prepare_flags(location, body) for location in locate_mails(mails)]
        )

    def _prepare_flags(
        self, location: tuple[Any, str, str], body: Mapping[str, Any]
    ) -> PreparedCall[MailDestinationData]:
        mail, folder, number = location
        changes: Any = body
        prepared = generated_operation(self, GeneratedMail.update).prepare(changes, folder=folder, id=number)
        return attrs.evolve(_allow_repeats(prepared), on_response=lambda envelope: update_flags(mail, body))

    async def mark_seen(self, mails: MailRef | Iterable[MailRef], /, *, seen: bool = True) -> None:
        """Mark mails as read, or as not read. A whole folder is marked by ``all_seen``.

        Args:
            mails: One or several mails, or their ``(folder, id)``; records are brought up to date.
            seen: Whether they were read.
        """
        on, off = (MailFlag.SEEN, 0) if seen else (0, MailFlag.SEEN)
        await self.flags(mails, set_flags=on, clear_flags=off)

    # -- sending -----------------------------------------------------------------------------------

    async def send(
        self,
        message: Outgoing | None = None,
        /,
        *,
        to: Addresses | None = None,
        cc: Addresses | None = None,
        bcc: Addresses | None = None,
        sender: Addresses | None = None,
        reply_to: Addresses | None = None,
        subject: str = "",
        text: str | None = None,
        html: str | None = None,
        attachments: Sequence[Upload | UploadSource] = (),
        headers: Mapping[str, str] | None = None,
        on_progress: Progress | None = None,
    ) -> MailDestinationData:
        """Send a mail: one that is complete, or one that is made of the arguments.

        ::

            await ox.mail.send(message)  # an email.message.EmailMessage
            await ox.mail.send(to="max@example.com", subject="Report", text="Here it is.", attachments=[Path("report.pdf")])

        Attachments are read while they are sent. It is never sent twice: a failure after which nobody knows whether
        it was sent is an ``OutcomeUnknown``.

        Args:
            message: A complete mail: an ``EmailMessage``, its bytes, or the path of a file with them.
            to: Recipients: ``"Jane Doe <jane@example.com>"``, or a list of such and of pairs (name, address).
            cc: Recipients of copies.
            bcc: Recipients of copies whom nobody else sees.
            sender: Whom it is from; the user's own address if left out.
            reply_to: Whom to answer.
            subject: The subject.
            text: The plain text.
            html: The same as a web page.
            attachments: Files: paths, bytes, asynchronous iterators, or an ``Upload`` to say name and type.
            headers: More headers.
            on_progress: Called with the bytes sent and the bytes in all.

        Returns:
            Where the copy of what was sent is.

        Raises:
            InvalidArgument: There is no recipient, or something can't stand in a mail; nothing was sent.
        """
        people = {"to": to, "cc": cc, "bcc": bcc, "sender": sender, "reply_to": reply_to}
        content = (subject or None, text, html, attachments or None, headers)
        if message is not None:
            if any(part is not None for part in (*people.values(), *content)):
                raise InvalidArgument("mail.send takes a complete mail, or the parts of one, not both")
            return await self.new_raw(_make_upload(message, on_progress, to_send=True))
        if sender is None:
            people["sender"] = await fetch_own_address(self._caller)
        draft = compose_message(
            **people, subject=subject, text=text, html=html, attachments=attachments, headers=headers
        )
        return await self.new_raw(await make_upload(draft, on_progress=on_progress))

    async def store(
        self,
        message: Outgoing,
        /,
        *,
        folder: str,
        flags: int = 0,
        on_progress: Progress | None = None,
    ) -> MailDestinationData:
        """Put a complete mail into a folder, without sending it.

        Args:
            message: An ``EmailMessage``, its bytes, or the path of a file with them.
            folder: The folder.
            flags: The flags it has there, such as ``MailFlag.SEEN``.
            on_progress: Called with the bytes sent and the bytes in all.

        Returns:
            Where it is: ``folder_id`` and ``id``.
        """
        mask = str(check_flags(flags, "flags")) if flags else None
        return await self.new_raw(
            _make_upload(message, on_progress, to_send=False), folder=_check_folder(folder), flags=mask
        )


def _make_upload(message: Any, on_progress: Progress | None, *, to_send: bool) -> Upload:
    if isinstance(message, Message):
        message = encode_message(message, to_send=to_send)
    upload = Upload.of(message)
    return upload if on_progress is None else attrs.evolve(upload, on_progress=on_progress)


def _check_folder(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidArgument(
            f"a folder is named by its ID, such as 'default0/INBOX', not by {quote_value(value)}"
        )
    return value


def _allow_repeats(prepared: PreparedCall[Any]) -> PreparedCall[Any]:
    """Mark a change of flags as one that may be repeated: flags that are set twice are set."""
    return attrs.evolve(prepared, spec=attrs.evolve(prepared.spec, safety=Safety.REPEATABLE))


def _check_scope(names_one: bool, whole_folder: bool, *, moves: bool) -> None:
    if whole_folder and names_one:
        raise InvalidArgument("mail.update: whole_folder=True means all mails, and one of them is named")
    if whole_folder and moves:
        raise InvalidArgument("mail.update can't move all mails of a folder: use mail.move_all")
    if not whole_folder and not names_one:
        raise InvalidArgument(
            "mail.update names no mail, and the server would change ALL mails of the folder: give the mail "
            "(with its id) or id=, or say whole_folder=True if you mean it"
        )
