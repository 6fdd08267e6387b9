"""``KeyPager``: each row once, in order, whatever is deleted meanwhile and however the keys are cut."""

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
    KeyList,
    ListFeatures,
    PlannedRequest,
    Query,
    RecordRows,
    column,
)
from zeyos_async.services.base.plan import QueryPlan
from zeyos_async.services.base.row_types import ClassRows, DictRows, RowBuilder, RowType

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


class DictBackend(KeyedBackend):
    """A backend over a dict, which records the calls."""

    entity = THINGS
    features = ListFeatures(id_field=None, by_id=False, max_order_fields=1, query_methods=frozenset())
    chunk = 3

    def __init__(self, rows: Mapping[str, int], deleted: frozenset[str] = frozenset()) -> None:
        self.rows = rows
        self.deleted = deleted
        self.fetched_keys: list[list[str]] = []
        self.key_limits: list[int | None] = []
        self.quick_keys: Collection[str] = self.rows  # the keys of chunks that come at once
        self.running = self.peak = 0

    def compile(self, where: Expression) -> tuple[Expression, None]:
        return normalize(where, self.entity), None

    async def list_keys(
        self, plan: QueryPlan, row_type: RowType[Any] | None, *, max_keys: int | None
    ) -> KeyList[Any]:
        self.key_limits.append(max_keys)
        reader = (row_type or RECORDS).reader(self.entity, id_key=None)

        async def fetch(keys: Sequence[str]) -> Mapping[str, Any]:
            self.fetched_keys.append(list(keys))
            self.running += 1
            self.peak = max(self.peak, self.running)
            try:
                await asyncio.sleep(0 if keys[0] in self.quick_keys else 60)
            finally:
                self.running -= 1
            existing = [key for key in keys if key not in self.deleted]
            columns = plan.columns or {"id": "id", "n": "n"}
            objects = [
                {alias: {"id": key, "n": self.rows[key]}[path] for alias, path in columns.items()}
                for key in existing
            ]
            # In another order than requested: rows are matched by key, not by place.
            rows = dict(zip(existing, reader.page(msgspec.json.encode(objects)).rows, strict=True))
            return dict(reversed(rows.items()))

        return KeyList(list(self.rows), fetch)

    def key_requests(self, plan: QueryPlan, *, max_keys: int | None) -> Sequence[PlannedRequest]:
        return [
            PlannedRequest("GET", "https://example.com/things", {"max_keys": max_keys}, "keys of the rows")
        ]


def query(backend: DictBackend) -> Query[Thing]:
    """All things."""
    return Query(backend, QueryPlan(entity=THINGS), RECORDS)


@given(
    count=st.integers(0, 12),
    deleted=st.frozensets(st.integers(0, 11), max_size=6),
    size=st.integers(1, 5),
    ahead=st.integers(1, 4),
    limit=st.one_of(st.none(), st.integers(1, 14)),
    offset=st.integers(0, 13),
)
def test_each_row_once_and_in_order(
    count: int, deleted: frozenset[int], size: int, ahead: int, limit: int | None, offset: int
) -> None:
    """The rows from the offset on that are still there, as many as were asked for."""

    async def scenario() -> None:
        backend = DictBackend({str(n): n for n in range(count)}, frozenset(map(str, deleted)))
        things = query(backend).offset(offset).paging(size=size, ahead=ahead)
        things = things if limit is None else things.limit(limit)
        existing = [n for n in range(offset, count) if n not in deleted]
        assert [thing.n for thing in await things.all()] == existing[:limit]
        assert all(len(keys) <= size for keys in backend.fetched_keys)
        all_keys = [key for keys in backend.fetched_keys for key in keys]
        repeated = {key for key in all_keys if all_keys.count(key) > 1}
        assert repeated <= set(map(str, deleted)), "only what an answer left out is asked for again"
        assert backend.peak <= ahead
        assert backend.key_limits == [None if limit is None else offset + limit]
        assert await things.count() == min(max(0, count - offset), count if limit is None else limit)

    asyncio.run(scenario())


async def test_no_more_is_fetched_than_is_wanted() -> None:
    """Two rows of a long list are one request for two rows."""
    backend = DictBackend({str(n): n for n in range(100)})
    assert [thing.id for thing in await query(backend).limit(2).all()] == ["0", "1"]
    assert backend.fetched_keys == [["0", "1"]]


async def test_leaving_early_ends_what_is_in_flight() -> None:
    """A break leaves nothing running."""
    backend = DictBackend({str(n): n for n in range(100)})
    backend.quick_keys = ["0"]
    async with aclosing(query(backend).pages()) as pages:
        assert [thing.n for thing in await anext(pages)] == [0, 1, 2]
        assert backend.running == 2
    await asyncio.sleep(0)
    assert backend.running == 0
    assert len(asyncio.all_tasks()) == 1


async def test_row_types_of_a_query_by_keys() -> None:
    """Chosen columns as dicts or in a class of one's own; nothing for a condition that can't hold."""
    backend = DictBackend({"a": 1, "b": 2})
    assert await query(backend).select("n", key="id").all() == [{"n": 1, "key": "a"}, {"n": 2, "key": "b"}]
    assert await query(backend).into(Number).all() == [Number(1), Number(2)]
    assert await query(backend).sum("n") == 3
    assert await query(backend).exists()
    assert (await query(backend).first()) == Thing("a", 1)
    backend.fetched_keys.clear()
    assert await query(backend).where(FALSE).all() == []
    assert await query(backend).where(FALSE).count() == 0
    assert backend.fetched_keys == []
    assert not await query(DictBackend({})).exists()


def test_row_types_build_rows_from_values() -> None:
    """A service that reads its rows by itself gives values; the same rows come of them."""
    values = {"id": "a", "n": 1}
    for row_type in (DictRows((("key", "id"), ("n", "n"))), ClassRows(Number, (("number", "n"),))):
        assert isinstance(row_type, RowBuilder)
        columns = row_type.columns(THINGS) or {}
        objects = [{key: values[path] for key, path in columns.items()}]
        page = row_type.reader(THINGS, id_key=None).page(msgspec.json.encode(objects))
        assert [row_type.build_row(values.__getitem__)] == page.rows
    assert not isinstance(RECORDS, RowBuilder)


def test_explain_of_a_query_by_keys() -> None:
    """The first requests as data, and how it goes on."""
    explained = query(DictBackend({})).where(TRUE).limit(5).offset(2).explain()
    assert explained.strategy == "keys"
    assert [request.json for request in explained] == [{"max_keys": 7}]
    assert "3 at a time" in str(explained)
    assert query(DictBackend({})).where(FALSE).explain().strategy == "nothing"


def test_unsupported_methods_of_lists_by_keys() -> None:
    """There are no IDs to page by, no distinct rows, and a sort of one field."""
    things = query(DictBackend({}))
    for call in (
        lambda: things.paging(by="id").explain(),
        things.distinct,
        lambda: things.search("x"),
        lambda: things.expand("n"),
    ):
        with pytest.raises(InvalidArgument):
            call()
    with pytest.raises(UnknownField):
        things.where(F.m == 1)
