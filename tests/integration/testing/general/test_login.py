"""``auth``, ``rights``, tokens and both layouts of the addresses."""

from __future__ import annotations

from typing import Any

import pytest

from zeyos_async.testing.general.emulator import emulate_general
from zeyos_async.testing.general.tokens import GeneralCredentials

GOOD = {"action": "auth", "accessType": 1, "kname": "max.power", "kpass": "swordfish!"}


async def test_a_log_in_gives_a_token(wire: Any) -> None:
    """A token that is good for the calls that follow."""
    _, answer = await wire.raw(GOOD | {"longlife": 0, "lang": 1})
    wire.kmd = answer["data"]["kmd"]
    assert (await wire.call("rights", None))["data"][1] == {
        "model": "User",
        "actions": ["get", "list", "update"],
    }
    assert wire.emulator.journal.logins == 1


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        (GOOD | {"kpass": "wrong"}, 106),
        (GOOD | {"kname": "wrong"}, 106),
        (GOOD | {"accessType": 2}, 102),
        (GOOD | {"accessType": "1"}, 102),
        ({key: value for key, value in GOOD.items() if key != "accessType"}, 102),
        (GOOD | {"longlife": "yes"}, 110),
        (GOOD | {"model": "User"}, 110),
        ({"action": "rights", "accessType": 1, "kmd": "unknown"}, 107),
        ({"action": "rights", "accessType": 1}, 107),
        ({"action": "rights", "accessType": 2, "kmd": "unknown"}, 102),
        ({"action": "nope"}, 105),
        ({"action": 1}, 110),
        ({}, 105),
        ([], 101),
        (b"", 101),
        (b"{", 101),
    ],
    ids=str,
)
async def test_wrong_log_ins_and_tokens_are_refused(wire: Any, properties: Any, code: int) -> None:
    """Wrong names and tokens, and what is no request at all."""
    status, answer = await wire.raw(properties)
    assert (status, answer["status"], answer["statuscode"]) == (200, "Error", code)


async def test_tokens_end(wire: Any) -> None:
    """After their time, when a test says so, or for one request; long ones live longer."""
    emulator = wire.emulator
    long = emulator.token(longlife=True)
    assert (await wire.call("rights", None))["statuscode"] == 0
    emulator.clock.offset += 3601
    assert (await wire.call("rights", None))["statuscode"] == 107
    wire.kmd = long
    assert (await wire.call("rights", None))["statuscode"] == 0
    emulator.server_options.expired_code = 403
    emulator.server_options.error_status = 401
    emulator.expire_tokens()
    status, answer = await wire.raw({"action": "rights", "accessType": 1, "kmd": long})
    assert (status, answer["statuscode"]) == (401, 403)


PATHS: list[tuple[str, dict[str, Any]]] = [
    ("/model/Subaccount/list", {"limit": 1}),
    ("/model/Subaccount/get", {"ids": [542]}),
    ("/model/Subaccount/get", {"ids": [542], "action": "get", "model": "Subaccount"}),
    ("/auth/rights", {}),
    ("/auth/rights", {"action": "rights"}),
    ("/info", {}),
]


@pytest.mark.parametrize(("path", "own"), PATHS)
async def test_the_layout_by_paths(wire: Any, path: str, own: Any) -> None:
    """The address may name action and model."""
    status, answer = await wire.raw({"accessType": 1, "kmd": wire.kmd, **own}, path=path)
    assert (status, answer["status"]) == (200, "Success")


async def test_a_log_in_by_path(wire: Any) -> None:
    """``/auth/auth``."""
    body = {key: value for key, value in GOOD.items() if key != "action"}
    assert (await wire.raw(body, path="/auth/auth"))[1]["data"]["kmd"]


async def test_addresses_that_are_none(wire: Any) -> None:
    """Unknown paths, contradictions, and the layout that a server does not have."""
    body = {"accessType": 1, "kmd": wire.kmd, "ids": []}
    assert (await wire.raw(body, path="/models/Subaccount/get"))[0] == 404
    assert (await wire.raw(body | {"model": "User"}, path="/model/Subaccount/get"))[1]["statuscode"] == 110
    assert (await wire.raw(body, path="/model/User/list", method="GET"))[0] == 405
    wire.emulator.server_options.layouts = "single"
    assert (await wire.raw(body, path="/model/Subaccount/get"))[0] == 404
    wire.emulator.server_options.layouts = "paths"
    assert (await wire.raw(body | {"action": "get", "model": "User"}))[0] == 404


async def test_the_journal_gives_no_credential_away(wire: Any) -> None:
    """Fingerprints in place of names' passwords and tokens."""
    await wire.raw(GOOD)
    await wire.call("list")
    await wire.raw(b"kpass=swordfish!")
    journal_text = repr([entry.request.body for entry in wire.emulator.journal.requests])
    assert "swordfish" not in journal_text
    assert wire.kmd not in journal_text
    assert wire.emulator.journal.requests[1].json["action"] == "list"


async def test_a_required_key_must_be_sent() -> None:
    """Where the operator wants one, every call must bring it."""
    import aiohttp

    who = GeneralCredentials(key="letmein", access_type=3)
    async with emulate_general(credentials=who) as emulator, aiohttp.ClientSession() as session:
        body = {"action": "rights", "accessType": 3, "kmd": emulator.token()}
        codes = []
        for extra in ({}, {"key": "wrong"}, {"key": "letmein"}):
            async with session.post(emulator.url, json=body | extra) as reply:
                codes.append((await reply.json())["statuscode"])
        assert codes == [110, 110, 0]
