"""The name that a server suggests for a file, and the name that it gets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.services.ox.files.names import find_filename, make_safe_name


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="report.pdf"', "report.pdf"),
        ("attachment; filename=report.pdf", "report.pdf"),
        ('inline;filename="a;b.txt"; size=12', "a;b.txt"),
        (r'attachment; filename="say \"hi\".txt"', "say _hi_.txt"),
        ("attachment; filename*=UTF-8''na%C3%AFve.txt; filename=\"naive.txt\"", "naïve.txt"),
        ("attachment; filename=\"x.txt\"; filename*=iso-8859-1'en'%A3.txt", "£.txt"),
        ("attachment; filename*=koi8-r''x; filename=plain.txt", "plain.txt"),
        ("attachment; filename*=UTF-8''%FF.txt; filename=plain.txt", "plain.txt"),
        ('attachment; filename="naïve.txt"', "naïve.txt"),
        (b'attachment; filename="na\xefve.txt"'.decode("utf-8", "surrogateescape"), "naïve.txt"),
        ('attachment; FILENAME="A.TXT"', "A.TXT"),
        ('attachment; filename="first"; filename="second"', "first"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ("attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", "passwd"),
        ('attachment; filename=""', None),
        ("attachment", None),
        ("", None),
        (None, None),
    ],
)
def test_the_name_is_read_as_rfc_6266_has_it(disposition: str | None, name: str | None) -> None:
    """The form with a charset counts most; what can't be read counts nothing."""
    assert find_filename(disposition) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("C:\\Users\\me\\evil.exe", "evil.exe"),
        ("..", None),
        (".", None),
        ("/", None),
        ("folder/", None),
        (".bashrc", "bashrc"),
        ("a\x00b\nc.txt", "abc.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("name. . ", "name"),
        ("CON", "_CON"),
        ("lpt1.txt", "_lpt1.txt"),
        ("console.txt", "console.txt"),
        ("stream:secret", "stream_secret"),
        ("é.txt".encode().decode(), "é.txt"),
        ("e\u0301.txt", "é.txt"),
        ("family 👨‍👩‍👧.png", "family 👨‍👩‍👧.png"),
    ],
)
def test_a_safe_name_leaves_no_folder_and_hides_nothing(text: str, name: str | None) -> None:
    """Folders, leading dots and marks of direction go; what people wrote stays."""
    assert make_safe_name(text) == name


def test_long_names_lose_their_middle_and_keep_their_suffix() -> None:
    """A program that opens the file goes by the suffix."""
    name = make_safe_name("ü" * 300 + ".tar.gz")
    assert name is not None
    assert name.endswith(".gz")
    assert len(name.encode()) <= 200


@given(st.text(max_size=300))
def test_no_text_makes_a_name_that_is_not_safe(text: str) -> None:
    """Whatever a server sends: a name is one part of a path, of bounded length, and safe already."""
    name = make_safe_name(text)
    if name is not None:
        assert not set(name) & set('/\\<>:"|?*\x00\r\n')
        assert name[0] not in ". "
        assert name[-1] not in ". "
        assert 0 < len(name.encode()) <= 205
        assert make_safe_name(name) == name
