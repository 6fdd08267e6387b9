"""Modules that few clients need: deputies, certificates and file accounts."""

from __future__ import annotations

from typing import Any


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
