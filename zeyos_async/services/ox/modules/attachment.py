"""``attachment``, by the object that has the attachments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ....errors import InvalidArgument, quote_value
from ....forms import Upload
from .._generated.attachment import Attachment as GeneratedAttachment
from ..operation import Download
from ..records import OxRecord
from ..rows import Rows

if TYPE_CHECKING:
    from ....forms import UploadSource
    from .._generated.records_contacts import ContactData
    from .._generated.records_files import AttachmentData, InfoItemData
    from .._generated.records_tasks import AppointmentData, TaskData

__all__ = ["Attachment"]

Owner: TypeAlias = "TaskData | ContactData | AppointmentData | InfoItemData"
"""An object that can have attachments of this module: a task, a contact, an appointment of the old calendar, a file."""

_MODULES: Final = {
    "AppointmentData": 1,
    "TaskData": 4,
    "ContactData": 7,
    "UserData": 7,
    "InfoItemData": 137,
}


class Attachment(GeneratedAttachment):
    """``attachment``: its operations, and the same by the object that has the attachments."""

    async def of(
        self, owner: Owner, /, *, columns: Sequence[str | int] | None = None
    ) -> Rows[AttachmentData]:
        """Return the attachments of a task, a contact, an appointment or a file.

        Args:
            owner: The object, as it was read.
            columns: What is read of the attachments.
        """
        return await self.all(**_owner_arguments(owner), columns=columns)

    async def add(self, owner: Owner, /, *files: Upload | UploadSource) -> Rows[str]:
        """Attach files to an object; its time stamp is brought up to date.

        Args:
            owner: The object, as it was read.
            *files: Paths, bytes, asynchronous iterators, or an ``Upload`` to say name and type.

        Returns:
            The IDs of the attachments, in their order.
        """
        if not files:
            raise InvalidArgument("attachment.add: name at least one file")
        names = _owner_arguments(owner)
        uploads = [Upload.of(file, filename=f"file_{number}") for number, file in enumerate(files)]
        bodies: Any = [{**names, "filename": upload.name} for upload in uploads]
        result = await self.attach.result(bodies, files=uploads)
        if result.timestamp is not None:
            setattr(owner, type(owner).__timestamp_name__, result.timestamp)
        return result.data

    def open(self, owner: Owner, attachment: AttachmentData | str | int, /) -> Download:
        """Return an attachment's content: ``async with ox.attachment.open(task, attachment) as file: …``.

        Args:
            owner: The object, as it was read.
            attachment: The attachment, or its ID.
        """
        return self.document(**_owner_arguments(owner), id=_check_id(attachment))

    async def remove(
        self,
        owner: Owner,
        attachments: AttachmentData | str | int | Iterable[AttachmentData | str | int],
        /,
    ) -> None:
        """Delete attachments of an object; its time stamp is brought up to date.

        Args:
            owner: The object, as it was read.
            attachments: One or several attachments, or their IDs.
        """
        is_single = isinstance(attachments, OxRecord | str | int)
        several: Any = [attachments] if is_single else attachments
        result = await self.detach.result([_check_id(item) for item in several], **_owner_arguments(owner))
        if result.timestamp is not None:
            setattr(owner, type(owner).__timestamp_name__, result.timestamp)


def _owner_arguments(owner: Any) -> Any:
    """Return the arguments that name an object to this module.

    Raises:
        InvalidArgument: It can't have attachments here, or lacks its ID or its folder.
    """
    module = _MODULES.get(type(owner).__name__)
    if module is None:
        raise InvalidArgument(_explain_refusal(owner))
    if not owner.id or not owner.folder_id:
        raise InvalidArgument(
            f"this {type(owner).__name__} has no id or no folder_id: ask for the columns, or get() it"
        )
    return {"attached": owner.id, "folder": owner.folder_id, "module": module}


def _explain_refusal(owner: Any) -> str:
    if type(owner).__name__ == "EventData":
        return "an event has its attachments in itself: see ox.chronos.update_with_attachments"
    if type(owner).__name__ in ("MailData", "MailConversationData"):
        return "a mail's attachments are part of it: see ox.mail.attachment"
    kinds = ", ".join(_MODULES)
    label = "a mapping" if isinstance(owner, Mapping) else f"{quote_value(owner)}"
    return f"attachments belong to a record that was read ({kinds}), not to {label}"


def _check_id(attachment: Any) -> str:
    number = getattr(attachment, "id", None) if isinstance(attachment, OxRecord) else attachment
    if isinstance(number, bool) or not isinstance(number, str | int) or number == "":
        raise InvalidArgument(f"an attachment is a record or an ID, not {quote_value(attachment)}")
    return str(number)
