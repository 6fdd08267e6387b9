"""Several calls in one request: what is sent, who gets what, and in which order."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from zeyos_async import OpenXchange
from zeyos_async.errors import FailedWrite, InvalidArgument, OutcomeUnknown, ServerError
from zeyos_async.services.ox.caller import OxCaller
from zeyos_async.services.ox.errors import (
    OxNotAuthenticated,
    OxTryAgain,
    OxUserInput,
    check_answer,
    effective_status,
)
from zeyos_async.services.ox.jobs import JobInfo
from zeyos_async.services.ox.multiple import Batch, MultipleFailed, split_calls
from zeyos_async.services.ox.operation import Module
from zeyos_async.services.ox.outcomes import to_item
from zeyos_async.services.ox.spec import JsonBody, Param, PreparedCall, RawBody, Spec
from zeyos_async.services.ox.values import WireKind
from zeyos_async.session import Retry, Session
from zeyos_async.transport import MemoryTransport
from zeyos_async.wire import Request, Response, Safety

BASE = URL("https://ox.example/ajax")


def no_modules(name: str) -> Module:
    """Nobody asks for a module here."""
    raise AssertionError(name)


def call(
    module: str = "contacts",
    action: str = "get",
    *,
    safety: Safety = Safety.READ,
    data: Any = None,
    **query: str,
) -> PreparedCall[Any]:
    """A call whose result is the data of its answer."""
    spec = Spec(
        module=module,
        name=action,
        action=action,
        method="GET" if data is None else "PUT",
        path=module,
        params=(Param("id"), Param("timestamp", WireKind.STAMP)),
        safety=safety,
    )
    return PreparedCall(
        spec=spec,
        query=(("action", action), *query.items()),
        path=module,
        body=None if data is None else JsonBody(data),
        read=lambda envelope: envelope.data,
    )


def write(module: str, action: str = "update", **query: str) -> PreparedCall[Any]:
    """A call that must not be made twice."""
    return call(module, action, safety=Safety.ONCE, data={}, **query)


class Server:
    """Answers with what a function makes of each item; remembers what it was asked."""

    def __init__(self, answer: Callable[[dict[str, Any]], Any] | None = None) -> None:
        self.requests: list[Any] = []
        self.answer = answer or (lambda item: {"data": item.get("id")})

    async def __call__(self, request: Request) -> Response:
        await asyncio.sleep(0)
        if request.url.name == "multiple":
            assert isinstance(request.body, bytes)
            items = json.loads(request.body)
            answers = [self.answer(item) for item in items]
        else:
            items = {"module": request.url.name, **request.url.query}
            answers = self.answer(items)
        self.requests.append(items)
        return Response(status=200, body=json.dumps(answers).encode(), url=request.url)

    def caller(self, **options: Any) -> OxCaller:
        """A way to this server."""
        session = Session(transport=MemoryTransport(self))
        return OxCaller(session.bind(BASE, None, check=check_answer, **options), BASE, no_modules)


def test_a_call_as_an_item_has_the_parameters_beside_module_and_action() -> None:
    """Numbers are numbers, as in the document's example; the session is never inside."""
    item = to_item(call("reminder", "remindAgain", data={"alarm": 1}, id="51", timestamp="1497461067180"))
    assert item == {
        "module": "reminder",
        "action": "remindAgain",
        "id": "51",
        "timestamp": 1497461067180,
        "data": {"alarm": 1},
    }


def test_calls_that_no_multiple_takes_are_refused() -> None:
    """Uploads can't be part of it; nothing is sent."""
    upload = call("infostore", "upload")
    upload = PreparedCall(
        spec=upload.spec, query=(), path="infostore", body=RawBody(b"x"), read=lambda envelope: None
    )
    with pytest.raises(InvalidArgument, match=r"infostore\.upload can't be part of a multiple"):
        to_item(upload)


async def test_one_upload_is_refused_as_several_are() -> None:
    """Whether a list of calls happens to have one item makes no difference."""
    async with OpenXchange("https://ox.example.com/ajax") as ox:
        with pytest.raises(InvalidArgument, match="can't be part of a multiple"):
            await ox.multiple(ox.infostore.upload.later(b"x", folder="30", filename="x.txt"))


async def test_results_and_errors_come_in_order() -> None:
    """Each call has a result or an error of its own."""

    def answer(item: dict[str, Any]) -> Any:
        if item["id"] == "2":
            return {"error": "No", "code": "CON-1", "category": 1}
        return {"data": item["id"], "timestamp": 1000}

    server = Server(answer)
    first, second, third = await server.caller().call_many([call(id="1"), call(id="2"), call(id="3")])
    assert (first.data, third.data) == ("1", "3")
    assert isinstance(second, OxUserInput)
    assert second.code == "CON-1"
    assert len(server.requests) == 1


async def test_one_call_is_sent_as_it_is() -> None:
    """A request around a single call would hide it from the server's own log."""
    server = Server()
    (only,) = await server.caller().call_many([call(id="7")])
    assert only.data == "7"
    assert server.requests == [{"module": "contacts", "action": "get", "id": "7"}]


async def test_a_list_in_an_envelope_is_read_too() -> None:
    """The document shows one around the list; the server sends none."""

    async def serve(request: Request) -> Response:
        return Response(status=200, body=b'{"data": [{"data": 1}, {"data": 2}]}', url=request.url)

    caller = OxCaller(
        Session(transport=MemoryTransport(serve)).bind(BASE, None, check=check_answer), BASE, no_modules
    )
    assert [result.data for result in await caller.call_many([call(), call()])] == [1, 2]


@pytest.mark.parametrize(("safety", "kind"), [(Safety.READ, ServerError), (Safety.ONCE, FailedWrite)])
async def test_an_answer_of_another_length_is_an_error(safety: Safety, kind: type[Exception]) -> None:
    """Nobody is given another call's result."""

    async def serve(request: Request) -> Response:
        return Response(status=200, body=b'[{"data": 1}]', url=request.url)

    caller = OxCaller(
        Session(transport=MemoryTransport(serve)).bind(BASE, None, check=check_answer), BASE, no_modules
    )
    with pytest.raises(kind, match="2 answers were expected, and 1 came"):
        await caller.call_many([call(safety=safety), call(safety=safety)])


async def test_calls_without_a_session_are_sent_again() -> None:
    """They were not carried out; the others are not repeated."""
    lost = {"2", "3"}

    def answer(item: dict[str, Any]) -> Any:
        if item["id"] in lost:
            lost.discard(item["id"])
            return {"error": "Expired", "code": "SES-0203", "category": 4}
        return {"data": item["id"]}

    server = Server(answer)
    results = await server.caller().call_many([call(id=number) for number in "1234"])
    assert [result.data for result in results] == list("1234")
    assert [
        [item["id"] for item in items] if isinstance(items, list) else items["id"]
        for items in server.requests
    ] == [
        ["1", "2", "3", "4"],
        "2",
        ["3"],
    ]


async def test_a_call_that_never_finds_a_session_fails() -> None:
    """One more attempt, and then the error."""
    server = Server(lambda item: {"error": "Expired", "code": "SES-0203", "category": 4})
    results = await server.caller().call_many([call(id="1"), call(id="2")])
    assert all(isinstance(result, OxNotAuthenticated) for result in results)


PORTIONS = [
    ("reads", [call(), call("mail"), call("tasks")], [3]),
    ("no more than the bound", [call()] * 5, [2, 2, 1]),
    ("reads and writes apart", [call(), write("tasks"), call()], [1, 1, 1]),
    (
        "writes that the server keeps in order",
        [write("tasks", "new"), write("tasks"), write("tasks", "delete")],
        [2, 1],
    ),
    ("writes of several modules", [write("tasks"), write("contacts"), write("tasks")], [1, 1, 1]),
    ("all of mail is in order", [write("mail", "copy"), write("mail", "update")], [2]),
    ("writes of which nothing is known", [write("infostore"), write("infostore")], [1, 1]),
    (
        "writes that are not in the list of actions",
        [write("tasks", "confirm"), write("tasks", "confirm")],
        [1, 1],
    ),
]


@pytest.mark.parametrize(
    ("calls", "expected"), [case[1:] for case in PORTIONS], ids=[case[0] for case in PORTIONS]
)
def test_calls_are_cut_where_their_order_matters(calls: list[PreparedCall[Any]], expected: list[int]) -> None:
    """The server runs the calls of one request in any order but for a few kinds."""
    bound = 2 if 2 in expected else 50
    assert split_calls(calls, bound) == expected


CALLS = st.lists(
    st.builds(
        lambda module, action, reads: call(module, action) if reads else write(module, action),
        st.sampled_from(["mail", "tasks", "contacts", "infostore"]),
        st.sampled_from(["new", "update", "delete", "confirm"]),
        st.booleans(),
    ),
    max_size=30,
)


@pytest.mark.property
@given(CALLS, st.integers(1, 7))
def test_a_part_may_run_in_any_order(calls: list[PreparedCall[Any]], size: int) -> None:
    """Parts cover all calls; none is too long; in none do a read and a write meet, or two writes in no order."""
    lengths = split_calls(calls, size)
    assert sum(lengths) == len(calls)
    start = 0
    for length in lengths:
        part = calls[start : start + length]
        start += length
        assert 1 <= length <= size
        if length > 1 and part[0].spec.safety is not Safety.READ:
            assert {item.spec.module for item in part} <= {part[0].spec.module} - {"infostore"}
        assert len({item.spec.safety is Safety.READ for item in part}) == 1


async def gather(caller: OxCaller, calls: Sequence[PreparedCall[Any]], **options: Any) -> list[Any]:
    """The results of calls that are made at the same time within a batch."""
    async with Batch(caller, **options), asyncio.TaskGroup() as group:
        tasks = [group.create_task(caller.call(item)) for item in calls]
    return [task.result().data for task in tasks]


async def test_concurrent_calls_share_a_request() -> None:
    """Forty reads at once are one request; each task gets its own result."""
    server = Server()
    numbers = [str(number) for number in range(40)]
    assert await gather(server.caller(), [call(id=number) for number in numbers]) == numbers
    assert [len(items) for items in server.requests] == [40]


async def test_a_batch_is_bounded() -> None:
    """No request has more calls than asked for."""
    server = Server()
    assert await gather(server.caller(), [call(id=str(number)) for number in range(10)], size=4)
    assert [len(items) for items in server.requests] == [4, 4, 2]


async def test_writes_keep_their_order() -> None:
    """Each write is sent after the one that was called before it was answered, or in one request in order."""
    server = Server()
    calls = [
        write("infostore", id="1"),
        write("tasks", id="2"),
        write("tasks", id="3"),
        call(id="4"),
        write("tasks", id="5"),
    ]
    assert await gather(server.caller(), calls) == list("12345")
    sent = [
        [item["id"] for item in items] if isinstance(items, list) else [items["id"]]
        for items in server.requests
    ]
    assert sent == [["1"], ["2", "3"], ["4"], ["5"]]


async def test_an_error_is_raised_where_the_call_was_made() -> None:
    """The other calls of the request have their results."""

    def answer(item: dict[str, Any]) -> Any:
        return {"error": "No", "code": "X-1", "category": 1} if item["id"] == "1" else {"data": item["id"]}

    caller = Server(answer).caller()
    async with Batch(caller):
        results = await asyncio.gather(*(caller.call(call(id=n)) for n in "012"), return_exceptions=True)
    assert results[0].data == "0"
    assert isinstance(results[1], OxUserInput)
    assert results[2].data == "2"


async def test_a_failed_request_fails_each_call_with_an_error_of_its_own() -> None:
    """Two tasks that raise one error would grow one traceback."""

    async def fail(request: Request) -> Response:
        raise OutcomeUnknown("the connection was lost", sent=request.sent)

    caller = OxCaller(
        Session(transport=MemoryTransport(fail)).bind(BASE, None, check=check_answer), BASE, no_modules
    )
    async with Batch(caller):
        first, second = await asyncio.gather(
            *(caller.call(write("mail", id=n)) for n in "01"), return_exceptions=True
        )
    assert isinstance(first, OutcomeUnknown)
    assert isinstance(second, OutcomeUnknown)
    assert first is not second


async def test_a_cancelled_call_of_a_batch_is_not_sent() -> None:
    """A call that was cancelled before its request went out is left out of it."""
    server = Server()
    caller = server.caller()
    async with Batch(caller):
        waiting = asyncio.ensure_future(caller.call(call(id="1")))
        dropped = asyncio.ensure_future(caller.call(call(id="2")))
        await asyncio.sleep(0)
        dropped.cancel()
        assert (await waiting).data == "1"
    assert server.requests == [{"module": "contacts", "action": "get", "id": "1"}]


async def test_a_batch_that_fails_leaves_nothing_behind() -> None:
    """An error in the body ends what was waiting, and no task is left."""
    caller = Server().caller()
    before = asyncio.all_tasks()
    with pytest.raises(RuntimeError, match="stop"):  # noqa: PT012 - the body is what fails
        async with Batch(caller):
            waiting = asyncio.ensure_future(caller.call(call(id="1")))
            await asyncio.sleep(0)
            raise RuntimeError("stop")
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert asyncio.all_tasks() == before


async def test_calls_after_a_batch_are_sent_alone() -> None:
    """Leaving it ends it."""
    server = Server()
    caller = server.caller()
    async with Batch(caller):
        pass
    await asyncio.gather(caller.call(call(id="1")), caller.call(call(id="2")))
    assert len(server.requests) == 2


@pytest.mark.parametrize("size", [0, -1, True, "5", 2.0])
def test_a_size_is_a_number_from_one(size: Any) -> None:
    """Bad sizes are refused at once."""
    with pytest.raises(InvalidArgument, match="batch"):
        Batch(Server().caller(), size)


async def test_a_job_is_waited_for() -> None:
    """The server answers 202; the call asks until the job is done, and returns its result."""
    requests: list[tuple[str, str]] = []

    def answer(item: dict[str, Any]) -> Any:
        requests.append((item["module"], item["action"]))
        if item["module"] == "folders":
            return {"data": {"job": "j1"}, "error": "Enqueued", "code": "JOB-0003", "category": 8}
        if item["action"] == "info":
            return {"data": {"id": "j1", "done": len(requests) > 3, "module": "folders", "action": "delete"}}
        return {"data": ["9"], "timestamp": 5}

    caller = Server(answer).caller()
    job = await caller.start(write("folders", "delete"))
    progress: list[JobInfo] = []
    result = await job.wait(on_progress=progress.append, pause=0)
    assert result.data == ["9"]
    assert [info.done for info in progress] == [False, False, True]
    assert requests == [("folders", "delete"), *[("jobs", "info")] * 3, ("jobs", "get")]


async def test_a_job_can_be_cancelled() -> None:
    """The module jobs does it."""
    requests: list[Any] = []

    def answer(item: dict[str, Any]) -> Any:
        requests.append(item)
        if item["module"] == "folders":
            return {"data": {"job": "j1"}, "error": "Enqueued", "code": "JOB-0003", "category": 8}
        return {"data": None}

    job = await Server(answer).caller().start(write("folders", "delete"))
    await job.cancel()
    assert requests[-1] == {"module": "jobs", "action": "cancel", "id": "j1"}


def test_the_error_of_a_multiple_survives_pickling() -> None:
    """Workers in other processes hand errors on."""
    failed = MultipleFailed([1, OxUserInput("no", code="X-1")])
    twin = pickle.loads(pickle.dumps(failed))
    assert twin.results[0] == 1
    assert str(twin) == str(failed)
    assert "1 of 2 calls failed" in str(twin)


async def test_a_read_is_tried_again_when_the_server_asks_for_it() -> None:
    """Category TRY_AGAIN in a 200 is an invitation; a write is not repeated, and its error is not unknown."""
    requests: list[str] = []

    def answer(item: dict[str, Any]) -> Any:
        requests.append(item["id"])
        if len(requests) < 3:
            return {"error": "Too many connections", "code": "MSG-1", "category": 4}
        return {"data": "there"}

    options = {"status": effective_status, "retry": Retry(base=0.001, cap=0.002)}
    assert (await Server(answer).caller(**options).call(call("mail", id="1"))).data == "there"
    assert requests == ["1", "1", "1"]
    requests.clear()
    with pytest.raises(OxTryAgain):
        await Server(answer).caller(**options).call(write("mail", id="1"))
    assert requests == ["1"]


async def test_warnings_are_logged_and_given_with_the_result(caplog: pytest.LogCaptureFixture) -> None:
    """Who takes the data alone can still see that the server had something to say."""
    answer = {"error": "Folder was renamed", "code": "FLD-1", "category": 13}
    server = Server(lambda item: {"data": 1, **answer, "warnings": answer})
    with caplog.at_level(logging.WARNING, logger="zeyos_async"):
        result = await server.caller().call(call("folders", "update"))
    assert [str(warning) for warning in result.warnings] == ["Folder was renamed (FLD-1)"]
    assert "folders.update: Folder was renamed (FLD-1)" in caplog.text
