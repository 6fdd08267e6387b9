"""The OpenTelemetry hooks: which spans there are, what they say, and what they don't."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import pytest
from yarl import URL

from zeyos_async.auth import BearerToken, PasswordLogin
from zeyos_async.errors import NotFound, NotSent, OutcomeUnknown
from zeyos_async.policy import Hedge, Limits, Retry
from zeyos_async.session import Session
from zeyos_async.telemetry import OpenTelemetryHooks
from zeyos_async.transport import MemoryTransport
from zeyos_async.wire import Request, Response, Safety

pytest.importorskip("opentelemetry.sdk")
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import INVALID_SPAN, SpanKind, StatusCode, get_current_span

BASE = "https://api.example.com/demo"
OK = Response(status=200, body=b"{}")


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter):
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider
    provider.shutdown()


def make_request(path="/api/v1/things/1?session=s3cret", *, method="GET", safety=Safety.READ):
    return Request(method=method, url=URL(BASE + path), safety=safety, operation="things.get")


def session(provider, transport, **options):
    hooks = [OpenTelemetryHooks(provider)]
    return Session(transport=transport, retry=Retry(base=0.0), hooks=hooks, **options)


async def test_a_call_and_its_attempts(provider, exporter):
    """A client span for the call, and one below it for each time that it was sent."""
    transport = MemoryTransport.script([Response(status=503), NotSent("down"), OK])
    async with session(provider, transport) as one:
        await one.bind(BASE).send(make_request())
    first, second, third, call = exporter.get_finished_spans()
    assert {span.parent.span_id for span in (first, second, third)} == {call.context.span_id}
    assert call.parent is None
    assert {span.kind for span in (first, second, third, call)} == {SpanKind.CLIENT}
    assert [span.name for span in (first, call)] == ["GET", "things.get"]
    assert dict(call.attributes) == {
        "http.request.method": "GET",
        "server.address": "api.example.com",
        "server.port": 443,
        "url.full": f"{BASE}/api/v1/things/1",
        "zeyos_async.operation": "things.get",
        "http.response.status_code": 200,
    }
    assert [span.attributes.get("http.request.resend_count") for span in (first, second, third)] == [
        None,
        1,
        2,
    ]
    assert [span.attributes.get("error.type") for span in (first, second, third)] == [
        "503",
        "zeyos_async.errors.NotSent",
        None,
    ]
    assert [span.status.status_code for span in (first, second, third, call)] == [
        StatusCode.ERROR,
        StatusCode.ERROR,
        StatusCode.UNSET,
        StatusCode.UNSET,
    ]
    assert [event.name for event in call.events] == ["retry", "retry"]


@pytest.mark.parametrize(
    ("step", "safety", "error", "kind", "status"),
    [
        (Response(status=404, body=b'"gone"'), Safety.READ, NotFound, "404", 404),
        (OutcomeUnknown("lost"), Safety.ONCE, OutcomeUnknown, "zeyos_async.errors.OutcomeUnknown", None),
    ],
)
async def test_a_call_that_fails(provider, exporter, step, safety, error, kind, status):
    """Its span says how: by the status, or by the class of the error that its caller got."""
    async with session(provider, MemoryTransport.script([step])) as one:
        with pytest.raises(error):
            await one.bind(BASE).send(make_request(safety=safety))
    call = exporter.get_finished_spans()[-1]
    assert call.attributes["error.type"] == kind
    assert call.attributes.get("http.response.status_code") == status
    assert call.status.status_code is StatusCode.ERROR


async def test_a_cancelled_call(provider, exporter):
    """Both spans end."""

    async def never(request):
        await asyncio.sleep(30)

    async with session(provider, MemoryTransport(never)) as one:
        task = asyncio.create_task(one.bind(BASE).send(make_request()))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    attempt, call = exporter.get_finished_spans()
    assert (
        attempt.attributes["error.type"]
        == call.attributes["error.type"]
        == "asyncio.exceptions.CancelledError"
    )


async def test_calls_at_once_do_not_mix(provider, exporter):
    """Each attempt belongs to its own call, and each call to the span that was current around it."""

    async def slowly(request):
        await asyncio.sleep(0)
        return OK

    tracer = provider.get_tracer("test")
    async with session(provider, MemoryTransport(slowly)) as one:
        channel = one.bind(BASE)
        with tracer.start_as_current_span("outside") as outside:
            await asyncio.gather(*(channel.send(make_request(f"/{number}")) for number in range(20)))
    spans = exporter.get_finished_spans()
    calls = {span.context.span_id: span for span in spans if span.name == "things.get"}
    attempts = [span for span in spans if span.name == "GET"]
    assert len(calls) == len(attempts) == 20
    assert {span.parent.span_id for span in calls.values()} == {outside.get_span_context().span_id}
    for attempt in attempts:
        assert calls[attempt.parent.span_id].attributes["url.full"] == attempt.attributes["url.full"]


async def test_both_requests_of_a_hedged_read(provider, exporter):
    """They lie below one call, and the one that lost has ended."""
    stalls = iter([0, 30, 0])

    async def answer(request):
        await asyncio.sleep(next(stalls))
        return OK

    hedge = Hedge(max_share=0.5, min_answers=1, min_delay=0.01, quantile=0.5)
    async with session(provider, MemoryTransport(answer), hedge=hedge) as one:
        channel = one.bind(BASE)
        await channel.send(make_request())
        exporter.clear()
        (limiter,) = one.loop_state().limiters.values()
        for _ in range(3):
            limiter.hedge_budget = hedge.earn(limiter.hedge_budget)
        await channel.send(make_request())
    *attempts, call = exporter.get_finished_spans()
    assert [span.parent.span_id for span in attempts] == [call.context.span_id] * 2
    assert sorted(span.attributes.get("http.request.resend_count", 0) for span in attempts) == [0, 1]
    assert call.status.status_code is StatusCode.UNSET


async def test_logins_and_waits_are_noted(provider, exporter):
    """In the span of the call that began or met them."""
    token = Response(status=200, body=b'{"token": "abc"}')
    transport = MemoryTransport.script([token, OK, OK])
    login = PasswordLogin("max", "pw-1234", identifier="x")
    async with session(provider, transport, limits=Limits(rate=1000.0)) as one:
        await one.bind(BASE, login).send(make_request())
    call = exporter.get_finished_spans()[-1]
    assert {event.name for event in call.events} == {"login", "limit"}


async def test_no_secret_anywhere(provider, exporter):
    """Not the token, not the query, not what the server said."""
    refusal = Response(status=400, body=b'"tok-1234 is no good, max"')
    async with session(provider, MemoryTransport.script([refusal])) as one:
        with pytest.raises(Exception, match="no good"):
            await one.bind(BASE, BearerToken("tok-1234")).send(make_request())
    text = "".join(span.to_json() for span in exporter.get_finished_spans())
    assert json.loads(exporter.get_finished_spans()[0].to_json())
    assert not any(secret in text for secret in ("tok-1234", "s3cret", "no good", "Authorization"))


async def test_two_hooks_objects_trace_twice(provider, exporter):
    """Two hooks objects trace the same call twice, each with spans of its own."""
    hooks = [OpenTelemetryHooks(provider), OpenTelemetryHooks(provider)]
    async with Session(transport=MemoryTransport.script([OK]), hooks=hooks) as one:
        await one.bind(BASE).send(make_request())
        assert get_current_span() is INVALID_SPAN
    assert len(exporter.get_finished_spans()) == 4


def test_a_missing_opentelemetry_is_named():
    """The error names the extra."""
    code = """
import sys
sys.modules["opentelemetry"] = None
from zeyos_async.errors import ConfigurationError
from zeyos_async.telemetry import OpenTelemetryHooks
try:
    OpenTelemetryHooks()
except ConfigurationError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert "zeyos-async[otel]" in done.stdout
