"""What a create or an update sends: checked here, before the server sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.errors import InvalidArgument, UnknownField
from zeyos_async.services.base.values import encode_json
from zeyos_async.services.zeyos._generated.accounts import Account, AccountType
from zeyos_async.services.zeyos._generated.feedservers import FeedServer
from zeyos_async.services.zeyos._generated.items import Item
from zeyos_async.services.zeyos._generated.messages import Message
from zeyos_async.services.zeyos._generated.tickets import Ticket
from zeyos_async.services.zeyos.content import content_from_wire
from zeyos_async.services.zeyos.writes import prepare_body, values_of


def body(record: Any, *, create: bool = False, **values: Any) -> dict[str, Any]:
    return asyncio.run(prepare_body(record.__entity__, values, create=create))


async def _pieces() -> AsyncIterator[bytes]:
    yield b"hel"
    yield b"lo"


NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("record", "values", "expected"),
    [
        (Ticket, {"name": "x"}, {"name": "x"}),
        (Ticket, {"duedate": NOON}, {"duedate": 1777636800}),
        (Ticket, {"duedate": NOON + timedelta(microseconds=999_999)}, {"duedate": 1777636800}),
        (Ticket, {"duedate": NOON.astimezone(timezone(timedelta(hours=5)))}, {"duedate": 1777636800}),
        (Ticket, {"duedate": 5}, {"duedate": 5}),
        (Ticket, {"duedate": None}, {"duedate": None}),
        (Account, {"type": AccountType.CUSTOMER}, {"type": 1}),
        (Account, {"locked": True}, {"locked": 1}),
        (Account, {"assigneduser": 6.0}, {"assigneduser": 6}),
        (Account, {"tags": ["b", "a", "b"]}, {"tags": ["b", "a"]}),
        (Account, {"add_tags": {"b", "a"}, "remove_tags": ("c",)}, {"+tags": ["a", "b"], "-tags": ["c"]}),
        (
            Account,
            {"extdata": {"nick": "x", "gone": None, "when": NOON}},
            {"extdata": {"nick": "x", "gone": None, "when": 1777636800}},
        ),
        (Message, {"binfile": b"hello"}, {"binfile": {"content": "aGVsbG8="}}),
        (Message, {"binfile": memoryview(b"hello")}, {"binfile": {"content": "aGVsbG8="}}),
        (Message, {"binfile": {"uri": "data:,x"}}, {"binfile": {"uri": "data:,x"}}),
        (Ticket, {"billingitems": [{"type": 0}]}, {"billingitems": [{"type": 0}]}),
        (FeedServer, {"etag": "abc"}, {"etag": "abc"}),
    ],
)
def test_values_take_the_apis_form(record: Any, values: dict[str, Any], expected: dict[str, Any]) -> None:
    """Times are seconds, codes are numbers, content is base64, tags have their prefixes."""
    assert body(record, **values) == expected


def test_content_comes_from_files_and_streams(tmp_path: Path) -> None:
    """A path is read off the loop; an async iterator is joined."""
    file = tmp_path / "mail.eml"
    file.write_bytes(b"hello")
    for value in (file, _pieces()):
        assert body(Message, binfile=value) == {"binfile": {"content": "aGVsbG8="}}
    with pytest.raises(InvalidArgument, match="can't be read"):
        body(Message, binfile=tmp_path / "missing")


@pytest.mark.parametrize(
    ("record", "values", "error", "says"),
    [
        (Ticket, {"nam": "x"}, UnknownField, "'name'"),
        (Account, {"add_tag": ["x"]}, UnknownField, "add_tags"),
        (Ticket, {"ID": 5}, InvalidArgument, "ID"),
        (Ticket, {"name": 5}, InvalidArgument, "text"),
        (Ticket, {"name": ""}, InvalidArgument, "at least 1"),
        (Ticket, {"name": "a\x00b"}, InvalidArgument, "NUL"),
        (Ticket, {"name": None}, InvalidArgument, "None"),
        (Ticket, {"duedate": datetime(2026, 5, 1)}, InvalidArgument, "timezone"),  # noqa: DTZ001
        (Ticket, {"duedate": "2026-05-01"}, InvalidArgument, "datetime"),
        (Ticket, {"duedate": True}, InvalidArgument, "datetime"),
        (Ticket, {"status": "NOTSTARTD"}, InvalidArgument, "0=NOTSTARTED"),
        (Ticket, {"status": "notstarted"}, InvalidArgument, "code of NOTSTARTED is 0"),
        (Ticket, {"status": 1.5}, InvalidArgument, "whole number"),
        (Item, {"taxrate": float("nan")}, InvalidArgument, "number"),
        (Account, {"currency": "euro"}, InvalidArgument, "does not match"),
        (Account, {"currency": "EUR\n"}, InvalidArgument, "does not match"),
        (Account, {"tags": "urgent"}, InvalidArgument, "list"),
        (Account, {"tags": [1]}, InvalidArgument, "text"),
        (Account, {"extdata": [1]}, InvalidArgument, "dict"),
        (Message, {"binfile": 7}, InvalidArgument, "read-only"),
        (Message, {"binfile": "text"}, InvalidArgument, "bytes"),
        (Ticket, {}, InvalidArgument, "nothing to change"),
    ],
)
def test_values_that_do_not_fit_are_refused(
    record: Any, values: dict[str, Any], error: type[Exception], says: str
) -> None:
    """Nothing of this reaches the server; each error names the field and what it takes."""
    with pytest.raises(error, match=says):
        body(record, **values)


def test_a_create_needs_the_required_fields() -> None:
    """All missing fields are named at once."""
    with pytest.raises(InvalidArgument, match="currency"):
        body(Account, create=True, lastname="Doe")
    with pytest.raises(InvalidArgument, match="transactionnum and currency"):
        body(type("T", (), {"__entity__": _entity("transactions")}), create=True)
    assert body(Account, create=True, lastname="Doe", currency="EUR") == {
        "lastname": "Doe",
        "currency": "EUR",
    }


def _entity(name: str) -> Any:
    from zeyos_async.services.zeyos._generated import entity

    return entity(name)


def test_values_of_a_record_are_its_set_fields() -> None:
    """What is ``None`` is not sent; our own names are not sent either."""
    record = Account(lastname="Doe", currency="EUR", tags=["a"], etag='"x"', extra={"y": 1})
    assert values_of(record) == {"lastname": "Doe", "currency": "EUR", "tags": ["a"]}
    feed = FeedServer(name="n", etag="theirs", etag_='"ours"')
    assert values_of(feed) == {"name": "n", "etag": "theirs"}
    with pytest.raises(InvalidArgument, match=r"attrs\.evolve"):
        values_of(attrs.evolve(record, ID=7))


def test_decimals_keep_every_digit() -> None:
    """A decimal is a JSON number, not text and not rounded."""
    values = body(Item, taxrate=Decimal("19.10"))
    assert encode_json(values, operation="items.update") == b'{"taxrate":19.10}'


def test_values_without_a_json_form_are_refused() -> None:
    """Deep inside a JSON field, too."""
    with pytest.raises(InvalidArgument, match="JSON"):
        encode_json({"data": {"x": object()}}, operation="objects.create")


@given(st.binary(max_size=200))
def test_content_round_trips(content: bytes) -> None:
    """Any bytes, through base64 in JSON and back."""
    sent = msgspec.json.decode(encode_json(body(Message, binfile=content), operation="x"))
    assert content_from_wire(sent["binfile"]) == content


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (None, None),
        (188, 188),
        ("text", "text"),
        ({"content": "UmV0dXJu"}, b"Return"),
        ({"uri": "data:text/plain;base64,SGVsbG8="}, b"Hello"),
        ({"uri": "data:,Hello%20World"}, b"Hello World"),
    ],
)
def test_content_is_read_in_each_of_its_forms(wire: Any, expected: Any) -> None:
    """An ID or text stays what it is; expanded content becomes bytes."""
    assert content_from_wire(wire) == expected
