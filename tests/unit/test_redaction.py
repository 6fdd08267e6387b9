"""Redaction: a secret is found in whatever form a server repeats it, and other texts stay as they are."""

from __future__ import annotations

import base64
import html
import json
import re
import string
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from zeyos_async.secrets import Secret, redact


def _as_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _as_escaped_json(text: str) -> str:
    return _as_json(text).replace("/", "\\/")


def _as_references(text: str) -> str:
    return "".join(f"&#x{ord(char):X};" for char in text)


def _as_bearer_of_basic(text: str) -> str:
    return base64.b64encode(f"max:{text}".encode()).decode()


ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": urllib.parse.quote,
    "percent, slashes too": lambda text: urllib.parse.quote(text, safe=""),
    "form": urllib.parse.quote_plus,
    "percent, small letters": lambda text: re.sub(
        "%..", lambda match: match[0].lower(), urllib.parse.quote(text)
    ),
    "percent twice": lambda text: urllib.parse.quote(urllib.parse.quote(text)),
    "JSON": _as_json,
    "JSON in Unicode": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON as of PHP": _as_escaped_json,
    "JSON within JSON": lambda text: _as_json(_as_json(text)),
    "HTML": html.escape,
    "HTML in ASCII": lambda text: html.escape(text).encode("ascii", "xmlcharrefreplace").decode(),
    "HTML references": _as_references,
    "HTML of JSON": lambda text: html.escape(json.dumps(text)),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 of a pair": _as_bearer_of_basic,
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(f"?{text}".encode()).decode().rstrip("="),
    "base64 in JSON": lambda text: _as_escaped_json(_as_bearer_of_basic(text)),
    "base64 in a query": lambda text: urllib.parse.quote(_as_bearer_of_basic(text)),
    "base64 in lines": lambda text: base64.encodebytes(text.encode()).decode(),
    "Python": lambda text: repr(text)[1:-1],
}

SECRETS = [
    "pässwörd/ü+1",
    'a"b\\c<d>&e',
    "token with blanks",
    "97c4281ea528ef02",
    "100%&amp;more",
    "€uro-Schlüssel",
]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_found_in_each_form(secret: str, encoding: str) -> None:
    """Whole, between other texts, and more than once."""
    form = ENCODINGS[encoding](secret)
    text = redact(f"said <{form}> and <{form}>.", Secret(secret))
    assert re.fullmatch(r"said <\W?.{0,6}\*\*\*.{0,6}> and <.{0,6}\*\*\*.{0,6}>\.", text, re.DOTALL), text


@pytest.mark.parametrize("cut", [0.6, 0.8, 0.95])
@pytest.mark.parametrize("end", ["", "…", "...", "…'; is the base URL right?"])
@pytest.mark.parametrize("encoding", ["plain", "percent", "JSON", "HTML references", "base64"])
def test_a_secret_that_is_cut_off_is_found(encoding: str, end: str, cut: float) -> None:
    """Messages are shortened, and what is left of a token is most of it."""
    form = ENCODINGS[encoding]("a-secret/of some-length-ü")
    text = redact(f"said {form[: int(len(form) * cut)]}{end}", Secret("a-secret/of some-length-ü"))
    assert text.startswith("said ***")
    assert len(text) <= len(f"said ***{end}") + 2


@pytest.mark.parametrize(
    "text",
    [
        "a text without it",
        "swordfights with a sword",
        "",
        "Wrong password",
        "%73%77%6F%72%64 in part",
        "&#115;&#119;",
        "c3dvcmQ=",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    """Words that begin alike, and forms of a part."""
    assert redact(text, Secret("swordfish-9"), Secret(""), None) == text


def test_short_secrets_are_left_alone() -> None:
    """Hiding every "abc" would tell what it is."""
    assert redact("abc abcd", Secret("abc")) == "abc abcd"
    assert redact("abc abcd", Secret("abcd")) == "abc ***"


_CHARACTERS = st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"])


@given(
    st.text(_CHARACTERS, min_size=8, max_size=40),
    st.sampled_from(list(ENCODINGS.values())),
    st.text(string.ascii_letters, max_size=20),
)
def test_no_form_of_a_random_secret_stays(secret: str, encode: Callable[[str], str], around: str) -> None:
    """Of any characters, in any text."""
    form = encode(secret)
    assume(secret not in around and form not in around)
    text = redact(f"{around} {form} {around}", Secret(secret))
    assert "***" in text
    assert secret not in text
    assert form not in text


@given(st.text(_CHARACTERS, min_size=8, max_size=40), st.text(max_size=200))
def test_texts_without_a_secret_are_not_changed_into_it(secret: str, text: str) -> None:
    """Redaction leaves nothing behind that it would find again."""
    once = redact(text, Secret(secret))
    assert redact(once, Secret(secret)) == once
