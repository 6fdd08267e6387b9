"""Whatever is answered: each public call of the four APIs returns a right value, or raises from ``zeyos_async.errors``.

The answers are good ones that went wrong somewhere: another status, other headers, a value in place of another, a
part that is missing or wrapped or named otherwise, JSON that is cut or has something before or behind it, and bytes
that are nothing at all. They come over real sockets, in answer to a log-in too.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Mapping
from typing import Any, Final

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zeyos_async import Retry, Session
from zeyos_async.errors import ApiError, FailedWrite, OutcomeUnknown, ServerError, ZeyosAsyncError

from .answered_calls import CALLS, CLIENTS, Answer, Key, Recording, answering, record

_RAW: Final = "raw JSON:"
"""Begins a text that stands in the body without its quotes."""
_ODD: Final[list[Any]] = [
    None, True, False, 0, 1, -1, 7, 8, 2**63, -(2**70), 0.5, 1e300, "", " ", "x", "7", "8", "-7", "007", "1.0", "0x7", "７",
    "\ud83d", "a\ud83d\n", "\0", "\u2028", "NaN", "null", "false", "error", "2026-13-45", "0000-00-00", "2026-01-01T00:00:00",
    [], {}, [[]], [None], [{}], {"ID": 8}, {"id": "8"}, {"error": "locked"}, {"success": False}, {"data": None}, {"": None},
    {"error": {"message": None}}, {"error": ["x"]}, [1, 2], ["x"], "9" * 5000, "<html>", "raw", {"timestamp": 1},
    *(_RAW + number for number in (
        "1e1000000", "-1e999999999", "1E-999999999", "9" * 5000, "-0", "-0.0", "1e400", "1e15", "253402300800", "1.0", "1e0", "1.5"
    )),
    _RAW + "NaN", _RAW + "Infinity", _RAW + "[" * 3000 + "]" * 3000, _RAW + '{"a":' * 3000 + "1" + "}" * 3000,
    _RAW + '"\xff"', _RAW + '"\x01"', _RAW + '"\\ud83d\\u0041"', _RAW + "undefined", _RAW + '{"ID":7,"ID":8}', _RAW + "",
]  # fmt: skip
_KEYS: Final = [
    "ID",
    "id",
    "data",
    "error",
    "code",
    "count",
    "",
    "\ud83d",
    "x",
    "timestamp",
    "status",
    "extra",
    "self",
    "__class__",
]
_AROUND: Final = [
    b"", b" ", b"\n\n", b"\xef\xbb\xbf", b"\xff\xfe", b"<br />\n<b>Notice</b>: x\n", b"while(1);", b"\0", b"}", b"]", b",", b"null", b"//",
]  # fmt: skip
_BODIES: Final = [
    b"", b" ", b"{}", b"[]", b"null", b"0", b"1", b"-1", b'""', b'"x"', b"true", b"false", b"{", b"[", b"\xef\xbb\xbf", b"OK", b"\x1f\x8b",
    b"<html><title>Log in</title></html>", b"\n\n<!DOCTYPE html>", b'{"success":false}', b'{"success":false,"error":"locked"}',
    b'{"error":null}', b'{"data":null}', b'{"data":[]}', b'{"data":{}}', b'{"timestamp":1}', b'{"ID":8}', b'[{"ID":8}]', b"[[]]", b"[[[]]]",
    b"[null]", b'{"statuscode":0}', b'{"status":"Success","statuscode":0}', b'{"error":"x","code":"SES-0203"}', b"[" * 100_000, b'{"a":' * 100_000,
]  # fmt: skip
_STATUSES: Final = [
    *(101, 200, 201, 202, 203, 204, 205, 206, 207, 226, 299, 300, 301, 302, 303, 304, 307, 308, 399, 400, 401, 402, 403, 404, 405),
    *(406, 408, 409, 410, 411, 412, 413, 418, 421, 422, 423, 425, 428, 429, 431, 451, 499, 500, 501, 502, 503, 504, 507, 520, 599, 600, 999),
]  # fmt: skip
_HEADERS: Final[list[tuple[str, str]]] = [
    ("Content-Type", "text/html"), ("Content-Type", "application/json; charset=latin1"), ("Content-Type", "\xff"), ("Content-Type", ""),
    ("Content-Type", "application/problem+json"), ("Content-Type", "text/plain"), ("Content-Encoding", "UTF-8"), ("Content-Encoding", "gzip"),
    ("Content-Encoding", "br, x"), ("ETag", ""), ("ETag", "\xff"), ("ETag", 'W/"v1"'), ("ETag", 'a"b'), ("ETag", "x" * 5000),
    ("Location", "/"), ("Location", "http://u:p@127.0.0.1/x"), ("Location", "http://[x"), ("Location", "http://erp..invalid"),
    ("Location", ""), ("Location", "?a"), ("Location", "\xff"), ("Location", "mailto:x"), ("Location", "http://x:99999999/"),
    ("Retry-After", "9" * 5000), ("Retry-After", "-1"), ("Retry-After", "Sun, 99 Xyz 9999"), ("Retry-After", "nan"), ("Retry-After", "1e999"),
    ("WWW-Authenticate", "Bearer"), ("WWW-Authenticate", "\xff,=="), ("Set-Cookie", "a=b; Expires=\xff"), ("Set-Cookie", "=;;"),
    ("Set-Cookie", "open-xchange-secret-x=" + "y" * 5000), ("Content-Range", "bytes 5-1/0"), ("Content-Range", "bytes */" + "9" * 5000),
    ("Content-Disposition", "attachment; filename*=UTF-8''%ff%"), ("Content-Disposition", "attachment; filename=../../x"),
    ("Last-Modified", "\xff"), ("Date", "x"), ("X-Request-Id", "\xff" * 300), ("Content-Length", "9" * 5000), ("Content-Length", "-1"),
    ("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "x"), ("Connection", "close"), ("Connection", "upgrade"), ("Upgrade", "h2c"),
]  # fmt: skip


@functools.cache
def recording_of(name: str) -> Recording:
    """The good answers to a call, which are the same for each example."""
    return asyncio.run(record(name))


@pytest.fixture(scope="module", autouse=True)
def _recordings() -> None:
    """Record all of them before examples are drawn, which must not depend on an emulator's randomness."""
    for name in CALLS:
        recording_of(name)


# -- answers that went wrong -----------------------------------------------------------------------


def places_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to all values within a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in items for place in places_in(item, (*path, key)))]


def change_at(value: Any, path: tuple[Any, ...], change: Any) -> Any:
    """The value with a change at a place; the change takes what is there."""
    if not path:
        return change(value)
    copy = value.copy()
    copy[path[0]] = change_at(value[path[0]], path[1:], change)
    return copy


@st.composite
def changed_values(draw: st.DrawFn, value: Any) -> Any:
    """A value in which something is another one, missing, named otherwise, repeated, or wrapped."""
    places = places_in(value)
    # The first places are those that hold the others; each is as likely as all that is within them.
    path = draw(st.sampled_from(places) | st.sampled_from(places[:12]))
    odd = draw(st.sampled_from(_ODD))
    key = draw(st.sampled_from(_KEYS))

    def rename(item: Any) -> Any:
        return {key if number == 0 else name: inner for number, (name, inner) in enumerate(item.items())}

    changes = {
        "replace": lambda item: odd,
        "wrap": lambda item: [item],
        "name": lambda item: {key: item},
        "write as text": lambda item: json.dumps(item),
        "add": lambda item: {**item, key: odd} if isinstance(item, dict) else [*item, odd] if isinstance(item, list) else odd,
        "rename": lambda item: rename(item) if isinstance(item, dict) else odd,
        "take away": lambda item: dict(list(item.items())[1:]) if isinstance(item, dict) else item[1:] if isinstance(item, list) else odd,
        "repeat": lambda item: item + item[-1:] if isinstance(item, list) else odd,
        "turn": lambda item: item[::-1] if isinstance(item, list) else odd,
    }  # fmt: skip
    return change_at(value, path, changes[draw(st.sampled_from(list(changes)))])


def encode(value: Any) -> bytes:
    """JSON, in which some texts are bytes without quotes."""
    text = json.dumps(value)
    while (start := text.find(f'"{_RAW}')) >= 0:
        raw, end = json.JSONDecoder().raw_decode(text, start)
        text = text[:start] + raw.removeprefix(_RAW) + text[end:]
    return text.encode("latin-1")


@st.composite
def odd_bodies(draw: st.DrawFn, good: bytes) -> bytes:
    """A body that was good once, or never."""
    kind = draw(st.sampled_from(["change"] * 6 + ["cut", "around", "another", "bytes", "encode"]))
    try:
        value = json.loads(good)
    except ValueError:
        kind = "another" if kind == "change" else kind
    if kind == "change":
        for _ in range(draw(st.integers(1, 2))):
            value = draw(changed_values(value))
        return encode(value)
    if kind == "cut":
        return good[: draw(st.integers(0, max(0, len(good) - 1)))]
    if kind == "around":
        return draw(st.sampled_from(_AROUND)) + good + draw(st.sampled_from(_AROUND))
    if kind == "encode":
        return good.decode("utf-8", "replace").encode(
            draw(st.sampled_from(["utf-16", "utf-8-sig", "utf-32", "latin-1"])), "replace"
        )
    return draw(st.binary(max_size=60)) if kind == "bytes" else draw(st.sampled_from(_BODIES))


@st.composite
def odd_answers(draw: st.DrawFn, good: Answer) -> Answer:
    """An answer with something wrong: with its body, its status, or its headers."""
    wrong = draw(st.sampled_from(["body"] * 4 + ["status", "headers", "all"]))
    answer = good
    if wrong in ("body", "all"):
        answer = attrs.evolve(answer, body=draw(odd_bodies(good.body)))
    if wrong in ("status", "all"):
        answer = attrs.evolve(answer, status=draw(st.sampled_from(_STATUSES)))
    if wrong in ("headers", "all"):
        more = tuple(draw(st.lists(st.sampled_from(_HEADERS), max_size=3)))
        names = {name for name, _ in more}
        others = tuple((name, value) for name, value in good.headers if name not in names)
        answer = attrs.evolve(
            answer, headers=(*others, *more), has_length=draw(st.booleans()) and "Content-Length" not in names
        )
    return answer


@st.composite
def odd_calls(draw: st.DrawFn) -> tuple[str, dict[int, Answer]]:
    """A call, and which of its answers are odd ones."""
    name = draw(st.sampled_from(list(CALLS)))
    answers = recording_of(name).answers
    numbers = st.integers(0, len(answers) - 1)
    # The last one is that of the call itself, behind a log-in and what is looked up.
    last = draw(st.sampled_from([len(answers) - 1]) | numbers)
    chosen = {last} | draw(st.sets(numbers, max_size=1) if len(answers) > 2 else st.just(set()))
    return name, {number: draw(odd_answers(answers[number][1])) for number in sorted(chosen)}


_OX_WRITES: Final = ("new", "update", "delete", "upload")

# -- what is promised ------------------------------------------------------------------------------


def outcome_of(name: str, odd: Mapping[int, Answer]) -> tuple[Any, Exception | None, list[Key]]:
    """What a call returned or raised, and what was sent."""
    return asyncio.run(run_call(name, recording_of(name), odd))


async def run_call(
    name: str, recording: Recording, odd: Mapping[int, Answer]
) -> tuple[Any, Exception | None, list[Key]]:
    """Make a call of a server that sends its good answers and some odd ones."""
    requests: list[Key] = []
    api = name.split(" ", 1)[0]
    async with (
        answering(recording, odd, requests) as address,
        Session(retry=Retry(attempts=1)) as session,
        CLIENTS[api](address, session=session, auth=recording.auth, timeout=20) as client,
    ):
        try:
            return await CALLS[name].run(client), None, requests
        except Exception as error:  # noqa: BLE001 - the test is about which
            return None, error, requests


def check_outcome(name: str, value: Any, error: Exception | None, requests: list[Key]) -> None:
    """The value is a right one, or the error is ours, and that of a write tells what became of it."""
    call = CALLS[name]
    if error is None:
        assert call.is_right(value), repr(value)[:400]
        return
    assert isinstance(error, ZeyosAsyncError), repr(error)
    assert str(error).encode("utf-8", "replace").count(b"pw-7") == 0
    api = name.split(" ", 1)[0]
    if not any(is_write(api, key) for key in requests):
        # Of a read, too, the outcome is not known where no answer began; nothing of it may have been done.
        assert not isinstance(error, FailedWrite), repr(error)
    elif call.writes:
        assert isinstance(error, OutcomeUnknown | ApiError), repr(error)
        assert not isinstance(error, ServerError) or isinstance(error, OutcomeUnknown), repr(error)


def is_write(api: str, key: Key) -> bool:
    """Whether a request changes something."""
    method, path, content = key
    if api == "general":
        return any(f'"action": "{action}"'.encode() in content for action in ("create", "update", "delete"))
    if api == "ox":
        return any(f"action={action}".encode() in content for action in _OX_WRITES)
    return method in ("PUT", "PATCH", "DELETE") or (
        api == "octaved" and path.endswith("/customers") and method == "POST"
    )


@pytest.mark.filterwarnings("ignore::zeyos_async.errors.PageDriftWarning")
@settings(max_examples=400)
@given(odd_calls())
def test_each_call_returns_a_right_value_or_raises_one_of_our_errors(
    case: tuple[str, dict[int, Answer]],
) -> None:
    """Whatever its requests are answered."""
    name, odd = case
    check_outcome(name, *outcome_of(name, odd))


@pytest.mark.parametrize("name", CALLS)
def test_good_answers_are_good(name: str) -> None:
    """What the property changes is a good answer: without the change, each call returns a right value."""
    value, error, _ = outcome_of(name, {})
    assert error is None, repr(error)
    assert CALLS[name].is_right(value)
