"""The rows: deterministic, by the database's rules, and awkward."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from zeyos_async.testing.zeyos._generated.tables import TABLES
from zeyos_async.testing.zeyos.emulator import ZeyosEmulator
from zeyos_async.testing.zeyos.schema import condition, quoted


def snapshot(emulator: ZeyosEmulator) -> dict[str, list[dict[str, Any]]]:
    return {name: emulator.rows(name) for name in TABLES}


def test_the_same_seed_gives_the_same_rows() -> None:
    """Another seed gives others."""
    first, again, other = (snapshot(ZeyosEmulator(seed=seed)) for seed in (5, 5, 6))
    assert first == again
    assert first != other


def test_a_store_is_its_own() -> None:
    """Emulators share nothing."""
    first, second = ZeyosEmulator(), ZeyosEmulator()
    first.delete("accounts", 1)
    assert len(second.rows("accounts")) == len(first.rows("accounts")) + 1


@pytest.mark.parametrize(
    "rows",
    [
        {},
        {"accounts": 700},
        {"accounts": 0, "contacts": 0},
        {"accounts": 1, "contacts": 1, "users": 2},
        dict.fromkeys(TABLES, 0),
    ],
    ids=["usual", "many accounts", "no accounts", "very few", "nothing"],
)
def test_rows_hold_the_rules_of_the_database(rows: dict[str, int]) -> None:
    """They are loaded with the checks off, so that they are fast: here every rule is asked for."""
    emulator = ZeyosEmulator(rows=rows, seed=2)
    database = emulator.store.connection
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    broken = [
        check.name
        for table in TABLES.values()
        for check in table.checks
        if database.execute(
            f"SELECT 1 FROM {quoted(table.name)} WHERE NOT ({condition(check.expression)})"
        ).fetchone()
    ]
    assert broken == []


def test_every_entity_has_rows_and_gaps() -> None:
    """IDs are not a count."""
    emulator = ZeyosEmulator()
    for name in TABLES:
        assert emulator.rows(name), name
    ids = [row["ID"] for row in emulator.rows("accounts")]
    assert ids != list(range(1, len(ids) + 1))


def test_values_are_awkward() -> None:
    """Quotes, wildcards, backslashes, right-to-left, emoji, empty and null, equal stamps, numbers too large."""
    emulator = ZeyosEmulator(rows={"accounts": 200, "tasks": 200})
    accounts = emulator.rows("accounts")
    names = "".join(row["lastname"] for row in accounts)
    assert all(part in names for part in ("'", '"', "%", "_", "\\", "🚀", "ש", "ش", ";"))
    assert {row["description"] for row in accounts} >= {"", "NULL", "0"}
    assert None in {row["contact"] for row in accounts}
    stamps = [row["creationdate"] for row in accounts]
    assert len(set(stamps)) < len(stamps)
    dates = {row["duedate"] for row in emulator.rows("tasks")} - {None}
    assert max(dates) > 2**53
    with pytest.raises((ValueError, OverflowError, OSError)):
        datetime.datetime.fromtimestamp(max(dates), datetime.UTC)


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ({"nope": 1}, "there is no entity 'nope'"),
        ({"accounts": -1}, "negative"),
        ({"suppliers": 1000}, "at most"),
        ({"contacts": 0, "addresses": 1}, "at most"),
    ],
)
def test_rows_that_can_not_be(rows: dict[str, int], text: str) -> None:
    """An error that says why."""
    with pytest.raises(ValueError, match=text):
        ZeyosEmulator(rows=rows)


def test_rows_can_be_given() -> None:
    """A test's own rows in place of generated ones."""
    accounts = [
        {"ID": 7, "lastname": "Seven", "currency": "EUR", "lastmodified": 5},
        {"lastname": "x", "currency": "EUR"},
    ]
    rows = ZeyosEmulator(rows={"accounts": accounts}).rows("accounts")
    assert [(row["ID"], row["lastname"]) for row in rows] == [(7, "Seven"), (8, "x")]
    assert rows[0]["lastmodified"] == 5
