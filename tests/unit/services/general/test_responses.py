"""Whatever a server sends is read, or is one of our errors: nothing else comes out."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from zeyos_async.auth.general.login import KmdToken, read_status
from zeyos_async.codec import DecodeFailed
from zeyos_async.errors import ApiError, ServerError
from zeyos_async.services.general.forms import read_form
from zeyos_async.services.general.lists import read_listing
from zeyos_async.services.general.responses import ResponseCheck
from zeyos_async.wire import Request, Response

PLAIN = st.none() | st.booleans() | st.integers(-5, 600) | st.floats(allow_nan=False) | st.text(max_size=5)
KEYS = st.sampled_from(
    [
        "fields",
        "ids",
        "data",
        "head",
        "total",
        "id",
        "row",
        "content",
        "type",
        "subtype",
        "colorder",
        "fieldname",
        "value",
        "listkeys",
        "listvalues",
        "displayvalue",
        "defaultvalue",
        "status",
        "msg",
        "statuscode",
        "infotext",
        "caption",
    ]
)
JSON = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)
FIELD = st.dictionaries(KEYS, JSON, max_size=8).map(lambda item: {"fieldname": "a", **item})
FORM = st.fixed_dictionaries({"fields": st.lists(FIELD | JSON, max_size=3)}, optional={"ids": JSON})
LIST = st.fixed_dictionaries({"head": st.just([{"colorder": "a"}]) | JSON, "data": JSON, "total": JSON})
REQUEST = Request(method="POST", url=URL("https://api.example.com/general"), operation="Thing.get")


@given(FORM | JSON)
def test_any_form_is_read_or_an_error(data: Any) -> None:
    """A form, or an error of the server."""
    try:
        form = read_form("Thing", data)
    except ServerError:
        return
    assert set(form) <= set(form.definition)
    assert repr(form)


@given(LIST | JSON)
def test_any_list_is_read_or_an_error(data: Any) -> None:
    """A page, or a failure to decode."""
    try:
        listing = read_listing(data)
    except DecodeFailed:
        return
    assert listing.total >= 0


@given(JSON | st.dictionaries(KEYS, PLAIN, max_size=4))
def test_any_status_passes_or_is_an_error(value: Any) -> None:
    """An answer that passes is a success, or none of this API; the others are errors of the API."""
    response = Response(status=200, body=msgspec.json.encode(value))
    status = read_status(response)
    if status is None or status.ok:
        ResponseCheck(KmdToken("kmd-1"))(REQUEST, response)
        return
    with pytest.raises(ApiError, match=r"Thing\.get"):
        ResponseCheck(KmdToken("kmd-1"))(REQUEST, response)


@pytest.mark.parametrize("body", [b"", b"\xff", b"null", b"[]", b"{}", b"<html>", b'{"status": 1}'])
def test_a_body_without_a_status_has_none(body: bytes) -> None:
    """What is no answer has no status."""
    assert read_status(Response(status=200, body=body)) is None
