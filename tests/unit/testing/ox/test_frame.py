"""The parts of the emulated Open-Xchange that need no socket: bodies, columns, times, tables, operations."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.testing.ox.columns import RowModel, TimeShift
from zeyos_async.testing.ox.documented_api import OPERATIONS, find_fields
from zeyos_async.testing.ox.form_data import parse_media_type, read_parts
from zeyos_async.testing.ox.modules.contacts import matches_pattern
from zeyos_async.testing.ox.refusals import OxError, PageRefusal
from zeyos_async.testing.ox.requests import find_operation, is_true, read_params
from zeyos_async.testing.ox.sample_replies import build_sample
from zeyos_async.testing.ox.server_options import OxServerOptions
from zeyos_async.testing.ox.state import OxUser, ServerState
from zeyos_async.testing.server import Clock

# -- the catalogue ---------------------------------------------------------------------------------


def test_all_operations_of_the_document_are_known() -> None:
    """429, and each can be told from all others."""
    assert len(OPERATIONS) == 429
    keys = {
        (operation.module, operation.name, operation.method, tuple(operation.fixed.items()), operation.path)
        for operation in OPERATIONS
    }
    assert len(keys) == 429
    assert sum(operation.oauth for operation in OPERATIONS) == 169


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_types_of_the_document_are_known(operation: Any) -> None:
    """A sample of every answer can be made."""
    if operation.envelope == "data":
        assert build_sample(operation.data_type) is not None
    assert {param.type for param in operation.params} <= {
        "string",
        "integer",
        "long",
        "boolean",
        "array[string]",
    }


def test_schemas_may_be_nested() -> None:
    """A field's own fields are a schema of its own."""
    fields = {field.name: field.type for field in find_fields("Alarm") or () if not isinstance(field, str)}
    assert fields["trigger"] == "Alarm.trigger"
    assert find_fields("Alarm.trigger")


PATHS = [
    ("GET", "/contacts", "get", {}, "contacts?action=get", {}),
    ("PUT", "/contacts", "new", {}, "contacts?action=new", {}),
    ("GET", "/mail", "get", {"hdr": "1"}, "mail?action=get", {}),
    ("GET", "/infostore/a name.pdf", "document", {}, "infostore?action=document", {}),
    ("GET", "/config/modules/mail", "", {}, "GET /config/{path}", {"path": "modules/mail"}),
    ("GET", "/jslob/io.ox/core", "get", {}, "jslob?action=get", {"jslobPath": "io.ox/core"}),
    ("PUT", "/jslob", "update", {}, "jslob?action=update", {}),
    ("GET", "/mail/compose", "", {}, "GET /mail/compose", {}),
    ("POST", "/mail/compose/a1/send", "", {}, "POST /mail/compose/{id}/send", {"id": "a1"}),
    (
        "POST", "/mail/compose/a1/attachments/original", "", {},
        "POST /mail/compose/{id}/attachments/original", {"id": "a1"},
    ),
    ("DELETE", "/gdpr/dataexport/delete", "", {}, "DELETE /gdpr/dataexport/delete", {}),
    ("GET", "/login;jsessionid=x.OX0", "redirect", {}, "login?action=redirect", {"jsessionid": "x.OX0"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "action", "query", "name", "inside"), PATHS, ids=[case[4] for case in PATHS]
)
def test_requests_have_one_operation(
    method: str, path: str, action: str, query: Any, name: str, inside: Any
) -> None:
    """By path and action, or by verb and path; what a path holds is a parameter."""
    operation, path_params = find_operation(method, path, {"action": action, **query}, OxServerOptions())
    assert (str(operation), path_params) == (name, inside)
    assert operation.fixed == query


@pytest.mark.parametrize(
    ("method", "path", "action", "error"),
    [
        ("GET", "/nonsense", "all", PageRefusal),
        ("GET", "/contacts", "nonsense", OxError),
        ("GET", "/contacts", "new", OxError),
        ("DELETE", "/config/gui", "", OxError),
        ("GET", "/mailbox", "all", PageRefusal),
    ],
)
def test_requests_without_an_operation_are_refused(
    method: str, path: str, action: str, error: type[Exception]
) -> None:
    """There is no module, no action, or not with this verb."""
    with pytest.raises(error):
        find_operation(method, path, {"action": action}, OxServerOptions())


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("YES", True), ("y", True), ("on", True), ("1", True), ("0", False), ("ja", False)],
)
def test_texts_that_are_true(text: str, value: bool) -> None:
    """Several words, whatever their case; all else is not."""
    assert is_true(text) is value


def test_parameters_have_types() -> None:
    """Those that the document does not name come apart."""
    operation, _ = find_operation("GET", "/contacts", {"action": "autocomplete"}, OxServerOptions())
    query = {
        "columns": "1",
        "query": "",
        "email": "yes",
        "left_hand_limit": "3",
        "action": "autocomplete",
        "x": "y",
    }
    params, extra = read_params(operation, query)
    assert params == {"columns": "1", "query": "", "email": True, "left_hand_limit": 3}
    assert extra == {"action": "autocomplete", "x": "y"}
    with pytest.raises(OxError, match="left_hand_limit"):
        read_params(operation, {**query, "left_hand_limit": "three"})


# -- bodies ----------------------------------------------------------------------------------------

BOUNDARY = "b-o-u-n-d"
CONTENTS = st.lists(
    st.binary(max_size=50).filter(lambda content: f"\r\n--{BOUNDARY}".encode() not in content), max_size=4
)


@given(CONTENTS)
def test_parts_come_as_they_went(contents: list[bytes]) -> None:
    """Whatever their bytes, line ends at either end included."""
    pieces = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="p{place}"; filename="ä;\\"{place}"\r\n\r\n'.encode()
        + content
        + b"\r\n"
        for place, content in enumerate(contents)
    ]
    body = b"".join(pieces) + f"--{BOUNDARY}--\r\n".encode()
    parts = list(read_parts(body, BOUNDARY))
    assert [part.content for part in parts] == contents
    assert [(part.name, part.filename) for part in parts] == [
        (f"p{n}", f'ä;"{n}') for n in range(len(contents))
    ]


@pytest.mark.parametrize("body", [b"", b"--b\r\n\r\nx", b"--b\r\nno head--b--", b"--c\r\n\r\nx\r\n--c--"])
def test_multipart_bodies_without_an_end_are_refused(body: bytes) -> None:
    """Are none."""
    with pytest.raises(ValueError, match="end"):
        list(read_parts(body, "b"))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("application/JSON; charset=utf-8", ("application/json", {"charset": "utf-8"})),
        ("form-data; name=a; filename*=UTF-8''%C3%A4.txt", ("form-data", {"name": "a", "filename": "ä.txt"})),
        ("", ("", {})),
    ],
)
def test_headers_with_parameters(header: str, expected: Any) -> None:
    """Also such as RFC 2231 writes."""
    assert parse_media_type(header) == expected


# -- columns and times -----------------------------------------------------------------------------

STAMPS = st.integers(min_value=-(10**12), max_value=4 * 10**12)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"])


@given(STAMPS, ZONES)
def test_shifted_times_are_read_back(stamp: int, zone: str) -> None:
    """Except in the hour that an autumn night has twice, where the clock can't tell."""
    shift = TimeShift.from_zone_name(zone)
    again = shift.from_wire(shift.to_wire(stamp))
    assert shift.to_wire(again) == shift.to_wire(stamp)


@pytest.mark.parametrize(("month", "hours"), [(1, 1), (7, 2)])
def test_shifts_follow_the_seasons(month: int, hours: int) -> None:
    """More so in summer; far from our time there are no zones."""
    shift = TimeShift.from_zone_name("Europe/Berlin")
    stamp = int(datetime(2020, month, 1, tzinfo=UTC).timestamp() * 1000)
    assert shift.to_wire(stamp) - stamp == hours * 3_600_000
    assert shift.to_wire(10**17) == 10**17


def test_column_numbers_depend_on_the_model() -> None:
    """300 is a folder's title and a task's status."""
    folders = RowModel("Common folder data", "Detailed folder data")
    tasks = RowModel("Common object data", "Detailed task data")
    assert [model.find_column("300").name for model in (folders, tasks)] == ["title", "status"]
    for unknown in ("4711", "status", "", "-1", "²"):
        with pytest.raises(OxError, match="no such column"):
            tasks.find_column(unknown)


@pytest.mark.parametrize(
    ("pattern", "text", "mode", "expected"),
    [
        ("a?c", "xabcx", "substring", True),
        ("a?c", "abc", "exact", True),
        ("a*", "ba", "start", False),
        ("(", "(", "exact", True),
        ("", "x", "substring", True),
        ("*", "", "exact", True),
        ("A", "a\nb", "start", True),
    ],
)
def test_patterns_of_contacts(pattern: str, text: str, mode: str, expected: bool) -> None:
    """Two wildcards, and nothing else is special."""
    assert matches_pattern(pattern, text, mode=mode) is expected


# -- tables ----------------------------------------------------------------------------------------


def _state() -> ServerState:
    return ServerState({3: OxUser(name="a", password="b")}, clock=Clock(), seed=0)


@given(st.lists(st.sampled_from(["insert", "change", "remove", "move"]), max_size=30))
def test_updates_bring_a_copy_up_to_date(steps: list[str]) -> None:
    """Whatever happens between two looks: what changed and what is gone make the folder as it is."""
    state = _state()
    table = state.table("x")
    copy: dict[str, int] = {}
    since = 0
    for place, step in enumerate(steps):
        rows = list(table)
        if step == "insert" or not rows:
            table.insert({"folder_id": "1"}, by=3)
        elif step == "change":
            table.change(rows[place % len(rows)], {"title": str(place)}, by=3)
        elif step == "move":
            table.change(rows[0], {"folder_id": "2" if rows[0]["folder_id"] == "1" else "1"}, by=3)
        else:
            table.remove(rows[-1])
        if place % 3 == 0:
            changed, tombstones = table.changes_since(since, "1")
            copy |= {row["id"]: row["last_modified"] for row in changed}
            copy = {
                key: stamp
                for key, stamp in copy.items()
                if key not in {tombstone.id for tombstone in tombstones}
            }
            since = state.next_stamp()
            assert copy == {row["id"]: row["last_modified"] for row in table.rows_in("1")}


def test_stamps_grow_even_if_the_clock_stands() -> None:
    """Or goes back."""
    state = _state()
    first = state.next_stamp()
    state.clock.offset = -3600
    assert state.next_stamp() == first + 1
    assert state.last_stamp >= first + 1
