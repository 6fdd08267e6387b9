"""Forms on the wire: what RFC 7578 has, and what no name can break out of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zeyos_async.errors import InvalidArgument
from zeyos_async.forms import Form, Multipart, Upload


async def encoded(form: Multipart) -> bytes:
    return b"".join([chunk async for chunk in form.chunks()])


async def test_a_form_byte_by_byte() -> None:
    """Fields and files in the order given, each behind its head."""
    form = Multipart([("json", '{"a":"ü"}'), ("file", Upload(b"x\r\ny", filename="a.txt"))], boundary="B")
    assert form.content_type == "multipart/form-data; boundary=B"
    assert await encoded(form) == (
        b'--B\r\nContent-Disposition: form-data; name="json"\r\n\r\n{"a":"\xc3\xbc"}\r\n'
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n'
        b"x\r\ny\r\n--B--\r\n"
    )


async def test_a_part_without_a_name_of_a_file() -> None:
    """Such as JSON with its type: most servers take it for a field."""
    form = Multipart([("JSON", Upload(b"{}", content_type="application/json"))], boundary="B")
    assert (await encoded(form)).startswith(
        b'--B\r\nContent-Disposition: form-data; name="JSON"\r\nContent-Type: application/json\r\n\r\n{}'
    )


async def test_an_empty_form() -> None:
    """Only its end."""
    assert await encoded(Multipart([], boundary="B")) == b"--B--\r\n"


async def test_boundaries_are_random() -> None:
    """So that no content holds one."""
    assert Multipart([]).boundary != Multipart([]).boundary


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("naïve.txt", "naïve.txt"),
        ("日本.txt", "日本.txt"),
        ('a"b', "a%22b"),
        ("a\r\nX-Evil: 1", "a%0D%0AX-Evil: 1"),
        ("a\\b", "a\\b"),
        ("a;b=c", "a;b=c"),
        ("../a", "../a"),
    ],
)
async def test_names_cannot_break_out(name: str, sent: str) -> None:
    """UTF-8 as it is; a quote and line breaks as browsers send them."""
    form = Multipart([(name, Upload(b"", filename=name, content_type="a/b"))], boundary="B")
    head = (await encoded(form)).decode().split("\r\n\r\n")[0]
    assert head.split("\r\n") == [
        "--B",
        f'Content-Disposition: form-data; name="{sent}"; filename="{sent}"',
        "Content-Type: a/b",
    ]


@pytest.mark.parametrize(
    "parts",
    [
        [("a\x00", "b")],
        [("a", Upload(b"", filename="b\x00"))],
        [("a", Upload(b"", filename="\udcff"))],
        [("a", Upload(b"", content_type="a/b\r\nX-Evil: 1"))],
        [("a", Upload(b"", content_type=""))],
        [("a", b"bytes")],
        [("a", 7)],
    ],
)
def test_what_no_form_can_hold(parts: Any) -> None:
    """It is told when the form is made, and not while it is sent."""
    with pytest.raises(InvalidArgument):
        Multipart(parts)


@pytest.mark.parametrize("boundary", ["", "a b", "a\r\nb", "x" * 71, 'a"b'])
def test_what_no_boundary_can_be(boundary: str) -> None:
    """It stands in a header."""
    with pytest.raises(InvalidArgument):
        Multipart([], boundary=boundary)


async def _pieces() -> Any:
    yield b"abc"


async def test_a_form_knows_its_length_if_its_parts_do(tmp_path: Path) -> None:
    """Then the server is told; else it is sent in chunks."""
    file = tmp_path / "a"
    file.write_bytes(b"abc")
    measurable = Multipart([("a", "b"), ("c", Upload(file)), ("d", Upload(_pieces(), size=3))])
    assert await measurable.measure() == len(await encoded(measurable))
    assert await Multipart([("a", "b"), ("d", Upload(_pieces()))]).measure() is None


async def test_a_form_can_be_sent_again_if_its_parts_can() -> None:
    """An iterator in it can't, once it was begun."""
    form = Multipart([("a", Upload(b"b")), ("c", Upload(_pieces()))])
    assert form.replayable
    await encoded(form)
    assert not form.replayable
    assert Multipart([("a", Upload(b"b"))]).replayable


async def test_progress_counts_the_whole_form() -> None:
    """And each upload in it counts its own, for whoever asks for that."""
    whole: list[tuple[int, int | None]] = []
    part: list[tuple[int, int | None]] = []
    upload = Upload(b"abc", on_progress=lambda sent, total: part.append((sent, total)))
    form = Multipart([("a", upload)], on_progress=lambda sent, total: whole.append((sent, total)))
    size = len(await encoded(form))
    assert part == [(3, 3)]
    assert whole[-1] == (size, size)
    assert [sent for sent, _ in whole] == sorted(sent for sent, _ in whole)


def test_a_plain_form_is_encoded() -> None:
    """Fields in one line, in UTF-8; a repr shows the names only."""
    form = Form({"name": "jäne", "password": "a b&c=d"})
    assert form.encode() == b"name=j%C3%A4ne&password=a+b%26c%3Dd"
    assert form.content_type == "application/x-www-form-urlencoded"
    assert repr(form) == "Form(fields=<name, password>)"
    assert Form([("a", "1"), ("a", "2")]).encode() == b"a=1&a=2"


@pytest.mark.parametrize("fields", [{"a": 1}, {"a": None}, [("a", b"b")]])
def test_a_plain_form_holds_texts(fields: Any) -> None:
    """A number is written by who knows how."""
    with pytest.raises(InvalidArgument, match="must be a text"):
        Form(fields)
