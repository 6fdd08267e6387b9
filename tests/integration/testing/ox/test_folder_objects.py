"""Contacts, tasks, appointments and reminders: columns, times, conflicts, updates, deletions, searches."""

from __future__ import annotations

from typing import Any

import pytest

HOUR = 3_600_000
DAY = 24 * HOUR
SUMMER = 1_586_340_000_000  # 8 April 2020, 10:00 UTC, when Berlin is two hours ahead


async def _new(wire: Any, module: str, **fields: Any) -> tuple[str, int]:
    """Store something; its id and time stamp."""
    answer = await wire.put(module, "new", fields)
    return answer.data["id"], answer.json["timestamp"]


# -- columns and times -----------------------------------------------------------------------------


async def test_columns_come_in_the_requested_order(wire: Any) -> None:
    """An absent value is ``null`` there, and missing where objects come."""
    key, stamp = await _new(wire, "contacts", folder_id="25", last_name="Å", birthday=-DAY)
    rows = (
        await wire.put("contacts", "list", [{"id": key, "folder": "25"}], columns="511,1,501,20,6,524")
    ).data
    assert rows == [[-DAY, key, None, "25", stamp, None]]
    contact = (await wire.get("contacts", "get", id=key, folder="25")).data
    assert "first_name" not in contact
    assert (contact["birthday"], contact["display_name"]) == (-DAY, "Å")


@pytest.mark.parametrize(
    ("zone", "ahead"), [({}, 2), ({"timezone": "UTC"}, 0), ({"timezone": "America/New_York"}, -4)]
)
async def test_times_are_shifted_by_the_zone(wire: Any, zone: Any, ahead: int) -> None:
    """By the user's, unless the request names one; dates and time stamps are not."""
    key, stamp = await _new(wire, "tasks", folder_id="7", title="x", start_date=DAY)
    answer = await wire.put("tasks", "update", {"start_time": SUMMER, "full_time": False}, folder="7", id=key,
                            timestamp=stamp, timezone="UTC")  # fmt: skip
    stamp = answer.json["timestamp"]
    rows = (await wire.put("tasks", "list", [{"id": key, "folder": "7"}], columns="316,201,5,6", **zone)).data
    start, day, modified, modified_utc = rows[0]
    assert start - SUMMER == ahead * HOUR
    assert day % DAY == 0
    assert (modified_utc, modified % HOUR) == (stamp, stamp % HOUR)


async def test_times_are_read_as_they_are_written(wire: Any, emulator: Any) -> None:
    """In the user's zone, or in the one of the request."""
    await _new(wire, "tasks", folder_id="7", title="local", start_time=SUMMER + 2 * HOUR)
    await wire.put("tasks", "new", {"folder_id": "7", "title": "utc", "start_time": SUMMER}, timezone="UTC")
    assert [row["start_time"] for row in emulator.rows("tasks")[-2:]] == [SUMMER, SUMMER]


async def test_whole_days_have_no_zone(wire: Any) -> None:
    """``full_time`` makes dates of the times."""
    key, _ = await _new(wire, "tasks", folder_id="7", title="x", start_time=7 * DAY, full_time=True)
    assert (await wire.get("tasks", "get", id=key, folder="7")).data["start_time"] == 7 * DAY


@pytest.mark.parametrize(
    ("module", "fields"),
    [
        ("contacts", {"birthday": DAY + 1}),
        ("contacts", {"mark_as_distributionlist": "yes"}),
        ("contacts", {"distribution_list": [{"display_name": "nobody"}]}),
        ("tasks", {"start_time": "tomorrow"}),
        ("tasks", {"percent_completed": 101}),
        ("tasks", {"status": 6}),
        ("tasks", {"start_time": 2 * DAY, "end_time": DAY}),
        ("calendar", {"start_date": HOUR, "end_date": DAY, "full_time": True}),
        ("calendar", {"start_date": HOUR}),
    ],
    ids=str,
)
async def test_field_values_that_make_no_sense_are_refused(wire: Any, module: str, fields: Any) -> None:
    """Are refused, and nothing is stored."""
    folder = {"contacts": "25", "tasks": "7", "calendar": "21"}[module]
    answer = await wire.put(module, "new", {"folder_id": folder, "title": "x", **fields})
    assert answer.json["category"] == 1


async def test_a_text_may_be_too_long(wire: Any) -> None:
    """The error tells which column, and how long it may be."""
    answer = await wire.put("contacts", "new", {"folder_id": "25", "last_name": "x" * 129})
    assert (answer.json["categories"], answer.json["truncated"]) == (
        "TRUNCATED",
        [{"id": 502, "max_size": 128}],
    )


@pytest.mark.parametrize(("order", "first"), [("asc", None), ("desc", "y")])
async def test_rows_are_sorted_by_a_column(wire: Any, order: str, first: str | None) -> None:
    """Absent values come before all others."""
    await _new(wire, "tasks", folder_id="7", note="y")
    rows = (await wire.get("tasks", "all", folder="7", columns="203", sort="203", order=order)).data
    assert rows[0] == [first]


# -- writing ---------------------------------------------------------------------------------------


async def test_partial_updates_change_only_sent_fields(wire: Any) -> None:
    """What is not sent stays; ``null`` removes, and so does an empty text."""
    key, stamp = await _new(
        wire, "contacts", folder_id="25", last_name="A", first_name="B", email1="c@example.com"
    )
    change = {"first_name": None, "email1": "", "note": "n"}
    await wire.put("contacts", "update", change, id=key, folder="25", timestamp=stamp)
    contact = (await wire.get("contacts", "get", id=key, folder="25")).data
    assert (contact["last_name"], contact["note"], "first_name" in contact, "email1" in contact) == (
        "A",
        "n",
        False,
        False,
    )


@pytest.mark.parametrize(
    ("module", "folder", "code"),
    [("contacts", "25", "CON-0119"), ("tasks", "7", "TSK-0007"), ("calendar", "21", "CAL-4120")],
)
async def test_newer_objects_are_not_overwritten(wire: Any, module: str, folder: str, code: str) -> None:
    """An object that is newer than the time stamp is not changed; deleting it gives it back as not deleted."""
    fields = {"folder_id": folder, "title": "x", "start_date": 0, "end_date": DAY, "shown_as": 4}
    key, stamp = await _new(wire, module, **fields)
    reference = {"id": key, "folder": folder}
    refused = await wire.put(module, "update", {"note": "n"}, timestamp=stamp - 1, **reference)
    assert (refused.code, refused.json["categories"]) == (code, "CONFLICT")
    not_deleted = (await wire.put(module, "delete", [reference], timestamp=stamp - 1)).data
    assert not_deleted == ([reference] if module == "calendar" else [key])
    newer = (await wire.put(module, "update", {"note": "n"}, timestamp=stamp, **reference)).json["timestamp"]
    assert newer > stamp
    assert (await wire.put(module, "delete", [reference], timestamp=newer)).data == []
    assert (await wire.get(module, "get", **reference)).json["category"] == 1


async def test_deleted_objects_are_missing_in_lists(wire: Any) -> None:
    """Without an error; and deleting it is reported."""
    key, stamp = await _new(wire, "contacts", folder_id="25", last_name="A")
    body = [{"id": "4711", "folder": "25"}, {"id": key, "folder": "25"}]
    assert (await wire.put("contacts", "list", body, columns="1")).data == [[key]]
    assert (await wire.put("contacts", "delete", body, timestamp=stamp)).data == ["4711"]


async def test_objects_are_moved_by_an_update(wire: Any) -> None:
    """By an update of its folder; it is deleted where it was."""
    key, stamp = await _new(wire, "contacts", folder_id="25", last_name="A")
    await wire.put("contacts", "update", {"folder_id": "26"}, id=key, folder="25", timestamp=stamp)
    assert (await wire.get("contacts", "get", id=key, folder="26")).data["folder_id"] == "26"
    updates = await wire.get("contacts", "updates", folder="25", columns="1", timestamp=stamp, ignore="false")
    assert updates.data == [key]


async def test_addressbooks_and_contacts_name_folders_differently(wire: Any) -> None:
    """``addressbooks`` shows composite ids, ``contacts`` plain ones; the contacts are the same."""
    key, _ = await _new(wire, "addressbooks", folder_id="con://0/25", last_name="A")
    new = (await wire.get("addressbooks", "get", id=key, folder="con://0/25")).data
    old = (await wire.get("contacts", "get", id=key, folder="25")).data
    assert (new["folder_id"], old["folder_id"]) == ("con://0/25", "25")


async def test_private_objects_are_hidden_from_others(wire: Any, john: Any) -> None:
    """Private folders are their owner's; private objects in shared ones too; the global book is read only."""
    assert (await john.get("contacts", "all", folder="25", columns="1")).json["category"] == 3
    shared = {"folder_id": "60", "title": "x", "start_date": 0, "end_date": DAY, "shown_as": 4}
    key, _ = await _new(wire, "calendar", **shared, private_flag=True)
    assert (await john.get("calendar", "get", id=key, folder="60")).json["category"] == 3
    assert (await wire.put("contacts", "new", {"folder_id": "6", "last_name": "A"})).json["category"] == 3


# -- updates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "folder", "ignore", "delivered"),
    [
        ("contacts", "25", None, False),
        ("contacts", "25", "false", True),
        ("contacts", "25", "deleted", False),
        ("tasks", "7", None, False),
        ("tasks", "7", "false", True),
        ("calendar", "21", "false", True),
    ],
)
async def test_updates_are_one_flat_array(
    wire: Any, module: str, folder: str, ignore: str | None, delivered: bool
) -> None:
    """Nested arrays are what changed; bare ids, texts or numbers, what was deleted: unless that is ignored."""
    fields = {"folder_id": folder, "title": "x", "start_date": 0, "end_date": DAY, "shown_as": 4}
    deleted_id, since = await _new(wire, module, **fields)
    other_id, _ = await _new(wire, module, **fields)
    await wire.put(module, "delete", [{"id": deleted_id, "folder": folder}], timestamp=since)
    answer = await wire.get(module, "updates", folder=folder, columns="1", timestamp=since - 1, ignore=ignore)
    assert answer.data == [
        [other_id],
        *([deleted_id if module == "contacts" else int(deleted_id)] if delivered else []),
    ]
    last = answer.json["timestamp"]  # of what was delivered: what was suppressed comes again
    nothing = await wire.get(module, "updates", folder=folder, columns="1", timestamp=last, ignore="false")
    assert nothing.data == ([] if delivered else [deleted_id if module == "contacts" else int(deleted_id)])


async def test_the_default_of_ignore_is_disputed(wire: Any, emulator: Any) -> None:
    """The document has contacts suppress deletions, the server delivers them: a switch."""
    key, since = await _new(wire, "contacts", folder_id="25", last_name="A")
    await wire.put("contacts", "delete", [{"id": key, "folder": "25"}], timestamp=since)
    emulator.server_options.contacts_deliver_deleted = True
    assert (await wire.get("contacts", "updates", folder="25", columns="1", timestamp=since)).data == [key]


# -- searching -------------------------------------------------------------------------------------

PEOPLE: list[dict[str, Any]] = [
    {"last_name": "Mustermann", "first_name": "Max", "email1": "max@example.com", "birthday": 11 * DAY},
    {"last_name": "Mustermann", "first_name": "Eva", "company": "Max Ltd", "birthday": 400 * DAY},
    {"last_name": "Meier*", "first_name": "max", "email1": "meier@example.com"},
]


@pytest.fixture
async def people(wire: Any) -> Any:
    """Three people, besides those that there are."""
    for person in PEOPLE:
        await _new(wire, "contacts", folder_id="26", **person)
    return wire


TERMS: list[tuple[Any, list[str]]] = [
    (["=", {"field": "last_name"}, "Mustermann"], ["Max", "Eva"]),
    (["=", {"field": "last_name"}, "M*er?"], ["max"]),
    (["=", {"field": "last_name"}, "Meier\\*"], ["max"]),
    (["<>", {"field": "last_name"}, "Mustermann"], ["max"]),
    (["and", ["=", {"field": "last_name"}, "Mustermann"], ["=", {"field": "first_name"}, "Max"]], ["Max"]),
    (["or", ["=", {"field": "company"}, "Max*"], ["=", {"field": "email1"}, "meier@*"]], ["Eva", "max"]),
    (["not", ["isNull", {"field": "email1"}]], ["Max", "max"]),
    ([">=", {"field": "birthday"}, 12 * DAY], ["Eva"]),
]


@pytest.mark.parametrize(("term", "names"), TERMS, ids=str)
async def test_contacts_are_searched_by_terms(people: Any, term: Any, names: list[str]) -> None:
    """Prefix notation, field names, patterns; whatever the case."""
    body = {"filter": term, "folders": ["26"]}
    answer = await people.put("contacts", "advancedSearch", body, columns="501", sort="1", order="asc")
    assert [row[0] for row in answer.data] == names


@pytest.mark.parametrize(
    "term",
    [
        ["=", {"field": "folder"}, "26"],
        ["=", {"field": "502"}, "x"],
        ["~", {"field": "last_name"}, "x"],
        ["=", {"header": "From"}, "x"],
        ["and"],
        "last_name = x",
    ],
    ids=str,
)
async def test_search_terms_that_make_no_sense_are_refused(wire: Any, term: Any) -> None:
    """Folders are no field of contacts: ``folders`` is for that."""
    answer = await wire.put("addressbooks", "advancedSearch", {"filter": term}, columns="1")
    assert answer.json["category"] == 1


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"pattern": "muster"}, ["Max", "Eva"]),
        ({"pattern": "m?ier*"}, ["max"]),
        ({"last_name": "muster", "first_name": "max"}, ["Max"]),
        ({"last_name": "mei", "first_name": "e", "orSearch": True}, ["Eva", "max"]),
        ({"last_name": "muster", "exactMatch": True}, []),
        ({"last_name": "m", "emailAutoComplete": True}, ["Max", "max"]),
    ],
    ids=str,
)
async def test_contacts_are_searched_by_fields(people: Any, body: Any, names: list[str]) -> None:
    """By fields: in the middle, at the start or as a whole."""
    answer = await people.put(
        "contacts", "search", {"folder": "26", **body}, columns="501", sort="1", order="asc"
    )
    assert [row[0] for row in answer.data] == names


async def test_autocomplete_and_birthdays(people: Any) -> None:
    """A range of what is found; and dates whatever their year."""
    params = {"folder": "26", "columns": "501", "sort": "1", "order": "asc"}
    matches = await people.get("contacts", "autocomplete", query="max", email="false", **params)
    assert [row[0] for row in matches.data] == ["Max", "Eva", "max"]
    page = await people.get("contacts", "autocomplete", query="max", email="false", left_hand_limit=1,
                            right_hand_limit=2, **params)  # fmt: skip
    assert page.data == [["Eva"]]
    year = 365 * DAY
    birthdays = await people.get(
        "contacts", "birthdays", start=year + 10 * DAY, end=year + 12 * DAY, **params
    )
    assert birthdays.data == [["Max"]]


async def test_tasks_are_searched(wire: Any) -> None:
    """By a pattern, which has to be there, in a folder and a range."""
    await _new(wire, "tasks", folder_id="7", title="Buy milk", start_time=SUMMER, end_time=SUMMER + HOUR)
    await _new(
        wire, "tasks", folder_id="7", title="milk again", start_time=SUMMER + DAY, end_time=SUMMER + 2 * DAY
    )
    assert len((await wire.put("tasks", "search", {"pattern": "milk"}, columns="1")).data) == 2
    params = {"columns": "200", "start": SUMMER, "end": SUMMER + HOUR}
    assert (await wire.put("tasks", "search", {"pattern": "m?lk", "folder": "7"}, **params)).data == [
        ["Buy milk"]
    ]
    assert (await wire.put("tasks", "search", {}, columns="1")).code == "SVL-0002"


# -- the rest --------------------------------------------------------------------------------------


async def test_participants_confirm_tasks(wire: Any, john: Any, emulator: Any) -> None:
    """Each for themselves."""
    people = [{"id": 3, "type": 1}, {"id": 4, "type": 1}]
    key, stamp = await _new(wire, "tasks", folder_id="7", title="x", participants=people)
    stamp = (await wire.put("tasks", "confirm", {"confirmation": 1, "confirmmessage": "ok"}, id=key, folder="7",
                            timestamp=stamp)).json["timestamp"]  # fmt: skip
    users = {user["id"]: user for user in (await wire.get("tasks", "get", id=key, folder="7")).data["users"]}
    assert (users[3], users[4]) == (
        {"id": 3, "confirmation": 1, "confirmmessage": "ok"},
        {"id": 4, "confirmation": 0},
    )


async def test_tasks_with_alarms_make_reminders(wire: Any) -> None:
    """A task with an alarm makes one; it can come again, and go."""
    key, _ = await _new(wire, "tasks", folder_id="7", title="x", alarm=SUMMER)
    (reminder,) = (await wire.get("reminder", "range", end=SUMMER)).data
    assert (reminder["target_id"], reminder["module"], reminder["alarm"]) == (int(key), 4, SUMMER)
    again = await wire.put("reminder", "remindAgain", {"alarm": SUMMER + HOUR}, id=reminder["id"])
    assert again.data["alarm"] == SUMMER + HOUR
    assert (await wire.get("reminder", "range", end=SUMMER)).data == []
    assert (await wire.put("reminder", "delete", [{"id": reminder["id"]}, {"id": 1}])).data == [1]


async def test_overlapping_appointments_are_not_created(wire: Any) -> None:
    """Nothing is created then, unless the client says that it does not mind."""
    body = {"folder_id": "21", "title": "x", "start_date": 100 * DAY, "end_date": 100 * DAY + HOUR}
    await wire.put("calendar", "new", body, timezone="UTC")
    clash = (await wire.put("calendar", "new", body, timezone="UTC")).data
    assert [conflict["title"] for conflict in clash["conflicts"]] == ["x"]
    assert (await wire.put("calendar", "new", {**body, "ignore_conflicts": True}, timezone="UTC")).data["id"]
    has = await wire.get("calendar", "has", start=99 * DAY, end=102 * DAY, timezone="UTC")
    assert has.data == [False, True, False]


async def test_free_busy_hides_titles_of_others(wire: Any, john: Any) -> None:
    """Without what they do."""
    body = {
        "folder_id": "121",
        "title": "secret",
        "start_date": 50 * DAY,
        "end_date": 50 * DAY + HOUR,
        "private_flag": True,
    }
    await john.put("calendar", "new", body, timezone="UTC")
    params = {"start": 49 * DAY, "end": 51 * DAY, "timezone": "UTC"}
    (busy,) = (await wire.get("calendar", "freebusy", id=4, type=1, **params)).data
    assert ("title" in busy, busy["start_date"]) == (False, 50 * DAY)
    between = {"from": 49 * DAY, "until": 51 * DAY, "timezone": "UTC"}
    (interval,) = (await wire.get("freebusy", "get", participant="4", **between)).data
    assert interval["status"] == "reserved"
    many = (await wire.put("freebusy", "list", ["4", "x@example.com"], **between)).data
    assert (many["4"]["data"], many["x@example.com"]["data"]) == ([interval], [])
