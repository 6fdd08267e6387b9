"""``config`` and ``jslob``: settings by path."""

from __future__ import annotations

from typing import Any


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
