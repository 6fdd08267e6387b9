"""Downloads over real sockets: whole, in parts, gone on with, saved, and errors that look like files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest
from yarl import URL

from zeyos_async.errors import InvalidArgument, NotFound, ResponseTruncated, ServerError
from zeyos_async.services.ox.download import Download
from zeyos_async.services.ox.errors import OxPermissionDenied, check_answer
from zeyos_async.session import Limits, Session
from zeyos_async.wire import Request, Safety

CONTENT = bytes(range(256)) * 400
ERROR = b'{"error":"No rights","code":"IFO-0400","categories":"PERMISSION_DENIED","error_params":[],"error_desc":"x"}'


@attrs.define
class Wire:
    """One connection's request, and what writes its answer."""

    target: str
    headers: dict[str, str]
    writer: asyncio.StreamWriter

    async def answer(
        self, body: bytes = CONTENT, *, status: int = 200, cut: int | None = None, **headers: str
    ) -> None:
        """An answer with Content-Length; ``cut`` ends the connection after so many bytes."""
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.writer.write("\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + body[:cut])
        await self.writer.drain()
        if cut is not None:
            await asyncio.sleep(0.05)  # what arrives together with the end may be lost with it
            self.writer.close()


Serve = Callable[[Wire], Awaitable[None]]


@attrs.define
class Site:
    """What was asked for, and where."""

    requests: list[Wire] = attrs.field(factory=list)
    session: Session = attrs.field(factory=lambda: Session(limits=Limits(per_host=1)))
    url: str = ""

    def download(self, path: str = "/ajax/infostore", *, method: str = "GET") -> Download:
        """A download of a path."""
        request = Request(
            method=method,
            url=URL(self.url + path),
            headers={"Accept": "*/*"},
            safety=Safety.READ,
            operation="infostore.document",
        )
        return Download(self.session.bind(self.url, None, check=check_answer), request)


def names_in(folder: Path) -> list[str]:
    """What is in a folder, hidden files too."""
    return sorted(path.name for path in folder.iterdir())


@asynccontextmanager
async def serving(handler: Serve) -> AsyncIterator[Site]:
    """A server that does what the test says."""
    site = Site()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not writer.is_closing():
                first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
                pairs = (line.partition(":") for line in lines)
                headers = {name.lower(): value.strip() for name, _, value in pairs}
                wire = Wire(first.split(" ")[1], headers, writer)
                site.requests.append(wire)
                await handler(wire)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    site.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield site
    finally:
        await site.session.aclose()
        server.close()


def ranged(*, etag: str = '"v1"', breaks: int = 0, size: int = 40_000) -> Serve:
    """A server with ranges, that breaks off so many answers after so many bytes."""
    remaining = breaks

    async def handler(wire: Wire) -> None:
        nonlocal remaining
        body, status, more = CONTENT, 200, {}
        if (byte_range := wire.headers.get("range")) and wire.headers.get("if-range", etag) == etag:
            start, _, last = byte_range.removeprefix("bytes=").partition("-")
            end = int(last) + 1 if last else len(CONTENT)
            body, status = CONTENT[int(start) : end], 206
            more = {"Content_Range": f"bytes {start}-{end - 1}/{len(CONTENT)}"}
        cut = size if remaining > 0 else None
        remaining -= 1
        await wire.answer(body, status=status, cut=cut, ETag=etag, Content_Type="application/pdf", **more)

    return handler


async def test_a_download_is_read_in_three_ways() -> None:
    """Awaited it is bytes; entered it tells about itself, and is read piece by piece or to its end."""

    async def handler(wire: Wire) -> None:
        await wire.answer(
            Content_Type="Application/PDF; x=y",
            Content_Disposition='attachment; filename="../a.pdf"',
            ETag='"1"',
        )

    async with serving(handler) as site:
        assert await site.download() == CONTENT
        async with site.download() as file:
            assert (file.content_type, file.filename, file.length) == (
                "application/pdf",
                "a.pdf",
                len(CONTENT),
            )
            assert (file.etag, file.unchanged) == ('"1"', False)
            assert b"".join([chunk async for chunk in file]) == CONTENT
        async with site.download() as file:
            assert await file.read() == CONTENT
        assert file.filename == "a.pdf"  # known after the end, too
        assert {wire.headers["accept-encoding"] for wire in site.requests} == {"identity"}


@pytest.mark.parametrize("breaks", [1, 2])
async def test_a_broken_download_goes_on_where_it_broke_off(breaks: int) -> None:
    """The rest of the same version is asked for, even where only one request may run at once."""
    async with serving(ranged(breaks=breaks)) as site:
        assert await site.download() == CONTENT
        assert [wire.headers.get("range") for wire in site.requests] == [
            None,
            "bytes=40000-",
            "bytes=80000-",
        ][: breaks + 1]
        assert {wire.headers["if-range"] for wire in site.requests[1:]} == {'"v1"'}


async def test_another_version_is_not_mixed_in() -> None:
    """A file that was changed meanwhile comes whole, and its bytes don't fit to those that are here."""
    versions = iter(['"v1"', '"v2"'])

    async def handler(wire: Wire) -> None:
        etag = next(versions)
        await wire.answer(cut=40_000 if etag == '"v1"' else None, ETag=etag)

    async with serving(handler) as site:
        with pytest.raises(ResponseTruncated):
            await site.download()
        assert len(site.requests) == 2


@pytest.mark.parametrize(
    ("method", "headers"),
    [("GET", {}), ("PUT", {"ETag": '"1"'}), ("GET", {"ETag": '"1"', "Accept_Ranges": "none"})],
)
async def test_downloads_without_a_version_are_not_resumed(method: str, headers: dict[str, str]) -> None:
    """A ZIP is made anew each time: its bytes need not be the same."""

    async def handler(wire: Wire) -> None:
        await wire.answer(cut=40_000, **headers)

    async with serving(handler) as site:
        with pytest.raises(ResponseTruncated):
            await site.download(method=method)
        assert len(site.requests) == 1


async def test_a_download_without_an_end_is_an_error() -> None:
    """All of its bytes are there, perhaps; the server says that there are no more, and did not say so before."""

    async def handler(wire: Wire) -> None:
        if "range" in wire.headers:
            await wire.answer(b"", status=416, Content_Range="bytes */5")
            return
        wire.writer.write(b'HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\nETag: "1"\r\n\r\n5\r\nhello\r\n')
        await wire.writer.drain()
        await asyncio.sleep(0.05)
        wire.writer.close()

    async with serving(handler) as site:
        with pytest.raises(ResponseTruncated):
            await site.download()


async def test_a_download_that_gets_nowhere_ends() -> None:
    """After three answers in a row that bring nothing it is enough."""

    async def handler(wire: Wire) -> None:
        if "range" not in wire.headers:
            return await wire.answer(cut=40_000, ETag='"1"')
        return await wire.answer(
            CONTENT[40_000:], status=206, cut=0, ETag='"1"', Content_Range="bytes 40000-102399/102400"
        )

    async with serving(handler) as site:
        with pytest.raises(ResponseTruncated):
            await site.download()
        assert len(site.requests) == 4


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize(("start", "stop"), [(0, 10), (70_000, 70_001), (102_000, None), (65_536, 90_000)])
async def test_a_part_is_a_part_whether_the_server_knows_of_parts_or_not(
    ranges: bool, start: int, stop: int | None
) -> None:
    """A slice of the bytes, which the server cuts if it can."""

    async def whole(wire: Wire) -> None:
        await wire.answer()

    async with serving(ranged() if ranges else whole) as site:
        async with site.download().part(start, stop) as part:
            assert await part.read() == CONTENT[start:stop]
            assert part.length == (len(CONTENT[start:stop]) if ranges else None)
        assert site.requests[0].headers["range"] == f"bytes={start}-" + (
            "" if stop is None else str(stop - 1)
        )


@pytest.mark.parametrize(("start", "stop"), [(-1, None), (3, 3), (4, 2), (True, None), (1.5, 2), ("0", None)])
def test_slices_that_are_no_part_are_refused(start: object, stop: object) -> None:
    """Nothing is sent for a slice that is empty or none at all."""
    with pytest.raises(InvalidArgument, match="part of a file"):
        Site(url="http://nowhere").download().part(start, stop)  # type: ignore[arg-type]


async def test_other_bytes_than_those_asked_for_are_an_error() -> None:
    """A proxy that answers with another range must not pass for the right one."""

    async def handler(wire: Wire) -> None:
        await wire.answer(CONTENT[:10], status=206, Content_Range="bytes 0-9/102400")

    async with serving(handler) as site:
        with pytest.raises(ServerError, match="bytes=5-"):
            await site.download().part(5)
        assert await site.download().part(0, 10) == CONTENT[:10]  # and the connection was given back


async def test_an_unchanged_file_does_not_come_again() -> None:
    """With the ETag of the copy at hand there is nothing to read."""

    async def handler(wire: Wire) -> None:
        same = wire.headers.get("if-none-match") == '"v1"'
        await wire.answer(b"" if same else CONTENT, status=304 if same else 200, ETag='"v1"')

    async with serving(handler) as site:
        async with site.download().unless('"v1"') as file:
            assert file.unchanged
            with pytest.raises(InvalidArgument, match="unchanged"):
                await file.read()
        async with site.download().unless('"v0"') as file:
            assert not file.unchanged
            assert await file.read() == CONTENT


@pytest.mark.parametrize("content_type", ["application/json;charset=UTF-8", "text/html", "text/javascript"])
async def test_an_error_in_place_of_a_file_is_raised(content_type: str, tmp_path: Path) -> None:
    """200 and JSON, bare or in a web page: the envelope's error, and no file is left behind."""
    wrapped = b"<html><script>(parent.callback_document||x)(" + ERROR + b")</script></html>"
    body = wrapped if content_type == "text/html" else ERROR

    async def handler(wire: Wire) -> None:
        await wire.answer(body, Content_Type=content_type)

    async with serving(handler) as site:
        with pytest.raises(OxPermissionDenied, match="No rights") as caught:
            await site.download().save(tmp_path / "a.pdf")
        assert caught.value.code == "IFO-0400"
        assert names_in(tmp_path) == []


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'{"error": "a word in a file"}', {"Content_Type": "application/json"}),
        (b'{"rows": [1, 2]}', {"Content_Type": "application/json"}),
        (b'[{"error": 1}]', {"Content_Type": "application/json"}),
        (b'"error" {', {"Content_Type": "application/json"}),
        (b"<html><title>error</title></html>", {"Content_Type": "text/html"}),
        (
            ERROR,
            {"Content_Type": "application/json", "Content_Disposition": 'attachment; filename="log.json"'},
        ),
        (ERROR, {"Content_Type": "application/octet-stream"}),
        (b'{"error": "' + b"x" * 300_000 + b'"}', {"Content_Type": "application/json"}),
        (b"", {"Content_Type": "application/json"}),
    ],
)
async def test_a_file_of_json_is_a_file(body: bytes, headers: dict[str, str]) -> None:
    """What somebody stored comes as it is, whatever words are in it."""

    async def handler(wire: Wire) -> None:
        await wire.answer(body, **headers)

    async with serving(handler) as site:
        assert await site.download() == body


async def test_a_page_of_status_404_is_an_error() -> None:
    """Errors of calls whose answer is a file come as web pages."""

    async def handler(wire: Wire) -> None:
        await wire.answer(b"<html><title>Not here</title></html>", status=404, Content_Type="text/html")

    async with serving(handler) as site:
        with pytest.raises(NotFound, match="Not here"):
            await site.download()


async def test_saving_replaces_what_was_named_and_spares_what_was_not(tmp_path: Path) -> None:
    """A file named by the caller is replaced; the server's name for it replaces nothing."""

    async def handler(wire: Wire) -> None:
        await wire.answer(Content_Disposition='attachment; filename="../../a.bin"')

    progress: list[tuple[int, int | None]] = []
    async with serving(handler) as site:
        old = tmp_path / "old.bin"
        old.write_bytes(b"old")
        old.chmod(0o600)
        assert await site.download().save(old, on_progress=lambda *all: progress.append(all)) == old
        assert (old.read_bytes(), old.stat().st_mode & 0o777) == (CONTENT, 0o600)
        assert progress[-1] == (len(CONTENT), len(CONTENT))
        assert await site.download().save(tmp_path) == tmp_path / "a.bin"
        with pytest.raises(FileExistsError, match="overwrite=True"):
            await site.download().save(tmp_path)
        await site.download().save(tmp_path, overwrite=True)
        with pytest.raises(FileExistsError):
            await site.download().save(old, overwrite=False)
        assert names_in(tmp_path) == ["a.bin", "old.bin"]


async def test_a_download_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    """The file appears when it is complete, or stays as it was; no part of it is left."""

    async def handler(wire: Wire) -> None:
        await wire.answer(cut=50_000)

    async with serving(handler) as site:
        place = tmp_path / "a.bin"
        place.write_bytes(b"old")
        with pytest.raises(ResponseTruncated):
            await site.download().save(place)
        assert place.read_bytes() == b"old"
        assert names_in(tmp_path) == [place.name]


async def test_a_download_is_gone_on_with_another_time(tmp_path: Path) -> None:
    """What came before the error is kept, and only the rest is asked for, if it is still the same version."""
    failing, etag = True, '"v1"'

    async def handler(wire: Wire) -> None:
        if failing and "range" in wire.headers:
            await wire.answer(
                CONTENT[70_000:], status=206, cut=0, ETag=etag, Content_Range="bytes 70000-102399/102400"
            )
        else:
            await ranged(etag=etag, breaks=int(failing), size=70_000)(wire)

    place, progress = tmp_path / "a.bin", list[tuple[int, int | None]]()
    async with serving(handler) as site:
        with pytest.raises(ResponseTruncated):
            await site.download().save(place, resume=True)
        (part,) = names_in(tmp_path)
        assert (tmp_path / part).read_bytes() == CONTENT[:70_000]
        failing = False
        site.requests.clear()
        await site.download().save(place, resume=True, on_progress=lambda *both: progress.append(both))
        assert (place.read_bytes(), names_in(tmp_path)) == (CONTENT, ["a.bin"])
        assert [wire.headers.get("range") for wire in site.requests] == [None, "bytes=70000-"]
        assert progress[0][0] > 70_000
        assert progress[-1] == (len(CONTENT), len(CONTENT))
        (tmp_path / part).write_bytes(CONTENT)  # complete, and only its name was missing
        await site.download().save(place, resume=True)
        assert [wire.headers.get("range") for wire in site.requests[2:]] == [None]
        (tmp_path / part).write_bytes(b"other")
        etag = '"v2"'  # of another version, nothing is taken
        await site.download().save(place, resume=True)
        assert (place.read_bytes(), names_in(tmp_path)) == (CONTENT, [part, "a.bin"])


async def test_a_server_without_ranges_begins_anew(tmp_path: Path) -> None:
    """The part that is there is of no use, and does no harm."""
    failing = True

    async def handler(wire: Wire) -> None:
        await wire.answer(cut=40_000 if failing and "range" not in wire.headers else None, ETag='"v1"')

    async with serving(handler) as site:
        with pytest.raises(ResponseTruncated):
            await site.download().save(tmp_path / "a.bin", resume=True)
        assert len(names_in(tmp_path)) == 1
        failing = False
        await site.download().save(tmp_path / "a.bin", resume=True)
        assert (tmp_path / "a.bin").read_bytes() == CONTENT
        assert names_in(tmp_path) == ["a.bin"]


async def test_a_download_left_early_gives_everything_back() -> None:
    """Whoever breaks off after the first piece can ask again, though only one request may run at once."""
    async with serving(ranged()) as site:
        for _ in range(3):
            async with site.download() as file:
                async for chunk in file:
                    assert CONTENT.startswith(chunk)
                    break
        with pytest.raises(ZeroDivisionError):
            async with site.download():
                1 / 0  # noqa: B018
        assert await site.download() == CONTENT


async def test_a_composition_tells_how_it_is_used() -> None:
    """What is not open knows nothing and can't be read; what is open can't be opened again."""
    async with serving(ranged()) as site:
        file = site.download()
        with pytest.raises(InvalidArgument, match="not opened"):
            _ = file.filename
        with pytest.raises(InvalidArgument, match="not open"):
            await file.read()
        async with file:
            with pytest.raises(InvalidArgument, match="open already"):
                await file.__aenter__()
            assert await file.read() == CONTENT
        assert await file == CONTENT  # closed, it may be asked for again
