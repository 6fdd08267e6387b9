"""What all mail actions share: whose mail it is, which folder, which messages, in which order."""

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
from .rendering import mail_row
from .store import DELETED, Mail, MailStore

__all__ = [
    "DRAFTS", "INBOX", "SENT", "SPAM", "STANDARD_FOLDERS", "TRASH", "VIRTUAL_ALL", "Columns",
    "check_folder", "given_mail", "listed", "mailbox", "mails_in", "shifted", "zipped",
]  # fmt: skip

INBOX: Final = "default0/INBOX"
DRAFTS: Final = "default0/Drafts"
SENT: Final = "default0/Sent"
SPAM: Final = "default0/Spam"
TRASH: Final = "default0/Trash"
VIRTUAL_ALL: Final = "default0/virtual/all"
STANDARD_FOLDERS: Final = (INBOX, DRAFTS, SENT, SPAM, TRASH)

_MODEL: Final = RowModel("Detailed mail data")
_TEXT_SORTED: Final = frozenset({"from", "to", "cc", "bcc", "sender", "reply_to"})


def mailbox(state: ServerState, user: OxUser) -> MailStore:
    """The mail of a user; made when it is first asked for."""
    return state.module_state(_make, user)


def _make(state: ServerState, user: OxUser) -> MailStore:
    return MailStore(lambda: int(state.clock.now() * 1000))


def check_folder(call: OxCall, folder: str) -> str:
    """A folder's identifier, if there is such a mail folder.

    Raises:
        OxError: There is none.
    """
    if folder != VIRTUAL_ALL and find_visible_folder(call, folder)["module"] != "mail":
        raise not_found("IMAP-1002", f"mail folder {folder}")
    return folder


def mails_in(call: OxCall, folder: str) -> list[Mail]:
    """The messages of a folder, or of all folders in the virtual one."""
    box = mailbox(call.state, call.user)
    if check_folder(call, folder) == VIRTUAL_ALL:
        return box.all_mails()
    return box.mails(folder)


def given_mail(call: OxCall, folder: str, key: str = "", *, message_id: str = "") -> Mail:
    """The message that a request means.

    Raises:
        OxError: There is none (``MSG-0032``), or it says neither id nor message id.
    """
    box = mailbox(call.state, call.user)
    if not key and not message_id:
        raise missing_value("id")
    if check_folder(call, folder) == VIRTUAL_ALL:
        folder, _, key = key.rpartition("/")
    found = box.find(folder, key) if key else box.find_by_message_id(folder, message_id)
    if found is None:
        raise not_found("MSG-0032", f"mail {key or message_id} in folder {folder}")
    return found


class Columns:
    """The columns that a mail request asks for: numbers, and names of headers.

    Args:
        call: With ``columns`` and maybe ``headers``.
    """

    def __init__(self, call: OxCall) -> None:
        self._shift = call.shift
        self._wanted: list[RowColumn | str] = [
            _column(part) for part in call.text_param("columns").split(",") if part
        ]
        self._wanted += [part for part in call.text_param("headers").split(",") if part]

    @property
    def fields(self) -> list[str]:
        """The names of the columns, without headers."""
        return [one.name for one in self._wanted if isinstance(one, RowColumn)]

    def cells(self, mail: Mail, folder: str = "") -> list[Any]:
        """One message as an array; in the virtual folder under the identifiers it has there."""
        row = mail_row(mail)
        if folder == VIRTUAL_ALL:
            row |= {"id": f"{mail.folder}/{mail.id}", "folder_id": folder}
        return [
            mail.head.text(one) if isinstance(one, str) else _MODEL.cell_value(one, row, self._shift)
            for one in self._wanted
        ]

    def object(self, mail: Mail) -> dict[str, Any]:
        """One message as an object with these fields."""
        row = mail_row(mail)
        made = {
            one.name: _MODEL.cell_value(one, row, self._shift)
            for one in self._wanted
            if isinstance(one, RowColumn)
        }
        return {name: value for name, value in made.items() if value is not None}


def _column(text: str) -> RowColumn | str:
    text = text.strip()
    return _MODEL.find_column(text) if text.isascii() and text.isdigit() else text


def shifted(call: OxCall, made: Mapping[str, Any]) -> dict[str, Any]:
    """A whole message with its times as the call wants them."""
    times = {name: call.shift.to_wire(made[name]) for name in ("sent_date", "received_date") if name in made}
    nested = [shifted(call, inner) for inner in made.get("nested_msgs", ())]
    return {**made, **times, **({"nested_msgs": nested} if nested else {})}


def listed(call: OxCall, mails: Sequence[Mail]) -> list[Mail]:
    """Messages filtered and sorted as the parameters say.

    Raises:
        OxError: ``sort`` came without ``order``, or the other way round.
    """
    found = list(mails)
    if call.flag_param("unseen"):
        found = [mail for mail in found if not mail.seen]
    if not call.flag_param("deleted", default=True):
        found = [mail for mail in found if not mail.flags & DELETED]
    if wanted := call.text_param("categoryid"):
        found = [mail for mail in found if (mail.category or "general") == wanted]
    sort, down = read_sort(call)
    return sorted(found, key=_key(sort), reverse=down) if sort else found


def _key(sort: str) -> Callable[[Mail], tuple[Any, ...]]:
    name = "received_date" if sort == "thread" else _MODEL.find_column(sort).name

    def key(mail: Mail) -> tuple[Any, ...]:
        value = mail_row(mail)[name]
        if name in _TEXT_SORTED:
            value = str((value or [["", ""]])[0][0] or (value or [["", ""]])[0][1]).casefold()
        elif isinstance(value, str):
            value = value.casefold()
        return (value is not None, value if value is not None else 0, int(mail.id))

    return key


def zipped(files: Iterable[tuple[str, bytes]], filename: str) -> Answer:
    """Files as a ZIP archive; names that occur twice get a number."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        taken: set[str] = set()
        for name, content in files:
            name = _free(name.replace("/", "_"), taken)
            taken.add(name)
            archive.writestr(zipfile.ZipInfo(name), content)
    headers = {
        "Content-Type": "application/zip",
        "Content-Disposition": f'attachment; filename="{filename}"',
    }
    return Answer(headers=headers, body=made.getvalue())


def _free(name: str, taken: set[str]) -> str:
    stem, dot, ending = name.rpartition(".")
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{stem} ({number}){dot}{ending}" if dot else f"{name} ({number})"
    return free
