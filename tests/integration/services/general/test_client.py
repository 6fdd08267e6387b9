"""The General API's client against the emulator, over real sockets: every action, in both layouts."""

from __future__ import annotations

import ast
import json
from collections.abc import AsyncIterator
from typing import Any, cast

import attrs
import pytest
import pytest_asyncio

from zeyos_async import F, GeneralApi, column
from zeyos_async.auth import KmdLogin, KmdToken
from zeyos_async.errors import (
    BadRequest,
    ConfigurationError,
    FilterError,
    InvalidArgument,
    NotAuthenticated,
    OutcomeUnknown,
    PageDrift,
    ServerError,
    UnknownField,
    UnsupportedFilter,
)
from zeyos_async.general import UNCHANGED, Row, stub
from zeyos_async.testing import GeneralEmulator, emulate_general
from zeyos_async.testing.faults import commit_then_drop, html_page, reset, respond
from zeyos_async.wire import Safety

ROWS = 1_234
LOGIN = KmdLogin("max.power", "swordfish!", access_type=1)


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[GeneralEmulator]:
    """An emulator with a few pages of subaccounts."""
    async with emulate_general(rows={"Subaccount": ROWS}, seed=1) as running:
        yield running


@pytest_asyncio.fixture(params=["single", "paths"])
async def api(emulator: GeneralEmulator, request: pytest.FixtureRequest) -> AsyncIterator[GeneralApi]:
    """A client in each layout; the server takes only that one."""
    emulator.server_options.layouts = request.param
    async with GeneralApi(emulator.url, auth=LOGIN, layout=request.param) as client:
        yield client


@pytest_asyncio.fixture
async def single(emulator: GeneralEmulator) -> AsyncIterator[GeneralApi]:
    """A client in the document's own layout."""
    async with GeneralApi(emulator.url, auth=LOGIN) as client:
        yield client


async def test_every_action_of_the_api(api: GeneralApi, emulator: GeneralEmulator) -> None:
    """Log in, rights, definition, create, get, update, list, delete, and one by hand."""
    assert (await api.auth()).secret.reveal()
    assert (await api.rights())["User"] == ("get", "list", "update")
    assert await api.info()
    model = api.model("Subaccount")
    definition = await model.definition()
    assert definition["strLogin"].required
    assert definition["intStatus"].choices == {0: "Inaktiv", 1: "Aktiv"}
    created = await model.create(strLogin="new user", strPass="ABCabc123!", intStatus=1, age=30)
    assert dict(created).items() >= {"strLogin": "new user", "intStatus": 1, "age": 30}.items()
    assert created["strPass"] is UNCHANGED
    changed = await model.update(created, intStatus="Inaktiv", strPass=created["strPass"])
    assert (changed["intStatus"], changed.display["intStatus"]) == (0, "Inaktiv")
    assert dict(await model.get(created.id)) == dict(changed)
    both = await model.update([created.id, 542], {"lastname": "Same"})
    assert (both["lastname"], both.ids) == ("Same", (created.id, 542))
    listing = await model.list(
        limit=2, offset=1, order="intID", sort="desc", cols=["age"], filters=F.age >= 0
    )
    assert (len(listing.rows), [c.name for c in listing.columns]) == (2, ["age"])
    await model.delete(created)
    assert await api.call("list", model="Subaccount", fields={"limit": 1}, safe=True)
    assert created.id not in {row["intID"] for row in emulator.rows("Subaccount")}
    assert emulator.journal.logins == 1


async def test_a_query_reads_every_page_once(api: GeneralApi, emulator: GeneralEmulator) -> None:
    """Pages by offset against the total that each page tells; nothing is counted apart."""
    query = api.model("Subaccount").query()
    rows = [row async for row in query]
    assert [row.id for row in rows] == [row["intID"] for row in emulator.rows("Subaccount")]
    assert list(rows[0]) == ["intID", "strLogin", "intStatus"]
    bodies = [entry.json for entry in emulator.journal.requests if "limit" in (entry.json or {})]
    assert [(body["offset"], body["limit"]) for body in bodies] == [(0, 500), (500, 500), (1000, 235)]
    assert await query.count() == ROWS
    assert [row.id for row in await query.offset(1000).limit(3).all()] == [row.id for row in rows[1000:1003]]


async def test_the_filter_of_the_documents_example(single: GeneralApi, emulator: GeneralEmulator) -> None:
    """Age 27 or more, and "man" in the last name in any case."""
    query = single.model("Subaccount").where(F.age >= 27, F.lastname.contains("man"))
    expected = [
        row["intID"]
        for row in emulator.rows("Subaccount")
        if cast("int", row["age"] or 0) >= 27 and "man" in str(row["lastname"] or "").lower()
    ]
    assert [row.id async for row in query] == expected != []
    assert await query.exists()
    (request,) = query.explain()
    assert request.json["filters"][0] == {"fieldname": "age", "comparison": "gte", "value": 27}
    assert await single.model("Subaccount").where(F.age.in_([])).all() == []


async def test_select_into_search_and_order(single: GeneralApi, emulator: GeneralEmulator) -> None:
    """Columns under other keys, a class of one's own, words in any field, one column to sort by."""

    @attrs.define
    class Login:
        number: int = column("intID")
        name: str = column("strLogin")

    model = single.model("Subaccount")
    ages = [row["years"] for row in await model.query().order_by("-age").select(years="age").all()]
    assert [None if age is None else int(age) for age in ages] == sorted(
        (row["age"] for row in emulator.rows("Subaccount")),
        key=lambda age: -1 if age is None else cast("int", age),
        reverse=True,
    )
    first = await model.query().into(Login).first()
    assert first is not None
    assert first.number == 542
    rows = await model.query().search("strLogin000007").all()
    assert [row["strLogin"] for row in rows] == ["strLogin000007!"]


async def test_unsupported_queries_are_refused_before_anything_is_sent(
    single: GeneralApi, emulator: GeneralEmulator
) -> None:
    """No OR, no distinct, no expand, no reading by ID, no second column to sort by."""
    query = single.model("Subaccount").query()
    with pytest.raises(UnsupportedFilter, match="OR"):
        query.where((F.age == 1) | (F.lastname == "x"))
    with pytest.raises(InvalidArgument, match="distinct"):
        query.distinct()
    with pytest.raises(InvalidArgument, match="expand"):
        query.expand("age")
    with pytest.raises(FilterError, match="order_by"):
        query.order_by("age", "lastname")
    with pytest.raises(InvalidArgument, match="by ID"):
        await query.paging(by="id").all()
    with pytest.raises(UnknownField):
        query.where(F.contact.city == "x")
    assert len(emulator.journal.requests) == 0


async def test_rows_that_come_and_go_are_noticed(single: GeneralApi, emulator: GeneralEmulator) -> None:
    """The total of a later page differs from that of the first."""

    def insert(running: GeneralEmulator) -> None:
        running.insert("Subaccount", strLogin="late", age=1)

    emulator.between_pages = insert
    with pytest.raises(PageDrift, match="counted"):
        await single.model("Subaccount").query().paging(on_drift="raise", ahead=1).all()


async def test_a_clamped_limit_is_noticed(single: GeneralApi, emulator: GeneralEmulator) -> None:
    """Short pages that the total contradicts are no end."""
    emulator.server_options.clamp_limit = 100
    assert len(await single.model("Subaccount").query().all()) == ROWS


async def test_typed_cells(single: GeneralApi, emulator: GeneralEmulator) -> None:
    """Cells that say that they are numbers come as numbers."""
    emulator.server_options.cell_types = "typed"
    row = await single.model("Subaccount").query().select("intID", "intStatus").first()
    assert row == {"intID": 542, "intStatus": row["intStatus"] if row else ""}


async def test_invalid_fields_have_a_message_each(single: GeneralApi) -> None:
    """113 has a message for each field."""
    with pytest.raises(BadRequest) as caught:
        await single.model("Subaccount").update(542, strLogin="aa", strPass="abcabc")
    assert set(caught.value.fields) == {"strLogin", "strPass"}
    assert (caught.value.code, "Subaccount.update" in str(caught.value)) == ("113", True)


async def test_one_fresh_log_in_for_an_expired_token(single: GeneralApi, emulator: GeneralEmulator) -> None:
    """The call goes on; a write is done once."""
    model = single.model("Subaccount")
    await model.get(542)
    emulator.expire_tokens()
    await model.create(strLogin="once", strPass="ABCabc123!")
    assert emulator.journal.logins == 2
    assert len([row for row in emulator.rows("Subaccount") if row["strLogin"] == "once"]) == 1


async def test_an_unknown_code_costs_one_log_in(single: GeneralApi, emulator: GeneralEmulator) -> None:
    """A record that does not exist has no documented code; it is asked for again, and no more."""
    with pytest.raises(BadRequest, match="not found"):
        await single.model("Subaccount").get(999_999)
    assert emulator.journal.logins == 2
    with pytest.raises(BadRequest, match="not found"):
        await single.model("Subaccount").get(999_999)
    assert emulator.journal.logins == 2, "a code that a fresh token meets as well is learned"
    auth = attrs.evolve(LOGIN, refusals={109})
    async with GeneralApi(emulator.url, auth=auth) as api:
        with pytest.raises(BadRequest, match="not found"):
            await api.model("Subaccount").get(999_999)
    assert emulator.journal.logins == 3


async def test_an_expired_token_of_ones_own_is_an_error(emulator: GeneralEmulator) -> None:
    """A token of one's own works as long as it lives; then the error says what to do."""
    async with GeneralApi(emulator.url, auth=KmdToken(emulator.token(), access_type=1)) as api:
        assert await api.rights()
        emulator.expire_tokens()
        with pytest.raises(NotAuthenticated, match="KmdLogin"):
            await api.rights()


async def test_a_wrong_password_is_refused_once(emulator: GeneralEmulator) -> None:
    """One attempt, one refusal, and no password in it."""
    async with GeneralApi(emulator.url, auth=KmdLogin("max.power", "guess1234", access_type=1)) as api:
        with pytest.raises(NotAuthenticated) as caught:
            await api.rights()
    assert "guess1234" not in str(caught.value)
    assert len(emulator.journal.requests) == 1


async def test_reads_are_repeated_and_creates_are_not(single: GeneralApi, emulator: GeneralEmulator) -> None:
    """A list survives a reset; a create whose answer is lost is of unknown outcome."""
    await single.auth()
    emulator.faults.add(reset("before"), at=0)
    assert await single.model("Subaccount").query().count() == ROWS
    emulator.faults.clear()
    emulator.faults.add(commit_then_drop())
    with pytest.raises(OutcomeUnknown) as caught:
        await single.model("Subaccount").create(strLogin="lost", strPass="ABCabc123!")
    assert caught.value.sent == {"strLogin": "lost", "strPass": "ABCabc123!"}
    assert len([row for row in emulator.rows("Subaccount") if row["strLogin"] == "lost"]) == 1


@pytest.mark.parametrize(
    "fault",
    [
        html_page(200),
        respond(200, "hello"),
        respond(200, "{}"),
        respond(200, '{"status":"Success","statuscode":0}'),
    ],
    ids=lambda fault: fault.name,
)
async def test_a_response_of_another_kind_is_an_error(
    single: GeneralApi, emulator: GeneralEmulator, fault: Any
) -> None:
    """A page of another kind is an error of the server, with what came."""
    await single.auth()
    emulator.faults.add(fault)
    with pytest.raises(ServerError):
        await single.model("Subaccount").query().all()
    with pytest.raises(ServerError):
        await single.model("Subaccount").get(542)


@pytest.mark.parametrize("body", ["hello", '{"status":"Success","statuscode":0,"data":{}}'])
async def test_a_write_with_a_senseless_response_is_of_unknown_outcome(
    single: GeneralApi, emulator: GeneralEmulator, body: str
) -> None:
    """It may have been done: the error is of unknown outcome, and has what was sent."""
    await single.auth()
    emulator.faults.add(respond(200, body, act=True))
    with pytest.raises(OutcomeUnknown) as caught:
        await single.model("Subaccount").create(strLogin="odd", strPass="ABCabc123!")
    assert caught.value.sent["strLogin"] == "odd"
    assert isinstance(caught.value, ServerError)


async def test_get_many_sends_a_get_for_each_record(single: GeneralApi, emulator: GeneralEmulator) -> None:
    """One get for each, and an error as itself."""
    model = single.model("Subaccount")
    forms = await model.get_many([544, "542", 544])
    assert {key: form["intID"] for key, form in forms.items()} == {544: 544, 542: 542}
    with pytest.raises(BadRequest):
        await model.get_many([542, 999_999])


async def test_targets_of_writes(single: GeneralApi, emulator: GeneralEmulator) -> None:
    """IDs, rows and forms, alone or several; no target is no update, and nothing to delete."""
    model = single.model("Subaccount")
    rows = await model.query().limit(2).all()
    assert isinstance(rows[0], Row)
    await model.update(rows, age=41)
    assert [(await model.get(row))["age"] for row in rows] == [41, 41]
    with pytest.raises(InvalidArgument, match="no record"):
        await model.update([], age=1)
    with pytest.raises(InvalidArgument, match="one record"):
        await model.get([1, 2])  # type: ignore[arg-type]
    with pytest.raises(UnknownField, match="lastname"):
        await model.update(await model.get(542), lastnam="x")
    await model.delete([])
    await model.delete(rows)
    assert await model.query().count() == ROWS - 2


async def test_request_has_credential_and_errors(single: GeneralApi) -> None:
    """``request`` brings the credential and the errors along."""
    body = {"action": "list", "model": "User", "limit": 1}
    response = await single.request("POST", "", json=body, safe=Safety.READ)
    assert response.json()["data"]["count"] == 1
    with pytest.raises(BadRequest, match="unknown model"):
        await single.request("POST", "", json={**body, "model": "Nobody"}, safe=Safety.READ)
    with pytest.raises(InvalidArgument, match="leaves the API"):
        await single.request("POST", "../other", json=body)


@pytest.mark.parametrize("endpoint", ["", "example.com", "ftp://example.com", "https://u:p@example.com"])
def test_endpoints_that_are_refused(endpoint: str) -> None:
    """There is no default, and no credential in an address."""
    with pytest.raises(ConfigurationError):
        GeneralApi(endpoint)


async def test_errors_and_client_hide_the_token(emulator: GeneralEmulator) -> None:
    """Neither the client nor an error has the token or the password in it."""
    token = emulator.token()
    async with GeneralApi(emulator.url, auth=KmdToken(token, access_type=1, expired={107})) as api:
        emulator.faults.add(respond(500, f"crashed with {token}"))
        with pytest.raises(ServerError) as caught:
            await api.rights()
    assert token not in repr(api) + str(caught.value) + str(caught.value.headers)


async def test_the_stub_of_a_model_is_a_module(single: GeneralApi, tmp_path: Any) -> None:
    """It compiles, and its class reads rows."""
    source = stub(await single.model("Subaccount").definition())
    ast.parse(source)
    namespace: dict[str, Any] = {"__name__": "subaccount"}
    exec(compile(source, "subaccount.py", "exec"), namespace)
    row: Any = await single.model("Subaccount").query().into(namespace["Subaccount"]).first()
    assert (row.intID, row.intStatus in ("Aktiv", "Inaktiv")) == (542, True)
    assert namespace["SubaccountIntStatus"].AKTIV == 1
    assert "strPass" not in source
    assert json.dumps(row.strLogin)
