"""Formats of other programs: content lines, vCard, CSV and iCalendar."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.testing.ox.transfer.content_lines import (
    escape_text,
    fold_lines,
    read_components,
    unescape_text,
)
from zeyos_async.testing.ox.transfer.csv_contacts import TITLES, read_csv, write_csv
from zeyos_async.testing.ox.transfer.ical import read_calendar, write_calendar
from zeyos_async.testing.ox.transfer.vcard import read_vcards, write_vcards

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
