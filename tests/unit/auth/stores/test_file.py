"""Token files: who may read them, which are refused, and what a crash leaves behind."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import stat
import subprocess
import sys

import pytest

from tests.unit.auth.stores.store_values import KEY, TOKENS
from zeyos_async.auth import Credential, FileStore
from zeyos_async.errors import ConfigurationError


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


async def test_files_are_for_their_owner_only(tmp_path):
    """The file, the lock files, and the folders that are made; whatever the umask."""
    before = os.umask(0)
    try:
        store = FileStore(tmp_path / "deep" / "deeper" / "tokens.json")
        async with store.lock(KEY):
            await store.save(KEY, TOKENS)
    finally:
        os.umask(before)
    assert mode_of(store.path) == 0o600
    assert [mode_of(folder) for folder in (store.path.parent, store.path.parent.parent)] == [0o700, 0o700]
    others = [path for path in store.path.parent.iterdir() if path != store.path]
    assert all(path.name.endswith(".lock") and path.stat().st_size == 0 for path in others)
    assert {mode_of(path) for path in others} == {0o600}


async def test_a_file_is_private_from_its_first_moment(tmp_path, monkeypatch):
    """No instant at which others could open it: it is opened with the mode that it keeps."""
    opened = []
    real = os.open
    monkeypatch.setattr(
        os,
        "open",
        lambda path, flags, mode=0o777, **rest: opened.append((path, flags, mode)) or real(path, flags, mode),
    )
    before = os.umask(0)
    try:
        await FileStore(tmp_path / "tokens.json").save(KEY, TOKENS)
    finally:
        os.umask(before)
    created = [(flags, mode) for _, flags, mode in opened if flags & os.O_CREAT]
    assert created
    assert all(mode == 0o600 for _, mode in created)


async def test_a_folder_as_the_path_of_a_store(tmp_path):
    """The file in it has a name of its own."""
    store = FileStore(tmp_path)
    await store.save(KEY, TOKENS)
    assert (tmp_path / "tokens.json").is_file()
    assert await FileStore(tmp_path / "tokens.json").load(KEY) == TOKENS


def _make_link(path):
    target = path.with_name("target")
    target.write_text('{"version": 1, "credentials": {}}')
    target.chmod(0o600)
    path.symlink_to(target)


def _make_readable(path):
    path.write_text('{"version": 1, "credentials": {}}')
    path.chmod(0o640)


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (_make_link, "symbolic link"),
        (lambda path: path.symlink_to("nowhere"), "symbolic link"),
        (_make_readable, "chmod 600"),
        (os.mkfifo, "no regular file"),
        (lambda path: (path.write_bytes(b"\xff"), path.chmod(0o600)), "not UTF-8"),
    ],
)
async def test_files_that_are_refused(tmp_path, prepare, words):
    """Neither read nor written, and the error says what to do."""
    path = tmp_path / "tokens.json"
    prepare(path)
    for use in (FileStore(path).load(KEY), FileStore(path).save(KEY, TOKENS)):
        with pytest.raises(ConfigurationError, match=words):
            await use


async def test_a_folder_that_anyone_may_write_to(tmp_path):
    """There, others could replace the file; with the sticky bit they can't."""
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(ConfigurationError, match="chmod o-w"):
        await FileStore(folder / "tokens.json").save(KEY, TOKENS)
    folder.chmod(0o1777)
    await FileStore(folder / "tokens.json").save(KEY, TOKENS)


async def test_a_path_that_can_not_hold_a_file(tmp_path):
    """A file where a folder should be."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="can't be"):
        await FileStore(tmp_path / "file" / "tokens.json").save(KEY, TOKENS)
    with pytest.raises(ConfigurationError, match="not the path"):
        FileStore(5)


CRASH = """
import asyncio, os, sys
from zeyos_async.auth import Credential, FileStore
step, path = sys.argv[1:]
def die(*args, **options): os._exit(9)
setattr(os, step, die)
asyncio.run(FileStore(path).save("key", Credential(secret="new-token", info={"long": "x" * 100_000})))
"""


@pytest.mark.parametrize(("step", "secret"), [("fsync", "old-token"), ("replace", "old-token")])
async def test_a_crash_in_the_middle_of_a_write(tmp_path, step, secret):
    """Leaves the file as it was, and does not stand in the way of the next write."""
    store = FileStore(tmp_path / "tokens.json")
    await store.save("key", Credential(secret="old-token"))
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", CRASH, step, str(store.path)], timeout=60, check=False
    )
    assert done.returncode == 9
    assert await store.load("key") == Credential(secret=secret)
    await store.save("key", Credential(secret="newer-token"))
    assert await store.load("key") == Credential(secret="newer-token")
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".new")]


def _save_many(path, name):
    async def save():
        for number in range(15):
            await FileStore(path).save(f"{name}-{number}", Credential(secret=f"{name}-{number}"))

    asyncio.run(save())


async def test_processes_that_write_at_once_lose_nothing(tmp_path):
    """Each has keys of its own in the same file."""
    context = multiprocessing.get_context("spawn")
    path = tmp_path / "tokens.json"
    processes = [context.Process(target=_save_many, args=(path, f"p{number}")) for number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        await asyncio.to_thread(process.join, 60)
        assert process.exitcode == 0
    credentials = json.loads(path.read_text())["credentials"]
    assert len(credentials) == 45
