"""Tests that the other package would have; test_own_api.py runs them in a process of their own."""

from __future__ import annotations

import json

import pytest
from inventory_client.client import Inventory

from zeyos_async import F
from zeyos_async.errors import UnknownField, UnsupportedFilter
from zeyos_async.export import export
from zeyos_async.testing.contract import contract_tests

globals().update(contract_tests("inventory"))


@pytest.mark.parametrize("inventory_emulator_options", [{"rows": {"articles": 2_500}}])
async def test_queries_and_exports(inventory_emulator, tmp_path):
    """Conditions, counts, pages, explanations and files come with the core."""
    async with Inventory(inventory_emulator.url, auth=inventory_emulator.auth()) as inventory:
        query = inventory.where(F.stock == 3)
        stored = [article["id"] for article in inventory_emulator.articles if article["stock"] == 3]
        assert [row["id"] async for row in query] == stored
        assert await query.count() == len(stored)
        assert query.explain()[0].json["where"] == {"stock": 3}
        with pytest.raises(UnsupportedFilter):
            inventory.where(F.stock > 3)
        with pytest.raises(UnknownField, match="stock"):
            inventory.where(F.stok == 3)
        result = await export(inventory.articles(), tmp_path / "articles.jsonl")
    assert result.rows == 2_500
    lines = (tmp_path / "articles.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == inventory_emulator.articles
