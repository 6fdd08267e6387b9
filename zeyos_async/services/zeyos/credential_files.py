"""Reading the vendor's files of credentials: which files are believed, and what to do with half of one.

The problem: a file that is found by walking up from the current folder may be anybody's. ``/tmp/.zeyos/auth.json``, or one
in a folder that a group shares, would say where the user's secrets go, and as whom the user works.

The idea: such a file counts only if nobody but the user (or root) could have written it: the file, its folder, and
what either of them is a link to. Many systems give each user a group of the same number and let it write; that group
is the user. What fails is an error and is never passed over, as the next file would be for another instance.
``ZEYOS_TRUST`` lists files and folders that are believed all the same.

The vendor's tool writes in place, so that a reader can meet half a file, or an empty one. It is read again for half a
second before it counts as damaged. This blocks, in that case only.
"""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from ...auth.origins import READONLY, is_set
from ...auth.stores.private_files import read_private, real_path, unusable_file
from ...errors import ConfigurationError
from ...secrets import Secret

__all__ = [
    "PROJECT_FOLDER",
    "check_writable",
    "current_folder",
    "files_upwards",
    "read_found_object",
    "read_object",
    "read_pin",
]

PROJECT_FOLDER: Final = ".zeyos"
_NAMES: Final = ("profile", "auth.json")  # in one folder, the pin comes first
_MAX_PARENTS: Final = 20
_PATIENCE: Final = 0.5
_PAUSE: Final = 0.02
_POSIX: Final = os.name == "posix"
_Check = Callable[[os.stat_result], None]


def current_folder() -> Path:
    """Return the current folder.

    Raises:
        ConfigurationError: It was removed, so that it can't be told which files are above it.
    """
    try:
        return Path.cwd()
    except OSError as error:
        raise ConfigurationError(
            f"The current folder can't be found ({error.strerror}), so that it can't be told which credentials count "
            "there. Change to another one, or name a profile"
        ) from None


def files_upwards(folder: Path) -> Iterator[Path]:
    """Yield the pins and the sets of a folder and of those above it, the closest first.

    Raises:
        ConfigurationError: It can't be told whether there is one.
    """
    for parent in (folder, *folder.parents)[:_MAX_PARENTS]:
        for name in _NAMES:
            path = parent / PROJECT_FOLDER / name
            if _is_there(path):
                yield path


def _is_there(path: Path) -> bool:
    try:
        path.lstat()  # a link that leads nowhere is there, too
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise unusable_file(path, "read", error) from None
    return True


def read_found_object(path: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """Read a JSON object from a file that was found by walking up.

    Raises:
        ConfigurationError: Others could have written it, or it holds something else.
    """
    return _require_object(path, _check_found(path, environ))


def read_pin(path: Path, environ: Mapping[str, str]) -> str:
    """Read the name in a pin that was found by walking up; ``""`` if there is none in it.

    Raises:
        ConfigurationError: Others could have written it, or it can't be read.
    """
    check = _check_found(path, environ)
    return _read_until(path, check, lambda text: text.reveal().removeprefix("\ufeff").strip() or None) or ""


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file whose place the user chose; ``{}`` if there is no such file.

    Raises:
        ConfigurationError: It holds something else.
    """
    return _require_object(path, None) if _is_there(path) else {}


def check_writable(path: Path) -> None:
    """Refuse to write credentials where ``ZEYOS_CREDENTIALS_READONLY`` forbids that.

    Raises:
        ConfigurationError: It does.
    """
    if is_set(os.environ, READONLY):
        raise ConfigurationError(
            f"{READONLY} is set, so that {path} is left as it is. Unset it to change what is signed in"
        )


def _require_object(path: Path, check: _Check | None) -> dict[str, Any]:
    values: dict[str, Any] | None = _read_until(path, check, _parse_object)
    if values is None:
        raise ConfigurationError(f"{path} holds no JSON object, as it should. Move it away to begin anew.")
    return values


def _read_until(path: Path, check: _Check | None, parse: Callable[[Secret], Any]) -> Any:
    """Return what a file is parsed to; ``None`` if it still is nothing after half a second."""
    end = time.monotonic() + _PATIENCE
    while True:
        text = read_private(path, strict=False, check=check)
        value = None if text is None else parse(text)
        if value is not None or time.monotonic() >= end:
            return value
        time.sleep(_PAUSE)


def _parse_object(text: Secret) -> dict[str, Any] | None:
    try:
        values = json.loads(text.reveal().removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def _check_found(path: Path, environ: Mapping[str, str]) -> _Check | None:
    """Refuse what others could have written; returns the check for the opened file itself.

    Raises:
        ConfigurationError: They could.
    """
    if not _POSIX or _is_trusted(path, environ):
        return None
    try:
        target = real_path(path)
        for place in dict.fromkeys((path.parent, path, real_path(path.parent), target.parent)):
            _check_place(path, place, place.lstat())
    except OSError as error:
        raise unusable_file(path, "read", error) from None
    # By the descriptor and not by name: what was looked at above may be another file by the time it is opened.
    return partial(_check_place, path, target)


def _check_place(path: Path, place: Path, status: os.stat_result) -> None:
    user = os.geteuid()
    if status.st_uid not in (user, 0):
        reason = f"{place} belongs to another user (number {status.st_uid})"
        remedy = f"Make it yours, with: sudo chown {user} {place} && chmod go-w {place}"
    elif not stat.S_ISLNK(status.st_mode) and _others_write(status, user):
        reason = f"{place} may be written by others (mode {stat.S_IMODE(status.st_mode):04o})"
        remedy = f"Change that, with: chmod go-w {place}"
    else:
        return
    context = "" if place == path else f", and {path} was found there"
    raise ConfigurationError(
        f"{reason}{context}: whoever did could have your credentials sent elsewhere. {remedy}; or, if you trust them, set "
        f"ZEYOS_TRUST={path}"
    )


def _others_write(status: os.stat_result, user: int) -> bool:
    by_group = bool(status.st_mode & stat.S_IWGRP) and status.st_gid != user
    return by_group or bool(status.st_mode & stat.S_IWOTH)


def _is_trusted(path: Path, environ: Mapping[str, str]) -> bool:
    """Return whether ``ZEYOS_TRUST`` names the file, or a folder that it is in."""
    texts = environ.get("ZEYOS_TRUST", "").split(os.pathsep)
    places = [Path(os.path.expanduser(text.strip())) for text in texts]
    # A relative path would trust whatever folder one happens to stand in.
    trusted = [place for place in places if place.is_absolute()]
    names = (path, real_path(path))
    forms = [form for place in trusted for form in (place, real_path(place))]
    return any(name.is_relative_to(form) for form in forms for name in names)
