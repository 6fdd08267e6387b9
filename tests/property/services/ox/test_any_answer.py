"""Whatever comes for an answer: each of the 429 operations returns what its row promises, or raises one of our errors.

Statuses, headers and bodies are drawn: nothing in its many forms, envelopes of the wrong shape, cut JSON, pages, and
nested nonsense. A write never ends as something that says nothing of its outcome.
"""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.services.ox.test_operations import (
    FACTS,
    METHODS,
    check_result,
    in_python,
    key_of,
    positional,
)
from zeyos_async import OpenXchange, Retry, Session
from zeyos_async.codec import DecodeFailed
from zeyos_async.errors import ApiError, OutcomeUnknown, ServerError, ZeyosAsyncError
from zeyos_async.services.ox._generated import make_module
from zeyos_async.services.ox.rows import Rows
from zeyos_async.services.ox.spec import ResultShape, Spec
from zeyos_async.services.ox.values import WireKind
from zeyos_async.transport.memory import MemoryTransport
from zeyos_async.wire import Request, Response, Safety

NOTHING: Final = [
    b"", b" ", b"{}", b'{"data":null}', b'{"timestamp":1}', b'{"timestamp":1,"warnings":[]}', b"null", b"[]",
]  # fmt: skip
"""What says nothing, in the forms that proxies and broken servers send."""

_ODD_TEXTS: Final = st.sampled_from(["", "7", "x", "9" * 5000, "NaN", "1e400", "\ud83d", "error", "JOB-0003"])
_NAMES: Final = st.sampled_from(
    [
        "data",
        "timestamp",
        "error",
        "code",
        "category",
        "categories",
        "warnings",
        "error_params",
        "truncated",
        "id",
        "folder",
        "folder_id",
        "job",
        "success",
        "new",
        "modified",
        "deleted",
        "created",
        "conflicts",
        "has_failed",
        "clean_up",
        "attachments",
        "from",
        "start_date",
        "full_time",
        "startDate",
        "value",
        "tzid",
        "error_id",
    ]
)
_VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | _ODD_TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=8,
)
_JSON: Final = _VALUES.map(lambda value: json.dumps(value, allow_nan=True).encode())
_ENVELOPES: Final = _VALUES.map(lambda value: json.dumps({"data": value, "timestamp": 1}).encode())
_PAGES: Final = _ENVELOPES.map(
    lambda body: b"<html><script>(parent.callback_x)(" + body + b")</script></html>"
)
_BODIES: Final = st.sampled_from(NOTHING) | _JSON | _ENVELOPES | _PAGES | st.binary(max_size=20)


@st.composite
def answers(draw: st.DrawFn) -> Response:
    """An answer of any status and any body, which may be cut."""
    body = draw(_BODIES)
    if draw(st.integers(0, 3)) == 0:
        body = body[: draw(st.integers(0, len(body)))]
    status = draw(st.sampled_from([200] * 8 + [101, 201, 202, 204, 206, 299, 300, 302, 304, 399, 400, 401]))
    headers = draw(
        st.sampled_from(
            [{}, {"Content-Type": "text/html"}, {"Location": "http://[x"}, {"Retry-After": "9" * 5000}]
        )
    )
    return Response(status=status, headers=headers, body=body)


async def call(facts: dict[str, Any], answer: Response) -> tuple[Spec, Any, Exception | None, int]:
    """The operation's row, what the call returned or raised, and how often it was sent."""
    module, name = METHODS[key_of(facts)]
    transport = MemoryTransport(lambda request: _answer_to(request, answer))
    async with (
        Session(transport=transport) as session,
        OpenXchange("https://ox.example/ajax", session=session, retry=Retry(attempts=1)) as ox,
    ):
        # As people call it, with what our own modules add; where they replace it, as the document has it.
        bound = getattr(ox.module(module), name)
        if bound.spec is None:
            bound = getattr(make_module(module, ox._caller), name)
        try:
            result = await bound(*positional(facts, bound.spec), **in_python(bound.spec))
        except Exception as error:  # noqa: BLE001 - the test is about which
            return bound.spec, None, error, len(transport.requests)
        return bound.spec, result, None, len(transport.requests)


def _answer_to(request: Request, answer: Response) -> Response:
    if request.url.path.endswith("/jobs") and request.operation.endswith("(job info)"):
        return Response(status=200, body=b'{"data":{"id":"7","done":true}}', url=request.url)
    return Response(status=answer.status, headers=answer.headers, body=answer.body, url=request.url)


def check_error(spec: Spec, error: Exception) -> None:
    """The error is ours, and that of a write tells what became of it."""
    assert isinstance(error, ZeyosAsyncError), error
    assert not isinstance(error, DecodeFailed), error
    if spec.safety is Safety.READ:
        return
    assert isinstance(error, OutcomeUnknown | ApiError), error
    is_redirect = (
        isinstance(error, ApiError) and 300 <= error.status < 400 and spec.returns is not ResultShape.PAGE
    )
    assert not isinstance(error, ServerError) or isinstance(error, OutcomeUnknown) or is_redirect, error


@settings(max_examples=300, deadline=None)
@given(number=st.integers(0, len(FACTS) - 1), answer=answers())
def test_each_call_returns_a_right_value_or_raises_one_of_our_errors(number: int, answer: Response) -> None:
    """After a write was begun, any exception ends as one of ours that tells the outcome."""
    spec, result, error, sent = asyncio.run(call(FACTS[number], answer))
    assert sent
    if error is not None:
        check_error(spec, error)
    else:
        check_result(spec, result)
        if spec.returns is ResultShape.VALUE:
            assert type(result) in _VALUE_TYPES[spec.kind]


_VALUE_TYPES: Final = {
    WireKind.TEXT: (str,),
    WireKind.INTEGER: (int,),
    WireKind.BOOLEAN: (bool,),
    WireKind.STAMP: (int, datetime),
}


@pytest.mark.parametrize("facts", FACTS, ids=lambda facts: f"{facts['module']}.{facts['operation_id']}")
async def test_nothing_is_not_an_empty_list(facts: dict[str, Any]) -> None:
    """Nothing is a good answer where the document says so, and a failure everywhere else."""
    for status in (200, 204, 304):
        for body in NOTHING if status == 200 else [b""]:
            spec, result, error, _ = await call(facts, Response(status=status, body=body))
            if error is not None:
                check_error(spec, error)
            elif spec.returns is ResultShape.NOTHING:
                assert (result, status in (200, 204)) == (None, True)
                assert body != b"[]"
            elif spec.returns is ResultShape.DOWNLOAD:
                assert status == 200  # whose file may be empty
            elif spec.returns is ResultShape.PAGE:
                assert isinstance(result, Response)
                assert status == 200
            else:
                says_so = spec.may_be_missing or (spec.bare and body == b"[]")
                assert says_so, (status, body, result)
                assert status == 200
                assert not isinstance(result, Rows) or body == b"[]"


@pytest.mark.parametrize("status", [101, 201, 202, 206, 299, 300, 304, 399])
@pytest.mark.parametrize("facts", FACTS[::7], ids=lambda facts: f"{facts['module']}.{facts['operation_id']}")
async def test_other_statuses_than_the_good_ones_are_failures(facts: dict[str, Any], status: int) -> None:
    """However good the body looks."""
    for body in (b'{"data":[]}', b'{"data":{"id":"x y"}}', b'{"data":true}'):
        spec, result, error, _ = await call(facts, Response(status=status, body=body))
        if spec.returns is ResultShape.PAGE and status in spec.good_statuses:
            continue
        assert error is not None, (status, body, result)
        check_error(spec, error)
