"""Downloads go on under the same strong validator, total and end only; what came is counted; parts are private files."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from zeyos_async.errors import ResponseTruncated, ServerError, TransportError, ZeyosAsyncError
from zeyos_async.services.ox.files.saving import FileTarget

from .test_downloads import CONTENT, Serve, Wire, names_in, serving

BREAK = 40_000
LAST = len(CONTENT) - 1
TOTAL = len(CONTENT)
RIGHT = {"ETag": '"v1"', "Content_Range": f"bytes {BREAK}-{LAST}/{TOTAL}"}


def breaking(etag: str, **rest: Any) -> Serve:
    """A server whose first answer breaks off; ``rest`` is what it answers to a range."""

    async def handler(wire: Wire) -> None:
        if "range" in wire.headers:
            await wire.answer(**{"status": 206, "body": CONTENT[BREAK:], **rest})
        else:
            await wire.answer(cut=BREAK, ETag=etag)

    return handler


async def test_the_right_rest_is_taken() -> None:
    """What the table below changes one thing of."""
    async with serving(breaking('"v1"', **RIGHT)) as site:
        assert await site.download() == CONTENT
        assert site.requests[1].headers["if-range"] == '"v1"'


@pytest.mark.parametrize(
    "change",
    [
        {"ETag": '"v2"'},
        {"ETag": 'W/"v1"'},
        {"ETag": ""},
        {"ETag": "v1"},
        {"Content_Range": f"bytes {BREAK}-{LAST}/*"},
        {"Content_Range": f"bytes {BREAK}-{LAST}/{TOTAL + 1}"},
        {"Content_Range": f"bytes {BREAK}-{LAST + 5}/{TOTAL + 6}"},
        {"Content_Range": f"bytes {BREAK}-{LAST - 5}/{TOTAL - 5}", "body": CONTENT[BREAK:-5]},
        {"Content_Range": f"bytes {BREAK}-{LAST - 5}/{TOTAL}", "body": CONTENT[BREAK:-5]},
        {"Content_Range": f"bytes {BREAK + 1}-{LAST}/{TOTAL}", "body": CONTENT[BREAK + 1 :]},
        {"Content_Range": f"bytes {BREAK}-{LAST}/{TOTAL}", "body": CONTENT[BREAK:-1]},
        {"Content_Range": f"bytes {BREAK}-{LAST}/{TOTAL}", "body": CONTENT[BREAK:] + b"x"},
        {"Content_Range": ""},
        {"Content_Encoding": "x-unknown"},
    ],
)
async def test_a_rest_of_another_version_total_or_end_is_refused(change: dict[str, Any]) -> None:
    """Whichever of the three differs, its bytes are not put behind those that are here."""
    async with serving(breaking('"v1"', **{**RIGHT, **change})) as site:
        with pytest.raises(ZeyosAsyncError):
            await site.download()


@pytest.mark.parametrize("etag", ['W/"v1"', 'w/"v1"', "v1", '"v1', 'W/""', ""])
async def test_a_weak_etag_is_never_an_if_range(etag: str, tmp_path: Path) -> None:
    """It names what means the same, and not the same bytes: nothing is gone on with, and no part is kept."""
    async with serving(breaking(etag, **{**RIGHT, "ETag": etag})) as site:
        for attempt in (site.download(), site.download().save(tmp_path / "a.bin", resume=True)):
            with pytest.raises(ResponseTruncated):
                await attempt
        assert [wire.headers.get("if-range") for wire in site.requests] == [None, None]
        assert names_in(tmp_path) == []


def chunked(body: bytes) -> bytes:
    """A body without a length of its own, with its right end."""
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


@pytest.mark.parametrize("rest", [CONTENT[BREAK:-7], CONTENT[BREAK:] + b"more"])
async def test_the_final_length_is_checked(rest: bytes, tmp_path: Path) -> None:
    """A rest that ends well, and is shorter or longer than its range says, is no file."""

    async def handler(wire: Wire) -> None:
        if "range" not in wire.headers:
            return await wire.answer(cut=BREAK, ETag='"v1"')
        head = f'HTTP/1.1 206 X\r\nETag: "v1"\r\nContent-Range: bytes {BREAK}-{LAST}/{TOTAL}\r\n'
        wire.writer.write(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(rest))
        return None

    async with serving(handler) as site:
        with pytest.raises((ResponseTruncated, ServerError)):
            await site.download().save(tmp_path / "a.bin")
        assert names_in(tmp_path) == []


@pytest.mark.parametrize("size", [0, 3, 9, 11])
async def test_the_length_of_a_part_is_checked(size: int) -> None:
    """Ten bytes were promised by the range."""

    async def handler(wire: Wire) -> None:
        head = "HTTP/1.1 206 X\r\nContent-Range: bytes 5-14/100\r\nTransfer-Encoding: chunked\r\n\r\n"
        wire.writer.write(
            head.encode() + chunked(CONTENT[5 : 5 + size]).replace(b"0\r\n\r\n", b"", size == 0)
        )

    async with serving(handler) as site:
        with pytest.raises((TransportError, ServerError)):
            await site.download().part(5, 15)


@pytest.mark.parametrize(
    "came",
    ["bytes 5-13/100", "bytes 5-15/100", "bytes 4-13/100", "bytes 5-13/*", "bytes 5-4/100", "bytes 5-14/9"],
)
async def test_fewer_or_other_bytes_than_the_part_are_refused(came: str) -> None:
    """A part is the bytes that were asked for, all of them."""

    async def handler(wire: Wire) -> None:
        await wire.answer(CONTENT[:10], status=206, Content_Range=came)

    async with serving(handler) as site:
        with pytest.raises(ServerError, match="bytes=5-14"):
            await site.download().part(5, 15)


@pytest.mark.parametrize("status", [201, 202, 204, 205, 206, 226, 304])
async def test_another_status_is_no_file(status: int, tmp_path: Path) -> None:
    """A part of a file that nobody asked for, or nothing at all, must not be saved as the file."""

    async def handler(wire: Wire) -> None:
        body = b"" if status in (204, 205, 304) else CONTENT[:10]
        await wire.answer(body, status=status, Content_Range="bytes 0-9/102400", ETag='"v1"')

    async with serving(handler) as site:
        with pytest.raises(ServerError):
            await site.download().save(tmp_path / "a.bin")
        assert names_in(tmp_path) == []


class Ranged:
    """A server with ranges, whose answers without one break off while ``failing``; ``rest`` changes its parts."""

    def __init__(self) -> None:
        self.failing = True
        self.ranges: list[str | None] = []
        self.rest: dict[str, Any] = {}

    async def __call__(self, wire: Wire) -> None:
        byte_range = wire.headers.get("range")
        self.ranges.append(byte_range)
        if self.failing:
            await wire.answer(
                b"no" if byte_range else CONTENT,
                status=503 if byte_range else 200,
                cut=None if byte_range else BREAK,
                ETag='"v1"',
            )
        elif byte_range:
            start = int(byte_range.removeprefix("bytes=").rstrip("-"))
            headers = {
                "ETag": '"v1"',
                "Content_Range": f"bytes {start}-{LAST}/{TOTAL}",
                "status": 206,
                **self.rest,
            }
            await wire.answer(CONTENT[start:], **headers)
        else:
            await wire.answer(ETag='"v1"')


async def break_off(server: Ranged, site: Any, place: Path) -> Path:
    """Leave a part behind, and let the server work from now on."""
    with pytest.raises(ZeyosAsyncError):
        await site.download().save(place, resume=True)
    server.failing = False
    server.ranges.clear()
    (name,) = (name for name in names_in(place.parent) if name.endswith(".part"))
    return place.with_name(name)


@pytest.mark.parametrize(
    ("rest", "requests"),
    [
        ({}, [None, f"bytes={BREAK}-"]),
        ({"ETag": ""}, [None, f"bytes={BREAK}-", None]),
        ({"ETag": 'W/"v1"'}, [None, f"bytes={BREAK}-", None]),
        ({"Content_Range": f"bytes {BREAK}-{LAST}/*"}, [None, f"bytes={BREAK}-", None]),
        ({"status": 416}, [None, f"bytes={BREAK}-", None]),
    ],
)
async def test_a_kept_part_goes_on_under_the_same_rule_or_begins_anew(
    rest: dict[str, Any], requests: list[str | None], tmp_path: Path
) -> None:
    """A server that can't continue it gives the whole file, and the part is not in the way for ever."""
    server, place = Ranged(), tmp_path / "a.bin"
    async with serving(server) as site:
        await break_off(server, site, place)
        server.rest = rest
        await site.download().save(place, resume=True)
        assert (place.read_bytes(), names_in(tmp_path)) == (CONTENT, ["a.bin"])
        assert server.ranges == requests


async def test_a_kept_part_is_opened_without_following_links(tmp_path: Path) -> None:
    """Whoever may write to the folder could lead the bytes to another file of ours."""
    server, place, other = Ranged(), tmp_path / "a.bin", tmp_path / "precious"
    other.write_bytes(b"precious")
    async with serving(server) as site:
        part = await break_off(server, site, place)
        for link in (os.symlink, os.link):
            part.unlink(missing_ok=True)
            link(other, part)
            await site.download().save(place, resume=True)
            assert (place.read_bytes(), other.read_bytes()) == (CONTENT, b"precious")
            assert not place.is_symlink()
            assert names_in(tmp_path) == ["a.bin", "precious"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
async def test_a_kept_part_of_somebody_else_is_not_gone_on_with(tmp_path: Path) -> None:
    """Its bytes are theirs."""
    server, place = Ranged(), tmp_path / "a.bin"
    async with serving(server) as site:
        part = await break_off(server, site, place)
        part.write_bytes(b"x" * BREAK)
        os.chown(part, 12345, -1)
        await site.download().save(place, resume=True)
        assert place.read_bytes() == CONTENT


async def test_a_kept_part_that_others_may_write_is_not_gone_on_with(tmp_path: Path) -> None:
    """A part that we keep is never writable by others; nor a pipe."""
    server, place = Ranged(), tmp_path / "a.bin"
    place.write_bytes(b"old")
    place.chmod(0o666)
    async with serving(server) as site:
        part = await break_off(server, site, place)
        assert stat.S_IMODE(part.stat().st_mode) & 0o022 == 0
        part.write_bytes(b"x" * BREAK)
        part.chmod(0o666)
        await site.download().save(place, resume=True)
        assert (place.read_bytes(), stat.S_IMODE(place.stat().st_mode)) == (CONTENT, 0o666)
        os.mkfifo(part)
        await site.download().save(place, resume=True)
        assert place.read_bytes() == CONTENT


async def test_a_kept_part_is_synced_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its size is believed the next time, after a crash too."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda fd, real=os.fsync: (synced.append(os.fstat(fd).st_ino), real(fd)))
    server = Ranged()
    async with serving(server) as site:
        part = await break_off(server, site, tmp_path / "a.bin")
    assert synced == [part.stat().st_ino, part.parent.stat().st_ino]


async def test_two_downloads_never_write_one_part(tmp_path: Path) -> None:
    """The second one is told; mixed bytes would be taken for the file's beginning the next time."""
    place = tmp_path / "a.bin"
    async with FileTarget(place, overwrite=True, version="v1") as one:
        await one.write(b"one")
        with pytest.raises(OSError, match="another download"):
            await FileTarget(place, overwrite=True, version="v1").__aenter__()
    assert place.read_bytes() == b"one"
    async with FileTarget(
        place, overwrite=True, version="v1"
    ) as other:  # and the file in its place is no part
        assert other.size == 0
        await other.write(b"other")
    assert (place.read_bytes(), names_in(tmp_path)) == (b"other", ["a.bin"])


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o400, 0o644])
async def test_a_download_is_never_more_readable_than_the_file_it_replaces(mode: int, tmp_path: Path) -> None:
    """Not in its first moment either."""
    place = tmp_path / "a.bin"
    place.write_bytes(b"old")
    place.chmod(mode)
    modes: set[int] = set()

    async def handler(wire: Wire) -> None:
        await wire.answer(ETag='"v1"')

    def look(*_: Any) -> None:
        modes.update(stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir() if path != place)

    async with serving(handler) as site:
        for resume in (False, True):
            await site.download().save(place, resume=resume, on_progress=look)
            assert stat.S_IMODE(place.stat().st_mode) == mode
    assert modes
    assert all(part_mode & ~(mode | 0o600) == 0 for part_mode in modes)
