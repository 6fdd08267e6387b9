"""Lists, by the examples and the rules of the documents."""

from __future__ import annotations

import csv
import io
from typing import Any

import aiohttp
import pytest

from zeyos_async.testing import emulate_zeyos

JSON_QUERY = {
    "fields": {
        "Id": "ID",
        "Name": "lastname",
        "Nickname": "extdata.nickname",
        "Address": "contact.address",
        "Town": "contact.city",
        "SalesAgent": "assigneduser.name",
    },
    "filters": {
        "visibility": 0,
        "contact.country": {"IN": ["DE", "AT", "GB"]},
        "2": ["OR", {"lastmodified": {">": 1524472045}}, {"contact.lastmodified": {">": 1524472045}}],
    },
    "sort": ["+lastname", "-contact.country"],
    "limit": 3,
    "offset": 0,
}


@pytest.fixture
async def sample(wire: Any) -> Any:
    """The three accounts of the reference's first example, and some that its filter leaves out."""
    emulator = wire.emulator
    user = emulator.credentials.user
    for record in [row["ID"] for row in emulator.rows("accounts")]:
        emulator.delete("accounts", record)
    places = {}
    for country, city in (("GB", "London"), ("DE", "Munich"), ("US", "Boston")):
        places[country] = emulator.insert(
            "contacts", lastname=city, city=city, country=country, address="Road"
        )
    for name, country, visibility in (
        ("BEQ Building Equipment", "GB", 0),
        ("CleanTexx", "GB", 0),
        ("Lightexx AG", "DE", 0),
        ("Elsewhere", "US", 0),
        ("Archived", "DE", 1),
    ):
        emulator.insert(
            "accounts",
            lastname=name,
            currency="EUR",
            visibility=visibility,
            contact=places[country],
            assigneduser=user if name.startswith("BEQ") else None,
        )
    return wire


async def test_the_query_of_the_reference(sample: Any) -> None:
    """Aliases, joins, extension data, a composite, a sort by two columns: the reference's example."""
    reply = await sample.send("POST", "/api/v1/accounts/", json=JSON_QUERY)
    assert reply.status == 200
    assert reply.headers["Content-Type"].startswith("application/json")
    assert [(row["Name"], row["Town"], row["SalesAgent"]) for row in reply.json] == [
        ("BEQ Building Equipment", "London", "max.power"),
        ("CleanTexx", "London", None),
        ("Lightexx AG", "Munich", None),
    ]
    assert list(reply.json[0]) == list(JSON_QUERY["fields"])
    assert reply.json[0]["Nickname"] is None


async def test_the_count_of_the_reference(sample: Any) -> None:
    """A count counts all rows that match, whatever limit, offset and sort say."""
    reply = await sample.list("accounts", **{**JSON_QUERY, "count": 1})
    assert reply.json == {"count": 3}


async def test_the_form_of_the_reference(wire: Any) -> None:
    """The reference lists with a form and PHP's brackets; without ``-H`` curl calls it a form."""
    reply = await wire.send(
        "POST",
        "/api/v1/contacts/",
        data="fields[]=ID&fields[]=lastname&fields[]=firstname&limit=3",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert reply.status == 200
    assert [list(row) for row in reply.json] == [["ID", "lastname", "firstname"]] * 3


async def test_a_form_says_what_json_says(sample: Any) -> None:
    """Nested filters and aliases in brackets give the same rows as the JSON."""
    form = (
        "fields[Id]=ID&fields[Name]=lastname&filters[visibility]=0&filters[contact.country][IN][]=DE"
        "&filters[contact.country][IN][]=GB&filters[2][0]=OR&filters[2][1][lastname][~~*]=clean%25"
        "&filters[2][2][lastname]=Lightexx%20AG&sort[]=-lastname"
    )
    reply = await sample.send(
        "POST",
        "/api/v1/accounts",
        data=form,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert [row["Name"] for row in reply.json] == ["Lightexx AG", "CleanTexx"]


async def test_a_form_can_hold_json(sample: Any) -> None:
    """The reference allows "array/json" for fields, filters and sort."""
    form = {"fields": '["lastname"]', "filters": '{"contact.country":{"IN":["GB"]}}', "sort": '["-lastname"]'}
    reply = await sample.send("POST", "/api/v1/accounts", data=form)
    assert reply.json == [{"lastname": "CleanTexx"}, {"lastname": "BEQ Building Equipment"}]


async def test_a_joined_field_without_alias_is_named_by_its_path(sample: Any) -> None:
    """An array of fields and an object with numbers for keys mean the same: no alias."""
    for fields in (["ID", "contact.city"], {"0": "ID", "1": "contact.city"}):
        reply = await sample.list("accounts", fields=fields, limit=1)
        assert list(reply.json[0]) == ["ID", "contact.city"]


async def test_without_fields_a_list_shows_the_whole_record(wire: Any) -> None:
    """A list's rows are what a get shows."""
    row = (await wire.list("accounts", filters={"ID": 1})).json[0]
    assert row == (await wire.api("GET", "accounts/1")).json


async def test_without_a_sort_rows_do_not_come_by_id(wire: Any) -> None:
    """The order is undefined, and a client that counts on IDs must notice."""
    ids = [row["ID"] for row in (await wire.list("accounts", fields=["ID"])).json]
    assert ids != sorted(ids)
    wire.emulator.update("accounts", ids[0], description="moved")
    assert [row["ID"] for row in (await wire.list("accounts", fields=["ID"])).json] == [*ids[1:], ids[0]]


BAD_BODIES: list[tuple[dict[str, Any], str]] = [
    ({"fields": ["nope"]}, "Invalid selection field"),
    ({"fields": ["contact.nope"]}, "Invalid selection field"),
    ({"fields": ["contact.assigneduser.name"]}, "Invalid selection field"),
    ({"fields": ["lastname.x"]}, "Invalid selection field"),
    ({"fields": [5]}, "Invalid selection field"),
    ({"fields": "ID"}, "Invalid parameter"),
    ({"limit": 0}, "Invalid limit"),
    ({"limit": 10_001}, "Invalid limit"),
    ({"limit": -1}, "Invalid limit"),
    ({"limit": 1.0}, "Invalid limit"),
    ({"limit": "ten"}, "Invalid limit"),
    ({"limit": True}, "Invalid limit"),
    ({"offset": -1}, "Invalid offset"),
    ({"sort": ["nope"]}, "Invalid sort field"),
    ({"sort": "lastname"}, "Invalid parameter"),
    ({"sort": ["+-lastname"]}, "Invalid sort field"),
    ({"expand": ["lastname"]}, "Invalid expand field"),
    ({"count": "perhaps"}, "Invalid count"),
    ({"query": 5}, "Invalid query"),
    ({"filtres": {}}, "Unknown parameter filtres"),
    ({"filters": "x"}, "Invalid parameter"),
    ({"filters": {"nope": 1}}, "Invalid filter field"),
    ({"filters": {"lastname": {"LIKE": "x"}}}, "Invalid filter operator"),
    ({"filters": {"lastname": {}}}, "Invalid filter"),
    ({"filters": {"lastname": ["a", "b"]}}, "is of type text"),
    ({"filters": {"0": ["XOR", {"ID": 1}]}}, "Invalid filter"),
    ({"filters": {"0": ["OR"]}}, "Invalid filter"),
    ({"filters": {"0": ["OR", "ID"]}}, "Invalid filter"),
    ({"filters": {"0": {"ID": 1}}}, "Invalid filter"),
    ({"filters": {"ID": {"IN": []}}}, "needs a list that is not empty"),
    ({"filters": {"ID": {"IN": 5}}}, "needs a list"),
    ({"filters": {"ID": {"<": None}}}, "null"),
    ({"filters": {"ID": "abc"}}, 'invalid input syntax for type bigint: "abc"'),
    ({"filters": {"ID": 1.5}}, "invalid input syntax"),
    ({"filters": {"ID": True}}, "invalid input syntax"),
    ({"filters": {"ID": 2**63}}, "out of range"),
    ({"filters": {"ID": {"~~": "1%"}}}, "operator does not exist"),
    ({"filters": {"lastname": {"~": "("}}}, "invalid regular expression"),
    ({"filters": {"lastname": {"~~": "x\\"}}}, "must not end with escape"),
    ({"filters": {"lastname": "a\0b"}}, "0x00"),
]


@pytest.mark.parametrize(("body", "text"), BAD_BODIES, ids=lambda value: str(value)[:50])
async def test_what_a_list_refuses(wire: Any, body: dict[str, Any], text: str) -> None:
    """400 in plain text, in the words of the documents or of PostgreSQL."""
    reply = await wire.list("accounts", **body)
    assert (reply.status, reply.headers["Content-Type"]) == (400, "text/plain; charset=utf-8")
    assert text in reply.text


async def test_visibility_is_refused_where_an_entity_lacks_it(wire: Any) -> None:
    """Only some entities have it; a filter on it elsewhere is a 400."""
    assert (await wire.list("accounts", filters={"visibility": 0})).status == 200
    assert (await wire.list("comments", filters={"visibility": 0})).status == 400


@pytest.mark.parametrize(
    ("way", "expected"), [("ignored", 24), ("honoured", 1), ("refused", 400)], ids=lambda value: str(value)
)
async def test_the_formal_parameter_filter(wire: Any, way: Any, expected: int) -> None:
    """``filter`` silently answers unfiltered rows, unless told otherwise."""
    wire.emulator.server_options.filter_parameter = way
    reply = await wire.list("accounts", filter={"ID": 1})
    assert (reply.status if reply.status != 200 else len(reply.json)) == expected


@pytest.mark.parametrize(
    ("form", "expected"),
    [("object", {"count": 24}), ("object_text", {"count": "24"}), ("number", 24), ("text", "24")],
)
async def test_the_forms_of_a_count(wire: Any, form: Any, expected: Any) -> None:
    """A client has to take all of them."""
    wire.emulator.server_options.count_form = form
    assert (await wire.list("accounts", count=True)).json == expected


async def test_limit_offset_and_their_defaults() -> None:
    """1000 rows are the default, 10,000 the most; windows of a total order cover it."""
    async with emulate_zeyos(rows={"accounts": 10_050}) as emulator, aiohttp.ClientSession() as session:

        async def listed(**body: Any) -> list[int]:
            headers = {"Authorization": f"Bearer {token}"}
            async with session.post(f"{emulator.url}/api/v1/accounts", json=body, headers=headers) as reply:
                return [row["ID"] for row in await reply.json()]

        token = emulator.token()
        assert len(await listed(fields=["ID"])) == 1000
        first = await listed(fields=["ID"], sort=["ID"], limit=10_000)
        rest = await listed(fields=["ID"], sort=["ID"], limit=10_000, offset=10_000)
        assert len(first) == 10_000
        assert [*first, *rest] == [row["ID"] for row in emulator.rows("accounts")]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (["taxid"], ["Z", "a", "é", None]),
        (["-taxid"], [None, "é", "a", "Z"]),
    ],
)
async def test_order_of_texts_and_nulls(wire: Any, sort: list[str], expected: list[Any]) -> None:
    """Text by code point; NULL last ascending, first descending. A NULL comes by way of a join."""
    emulator = wire.emulator
    emulator.store.connection.execute("DELETE FROM accounts")
    contacts = {text: emulator.insert("contacts", lastname="x", city=text) for text in ("a", "Z", "é")}
    for text in ("a", None, "Z", "é"):
        emulator.insert("accounts", lastname="x", currency="EUR", contact=contacts.get(text))
    by = [sort[0].replace("taxid", "contact.city")]
    reply = await wire.list("accounts", fields=["contact.city"], sort=by)
    assert [row["contact.city"] for row in reply.json] == expected


async def test_distinct_rows_and_their_count(wire: Any) -> None:
    """Each selected row once; a sort by what is not selected is the database's error."""
    reply = await wire.list("accounts", fields=["currency"], distinct=1, sort=["currency"])
    assert [row["currency"] for row in reply.json] == sorted({row["currency"] for row in reply.json})
    counted = await wire.list("accounts", fields=["currency"], distinct=1, count=1)
    assert counted.json == {"count": len(reply.json)}
    assert (await wire.list("accounts", fields=["currency"], distinct=1, sort=["ID"])).status == 500


async def test_the_search_string(wire: Any) -> None:
    """Every word, in any case, in one of the searchable fields; ``%`` is a character like others."""
    emulator = wire.emulator
    emulator.insert(
        "accounts", lastname="Grün 50% Haus", firstname="Otto", currency="EUR", description="secret"
    )
    counts = [
        len((await wire.list("accounts", query=text)).json) for text in ("grün otto", "50% HAUS", "secret")
    ]
    assert counts == [1, 1, 0]


async def test_extension_data_in_lists(wire: Any) -> None:
    """All of it with ``extdata``, or single values by path; their filters go by the value's type."""
    emulator = wire.emulator
    record = emulator.insert("accounts", lastname="x", currency="EUR", extdata={"size": 42, "word": "wide"})
    assert (await wire.list("accounts", extdata=1, filters={"ID": record})).json[0]["extdata"] == {
        "size": 42,
        "word": "wide",
    }
    for filters in ({"extdata.size": {">": 41}}, {"extdata.size": "42"}, {"extdata.word": {"~~*": "WI%"}}):
        reply = await wire.list("accounts", fields={"n": "extdata.size"}, filters=filters)
        assert reply.json == [{"n": 42}]
    assert (await wire.list("comments", fields=["extdata.size"])).status == 400
    many = [f"extdata.it's {number}" for number in range(100)]
    assert set((await wire.list("accounts", fields=many, limit=1)).json[0]) == set(many)


async def test_composite_fields_unexpanded_and_expanded(wire: Any) -> None:
    """A file is its ID or its content; JSON is text or a value; an array is PostgreSQL's text or a list."""
    emulator = wire.emulator
    record = emulator.insert(
        "messages", subject="Test", binfile={"content": "SGk="}, attachments=["a b", 'c"d', "NULL", "é"]
    )
    plain = (await wire.list("messages", fields=["binfile", "attachments"], filters={"ID": record})).json[0]
    assert isinstance(plain["binfile"], int)
    assert plain["attachments"] == '{"a b","c\\"d","NULL",é}'
    fields = {"fields": ["ID", "subject", "binfile", "attachments"], "filters": {"ID": record}, "limit": 1}
    expanded = await wire.list("messages", **fields, expand=["binfile", "attachments"])
    assert expanded.json == [
        {
            "ID": record,
            "subject": "Test",
            "binfile": {"content": "SGk="},
            "attachments": ["a b", 'c"d', "NULL", "é"],
        }
    ]
    item = emulator.insert("coupons", name="x", type=1, foreigntaxrates={"DE": 19})
    plain = (await wire.list("coupons", fields=["foreigntaxrates"], filters={"ID": item})).json
    native = (
        await wire.list(
            "coupons", fields=["foreigntaxrates"], filters={"ID": item}, expand=["foreigntaxrates"]
        )
    ).json
    assert (plain[0]["foreigntaxrates"], native[0]["foreigntaxrates"]) == ('{"DE":19}', {"DE": 19})


async def test_export_is_csv_for_administrators(wire: Any) -> None:
    """Semicolons, a heading, no limit; 403 for anybody else."""
    wire.emulator.insert("accounts", lastname='semi;colon "quoted"', currency="EUR")
    reply = await wire.list("accounts", export=1, fields=["ID", "lastname"], sort=["ID"], limit=1)
    assert reply.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(reply.text, newline=""), delimiter=";"))
    assert rows[0] == ["ID", "lastname"]
    assert rows[-1][1] == 'semi;colon "quoted"'
    assert len(rows) == 26
    wire.token = wire.emulator.token(admin=False)
    assert (await wire.list("accounts", export=1)).status == 403


async def test_a_page_is_served_again_only_while_nothing_was_written(wire: Any) -> None:
    """Pages are kept ready, and any write makes them stale."""
    before = (await wire.list("accounts", fields=["ID"], sort=["ID"], limit=1)).json
    wire.emulator.delete("accounts", before[0]["ID"])
    assert (await wire.list("accounts", fields=["ID"], sort=["ID"], limit=1)).json != before


async def test_values_that_no_double_or_datetime_holds(wire: Any) -> None:
    """Whole numbers come out as they went in."""
    big = 2**53 + 5
    record = wire.emulator.insert("tasks", name="x", duedate=big)
    reply = await wire.list("tasks", fields=["duedate"], filters={"duedate": big})
    assert reply.json == [{"duedate": big}]
    assert b"9007199254740997" in reply.body
    assert (await wire.api("GET", f"tasks/{record}")).json["duedate"] == big
