"""Creating, reading, changing and deleting single records, and the database's rules about them."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from zeyos_async.testing.zeyos._generated.tables import TABLES
from zeyos_async.testing.zeyos.refusals import Refusal

NEW = {"lastname": "New", "currency": "EUR"}
VERBS = {
    "list": "POST",
    "create": "PUT",
    "get": "GET",
    "exists": "HEAD",
    "update": "PATCH",
    "delete": "DELETE",
}


async def test_create_answers_the_stored_record(wire: Any) -> None:
    """201 with the record, its tag, its time and where it is; the server sets time and creator."""
    reply = await wire.api("PUT", "accounts", NEW)
    record = reply.json
    assert reply.status == 201
    assert reply.headers["Content-Location"] == f"/demo/api/v1/accounts/{record['ID']}"
    assert reply.headers["ETag"].startswith('"')
    assert "Last-Modified" in reply.headers
    assert record["creator"] == 1
    assert record["creationdate"] == record["lastmodified"] > 1_600_000_000
    assert (record["visibility"], record["description"], record["contact"]) == (0, "", None)
    got = await wire.api("GET", f"accounts/{record['ID']}")
    assert (got.json, got.headers["ETag"]) == (record, reply.headers["ETag"])


async def test_create_by_form(wire: Any) -> None:
    """A form's texts become what the columns hold."""
    reply = await wire.send(
        "PUT",
        "/api/v1/accounts",
        data="lastname=F%C3%B6rm&currency=EUR&type=1&tags[]=a&tags[]=b&extdata[k]=v",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert (reply.status, reply.json["lastname"], reply.json["type"]) == (201, "Förm", 1)
    got = await wire.api("GET", f"accounts/{reply.json['ID']}?extdata=1&tags=1")
    assert (got.json["tags"], got.json["extdata"]) == (["a", "b"], {"k": "v"})


REFUSED_CREATES: list[tuple[str, dict[str, Any], int, str]] = [
    ("accounts", {**NEW, "ID": 99_999}, 409, "ID Present"),
    ("accounts", {"lastname": "x"}, 500, 'null value in column "currency"'),
    ("accounts", {"currency": "EUR"}, 400, "c_accounts_name"),
    ("accounts", {**NEW, "currency": "eur"}, 400, "dc_accounts_currency"),
    ("accounts", {**NEW, "currency": "EURO"}, 400, "too long"),
    ("accounts", {**NEW, "visibility": 3}, 400, "dc_accounts_visibility"),
    ("accounts", {**NEW, "lastname": " padded"}, 400, "dc_accounts_lastname"),
    ("accounts", {**NEW, "contact": 987_654}, 400, "fk_accounts_contact"),
    ("accounts", {**NEW, "contact": "x"}, 400, "invalid input syntax for type integer"),
    ("accounts", {**NEW, "contact": 2**31}, 400, "out of range for type integer"),
    ("accounts", {**NEW, "nope": 1}, 400, "Invalid field"),
    ("accounts", {**NEW, "lastname": 5}, 400, "is of type text"),
    ("accounts", {**NEW, "extdata": "x"}, 400, "Invalid extdata"),
    ("accounts", {**NEW, "tags": "x"}, 400, "Invalid tags"),
    ("addresses", {"account": 1, "contact": 1, "extdata": {}}, 400, "Invalid field"),
    ("tasks", {"name": "x", "ticket": 1, "project": 1}, 400, "c_tasks"),
    ("coupons", {"name": "x", "type": 1, "foreigntaxrates": []}, 400, "dc_coupons_foreigntaxrates"),
    ("coupons", {"name": "x", "type": 1, "foreigntaxrates": "{"}, 400, "type json"),
    ("coupons", {"name": "x", "type": 0, "code": "PROMO1"}, 409, "u_coupons_code"),
    ("events", {"entity": "nope", "index": 1, "name": "x", "datefrom": 1, "dateto": 2}, 400, "t_entity"),
    ("messages", {"binfile": 1}, 400, "Invalid content"),
    ("messages", {"binfile": {"content": "!"}}, 400, "base64"),
]


@pytest.mark.parametrize(
    ("entity", "body", "status", "text"), REFUSED_CREATES, ids=lambda value: str(value)[:40]
)
async def test_what_a_create_refuses(wire: Any, entity: str, body: Any, status: int, text: str) -> None:
    """The database's rules hold, nothing is stored, and the text says which rule it was."""
    before = wire.emulator.rows(entity)
    reply = await wire.api("PUT", entity, body)
    assert (reply.status, text in reply.text) == (status, True), reply.text
    assert reply.headers["Content-Type"].startswith("text/plain")
    assert wire.emulator.rows(entity) == before


async def test_update_changes_only_what_it_names(wire: Any) -> None:
    """200 with the stored record and a new tag."""
    created = await wire.api("PUT", "accounts", {**NEW, "description": "kept"})
    record = created.json["ID"]
    reply = await wire.api("PATCH", f"accounts/{record}", {"lastname": "Changed", "ID": record})
    assert (reply.status, reply.json["lastname"], reply.json["description"]) == (200, "Changed", "kept")
    assert reply.headers["ETag"] != created.headers["ETag"]
    refused = await wire.api("PATCH", f"accounts/{record}", {"ID": record + 1, "lastname": "x"})
    assert (refused.status, refused.text) == (409, "Conflict: Non-matching ID")


async def test_gone_is_not_the_same_as_never_there(wire: Any) -> None:
    """A change of a deleted record is 410, of one that never was 404; reads and deletes say 404."""
    record = (await wire.api("PUT", "accounts", NEW)).json["ID"]
    assert (await wire.api("DELETE", f"accounts/{record}")).status == 204
    statuses = [
        (await wire.api(verb, f"accounts/{number}", {} if verb == "PATCH" else None)).status
        for number in (record, 987_654)
        for verb in ("GET", "HEAD", "PATCH", "DELETE")
    ]
    assert statuses == [404, 404, 410, 404, 404, 404, 404, 404]


async def test_ids_are_never_given_twice(wire: Any) -> None:
    """The ID of a deleted record stays its own."""
    first = (await wire.api("PUT", "accounts", NEW)).json["ID"]
    await wire.api("DELETE", f"accounts/{first}")
    assert (await wire.api("PUT", "accounts", NEW)).json["ID"] > first


CONDITIONS: list[tuple[str, dict[str, str], int]] = [
    ("GET", {"If-None-Match": "{etag}"}, 304),
    ("GET", {"If-None-Match": "W/{etag}"}, 304),
    ("GET", {"If-None-Match": '"other", {etag}'}, 304),
    ("GET", {"If-None-Match": "*"}, 304),
    ("GET", {"If-None-Match": '"other"'}, 200),
    ("GET", {"If-Modified-Since": "{date}"}, 304),
    ("GET", {"If-Modified-Since": "Fri, 29 Aug 1997 07:14:00 GMT"}, 200),
    ("GET", {"If-Modified-Since": "no date"}, 200),
    ("GET", {"If-None-Match": '"other"', "If-Modified-Since": "{date}"}, 200),
    ("HEAD", {"If-None-Match": "{etag}"}, 304),
    ("HEAD", {}, 204),
    ("PATCH", {"If-Match": "{etag}"}, 200),
    ("PATCH", {"If-Match": "*"}, 200),
    ("PATCH", {"If-Match": '"other"'}, 412),
    ("PATCH", {"If-Match": "W/{etag}"}, 412),
    ("PATCH", {"If-Unmodified-Since": "{date}"}, 200),
    ("PATCH", {"If-Unmodified-Since": "Fri, 29 Aug 1997 07:14:00 GMT"}, 412),
    ("DELETE", {"If-Match": '"other"'}, 412),
    ("DELETE", {"If-Match": "{etag}"}, 204),
]


@pytest.mark.parametrize(("verb", "headers", "status"), CONDITIONS, ids=lambda value: str(value)[:60])
async def test_conditional_requests(wire: Any, verb: str, headers: dict[str, str], status: int) -> None:
    """The conditions of RFC 7232, with the strong comparison for writes."""
    created = await wire.api("PUT", "accounts", NEW)
    validators = {"etag": created.headers["ETag"], "date": created.headers["Last-Modified"]}
    filled = {name: value.format(**validators) for name, value in headers.items()}
    body = {"lastname": "Other"} if verb == "PATCH" else None
    reply = await wire.api(verb, f"accounts/{created.json['ID']}", body, headers=filled)
    assert reply.status == status
    if status in (204, 304):
        assert reply.body == b""
    if verb in ("GET", "HEAD"):
        assert reply.headers["ETag"] == validators["etag"]


async def test_tags_and_extension_data(wire: Any) -> None:
    """Tags are replaced, added, removed; extension data is set, and removed by null."""
    record = (
        await wire.api("PUT", "accounts", {**NEW, "tags": ["a", "b"], "extdata": {"x": 1, "y": "z"}})
    ).json["ID"]
    path = f"accounts/{record}?extdata=1&tags=1"
    before = await wire.api("GET", path)
    assert (before.json["tags"], before.json["extdata"]) == (["a", "b"], {"x": 1, "y": "z"})
    await wire.api(
        "PATCH", f"accounts/{record}", {"+tags": ["c"], "-tags": ["a", "q"], "extdata": {"x": None}}
    )
    after = await wire.api("GET", path)
    assert (after.json["tags"], after.json["extdata"]) == (["b", "c"], {"y": "z"})
    assert after.headers["ETag"] != before.headers["ETag"]
    await wire.api("PATCH", f"accounts/{record}", {"tags": ["d"], "extdata": {}})
    assert (await wire.api("GET", path)).json["tags"] == ["d"]
    assert "tags" not in (await wire.api("GET", f"accounts/{record}")).json


async def test_options_that_an_entity_lacks_are_refused(wire: Any) -> None:
    """Addresses have neither extension data nor tags."""
    record = wire.emulator.rows("addresses")[0]["ID"]
    assert (await wire.api("GET", f"addresses/{record}?extdata=1")).status == 400


@pytest.mark.parametrize(
    "query",
    [
        "expand=binfile&expand=attachments",
        "expand[]=binfile&expand[]=attachments",
        "expand=binfile,attachments",
        "expand%5B%5D=binfile%2Cattachments",
    ],
)
async def test_expand_is_taken_repeated_bracketed_and_with_commas(wire: Any, query: str) -> None:
    """By a get; a list takes its array in any of these forms too."""
    file = {"content": base64.b64encode(b"Hello").decode()}
    record = (await wire.api("PUT", "messages", {"subject": "x", "binfile": file})).json["ID"]
    message = (await wire.api("GET", f"messages/{record}?{query}")).json
    assert base64.b64decode(message["binfile"]["content"]) == b"Hello"
    assert (await wire.api("GET", f"messages/{record}?{query},subject")).status == 400
    body = f"fields[]=binfile&filters[ID]={record}&{query}"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    (row,) = (await wire.send("POST", "/api/v1/messages", data=body, headers=headers)).json
    assert row == {"binfile": message["binfile"]}


@pytest.mark.parametrize(
    "sent",
    [
        {"content": base64.b64encode(b"\x00\xffHello").decode()},
        {"uri": "data:application/octet-stream;base64,AP9IZWxsbw=="},
        {"uri": "data:,%00%FFHello"},
    ],
    ids=["content", "base64 uri", "percent uri"],
)
async def test_a_file_is_written_and_read_by_content(wire: Any, sent: dict[str, str]) -> None:
    """A file goes in by content or data URI, shows as an ID, and comes out by ``expand``."""
    created = (await wire.api("PUT", "messages", {"subject": "x", "binfile": sent})).json
    expanded = (await wire.api("GET", f"messages/{created['ID']}?expand[]=binfile")).json
    assert base64.b64decode(expanded["binfile"]["content"]) == b"\x00\xffHello"
    stored = (await wire.api("GET", f"binfiles/{created['binfile']}")).json
    assert stored["size"] == 7
    assert (await wire.api("HEAD", f"binfiles/{created['binfile']}")).status == 204


async def test_deletes_cascade_set_null_and_are_refused(wire: Any) -> None:
    """What hangs on a record goes with it or loses its reference, and keeps its time of change."""
    emulator = wire.emulator
    contact = emulator.insert("contacts", lastname="c")
    account = emulator.insert("accounts", lastname="a", currency="EUR", contact=contact)
    address = emulator.insert("addresses", account=account, contact=contact)
    before = await wire.api("GET", f"accounts/{account}")
    assert (await wire.api("DELETE", f"contacts/{contact}")).status == 204
    after = await wire.api("GET", f"accounts/{account}")
    assert after.json == {**before.json, "contact": None}
    assert after.headers["ETag"] != before.headers["ETag"]
    assert (await wire.api("GET", f"addresses/{address}")).status == 404


async def test_a_record_that_is_held_can_not_be_deleted(wire: Any) -> None:
    """A reference without a rule for deletes holds its target: 409, and nothing happens.

    In the vendor's tables only files are held so, and the API deletes none; hence from within.
    """
    emulator = wire.emulator
    message = emulator.insert("messages", binfile={"content": "SGk="})
    file = emulator.store.row("messages", message)["binfile"]
    with pytest.raises(Refusal) as caught:
        emulator.delete("binfiles", file)
    assert caught.value.status == 409
    assert (await wire.api("HEAD", f"binfiles/{file}")).status == 204


@pytest.mark.parametrize("entity", sorted(TABLES))
async def test_every_operation_of_an_entity(wire: Any, entity: str) -> None:
    """What the documents offer works on a real row; what they do not offer is 405, or 404 where no path is."""
    table, emulator = TABLES[entity], wire.emulator
    row = emulator.rows(entity)[0]
    offered = {VERBS[name] for name in table.methods}
    assert {row["ID"] for row in (await wire.list(entity, fields=["ID"])).json} >= {row["ID"]}
    for verb in ("GET", "HEAD"):
        expected = {"GET": 200, "HEAD": 204}[verb] if verb in offered else 404
        assert (await wire.api(verb, f"{entity}/{row['ID']}")).status == expected
    body = {"creator": row["creator"]} if "creator" in row else {}
    patched = await wire.api("PATCH", f"{entity}/{row['ID']}", body)
    assert patched.status == (200 if "PATCH" in offered else 405)
    created = await wire.api("PUT", entity, {"ID": 1})
    assert created.status == (409 if "PUT" in offered else 405)
    deleted = await wire.api("DELETE", f"{entity}/{row['ID']}")
    assert deleted.status in ((204, 409) if "DELETE" in offered else (405,))


@pytest.mark.parametrize(
    ("verb", "path", "status"),
    [
        ("GET", "nope", 404),
        ("POST", "nope", 404),
        ("GET", "accounts", 405),
        ("POST", "accounts/1", 405),
        ("GET", "accounts/one", 404),
        ("GET", "accounts/1/2", 404),
        ("GET", "accounts/99999999999999999999", 404),
        ("PUT", "users", 405),
        ("PATCH", "users/1", 405),
        ("GET", "config", 200),
        ("GET", "settings", 200),
        ("POST", "config", 405),
    ],
)
async def test_paths_and_methods(wire: Any, verb: str, path: str, status: int) -> None:
    """Unknown paths are 404; a known path without the method is 405 and says what it takes."""
    reply = await wire.api(verb, path, {} if verb in ("POST", "PUT", "PATCH") else None)
    assert reply.status == status
    assert ("Allow" in reply.headers) == (status == 405)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b'{"limit": NaN}', "application/json", 400),
        (b'"x"', "application/json", 400),
        (b"\xff", "application/json", 400),
        (b'{"filters": ' + b'{"0":["AND",' * 5000 + b"}" * 5000 + b"}", "application/json", 400),
        (b"[]", "application/json", 200),
        (b"", "application/json", 200),
        (b"a[b=1", "application/x-www-form-urlencoded", 400),
        (b"<x/>", "text/xml", 415),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_bodies_that_are_none(wire: Any, body: bytes, kind: str, status: int) -> None:
    """A malformed body is the client's mistake."""
    reply = await wire.send("POST", "/api/v1/accounts", data=body, headers={"Content-Type": kind})
    assert reply.status == status
