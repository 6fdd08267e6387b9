"""From answers to values: records, rows, the three forms of updates, what was not done."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.unit.services.ox.calls import module, read
from zeyos_async.codec import DecodeFailed
from zeyos_async.errors import Conflict, NotDeleted, PartialFailure
from zeyos_async.ox import ContactData, EventData, FolderData, GroupData, TaskData
from zeyos_async.services.ox.answers import Envelope, OxWarning
from zeyos_async.services.ox.rows import Rows, Updates

NOON = datetime(2027, 1, 2, 12, tzinfo=UTC)
NOON_MS = 1_798_891_200_000


def test_rows_become_records() -> None:
    """No array of arrays gets to the caller; the list knows when it was made, and so does each record."""
    call = module("contacts").all.later(folder="25", columns=["id", "first_name", "birthday"])
    rows = read(call, [["3", "Jane", 0], ["4", None, None]], NOON_MS)
    assert isinstance(rows, Rows)
    assert rows == [
        ContactData(id="3", folder_id="25", first_name="Jane", birthday=date(1970, 1, 1)),
        ContactData(id="4", folder_id="25"),
    ]
    assert (rows.timestamp, rows[0].timestamp) == (NOON, NOON)


def test_objects_will_do_for_rows() -> None:
    """Some servers send objects where others send arrays."""
    call = module("contacts").all.later(folder="25", columns=["id"])
    assert read(call, [{"id": "3", "new": 1}]) == [ContactData(id="3", folder_id="25", extra={"new": 1})]
    with pytest.raises(DecodeFailed, match="no data"):
        read(call, None)


def test_rows_are_lists() -> None:
    """They compare, copy and pickle like lists, with what they know."""
    rows = Rows([1, 2], timestamp=NOON, warnings=(OxWarning(message="x"),))
    again = pickle.loads(pickle.dumps(rows))
    assert (again, again.timestamp, again.warnings) == ([1, 2], NOON, rows.warnings)


UPDATES = [
    # trap 8's sisters: three forms of one thing
    (
        "tasks",
        {"folder": "7", "columns": ["id", "title"]},
        [["1", "a"], "2", 3],
        [TaskData(id="1", folder_id="7", title="a")],
        ["2", "3"],
    ),
    ("tasks", {"folder": "7", "columns": ["id", "title"]}, [], [], []),
    ("folders", {"columns": ["id"]}, [["1"], "default0/x"], [FolderData(id="1")], ["default0/x"]),
    (
        "group",
        {},
        {"new": [{"id": 1}], "modified": [{"id": 2}], "deleted": [{"id": 3}]},
        [GroupData(id=1), GroupData(id=2)],
        ["3"],
    ),
    ("resource", {}, {"new": [], "modified": [], "deleted": [{"id": 3}]}, [], ["3"]),
    (
        "chronos",
        {"folder": "x"},
        {"newAndModified": [{"id": "1", "folder": "x"}], "deleted": [{"id": "2"}]},
        [EventData(id="1", folder="x")],
        ["2"],
    ),
]


@pytest.mark.parametrize(("where", "arguments", "data", "changed", "deleted"), UPDATES)
def test_updates_have_one_form(
    where: str, arguments: dict[str, Any], data: Any, changed: Any, deleted: Any
) -> None:
    """Whatever the module sends: what changed, what is gone, and since when to ask the next time."""
    updates = read(module(where).updates.later(since=0, **arguments), data, NOON_MS)
    assert isinstance(updates, Updates)
    assert (updates.changed, updates.deleted, updates.timestamp) == (changed, deleted, NOON)


def test_the_time_stamp_comes_back_as_it_was() -> None:
    """What one answer says is what the next question says, to the millisecond."""
    tasks = module("tasks")
    delta = read(tasks.updates.later(folder="7", since=0), [], 1_798_891_200_123)
    again = dict(tasks.updates.later(folder="7", since=delta.timestamp).prepared.query)
    assert again["timestamp"] == "1798891200123"


FAILURES = [
    # trap 13: success, and a list of what was not deleted
    ("contacts", "delete", [("25", "3")], {"timestamp": 1}, ["3"], ["3"]),
    ("tasks", "delete", [("7", "3")], {"timestamp": 1}, ["3", "4"], ["3", "4"]),
    ("tasks", "delete", [("7", "3")], {"timestamp": 1}, [{"id": 3, "folder": 7}], ["3"]),
    ("calendar", "delete", [("7", "3")], {"timestamp": 1}, [{"id": "3", "folder": "7", "pos": 0}], ["3"]),
    ("infostore", "delete", [("9", "9/3")], {"timestamp": 1}, [{"id": "9/3", "folder": "9"}], ["9/3"]),
    ("infostore", "detach", [1], {"id": "9/3", "folder": "9", "timestamp": 1}, [1], ["1"]),
    ("mail", "delete", [("default0/INBOX", "3")], {}, [["default0/INBOX", "3"]], ["3"]),
    ("folders", "delete", ["7"], {}, ["7"], ["7"]),
    (
        "folders",
        "delete",
        ["7"],
        {},
        [{"id": "7", "has_failed": True}, {"id": "8", "has_failed": False}],
        ["7"],
    ),
    ("folders", "clear", ["7"], {}, ["7"], ["7"]),
    ("group", "delete", {"id": 4}, {"timestamp": 1}, {"id": 4}, ["4"]),
    ("reminder", "delete", [{"id": 4}], {}, [4], ["4"]),
    ("sync", "refresh_server", ["7"], {}, ["7"], ["7"]),
]


@pytest.mark.parametrize(("where", "action", "args", "arguments", "data", "failures"), FAILURES)
def test_items_that_were_not_deleted_raise(
    where: str, action: str, args: Any, arguments: dict[str, Any], data: Any, failures: Any
) -> None:
    """A success that lists what is left is none; the error has the IDs."""
    later = getattr(module(where), action).later(args, **arguments)
    with pytest.raises(NotDeleted) as caught:
        read(later, data)
    assert caught.value.ids == tuple(failures)
    assert failures[0] in str(caught.value)
    assert isinstance(caught.value, Conflict)


@pytest.mark.parametrize("data", [[], {}, "", True])
def test_nothing_left_is_success(data: Any) -> None:
    """Servers say so in several ways."""
    assert read(module("contacts").delete.later([("25", "3")], timestamp=1), data) is None


def test_files_that_were_not_moved_are_an_error() -> None:
    """No deletion, and still not done."""
    later = module("infostore").move_many.later([("9", "9/3")], folder="10")
    with pytest.raises(PartialFailure, match="not moved") as caught:
        read(later, [{"id": "9/3", "folder": "9"}])
    assert not isinstance(caught.value, NotDeleted)


def test_deleted_events_have_a_result_each() -> None:
    """And one with an error is not deleted; the error says why."""
    later = module("chronos").delete.later([{"id": "1", "folder": "x"}], timestamp=1)
    done = read(later, [{"deleted": [{"id": "1"}], "folderId": "x", "id": "1"}])
    assert done[0].deleted[0].id == "1"
    with pytest.raises(NotDeleted, match="locked") as caught:
        read(later, [{"id": "1", "error": {"error": "locked", "code": "CAL-1"}}, {"id": "2", "deleted": []}])
    assert (caught.value.ids, caught.value.reasons) == (("1",), {"1": "locked"})


def test_an_error_of_what_is_left_can_be_pickled() -> None:
    """As all errors can, with what they know."""
    error = pickle.loads(pickle.dumps(NotDeleted("x", ids=["1"], reasons={"1": "locked"}, status=200)))
    assert (error.ids, error.reasons, error.status) == (("1",), {"1": "locked"}, 200)


PLAIN = [
    ("mail", "count", {"folder": "x"}, 5, 5),
    ("system", "ping", {}, True, True),
    ("system", "time", {}, NOON_MS, NOON),
    ("resource", "all", {}, [1, "2"], [1, 2]),
    ("halo_contact", "services", {}, ["a"], ["a"]),
    ("jobs", "cancel", {"id": "x"}, {"success": True}, True),
    ("recovery_secret", "clean_up", {}, {"clean_up": True}, True),
    ("advertisement", "get", {}, {"a": 1}, {"a": 1}),
    ("mail", "get_source", {"folder": "x", "id": "1"}, "From: x", "From: x"),
    ("file", "keepalive", {"id": "x"}, None, None),
]


@pytest.mark.parametrize(("where", "action", "arguments", "data", "expected"), PLAIN)
def test_plain_values_are_read(
    where: str, action: str, arguments: dict[str, Any], data: Any, expected: Any
) -> None:
    """Numbers, texts, lists of them, what lies under a key, nothing."""
    assert read(getattr(module(where), action).later(**arguments), data) == expected


def test_new_objects_come_as_ids() -> None:
    """Bare, or in an object: servers differ by version."""
    infostore = module("infostore")
    later = infostore.new.later({"folder": "9", "title": "x"})
    assert read(later, "9/3") == read(later, {"id": "9/3", "title": "x"}) == "9/3"
    created = read(module("contacts").new.later({"last_name": "Doe"}), {"id": 3}, NOON_MS)
    assert (created.id, created.timestamp) == ("3", NOON)


def test_visible_folders_are_rows_by_kind() -> None:
    """An object of arrays of arrays, in truth."""
    later = module("folders").all_visible.later(content_type="mail", columns=["id", "title"])
    groups = read(later, {"private": [["1", "Mine"]], "shared": []})
    assert groups == {"private": [FolderData(id="1", title="Mine")], "shared": []}


def test_warnings_come_along() -> None:
    """On records, rows, updates and results."""
    warning = OxWarning(message="careful", categories=("WARNING",))
    envelope = Envelope({"id": "3"}, None, (warning,))
    result = module("contacts").get.later(id="3", folder="25").prepared.finish(envelope)
    assert result.warnings == result.data.warnings == (warning,)
    rows = module("contacts").all.later(folder="25").prepared.read(Envelope([], None, (warning,)))
    assert rows.warnings == (warning,)


SENSELESS = [
    ("contacts", "all", {"folder": "25"}, {"a": 1}, "a list was expected"),
    ("contacts", "all", {"folder": "25"}, ["3"], "ContactData was expected"),
    ("contacts", "get", {"id": "3", "folder": "25"}, [], "ContactData was expected"),
    ("contacts", "get", {"id": "3", "folder": "25"}, True, "ContactData was expected"),
    ("folders", "all_visible", {"content_type": "mail"}, [], "object of lists"),
    ("jobs", "cancel", {"id": "x"}, {}, "no 'success'"),
]


@pytest.mark.parametrize(("where", "action", "arguments", "data", "why"), SENSELESS)
def test_answers_that_make_no_sense(
    where: str, action: str, arguments: dict[str, Any], data: Any, why: str
) -> None:
    """They are refused, and never taken for something else."""
    with pytest.raises(DecodeFailed, match=why):
        read(getattr(module(where), action).later(**arguments), data)
