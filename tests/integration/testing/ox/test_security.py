"""``sessionmanagement``, ``passwordchange`` and ``multifactor``."""

from __future__ import annotations

from typing import Any


async def test_mail_accounts_are_shown_without_passwords(wire: Any) -> None:
    """By columns or as objects, never with their passwords; the primary one stays."""
    assert (await wire.get("account", "all", columns="1001,1007,1003")).data == [
        [0, "jane@example.com", None]
    ]
    body = {"name": "Second", "primary_address": "j@example.org", "password": "x"}
    account = (await wire.put("account", "new", body)).data
    assert "password" not in account
    assert (await wire.put("account", "update", {"id": account["id"], "name": "2nd"})).data["name"] == "2nd"
    assert (await wire.put("account", "validate", body)).data is True
    assert (await wire.put("account", "delete", [account["id"]])).data == [account["id"]]
    assert (await wire.put("account", "delete", [0])).json["category"] == 3


async def test_other_sessions_are_closed_at_once(wire: Any, guest: Any) -> None:
    """All but one's own are closed at once."""
    first = wire.session
    await wire.log_in()
    assert {session["sessionId"] for session in (await wire.get("sessionmanagement", "all")).data} == {
        first,
        wire.session,
    }
    assert (await wire.get("sessionmanagement", "clear")).body == b""
    assert [session["sessionId"] for session in (await wire.get("sessionmanagement", "all")).data] == [
        wire.session
    ]


async def test_a_password_is_changed(wire: Any) -> None:
    """By who knows the old one; other emulators don't notice."""
    assert (await wire.put("passwordchange", "update", {"old_password": "x", "new_password": "y"})).json[
        "category"
    ] == 3
    await wire.put("passwordchange", "update", {"old_password": "secret", "new_password": "y"})
    assert (await wire.log_in(password="y")).json["session"]
    wire.emulator.reset()
    assert (await wire.log_in()).json["session"]


async def test_a_second_factor_is_registered(wire: Any) -> None:
    """It counts when its code was given."""
    started = (
        await wire.put("multifactor/device", "startRegistration", {"providerName": "TOTP", "name": "Phone"})
    ).data
    assert (await wire.get("multifactor/device", "all")).data == []
    which = {"providerName": "TOTP", "deviceId": started["deviceId"]}
    await wire.put("multifactor/device", "finishRegistration", {"secret_code": "123456"}, **which)
    assert [device["name"] for device in (await wire.get("multifactor/device", "all")).data] == ["Phone"]
    assert (await wire.send("DELETE", "multifactor/device", "delete", **which)).data == [which["deviceId"]]
