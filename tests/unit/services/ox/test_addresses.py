"""Addresses of mails: what people write, and what is sent."""

from __future__ import annotations

from email import message_from_bytes, policy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.errors import InvalidArgument
from zeyos_async.services.ox.modules._addresses import format_header, parse_addresses


@pytest.mark.parametrize(
    ("written", "pairs"),
    [
        (None, []),
        ("", []),
        ([], []),
        ("jane@example.com", [(None, "jane@example.com")]),
        ("Jane Doe <jane@example.com>", [("Jane Doe", "jane@example.com")]),
        (
            '"Doe, Jane" <jane@example.com>, max@example.com',
            [("Doe, Jane", "jane@example.com"), (None, "max@example.com")],
        ),
        (["a@b.de", "B <b@b.de>"], [(None, "a@b.de"), ("B", "b@b.de")]),
        (
            [("Jörg", "j@b.de"), (None, "k@b.de"), ("", " l@b.de ")],
            [("Jörg", "j@b.de"), (None, "k@b.de"), (None, "l@b.de")],
        ),
        (("a@b.de", "c@d.de"), [(None, "a@b.de"), (None, "c@d.de")]),
        (iter(["a@b.de"]), [(None, "a@b.de")]),
    ],
)
def test_addresses_are_read_as_people_write_them(written: Any, pairs: list[tuple[str | None, str]]) -> None:
    """One text with commas, a list of texts, a list of pairs."""
    assert parse_addresses(written, "to") == pairs


@pytest.mark.parametrize(
    "written",
    [
        "jane", "jane@", "@example.com", "Jane <jane>", ("Jane", "jane@example.com"), 7, [7], [("Jane", None)],
        [("Jane", "jane@example.com", "x")], "a@b.de\r\nBcc: c@d.de", [("x\r\nBcc: y", "a@b.de")], [(1, "a@b.de")],
    ],
)  # fmt: skip
def test_texts_that_are_no_address_are_refused(written: Any) -> None:
    """A message that lacks one of its recipients would be worse than none; nobody adds headers by a name."""
    with pytest.raises(InvalidArgument, match="to"):
        parse_addresses(written, "to")


@pytest.mark.parametrize(
    ("pairs", "header"),
    [
        ([(None, "a@b.de")], "a@b.de"),
        ([("A", "a@b.de"), (None, "c@d.de")], "A <a@b.de>,\r\n c@d.de"),
        ([("Doe, Jane", "a@b.de")], '"Doe, Jane" <a@b.de>'),
        ([("Ä", "a@bücher.de")], "=?utf-8?b?w4Q=?= <a@xn--bcher-kva.de>"),
    ],
)
def test_the_header_is_ascii(pairs: list[tuple[str | None, str]], header: str) -> None:
    """Names are encoded words, and domains are as DNS has them."""
    assert format_header(pairs, "to") == header


def test_an_address_that_has_no_form_is_refused() -> None:
    """The part before the @ has none unless every server on the way agrees."""
    with pytest.raises(InvalidArgument, match="jörg"):
        format_header([(None, "jörg@example.com")], "to")


_NAMES = st.text(st.characters(blacklist_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=80).map(
    lambda s: " ".join(s.split())
)


@given(st.lists(st.tuples(_NAMES, st.sampled_from(["a@b.de", "x.y+z@example.com"])), min_size=1, max_size=4))
def test_addresses_arrive_with_every_name(pairs: list[tuple[str, str]]) -> None:
    """The standard library reads the header back: the addresses exactly, and nobody more."""
    head = f"To: {format_header([(name or None, address) for name, address in pairs], 'to')}\r\n\r\n"
    read = message_from_bytes(head.encode("ascii"), policy=policy.default)["To"].addresses
    assert [address_.addr_spec for address_ in read] == [address for _, address in pairs]
