"""Mailboxes, folders, columns and order: the parts that all mail actions share."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from ...answers import Answer
from ..columns import RowColumn, RowModel
from ..folder_objects import read_sort
from ..folder_tree import find_visible_folder
from ..handlers import OxCall
from ..refusals import missing_value, not_found
from ..state import OxUser, ServerState
from .rendering import build_mail_row
from .store import DELETED, MailStore, StoredMail

__all__ = [
    "DRAFTS",
    "INBOX",
    "SENT",
    "SPAM",
    "STANDARD_FOLDERS",
    "TRASH",
    "VIRTUAL_ALL",
    "MailColumns",
    "arrange_mails",
    "build_zip",
    "check_mail_folder",
    "find_mail",
    "list_mails",
    "mailbox_of",
    "shift_times",
]  # fmt: skip

INBOX: Final = "default0/INBOX"
DRAFTS: Final = "default0/Drafts"
SENT: Final = "default0/Sent"
SPAM: Final = "default0/Spam"
TRASH: Final = "default0/Trash"
VIRTUAL_ALL: Final = "default0/virtual/all"
STANDARD_FOLDERS: Final = (INBOX, DRAFTS, SENT, SPAM, TRASH)

_MODEL: Final = RowModel("Detailed mail data")
_ADDRESS_COLUMNS: Final = frozenset({"from", "to", "cc", "bcc", "sender", "reply_to"})


def mailbox_of(state: ServerState, user: OxUser) -> MailStore:
    """Return the mailbox of a user, and create it on its first use."""
    return state.module_state(_create_mailbox, user)


def _create_mailbox(state: ServerState, user: OxUser) -> MailStore:
    return MailStore(lambda: int(state.clock.now() * 1000))


def check_mail_folder(call: OxCall, folder: str) -> str:
    """Return a folder's identifier, if there is such a mail folder.

    Raises:
        OxError: There is none.
    """
    # The virtual folder is in no tree of folders.
    if folder != VIRTUAL_ALL and find_visible_folder(call, folder)["module"] != "mail":
        raise not_found("IMAP-1002", f"mail folder {folder}")
    return folder


def list_mails(call: OxCall, folder: str) -> list[StoredMail]:
    """Return the messages of a folder, or of all folders in the virtual one."""
    box = mailbox_of(call.state, call.user)
    if check_mail_folder(call, folder) == VIRTUAL_ALL:
        return box.all_mails()
    return box.mails(folder)


def find_mail(call: OxCall, folder: str, key: str = "", *, message_id: str = "") -> StoredMail:
    """Return the message that a request names.

    Raises:
        OxError: There is none (``MSG-0032``), or it says neither id nor message id.
    """
    box = mailbox_of(call.state, call.user)
    if not key and not message_id:
        raise missing_value("id")
    if check_mail_folder(call, folder) == VIRTUAL_ALL:
        # Ids of the virtual folder have the real folder in front.
        folder, _, key = key.rpartition("/")
    mail = box.find(folder, key) if key else box.find_by_message_id(folder, message_id)
    if mail is None:
        raise not_found("MSG-0032", f"mail {key or message_id} in folder {folder}")
    return mail


class MailColumns:
    """The columns that a mail request asks for: numbers, and names of headers.

    Args:
        call: With ``columns`` and maybe ``headers``.
    """

    def __init__(self, call: OxCall) -> None:
        self._shift = call.shift
        self._columns: list[RowColumn | str] = [
            _parse_column(part) for part in call.text_param("columns").split(",") if part
        ]
        self._columns += [part for part in call.text_param("headers").split(",") if part]

    @property
    def field_names(self) -> list[str]:
        """The names of the columns, without headers."""
        return [column.name for column in self._columns if isinstance(column, RowColumn)]

    def to_cells(self, mail: StoredMail, folder: str = "") -> list[Any]:
        """Return a message as an array; in the virtual folder under the identifiers it has there."""
        row = build_mail_row(mail)
        if folder == VIRTUAL_ALL:
            row |= {"id": f"{mail.folder}/{mail.id}", "folder_id": folder}
        return [
            mail.headers.text(column)
            if isinstance(column, str)
            else _MODEL.cell_value(column, row, self._shift)
            for column in self._columns
        ]

    def to_object(self, mail: StoredMail) -> dict[str, Any]:
        """Return a message as an object with these fields."""
        row = build_mail_row(mail)
        values = {
            column.name: _MODEL.cell_value(column, row, self._shift)
            for column in self._columns
            if isinstance(column, RowColumn)
        }
        return {name: value for name, value in values.items() if value is not None}


def _parse_column(text: str) -> RowColumn | str:
    text = text.strip()
    return _MODEL.find_column(text) if text.isascii() and text.isdigit() else text


def shift_times(call: OxCall, mail_object: Mapping[str, Any]) -> dict[str, Any]:
    """Return a whole message with its times in the zone of the call."""
    times = {
        name: call.shift.to_wire(mail_object[name])
        for name in ("sent_date", "received_date")
        if name in mail_object
    }
    nested = [shift_times(call, inner) for inner in mail_object.get("nested_msgs", ())]
    return {**mail_object, **times, **({"nested_msgs": nested} if nested else {})}


def arrange_mails(call: OxCall, mails: Sequence[StoredMail]) -> list[StoredMail]:
    """Filter and sort messages as the parameters say.

    Raises:
        OxError: ``sort`` came without ``order``, or the other way round.
    """
    arranged = list(mails)
    if call.flag_param("unseen"):
        arranged = [mail for mail in arranged if not mail.is_seen]
    if not call.flag_param("deleted", default=True):
        arranged = [mail for mail in arranged if not mail.flags & DELETED]
    if category := call.text_param("categoryid"):
        arranged = [mail for mail in arranged if (mail.category or "general") == category]
    sort, descending = read_sort(call)
    return sorted(arranged, key=_build_sort_key(sort), reverse=descending) if sort else arranged


def _build_sort_key(sort: str) -> Callable[[StoredMail], tuple[Any, ...]]:
    name = "received_date" if sort == "thread" else _MODEL.find_column(sort).name

    def key(mail: StoredMail) -> tuple[Any, ...]:
        value = build_mail_row(mail)[name]
        if name in _ADDRESS_COLUMNS:
            # By the first person's name, or by the address where there is no name.
            value = str((value or [["", ""]])[0][0] or (value or [["", ""]])[0][1]).casefold()
        elif isinstance(value, str):
            value = value.casefold()
        # Python can't compare ``None``; absent values come first, and ids decide between equal ones.
        return (value is not None, value if value is not None else 0, int(mail.id))

    return key


def build_zip(files: Iterable[tuple[str, bytes]], filename: str) -> Answer:
    """Build a ZIP archive of files; names that occur twice get a number."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        used_names: set[str] = set()
        for name, content in files:
            name = _find_free_name(name.replace("/", "_"), used_names)
            used_names.add(name)
            # ``ZipInfo`` has a fixed date: the same files give the same bytes.
            archive.writestr(zipfile.ZipInfo(name), content)
    headers = {
        "Content-Type": "application/zip",
        "Content-Disposition": f'attachment; filename="{filename}"',
    }
    return Answer(headers=headers, body=buffer.getvalue())


def _find_free_name(name: str, used_names: set[str]) -> str:
    stem, dot, ending = name.rpartition(".")
    free, number = name, 1
    while free in used_names:
        number += 1
        free = f"{stem} ({number}){dot}{ending}" if dot else f"{name} ({number})"
    return free
