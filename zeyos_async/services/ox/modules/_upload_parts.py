"""Uploads of large files part by part, which continue where a part failed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ....errors import InvalidArgument, OutcomeUnknown, quote_value
from ....forms import Upload
from ....forms.sources import PIECE, in_thread

if TYPE_CHECKING:
    from ....forms import Progress
    from .._generated.infostore import Infostore

__all__ = ["upload_in_parts"]

_MAX_FAILURES: Final = 3
"""Failures in a row of one part."""


async def upload_in_parts(
    infostore: Infostore,
    path: Path,
    *,
    folder: str,
    filename: str | None,
    part: int,
    on_progress: Progress | None,
) -> str:
    """Upload a file part by part; see ``Infostore.upload_in_parts``."""
    if isinstance(part, bool) or not isinstance(part, int) or part < 1:
        raise InvalidArgument(f"part= is a number of bytes from 1 on, not {quote_value(part)}")
    total = await Upload(path).measure() or 0
    name = filename or path.name
    stop = min(part, total)
    result = await infostore.upload.result(
        _make_part(path, 0, stop), folder=folder, filename=name, file_size=total
    )
    number, stamp, done, failures = result.data, result.timestamp, stop, 0
    while done < total:
        _report_progress(on_progress, done, total)
        stop = min(done + part, total)
        try:
            result = await infostore.upload.result(
                _make_part(path, done, stop),
                folder=folder,
                filename=name,
                id=number,
                offset=done,
                file_size=total,
                timestamp=stamp,
            )
        except OutcomeUnknown:
            failures += 1
            if failures == _MAX_FAILURES:
                raise
            # The part may have been stored all the same. Only the size on the server tells where to go on.
            stored = await infostore.get(id=number, folder=folder)
            done, stamp = stored.file_size or 0, stored.timestamp or stored.last_modified
        else:
            number, stamp, done, failures = result.data, result.timestamp or stamp, stop, 0
    _report_progress(on_progress, total, total)
    return number


def _report_progress(on_progress: Progress | None, done: int, total: int) -> None:
    if on_progress is not None:
        on_progress(done, total)


def _make_part(path: Path, start: int, stop: int) -> Upload:
    async def pieces() -> AsyncGenerator[bytes, None]:
        for position in range(start, stop, PIECE):
            yield await in_thread(partial(_read_bytes, path, position, min(PIECE, stop - position)))

    return Upload(pieces, filename=path.name, size=stop - start)


def _read_bytes(path: Path, start: int, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(start)
            data = file.read(size)
    except OSError as error:
        raise InvalidArgument(f"{path} can't be read: {error.strerror or error}") from error
    if len(data) != size:
        raise InvalidArgument(f"{path} became shorter while it was being uploaded")
    return data
