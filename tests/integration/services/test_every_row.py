"""Every row once, whatever a server says of their number: over real sockets, for lists with a count and with totals."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.services.test_good_answers import RETRY, answer, serve
from zeyos_async import F, GeneralApi, Zeyos
from zeyos_async.auth import KmdToken
from zeyos_async.errors import ServerError

ROW_COUNT = 6_000
"""More than the first page and the page after it, so that windows are read ahead."""

Handler = Callable[[str, str, dict[str, str], Any], bytes]
LIES: dict[str, Callable[[int], Any]] = {
    "nothing": lambda rows: 0,
    "one": lambda rows: 1,
    "the first page": lambda rows: 500,
    "a third": lambda rows: rows // 3,
    "one too few": lambda rows: rows - 1,
    "one too many": lambda rows: rows + 1,
    "three times": lambda rows: rows * 3,
    "ten million": lambda rows: 10_000_000,
    "text": str,
    "a whole float": float,
    "a whole float as text": lambda rows: f"{rows}.0",
}
NO_NUMBERS: list[Any] = [-1, 6000.5, "many", "", None, True, [1, 2], "6_000", 1e400, {"total": 5}]


def list_server(ids: list[int], count: Callable[[int], Any], requests: list[Any]) -> Handler:
    """A list of ZeyOS with IDs alone, written from the reference."""

    def handle(method: str, target: str, headers: dict[str, str], body: Any) -> bytes:
        requests.append(body)
        bounds = body.get("filters", {}).get("ID", {})
        low, high = bounds.get(">", 0), bounds.get("<=", 10**12)
        matching = [number for number in ids if low < number <= high]
        if "count" in body:
            return answer({"count": count(len(matching))})
        if body["sort"][0] == "-ID":
            matching = matching[::-1]
        return answer([{"ID": n} for n in matching[body.get("offset", 0) :][: body["limit"]]])

    return handle


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("options", [{"by": "id"}, {"by": "offset"}, {"by": "offset", "size": 700}])
@pytest.mark.filterwarnings("ignore::zeyos_async.errors.PageDriftWarning")
async def test_a_wrong_count_neither_loses_nor_repeats_rows(lie: str, options: dict[str, Any]) -> None:
    """Too low, too high, as text, as a float: each row comes once, in few requests."""
    requests: list[Any] = []
    ids = list(range(1, ROW_COUNT + 1))
    async with serve(list_server(ids, LIES[lie], requests)) as url, Zeyos(url, retry=RETRY) as zeyos:
        query = zeyos.tickets.query().select("ID").order_by("ID").paging(**options)
        assert [row["ID"] for row in await query.all()] == ids
    assert len(requests) < 30


@pytest.mark.parametrize("count", NO_NUMBERS)
async def test_a_count_that_is_no_number_is_a_failure(count: Any) -> None:
    """Neither nothing nor a part of a row nor a word is taken for a number of rows."""
    handle = list_server(list(range(1, ROW_COUNT + 1)), lambda rows: count, [])
    async with serve(handle) as url, Zeyos(url, retry=RETRY) as zeyos:
        with pytest.raises(ServerError, match="count"):
            await zeyos.tickets.query().select("ID").all()
        with pytest.raises(ServerError, match="count"):
            await zeyos.tickets.query().count()


@pytest.mark.parametrize("lie", ["three times", "ten million", "one"])
@pytest.mark.parametrize(
    "ids",
    [
        [number * 100_000 for number in range(1, 1501)],
        [*range(1, 601), *range(10**9, 10**9 + 900)],
        [*range(2_000, 1_200_000, 2_000), *range(1_200_000, 1_203_000)],
    ],
    ids=["far apart", "a gap", "far apart, then close"],
)
@pytest.mark.filterwarnings("ignore::zeyos_async.errors.PageDriftWarning")
async def test_ids_far_apart_and_a_wrong_count_cost_few_requests(lie: str, ids: list[int]) -> None:
    """A request for each gap between IDs would be ten thousand of them."""
    requests: list[Any] = []
    async with serve(list_server(ids, LIES[lie], requests)) as url, Zeyos(url, retry=RETRY) as zeyos:
        assert [row["ID"] for row in await zeyos.tickets.query().select("ID").all()] == ids
    assert len(requests) < 40


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.filterwarnings("ignore::zeyos_async.errors.PageDriftWarning")
async def test_a_wrong_total_neither_loses_nor_repeats_rows(lie: str) -> None:
    """The General API tells the total with each page; some servers tell the page's own number of rows."""
    texts = [str(number) for number in range(1_203)]

    def handle(method: str, target: str, headers: dict[str, str], body: Any) -> bytes:
        page = texts[body["offset"] :][: body["limit"]]
        rows = [{"id": text, "row": [{"content": text, "type": "string"}]} for text in page]
        total = LIES[lie](len(texts))
        data = {"data": rows, "head": [{"colorder": "intID"}], "count": len(rows), "total": total}
        return answer({"status": "Success", "statuscode": 0, "data": data})

    async with serve(handle) as url, GeneralApi(url, auth=KmdToken("k", access_type=1), retry=RETRY) as api:
        assert [row["intID"] for row in await api.model("Thing").query().all()] == texts


@pytest.mark.parametrize("total", NO_NUMBERS)
async def test_a_total_that_is_no_number_is_a_failure(total: Any) -> None:
    """So for the totals of pages."""
    data = {"data": [], "head": [{"colorder": "intID"}], "total": total}
    reply = answer(json.dumps({"status": "Success", "statuscode": 0, "data": data}).encode())
    auth = KmdToken("k", access_type=1)
    async with serve(lambda *request: reply) as url, GeneralApi(url, auth=auth, retry=RETRY) as api:
        with pytest.raises(ServerError):
            await api.model("Thing").query().all()


@pytest.mark.parametrize(
    ("moments", "is_sorted"),
    [
        ([None, 5, None, 6], False),
        ([5, None, 6], False),
        ([None, 5, 6], True),
        ([5, 6, None, None], True),
        ([None, None], True),
        ([6, None, 5], False),
        ([6, 5], False),
    ],
)
async def test_nulls_stand_at_one_end_of_a_sorted_list(moments: list[int | None], is_sorted: bool) -> None:
    """Values that happen to ascend with NULLs between them are no sorted list."""

    def handle(method: str, target: str, headers: dict[str, str], body: Any) -> bytes:
        if "count" in body:
            return answer({"count": len(moments)})
        rows = [{"ID": n, "name": "x", "duedate": moment} for n, moment in enumerate(moments, 1)]
        page = rows[body.get("offset", 0) :][: body["limit"]]
        return answer([{name: row[name] for name in body["fields"]} for row in page])

    async with serve(handle) as url, Zeyos(url, retry=RETRY) as zeyos:
        query = zeyos.tickets.where(F.name != "y").select("name").order_by("duedate")
        if is_sorted:
            assert len(await query.all()) == len(moments)
        else:
            with pytest.raises(ServerError, match="did not apply the order"):
                await query.all()
