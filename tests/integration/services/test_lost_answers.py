"""What is believed of a write whose answer was lost, or makes no sense: over real sockets, for General and Octaved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.services.test_good_answers import ID, OTHER, RETRY, answer, serve
from zeyos_async import GeneralApi, Octaved
from zeyos_async.auth import KmdLogin
from zeyos_async.errors import Conflict, FailedWrite, InvalidArgument, OutcomeUnknown

EXPIRED = 5


def success(data: Any) -> bytes:
    return answer({"status": "Success", "statuscode": 0, "msg": "", "data": data})


def refusal(code: int) -> bytes:
    return answer({"status": "Error", "statuscode": code, "msg": "no", "data": None})


class ThingServer:
    """The General API with one record, written from the document; ``write`` answers its writes."""

    def __init__(self, write: Callable[[ThingServer], bytes | None]) -> None:
        self.write = write
        self.valid = ""
        self.actions: list[str] = []

    def __call__(self, method: str, target: str, headers: dict[str, str], body: Any) -> bytes | None:
        action = body["action"]
        self.actions.append(action)
        if action == "auth":
            self.valid = f"token {len(self.actions)}"
            return success({"kmd": self.valid})
        if action in ("create", "update", "delete"):
            return self.write(self)
        if body["kmd"] != self.valid:
            return refusal(EXPIRED)
        if action == "rights":
            return success([])
        return success({"fields": [], "ids": body["ids"]})


@pytest.mark.parametrize("action", ["create", "update", "delete"])
async def test_a_write_is_not_sent_a_third_time_for_a_code(action: str) -> None:
    """The token was over, and is fresh now: the same code once more is the write's own, and its outcome unknown."""
    server = ThingServer(lambda server: refusal(EXPIRED))
    auth = KmdLogin("u", "p", access_type=1)
    async with serve(server) as url, GeneralApi(url, auth=auth, retry=RETRY) as api:
        model = api.model("Thing")
        await model.get(7)
        server.valid = ""
        writes = {"create": lambda: model.create(a="x"), "update": lambda: model.update(7, a="x")}
        with pytest.raises(FailedWrite):
            await writes.get(action, lambda: model.delete(7))()
    assert server.actions.count(action) == 2


@pytest.mark.parametrize("status", [400, 409, 422])
@pytest.mark.parametrize("same", [True, False])
async def test_a_put_that_is_refused_after_a_lost_answer_is_compared(status: int, same: bool) -> None:
    """The document names no status for an ID that is taken."""
    stored: dict[str, Any] = {}

    def handle(method: str, target: str, headers: dict[str, str], body: Any) -> bytes | None:
        if method == "GET":
            return answer({"id": ID, **(stored if same else {"name": "theirs"})})
        if stored:
            return answer(b"there is one", status)
        stored.update(body)
        return None

    async with serve(handle) as url, Octaved(url, retry=RETRY) as flow:
        if same:
            assert await flow.groups.put(ID, name="mine", parentNodeId=OTHER) == ID
        else:
            with pytest.raises(OutcomeUnknown, match="there is one"):
                await flow.groups.put(ID, name="mine", parentNodeId=OTHER)


async def test_a_put_that_is_refused_at_once_is_a_conflict() -> None:
    """Nothing was lost, so nothing is compared."""
    async with serve(lambda *request: answer(b"", 409)) as url, Octaved(url, retry=RETRY) as flow:
        with pytest.raises(Conflict):
            await flow.groups.put(ID, name="mine", parentNodeId=OTHER)


@pytest.mark.parametrize(
    "stored", [[["x"]], [5], [None], [{"name": "without number and id"}], [{"number": "1"}, "x"]]
)
async def test_a_location_that_cant_be_read_is_not_deleted(stored: list[Any]) -> None:
    """Nothing in a patch can mean it, so the server would delete it."""
    methods: list[str] = []

    def handle(method: str, target: str, headers: dict[str, str], body: Any) -> bytes:
        methods.append(method)
        return answer({"id": ID, "name": "c", "locations": stored})

    async with serve(handle) as url, Octaved(url, retry=RETRY) as flow:
        with pytest.raises(InvalidArgument, match="without number and id"):
            await flow.customers.patch(ID, locations=[{"number": "1"}])
    assert methods == ["GET"]
