"""What an answer of Open-Xchange says about a session, as properties and tables."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.auth.ox.wire import LOST_SESSION_CODES, error_code

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("SES-0203"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.just("code"), inner),
    max_leaves=12,
)


@given(JSON, st.booleans())
def test_a_session_is_lost_if_the_envelope_says_so(value: object, wrapped: bool) -> None:
    """Only an object whose own ``code`` it is, plain or in a page; whatever else is in there."""
    body = json.dumps(value).encode()
    if wrapped and isinstance(value, dict):
        body = b"<html><body><script>(parent['callback_new'])(" + body + b")</script></html>"
    own = value.get("code") if isinstance(value, dict) else None
    assert (error_code(body) in LOST_SESSION_CODES) is (own == "SES-0203")


@pytest.mark.parametrize(
    ("fields", "lost"),
    [
        ({"error": "Missing the following request parameter: session"}, True),
        ({"error": "Es fehlt ein Parameter.", "error_params": ["session"]}, True),
        ({"error": "Missing the following request parameter: folder"}, False),
        ({"error": "Es fehlt ein Parameter."}, False),
    ],
)
def test_a_missing_parameter_may_be_the_session(fields: dict[str, object], lost: bool) -> None:
    """A log-in does not help against any other one."""
    assert (error_code(json.dumps({**fields, "code": "SVL-0002"}).encode()) in LOST_SESSION_CODES) is lost


@given(st.binary(max_size=200) | st.binary(max_size=40).map(lambda data: data + b'"SES-0203"' + data))
def test_no_nonsense_is_an_error_by_itself(body: bytes) -> None:
    """Whatever a server sends is read without an exception."""
    assert isinstance(error_code(body), str)
    assert isinstance(error_code(b"{" + body + b"}"), str)
