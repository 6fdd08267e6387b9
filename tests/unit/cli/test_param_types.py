"""Arguments: what is read from them, and what is said about those that can't be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from zeyos_async.cli.param_types import complete_paths, parse_rows, parse_selection, parse_time
from zeyos_async.errors import InvalidArgument


@pytest.mark.parametrize(
    ("values", "selection"),
    [
        ((), {}),
        (("ID,lastname",), {"ID": "ID", "lastname": "lastname"}),
        (("ID", " lastname , "), {"ID": "ID", "lastname": "lastname"}),
        (("town=contact.city,ID",), {"town": "contact.city", "ID": "ID"}),
        (("contact.city",), {"contact.city": "contact.city"}),
        (("a = ID",), {"a": "ID"}),
    ],
)
def test_a_selection(values: tuple[str, ...], selection: dict[str, str]) -> None:
    """Fields and renamed fields, in the order of the command line."""
    assert list(parse_selection(values).items()) == list(selection.items())


@pytest.mark.parametrize("value", ["=ID", "town=", "ID,ID", "a=ID,a=lastname"])
def test_a_selection_that_makes_no_sense(value: str) -> None:
    """The message names the term."""
    with pytest.raises(InvalidArgument, match="--select"):
        parse_selection((value,))


@pytest.mark.parametrize(
    ("text", "rows"),
    [("accounts=10", {"accounts": 10}), ("accounts=1_000, tickets=0", {"accounts": 1000, "tickets": 0})],
)
def test_rows_for_the_emulator(text: str, rows: dict[str, int]) -> None:
    """Entity and number, several with commas."""
    assert parse_rows(text) == rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("acounts=10", "Did you mean 'accounts'"),
        ("accounts", "accounts=1000"),
        ("accounts=many", "accounts=1000"),
        ("accounts=-1", "accounts=1000"),
        ("accounts=²", "accounts=1000"),
    ],
)
def test_rows_that_make_no_sense(text: str, message: str) -> None:
    """The message shows how to write it."""
    with pytest.raises(InvalidArgument, match=message):
        parse_rows(text)


@pytest.mark.parametrize(
    ("entity", "incomplete", "completions"),
    [
        ("accounts", "lastn", ["lastname"]),
        ("accounts", "ID,lastn", ["ID,lastname"]),
        ("accounts", "n=lastn", ["n=lastname"]),
        ("accounts", "ID,town=contact.cit", ["ID,town=contact.city"]),
        ("accounts", "nothing.cit", []),
        ("nothing", "x", []),
    ],
)
def test_a_shell_completes_fields_and_fields_behind_references(
    entity: str, incomplete: str, completions: list[str]
) -> None:
    """The last term of the list is completed."""
    assert complete_paths("zeyos", entity, incomplete) == completions


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T09:00Z", datetime(2026, 1, 31, 9, tzinfo=UTC)),
        ("2026-01-31T09:00:30+01:00", datetime(2026, 1, 31, 9, 0, 30, tzinfo=timezone(timedelta(hours=1)))),
    ],
)
def test_a_time(text: str, moment: datetime) -> None:
    """A day begins at 00:00 UTC; a time says its offset."""
    assert parse_time(text) == moment


@pytest.mark.parametrize("text", ["", "soon", "2026-02-30", "2026-01-31T09:00", "31.1.2026"])
def test_a_text_that_is_no_time_is_an_error(text: str) -> None:
    """The message says how to write one."""
    with pytest.raises(InvalidArgument, match="2026-01-31T09:00"):
        parse_time(text)
