"""Settings, accounts, snippets, security and what else is small."""

from __future__ import annotations

from typing import Any

import aiohttp


async def test_settings_are_read_and_set_by_path(wire: Any) -> None:
    """Whose parts are read and set by their path."""
    path = f"?session={wire.session}"
    assert (await wire.raw("GET", f"/config/mail/addresses{path}")).data == ["jane@example.com"]
    assert (await wire.raw("GET", f"/config/folder/contacts{path}")).data == 25
    stored = await wire.raw("PUT", f"/config/gui{path}", json={"data": {"theme": "dark"}})
    assert stored.json == {}
    assert (await wire.raw("GET", f"/config/gui{path}")).data == {"theme": "dark"}
    assert (await wire.raw("PUT", f"/config/identifier{path}", json={"data": 1})).json["category"] == 3


async def test_jslobs_are_set_or_merged(wire: Any) -> None:
    """Set as a whole, or merged; by a path inside too."""
    await wire.put("jslob", "set", {"a": {"b": 1}}, id="x")
    await wire.put("jslob", "update", {"a": {"c": 2}}, id="x")
    await wire.raw("PUT", f"/jslob/a/d?action=update&id=x&session={wire.session}", json={"e": 3})
    (stored, empty) = (await wire.put("jslob", "list", ["x", "y"])).data
    assert (stored["tree"], empty["tree"]) == ({"a": {"b": 1, "c": 2, "d": {"e": 3}}}, {})
    assert (await wire.raw("GET", f"/jslob/a/b?action=get&id=x&session={wire.session}")).data == 1


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


async def test_snippets_and_their_files(wire: Any) -> None:
    """Any name of a part will do."""
    key = (await wire.put("snippet", "new", {"displayname": "x", "type": "signature", "module": "mail"})).data
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("whatever", b"\x00\xff", filename="ä.bin", content_type="application/x-thing")
    attached = await wire.send("POST", "snippet", "attach", options={"data": form}, id=key, type="file")
    assert attached.wrapped["data"] == key
    (file,) = (await wire.get("snippet", "get", id=key)).data["files"]
    assert (file["filename"], file["size"]) == ("ä.bin", 2)
    answer = await wire.get("snippet", "getattachment", id=key, attachmentid=file["id"])
    assert (answer.body, answer.headers["Content-Type"]) == (b"\x00\xff", "application/x-thing")
    await wire.put("snippet", "detach", [{"id": file["id"]}], id=key)
    assert (await wire.get("snippet", "get", id=key)).data["files"] == []
    await wire.put("snippet", "delete", [key])
    assert (await wire.get("snippet", "get", id=key)).json["category"] == 1


async def test_quotas_of_modules(wire: Any) -> None:
    """-1 is no limit; an unknown module is a page."""
    assert (await wire.get("quota", "mail")).data["quota"] == -1
    assert set((await wire.get("quota", "get")).data) == {"filestorage", "mail", "share_links"}
    assert (await wire.get("quota", "get", module="nonsense")).status == 400


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


async def test_deputies_are_granted_and_seen(wire: Any, john: Any) -> None:
    """Granted by one, seen by the other."""
    body = {"userId": 4, "sendOnBehalfOf": True, "modulePermissions": {"mail": {"permission": 257}}}
    deputy = (await wire.put("deputy", "new", body)).data
    assert (await john.get("deputy", "reverse")).data == [deputy]
    assert (await wire.send("DELETE", "deputy", "delete", deputyId=deputy["deputyId"])).json[
        "success"
    ] is True
    assert (await john.get("deputy", "reverse")).data == []


async def test_certificates_and_file_accounts_are_stored(wire: Any) -> None:
    """Both are kept."""
    which = {"fingerprint": "1:2", "hostname": "h"}
    stored = await wire.put("certificate", "store", {}, trust="true", **which)
    assert (stored.status, stored.body) == (200, b"")
    assert (await wire.get("certificate", "get", **which)).data == [{**which, "trusted": True}]
    key = (await wire.put("fileaccount", "new", {"filestorageService": "webdav", "displayName": "x"})).data
    assert len((await wire.get("fileaccount", "all")).data) == 2
    assert (await wire.get("fileaccount", "delete", filestorageService="webdav", id=key)).data == 1
