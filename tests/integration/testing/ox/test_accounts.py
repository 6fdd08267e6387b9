"""``account``, ``snippet`` and ``quota``."""

from __future__ import annotations

from typing import Any

import aiohttp


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
