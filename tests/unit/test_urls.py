"""Addresses: the server reads what was given, or nothing is sent."""

from __future__ import annotations

import enum
import math
from datetime import date
from decimal import Decimal
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from zeyos_async.errors import ConfigurationError, InvalidArgument
from zeyos_async.urls import add_query, add_segments, parse_address, set_query

BASE = URL("https://erp.example.com/demo")
TEXTS = st.text(st.characters(codec="utf-8") | st.sampled_from("%+&=#?/;\\ \u2028"))
HALVES = st.sampled_from(["\ud83d", "\udcff", "3\ud83d", "\ude00\ud83d"])


class Level(enum.IntEnum):
    HIGH = 3


class Kind(enum.StrEnum):
    OPEN = "open"


def read_query(url: URL) -> list[tuple[str, str]]:
    return parse_qsl(url.raw_query_string, keep_blank_values=True, strict_parsing=bool(url.raw_query_string))


@given(st.lists(st.tuples(TEXTS.filter(bool), TEXTS), min_size=1))
def test_texts_in_queries_arrive_as_they_are(pairs):
    """Whatever characters they have; both ways to write a query say the same."""
    assert read_query(set_query(BASE, pairs)) == pairs
    assert read_query(add_query(set_query(BASE, {"a": "b"}), pairs)) == [("a", "b"), *pairs]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-7, "-7"),
        (10**30, "1" + "0" * 30),
        (1.5, "1.5"),
        (0.1, "0.1"),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.00"), "-0.00"),
        (Level.HIGH, "3"),
        (Kind.OPEN, "open"),
    ],
)
def test_numbers_in_queries_are_not_cut(value, text):
    """A fraction stays one, and a number of an enumeration is its number."""
    assert read_query(set_query(BASE, {"p": value})) == [("p", text)]
    assert read_query(set_query(BASE, {"p": [value, value]})) == [("p", text), ("p", text)]


@given(
    st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=False, allow_infinity=False, places=3)
)
def test_numbers_in_queries_are_read_back(value):
    """As the number that they were."""
    ((_, text),) = read_query(set_query(BASE, {"p": value}))
    assert Decimal(text) == Decimal(repr(value) if isinstance(value, float) else value)


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        None,
        math.nan,
        math.inf,
        Decimal("NaN"),
        Decimal("-Infinity"),
        10**5000,
        b"x",
        date(2024, 1, 1),
        object(),
        {"a": 1},
        {1},
        1j,
        [None],
        ["\ud83d"],
        "\ud83d",
        "3\udcff",
    ],
    ids=lambda value: f"{type(value).__name__}",
)
def test_what_a_query_can_not_say_is_refused(value):
    """In place of a bare TypeError, or of another value than was meant."""
    with pytest.raises(InvalidArgument, match="nothing was sent"):
        set_query(BASE, {"p": value})
    with pytest.raises(InvalidArgument):
        add_query(BASE, [("p", value)])


@pytest.mark.parametrize(
    "query",
    ["a=1", b"a=1", ["ab", "c"], [("a",)], [("a", "b", "c")], [1], 5, {1: "a"}, {None: "x"}, {"\ud83d": "x"}],
)
def test_what_is_no_query_is_refused(query):
    """It is a mapping or pairs, and names are texts."""
    with pytest.raises(InvalidArgument):
        set_query(BASE, query)


@given(TEXTS.filter(lambda text: text not in ("", ".", "..") and not set(text) & set("\r\n\0/")))
def test_a_part_of_a_path_arrives_as_it_is(text):
    """Percent signs, question marks and what else has a meaning in addresses are quoted."""
    url = add_segments(BASE, "things", text)
    assert [unquote(part) for part in url.raw_path.split("/")] == ["", "demo", "things", text]
    assert not url.raw_query_string


@given(TEXTS, HALVES | st.sampled_from(["\r", "\n", "\0", "\r\nHost: evil"]), TEXTS)
def test_what_a_path_can_not_hold_is_refused(before, character, after):
    """Line breaks, NUL and half characters, which the address library would drop."""
    with pytest.raises(InvalidArgument, match="nothing was sent"):
        add_segments(BASE, before + character + after)


@pytest.mark.parametrize(
    "value",
    [
        "https://erp.example.com/demo?x=1",
        "https://erp.example.com/demo#x",
        "https://erp.example.com/de mo",
        " https://erp.example.com/demo",
        "https://erp.example.com/demo ",
        "https://erp.example.com/demo\n",
        "https://erp.example.com/de\r\nmo",
        "https://erp.example.com/\0",
        "https://erp.example.com/\ud83d",
        "https://erp.example.com/\u00a0",
        "https://jane:pw@erp.example.com",
        "https://jane@erp.example.com",
        "https://erp..invalid",
        "https://xn--",
        "https://" + "a" * 70 + ".invalid",
        "https://" + "a." * 140,
        "https://\u2024.invalid",
        "https://erp.example.com:99999",
        "https://erp.example.com:x",
        "https://",
        "https:///x",
        "erp.example.com",
        "ftp://erp.example.com",
        "",
        None,
        5,
        b"https://erp.example.com",
    ],
    ids=ascii,
)
def test_base_urls_that_can_not_be(value):
    """Each is refused at once, and none is sent to in part."""
    with pytest.raises(ConfigurationError) as caught:
        parse_address(value, subject="the API", example="https://erp.example.com/demo")
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        "https://erp.example.com",
        "http://127.0.0.1:8080/a/b",
        "https://[::1]:8443/x",
        "https://erp_1.invalid/",
        "https://b\u00fccher.example/",
        "https://localhost./x",
        "https://erp.example.com/a%2Fb",
    ],
)
def test_base_urls_that_can_be(value):
    """They are kept as they were written but for a slash at the end, quoted parts as they are."""
    for given_url in (value, URL(value)):
        url = parse_address(given_url, subject="the API", example="https://erp.example.com/demo")
        assert str(url) == str(URL(value)).rstrip("/")
