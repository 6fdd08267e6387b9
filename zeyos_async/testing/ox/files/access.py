"""What all drive actions share: whose files, which folder, and files as answers."""

from __future__ import annotations

import mimetypes
import re
from typing import Any, Final
from urllib.parse import quote

from ...answers import Answer
from ..folder_tree import find_usable_folder
from ..handlers import OxCall
from ..state import OxUser, ServerState
from .store import DriveStore, Item

__all__ = ["check_folder", "drive", "file_answer", "free_name", "guess_type", "save_file"]

_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")
_UNSAFE: Final = re.compile(r'[^ -~]|["\\]')


def drive(state: ServerState) -> DriveStore:
    """The files of all users; made when it is first asked for."""
    return state.module_state(_make, next(iter(state.users.values())))


def _make(state: ServerState, user: OxUser) -> DriveStore:
    return DriveStore(state.next_stamp, lambda: int(state.clock.now() * 1000))


def check_folder(call: OxCall, folder: Any, *, right: str = "read") -> str:
    """A folder's identifier, if there is such a folder and the user has a right in it.

    Raises:
        OxError: There is none, or no right.
    """
    return str(find_usable_folder(call, folder, "infostore", right=right)["id"])


def guess_type(filename: str) -> str:
    """The MIME type that a name suggests."""
    return mimetypes.guess_type(filename)[0] or "application/octet-stream"


def free_name(store: DriveStore, folder: str, filename: str) -> str:
    """The name, with a number where the folder has it already: nothing replaces a file."""
    stem, dot, ending = filename.rpartition(".")
    free, number = filename, 0
    while store.named(folder, free) is not None:
        number += 1
        free = f"{stem} ({number}){dot}{ending}" if dot else f"{filename} ({number})"
    return free


def save_file(
    call: OxCall, folder: str, filename: str, content: bytes, mimetype: str = "", *, title: str = ""
) -> Item:
    """Store a file under a name that the folder has not yet."""
    store = drive(call.state)
    free = free_name(store, folder, filename)
    item = store.insert(folder, {"title": title or free}, by=call.user.id)
    store.add_version(item, content, filename=free, mimetype=mimetype or guess_type(free))
    return item


def file_answer(
    call: OxCall, content: bytes, *, filename: str, mimetype: str, etag: str, download: bool = False
) -> Answer:
    """A file as an answer: all of it, a range of it, or 304 where the client has it."""
    plain = _UNSAFE.sub("_", filename)
    disposition = "attachment" if download else "inline"
    headers = {
        "Content-Type": "application/octet-stream" if download else mimetype,
        "Content-Disposition": f"{disposition}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename)}",
        "ETag": f'"{etag}"',
        "Accept-Ranges": "bytes",
    }
    asked = call.request.headers
    if etag and etag in asked.get("If-None-Match", ""):
        return Answer(status=304, headers={"ETag": headers["ETag"]})
    found = _RANGE.fullmatch(asked.get("Range", "").strip())
    if found is None or found.groups() == ("", "") or asked.get("If-Range", f'"{etag}"') != f'"{etag}"':
        return Answer(headers=headers, body=content)
    return _partial(content, found[1], found[2], headers)


def _partial(content: bytes, first: str, last: str, headers: dict[str, str]) -> Answer:
    size = len(content)
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last), size - 1) if first and last else size - 1
    if start >= size or end < start:
        return Answer(status=416, headers={"Content-Range": f"bytes */{size}"})
    span = {"Content-Range": f"bytes {start}-{end}/{size}"}
    return Answer(status=206, headers=headers | span, body=content[start : end + 1])
