"""JSON lines: rows as they came, one a line."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.codec import DecodeFailed
from zeyos_async.export.jsonl import JsonLines, RawLines
from zeyos_async.export.rows import Column
from zeyos_async.schema import Entity, Kind

COLUMNS = (
    Column("ID", "ID", Kind.INTEGER),
    Column("name", "lastname", Kind.TEXT),
    Column("at", "date", Kind.TIME),
)
ENTITY = Entity("things", "Thing", {})
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=6,
)


def raw(body: bytes) -> bytes:
    lines = RawLines(COLUMNS)
    return lines.encode(lines.row_type.reader(ENTITY, id_key="ID").page(body).rows)


def test_rows_are_passed_on_byte_for_byte() -> None:
    """Digits, escapes and unknown keys included: what came is what is written."""
    rows = [b'{"ID":1,"price":1.10,"name":"\\u00fc\\/"}', b'{"name":null,"ID":2,"odd":{"a":[1e5]}}']
    assert raw(b"[" + b",".join(rows) + b"]") == b"\n".join(rows) + b"\n"


@given(
    st.lists(st.tuples(VALUES, st.sampled_from([None, 2, "\t"])), min_size=1, max_size=4),
    st.sampled_from("\n\r "),
)
def test_a_page_that_is_indented_is_brought_onto_one_line_a_row(
    rows: list[tuple[Any, Any]], space: str
) -> None:
    """And each line still says what the row said."""
    values = [{"ID": number, "data": value} for number, (value, _) in enumerate(rows)]
    texts = [json.dumps(value, indent=indent) for value, (_, indent) in zip(values, rows, strict=True)]
    lines = raw(f"[{space}{f',{space}'.join(texts)}{space}]".encode()).split(b"\n")
    assert lines.pop() == b""
    assert [json.loads(line) for line in lines] == values
    assert not any(b"\r" in line for line in lines)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"ID":1}', b'[{"ID":1},', b'[{"ID":"x"}]', b'[{"name":1}]', b"[1]"]
)
def test_a_body_that_is_no_page_of_rows_is_refused(body: bytes) -> None:
    """Nothing of it is written."""
    with pytest.raises(DecodeFailed):
        raw(body)


def test_decoded_rows_have_the_selected_columns_in_their_order_and_times_as_asked() -> None:
    """Keys that nobody asked for are left out; what is beyond the calendar stays a number."""
    lines = JsonLines(COLUMNS, iso=True)
    body = b'[{"at":0,"ID":1,"name":"x","odd":1},{"ID":2,"name":null,"at":99999999999999}]'
    text = lines.encode(lines.row_type.reader(ENTITY, id_key="ID").page(body).rows)
    assert text.decode().splitlines() == [
        '{"ID":1,"name":"x","at":"1970-01-01T00:00:00Z"}',
        '{"ID":2,"name":null,"at":99999999999999}',
    ]


@pytest.mark.parametrize("name", ["1.10", "1e5", "12345678901234567.891", "123456789012345678901234567890"])
def test_decoded_numbers_keep_their_value(name: str) -> None:
    """No number goes through a binary fraction."""
    lines = JsonLines(COLUMNS[:2], iso=False)
    body = b'[{"ID":1,"name":%s}]' % name.encode()
    text = lines.encode(lines.row_type.reader(ENTITY, id_key="ID").page(body).rows)
    from decimal import Decimal

    assert msgspec.json.Decoder(float_hook=Decimal).decode(text)["name"] == Decimal(name)


def test_the_id_that_paging_needs_is_not_in_the_rows() -> None:
    """It was added to the request, and is read, but nobody asked for it."""
    lines = JsonLines(COLUMNS[1:2], iso=False)
    read = lines.row_type.reader(ENTITY, id_key="ID").page(b'[{"name":"x","ID":7}]')
    assert read.ids == [7]
    assert lines.encode(read.rows) == b'{"name":"x"}\n'


@pytest.mark.parametrize("stray", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf5\x80\x80\x80"])
@pytest.mark.parametrize(
    "template", ['{"ID":7,"name":"ü%s"}', '{"ID":7,"data":{"a":["%s"]}}', '{"ID":7,"%s":1}']
)
def test_a_file_of_json_never_holds_what_is_no_utf8(stray: bytes, template: str) -> None:
    """Passed on unseen, one byte would make the whole file unreadable; the row and the column are said."""
    row = template.encode().replace(b"%s", stray)
    with pytest.raises(DecodeFailed, match=r"row 2 of the page \(ID 7\), column '(name|data|.*)'.*UTF-8"):
        raw(b'[{"ID":6,"name":"\xc3\xbc \xe2\x80\xa8"},' + row + b"]")
