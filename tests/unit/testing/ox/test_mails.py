"""Messages by RFC 822: built, parsed, and their addresses and headers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from zeyos_async.testing.ox.mails.mail_builder import (
    OutgoingFile,
    build_mail,
    format_addresses,
    read_addresses,
)
from zeyos_async.testing.ox.mails.parsing import MailHeaders, parse_parts, select_bodies

NOW = datetime(2025, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ([["Max", "m@x.de"]], "Max <m@x.de>"),
        ([["Doe, Jane", "j@x.de"], [None, "k@x.de"]], '"Doe, Jane" <j@x.de>, k@x.de'),
        (["Max", "m@x.de"], "Max <m@x.de>"),
        ([["m@x.de"]], "m@x.de"),
        ("m@x.de", "m@x.de"),
        (None, ""),
    ],
)
def test_addresses_are_written_in_many_ways(value: Any, line: str) -> None:
    """Pairs, single ones, texts."""
    assert format_addresses(value) == line


def test_values_that_are_no_address_are_refused() -> None:
    """Says so."""
    with pytest.raises(ValueError, match="pairs"):
        read_addresses(5)


def _message(content_type: str, *files: OutgoingFile) -> bytes:
    fields = {
        "from": [["Jane", "j@x.de"]],
        "to": [["Ä, B", "a@x.de"]],
        "subject": "Grüße 🚀 " * 9,
        "priority": 1,
    }
    return build_mail(
        fields,
        text="<b>Hi</b> &amp; bye",
        content_type=content_type,
        files=files,
        now=NOW,
        message_id="<1@x>",
    )


@pytest.mark.parametrize(
    ("content_type", "kinds"),
    [
        ("text/plain", ["text/plain"]),
        ("text/html", ["text/html"]),
        ("multipart/alternative", ["text/html", "text/plain"]),
        ("ALTERNATIVE", ["text/html", "text/plain"]),
    ],
)
def test_messages_have_the_requested_text(content_type: str, kinds: list[str]) -> None:
    """Both forms are made of the mark-up."""
    raw = _message(content_type)
    assert [part.content_type for part in select_bodies(parse_parts(raw), "html")] == kinds
    head = MailHeaders(raw)
    assert (head.text("Subject"), head.addresses("To")) == ("Grüße 🚀 " * 9, [["Ä, B", "a@x.de"]])
    assert (head.text("X-Priority"), head.text("X-None"), head.sent_at) == (
        "1",
        None,
        int(NOW.timestamp() * 1000),
    )


def test_messages_are_the_same_every_time() -> None:
    """Boundaries follow from the identifier."""
    file = OutgoingFile(filename="ä.bin", content_type="application/x-own", content=b"\x00\xff")
    assert _message("text/html", file) == _message("text/html", file)
    attached = parse_parts(_message("text/html", file))[-1]
    assert (attached.id, attached.filename, attached.content) == ("2", "ä.bin", b"\x00\xff")


def test_messages_within_messages() -> None:
    """Are parts of their own, with everything they hold."""
    outer = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nHello\r\n"
    outer += b"--x\r\nContent-Type: message/rfc822\r\n\r\n" + _message("text/html") + b"\r\n--x--\r\n"
    text, nested = parse_parts(outer)
    assert (text.text, nested.filename, nested.is_message) == ("Hello", "message-2.eml", True)
    assert MailHeaders(nested.content).addresses("From") == [["Jane", "j@x.de"]]


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        (b"Subject: =?utf-8?b?w4Q=?= =?iso-8859-1?q?=D6?= plain\r\n\r\n", "ÄÖ plain"),
        (b"subject: folded\r\n  here\r\n\r\n", "folded  here"),
        (b"Subject: one\nSubject: two\n\n", "one, two"),
        (b"From: x\r\n\r\nSubject: body\r\n", None),
    ],
)
def test_headers_of_mails_are_decoded(raw: bytes, subject: str | None) -> None:
    """Encoded words, folds, several of a name; what is in the body is none."""
    assert MailHeaders(raw).text("Subject") == subject


@pytest.mark.parametrize(
    "raw",
    [b"", b"no header", b"Content-Type: text/plain; charset=nonsense\r\n\r\n\xe4", b"Date: never\r\n\r\n"],
)
def test_broken_messages_are_read_as_far_as_possible(raw: bytes) -> None:
    """As mail servers do."""
    assert MailHeaders(raw).sent_at is None
    assert len(parse_parts(raw)) == 1
