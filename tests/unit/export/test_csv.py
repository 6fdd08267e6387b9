"""CSV: what each value becomes, and that nothing is lost whatever the values are."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.errors import InvalidArgument
from zeyos_async.export.csv import CsvLines
from zeyos_async.export.rows import Column
from zeyos_async.schema import Entity, Kind

COLUMNS = (
    Column("ID", "ID", Kind.INTEGER),
    Column("name", "lastname", Kind.TEXT),
    Column("price", "price", Kind.NUMBER),
    Column("at", "date", Kind.TIME),
    Column("data", "data", Kind.JSON),
)
ENTITY = Entity("things", "Thing", {})


def page(rows: list[dict[str, Any]]) -> bytes:
    return msgspec.json.Encoder(decimal_format="number").encode(rows)


def written(rows: list[dict[str, Any]], columns: tuple[Column, ...] = COLUMNS, **options: Any) -> str:
    lines = CsvLines(columns, **options)
    body = page(rows)
    read = lines.row_type.reader(ENTITY, id_key=None).page(body).rows
    return lines.encode(read).decode() if read else ""


@pytest.mark.parametrize(
    ("kind", "value", "cell"),
    [
        (Kind.TEXT, None, ""),
        (Kind.TEXT, "", '""'),
        (Kind.TEXT, "7", '"7"'),
        (Kind.INTEGER, 7, "7"),
        (Kind.INTEGER, -(10**30), "-1" + "0" * 30),
        (Kind.NUMBER, Decimal("1.10"), "1.10"),
        (Kind.NUMBER, Decimal("12345678901234567.891"), "12345678901234567.891"),
        (Kind.TEXT, 'say "hi"', '"say ""hi"""'),
        (Kind.TEXT, "a,null,b", '"a,null,b"'),
        (Kind.TEXT, "null", '"null"'),
        (Kind.TEXT, "two\nlines\r\n\tand a \\n", '"two\nlines\r\n\tand a \\n"'),
        (Kind.TEXT, "\x00\x07\x1f\x7f", '"\x00\x07\x1f\x7f"'),
        (Kind.TEXT, "شركة 🚀 \u2028", '"شركة 🚀 \u2028"'),
        (Kind.TEXT, "],[", '"],["'),
        (Kind.TEXT, 10001, "10001"),
        (Kind.BOOLEAN, True, "true"),
        (Kind.TIME, 1700000000, "1700000000"),
        (Kind.JSON, {"a": [1, None, 'x,"y"']}, '"{""a"":[1,null,""x,\\""y\\""""]}"'),
        (Kind.JSON, "[1,2]", '"[1,2]"'),
        (Kind.JSON, [], '"[]"'),
        (Kind.INTEGER, "odd", '"odd"'),
        (Kind.TEXT, {"odd": 1}, '"{""odd"":1}"'),
    ],
)
def test_a_cell(kind: Kind, value: object, cell: str) -> None:
    """Text is quoted, numbers are not and keep their digits, and nothing at all is an empty cell."""
    columns = (Column("x", "x", kind), Column("y", "y", Kind.INTEGER))
    assert written([{"x": value, "y": 1}], columns) == f"{cell},1\n"
    assert written([{"x": value, "y": None}, {"x": value, "y": 1}], columns) == f"{cell},\n{cell},1\n"


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (0, '"1970-01-01T00:00:00Z"'),
        (-86400, '"1969-12-31T00:00:00Z"'),
        (1700000000, '"2023-11-14T22:13:20Z"'),
        (None, ""),
        (10**17, "100000000000000000"),
    ],
)
def test_times_as_iso_8601(value: int | None, cell: str) -> None:
    """UTC, to the second; a number beyond the calendar stays a number."""
    columns = (Column("at", "date", Kind.TIME), Column("n", "n", Kind.INTEGER))
    assert (
        written([{"at": value, "n": value}], columns, iso=True)
        == f"{cell},{'' if value is None else value}\n"
    )


def test_one_odd_time_does_not_change_how_the_others_of_its_page_are_written() -> None:
    """The careful way writes the same cells as the fast one."""
    columns = (Column("at", "date", Kind.TIME),)
    rows = [{"at": 0}, {"at": 10**17}, {"at": 1700000000}]
    assert written(rows, columns, iso=True).splitlines() == [
        '"1970-01-01T00:00:00Z"',
        "100000000000000000",
        '"2023-11-14T22:13:20Z"',
    ]


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-", "'-"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("＝1", "'＝1"),
        ("a=1", "a=1"),
        ("", ""),
        ('"=1"', '"=1"'),
        (", =1", ", =1"),
    ],
)
@pytest.mark.parametrize("data", ["text", {"an": "object"}])
def test_spreadsheet_safe_guards_texts_that_begin_like_a_formula(
    text: str, guarded: str, data: object
) -> None:
    """And nothing else: numbers below zero stay numbers."""
    line = written([{"ID": -5, "name": text, "price": None, "at": None, "data": data}], spreadsheet_safe=True)
    assert next(csv.reader(io.StringIO(line, newline="")))[:2] == ["-5", guarded]
    assert line.startswith("-5,")


def test_spreadsheet_safe_guards_the_header_too() -> None:
    """A column's name is the user's own text."""
    columns = (Column("=cmd", "ID", Kind.INTEGER), Column('a"b', "ID", Kind.INTEGER))
    assert CsvLines(columns, spreadsheet_safe=True).header() == b'"\'=cmd","a""b"\n'
    assert CsvLines(columns).header() == b'"=cmd","a""b"\n'


@pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n", "a", "."])
def test_a_delimiter_that_could_not_be_read_back_is_refused(delimiter: str) -> None:
    """Letters, quotes, points and more than one character."""
    with pytest.raises(InvalidArgument, match="delimiter"):
        CsvLines(COLUMNS, delimiter=delimiter)


TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    [
        ",null",
        "null",
        '"',
        '",null,"',
        "\\",
        '\\"',
        "\\\\n",
        "\n",
        "]\n[",
        ";",
        "a;b,c",
        "=1",
        "\x00",
        "\\u0000",
    ]
)
SCALARS = st.none() | TEXTS | st.integers(-(2**70), 2**70) | st.booleans()
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "ID": st.integers(1, 2**63),
            "name": st.none() | TEXTS,
            "price": st.none() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=3),
            "at": st.none() | st.integers(-(10**9), 10**18),
            "data": SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(TEXTS, SCALARS, max_size=2),
        }
    ),
    min_size=1,
    max_size=6,
)


def read_back(text: str, delimiter: str) -> list[list[str | None]]:
    """A reader of its own: quoted cells are texts, bare ones are numbers, empty ones are nothing."""
    rows: list[list[str | None]] = [[]]
    position = 0
    while position < len(text):
        if text[position] == '"':
            end = position + 1
            while text[end] != '"' or text[end + 1 : end + 2] == '"':
                end += 2 if text[end] == '"' else 1
            rows[-1].append("t:" + text[position + 1 : end].replace('""', '"'))
            position = end + 1
        else:
            end = min(i for i in (text.find(delimiter, position), text.find("\n", position)) if i >= 0)
            rows[-1].append("n:" + text[position:end] if end > position else None)
            position = end
        if text[position] == "\n":
            rows.append([])
        elif text[position + 1] == "\n":
            rows[-1].append(None)
            position += 1
            rows.append([])
        position += 1
    return rows[:-1]


def expected(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return f"t:{value}"
    if isinstance(value, bool):
        return f"n:{str(value).lower()}"
    if isinstance(value, (list, dict)):
        return "t:" + msgspec.json.encode(value).decode()
    return f"n:{value}"


@given(ROWS, st.sampled_from([",", ";", "\t", "|"]))
def test_every_value_can_be_read_back(rows: list[dict[str, Any]], delimiter: str) -> None:
    """Whatever the texts hold: delimiters, quotes, line breaks, backslashes, what looks like an empty cell."""
    cells = read_back(written(rows, delimiter=delimiter), delimiter)
    keys = [column.key for column in COLUMNS]
    plain = [[row[key] for key in keys] for row in rows]
    normal = msgspec.json.Decoder(list[list[Any]], float_hook=Decimal)
    assert cells == [[expected(v) for v in row] for row in normal.decode(page(plain))]  # type: ignore[arg-type]


@given(
    ROWS,
    st.fixed_dictionaries(
        {"iso": st.booleans(), "delimiter": st.sampled_from(",;\t|"), "spreadsheet_safe": st.booleans()}
    ),
)
def test_both_encoders_write_the_same_bytes(rows: list[dict[str, Any]], options: dict[str, Any]) -> None:
    """The careful way is the plain statement of the format; the fast one has to agree with it."""
    lines = CsvLines(COLUMNS, **options)
    read = lines.row_type.reader(ENTITY, id_key="ID").page(page(rows)).rows
    assert lines.encode(read) == lines._encode_cells(read)


def escaped(value: Any) -> str:
    """Return JSON as another server writes it: each character of a text as an escape."""
    if isinstance(value, str):
        units = value.encode("utf-16-be")
        return '"' + "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2)) + '"'
    if isinstance(value, list):
        return "[" + " ,\n".join(map(escaped, value)) + "]"
    if isinstance(value, dict):
        return "{" + " , ".join(f"{escaped(key)} : {escaped(item)}" for key, item in value.items()) + "}"
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


@given(
    ROWS,
    st.fixed_dictionaries(
        {"iso": st.booleans(), "delimiter": st.sampled_from(",;\t|"), "spreadsheet_safe": st.booleans()}
    ),
)
def test_the_file_does_not_depend_on_how_the_server_writes_its_json(
    rows: list[dict[str, Any]], options: dict[str, Any]
) -> None:
    """With escapes or without, in one line or in several: the bytes of the file are the same."""
    lines = CsvLines(COLUMNS, **options)
    reader = lines.row_type.reader(ENTITY, id_key="ID")
    assert lines.encode(reader.page(escaped(rows).encode()).rows) == lines.encode(
        reader.page(page(rows)).rows
    )


@pytest.mark.parametrize("text", ["x,null", "\nnull,null", ",null,null", "null\u2028,null"])
@pytest.mark.parametrize("nothing", [None, 1])
def test_an_escaped_comma_before_null_loses_no_text(text: str, nothing: int | None) -> None:
    r"""What looks like an empty cell within a text, written as \u002cnull on the wire."""
    columns = (Column("x", "x", Kind.TEXT), Column("y", "y", Kind.INTEGER))
    lines = CsvLines(columns)
    body = f'[{{"x": {escaped(text)}, "y": {json.dumps(nothing)}}}]'.replace("\\u006e\\u0075", "nu")
    rows = lines.row_type.reader(ENTITY, id_key=None).page(body.encode()).rows
    assert lines.encode(rows).decode() == f'"{text}",{"" if nothing is None else nothing}\n'


@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN, Kind.JSON, Kind.TIME])
@pytest.mark.parametrize("value", ["null", "7", "1.5", "true", "2026-01-01T00:00:00Z", Decimal("1.0"), True])
def test_times_as_iso_change_the_times_only(kind: Kind, value: object) -> None:
    """A lax decoder would make nothing of the text "null", and a number of "7"."""
    if kind is Kind.TIME and isinstance(value, Decimal):
        return
    columns = (Column("x", "x", kind), Column("y", "y", Kind.INTEGER))
    assert written([{"x": value, "y": 1}], columns, iso=True) == written([{"x": value, "y": 1}], columns)
