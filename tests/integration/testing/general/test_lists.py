"""``list``: the document's example, columns, order, pages and filters, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from zeyos_async.testing import faults


async def test_the_documents_example(wire: Any) -> None:
    """Rows of cells beside a head that names the columns, as the document shows them."""
    answer = await wire.call("list", filters=[{"fieldname": "intStatus", "value": 1}])
    assert answer == {
        "status": "Success",
        "statuscode": 0,
        "msg": "Erfolgreich",
        "model": "Subaccount",
        "action": "list",
        "data": {
            "data": [
                {"id": one, "row": [{"content": text, "type": "string"} for text in (one, login, "Aktiv")]}
                for one, login in (("542", "aaa"), ("543", "bbb"))
            ],
            "head": [
                {"headlineType": "string", "headline": title, "colsort": False, "colorder": name}
                for title, name in (("ID", "intID"), ("Nutzername", "strLogin"), ("Status", "intStatus"))
            ],
            "caption": "User",
            "count": 2,
            "total": 2,
        },
    }


FILTERS: list[tuple[list[dict[str, Any]], list[str]]] = [
    ([], ["aaa", "bbb", "ccc", "ddd"]),
    ([{"fieldname": "strLogin", "value": "aaa"}], ["aaa"]),
    ([{"fieldname": "strLogin", "comparison": "eql", "value": "AAA"}], []),
    ([{"fieldname": "age", "comparison": "gte", "value": 27}], ["aaa", "ddd"]),
    ([{"fieldname": "age", "comparison": "gt", "value": "27"}], ["ddd"]),
    ([{"fieldname": "age", "comparison": "lt", "value": 27}], ["bbb"]),
    ([{"fieldname": "age", "comparison": "lte", "value": 27}], ["aaa", "bbb"]),
    ([{"fieldname": "lastname", "comparison": "like", "value": "man"}], ["aaa", "bbb"]),
    ([{"fieldname": "lastname", "comparison": "like", "value": "%"}], ["ddd"]),
    ([{"fieldname": "lastname", "comparison": "like", "value": "_"}], []),
    ([{"fieldname": "age", "comparison": "in", "value": [26, "64"]}], ["bbb", "ddd"]),
    ([{"fieldname": "age", "comparison": "in", "value": []}], []),
    ([{"fieldname": "age", "comparison": "is"}], ["ccc"]),
    ([{"fieldname": "age", "comparison": "isnot", "value": None}], ["aaa", "bbb", "ddd"]),
    ([{"fieldname": "query", "value": "HOF"}], ["aaa"]),
    ([{"fieldname": "query", "comparison": "like", "value": "54"}], ["aaa", "bbb", "ccc", "ddd"]),
    (
        [
            {"fieldname": "age", "comparison": "gte", "value": 27},
            {"fieldname": "lastname", "comparison": "like", "value": "man"},
        ],
        ["aaa"],
    ),
]


@pytest.mark.parametrize(("filters", "logins"), FILTERS, ids=str)
async def test_filters_hold_together(wire: Any, filters: Any, logins: list[str]) -> None:
    """All items hold at once; NULL passes only where NULL is asked for."""
    assert await wire.logins(filters=filters) == logins


@pytest.mark.parametrize(
    ("properties", "logins"),
    [
        ({"order": "strLogin", "sort": "desc"}, ["ddd", "ccc", "bbb", "aaa"]),
        ({"order": "age"}, ["ccc", "bbb", "aaa", "ddd"]),
        ({"limit": 2}, ["aaa", "bbb"]),
        ({"limit": 2, "offset": 3}, ["ddd"]),
        ({"offset": 9}, []),
    ],
    ids=str,
)
async def test_order_and_pages(wire: Any, properties: Any, logins: list[str]) -> None:
    """A page of the sorted rows."""
    assert await wire.logins(**properties) == logins


async def test_count_is_of_the_page_and_total_of_all(wire: Any) -> None:
    """So that a client knows when it has read everything."""
    answer = await wire.call("list", limit=3, offset=2)
    assert (answer["data"]["count"], answer["data"]["total"]) == (2, 4)


async def test_passwords_are_not_listed(wire: Any) -> None:
    """Nor can they be searched."""
    answer = await wire.call("list", cols=["strPass"])
    assert {row["row"][0]["content"] for row in answer["data"]["data"]} == {"********"}
    assert await wire.logins(filters=[{"fieldname": "query", "value": "abc#"}]) == []


REFUSED: list[dict[str, Any]] = [
    {"filters": {"fieldname": "age", "value": 1}},
    {"filters": ["age"]},
    {"filters": [{"fieldname": "nope", "value": 1}]},
    {"filters": [{"fieldname": "strPass", "value": "x"}]},
    {"filters": [{"fieldname": "age", "comparison": "ne", "value": 1}]},
    {"filters": [{"fieldname": "age", "comparison": "gt"}]},
    {"filters": [{"fieldname": "age", "comparison": "in", "value": 1}]},
    {"filters": [{"fieldname": "age", "value": "old"}]},
    {"filters": [{"fieldname": "age", "value": None}]},
    {"filters": [{"fieldname": "age", "value": True}]},
    {"filters": [{"fieldname": "age", "value": 1, "or": []}]},
    {"filters": [{"fieldname": "query", "comparison": "gt", "value": 1}]},
    {"limit": 0},
    {"limit": "10"},
    {"offset": -1},
    {"order": "nope"},
    {"order": "age", "sort": "up"},
    {"sort": "asc"},
    {"cols": ["nope"]},
    {"cols": "age"},
    {"ids": []},
    {"lang": "de"},
]


@pytest.mark.parametrize("properties", REFUSED, ids=str)
async def test_what_a_list_refuses(wire: Any, properties: Any) -> None:
    """Whatever the document does not have; nothing is guessed and nothing is dropped."""
    answer = await wire.call("list", **properties)
    assert (answer["status"], answer["statuscode"]) == ("Error", 110)


async def test_what_the_document_leaves_open(wire: Any) -> None:
    """Servers may lower limits, have one of their own, and give cells types."""
    server_options = wire.emulator.server_options
    server_options.clamp_limit = 3
    assert len(await wire.logins(limit=4)) == 3
    server_options.default_limit = 2
    assert len(await wire.logins()) == 2
    server_options.cell_types = "typed"
    answer = await wire.call("list", cols=["age", "intStatus"], limit=1)
    assert answer["data"]["data"][0]["row"] == [
        {"content": 27, "type": "int"},
        {"content": "Aktiv", "type": "string"},
    ]


async def test_rows_are_written_while_a_client_pages(wire: Any) -> None:
    """The hook runs after each list."""
    wire.emulator.between_pages = lambda emulator: emulator.delete("Subaccount", 542)
    assert await wire.logins(limit=2) == ["aaa", "bbb"]
    wire.emulator.between_pages = None
    assert await wire.logins(limit=2, offset=2) == ["ddd"]


async def test_faults_are_made(wire: Any) -> None:
    """The same plan of faults as in every emulator."""
    wire.emulator.faults.add(faults.html_page(502), at=0)
    async with wire.session.post(wire.emulator.url, json={}) as reply:
        assert (reply.status, reply.content_type) == (502, "text/html")
    assert await wire.logins(limit=1) == ["aaa"]


async def test_the_same_seed_makes_the_same_rows(wire: Any) -> None:
    """A hundred orders, some with awkward texts, the same in every run."""
    from zeyos_async.testing.general.emulator import GeneralEmulator

    again = GeneralEmulator(rows={"Order": 100}, seed=1)
    assert again.rows("Order") == wire.emulator.rows("Order")
    assert {row["decTotal"] is None for row in again.rows("Order")} == {True, False}
    with pytest.raises(ValueError, match="no model 'Nope'"):
        GeneralEmulator(rows={"Nope": 1})
