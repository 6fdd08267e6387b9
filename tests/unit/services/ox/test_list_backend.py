"""Queries over modules: the IDs first, then the objects by their IDs; or all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, ClassVar

import attrs
import msgspec
import pytest
from yarl import URL

from zeyos_async.errors import FilterError, ServerError, UnknownField, UnsupportedFilter
from zeyos_async.filters import F
from zeyos_async.records import EMPTY
from zeyos_async.services.base import Query
from zeyos_async.services.ox.modules._list_backend import ListingCalls, ListingRequest, make_query, to_neutral
from zeyos_async.services.ox.operation import PreparedCall, Result, Rows, Spec
from zeyos_async.services.ox.records import InFolderId
from zeyos_async.services.ox.tables import WireField, WireSchema
from zeyos_async.services.ox.values import WireKind
from zeyos_async.wire import Request

MOMENT = datetime(2026, 1, 31, 12, tzinfo=UTC)
SPEC = Spec(module="contacts", name="call", method="PUT", path="contacts")


@attrs.define(kw_only=True)
class Thing(InFolderId):
    """An object of a small schema."""

    __schema__: ClassVar[WireSchema] = WireSchema(
        "Thing",
        [
            WireField("id", WireKind.TEXT, 1),
            WireField("folder_id", WireKind.TEXT, 20),
            WireField("last_name", WireKind.TEXT, 502),
            WireField("last_modified", WireKind.TIME, 5),
            WireField("birthday", WireKind.DATE, 511),
            WireField("members", WireKind.RECORD, record="Thing", many=True),
        ],
        module="contacts",
    )
    id: str | None = None
    folder_id: str | None = None
    last_name: str | None = None
    last_modified: datetime | None = None
    birthday: date | None = None
    members: list[Thing] | None = None
    extra: Mapping[str, Any] = EMPTY
    timestamp: Any = None
    warnings: Any = ()


@attrs.define
class Name:
    """A row of a user's own."""

    last_name: str | None


class Server:
    """A caller with the objects in memory; it keeps what it was asked."""

    def __init__(self, *things: Thing) -> None:
        self.things = list(things)
        self.found: list[ListingRequest] = []
        self.read: list[tuple[Sequence[Any], tuple[str, ...] | None]] = []
        self.gone: set[str] = set()

    async def call(self, prepared: PreparedCall[Any], /) -> Result[Any]:
        return Result(data=prepared.read(None))  # type: ignore[arg-type]

    def download(self, prepared: PreparedCall[Any], /) -> Any:
        raise NotImplementedError

    def module(self, name: str, /) -> Any:
        raise NotImplementedError

    def build_request(self, prepared: PreparedCall[Any], /) -> Request:
        return Request(
            method=prepared.spec.method, url=URL("https://ox.example.com/ajax/contacts?action=all")
        )

    def find(self, request: ListingRequest) -> PreparedCall[Rows[Any]]:
        self.found.append(request)
        return PreparedCall(spec=SPEC, query=(), path="contacts", read=lambda envelope: Rows(self.things))

    def list(self, keys: Sequence[Any], columns: tuple[str, ...] | None) -> PreparedCall[Rows[Any]]:
        self.read.append((keys, columns))
        existing = {(thing.folder_id, thing.id): thing for thing in self.things if thing.id not in self.gone}
        rows = [existing[key] for key in keys if key in existing]
        return PreparedCall(spec=SPEC, query=(), path="contacts", read=lambda envelope: Rows(reversed(rows)))

    def query(self, **options: Any) -> Query[Thing]:
        """By IDs, in the terms of contacts."""
        options = {"read": self.list, "dialect": "contacts", **options}
        return make_query(self, Thing, ListingCalls(find=self.find, **options))


def server(count: int = 5) -> Server:
    """Some things in two folders, in which IDs repeat."""
    return Server(
        *(
            Thing(id=str(n // 2), folder_id=str(n % 2), last_name=f"N{n}", last_modified=MOMENT)
            for n in range(count)
        )
    )


async def test_records_come_in_the_order_of_the_ids() -> None:
    """Whatever order ``list`` answers in; the same ID in two folders is two objects; what is gone is left out."""
    ox = server()
    assert [thing.last_name for thing in await ox.query().paging(size=2).all()] == [
        "N0",
        "N1",
        "N2",
        "N3",
        "N4",
    ]
    assert [keys for keys, _ in ox.read] == [[("0", "0"), ("1", "0")], [("0", "1"), ("1", "1")], [("0", "2")]]
    ox.gone.add("1")
    assert [thing.last_name async for thing in ox.query()] == ["N0", "N1", "N4"]
    assert await ox.query().count() == 5


async def test_queries_list_ids_first() -> None:
    """Only the IDs first; then the usual columns, or the chosen ones with those that name the objects."""
    ox = server()
    await ox.query().where(F.last_name == "N1").order_by("-last_name").limit(3).all()
    assert ox.found == [
        ListingRequest(
            term=["=", {"field": "last_name"}, "N1"],
            columns=("folder_id", "id"),
            sort="last_name",
            order="desc",
            limit=3,
        )
    ]
    assert ox.read[-1][1] is None
    await ox.query().select("last_name").first()
    assert ox.read[-1][1] == ("folder_id", "id", "last_name")


async def test_modules_that_answer_everything_at_once() -> None:
    """One call, with all columns; for a count only with those that name the objects."""
    ox = server()
    query = ox.query(read=None)
    assert len(await query.all()) == 5
    assert await query.select("last_name").limit(2).all() == [{"last_name": "N0"}, {"last_name": "N1"}]
    assert await query.count() == 5
    assert [request.columns for request in ox.found] == [
        None,
        ("folder_id", "id", "last_name"),
        ("folder_id", "id"),
    ]
    assert ox.read == []


async def test_rows_of_other_types_have_the_records_values() -> None:
    """Dicts and a user's own class have values as records have them."""
    ox = server(1)
    assert await ox.query().select("last_name", at="last_modified").all() == [
        {"last_name": "N0", "at": MOMENT}
    ]
    assert await ox.query().into(Name).all() == [Name("N0")]
    assert await ox.query().exists()
    assert not await server(0).query().exists()


async def test_the_folder_by_any_of_its_names() -> None:
    """``folder``, ``folder_id`` and ``folderId`` are one column."""
    ox = server(1)
    row = {"folder": "0", "folderId": "0", "folder_id": "0"}
    assert await ox.query().select("folder", "folderId", "folder_id").all() == [row]
    assert [field.name for field in ox.query()._plan.entity].count("folder_id") == 1
    with pytest.raises(UnknownField):
        ox.query().select("fold")


async def test_exports_have_the_values_that_all_apis_have() -> None:
    """Moments as Unix seconds, days as text, objects as objects."""
    ox = Server(
        Thing(
            id="1", folder_id="2", last_modified=MOMENT, birthday=date(1990, 1, 31), members=[Thing(id="7")]
        )
    )
    pages = [page async for page in ox.query().raw_pages()]
    assert [msgspec.json.decode(row) for page in pages for row in page] == [
        {
            "id": "1",
            "folder_id": "2",
            "last_name": None,
            "last_modified": 1769860800,
            "birthday": "1990-01-31",
            "members": [{"id": "7"}],
        }
    ]
    assert to_neutral(MOMENT.replace(microsecond=500_000)) == 1769860800.5
    assert to_neutral(MOMENT.replace(tzinfo=None)) == "2026-01-31T12:00:00"


async def test_searches_that_can_not_be_said_are_refused() -> None:
    """Unknown fields, conditions where the module has none or can't say them, sorting where it can't."""
    ox = server()
    with pytest.raises(UnknownField, match="last_name"):
        ox.query().where(F.lastname == "x")
    with pytest.raises(UnsupportedFilter, match="folders="):
        ox.query().where(F.folder_id == "1")
    with pytest.raises(UnsupportedFilter, match="evaluate"):
        ox.query(dialect=None).where(F.last_name == "x")
    with pytest.raises(FilterError, match="nothing to sort"):
        ox.query(sorts=False).order_by("last_name")
    with pytest.raises(FilterError, match="1 field"):
        ox.query().order_by("last_name", "id")
    assert await ox.query().where(F.last_name.in_([])).all() == []
    assert ox.found == []


async def test_an_object_without_an_id_is_an_error() -> None:
    """It was asked for; without it nothing can be matched."""
    with pytest.raises(ServerError, match="without its id"):
        await Server(Thing(last_name="x")).query().all()


def test_queries_explain_their_requests() -> None:
    """The first call as data."""
    explained = server().query().explain()
    assert explained.strategy == "keys"
    assert "250 at a time" in explained.then
    assert explained[0].url == "https://ox.example.com/ajax/contacts?action=all"
