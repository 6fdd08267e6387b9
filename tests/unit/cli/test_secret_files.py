"""Secrets from files: what editors put around them is no part of them, and what is no text is said."""

from __future__ import annotations

import codecs
import io
import sys
from pathlib import Path

import pytest

from zeyos_async.cli.connect import read_secret
from zeyos_async.cli.secret_files import read_stdin_line
from zeyos_async.errors import ConfigurationError

SECRET = "pä ss\twörd=:%"


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r", "\n\n", "\r\n\r\n"])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ],
)
@pytest.mark.parametrize("keep_blanks", [True, False])
def test_a_secret_is_read_as_editors_write_it(
    tmp_path: Path, mark: bytes, encoding: str, end: str, keep_blanks: bool
) -> None:
    """A byte order mark, the line ends of Windows, a line break at the end."""
    path = tmp_path / "secret"
    path.write_bytes(mark + (SECRET + end).encode(encoding))
    assert read_secret(str(path), "the password", keep_blanks=keep_blanks) == SECRET


def test_blanks_are_part_of_a_password_and_of_no_token(tmp_path: Path) -> None:
    """Nobody sees a password's last blank, and the server wants it."""
    path = tmp_path / "secret"
    path.write_bytes(b"  x y \r\n")
    assert read_secret(str(path), "the password", keep_blanks=True) == "  x y "
    assert read_secret(str(path), "the token") == "x y"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b" \r\n\n", "empty"),
        (codecs.BOM_UTF8 + b"\r\n", "empty"),
        ("pässword".encode("latin-1"), "not UTF-8"),
        (codecs.BOM_UTF16_LE + b"x", "not UTF-8"),
        ("x".encode("utf-16-le"), "only line"),
        (b"hush\nand more\n", "only line"),
        (b"hush" * 100_000, "more than"),
    ],
)
def test_what_is_no_secret_is_said_and_not_shown(tmp_path: Path, data: bytes, message: str) -> None:
    """Neither in the message nor in an error behind it."""
    path = tmp_path / "secret"
    path.write_bytes(data)
    with pytest.raises(ConfigurationError, match=message) as caught:
        read_secret(str(path), "the token")
    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.parametrize("path", ["missing", ".", "a\0b"])
def test_a_file_that_can_not_be_read_is_said(path: str) -> None:
    """With the reason."""
    with pytest.raises(ConfigurationError, match="can't be read"):
        read_secret(path, "the token")


def test_each_secret_takes_one_line_of_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """And leaves the others, whoever asks for them."""
    data = codecs.BOM_UTF8 + b"one\r\ntwo\nthree"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="ascii"))
    assert read_secret("-", "the token") == "one"
    assert read_stdin_line() == "two"
    assert read_secret("-", "the password", keep_blanks=True) == "three"
    assert read_stdin_line() == ""
    with pytest.raises(ConfigurationError, match="empty"):
        read_secret("-", "the token")
