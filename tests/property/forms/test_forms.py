"""A form that is read back holds what was put in, whatever its names and contents are."""

from __future__ import annotations

from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qsl, unquote

from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.forms import Form, Multipart, Upload

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = TEXTS.filter(lambda name: "\x00" not in name and "%" not in name)


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=8))
def test_a_plain_form_comes_back(fields: list[tuple[str, str]]) -> None:
    """Every field, in order, doubles too."""
    assert parse_qsl(Form(fields).encode().decode(), keep_blank_values=True) == fields


def _read(body: bytes, boundary: str) -> list[tuple[bytes, bytes]]:
    """Head and content of each part, split by the boundary and nothing else."""
    middle, end = body.rsplit(f"--{boundary}--\r\n".encode(), 1)
    assert end == b""
    parts = []
    for part in middle.split(f"--{boundary}\r\n".encode())[1:]:
        head, _, content = part.partition(b"\r\n\r\n")
        assert content.endswith(b"\r\n")
        parts.append((head, content[:-2]))
    return parts


@given(st.lists(st.tuples(NAMES, st.binary(max_size=60), NAMES | st.none()), max_size=5))
async def test_a_form_of_parts_comes_back(parts: list[tuple[str, bytes, str | None]]) -> None:
    """Contents are any bytes, names any characters: no line break of either begins a header."""
    uploads = [(name, Upload(data, filename=file, content_type="a/b")) for name, data, file in parts]
    form = Multipart(uploads)
    body = b"".join([chunk async for chunk in form.chunks()])
    assert len(body) == await form.measure()
    read_parts = _read(body, form.boundary)
    assert [content for _, content in read_parts] == [data for _, data, _ in parts]
    for (head, _), (name, _, file) in zip(read_parts, parts, strict=True):
        lines = head.decode().split("\r\n")
        assert len(lines) == 2
        disposition = unquote(lines[0])
        assert disposition == f'Content-Disposition: form-data; name="{name}"' + (
            "" if file is None else f'; filename="{file}"'
        )


@given(st.lists(st.tuples(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.binary(max_size=60)), min_size=1))
async def test_another_parser_reads_it_too(parts: list[tuple[str, bytes]]) -> None:
    """The standard library's, of e-mail, which has the same format."""
    form = Multipart([(name, Upload(data, filename="f", content_type="a/b")) for name, data in parts])
    body = b"".join([chunk async for chunk in form.chunks()])
    message = BytesParser(policy=HTTP).parsebytes(
        f"Content-Type: {form.content_type}\r\nMIME-Version: 1.0\r\n\r\n".encode() + body
    )
    names = [part.get_param("name", header="content-disposition") for part in message.iter_parts()]
    assert names == [name for name, _ in parts]
