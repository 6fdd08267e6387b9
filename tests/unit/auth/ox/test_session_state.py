"""The state of Open-Xchange's sessions, and their cookies, as properties and tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.auth.ox.ox_answers import answer
from zeyos_async.auth.ox.session_state import SessionState

NAMES = st.text("abcdefghijklmnopqrstuvwxyz-0123456789", min_size=1, max_size=12)


VALUES = st.text("ABCDEFabcdef0123456789-._=", max_size=20)


@pytest.mark.parametrize(
    ("line", "cookies"),
    [
        ("a=1", {"a": "1"}),
        ("a=1; Path=/ajax; Secure; HttpOnly; SameSite=Lax", {"a": "1"}),
        (" a = 1 ; Path=/", {"a": "1"}),
        ("a=x=y==", {"a": "x=y=="}),
        ("a=", {"a": ""}),
        ('a="quoted"', {"a": '"quoted"'}),
        ("a=1; Max-Age=3600", {"a": "1"}),
        ("a=1; Max-Age=0", {}),
        ("a=1; max-age=-1", {}),
        ("a=1; Expires=Thu, 01 Jan 1970 00:00:10 GMT", {}),
        ("a=1; Expires=Thu, 01-Jan-1970 00:00:10 GMT", {}),
        ("a=1; Expires=Thu, 01 Jan 2970 00:00:10 GMT", {"a": "1"}),
        ("a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:10 GMT", {"a": "1"}),
        ("a=1; Expires=nonsense", {"a": "1"}),
        ("a=1; Max-Age=nonsense", {"a": "1"}),
        ("=1", {}),
        ("nonsense", {"nonsense": ""}),
        ("", {}),
    ],
)
def test_one_cookie(line: str, cookies: dict[str, str]) -> None:
    """Set, replaced and removed as RFC 6265 has it; the value stays as it came."""
    assert SessionState("s").with_cookies_of(answer({}, cookies=[line])).cookies == cookies


def test_a_cookie_that_is_removed() -> None:
    """The others stay."""
    state = SessionState("s", {"a": "1", "b": "2"})
    changed = state.with_cookies_of(answer({}, cookies=["a=; Max-Age=0", "c=3"]))
    assert changed == SessionState("s", {"b": "2", "c": "3"})


@given(st.dictionaries(NAMES, VALUES, max_size=6), st.text(max_size=30))
def test_a_state_survives_its_credential(cookies: dict[str, str], session: str) -> None:
    """What a store keeps as one secret comes back whole, whatever is in it; its repr tells nothing."""
    state = SessionState(session, cookies)
    credential = state.to_credential(user="jane")
    assert SessionState.from_credential(credential) == state
    assert repr(state) == f"SessionState(cookies=<{len(cookies)} cookies>)"


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=6))
def test_cookies_that_were_set_are_sent(cookies: dict[str, str]) -> None:
    """Each of them, with the value that came."""
    lines = [f"{name}={value}; Path=/; HttpOnly" for name, value in cookies.items()]
    state = SessionState("s").with_cookies_of(answer({}, cookies=lines))
    sent = dict(pair.split("=", 1) for pair in state.cookie_header(None)["Cookie"].split("; "))
    assert sent == cookies
