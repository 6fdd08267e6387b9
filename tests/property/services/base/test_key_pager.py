"""Reading by keys: each row once, in order, whatever is deleted meanwhile and however the keys are cut."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.errors import InvalidArgument, UnknownField
from zeyos_async.filters import FALSE, TRUE, Expression, F, normalize
from zeyos_async.schema import Entity, Field, Kind
from zeyos_async.services.base import (
    KeyedBackend,
    PlannedRequest,
    Query,
    RecordRows,
    Snapshot,
    Traits,
    column,
)
from zeyos_async.services.base.plan import QueryPlan
from zeyos_async.services.base.row_types import ClassRows, DictRows, FromValues, RowType

THINGS = Entity("things", "Thing", {"id": Field("id", Kind.TEXT), "n": Field("n", Kind.INTEGER)})


@attrs.define
class Thing:
    """A row."""

    id: str | None = None
    n: int | None = None


@attrs.define
class Number:
    """A row of a user's own."""

    number: int | None = column("n")


RECORDS = RecordRows(Thing, (("id", "id"), ("n", "n")))


class Shelf(KeyedBackend):
    """A door over a dict, which keeps count of what it is asked."""

    entity = THINGS
    traits = Traits(id_field=None, by_id=False, most_orders=1, abilities=frozenset())
    chunk = 3

    def __init__(self, rows: Mapping[str, int], gone: frozenset[str] = frozenset()) -> None:
        self.rows = rows
        self.gone = gone
        self.asked: list[list[str]] = []
        self.most: list[int | None] = []
        self.quick: Collection[str] = self.rows  # the keys of chunks that come at once
        self.running = self.peak = 0

    def bind(self, where: Expression) -> Expression:
        return normalize(where, self.entity)

    async def snapshot(
        self, plan: QueryPlan, shape: RowType[Any] | None, *, most: int | None
    ) -> Snapshot[Any]:
        self.most.append(most)
        reader = (shape or RECORDS).reader(self.entity, id_key=None)

        async def fetch(keys: Sequence[str]) -> Mapping[str, Any]:
            self.asked.append(list(keys))
            self.running += 1
            self.peak = max(self.peak, self.running)
            try:
                await asyncio.sleep(0 if keys[0] in self.quick else 60)
            finally:
                self.running -= 1
            there = [key for key in keys if key not in self.gone]
            columns = plan.columns or {"id": "id", "n": "n"}
            rows = [
                {key: {"id": one, "n": self.rows[one]}[path] for key, path in columns.items()}
                for one in there
            ]
            # In another order than asked for: rows are matched by key, not by place.
            found = dict(zip(there, reader.page(msgspec.json.encode(rows)).rows, strict=True))
            return dict(reversed(found.items()))

        return Snapshot(list(self.rows), fetch)

    def opening(self, plan: QueryPlan, *, most: int | None) -> Sequence[PlannedRequest]:
        return [PlannedRequest("GET", "https://example.com/things", {"most": most}, "keys of the rows")]


def query(door: Shelf) -> Query[Thing]:
    """All things."""
    return Query(door, QueryPlan(entity=THINGS), RECORDS)


@given(
    count=st.integers(0, 12),
    gone=st.frozensets(st.integers(0, 11), max_size=6),
    size=st.integers(1, 5),
    ahead=st.integers(1, 4),
    limit=st.one_of(st.none(), st.integers(1, 14)),
    offset=st.integers(0, 13),
)
def test_each_row_once_and_in_order(
    count: int, gone: frozenset[int], size: int, ahead: int, limit: int | None, offset: int
) -> None:
    """The rows from the offset on that are still there, as many as were asked for."""

    async def scenario() -> None:
        door = Shelf({str(n): n for n in range(count)}, frozenset(map(str, gone)))
        asked = query(door).offset(offset).paging(size=size, ahead=ahead)
        asked = asked if limit is None else asked.limit(limit)
        there = [n for n in range(offset, count) if n not in gone]
        assert [thing.n for thing in await asked.all()] == there[:limit]
        assert all(len(keys) <= size for keys in door.asked)
        fetched = [key for keys in door.asked for key in keys]
        assert len(fetched) == len(set(fetched))
        assert door.peak <= ahead
        assert door.most == [None if limit is None else offset + limit]
        assert await asked.count() == min(max(0, count - offset), count if limit is None else limit)

    asyncio.run(scenario())


async def test_no_more_is_fetched_than_is_wanted() -> None:
    """Two rows of a long list are one request for two rows."""
    door = Shelf({str(n): n for n in range(100)})
    assert [thing.id for thing in await query(door).limit(2).all()] == ["0", "1"]
    assert door.asked == [["0", "1"]]


async def test_leaving_early_ends_what_is_in_flight() -> None:
    """A break leaves nothing running."""
    door = Shelf({str(n): n for n in range(100)})
    door.quick = ["0"]
    async with aclosing(query(door).pages()) as pages:
        assert [thing.n for thing in await anext(pages)] == [0, 1, 2]
        assert door.running == 2
    await asyncio.sleep(0)
    assert door.running == 0
    assert len(asyncio.all_tasks()) == 1


async def test_shapes() -> None:
    """Chosen columns as dicts or in a class of one's own; nothing for a condition that can't hold."""
    door = Shelf({"a": 1, "b": 2})
    assert await query(door).select("n", key="id").all() == [{"n": 1, "key": "a"}, {"n": 2, "key": "b"}]
    assert await query(door).into(Number).all() == [Number(1), Number(2)]
    assert await query(door).sum("n") == 3
    assert await query(door).exists()
    assert (await query(door).first()) == Thing("a", 1)
    door.asked.clear()
    assert await query(door).where(FALSE).all() == []
    assert await query(door).where(FALSE).count() == 0
    assert door.asked == []
    assert not await query(Shelf({})).exists()


def test_rows_of_values() -> None:
    """A service that reads its rows by itself gives values; the same rows come of them."""
    values = {"id": "a", "n": 1}
    for shape in (DictRows((("key", "id"), ("n", "n"))), ClassRows(Number, (("number", "n"),))):
        assert isinstance(shape, FromValues)
        columns = shape.columns(THINGS) or {}
        page = [{key: values[path] for key, path in columns.items()}]
        read = shape.reader(THINGS, id_key=None).page(msgspec.json.encode(page))
        assert [shape.row(values.__getitem__)] == read.rows
    assert not isinstance(RECORDS, FromValues)


def test_explain() -> None:
    """What is asked first, as data, and how it goes on."""
    explained = query(Shelf({})).where(TRUE).limit(5).offset(2).explain()
    assert explained.strategy == "keys"
    assert [request.json for request in explained] == [{"most": 7}]
    assert "3 at a time" in str(explained)
    assert query(Shelf({})).where(FALSE).explain().strategy == "nothing"


def test_what_such_lists_can_not_do() -> None:
    """There are no IDs to page by, no distinct rows, and a sort of one field."""
    asked = query(Shelf({}))
    for nonsense in (
        lambda: asked.paging(by="id").explain(),
        asked.distinct,
        lambda: asked.search("x"),
        lambda: asked.expand("n"),
    ):
        with pytest.raises(InvalidArgument):
            nonsense()
    with pytest.raises(UnknownField):
        asked.where(F.m == 1)
