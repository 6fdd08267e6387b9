"""The tables of the other APIs, in which schedules create, change, read and delete records of one form."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs, urlsplit

from zeyos_async.services.registry import find_api, load
from zeyos_async.testing import emulate_general, emulate_octaved, emulate_ox
from zeyos_async.testing.proxy import Passage

from .wrong_answers import Reading

__all__ = ["TABLES", "Row", "Table"]

Row = tuple[Any, str, str]
"""ID, name, text."""


class Table:
    """One API's table, whose records have a name and a text.

    Attributes:
        api: The name of the API's row in the registry.
        emulate: Starts its emulator.
        reading: What faults have to know of the API.
    """

    api: ClassVar[str]
    emulate: ClassVar[Callable[..., AbstractAsyncContextManager[Any]]]
    reading: ClassVar[Reading]

    def __init__(self, client: Any) -> None:
        self.client = client

    @classmethod
    def client_type(cls) -> Any:
        """Return the class of the API's client."""
        return load(find_api(cls.api).client)

    async def create(self, name: str, text: str) -> Any:
        """Create a record, and return its ID."""
        raise NotImplementedError

    async def update(self, key: Any, text: str) -> str:
        """Change a record's text, and return what the answer says that it is."""
        raise NotImplementedError

    async def delete(self, key: Any) -> None:
        """Delete a record."""
        raise NotImplementedError

    async def get(self, key: Any) -> str:
        """Read a record's text."""
        raise NotImplementedError

    async def list(self) -> list[Row]:
        """Read all records."""
        raise NotImplementedError

    @staticmethod
    def stored(emulator: Any) -> list[Row]:
        """Return all records that the server has."""
        raise NotImplementedError


def _general_action(passage: Passage) -> str:
    return str(json.loads(passage.body or b"{}").get("action"))


class GeneralTable(Table):
    """Orders of the General API."""

    api = "general"
    emulate = staticmethod(emulate_general)
    reading = Reading(
        id_keys=("ids",),
        is_create=lambda passage: _general_action(passage) == "create",
        takes_any_success=lambda passage: False,
        empty=(
            b'{"status": "Success", "statuscode": 0}',
            b'{"status": "Success", "statuscode": 0, "data": {}}',
        ),
    )

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self._orders = client.model("Order")

    async def create(self, name: str, text: str) -> Any:
        return (await self._orders.create(strNumber=name, strNote=text)).id

    async def update(self, key: Any, text: str) -> str:
        return str((await self._orders.update(key, strNote=text))["strNote"])

    async def delete(self, key: Any) -> None:
        await self._orders.delete(key)

    async def get(self, key: Any) -> str:
        return str((await self._orders.get(key))["strNote"])

    async def list(self) -> list[Row]:
        rows = await self._orders.query().select("intID", "strNumber", "strNote").all()
        return [(int(row["intID"]), row["strNumber"], row["strNote"]) for row in rows]

    @staticmethod
    def stored(emulator: Any) -> list[Row]:
        return [(row["intID"], row["strNumber"], row["strNote"]) for row in emulator.rows("Order")]


class OctavedTable(Table):
    """Customers of Octaved Flow, which are the records that need no parent."""

    api = "octaved"
    emulate = staticmethod(emulate_octaved)
    reading = Reading(
        id_keys=("id",),
        is_create=lambda passage: passage.method == "POST" and not passage.target.endswith("/search"),
        takes_any_text=False,
        takes_any_success=lambda passage: passage.method in ("PUT", "PATCH", "DELETE"),
    )

    async def create(self, name: str, text: str) -> Any:
        return await self.client.customers.create(name=name, customerNumber=text)

    async def update(self, key: Any, text: str) -> str:
        await self.client.customers.patch(key, customerNumber=text)
        return text

    async def delete(self, key: Any) -> None:
        await self.client.customers.delete(key)

    async def get(self, key: Any) -> str:
        return str((await self.client.customers.get(key)).customerNumber)

    async def list(self) -> list[Row]:
        return [(row.id, row.name, row.customerNumber) for row in await self.client.customers.all()]

    @staticmethod
    def stored(emulator: Any) -> list[Row]:
        return [(row["id"], row["name"], row["customerNumber"]) for row in emulator.rows("customers")]


_TASKS: Final = "7"
"""The folder with the tasks of the emulator's first user."""


def _ox_action(passage: Passage) -> str:
    return parse_qs(urlsplit(passage.target).query).get("action", [""])[0]


class OxTable(Table):
    """Tasks of Open-Xchange."""

    api = "ox"
    emulate = staticmethod(emulate_ox)
    reading = Reading(
        id_keys=("id",),
        is_create=lambda passage: _ox_action(passage) == "new",
        takes_any_success=lambda passage: False,
        empty=(b'{"data": null}', b'{"timestamp": 1}', b'{"data": null, "timestamp": 1}'),
    )

    async def create(self, name: str, text: str) -> Any:
        new_task = await self.client.tasks.new({"title": name, "note": text, "folder_id": _TASKS})
        return new_task.id

    async def update(self, key: Any, text: str) -> str:
        await self.client.tasks.update(await self._record(key), {"note": text})
        return text

    async def delete(self, key: Any) -> None:
        await self.client.tasks.delete([await self._record(key)])

    async def get(self, key: Any) -> str:
        return str((await self._record(key)).note)

    async def list(self) -> list[Row]:
        rows = await self.client.tasks.query(folder=_TASKS).all()
        return [(row.id, row.title, row.note) for row in rows]

    async def _record(self, key: Any) -> Any:
        return await self.client.tasks.get(id=key, folder=_TASKS)

    @staticmethod
    def stored(emulator: Any) -> list[Row]:
        return [(row["id"], row["title"], row.get("note")) for row in emulator.rows("tasks")]


TABLES: Final[Mapping[str, type[Table]]] = {
    table.api: table for table in (GeneralTable, OctavedTable, OxTable)
}
