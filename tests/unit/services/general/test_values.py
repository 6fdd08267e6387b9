"""Values of the General API: typed by its codes, kept where the codes are not known."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal
from typing import Any

import pytest

from zeyos_async.errors import InvalidArgument
from zeyos_async.general import UNCHANGED
from zeyos_async.services.general.values import cell_value, field_value, record_id, text_of


class Status(enum.IntEnum):
    """An enumeration such as ``FieldDefinition.enum`` makes."""

    AKTIV = 1


@pytest.mark.parametrize(
    ("content", "kind", "value"),
    [
        ("542", "string", "542"),
        (542, "string", "542"),
        ("542", "int", 542),
        ("1.5", "float", 1.5),
        ("1", "bool", True),
        (None, "int", None),
        ("much", "int", "much"),
        ("maybe", "bool", "maybe"),
        ("x", "colour", "x"),
        (["a"], "string", ["a"]),
        ("x", None, "x"),
    ],
)
def test_cell_values(content: Any, kind: Any, value: Any) -> None:
    """A cell is converted by its type where that is known; nothing fails."""
    converted = cell_value(content, kind)
    assert (converted, type(converted)) == (value, type(value))


@pytest.mark.parametrize(
    ("raw", "kind", "subtype", "value"),
    [
        ("542", 2, 8, 542),
        ("1", 2, 1, 1),
        ("", 2, 0, None),
        ("many", 2, 0, "many"),
        ("542", 1, 0, "542"),
        ("1.5", 3, 0, "1.5"),
        ("%%unchanged%%", 1, 5, UNCHANGED),
        ("hunter2", 1, 5, UNCHANGED),
        (None, 1, 5, None),
    ],
)
def test_field_values(raw: Any, kind: int, subtype: int, value: Any) -> None:
    """Text is text, 2 is a whole number, passwords are never shown, the rest stays as it came."""
    assert field_value(raw, kind, subtype) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (None, None),
        (True, "1"),
        (7, "7"),
        (Status.AKTIV, "1"),
        (Decimal("1.50"), "1.50"),
        (1e-7, "0.0000001"),
        (dt.date(2026, 1, 31), "2026-01-31"),
    ],
)
def test_texts_of_values_for_writes(value: Any, text: str | None) -> None:
    """Writes carry texts."""
    assert text_of("x", value) == text


@pytest.mark.parametrize("value", [float("nan"), dt.datetime(2026, 1, 1, tzinfo=dt.UTC), [1], {"a": 1}, b"x"])
def test_values_without_a_text_are_refused(value: Any) -> None:
    """What the API documents no form for is refused, with the field's name."""
    with pytest.raises(InvalidArgument, match="when"):
        text_of("when", value)


@pytest.mark.parametrize(("value", "key"), [(7, 7), ("7", 7), ("a-7", "a-7")])
def test_record_ids(value: Any, key: Any) -> None:
    """IDs are whole numbers wherever they are, however they came."""
    assert record_id(value) == key


@pytest.mark.parametrize("value", [None, True, "", 1.5, []])
def test_values_that_are_no_record_ids(value: Any) -> None:
    """Anything else is no ID."""
    with pytest.raises(InvalidArgument):
        record_id(value)
