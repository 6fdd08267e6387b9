"""Renewals of tokens in files: room is made before a refresh token is spent, and what a crash leaves says so.

The problem: between the moment at which a server takes a refresh token and that at which its successor is on the disk,
the sign-in hangs by a thread. A disk that is full, a folder that can't be written, or a crash in between costs the
user a new sign-in, and the next program sees only that its token is refused.

The idea: before the refresh token is sent, a *draft* is written beside the file, as large as the file will be. If
that fails, nothing was spent. What stands in the draft is the *mark*: which program began to renew which tokens,
when, and what to do if the mark is still there. Then the tokens are written over it, and it takes the place of the
file. So a mark that stays is one of a program that ended in between; and tokens that stay, whole, are put in place by
the next one that would renew them.
"""

from __future__ import annotations

import datetime
import json
import os
import socket
from pathlib import Path
from typing import Final

from ...errors import ConfigurationError
from ...secrets import Secret
from .private_files import read_private, replace_private, reserve_private

__all__ = ["describe_renewal", "explain_mark", "is_newer", "read_leftover", "release", "reserve"]

_ROOM: Final = 8 * 1024
"""How much larger than the file the draft is: new tokens may be longer."""
_FIRST_WORDS: Final = "zeyos-async began to renew tokens"
_LAST_WORDS: Final = (
    "but did not save the new ones: the refresh token may be spent by that, and a new sign-in needed"
)
_ADVICE: Final = (
    "If that program does not run any more and this file is still here, it ended after it had used the refresh\n"
    "token and before the new tokens were saved. Sign in again; this file may be deleted.\n"
)


def reserve(file: Path, draft: Path) -> str:
    """Make room for the next version of a file, and return the mark that an earlier renewal left, or ``""``.

    Call it with the locks of the renewal and of the file held.

    Raises:
        ConfigurationError: There is no room, or the file can't be replaced.
    """
    if os.path.ismount(file):  # as of a container: it can be written to, but nothing can take its place
        raise ConfigurationError(
            f"{file} is mounted by itself, so that it can't be replaced as a whole. Mount its folder in place of it."
        )
    mark = _read_mark(draft)
    try:
        size = file.stat().st_size
    except OSError:
        size = 0
    reserve_private(draft, Secret(f"{describe_renewal(str(file))}\n{_ADVICE}"), size + _ROOM)
    return mark


def _read_mark(draft: Path) -> str:
    """Return what the mark in a draft says, in a sentence; ``""`` if there is none."""
    try:
        text = read_private(draft, strict=False)
    except ConfigurationError:
        text = None
    if text is None:
        return ""
    line = text.reveal().partition("\n")[0]
    if not line.startswith(_FIRST_WORDS):  # it holds tokens, or a part of them
        return f"{_FIRST_WORDS}, wrote them to {draft}, {_LAST_WORDS}"
    return explain_mark(line)


def read_leftover(draft: Path) -> Secret | None:
    """Return the whole text for a file that a program had written when it ended, before it took the file's place.

    Call it with the lock of the file held, or that of the renewal: else the program may be at it just now.
    """
    try:
        text = read_private(draft)
    except ConfigurationError:
        return None
    if text is None:
        return None
    try:
        # What follows it is the rest of the mark, and of the room.
        _, end = json.JSONDecoder().raw_decode(text.reveal())
    except (ValueError, RecursionError):  # the mark, or a part of the tokens
        return None
    return Secret(text.reveal()[:end])


def is_newer(draft: Path, file: Path) -> bool:
    """Return whether nobody has written a file since its draft was written."""
    try:
        return draft.stat().st_mtime_ns >= file.stat().st_mtime_ns
    except OSError:
        return not file.exists()


def explain_mark(line: str) -> str:
    """Return what the line of a mark means for whoever finds it; ``""`` for none."""
    return line if not line or _LAST_WORDS in line else f"{line.rstrip('.')}, {_LAST_WORDS}"


def describe_renewal(where: str) -> str:
    """Return the line of a mark: which program began to renew tokens, where and when."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return f"{_FIRST_WORDS} in {where} at {now}, as process {os.getpid()} on {socket.gethostname()}."


def release(file: Path, draft: Path, mark: str) -> None:
    """Give the room back, as nothing was spent; the mark of an earlier renewal stays."""
    if not mark:
        draft.unlink(missing_ok=True)
        return
    replace_private(draft, Secret(f"{mark}\n"))
