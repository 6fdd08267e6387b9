"""Values as people and as programs read them."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.cli.value_format import clean_text, format_value, record_values, to_api_value
from zeyos_async.schema import Field, Kind
from zeyos_async.zeyos import Account, AccountType

MOMENT = datetime(2026, 1, 31, 12, 0, 5, tzinfo=UTC)
CODED = Field("type", Kind.INTEGER, codes={0: "PROSPECT", 1: "CUSTOMER", 2: ""})


@pytest.mark.parametrize(
    ("value", "field", "text"),
    [
        (None, None, ""),
        (1, CODED, "CUSTOMER"),
        (AccountType.CUSTOMER, CODED, "CUSTOMER"),
        (2, CODED, "2"),
        (99, CODED, "99"),
        (7, None, "7"),
        (1.5, None, "1.5"),
        (True, None, "true"),
        (MOMENT, None, "2026-01-31T12:00:05Z"),
        (MOMENT.astimezone(timezone(timedelta(hours=2))), None, "2026-01-31T12:00:05Z"),
        (10**17, Field("date", Kind.TIME), "100000000000000000"),
        ({"a": [1, None]}, None, '{"a":[1,null]}'),
        (b"abc", None, "<3 bytes>"),
        ("two\nlines", None, "two⏎lines"),
        ("\x1b[31mred", None, "\\x1b[31mred"),
        ("a\u202eb", None, "a\\u202eb"),
        ("🚀 日本 شركة", None, "🚀 日本 شركة"),
    ],
)
def test_a_value_for_people(value: Any, field: Field | None, text: str) -> None:
    """Codes by name, times in UTC, nothing that would steer a terminal."""
    assert format_value(value, field) == text


def test_local_time_has_its_offset() -> None:
    """So that it can't be taken for UTC."""
    text = format_value(MOMENT, None, local=True)
    assert datetime.fromisoformat(text) == MOMENT
    assert text[-6] in "+-"


@given(st.text())
def test_no_text_can_move_the_cursor(text: str) -> None:
    """Neither by control characters nor by marks that turn the direction of writing."""
    cleaned = clean_text(text)
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in cleaned)
    assert not set(cleaned) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@pytest.mark.parametrize(
    ("value", "iso", "expected"),
    [
        (MOMENT, False, 1769860805),
        (MOMENT, True, MOMENT),
        (AccountType.CUSTOMER, False, 1),
        (True, False, True),
        ("x", False, "x"),
        (None, False, None),
    ],
)
def test_a_value_for_programs(value: Any, iso: bool, expected: Any) -> None:
    """As the API has it, times in another form if asked for."""
    assert to_api_value(value, iso=iso) == expected
    assert type(to_api_value(value, iso=iso)) is type(expected)


def test_the_values_of_a_record_have_the_names_of_the_api() -> None:
    """Its fields, what the server sent besides, and tags and extdata where they were asked for."""
    record = Account(ID=1, lastname="x", tags=["a"], extra={"odd": 1})
    values = record_values(record)
    assert values["ID"] == 1
    assert values["tags"] == ["a"]
    assert values["odd"] == 1
    assert "extdata" not in values
    assert "etag" not in values


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([["Jane Doe", "jane@example.com"], [None, "x@y.z"]], "Jane Doe <jane@example.com>, x@y.z"),
        ([], "[]"),
        ([["a", "b"]], '[["a","b"]]'),
        ([1, 2], "[1,2]"),
    ],
)
def test_addresses_of_mails(value: list[Any], text: str) -> None:
    """As people write them; other lists are JSON."""
    assert format_value(value, None) == text
