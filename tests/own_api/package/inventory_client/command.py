"""The command's part."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import attrs

from zeyos_async.auth import ApiKey, AuthBackend
from zeyos_async.cli.apis import ApiCommand, ApiOption, ApiOptions
from zeyos_async.cli.connect import AskSecret, ConnectionOptions
from zeyos_async.cli.reader_base import QueryReader
from zeyos_async.errors import ConfigurationError
from zeyos_async.schema import Entity, Field
from zeyos_async.services.base import Query

from .client import Inventory
from .filters import ARTICLES


class InventoryCommand(ApiCommand):
    """A warehouse on the command line."""

    options = (
        ApiOption("shelf", ("--shelf",), {"metavar": "NAME", "help": "With --api inventory: nothing."}),
    )
    missing_name = "a warehouse has no"

    def resolve(
        self, connection: ConnectionOptions, options: ApiOptions, environ: Mapping[str, str], ask: AskSecret
    ) -> tuple[str, AuthBackend]:
        """Return the address and the token."""
        if not connection.url or "INVENTORY_TOKEN" not in environ:
            raise ConfigurationError("give --url, and set INVENTORY_TOKEN")
        return connection.url, ApiKey("X-Token", environ["INVENTORY_TOKEN"])

    def reader(self, client: Inventory, name: str, options: ApiOptions) -> ArticleReader:
        """Return a reader of articles."""
        return ArticleReader(client)

    def names(self) -> Collection[str]:
        """Return the one name."""
        return ("articles",)

    def entity(self, name: str) -> Entity | None:
        """Return the fields of articles."""
        return ARTICLES if name == "articles" else None

    def convert_id(self, text: str) -> int:
        """Return a number."""
        return int(text)

    def describe_emulator(self, emulator: Any) -> tuple[Mapping[str, str], str]:
        """Return the address."""
        return {"url": emulator.url}, f"  zeyos-async list articles --api inventory --url {emulator.url}"


@attrs.frozen
class ArticleReader(QueryReader):
    """A reader of articles."""

    client: Inventory

    async def base_query(self) -> Query[Any]:
        """Return all articles."""
        return self.client.articles()

    async def table_columns(self, query: Query[Any]) -> Mapping[str, Field | None]:
        """Return all columns."""
        return ARTICLES.fields

    async def read_record(self, id: Any, **options: Any) -> tuple[Mapping[str, Any], Mapping[str, Field]]:
        """Return one article."""
        return await self.client.get(id), ARTICLES.fields
