"""Locks between processes: one holder at a time, and given back however a holder or a waiter ends."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
import threading
from contextlib import AsyncExitStack

import pytest

from tests.unit.auth.stores.store_values import KEY
from zeyos_async.auth import FileStore
from zeyos_async.auth.stores import file_locks
from zeyos_async.auth.stores.file_locks import hold_lock, hold_lock_in_thread
from zeyos_async.errors import ConfigurationError, NotSent


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / ".tokens.json.lock"


async def assert_free(path):
    """Check that the lock can be taken at once, by a task and by a thread."""
    async with asyncio.timeout(5), hold_lock(path, patience=0.0):
        pass
    with hold_lock_in_thread(path, patience=0.0):
        pass


async def test_a_lock_that_is_never_given_back(tmp_path):
    """Patience ends, with an error that says what to look at; nothing was sent."""
    async with FileStore(tmp_path / "tokens.json").lock(KEY):
        with pytest.raises(NotSent, match="stuck"):
            async with FileStore(tmp_path / "tokens.json", patience=0.05).lock(KEY):
                pass


async def test_tasks_and_threads_exclude_each_other(path):
    """Though both are in one process, and each of them makes a lock of its own."""
    async with hold_lock(path, patience=1.0):
        with pytest.raises(NotSent), hold_lock_in_thread(path, patience=0.0):
            pass
        with pytest.raises(NotSent):
            async with hold_lock(path, patience=0.0):
                pass
    with hold_lock_in_thread(path, patience=0.0), pytest.raises(NotSent):
        async with hold_lock(path, patience=0.0):
            pass
    await assert_free(path)


async def test_a_lock_is_not_reentrant(path):
    """A holder that wants it once more waits like anyone else; its own hold does not end by that."""
    async with hold_lock(path, patience=1.0):
        for _ in range(2):
            with pytest.raises(NotSent):
                async with hold_lock(path, patience=0.01):
                    pass


async def test_a_waiter_that_is_cancelled_in_the_thread_that_prepares(path, monkeypatch):
    """The thread goes on, and takes no lock."""
    gate, prepared = threading.Event(), threading.Event()
    real = file_locks._prepare_lock

    def prepare_slowly(path):
        gate.wait(5)
        lock = real(path)
        prepared.set()
        return lock

    monkeypatch.setattr(file_locks, "_prepare_lock", prepare_slowly)

    async def hold():
        async with hold_lock(path, patience=5.0):
            raise AssertionError("it was cancelled before")

    task = asyncio.create_task(hold())
    await asyncio.sleep(0.02)
    task.cancel()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(prepared.wait, 5)
    await assert_free(path)


@pytest.mark.parametrize("contended", [False, True], ids=["free", "held by another"])
@pytest.mark.parametrize("steps", range(8))
async def test_a_waiter_that_is_cancelled_at_any_step(path, contended, steps):
    """While it prepares, waits, or holds the lock: in the end nobody holds it."""
    async with AsyncExitStack() as holder:
        if contended:
            await holder.enter_async_context(hold_lock(path, patience=1.0))
        inside = asyncio.Event()

        async def hold():
            async with hold_lock(path, patience=30.0):
                inside.set()
                await asyncio.sleep(30)

        task = asyncio.create_task(hold())
        for _ in range(steps):
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not (contended and inside.is_set())
    await assert_free(path)


async def test_waiters_occupy_no_threads_and_not_the_event_loop(path):
    """More of them than the executor has threads; work in threads and on the loop goes on meanwhile."""
    count = 60
    async with hold_lock(path, patience=1.0):

        async def wait():
            async with hold_lock(path, patience=60.0):
                pass

        waiters = [asyncio.create_task(wait()) for _ in range(count)]
        await asyncio.sleep(0.3)
        async with asyncio.timeout(5):
            for _ in range(20):
                await asyncio.to_thread(int)
                await asyncio.sleep(0)
        assert not any(task.done() for task in waiters)
        for task in waiters[10:]:
            task.cancel()
    async with asyncio.timeout(30):
        results = await asyncio.gather(*waiters, return_exceptions=True)
    assert results[:10] == [None] * 10
    assert all(isinstance(result, asyncio.CancelledError) for result in results[10:])
    await assert_free(path)


async def test_a_lock_may_be_released_in_another_thread(path):
    """A holder is the block of code, and not the thread that it began in."""
    context = hold_lock_in_thread(path, patience=0.0)
    await asyncio.to_thread(context.__enter__)
    context.__exit__(None, None, None)
    await assert_free(path)


async def test_lock_files_are_private_and_stay(path):
    """If one was removed, those who wait for it and those who come later would hold two locks."""
    umask = os.umask(0)
    try:
        async with hold_lock(path, patience=0.0):
            inode = path.stat().st_ino
    finally:
        os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    await assert_free(path)
    assert (path.stat().st_ino, path.stat().st_size) == (inode, 0)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


async def test_a_lock_file_that_is_a_link_is_refused(path):
    """Somebody else could have put it there, to have another file opened."""
    path.parent.mkdir()
    path.symlink_to(path.with_name("elsewhere"))
    with pytest.raises(ConfigurationError, match="symbolic link"):
        async with hold_lock(path, patience=0.0):
            pass
    with pytest.raises(ConfigurationError, match="symbolic link"), hold_lock_in_thread(path, patience=0.0):
        pass
    assert not path.with_name("elsewhere").exists()


async def test_a_lock_file_whose_folder_can_not_be_made(tmp_path):
    """A file stands where the folder should be; the error names the lock file."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"x\.lock can't be locked"):
        async with hold_lock(tmp_path / "file" / "x.lock", patience=0.0):
            pass


@pytest.mark.skipif(sys.platform == "win32", reason="flock is of POSIX")
async def test_versions_before_filelock_share_the_lock(path):
    """They locked the same file by ``flock``, and may run beside this one."""
    import fcntl

    path.parent.mkdir()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with pytest.raises(NotSent):
            async with hold_lock(path, patience=0.02):
                pass
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        async with hold_lock(path, patience=0.0):
            with pytest.raises(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(descriptor)


# -- processes -------------------------------------------------------------------------------------

HOLD = """
import asyncio, os, sys
from zeyos_async.auth import FileStore

async def main():
    async with FileStore(sys.argv[1]).lock("key"):
        print("locked", flush=True)
        if sys.argv[2] == "exit":
            os._exit(9)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("end", ["exit", "kill"])
async def test_a_process_that_dies_gives_its_lock_back(tmp_path, end):
    """However it dies; the lock file stays."""
    path = tmp_path / "tokens.json"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD, str(path), end, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert await asyncio.wait_for(process.stdout.readline(), 60) == b"locked\n"
        if end == "kill":
            with pytest.raises(NotSent):
                async with FileStore(path, patience=0.05).lock("key"):
                    pass
            process.kill()
    finally:
        await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == (9 if end == "exit" else -9)
    async with asyncio.timeout(5), FileStore(path).lock("key"):
        pass


FORK = """
import os, pathlib, sys, time
from zeyos_async.auth.stores.file_locks import hold_lock_in_thread
path = pathlib.Path(sys.argv[1])
with hold_lock_in_thread(path, patience=0.0):
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
try:
    with hold_lock_in_thread(path, patience=5.0):
        print("free")
finally:
    os.kill(child, 9)
    os.waitpid(child, 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
async def test_a_child_that_was_forked_meanwhile_does_not_keep_the_lock(path):
    """It has inherited the open file, so that closing it in the parent alone would not do."""
    result = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", FORK, str(path)],
        timeout=60,
        check=False,
        capture_output=True,
        text=True,
    )
    assert (result.stdout, result.returncode) == ("free\n", 0), result.stderr
