"""The emulator: articles in memory, behind a token."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs

from zeyos_async.auth import ApiKey
from zeyos_async.testing.answers import Answer, ReceivedRequest, make_json_answer
from zeyos_async.testing.emulator import Emulator
from zeyos_async.testing.journal import Journal

TOKEN = "emulated-stock-token"


@attrs.frozen
class ServerOptions:
    """Nothing that could be chosen."""


class InventoryEmulator(Emulator[ServerOptions, Journal]):
    """A warehouse in this process."""

    root = "/v1"

    def __init__(self, *, rows: Mapping[str, int] | None = None, seed: int = 0) -> None:
        super().__init__(ServerOptions(), Journal(secret_headers=("X-Token",)), seed=seed)
        for name in rows or {}:
            if name != "articles":
                raise ValueError(f"there are articles, and no {name}")
        number = (rows or {}).get("articles", 3)
        self.articles = [{"id": id, "name": f"article {id}", "stock": id % 7} for id in range(1, number + 1)]

    def auth(self) -> ApiKey:
        """Return a credential."""
        return ApiKey("X-Token", TOKEN)

    async def answer(self, request: ReceivedRequest, server_options: ServerOptions) -> Answer:
        """Answer one request."""
        if request.headers.get("X-Token") != TOKEN:
            return make_json_answer({"error": "who are you?"}, status=401)
        path = request.path.removeprefix(f"{self.root}/articles")
        if request.method == "POST" and path == "/search":
            return make_json_answer(self._search(request.json))
        if request.method == "POST" and not path:
            article = {"stock": 0, **request.json, "id": len(self.articles) + 1}
            self.articles.append(article)
            return make_json_answer(article, status=201)
        matches = [article for article in self.articles if path == f"/{article['id']}"]
        return make_json_answer(matches[0]) if matches else make_json_answer({"error": "none"}, status=404)

    def _search(self, body: dict[str, Any]) -> dict[str, Any]:
        matches = [
            article
            for article in self.articles
            if all(article[path] == value for path, value in body["where"].items())
        ]
        if "order" in body:
            matches.sort(key=lambda article: article[body["order"]], reverse=body["descending"])
        page = matches[body["offset"] :][: body["limit"]]
        return {"total": len(matches), "articles": page}


@asynccontextmanager
async def emulate_inventory(
    *, rows: Mapping[str, int] | None = None, seed: int = 0, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[InventoryEmulator]:
    """Serve a warehouse for the time of an ``async with`` block."""
    async with InventoryEmulator(rows=rows, seed=seed).running(host=host, port=port) as emulator:
        yield emulator
