"""The formats of other programs: vCard, CSV, iCalendar, and messages by RFC 822."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.testing.ox.mails.mail_builder import (
    OutgoingFile,
    build_mail,
    format_addresses,
    read_addresses,
)
from zeyos_async.testing.ox.mails.parsing import MailHeaders, parse_parts, select_bodies
from zeyos_async.testing.ox.transfer.content_lines import (
    escape_text,
    fold_lines,
    read_components,
    unescape_text,
)
from zeyos_async.testing.ox.transfer.csv_contacts import TITLES, read_csv, write_csv
from zeyos_async.testing.ox.transfer.ical import read_calendar, write_calendar
from zeyos_async.testing.ox.transfer.vcard import read_vcards, write_vcards

NOW = datetime(2025, 5, 1, 12, tzinfo=UTC)
TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters="\x85"),
    min_size=1,
    max_size=40,
)
WORD = TEXT.map(str.strip).filter(bool)


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r"), max_size=60))
def test_escapes_are_taken_back(text: str) -> None:
    """Commas, semicolons, backslashes, new lines."""
    assert unescape_text(escape_text(text)) == text


@given(TEXT)
def test_lines_are_folded_between_characters(text: str) -> None:
    """At most 75 bytes each, and whole again when they are read."""
    folded = fold_lines(["BEGIN:X", f"TEXT:{escape_text(text * 5)}", "END:X"])
    assert all(len(line) <= 75 for line in folded.split(b"\r\n"))
    (component,) = read_components(folded, "X")
    assert component.text("TEXT") == text * 5


CONTACT = st.fixed_dictionaries(
    {"last_name": WORD, "display_name": WORD},
    optional={
        "first_name": WORD, "email1": WORD, "company": WORD, "department": WORD, "note": WORD,
        "telephone_home1": WORD, "cellular_telephone1": WORD, "city_business": WORD, "street_home": WORD,
        "birthday": st.integers(-20_000, 20_000).map(lambda day: day * 86_400_000),
    },
)  # fmt: skip


@given(st.lists(CONTACT, min_size=1, max_size=3))
def test_vcards_are_read_as_they_were_written(contacts: list[Any]) -> None:
    """Every field that both know."""
    assert read_vcards(write_vcards(contacts)) == contacts


@given(st.lists(CONTACT, min_size=1, max_size=3))
def test_csv_is_read_as_it_was_written(contacts: list[Any]) -> None:
    """Under the document's titles."""
    assert read_csv(write_csv(contacts)) == contacts
    assert len(set(TITLES.values())) == len(TITLES)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"BEGIN:VCARD\r\nFN:x\r\n",
        b"BEGIN:VCARD\r\nEND:VEVENT\r\n",
        b"FN:x\r\n",
        b"BEGIN:VCARD\r\nno line\r\n",
    ],
)
def test_broken_vcards_are_refused(content: bytes) -> None:
    """Without end, or without beginning."""
    with pytest.raises(ValueError, match=r"complete|ends nothing|no value|no property"):
        read_vcards(content)


def test_vcards_of_version_2_1() -> None:
    """Version 2.1 has its kinds without ``TYPE=``; groups may stand before names."""
    content = (
        b"BEGIN:VCARD\nVERSION:2.1\nN:A;B\nTEL;CELL:1\nitem1.TEL;WORK;FAX:2\nBDAY:2000-01-02\nEND:VCARD\n"
    )
    assert read_vcards(content) == [
        {
            "last_name": "A",
            "first_name": "B",
            "cellular_telephone1": "1",
            "fax_business": "2",
            "birthday": 946_771_200_000,
        }
    ]


WHEN = st.sampled_from(
    [
        {"value": "20250401T100000", "tzid": "Europe/Berlin"},
        {"value": "20250401T100000", "tzid": "UTC"},
        {"value": "20250401T100000"},
        {"value": "20250401"},
    ]
)
PERSON = st.builds(
    lambda name, part_stat: {
        "uri": "mailto:x@example.org",
        "email": "x@example.org",
        "cn": name,
        "partStat": part_stat,
    },
    WORD.filter(lambda text: '"' not in text),
    st.sampled_from(["ACCEPTED", "NEEDS-ACTION"]),
)
EVENT = st.fixed_dictionaries(
    {"uid": WORD, "startDate": WHEN},
    optional={
        "endDate": WHEN, "summary": WORD, "location": WORD, "description": WORD, "transp": st.just("OPAQUE"),
        "rrule": st.just("FREQ=WEEKLY;COUNT=3"), "attendees": st.lists(PERSON, min_size=1, max_size=2),
        "deleteExceptionDates": st.just(["Europe/Berlin:20250408T100000"]),
    },
)  # fmt: skip


@given(st.lists(EVENT, min_size=1, max_size=3))
def test_events_are_read_as_they_were_written(events: list[Any]) -> None:
    """Times in zones, in UTC, without zone, whole days; people with awkward names."""
    assert read_calendar(write_calendar(events)) == (events, [])


# -- messages --------------------------------------------------------------------------------------


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
