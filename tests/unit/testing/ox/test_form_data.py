"""Multipart bodies and headers with parameters."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.testing.ox.form_data import parse_media_type, read_parts

BOUNDARY = "b-o-u-n-d"


CONTENTS = st.lists(
    st.binary(max_size=50).filter(lambda content: f"\r\n--{BOUNDARY}".encode() not in content), max_size=4
)


@given(CONTENTS)
def test_parts_come_as_they_went(contents: list[bytes]) -> None:
    """Whatever their bytes, line ends at either end included."""
    pieces = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="p{place}"; filename="ä;\\"{place}"\r\n\r\n'.encode()
        + content
        + b"\r\n"
        for place, content in enumerate(contents)
    ]
    body = b"".join(pieces) + f"--{BOUNDARY}--\r\n".encode()
    parts = list(read_parts(body, BOUNDARY))
    assert [part.content for part in parts] == contents
    assert [(part.name, part.filename) for part in parts] == [
        (f"p{n}", f'ä;"{n}') for n in range(len(contents))
    ]


@pytest.mark.parametrize("body", [b"", b"--b\r\n\r\nx", b"--b\r\nno head--b--", b"--c\r\n\r\nx\r\n--c--"])
def test_multipart_bodies_without_an_end_are_refused(body: bytes) -> None:
    """Are none."""
    with pytest.raises(ValueError, match="end"):
        list(read_parts(body, "b"))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("application/JSON; charset=utf-8", ("application/json", {"charset": "utf-8"})),
        ("form-data; name=a; filename*=UTF-8''%C3%A4.txt", ("form-data", {"name": "a", "filename": "ä.txt"})),
        ("", ("", {})),
    ],
)
def test_headers_with_parameters(header: str, expected: Any) -> None:
    """Also such as RFC 2231 writes."""
    assert parse_media_type(header) == expected
