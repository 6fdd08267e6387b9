"""Queries: what is sent, what comes back, and what is refused before anything is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import attrs
import msgspec
import pytest

from zeyos_async.errors import (
    BadRequest,
    ConfigurationError,
    FilterError,
    FilterSyntaxError,
    InvalidArgument,
    ManyResults,
    NoResult,
    PageDrift,
    ServerError,
    UnknownField,
)
from zeyos_async.filters import F, Order
from zeyos_async.services.base import column
from zeyos_async.services.base.query import Query
from zeyos_async.services.zeyos._generated.accounts import Account, AccountType
from zeyos_async.services.zeyos.client import Zeyos
from zeyos_async.services.zeyos.quirks import Quirks
from zeyos_async.session import Retry, Session
from zeyos_async.transport.memory import MemoryTransport
from zeyos_async.wire import Request, Response

Answer = Callable[[dict[str, Any]], Any]


class Server:
    """Answers list bodies by a function, and keeps them."""

    def __init__(self, answer: Answer = lambda body: {"count": 0} if "count" in body else []) -> None:
        self.bodies: list[dict[str, Any]] = []
        self._answer = answer

    def __call__(self, request: Request) -> Response:
        body = msgspec.json.decode(request.body or b"{}")
        self.bodies.append(body)
        answer = self._answer(body)
        if isinstance(answer, Response):
            return answer
        return Response(
            status=200, headers={"Content-Type": "application/json"}, body=msgspec.json.encode(answer)
        )


def client(server: Server, **options: Any) -> Zeyos:
    session = Session(transport=MemoryTransport(server), retry=Retry(attempts=1))
    return Zeyos("http://memory.invalid/demo", session=session, **options)


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def rows_of(*rows: dict[str, Any]) -> Answer:
    """A table with these rows, whose filters only know bounds on the ID."""

    def answer(body: dict[str, Any]) -> Any:
        bounds = body.get("filters", {}).get("ID", {})
        bounds = bounds if isinstance(bounds, dict) else {}
        matching = [r for r in rows if r["ID"] > bounds.get(">", 0) and r["ID"] <= bounds.get("<=", 2**60)]
        if "count" in body:
            return {"count": len(matching)}
        if body.get("sort", ["+ID"])[0] == "-ID":
            matching = matching[::-1]
        names = body["fields"]
        names = names if isinstance(names, dict) else {name: name for name in names}
        page = matching[body.get("offset", 0) :][: body["limit"]]
        return [{key: row[path] for key, path in names.items() if path in row} for row in page]

    return answer


DOE = {"ID": 1, "lastname": "Doe", "type": 1, "lastmodified": 0, "contact.city": "Ulm", "visibility": 0}
ROE = {"ID": 2, "lastname": "Roe", "type": 9, "lastmodified": 10, "contact.city": None, "visibility": 0}


def test_nothing_is_sent_until_the_query_is_read() -> None:
    """Building, refining and explaining a query sends no request."""
    server = Server()
    query = client(server).accounts.where(F.visibility == 0).order_by("lastname").limit(3)
    query.explain()
    assert server.bodies == []


def test_a_query_is_immutable() -> None:
    """Each step gives a new query; the old one asks what it asked before."""
    base = client(Server()).accounts.query()
    narrowed = base.where(F.visibility == 0)
    assert "filters" not in base.explain()[0].json
    assert narrowed.explain()[0].json["filters"] == {"visibility": 0}


def test_full_records_name_their_fields() -> None:
    """Every field of the entity is asked for by name, in one list."""
    request_json = client(Server()).accounts.query().explain()[0].json
    assert request_json["fields"][:3] == ["ID", "fork", "ownergroup"]
    assert "description" in request_json["fields"]
    assert request_json["sort"] == ["+ID"]


def test_the_query_of_the_documents_example_is_sent() -> None:
    """The query of the vendor's reference, written with the DSL."""
    since = datetime.fromtimestamp(1524472045, UTC)
    query = (
        client(Server())
        .accounts.where(
            F.visibility == 0,
            F.contact.country.in_(["DE", "AT", "GB"]),
            (F.lastmodified > since) | (F.contact.lastmodified > since),
        )
        .select(Id="ID", Name="lastname", Town="contact.city", SalesAgent="assigneduser.name")
        .order_by("lastname", "-contact.country")
        .limit(3)
    )
    assert query.explain()[0].json == {
        "fields": {
            "Id": "ID",
            "Name": "lastname",
            "Town": "contact.city",
            "SalesAgent": "assigneduser.name",
            # hidden, for the check that the filter was applied
            "visibility": "visibility",
            "contact.country": "contact.country",
            "contact.lastmodified": "contact.lastmodified",
            "lastmodified": "lastmodified",
        },
        "filters": {
            "visibility": 0,
            "contact.country": {"IN": ["DE", "AT", "GB"]},
            "2": ["OR", {"lastmodified": {">": 1524472045}}, {"contact.lastmodified": {">": 1524472045}}],
        },
        "sort": ["+lastname", "-contact.country", "+ID"],
        "limit": 3,
    }


def test_select_gives_dicts_with_the_chosen_keys_and_no_others() -> None:
    """The ID that paging needs is added to the request and taken out of the rows."""
    server = Server(rows_of(DOE, ROE))
    rows = run(client(server).accounts.query().select("lastname", town="contact.city").all())
    assert rows == [{"lastname": "Doe", "town": "Ulm"}, {"lastname": "Roe", "town": None}]
    assert server.bodies[0]["fields"] == {"lastname": "lastname", "town": "contact.city", "ID": "ID"}


def test_the_key_ID_may_be_an_alias_of_another_field() -> None:
    """The added ID never takes a key that the caller uses."""
    rows = run(client(Server(rows_of(DOE))).accounts.query().select(ID="lastname").all())
    assert rows == [{"ID": "Doe"}]


def test_rows_become_records_with_codes_and_times() -> None:
    """Codes are enums, unknown ones are kept, times are aware."""
    one, two = run(client(Server(rows_of(DOE, ROE))).accounts.query().all())
    assert isinstance(one, Account)
    assert (one.type, two.type) == (AccountType.CUSTOMER, 9)
    assert two.lastmodified == datetime(1970, 1, 1, 0, 0, 10, tzinfo=UTC)


def test_into_fills_a_users_own_class() -> None:
    """Its attributes are what is selected; ``column`` leads elsewhere."""

    @attrs.define
    class Town:
        ID: int
        name: str = column("lastname")
        town: str | None = column("contact.city")

    server = Server(rows_of(DOE, ROE))
    assert run(client(server).accounts.query().into(Town).all()) == [
        Town(1, "Doe", "Ulm"),
        Town(2, "Roe", None),
    ]
    assert server.bodies[0]["fields"] == {"ID": "ID", "name": "lastname", "town": "contact.city"}


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (lambda q: q.first(), {"ID": 1}),
        (lambda q: q.where(F.ID > 1).first(), {"ID": 2}),
        (lambda q: q.where(F.ID > 2).first(), None),
        (lambda q: q.where(F.ID > 1).one(), {"ID": 2}),
        (lambda q: q.count(), 2),
        (lambda q: q.offset(1).count(), 1),
        (lambda q: q.limit(1).count(), 1),
        (lambda q: q.exists(), True),
        (lambda q: q.where(F.ID > 2).exists(), False),
        (lambda q: q.sum("ID"), 3),
        (lambda q: q.limit(1).sum("ID"), 1),
        (lambda q: q.where(F.ID.in_([])).all(), []),
        (lambda q: q.where(F.ID.in_([])).count(), 0),
    ],
)
def test_ends_of_a_query(end: Callable[[Query[Any]], Any], expected: Any) -> None:
    """first, one, count, exists and sum over two rows."""
    query = client(Server(rows_of(DOE, ROE))).accounts.query().select("ID")
    assert run(end(query)) == expected


def test_one_raises_for_no_row_and_for_two() -> None:
    """None and more than one are errors of their own."""
    query = client(Server(rows_of(DOE, ROE))).accounts.query()
    with pytest.raises(ManyResults, match="accounts"):
        run(query.one())
    with pytest.raises(NoResult, match="ID > 5"):
        run(query.where(F.ID > 5).one())


def test_a_condition_that_cannot_hold_sends_nothing() -> None:
    """An empty IN list is false: no rows, no request."""
    server = Server()
    accounts = client(server).accounts
    assert run(accounts.where(F.ID.in_([])).all()) == []
    assert run(accounts.where(F.visibility == 0, F.visibility.in_([])).count()) == 0
    assert accounts.where(F.ID.in_([])).explain().strategy == "nothing"
    assert server.bodies == []


@pytest.mark.parametrize(
    ("build", "error", "says"),
    [
        (lambda a: a.where(F.lastnam == "x"), UnknownField, "lastname"),
        (lambda a: a.where("lastnam == 'x'"), UnknownField, "lastname"),
        (lambda a: a.where(F.contact.citty == "x"), UnknownField, "city"),
        (lambda a: a.where("visibility =="), FilterSyntaxError, "character"),
        (lambda a: a.where(True), FilterError, "&"),
        (lambda a: a.where(F.lastmodified > datetime(2026, 1, 1)), FilterError, "timezone"),  # noqa: DTZ001
        (lambda a: a.where((F.ID == 1) and (F.ID == 2)), FilterError, "&"),
        (lambda a: a.query().order_by("lastnam"), UnknownField, "lastname"),
        (lambda a: a.query().order_by("ID", "-ID"), FilterError, "twice"),
        (lambda a: a.query().order_by(5), InvalidArgument, "dotted text"),
        (lambda a: a.query().select(), InvalidArgument, "at least one"),
        (lambda a: a.query().select("ID", "ID"), InvalidArgument, "twice"),
        (lambda a: a.query().select("nope"), UnknownField, "nope"),
        (lambda a: a.query().select(town="contact.nope"), UnknownField, "nope"),
        (lambda a: a.query().into(dict), ConfigurationError, "attrs"),
        (lambda a: a.query().limit(0), InvalidArgument, "limit"),
        (lambda a: a.query().limit(True), InvalidArgument, "limit"),
        (lambda a: a.query().offset(-1), InvalidArgument, "offset"),
        (lambda a: a.query().paging(size=0), InvalidArgument, "10000"),
        (lambda a: a.query().paging(size=10_001), InvalidArgument, "10000"),
        (lambda a: a.query().paging(by="name"), InvalidArgument, "'auto'"),
        (lambda a: a.query().order_by("lastname").paging(by="id").explain(), InvalidArgument, "offset"),
        (lambda a: a.query().expand("lastname"), InvalidArgument, "composite"),
        (lambda a: a.query().search(5), InvalidArgument, "text"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(
    build: Callable[[Any], Any], error: type[Exception], says: str
) -> None:
    """Each mistake has its error, and the error says what to do."""
    server = Server()
    with pytest.raises(error, match=says):
        build(client(server).accounts)
    assert server.bodies == []


@pytest.mark.parametrize("answer", [{"count": 5}, {"count": "5"}, 5, "5", [{"count": 5}]])
def test_a_count_is_understood_in_any_form(answer: Any) -> None:
    """Servers answer a count in several ways."""
    assert run(client(Server(lambda body: answer)).accounts.query().count()) == 5


@pytest.mark.parametrize("answer", [{"total": 5}, [], "five", None, [{"ID": 1}]])
def test_a_response_without_a_count_is_an_error(answer: Any) -> None:
    """Anything else is not taken for a number."""
    with pytest.raises(ServerError, match="count"):
        run(client(Server(lambda body: answer)).accounts.query().count())


def test_a_server_that_ignores_the_filter_is_noticed() -> None:
    """Rows that contradict the filter raise, and nothing of the answer is given out."""
    query = client(Server(rows_of(DOE, ROE))).accounts.where(F.lastname == "Doe")
    with pytest.raises(ServerError, match="did not apply the filter"):
        run(query.all())


def test_only_certain_conditions_are_checked() -> None:
    """Regular expressions, LIKE and text order are the server's own; a field that was not selected is judged too."""
    accounts = client(Server(rows_of(DOE, ROE))).accounts
    assert len(run(accounts.where(F.lastname.matches("^Z")).all())) == 2
    assert len(run(accounts.where(F.lastname > "Z").all())) == 2
    with pytest.raises(ServerError, match="did not apply the filter"):
        run(accounts.where(F.lastname == "Z").select("ID").all())
    assert len(run(accounts.where(F.description == "Z").select("ID").all())) == 2, (
        "large texts don't ride hidden"
    )


def test_hidden_fields_are_taken_out_of_what_the_caller_sees() -> None:
    """Dicts, a class of the caller's and raw rows have what was selected; the check saw the rest."""

    @attrs.define
    class Name:
        lastname: str

    server = Server(rows_of(DOE))
    query = client(server).accounts.where(F.visibility == 0)
    assert run(query.select("lastname").all()) == [{"lastname": "Doe"}]
    assert "visibility" in server.bodies[0]["fields"]
    assert run(query.into(Name).all()) == [Name("Doe")]

    async def raw() -> list[bytes]:
        return [bytes(row) async for page in query.select("ID", "lastname").raw_pages() for row in page]

    assert run(raw()) == [b'{"ID":1,"lastname":"Doe"}']


def test_a_hidden_field_that_is_refused_is_left_out() -> None:
    """The page is asked for again without it, and that part of the filter is not judged."""

    def answer(body: dict[str, Any]) -> Any:
        if "visibility" in body.get("fields", ()):
            return Response(status=400, body=b"Bad Request: Invalid selection field")
        return rows_of(DOE)(body)

    server = Server(answer)
    assert run(client(server).accounts.where(F.visibility == 3).select("lastname").all()) == [
        {"lastname": "Doe"}
    ]


def test_a_server_that_ignores_the_order_is_noticed() -> None:
    """The first field of the order is judged, where it is a number or a time."""
    query = client(Server(rows_of(ROE, DOE))).accounts.query().select("lastname")
    with pytest.raises(ServerError, match="did not apply the order"):
        run(query.order_by("lastmodified").all())
    with pytest.raises(ServerError, match="did not apply the order"):
        run(client(Server(rows_of(DOE, ROE))).accounts.query().order_by("-lastmodified").all())


def test_a_negative_count_is_a_failure() -> None:
    """It is no count of nothing."""
    with pytest.raises(ServerError, match="count"):
        run(client(Server(lambda body: {"count": -1})).accounts.query().count())


def test_fields_of_both_documents_are_asked_for_first() -> None:
    """``users.lastlogin`` stands in the older document alone, and is read all the same; 400, 422 or 500 leave it out."""
    for status in (400, 422, 500):

        def answer(body: dict[str, Any], status: int = status) -> Any:
            if "lastlogin" in body.get("fields", ()):
                return Response(status=status, body=b"Invalid selection field")
            return {"count": 1} if "count" in body else [{"ID": 1, "name": "max"}]

        server = Server(answer)
        assert [user.name for user in run(client(server).users.query().limit(1).all())] == ["max"]
        assert "lastlogin" in server.bodies[0]["fields"]


def test_the_name_of_the_filter_parameter_is_a_quirk() -> None:
    """``filters``, unless an instance wants it otherwise."""
    other = client(Server(), quirks=Quirks(filters="filter")).accounts.where(F.ID == 1).explain()
    assert "filter" in other[0].json


def test_a_server_without_the_newer_fields_is_asked_without_them() -> None:
    """The documents differ in fields: the refused ones are left out, and stay left out."""

    def older(body: dict[str, Any]) -> Any:
        if "fork" in body.get("fields", ()):
            return Response(status=400, body=b"Bad Request: Invalid selection field")
        return rows_of(DOE)(body)

    server = Server(older)
    accounts = client(server).accounts
    assert [a.lastname for a in run(accounts.query().all())] == ["Doe"]
    before = len(server.bodies)
    assert [a.fork for a in run(accounts.query().all())] == [None]
    assert all("fork" not in body.get("fields", ()) for body in server.bodies[before:])


def test_a_selection_of_the_caller_is_not_touched() -> None:
    """A field that the caller named himself and the server refuses is the caller's error."""
    refuse = Server(lambda body: Response(status=400, body=b"Bad Request: Invalid selection field"))
    with pytest.raises(BadRequest, match="selection field"):
        run(client(refuse).accounts.query().select("fork").all())


def test_distinct_rows_are_paged_without_the_id() -> None:
    """An ID would make every row distinct; the order is total over the selected fields."""
    server = Server(lambda body: [] if body.get("offset") else [{"city": "Ulm"}])
    query = client(server).accounts.query().select(city="contact.city").distinct()
    assert run(query.all()) == [{"city": "Ulm"}]
    assert server.bodies[0]["fields"] == {"city": "contact.city"}
    assert server.bodies[0]["distinct"] is True
    assert server.bodies[0]["sort"] == ["+contact.city"]
    assert run(query.count()) == 1


def test_a_long_in_list_is_split_over_requests() -> None:
    """Twenty-five thousand IDs are three requests' worth; the rows are the same."""
    server = Server(lambda body: {"count": 0} if "count" in body else [])
    query = client(server).accounts.where(F.ID.in_(range(1, 25_001)))
    assert run(query.all()) == []
    lists = [body["filters"]["ID"]["IN"] for body in server.bodies]
    assert [len(values) for values in lists] == [10_000, 10_000, 5_000]
    assert sorted(value for values in lists for value in values) == list(range(1, 25_001))
    with pytest.raises(FilterError, match="order_by"):
        run(query.order_by("lastname").all())


def test_explain_says_how_the_rest_is_read() -> None:
    """The opening requests as data, and as text for people."""
    query = client(Server()).accounts.query()
    explanation = query.explain()
    assert [request.purpose for request in explanation] == ["first page"]
    assert explanation.strategy == "id"
    eager = query.paging(eager=True)
    assert [request.purpose for request in eager.explain()] == ["first page", "count", "largest ID"]
    by_name = eager.order_by("lastname").explain()
    assert [request.purpose for request in by_name] == ["first page", "count", "second page"]
    assert "POST http://memory.invalid/demo/api/v1/accounts" in str(explanation)
    ordered = client(Server()).accounts.query().order_by(Order("lastname", False)).explain()
    assert ordered.strategy == "offset"
    assert ordered[0].json["sort"] == ["+lastname", "+ID"]


@pytest.mark.parametrize("body", [b"", b'{"error": 1}', b"null", b'["x"]', b"Array"])
def test_a_response_without_rows_is_an_error(body: bytes) -> None:
    """The answer's status was fine, its body makes no sense."""
    server = Server(lambda sent: {"count": 3} if "count" in sent else Response(status=200, body=body))
    with pytest.raises(ServerError, match="not a page of rows"):
        run(client(server).accounts.query().all())


def test_a_web_page_in_place_of_rows_is_named() -> None:
    """The title says what it is, the error says what may be wrong."""
    server = Server(lambda sent: Response(status=200, body=b"<html><title>Maintenance</title>"))
    with pytest.raises(ServerError, match="'Maintenance'; is the base URL right"):
        run(client(server).accounts.query().all())


def test_more_rows_than_asked_for_are_refused() -> None:
    """A server that ignores the limit may ignore the rest as well."""
    server = Server(lambda body: {"count": 3} if "count" in body else [{"ID": 1}, {"ID": 2}, {"ID": 3}])
    with pytest.raises(ServerError, match="at most 2"):
        run(client(server).accounts.query().select("ID").limit(2).all())


@pytest.mark.parametrize("ids", [[2, 1], [1, 1]])
def test_ids_out_of_order_are_refused(ids: list[int]) -> None:
    """A page by ID must ascend strictly, else rows were lost or repeated."""
    server = Server(
        lambda body: {"count": 2} if "count" in body else [{"ID": i} for i in ids[: body["limit"]]]
    )
    with pytest.raises(ServerError, match="out of order"):
        run(client(server).accounts.query().select("ID").all())


def test_rows_that_never_come_although_they_are_counted_are_drift() -> None:
    """An empty first page and a count of three do not fit together."""
    server = Server(lambda body: {"count": 3} if "count" in body else [])
    with pytest.raises(PageDrift):
        run(client(server).accounts.query().paging(on_drift="raise", eager=True).all())
