"""Files as people keep them: uploaded, versioned, locked, searched, moved; against the emulator."""

from __future__ import annotations

import asyncio
import pickle
import unicodedata
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from zeyos_async import F, OpenXchange
from zeyos_async.errors import FilterError, InvalidArgument, OutcomeUnknown
from zeyos_async.forms import Upload
from zeyos_async.ox import InfoItemData
from zeyos_async.services.ox.errors import OxConflict, OxError
from zeyos_async.services.ox.modules._upload_folder import FolderUpload, FolderUploadFailed
from zeyos_async.testing import OxEmulator, emulate_ox
from zeyos_async.testing.faults import commit_then_drop, latency, reset

FILES, TRASH = "30", "33"


@pytest_asyncio.fixture
async def server() -> AsyncIterator[OxEmulator]:
    """A server with some files."""
    async with emulate_ox(seed=1) as running:
        yield running


@pytest_asyncio.fixture
async def ox(server: OxEmulator) -> AsyncIterator[OpenXchange]:
    """Its default user's client."""
    async with OpenXchange(server.url, auth=server.auth()) as client:
        yield client


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with folders and files in it."""
    for name, content in {"x.txt": b"x", "a/ü.txt": b"yy", "a/b/z.bin": bytes(1000), "c/z.bin": b""}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "empty").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path)
    return tmp_path


async def stored(ox: OpenXchange, content: Any = b"one", name: str = "new.txt") -> InfoItemData:
    """A new file, as it was read."""
    number = await ox.infostore.upload(content, folder=FILES, filename=name)
    return await ox.infostore.get(id=number, folder=FILES)


def calls(server: OxEmulator, action: str) -> list[Any]:
    """The requests of an action."""
    return [item for item in server.journal.requests if f"action={action}" in item.query.split("&")]


# -- one file --------------------------------------------------------------------------------------


async def _stream() -> AsyncIterator[bytes]:
    for _ in range(10):
        yield b"0123456789"


@pytest.mark.parametrize(
    ("content", "name", "size"),
    [
        (lambda path: path, "naïve ✓.pdf", 300_000),
        (lambda path: b"abc", None, 3),
        (lambda path: _stream(), None, 100),
        (lambda path: Upload(b"abc", filename="a.csv", content_type="text/csv"), "a.csv", 3),
        (lambda path: path.open("rb"), "naïve ✓.pdf", 300_000),
    ],
)
async def test_uploads_take_every_source_of_bytes(
    ox: OpenXchange, tmp_path: Path, content: Any, name: str | None, size: int
) -> None:
    """It is read while it is sent, and has its own name if it has one."""
    path = tmp_path / "naïve ✓.pdf"
    path.write_bytes(b"abc" * 100_000)
    progress: list[tuple[int, int | None]] = []
    source = content(path)
    options = {} if name else {"filename": "named.bin"}
    number = await ox.infostore.upload(
        source, folder=FILES, on_progress=lambda *both: progress.append(both), **options
    )
    item = await ox.infostore.get(id=number, folder=FILES)
    assert (item.filename, item.file_size) == (name or "named.bin", size)
    assert progress[-1][0] == size
    async with ox.infostore.document(item) as file:
        assert len(await file.read()) == size
        assert file.filename == item.filename
    if hasattr(source, "close"):
        source.close()


async def test_uploads_without_a_name_are_refused(ox: OpenXchange) -> None:
    """Bytes have none of their own."""
    with pytest.raises(InvalidArgument, match="filename="):
        await ox.infostore.upload(b"abc", folder=FILES)


async def test_an_upload_is_never_sent_twice(ox: OpenXchange, server: OxEmulator) -> None:
    """If its answer is lost, nobody knows whether it was stored."""
    await ox.infostore.all(folder=FILES)
    server.faults.add(commit_then_drop(), path="*/infostore", probability=1)
    with pytest.raises(OutcomeUnknown):
        await ox.infostore.upload(b"abc", folder=FILES, filename="a.txt")
    assert len(calls(server, "upload")) == 1


async def test_versions_follow_each_other(ox: OpenXchange) -> None:
    """Each is kept; the record's time stamp follows, so that the next one is no conflict."""
    item = await stored(ox)
    stale = await ox.infostore.get(item)
    await ox.infostore.new_version(item, b"two", comment="better")
    await ox.infostore.new_version(item, b"three")
    versions = await ox.infostore.versions(item, columns=["version", "version_comment", "file_size"])
    assert [item.version_comment for item in versions] == ["", "better", ""]
    assert await ox.infostore.document(item) == b"three"
    assert await ox.infostore.document(item, version=1) == b"one"
    assert (await ox.infostore.get(item)).filename == "new.txt"
    with pytest.raises(OxConflict):
        await ox.infostore.new_version(stale, b"lost")
    await ox.infostore.detach(item, [1])
    assert len(await ox.infostore.versions(item, columns=["version"])) == 2
    with pytest.raises(InvalidArgument, match="get"):
        await ox.infostore.new_version(InfoItemData(id="1", folder_id="2"), b"x")


async def test_a_locked_file_is_changed_by_nobody_else(ox: OpenXchange, server: OxEmulator) -> None:
    """Its owner changes it meanwhile; afterwards it is free again, after an error too."""
    item = await stored(ox)
    async with ox.infostore.locked(item, duration=timedelta(minutes=5)):
        until = (await ox.infostore.get(item)).locked_until
        assert until is not None
        assert timedelta(0) < until - datetime.now(UTC) <= timedelta(minutes=5)
        await ox.infostore.new_version(item, b"two")
    assert not (await ox.infostore.get(item)).locked_until
    with pytest.raises(ZeroDivisionError):
        async with ox.infostore.locked(item):
            1 / 0  # noqa: B018
    assert not (await ox.infostore.get(item)).locked_until


async def test_an_error_of_unlocking_does_not_hide_the_one_before(
    ox: OpenXchange, server: OxEmulator
) -> None:
    """It is a note on it."""
    item = await stored(ox)

    async def change() -> None:
        async with ox.infostore.locked(item):
            await ox.infostore.delete([item], timestamp=item.timestamp, hard_delete=True)
            1 / 0  # noqa: B018

    with pytest.raises(ZeroDivisionError) as caught:
        await change()
    assert any("still be locked" in note for note in caught.value.__notes__)


async def test_a_moved_file_is_found_at_its_new_place(ox: OpenXchange) -> None:
    """The record follows, and may be moved on."""
    item = await stored(ox)
    number = await ox.infostore.move(item, folder=TRASH)
    assert (item.folder_id, item.id) == (TRASH, number)
    assert (await ox.infostore.get(item)).folder_id == TRASH
    await ox.infostore.move(item, folder=FILES)
    assert (await ox.infostore.get(item)).folder_id == FILES


# -- searching -------------------------------------------------------------------------------------


async def test_a_folder_of_files_is_a_query(ox: OpenXchange) -> None:
    """Rows as records or dicts; by conditions, sorted, limited."""
    files = await ox.infostore.all(folder=FILES)
    assert await ox.infostore.query(folder=FILES).count() == len(files)
    names = sorted(item.filename for item in files if item.filename and item.filename.endswith(".txt"))
    assert names
    query = ox.infostore.where(F.filename.endswith(".txt"), folder=FILES)
    assert sorted(str(item.filename) for item in await query.all()) == names
    rows = await query.order_by("filename").select("filename", "file_size").limit(1).all()
    assert [row["filename"] for row in rows] == names[:1]
    everywhere = await ox.infostore.where(F.filename.endswith(".txt")).count()
    assert everywhere >= len(names)
    hits = await ox.infostore.search({"pattern": "*.txt"}, folder=FILES, columns=["filename"])
    assert sorted(str(item.filename) for item in hits) == names
    hits = await ox.infostore.search(F.filename.endswith(".txt"), folder=FILES, columns=["filename"])
    assert sorted(str(item.filename) for item in hits) == names


async def test_searches_that_can_not_be_sent_are_refused(ox: OpenXchange, server: OxEmulator) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidArgument, match="which folder"):
        await ox.infostore.query().all()
    with pytest.raises(InvalidArgument, match="include_subfolders"):
        await ox.infostore.query(folder=FILES, include_subfolders=True).all()
    with pytest.raises(FilterError):
        ox.infostore.where(F.filename > "a")
    with pytest.raises(FilterError):
        ox.infostore.where(F.nonsense == "a")
    assert list(server.journal.requests) == []


async def test_files_tell_what_changed(ox: OpenXchange) -> None:
    """For syncs: what is new or changed, and what is gone."""
    item = await stored(ox)
    since = (await ox.infostore.updates(folder=FILES, since=0)).timestamp
    assert isinstance(since, datetime)
    source = ox.infostore.source(folder=FILES)
    await ox.infostore.new_version(item, b"two")
    assert [row.id async for page in source.changes(since) for row in page] == [item.id]
    assert await source.deleted(since) == []
    await ox.infostore.delete([item], timestamp=item.timestamp, hard_delete=True)
    assert await source.deleted(since) == [item.id]


# -- large files -----------------------------------------------------------------------------------


async def test_a_large_file_is_uploaded_in_parts(ox: OpenXchange, server: OxEmulator, tmp_path: Path) -> None:
    """Each part is appended to what is there."""
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(range(250)) * 10)
    progress: list[tuple[int, int | None]] = []
    number = await ox.infostore.upload_in_parts(
        path, folder=FILES, part=1000, on_progress=lambda *both: progress.append(both)
    )
    assert len(calls(server, "upload")) == 3
    assert progress == [(1000, 2500), (2000, 2500), (2500, 2500)]
    assert await ox.infostore.document(id=number, folder=FILES) == path.read_bytes()


async def test_a_part_that_failed_is_gone_on_with(
    ox: OpenXchange, server: OxEmulator, tmp_path: Path
) -> None:
    """Whether the server has it or not is asked, and not guessed."""
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(range(250)) * 10)
    await ox.infostore.all(folder=FILES)
    server.faults.add(commit_then_drop(), path="*/infostore", at=[1])
    server.faults.add(reset("before"), path="*/infostore", at=[3])
    number = await ox.infostore.upload_in_parts(path, folder=FILES, part=1000)
    assert await ox.infostore.document(id=number, folder=FILES) == path.read_bytes()


@pytest.mark.parametrize("size", [0, 1, 1000, 1001])
async def test_parts_fit_whatever_the_size(ox: OpenXchange, tmp_path: Path, size: int) -> None:
    """Nothing, less than a part, a part, a byte more."""
    path = tmp_path / "file.bin"
    path.write_bytes(b"x" * size)
    number = await ox.infostore.upload_in_parts(path, folder=FILES, part=1000)
    assert await ox.infostore.document(id=number, folder=FILES) == b"x" * size
    with pytest.raises(InvalidArgument, match="part="):
        await ox.infostore.upload_in_parts(path, folder=FILES, part=0)


# -- folders of files ------------------------------------------------------------------------------


async def test_a_folder_of_files_is_uploaded(ox: OpenXchange, server: OxEmulator, tree: Path) -> None:
    """With the folders in it, some files at the same time, and never more than that."""
    server.faults.add(latency(0.02), path="*/infostore", probability=1)
    progress: list[str] = []
    done = await ox.infostore.upload_folder(
        tree, folder=FILES, at_once=2, on_file=lambda name, number: progress.append(name)
    )
    assert sorted(done.files) == sorted(progress) == ["a/b/z.bin", "a/ü.txt", "c/z.bin", "x.txt"]
    assert sorted(done.folders) == ["", "a", "a/b", "c", "empty"]
    assert server.journal.greatest_concurrency == 2
    server.faults.clear()
    content = await ox.infostore.document(id=done.files["a/b/z.bin"], folder=done.folders["a/b"])
    assert content == bytes(1000)
    assert [item.filename for item in await ox.infostore.all(folder=done.folders["a"])] == ["ü.txt"]


async def test_uploaded_again_files_get_versions_or_are_skipped_or_renamed(
    ox: OpenXchange, tree: Path
) -> None:
    """As one likes it; folders are found again in any case."""
    first = await ox.infostore.upload_folder(tree, folder=FILES)
    again = await ox.infostore.upload_folder(tree, folder=FILES)
    assert (again.files, again.folders) == (first.files, first.folders)
    versions = await ox.infostore.versions(id=first.files["x.txt"], columns=["version"])
    assert len(versions) == 2
    (tree / "new.txt").write_bytes(b"new")
    third = await ox.infostore.upload_folder(tree, folder=FILES, existing="skip")
    assert (list(third.files), third.skipped) == (["new.txt"], ("a/b/z.bin", "a/ü.txt", "c/z.bin", "x.txt"))
    fourth = await ox.infostore.upload_folder(tree / "c", folder=first.folders["c"], existing="rename")
    assert fourth.files["z.bin"] != first.files["c/z.bin"]


async def test_names_are_the_same_however_their_letters_are_made(ox: OpenXchange, tmp_path: Path) -> None:
    """Some systems write é as one character, others as two."""
    for form in ("NFC", "NFD"):
        place = tmp_path / form / unicodedata.normalize(form, "é")
        place.mkdir(parents=True)
        (place / unicodedata.normalize(form, "ü.txt")).write_bytes(b"x")
    first = await ox.infostore.upload_folder(tmp_path / "NFC", folder=FILES)
    second = await ox.infostore.upload_folder(tmp_path / "NFD", folder=FILES, existing="skip")
    assert list(second.folders.values()) == list(first.folders.values())
    assert (len(second.skipped), second.files) == (1, {})


async def test_a_file_that_fails_does_not_stop_the_others(
    ox: OpenXchange, server: OxEmulator, tree: Path
) -> None:
    """The error says which one failed and why, and what was stored."""
    await ox.infostore.all(folder=FILES)
    server.faults.add(commit_then_drop(), path="*/infostore", at=[1])
    with pytest.raises(
        FolderUploadFailed, match=r"1 of 4 files were not uploaded, the first of them a/ü\.txt"
    ) as caught:
        await ox.infostore.upload_folder(tree, folder=FILES, at_once=1)
    done = caught.value.upload
    assert sorted(done.files) == ["a/b/z.bin", "c/z.bin", "x.txt"]
    assert isinstance(done.failed["a/ü.txt"], OutcomeUnknown)
    again = pickle.loads(pickle.dumps(FolderUploadFailed(FolderUpload(failed={"a": OxError("no")}))))
    assert str(again) == "1 of 1 files were not uploaded, the first of them a: no"


async def test_a_cancelled_upload_leaves_nothing_running(
    ox: OpenXchange, server: OxEmulator, tree: Path
) -> None:
    """Whoever stops waiting stops the files that are on their way."""
    server.faults.add(latency(5), path="*/infostore", probability=1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ox.infostore.upload_folder(tree, folder=FILES), 0.2)
    assert [task for task in asyncio.all_tasks() if "_send" in repr(task.get_coro())] == []


@pytest.mark.parametrize(
    ("options", "says"),
    [({"existing": "replace"}, "existing="), ({"at_once": 0}, "at_once="), ({"at_once": True}, "at_once=")],
)
async def test_an_upload_that_makes_no_sense_is_refused(
    ox: OpenXchange, server: OxEmulator, tree: Path, options: dict[str, Any], says: str
) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidArgument, match=says):
        await ox.infostore.upload_folder(tree, folder=FILES, **options)
    with pytest.raises(InvalidArgument, match="no folder"):
        await ox.infostore.upload_folder(tree / "x.txt", folder=FILES)
    assert list(server.journal.requests) == []
