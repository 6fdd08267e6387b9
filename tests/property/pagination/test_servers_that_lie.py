"""One lie at a time: pages that are cut as the server likes, or a count that is any number; every row comes once."""

from __future__ import annotations

import asyncio
import itertools
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from zeyos_async import GeneralApi, Session, Zeyos
from zeyos_async.errors import PageDriftWarning
from zeyos_async.session import Retry
from zeyos_async.transport.memory import MemoryTransport
from zeyos_async.wire import Request, Response


@attrs.define
class LyingServer:
    """The lists of ZeyOS and of General over rows 1 to ``size``, sorted by ID or by ``group``.

    Attributes:
        size: The number of rows.
        cuts: Rows that the next pages have at most, over and over; ``()`` for pages that are not cut.
        count: What is said where the real count is asked for.
    """

    size: int
    cuts: tuple[int, ...] = ()
    count: Callable[[int], int] = lambda rows: rows
    requests: int = 0
    _cuts: Iterator[int] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._cuts = itertools.cycle(self.cuts)

    def _page(self, rows: list[int], limit: int, offset: int) -> list[int]:
        most = next(self._cuts) if self.cuts else limit
        return rows[offset : offset + min(limit, most)]

    def zeyos(self, request: Request) -> Response:
        self.requests += 1
        assert self.requests < 1000, "the pass does not end"
        body = msgspec.json.decode(request.content or b"{}")
        rows = [i for i in range(1, self.size + 1) if _passes(body.get("filters", {}).get("ID", {}), i)]
        if body.get("count"):
            return _json({"count": self.count(len(rows))})
        field, reverse = body["sort"][0][1:], body["sort"][0][0] == "-"
        rows.sort(key=lambda i: (group_of(i) if field == "priority" else 0, i), reverse=reverse)
        page = self._page(rows, body["limit"], body.get("offset", 0))
        values: dict[str, Callable[[int], int]] = {"ID": int, "priority": group_of}
        return _json([{field: values[field](i) for field in body["fields"]} for i in page])

    def general(self, request: Request) -> Response:
        self.requests += 1
        assert self.requests < 1000, "the pass does not end"
        body = msgspec.json.decode(request.content or b"{}")
        page = self._page(list(range(1, self.size + 1)), body["limit"], body["offset"])
        data = {
            "data": [{"id": str(i), "row": [{"content": str(i), "type": "int"}]} for i in page],
            "head": [{"colorder": "intID", "headline": "ID"}],
            "count": len(page),
            "total": self.count(self.size),
        }
        return _json({"status": "Success", "statuscode": 0, "data": data})


def group_of(number: int) -> int:
    return number % 3


def _passes(bounds: dict[str, int], number: int) -> bool:
    return number > bounds.get(">", 0) and number <= bounds.get("<=", number)


def _json(value: Any) -> Response:
    return Response(status=200, headers={"Content-Type": "application/json"}, body=msgspec.json.encode(value))


async def read_zeyos(server: LyingServer, *, order: str, limit: int | None, **paging: Any) -> list[int]:
    async with Session(transport=MemoryTransport(server.zeyos), retry=Retry(attempts=1)) as session:
        query = Zeyos("http://tiny.invalid/demo", session=session).tickets.query()
        query = query.order_by(order).paging(on_drift="warn", **paging)
        selected = query.select("ID", "priority")
        return [row["ID"] for row in await (selected if limit is None else selected.limit(limit)).all()]


async def read_general(server: LyingServer, *, limit: int | None, **paging: Any) -> list[int]:
    async with Session(transport=MemoryTransport(server.general), retry=Retry(attempts=1)) as session:
        query = GeneralApi("http://tiny.invalid/api", session=session).model("Thing").query()
        query = query.paging(on_drift="warn", **paging)
        query = query if limit is None else query.limit(limit)
        return [row["intID"] for row in await query.all()]


counts = st.one_of(
    st.integers(0, 150).map(lambda wrong_count: lambda rows: wrong_count),
    st.integers(1, 30).map(lambda less: lambda rows: max(0, rows - less)),
    st.integers(1, 30).map(lambda more: lambda rows: rows + more),
)
lies: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.lists(st.integers(1, 12), min_size=1, max_size=6).map(lambda cuts: {"cuts": tuple(cuts)}),
    counts.map(lambda count: {"count": count}),
)
pagings = st.fixed_dictionaries({"size": st.integers(1, 40), "ahead": st.integers(1, 4)})
limits = st.none() | st.integers(1, 130)


@settings(max_examples=300, deadline=None)
@given(
    size=st.integers(0, 120),
    lie=lies,
    paging=pagings,
    limit=limits,
    order=st.sampled_from(["ID", "-ID", "priority"]),
)
def test_one_lie_of_zeyos_loses_no_row(
    size: int, lie: dict[str, Any], paging: dict[str, Any], limit: int | None, order: str
) -> None:
    """By ID and by offset: the rows are those of the table, in order, each once."""
    server = LyingServer(size, **lie)
    rows = sorted(range(1, size + 1), key=lambda i: (group_of(i) if order == "priority" else 0, i))
    rows = rows[::-1] if order == "-ID" else rows
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PageDriftWarning)
        assert asyncio.run(read_zeyos(server, order=order, limit=limit, **paging)) == rows[:limit]


@settings(max_examples=200, deadline=None)
@given(size=st.integers(0, 120), lie=lies, paging=pagings, limit=limits)
def test_one_lie_of_general_loses_no_row(
    size: int, lie: dict[str, Any], paging: dict[str, Any], limit: int | None
) -> None:
    """Totals that stand on each page, too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PageDriftWarning)
        rows = asyncio.run(read_general(LyingServer(size, **lie), limit=limit, **paging))
    assert rows == list(range(1, size + 1))[:limit]
