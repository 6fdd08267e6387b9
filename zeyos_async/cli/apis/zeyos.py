"""The command's part for ZeyOS: stored sign-ins and profiles come first (``connect``)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Final, cast

import attrs
import click

from ...auth import AuthBackend
from ...records import Record
from ...schema import Entity, Field, resolve
from ...services.base import Query
from ...services.zeyos._generated import ENTITIES, entity
from ...services.zeyos.client import Zeyos
from ..connect import AskSecret, ConnectionOptions, open_zeyos, resolve_target
from ..reader_base import QueryReader
from ..value_format import record_values
from .base import ApiCommand, ApiOptions
from .zeyos_columns import default_columns

__all__ = ["ZeyosCommand", "ZeyosReader"]

_ID: Final = click.IntRange(min=1)


class ZeyosCommand(ApiCommand):
    """ZeyOS on the command line."""

    refused: ClassVar = ()
    missing_name: ClassVar = "ZeyOS has no entity"

    @asynccontextmanager
    async def open(self, connection: ConnectionOptions, options: ApiOptions) -> AsyncIterator[Zeyos]:
        """Open a client for the server and the sign-in that the options, the environment or a profile name."""
        async with open_zeyos(connection) as zeyos:
            yield zeyos

    def resolve(
        self, connection: ConnectionOptions, options: ApiOptions, environ: Mapping[str, str], ask: AskSecret
    ) -> tuple[str, AuthBackend]:
        """Return the instance and the credential."""
        target = resolve_target(connection, environ, ask)
        return target.url, target.auth

    def reader(self, client: Zeyos, name: str, options: ApiOptions) -> ZeyosReader:
        """Return a reader of an entity."""
        return ZeyosReader(client, name)

    def names(self) -> Collection[str]:
        """Return the names of the entities."""
        return ENTITIES

    def row_names(self) -> Collection[str]:
        """Return the names of the entities."""
        return ENTITIES

    def names_hint(self) -> str:
        """Return the command that lists the names."""
        return " `zeyos-async resources` lists them."

    def entity(self, name: str) -> Entity | None:
        """Return an entity's fields."""
        return entity(name) if name in ENTITIES else None

    def convert_id(self, text: str) -> int:
        """Return an ID, which is a whole number from 1."""
        value: int = cast("Any", _ID).convert(text, None, None)
        return value

    def describe_emulator(self, emulator: Any) -> tuple[Mapping[str, str], str]:
        """Return the address, the ways in, and commands that use them."""
        user, token = emulator.credentials, emulator.token()
        labels = {
            "url": emulator.url,
            "token": token,
            "user": user.name,
            "password": user.password,
            "identifier": user.identifier,
            "appsecret": user.appsecret,
            "client-id": user.client_id,
        }
        return labels, (
            f"  ZEYOS_TOKEN={token} zeyos-async list accounts --url {emulator.url}\n"
            f"  curl -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' "
            f"-d '{{\"limit\": 3}}' {emulator.url}/api/v1/accounts\n"
            f"  zeyos-async login --url {emulator.url} --client-id {user.client_id}"
        )


@attrs.frozen
class ZeyosReader(QueryReader):
    """A reader of one entity of ZeyOS."""

    zeyos: Zeyos
    entity: str

    async def base_query(self) -> Query[Any]:
        """Return the query for all rows."""
        return self.zeyos.resource(self.entity).query()

    async def table_columns(self, query: Query[Any]) -> Mapping[str, Field]:
        """Return the columns that identify a row best."""
        table = query._plan.entity
        return {path: resolve(table, path) for path in default_columns(table)}

    async def read_record(self, id: Any, **options: Any) -> tuple[Mapping[str, Any], Mapping[str, Field]]:
        """Return a record's values, with its extdata and tags if the options say so."""
        record: Record = await self.zeyos.resource(self.entity).get(id, **options)
        return record_values(record), record.__entity__.fields
