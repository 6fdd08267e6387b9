"""Pages that tell the total, for any sizes, limits, offsets and servers that give less than was asked for."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zeyos_async import GeneralApi, Session
from zeyos_async.errors import PageDrift, PageDriftWarning
from zeyos_async.session import Retry
from zeyos_async.transport.memory import MemoryTransport
from zeyos_async.wire import Request, Response


class TinyServer:
    """A list of ``total`` records, whose pages have ``most`` rows at most; ``lost`` rows go away after the first page."""

    def __init__(self, total: int, *, most: int = 10_000, lost: int = 0) -> None:
        self.ids = list(range(1, total + 1))
        self.most = most
        self.lost = lost
        self.asked: list[dict[str, Any]] = []

    def __call__(self, request: Request) -> Response:
        body = msgspec.json.decode(request.body or b"")
        self.asked.append(body)
        page = self.ids[body["offset"] :][: min(body["limit"], self.most)]
        data = {
            "data": [{"id": str(i), "row": [{"content": str(i), "type": "int"}]} for i in page],
            "head": [{"colorder": "intID", "headline": "ID"}],
            "count": len(page),
            "total": len(self.ids),
        }
        self.ids = self.ids[self.lost :]
        self.lost = 0
        return Response(
            status=200, body=msgspec.json.encode({"status": "Success", "statuscode": 0, "data": data})
        )


async def read(server: TinyServer, *, limit: int | None = None, offset: int = 0, **paging: Any) -> list[int]:
    """The IDs that a query gives."""
    async with Session(transport=MemoryTransport(server), retry=Retry(attempts=1)) as session:
        query = GeneralApi("http://tiny.invalid/api", session=session).model("Thing").query().paging(**paging)
        query = query.offset(offset)
        query = query if limit is None else query.limit(limit)
        return [row["intID"] async for row in query]


@given(
    total=st.integers(0, 60),
    most=st.integers(1, 70),
    size=st.integers(1, 70),
    ahead=st.integers(1, 4),
    limit=st.none() | st.integers(1, 80),
    offset=st.integers(0, 70),
)
@settings(max_examples=150)
def test_passes_with_totals_give_every_row_once(
    total: int, most: int, size: int, ahead: int, limit: int | None, offset: int
) -> None:
    """In order, as many as are wanted, and without a request more than the pages take."""
    server = TinyServer(total, most=most)
    got = asyncio.run(read(server, size=size, ahead=ahead, limit=limit, offset=offset))
    end = total if limit is None else offset + limit
    assert got == list(range(1, total + 1))[offset:end]
    assert all(body["limit"] <= size for body in server.asked)
    if most >= size:
        pages = max(1, -(-len(got) // size))
        # After a last page that is full, one more row is asked for.
        assert len(server.asked) in (pages, pages + 1)


@given(total=st.integers(2, 40), size=st.integers(1, 10), lost=st.integers(1, 5))
@settings(max_examples=60)
def test_passes_with_totals_notice_rows_that_go_away(total: int, size: int, lost: int) -> None:
    """Whatever moved, nothing is lost in silence."""
    server = TinyServer(total, lost=lost)
    if total <= size:  # one page is the whole answer
        assert asyncio.run(read(server, size=size)) == list(range(1, total + 1))
        return
    with pytest.raises(PageDrift):
        asyncio.run(read(server, size=size, ahead=1, on_drift="raise"))


def test_drift_is_a_warning_by_default() -> None:
    """``async for`` goes on with what comes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        got = asyncio.run(read(TinyServer(20, lost=2), size=5, ahead=1))
    assert [warning.category for warning in caught] == [PageDriftWarning]
    assert got == [1, 2, 3, 4, 5, *range(8, 21)]
