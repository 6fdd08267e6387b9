"""JSON with half characters: read as Python's own json reads it, written as escapes."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.json_text import MARK, decode_json, encode_json, encode_lines, mark_halves

ANY_TEXT = st.text(st.characters(codec=None) | st.sampled_from('\ud83d\ude00\ud800\udfff\\"u'), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_half_characters_are_read_as_pythons_json_reads_them(value: Any) -> None:
    """Whatever stands around them: whole pairs, escaped backslashes, other halves, keys."""
    text = json.dumps(value)
    assert decode_json(text.encode()) == json.loads(text)


@given(VALUES)
def test_half_characters_are_written_as_escapes(value: Any) -> None:
    """So that what was read can be read again."""
    body = encode_json(value)
    body.decode("utf-8")
    assert json.loads(body) == json.loads(json.dumps(value))
    assert encode_lines([value], msgspec.json.Encoder()) == encode_json(value) + b"\n"


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (rb'"Party \ud83d"', "Party \ud83d"),
        (rb'"\uD83D\uDE00 \uDE00"', "😀 \ude00"),
        (rb'"\\ud83d \ud83d"', "\\ud83d \ud83d"),
        (b'"\xed\xa0\xbd"', "\ud83d"),
        (rb'{"\ud83d": ["\ud83d", 1]}', {"\ud83d": ["\ud83d", 1]}),
    ],
)
def test_forms_in_which_servers_write_half_a_character(body: bytes, value: Any) -> None:
    """As an escape, and as UTF-8 that was made of the half itself; an escaped backslash is none."""
    assert decode_json(body) == value
    assert json.loads(body) == value


@pytest.mark.parametrize(
    "body", [b"NaN", rb'["\ud83d", NaN]', b'"\xff"', rb'["\ud83d", "' + b'\xff"]', b"", b"[1"]
)
def test_what_else_is_no_json_stays_refused(body: bytes) -> None:
    """Beside a half character, too."""
    with pytest.raises(msgspec.DecodeError):
        decode_json(body)


def test_nothing_is_searched_where_nothing_was_refused() -> None:
    """A body that was read at once is not looked through; one without halves has nothing to mark."""
    assert mark_halves(rb'"\\ud83d \ud83d\ude00"') is None
    marked = mark_halves(rb'"\ud83d"')
    assert marked is not None
    assert MARK in marked
