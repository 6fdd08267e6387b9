"""Writes of the General API over a server of its own codes: none is done twice, and no success is made up."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from zeyos_async import GeneralApi, Retry
from zeyos_async.auth import KmdLogin
from zeyos_async.errors import FailedWrite, OutcomeUnknown

EXPIRED, BUSY, NO_RECORD, LOCKED, FORBIDDEN = 110, 120, 140, 150, 160


class LostAnswer(Exception):
    """The server acts, and its answer gets lost."""


def error(code):
    return {"status": "Error", "statuscode": code, "msg": "no"}


class Server:
    """A server of one model; ``answer(server, action, values)`` may answer in place of it."""

    def __init__(self, answer, records=()):
        self.answer = answer
        self.records = {str(key): {} for key in records}
        self.calls = []
        self.ended = set()
        self.url = ""

    def count(self, action):
        """Return how often an action was called."""
        return self.calls.count(action)

    def respond(self, values):
        """Return the answer to a call."""
        action = values["action"]
        self.calls.append(action)
        if action == "auth":
            return self.good({"kmd": f"k-{self.count('auth')}"})
        if values["kmd"] in self.ended:
            return error(EXPIRED)
        return self.answer(self, action, values) or self.act(action, values)

    def act(self, action, values):
        """Do what an action does."""
        if action == "rights":
            return self.good([])
        keys = [str(key) for key in values.get("ids", ())]
        if action in ("get", "update", "delete") and not set(keys) <= self.records.keys():
            return error(NO_RECORD)
        if action == "create":
            keys = [str(len(self.records) + 1)]
            self.records[keys[0]] = values["data"]
        if action == "update":
            self.records |= dict.fromkeys(keys, values["data"])
        if action == "delete":
            self.records = {key: value for key, value in self.records.items() if key not in keys}
            keys = []
        return self.good({"fields": [{"fieldname": "name", "type": 1, "value": "x"}], "ids": keys})

    def good(self, data):
        return {"status": "Success", "statuscode": 0, "data": data}


@asynccontextmanager
async def serving(answer=lambda *_: None, records=()):
    """Serve such a server, and give a client of it."""
    server = Server(answer, records)

    async def talk(reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
                values = json.loads(await reader.readexactly(length))
                await asyncio.sleep(0.001)  # so that calls are under way at the same time
                body = json.dumps(server.respond(values)).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        except (asyncio.IncompleteReadError, ConnectionError, LostAnswer):
            writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/api"
        auth = KmdLogin("max", "secret", access_type=1)
        async with GeneralApi(url, auth=auth, retry=Retry(base=0.001)) as api:
            yield server, api


WRITES = {
    "create": lambda api: api.model("Thing").create(name="new"),
    "update": lambda api: api.model("Thing").update("7", name="new"),
    "call": lambda api: api.call("create", fields={"ids": [], "data": {"name": "new"}}, model="Thing"),
}


@pytest.mark.parametrize("read", ["rights", "get"])
@pytest.mark.parametrize("write", WRITES)
async def test_a_code_that_a_read_learned_sends_no_write_twice(write, read):
    """A server that was busy once taught that code as the end of a token; a write that meets it may be stored."""

    def answer(server, action, values):
        if action == read and server.count(read) == 1:
            return error(BUSY)
        if action in ("create", "update"):
            server.act(action, values)
            return error(BUSY)
        return None

    async with serving(answer, records=[7]) as (server, api):
        await (api.rights() if read == "rights" else api.model("Thing").get(7))
        assert server.count("auth") == 2, "the read has learned the code"
        with pytest.raises(FailedWrite):
            await WRITES[write](api)
        assert server.count("create") + server.count("update") == 1


async def test_a_write_is_sent_again_once_at_most():
    """Both the write and the read after it met a server that was busy: the second answer counts."""

    def answer(server, action, values):
        if action == "create" or server.calls == ["auth", "create", "rights"]:
            return error(BUSY)
        return None

    async with serving(answer) as (server, api):
        with pytest.raises(FailedWrite):
            await WRITES["create"](api)
        assert server.count("create") == 2


@pytest.mark.parametrize("learned", [False, True])
async def test_a_burst_of_writes_on_an_ended_token_does_each_once(learned):
    """One log-in for all of them, whether the code is known or not, and again when the next token ends."""
    async with serving() as (server, api):
        if learned:
            await api.rights()
            server.ended.add("k-1")
            await api.rights()
        for rounds in (1, 2, 3):
            await api.rights()
            server.ended.add(f"k-{server.count('auth')}")
            await asyncio.gather(*(WRITES["create"](api) for _ in range(12)))
            assert len(server.records) == 12 * rounds
        assert server.count("auth") == 4 + learned


REFUSALS = {
    "it is not there": (NO_RECORD, NO_RECORD, None),
    "it is locked, and can be read": (LOCKED, None, OutcomeUnknown),
    "it may be neither deleted nor read": (LOCKED, FORBIDDEN, OutcomeUnknown),
    "a code of the document": (103, 103, OutcomeUnknown),
}


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_a_repeated_delete_that_is_refused_is_a_success_only_where_it_is_not_there(refusal):
    """After a lost answer; what tells is whether a read is refused for the same reason."""
    of_delete, of_get, expected = REFUSALS[refusal]

    def answer(server, action, values):
        if action == "delete" and server.count("delete") == 1:
            raise LostAnswer
        code = {"delete": of_delete, "get": of_get}.get(action)
        return None if code is None else error(code)

    async with serving(answer, records=[7]) as (_, api):
        if expected is None:
            await api.model("Thing").delete(7)
        else:
            with pytest.raises(expected):
                await api.model("Thing").delete(7)


async def test_a_repeated_delete_of_several_is_unknown():
    """Of several records, a refusal does not say which of them are there."""

    def answer(server, action, values):
        if action == "delete" and server.count("delete") == 1:
            server.act(action, values)
            raise LostAnswer
        return

    async with serving(answer, records=[7, 8]) as (server, api):
        with pytest.raises(OutcomeUnknown, match=r"\[7, 8\]"):
            await api.model("Thing").delete([7, 8])
        assert server.records == {}


async def test_an_update_whose_answer_is_lost_is_not_sent_again():
    """It would undo what somebody else changed meanwhile."""

    def answer(server, action, values):
        if action == "update":
            server.act(action, values)
            raise LostAnswer
        return

    async with serving(answer, records=[7]) as (server, api):
        with pytest.raises(OutcomeUnknown):
            await WRITES["update"](api)
        assert server.count("update") == 1
