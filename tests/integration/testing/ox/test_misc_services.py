"""``gdpr/dataexport``, ``find`` and ``halo``."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest


async def test_all_data_is_exported_as_an_archive(wire: Any) -> None:
    """Once at a time, as an archive."""

    async def export(method: str, path: str = "", **options: Any) -> Any:
        return await wire.raw(method, f"/gdpr/dataexport{path}&session={wire.session}", **options)

    assert "mail" in (await export("GET", "/availableModules?")).json
    body = {"mail": {"enabled": True}, "tasks": {"enabled": False}}
    assert (await export("POST", "?", json=body)).json == {"success": True}
    assert (await export("POST", "?", json=body)).json["category"] == 9
    task = (await export("GET", "?")).data
    assert [item["module"] for item in task["workItems"]] == ["mail"]
    with zipfile.ZipFile(io.BytesIO((await export("GET", f"/{task['id']}?number=1")).body)) as archive:
        assert archive.namelist()
    assert (await export("DELETE", "?")).json == {"success": True}
    assert (await export("GET", "?")).data == {}


@pytest.mark.parametrize("module", ["mail", "contacts", "calendar"])
async def test_find_answers_with_facets_and_results(wire: Any, module: str) -> None:
    """Facets for what was typed, results for the facets that were chosen."""
    facets = (await wire.put("find", "autocomplete", {"prefix": "muster"}, module=module)).json["data"][
        "facets"
    ]
    chosen = [{"facet": facets[0]["id"], "filter": facets[0]["filter"]}]
    results = (
        await wire.put("find", "query", {"facets": chosen, "start": 0, "size": 1}, module=module)
    ).json["data"]
    assert (results["num_found"] > 0, results["size"]) == (True, 1)


@pytest.mark.parametrize(
    ("provider", "columns"), [("contacts", "1,20,500"), ("mail", "600,601,607"), ("calendar", "")]
)
async def test_halo_answers_with_rows_of_a_person(wire: Any, provider: str, columns: str) -> None:
    """Rows of the provider's columns."""
    params = {
        "provider": f"com.openexchange.halo.{provider}",
        "email1": "jane@example.com",
        "columns": columns or "1",
    }
    assert (await wire.get("halo/contact", "investigate", **params)).data
    params["provider"] = "com.openexchange.halo.nothing"
    assert (await wire.get("halo/contact", "investigate", **params)).json["category"] == 1
