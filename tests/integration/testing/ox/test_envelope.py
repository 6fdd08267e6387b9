"""Forms of answers: errors in a 200, warnings that look like errors, pages around uploads, error pages."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from zeyos_async.testing import faults
from zeyos_async.testing.faults import behave

ME = ("GET", "system", "whoami")


async def test_an_error_comes_with_status_200(wire: Any) -> None:
    """With all fields of the envelope, and a message that is finished."""
    answer = await wire.get("contacts", "all", columns="1")
    assert answer.status == 200
    fields = {"error", "error_params", "error_id", "error_desc", "categories", "category", "code"}
    assert answer.json.keys() == fields
    assert (answer.code, answer.json["categories"], answer.json["category"]) == ("SVL-0002", "USER_INPUT", 1)
    assert (answer.json["error_params"], "%" in answer.json["error"]) == (["folder"], False)


async def test_categories_of_errors_may_be_an_array(wire: Any, emulator: Any) -> None:
    """As the document allows."""
    emulator.server_options.categories = "array"
    assert (await wire.get("contacts", "all", columns="1")).json["categories"] == ["USER_INPUT"]


@pytest.mark.parametrize(("count", "kind"), [(1, dict), (2, list)])
async def test_warnings_look_like_errors(wire: Any, emulator: Any, count: int, kind: type) -> None:
    """The first one is copied where errors are; ``warnings`` is an object for one, an array for more."""
    emulator.faults.add(behave(warnings=count))
    answer = (await wire.send(*ME)).json
    assert answer["data"]["user"] == "jane"
    assert (answer["category"], answer["categories"], type(answer["warnings"])) == (13, "WARNING", kind)
    assert answer["error"].endswith("100 %s")


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/contacts?action=frobnicate", "SVL-0001"),
        ("POST", "/tasks?action=all&folder=7&columns=1", "EMU-0002"),
        ("GET", "/tasks?action=all&folder=7&columns=1,999", "EMU-0001"),
        ("GET", "/tasks?action=all&folder=7&columns=title1", "EMU-0001"),
        ("GET", "/tasks?action=all&folder=7&columns=1&timezone=Mars", "EMU-0001"),
        ("GET", "/tasks?action=all&folder=7&columns=1&sort=200", "SVL-0002"),
        ("GET", "/tasks?action=all&folder=7&columns=1&order=asc", "SVL-0002"),
        ("GET", "/tasks?action=updates&folder=7&columns=1&timestamp=now", "EMU-0001"),
        ("GET", "/contacts?action=all&folder=25&columns=1&collation=utf8", "EMU-0001"),
        ("GET", "/contacts?action=all&folder=4711&columns=1", "FLD-0008"),
        ("GET", "/contacts?action=all&folder=7&columns=1", "FLD-0003"),
        ("PUT", "/tasks?action=new", "SVL-0002"),
    ],
)
async def test_requests_that_the_document_does_not_allow_are_refused(
    wire: Any, method: str, path: str, code: str
) -> None:
    """Is refused in an envelope."""
    answer = await wire.raw(method, f"{path}&session={wire.session}")
    assert (answer.status, answer.code) == (200, code)


async def test_verbs_hardly_count_on_the_real_server(wire: Any, emulator: Any) -> None:
    """Which a switch has the emulator imitate."""
    emulator.server_options.lenient_verbs = True
    assert (await wire.send("POST", "tasks", "all", folder="7", columns="1")).data


async def test_unknown_parameters_are_ignored_and_noted(wire: Any, emulator: Any) -> None:
    """The journal tells of typos that the server passes over; fields of bodies too."""
    await wire.get("tasks", "all", folder="7", columns="1", folder_id="7", timezone="UTC")
    await wire.put("tasks", "new", {"folder_id": "7", "title": "x", "titel": "y"})
    unknown = [(item.operation, item.kind, item.name) for item in emulator.journal.unknown_input]
    assert unknown == [("tasks?action=all", "parameter", "folder_id"), ("tasks?action=new", "field", "titel")]


async def test_operations_may_be_documented_and_absent(wire: Any, emulator: Any) -> None:
    """8.19 does not have all that the document names."""
    query = {"folder": "con://0/25", "columns": "1", "timestamp": 0}
    assert (await wire.get("addressbooks", "updates", **query)).data
    emulator.server_options.registered_only = True
    assert (await wire.get("addressbooks", "updates", **query)).code == "SVL-0001"


# -- uploads ---------------------------------------------------------------------------------------

PNG = b"\x89PNG\r\n\x1a\n--not the boundary\r\n\r\n"


def _form(json: str = '{"folder_id": "25", "last_name": "With </script> image"}') -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("json", json, content_type="application/json")
    form.add_field("file", PNG, filename='a "b".png', content_type="image/png")
    return form


async def test_an_uploads_answer_is_a_page(wire: Any) -> None:
    """With the envelope in its script, the action in the callback's name, and the bytes as they were."""
    answer = await wire.send("POST", "contacts", "new", options={"data": _form()})
    assert (answer.status, answer.headers["Content-Type"].partition(";")[0]) == (200, "text/html")
    assert b"callback_new" in answer.body
    key = answer.wrapped["data"]["id"]
    contact = (await wire.get("contacts", "get", folder="25", id=key)).data
    assert (contact["last_name"], contact["number_of_images"]) == ("With </script> image", 1)
    picture = await wire.raw("GET", contact["image1_url"].removeprefix("/ajax"))
    assert (picture.body, picture.headers["Content-Type"]) == (PNG, "image/png")


@pytest.mark.parametrize(
    ("params", "bad_is_page"),
    [
        ({}, True),
        ({"force_json_response": "true"}, True),
        ({"plainJson": "true"}, False),
        ({"plainJson": "1"}, True),
    ],
)
async def test_plain_answers_to_uploads(wire: Any, params: Any, bad_is_page: bool) -> None:
    """``force_json_response`` is of no use for errors; ``plainJson`` has to be ``true``."""
    good = await wire.send("POST", "contacts", "new", options={"data": _form()}, **params)
    assert (good.headers["Content-Type"] == "application/json") is (
        bool(params) and params.get("plainJson") != "1"
    )
    bad = await wire.send("POST", "contacts", "new", options={"data": _form("{}")}, **params)
    assert (bad.wrapped if bad_is_page else bad.json)["code"] == "SVL-0002"


async def test_an_upload_may_be_too_large(wire: Any, emulator: Any) -> None:
    """A page, not an envelope."""
    emulator.server_options.max_upload = 10
    answer = await wire.send("POST", "contacts", "new", options={"data": _form()})
    assert (answer.status, answer.headers["Content-Type"].partition(";")[0]) == (413, "text/html")


# -- pages in place of envelopes -------------------------------------------------------------------


async def test_a_failed_download_is_json_where_that_is_accepted(wire: Any) -> None:
    """With status 200; where it is not, an error page."""
    params = {"id": "1", "attachmentid": "9"}
    answer = await wire.get("snippet", "getattachment", **params)
    assert (answer.status, answer.headers["Content-Type"], answer.json["category"]) == (
        200,
        "application/json",
        1,
    )
    page = await wire.send(
        "GET", "snippet", "getattachment", options={"headers": {"Accept": "image/*"}}, **params
    )
    assert (page.status, page.headers["Content-Type"].partition(";")[0]) == (404, "text/html")


async def test_too_many_requests_are_answered_with_429(wire: Any, emulator: Any) -> None:
    """429 in plain text, by a fault or by the limit itself."""
    emulator.faults.add(behave(rate_limited=True), at=[0])
    answer = await wire.send(*ME)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
    assert answer.headers["Content-Type"].startswith("text/plain")
    emulator.server_options.rate_limit, emulator.server_options.rate_window = 5, 100.0
    statuses = [(await wire.send(*ME)).status for _ in range(5)]
    assert statuses[0] == 200
    assert statuses[-1] == 429
    emulator.clock.offset += 101
    assert (await wire.send(*ME)).status == 200


async def test_too_many_requests_at_once_are_answered_in_an_envelope(wire: Any, emulator: Any) -> None:
    """In an envelope, as nothing else about load is."""
    emulator.server_options.max_concurrent = 2
    emulator.faults.add(faults.latency(0.05))
    answers = await asyncio.gather(*(wire.send(*ME) for _ in range(4)))
    assert [answer.json.get("code") for answer in answers].count("SVL-0019") >= 1


async def test_an_unknown_path_is_answered_with_a_page(wire: Any) -> None:
    """A page."""
    assert (await wire.raw("GET", "/frobnicate?action=all")).status == 404


async def test_time_stamps_always_grow(wire: Any) -> None:
    """However fast one writes."""
    stamps = [
        (await wire.put("tasks", "new", {"folder_id": "7", "title": "x"})).json["timestamp"]
        for _ in range(20)
    ]
    assert stamps == sorted(set(stamps))
    assert abs(stamps[-1] / 1000 - time.time()) < 60
