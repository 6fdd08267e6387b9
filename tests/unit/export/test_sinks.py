"""Files that are there when they are complete, and not before."""

from __future__ import annotations

import gzip
import os
import stat
from io import BytesIO
from pathlib import Path

import pytest

from zeyos_async.errors import InvalidArgument
from zeyos_async.export.sinks import FileSink, GzipSink, choose_sink
from zeyos_async.export.stream_sink import StreamSink


def test_the_name_appears_at_the_end(tmp_path: Path) -> None:
    """Until then an older file keeps its content."""
    path = tmp_path / "a.csv"
    path.write_text("old")
    sink = FileSink(path)
    sink.open()
    sink.write(b"new")
    assert path.read_text() == "old"
    sink.commit()
    assert path.read_text() == "new"
    assert sink.written == 3
    assert os.listdir(tmp_path) == ["a.csv"]


@pytest.mark.parametrize("opened", [True, False])
def test_an_abort_leaves_nothing_behind(tmp_path: Path, opened: bool) -> None:
    """Neither the file nor its part, and an abort without an open is fine."""
    sink = FileSink(tmp_path / "a.csv")
    if opened:
        sink.open()
        sink.write(b"half")
    sink.abort()
    sink.abort()
    assert os.listdir(tmp_path) == []


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """What it leads to is replaced."""
    real = tmp_path / "real.csv"
    real.write_text("old")
    link = tmp_path / "link.csv"
    link.symlink_to(real)
    sink = FileSink(link)
    sink.open()
    sink.write(b"new")
    sink.commit()
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_the_rights_are_those_of_the_older_file_or_of_any_new_one(tmp_path: Path) -> None:
    """A file that only its owner may read does not become readable by an export."""
    path = tmp_path / "a.csv"
    path.write_text("old")
    path.chmod(0o600)
    plain = tmp_path / "plain"
    plain.write_text("")
    for name in ("a.csv", "b.csv"):
        sink = FileSink(tmp_path / name)
        sink.open()
        sink.commit()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (tmp_path / "b.csv").stat().st_mode == plain.stat().st_mode


def test_a_very_long_name_still_has_room_for_its_part(tmp_path: Path) -> None:
    """File systems take names of 255 bytes."""
    path = tmp_path / ("ö" * 125 + ".csv")
    sink = FileSink(path)
    sink.open()
    sink.commit()
    assert path.exists()


def test_gzip_gives_the_same_bytes_each_time_and_all_that_was_written(tmp_path: Path) -> None:
    """No time stamp and no name in the header."""
    bodies = []
    for name in ("a", "b"):
        sink = GzipSink(FileSink(tmp_path / name))
        sink.open()
        for _ in range(3):
            sink.write(b"some text " * 1000)
        sink.commit()
        bodies.append((tmp_path / name).read_bytes())
        assert sink.written == len(bodies[-1])
    assert bodies[0] == bodies[1]
    assert gzip.decompress(bodies[0]) == b"some text " * 3000


def test_a_given_stream_is_written_to_and_left_open() -> None:
    """It is not ours to close."""
    stream = BytesIO()
    sink = choose_sink(stream)
    sink.open()
    sink.write(b"x")
    sink.commit()
    assert stream.getvalue() == b"x"
    assert not stream.closed


def test_a_device_is_written_to_and_not_replaced() -> None:
    """Even by a user who could replace it."""
    sink = choose_sink(os.devnull)
    assert isinstance(sink, StreamSink)
    sink.open()
    sink.write(b"x")
    sink.commit()
    assert not Path(os.devnull).is_file()


@pytest.mark.parametrize("target", [None, 7, object(), ["a.csv"]])
def test_a_target_of_another_type_is_refused(target: object) -> None:
    """With what would do."""
    with pytest.raises(InvalidArgument, match="a path, '-', or a file"):
        choose_sink(target)


def test_a_file_open_for_text_is_refused(tmp_path: Path) -> None:
    """Bytes can't be written to it."""
    with (tmp_path / "a.csv").open("w") as stream, pytest.raises(InvalidArgument, match="writing bytes"):
        choose_sink(stream)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    """Before anything is opened."""
    with pytest.raises(InvalidArgument, match="is a folder"):
        choose_sink(tmp_path)
