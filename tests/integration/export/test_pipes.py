"""Exports into pipes, terminals and sockets that nobody reads: they end when they are cancelled, and lose nothing else."""

from __future__ import annotations

import asyncio
import fcntl
import gzip
import io
import json
import os
import pty
import socket
import threading
import tty
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from zeyos_async.errors import InvalidArgument
from zeyos_async.export import RowPages, export
from zeyos_async.schema import Kind

ROWS = 40
TEXT = "x" * 10_000


async def pages() -> AsyncIterator[list[Mapping[str, Any]]]:
    for number in range(ROWS):
        yield [{"ID": number, "text": TEXT}]


SOURCE = RowPages(columns={"ID": Kind.INTEGER, "text": Kind.TEXT}, pages=pages)  # type: ignore[arg-type]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def pipe(stack: ExitStack, folder: Path) -> tuple[Any, int]:
    read_end, write_end = os.pipe()
    stack.callback(os.close, read_end)
    return stack.enter_context(os.fdopen(write_end, "wb")), read_end


def unbuffered_pipe(stack: ExitStack, folder: Path) -> tuple[Any, int]:
    read_end, write_end = os.pipe()
    stack.callback(os.close, read_end)
    return stack.enter_context(os.fdopen(write_end, "wb", buffering=0)), read_end


def pipe_that_does_not_block(stack: ExitStack, folder: Path) -> tuple[Any, int]:
    stream, read_end = pipe(stack, folder)
    fcntl.fcntl(
        stream.fileno(), fcntl.F_SETFL, os.O_NONBLOCK
    )  # as another process that shares it may have it
    return stream, read_end


def named_pipe(stack: ExitStack, folder: Path) -> tuple[Any, int]:
    os.mkfifo(folder / "pipe")
    read_end = os.open(folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(read_end, True)
    stack.callback(os.close, read_end)
    return folder / "pipe", read_end


def terminal(stack: ExitStack, folder: Path) -> tuple[Any, int]:
    main_end, its_end = pty.openpty()
    stack.callback(os.close, main_end)
    tty.setraw(its_end)
    return stack.enter_context(os.fdopen(its_end, "wb")), main_end


def socket_file(stack: ExitStack, folder: Path) -> tuple[Any, int]:
    one, other = socket.socketpair()
    stack.enter_context(one)
    stack.enter_context(other)
    return stack.enter_context(one.makefile("wb")), other.fileno()


TARGETS = [pipe, unbuffered_pipe, pipe_that_does_not_block, named_pipe, terminal, socket_file]
MakeTarget = Callable[[ExitStack, Path], tuple[Any, int]]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("make_target", TARGETS)
async def test_an_export_that_nobody_reads_ends_on_cancellation(
    stack: ExitStack, tmp_path: Path, make_target: MakeTarget, form: str
) -> None:
    """Its thread too: nothing is written afterwards, and nothing holds up the end of the process."""
    target, _ = make_target(stack, tmp_path)
    task = asyncio.create_task(export(SOURCE, target, format=form))
    await asyncio.sleep(0.3)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)
    writers = [thread for thread in threading.enumerate() if thread.name.startswith("zeyos_async.export")]
    assert not any(map(_runs, writers))


def _runs(thread: threading.Thread) -> bool:
    thread.join(5)
    return thread.is_alive()


async def test_a_named_pipe_that_nobody_opens_ends_on_cancellation(tmp_path: Path) -> None:
    """Opening it waits for a reader."""
    os.mkfifo(tmp_path / "pipe")
    task = asyncio.create_task(export(SOURCE, tmp_path / "pipe", format="jsonl"))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)
    assert os.listdir(tmp_path) == ["pipe"]


async def test_a_named_pipe_that_is_opened_later_gets_everything(tmp_path: Path) -> None:
    """As with cat, which may be started after the export."""
    os.mkfifo(tmp_path / "pipe")
    task = asyncio.create_task(export(SOURCE, tmp_path / "pipe", format="jsonl.gz"))
    await asyncio.sleep(0.2)
    data = await asyncio.to_thread((tmp_path / "pipe").read_bytes)
    assert (await task).rows == ROWS
    assert [json.loads(line)["ID"] for line in gzip.decompress(data).splitlines()] == list(range(ROWS))


async def test_a_socket_in_the_file_system_is_refused(tmp_path: Path) -> None:
    """It says the same as a pipe without a reader, and never gets one."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        with pytest.raises(OSError, match="socket"):
            await asyncio.wait_for(export(SOURCE, tmp_path / "socket", format="jsonl"), 10)


@pytest.mark.parametrize("make_target", TARGETS)
async def test_a_slow_reader_gets_every_byte_once(
    stack: ExitStack, tmp_path: Path, make_target: MakeTarget
) -> None:
    """After what was written to the stream before, in its order."""
    target, read_end = make_target(stack, tmp_path)
    received = bytearray()

    def read() -> None:
        while not received.endswith(b"the end\n"):
            received.extend(os.read(read_end, 3000))

    before = b"" if isinstance(target, Path) else b"before\n"
    if before:
        target.write(before)
    reading = asyncio.create_task(asyncio.to_thread(read))
    await export(SOURCE, target, format="jsonl")
    if isinstance(target, Path):
        with target.open("wb") as stream:
            stream.write(b"the end\n")
    else:
        assert not target.closed
        target.write(b"the end\n")
        target.flush()
    await asyncio.wait_for(reading, 20)
    rows = b"".join(b'{"ID":%d,"text":"%s"}\n' % (number, TEXT.encode()) for number in range(ROWS))
    assert bytes(received) == before + rows + b"the end\n"


@pytest.mark.parametrize("make_target", TARGETS[:4])
async def test_a_reader_that_goes_away_is_a_broken_pipe(tmp_path: Path, make_target: MakeTarget) -> None:
    """Whether the export waits for it at that moment or not."""
    with ExitStack() as stack:
        target, read_end = make_target(stack, tmp_path)
        spare = os.dup(read_end)
        task = asyncio.create_task(export(SOURCE, target, format="jsonl"))
        await asyncio.sleep(0.2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), read_end)
        os.close(spare)
        with pytest.raises(BrokenPipeError):
            await asyncio.wait_for(task, 10)


async def test_an_error_of_the_source_is_raised_though_nobody_reads(stack: ExitStack, tmp_path: Path) -> None:
    """The write that waits is ended, and the error is the source's."""

    async def failing() -> AsyncIterator[list[Mapping[str, Any]]]:
        yield [{"ID": 1, "text": "x" * 1_000_000}]
        await asyncio.sleep(0.2)
        raise ZeroDivisionError

    target, _ = pipe(stack, tmp_path)
    source = RowPages(columns=SOURCE.columns, pages=failing)  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(export(source, target), 10)


@pytest.mark.parametrize("opener", [gzip.open, open])
async def test_a_class_that_has_a_descriptor_gets_the_bytes_itself(opener: Any, tmp_path: Path) -> None:
    """One that compresses would be bypassed otherwise."""
    with opener(tmp_path / "a", "wb") as stream:
        await export(SOURCE, stream, format="jsonl")
    with opener(tmp_path / "a", "rb") as stream:
        assert len(stream.readlines()) == ROWS


async def test_a_class_that_says_nothing_about_what_it_wrote_took_all() -> None:
    """As many classes with a write method do."""
    parts: list[bytes] = []

    class Target:
        def write(self, data: bytes) -> None:
            parts.append(bytes(data))

        def flush(self) -> None:
            pass

    target: Any = Target()
    await export(SOURCE, target, format="jsonl")
    assert len(b"".join(parts).splitlines()) == ROWS


@pytest.mark.parametrize("stdout", [None, io.StringIO()])
async def test_a_standard_output_that_takes_no_bytes_is_said(
    monkeypatch: pytest.MonkeyPatch, stdout: Any
) -> None:
    """As in a program without a console."""
    monkeypatch.setattr("sys.stdout", stdout)
    with pytest.raises(InvalidArgument, match="standard output"):
        await export(SOURCE, "-")
