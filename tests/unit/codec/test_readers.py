"""From bytes to rows: the fast way and the lenient way read the same values."""

from __future__ import annotations

import gc
from datetime import UTC, datetime
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.codec import (
    DecodeFailed,
    DictReader,
    RawReader,
    TypedReader,
    split_rows,
    time_from_wire,
)
from zeyos_async.codec.readers import _hints, _make_row_converter
from zeyos_async.codes import Code
from zeyos_async.errors import ConfigurationError
from zeyos_async.records import EMPTY
from zeyos_async.schema import Kind
from zeyos_async.services.zeyos._generated.accounts import Account, AccountType

KEYS = {"ID": "ID", "name": "lastname", "kind": "type", "at": "lastmodified", "price": "price", "any": "any"}


class Shade(Code):
    """Two codes, for the tests."""

    LIGHT = 0
    DARK = 1


@attrs.define
class Row:
    """A record as generated ones are: positional, all optional, with room for what is unknown."""

    ID: int | None = None
    name: str | None = None
    kind: Shade | None = None
    at: datetime | None = None
    price: float | None = None
    any: Any = None
    extra: Any = EMPTY


def _encode(*rows: dict[str, Any]) -> bytes:
    return msgspec.json.encode(list(rows))


reader = TypedReader(Row, KEYS, id_key="ID")

wire_rows = st.fixed_dictionaries(
    {"ID": st.integers(1, 2**63)},
    optional={
        "lastname": st.one_of(st.none(), st.text()),
        "type": st.one_of(st.none(), st.integers(-5, 200)),
        "lastmodified": st.one_of(st.none(), st.integers(-(2**40), 2**45)),
        "price": st.one_of(
            st.none(), st.integers(-(2**50), 2**50), st.floats(allow_nan=False, allow_infinity=False)
        ),
        "any": st.recursive(
            st.none() | st.integers(0, 9) | st.text(max_size=3), lambda x: st.lists(x, max_size=3)
        ),
        "unknown": st.integers(0, 9),
    },
)


@given(st.lists(wire_rows, max_size=6))
def test_typed_rows_are_the_same_by_the_fast_and_the_lenient_way(rows: list[dict[str, Any]]) -> None:
    """One odd row sends itself, and only itself, the lenient way; the values are the same either way."""
    convert_leniently = _make_row_converter(Row, KEYS, _hints(Row), None)
    page = reader.page(_encode(*rows))
    assert page.rows == [convert_leniently(row) for row in rows]
    assert page.ids == [row["ID"] for row in rows]
    assert [row.extra for row in page.rows] == [
        {"unknown": row["unknown"]} if "unknown" in row else EMPTY for row in rows
    ]


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        ({"lastmodified": 0}, datetime(1970, 1, 1, tzinfo=UTC)),
        ({"lastmodified": 872838840}, datetime(1997, 8, 29, 7, 14, tzinfo=UTC)),
        ({"lastmodified": "872838840"}, datetime(1997, 8, 29, 7, 14, tzinfo=UTC)),
        ({"lastmodified": -1}, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ({"lastmodified": 253402300800}, 253402300800),
        ({"lastmodified": 10**30}, 10**30),
        ({"lastmodified": None}, None),
        ({}, None),
    ],
)
def test_time_stamps_are_aware_and_other_numbers_stay(wire: dict[str, Any], expected: Any) -> None:
    """Unix seconds become UTC datetimes; what is beyond the calendar stays an integer."""
    assert reader.page(_encode({"ID": 1, **wire})).rows[0].at == expected


@pytest.mark.parametrize(
    ("key", "attribute", "wire", "expected"),
    [
        ("ID", "ID", "7", 7),
        ("ID", "ID", 7.0, 7),
        ("lastname", "name", "null", "null"),
        ("lastname", "name", 5, "5"),
        ("type", "kind", 1, Shade.DARK),
        ("type", "kind", 77, 77),
        ("type", "kind", "1", Shade.DARK),
        ("price", "price", "5.50", 5.5),
        ("price", "price", 5, 5.0),
    ],
)
def test_values_of_other_types_are_understood(key: str, attribute: str, wire: Any, expected: Any) -> None:
    """Numbers as text, text as numbers, unknown codes: what is clear is taken, nothing is lost."""
    row = {"ID": 1, key: wire}
    assert getattr(reader.page(_encode(row)).rows[0], attribute) == expected


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<html>", "not a JSON list"),
        (b"", "not a JSON list"),
        (b'{"ID":1}', "list"),
        (b"[1]", "int instead of an object"),
        (b'[{"ID": 1, "lastname": ["x"]}]', "lastname"),
        (b'[{"ID": "x"}]', "ID"),
        (b'[{"ID": 1.5}]', "ID"),
        (b'[{"ID": 1, "lastname": "\xff"}]', "JSON"),
    ],
)
def test_pages_that_make_no_sense_raise_with_the_place(body: bytes, says: str) -> None:
    """Not JSON, not a list, not a row, or a value that fits in no way."""
    with pytest.raises(DecodeFailed, match=says):
        reader.page(body)


def test_records_of_an_entity_are_read_whole() -> None:
    """A generated class: its codes are enums, its unknown fields are kept."""
    fields = {f.attr: f.name for f in Account.__entity__}
    accounts = TypedReader(Account, fields, id_key="ID")
    row = {"ID": 5, "type": 1, "lastname": "Doe", "visibility": 9, "brandnew": [1]}
    (account,) = accounts.page(_encode(row)).rows
    assert (account.type, account.visibility, account.extra) == (AccountType.CUSTOMER, 9, {"brandnew": [1]})


@pytest.mark.parametrize(("wire", "expected"), [({}, {}), ([], {}), ({"a": 1}, {"a": 1}), (None, None)])
def test_extdata_is_an_object_even_if_php_writes_a_list(wire: Any, expected: Any) -> None:
    """An empty object arrives as ``[]`` from PHP."""
    accounts = TypedReader(Account, {"ID": "ID", "extdata": "extdata"}, id_key="ID")
    assert accounts.page(_encode({"ID": 1, "extdata": wire})).rows[0].extdata == expected


def test_a_users_own_class_is_filled_and_converted() -> None:
    """Keyword-only attributes, converters and nested classes of the user's own work."""

    @attrs.define(kw_only=True)
    class Town:
        name: str = attrs.field(converter=str.upper)
        tags: tuple[str, ...] | None = None

    towns = TypedReader(Town, {"name": "name", "tags": "tags"}, id_key="_id")
    page = towns.page(_encode({"name": "Ulm", "tags": ["a"], "_id": 3}))
    assert page.rows == [Town(name="Ulm", tags=("a",))]
    assert page.ids == [3]


def test_a_class_without_attrs_is_refused() -> None:
    """The error says what to do."""
    with pytest.raises(ConfigurationError, match=r"attrs\.define"):
        TypedReader(int, {"x": "x"})


def test_dicts_have_typed_values_and_only_what_was_selected() -> None:
    """Times are datetimes; the ID that only paging needs is not in the rows."""
    kinds = {"lastname": Kind.TEXT, "at": Kind.TIME, "n": Kind.NUMBER}
    dicts = DictReader(kinds, id_key="_id", hide_id=True)
    page = dicts.page(_encode({"lastname": "Doe", "at": 0, "n": 1, "_id": 9, "Country": "GB"}))
    assert page.rows == [{"lastname": "Doe", "at": datetime(1970, 1, 1, tzinfo=UTC), "n": 1.0}]
    assert page.ids == [9]
    odd = dicts.page(_encode({"lastname": "Doe", "at": 10**15, "n": "1.5", "_id": 9}))
    assert odd.rows == [{"lastname": "Doe", "at": 10**15, "n": 1.5}]


def test_raw_rows_keep_every_byte() -> None:
    """For exports: the rows as they came, and their IDs."""
    body = b'[ {"ID": 1, "x":"\xc3\xa4"} ,{"x":[1, 2],"ID":2}]'
    page = RawReader("ID").page(body)
    assert [bytes(row) for row in page.rows] == [b'{"ID": 1, "x":"\xc3\xa4"}', b'{"x":[1, 2],"ID":2}']
    assert page.ids == [1, 2]


@given(
    st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3), max_size=10),
    st.integers(1, 4),
)
def test_a_split_page_has_the_same_rows(rows: list[dict[str, str]], size: int) -> None:
    """Slices of a page, decoded one by one, are the page."""
    slices = [msgspec.json.decode(piece) for piece in split_rows(msgspec.json.encode(rows), size)]
    assert [row for piece in slices for row in piece] == rows
    assert all(len(piece) <= size for piece in slices)


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(enabled: bool) -> None:
    """Paused while a page is decoded, restored only if it was on."""
    was = gc.isenabled()
    try:
        gc.enable() if enabled else gc.disable()
        reader.page(_encode({"ID": 1}))
        with pytest.raises(DecodeFailed):
            reader.page(b"nonsense")
        assert gc.isenabled() is enabled
    finally:
        gc.enable() if was else gc.disable()


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False).map(int)))
def test_any_integer_is_a_time_or_stays(seconds: int) -> None:
    """No integer from a server can raise."""
    value = time_from_wire(seconds)
    assert value == seconds if isinstance(value, int) else int(value.timestamp()) == seconds


@pytest.mark.parametrize("value", [True, False])
@pytest.mark.parametrize(
    "read",
    [
        reader.page,
        lambda body: reader.one(body[1:-1]),
        TypedReader(Row, {"name": "lastname"}, id_key="ID").page,
        DictReader({"ID": Kind.INTEGER}, id_key="ID").page,
    ],
    ids=["records", "one record", "a hidden ID", "dicts"],
)
def test_a_truth_value_is_no_id(read: Any, value: bool) -> None:
    """``true`` would be the ID of record 1; in a field that holds a number it is one, as some servers write it."""
    with pytest.raises(DecodeFailed, match="ID"):
        read(_encode({"ID": value}))
    assert reader.page(_encode({"ID": 1, "type": value})).rows[0].kind == int(value)
