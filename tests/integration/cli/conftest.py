"""An emulator in a thread, and the command run beside it."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from zeyos_async.cli import main
from zeyos_async.testing import ZeyosEmulator, emulate_zeyos

T = TypeVar("T")


class Served:
    """An emulator in a thread of its own; whatever touches its rows has to run there.

    A request that a client gave up may still be in the database, which two threads can't share.
    """

    def __init__(self, emulator: ZeyosEmulator, loop: asyncio.AbstractEventLoop) -> None:
        self.emulator = emulator
        self.loop = loop
        self.url = emulator.url
        self.credentials = emulator.credentials
        self.faults = emulator.faults

    def there(self, work: Callable[..., T], *args: Any) -> T:
        """Call it in the emulator's thread."""

        async def call() -> T:
            return work(*args)

        return asyncio.run_coroutine_threadsafe(call(), self.loop).result(30)

    def rows(self, entity: str) -> list[dict[str, Any]]:
        """All records of an entity, as the API would show them."""
        return self.there(self.emulator.rows, entity)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """An emulator that runs in a loop of its own: the command blocks this thread."""
    started = threading.Event()
    emulators: list[ZeyosEmulator] = []
    loop = asyncio.new_event_loop()
    done = asyncio.Event()

    async def serve() -> None:
        async with emulate_zeyos(rows={"accounts": 1500}, seed=5) as emulator:
            emulators.append(emulator)
            started.set()
            await done.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    started.wait(30)
    yield Served(emulators[0], loop)
    loop.call_soon_threadsafe(done.set)
    thread.join()
    loop.close()


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user who has signed in nowhere, in a project of that user."""
    path = tmp_path_factory.mktemp("home")
    (path / "project").mkdir()
    monkeypatch.setenv("HOME", str(path))
    monkeypatch.chdir(path / "project")
    return path


@pytest.fixture
def emulator(served: Served, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The emulator, with the environment that leads to it."""
    for name in [name for name in os.environ if name.startswith("ZEYOS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ZEYOS_BASE_URL", served.url)
    monkeypatch.setenv("ZEYOS_TOKEN", served.there(served.emulator.token))
    yield served
    served.faults.clear()


class Outcome:
    """What a command line did."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err


@pytest.fixture
def run(emulator: Served, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Runs a command line in this process."""

    def call(*argv: str) -> Outcome:
        capsys.readouterr()
        code = main(argv)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call
