"""``share/management``: links to shared folders, and shares of others."""

from __future__ import annotations

from typing import Any


async def test_share_links_are_created_once(wire: Any) -> None:
    """And changed by those only who know the last state."""
    target = {"module": "contacts", "folder": "25"}
    first = await wire.put("share/management", "getLink", target)
    again = await wire.put("share/management", "getLink", target)
    assert (first.data["is_new"], again.data["is_new"], again.data["url"]) == (True, False, first.data["url"])
    stamp = first.json["timestamp"]
    changed = await wire.put("share/management", "updateLink", {**target, "password": "p"}, timestamp=stamp)
    late = await wire.put("share/management", "deleteLink", target, timestamp=stamp)
    assert (changed.json["timestamp"] > stamp, late.json["category"]) == (True, 9)
    assert "error" not in (await wire.put("share/management", "deleteLink", target, timestamp=2**53)).json
    assert (await wire.put("share/management", "sendLink", {**target, "recipients": [["", "x"]]})).json[
        "category"
    ] == 1


async def test_shares_of_others_are_taken_up_and_left(wire: Any) -> None:
    """May be taken up, and left."""
    link = {"link": "https://other.example.com/s/1"}
    states = []
    for action in ("subscribe", "unsubscribe"):
        states.append((await wire.put("share/management", "analyze", link)).data["state"])
        assert "error" not in (await wire.put("share/management", action, link)).json
    assert states == ["ADDABLE", "SUBSCRIBED"]
    assert (await wire.put("share/management", "analyze", {"link": "nowhere"})).data["error"]["category"] == 1
