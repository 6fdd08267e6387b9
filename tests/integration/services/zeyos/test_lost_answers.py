"""Updates and deletes whose answers get lost, over a small server of tickets: nothing of others is undone."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from zeyos_async import Retry, Zeyos
from zeyos_async.auth import BearerToken
from zeyos_async.errors import OutcomeUnknown


class Server:
    """A server with one ticket; the answer to its first PATCH gets lost, and somebody else writes right after it."""

    def __init__(self, *, acts=True, others=None):
        self.acts = acts
        self.others = others or {}
        self.values = {"ID": 7, "name": "old", "priority": 1}
        self.tags = ["a"]
        self.extdata = {"colour": "red"}
        self.version = 1
        self.methods = []

    def respond(self, method, target, headers, body):
        """Return status and values, or ``None`` where the answer gets lost."""
        self.methods.append(method)
        if method == "PATCH":
            return self.patch(headers, json.loads(body))
        if method == "POST":
            values = json.loads(body)
            row = {field: self.values.get(field) for field in values.get("fields", ())}
            return (200, {"count": 1}) if "count" in values else (200, [row])
        extra = {"tags": self.tags} if "tags=1" in target else {}
        extra |= {"extdata": self.extdata} if "extdata=1" in target else {}
        return 200, {**self.values, **extra}

    def patch(self, headers, values):
        """Change the ticket, or refuse to."""
        is_first = self.methods.count("PATCH") == 1
        if headers.get("if-match", "*") not in ("*", f'"v{self.version}"', f'"v{self.version}", "v0"'):
            return 412, {}
        if self.acts or not is_first:
            self.tags = [*self.tags, *values.pop("+tags", ())]
            self.extdata |= values.pop("extdata", {})
            self.values |= values
            self.version += 1
        if not is_first:
            return 200, self.values
        if self.others:
            self.values |= self.others
            self.version += 1
        return None


@asynccontextmanager
async def serving(server):
    """Serve it, and give a client."""

    async def talk(reader, writer):
        try:
            while True:
                first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {
                    name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
                }
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                answer = server.respond(*first.split(" ")[:2], headers, body)
                if answer is None:
                    return
                content = json.dumps(answer[1]).encode()
                head = (
                    f'HTTP/1.1 {answer[0]} X\r\nETag: "v{server.version}"\r\nContent-Length: {len(content)}'
                )
                writer.write(head.encode() + b"\r\n\r\n" + content)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/demo"
        async with Zeyos(url, auth=BearerToken("t"), retry=Retry(base=0.001)) as zeyos:
            yield zeyos


async def from_list(zeyos):
    """Update a record that came without an ETag."""
    return await zeyos.tickets.update((await zeyos.tickets.query().all())[0], name="new")


async def by_id(zeyos, **options):
    """Update by ID."""
    return await zeyos.tickets.update(7, name="new", **options)


async def fetched(zeyos, **options):
    """Update a record that came with an ETag."""
    return await zeyos.tickets.update(await zeyos.tickets.get(7), name="new", **options)


async def modify(zeyos):
    """Count up."""
    return await zeyos.tickets.modify(7, lambda ticket: {"priority": ticket.priority + 1})


UNGUARDED = {
    "by ID": by_id,
    "from a list": from_list,
    "without the guard": lambda zeyos: fetched(zeyos, if_match=None),
    "any version": lambda zeyos: by_id(zeyos, if_match="*"),
    "any of several versions": lambda zeyos: by_id(zeyos, if_match='"v1", "v0"'),
}


@pytest.mark.parametrize("case", UNGUARDED)
async def test_an_unguarded_update_is_sent_once(case):
    """Sent again after a lost answer, it would undo what another did meanwhile, and say success."""
    server = Server(others={"name": "another's"})
    async with serving(server) as zeyos:
        with pytest.raises(OutcomeUnknown):
            await UNGUARDED[case](zeyos)
    assert server.methods.count("PATCH") == 1
    assert server.values["name"] == "another's"


@pytest.mark.parametrize("acts", [True, False])
async def test_a_guarded_update_is_sent_again(acts):
    """Whether the first attempt acted or not, the record has the values at the end."""
    server = Server(acts=acts)
    async with serving(server) as zeyos:
        ticket = await fetched(zeyos)
    assert (ticket.name, server.values["name"], server.version) == ("new", "new", 2)


async def test_a_guarded_update_never_undoes_what_another_did():
    """Another has written the same field after the first attempt: that is of unknown outcome, and stays."""
    server = Server(others={"name": "another's"})
    async with serving(server) as zeyos:
        with pytest.raises(OutcomeUnknown):
            await fetched(zeyos)
    assert server.values["name"] == "another's"


@pytest.mark.parametrize("acts", [True, False])
async def test_modify_counts_up_once(acts):
    """A step that may have been made is not made again."""
    server = Server(acts=acts)
    async with serving(server) as zeyos:
        try:
            await modify(zeyos)
        except OutcomeUnknown:
            assert acts
    assert server.values["priority"] == 2


PSEUDO_FIELDS = {
    "tags": ({"add_tags": ["b"]}, ["a", "b"], {"colour": "red"}),
    "extdata": ({"extdata": {"size": 3}}, ["a"], {"colour": "red", "size": 3}),
    "both": ({"add_tags": ["b"], "extdata": {"size": 3}}, ["a", "b"], {"colour": "red", "size": 3}),
}


@pytest.mark.parametrize("case", PSEUDO_FIELDS)
async def test_the_record_has_the_tags_and_the_extdata_of_the_server(case):
    """The answer to an update leaves them out, and the record must not keep the old ones."""
    changes, tags, extdata = PSEUDO_FIELDS[case]
    server = Server()
    async with serving(server) as zeyos:
        ticket = await zeyos.tickets.get(7, tags=True, extdata=True)
        await zeyos.tickets.update(ticket, **changes)
    assert (ticket.tags, ticket.extdata) == (tags, extdata) == (server.tags, server.extdata)
