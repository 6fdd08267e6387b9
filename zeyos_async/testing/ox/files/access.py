"""Files, folders and downloads: the parts that all drive actions share."""

from __future__ import annotations

import mimetypes
import re
from typing import Any, Final
from urllib.parse import quote

from ...answers import Answer
from ..folder_tree import find_usable_folder
from ..handlers import OxCall
from ..state import OxUser, ServerState
from .store import DriveItem, DriveStore

__all__ = ["answer_file", "check_drive_folder", "drive_of", "find_free_name", "guess_type", "save_file"]

_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")
_UNSAFE: Final = re.compile(r'[^ -~]|["\\]')


def drive_of(state: ServerState) -> DriveStore:
    """Return the files of all users, and create their store on its first use."""
    return state.module_state(_create_store, next(iter(state.users.values())))


def _create_store(state: ServerState, user: OxUser) -> DriveStore:
    return DriveStore(state.next_stamp, lambda: int(state.clock.now() * 1000))


def check_drive_folder(call: OxCall, folder: Any, *, right: str = "read") -> str:
    """Return a folder's identifier, if there is such a folder and the user has a right in it.

    Raises:
        OxError: There is none, or no right.
    """
    return str(find_usable_folder(call, folder, "infostore", right=right)["id"])


def guess_type(filename: str) -> str:
    """Return the MIME type that a name suggests."""
    return mimetypes.guess_type(filename)[0] or "application/octet-stream"


def find_free_name(store: DriveStore, folder: str, filename: str) -> str:
    """Return a name, with a number where the folder has it already: nothing replaces a file."""
    stem, dot, ending = filename.rpartition(".")
    candidate, number = filename, 0
    while store.find_by_name(folder, candidate) is not None:
        number += 1
        candidate = f"{stem} ({number}){dot}{ending}" if dot else f"{filename} ({number})"
    return candidate


def save_file(
    call: OxCall, folder: str, filename: str, content: bytes, mimetype: str = "", *, title: str = ""
) -> DriveItem:
    """Store a file under a name that the folder has not yet."""
    store = drive_of(call.state)
    free = find_free_name(store, folder, filename)
    item = store.insert(folder, {"title": title or free}, by=call.user.id)
    store.add_version(item, content, filename=free, mimetype=mimetype or guess_type(free))
    return item


def answer_file(
    call: OxCall, content: bytes, *, filename: str, mimetype: str, etag: str, download: bool = False
) -> Answer:
    """Answer with a file: all of it, a range of it, or 304 where the client has it."""
    # Old clients read ``filename`` only, which has no escapes that all of them understand.
    plain = _UNSAFE.sub("_", filename)
    disposition = "attachment" if download else "inline"
    headers = {
        "Content-Type": "application/octet-stream" if download else mimetype,
        "Content-Disposition": f"{disposition}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename)}",
        "ETag": f'"{etag}"',
        "Accept-Ranges": "bytes",
    }
    request_headers = call.request.headers
    if etag and etag in request_headers.get("If-None-Match", ""):
        return Answer(status=304, headers={"ETag": headers["ETag"]})
    match = _RANGE.fullmatch(request_headers.get("Range", "").strip())
    if (
        match is None
        or match.groups() == ("", "")
        or request_headers.get("If-Range", f'"{etag}"') != f'"{etag}"'
    ):
        return Answer(headers=headers, body=content)
    return _answer_range(content, match[1], match[2], headers)


def _answer_range(content: bytes, first: str, last: str, headers: dict[str, str]) -> Answer:
    size = len(content)
    # Without a first byte, the number counts from the end.
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last), size - 1) if first and last else size - 1
    if start >= size or end < start:
        return Answer(status=416, headers={"Content-Range": f"bytes */{size}"})
    span = {"Content-Range": f"bytes {start}-{end}/{size}"}
    return Answer(status=206, headers=headers | span, body=content[start : end + 1])
