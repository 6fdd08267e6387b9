"""From arguments to a call: parameters, the record that a call begins with, bodies, time stamps."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.services.ox.calls import Recorder, body, module, query, read
from zeyos_async.errors import InvalidArgument, UnknownField
from zeyos_async.ox import (
    AttachmentData,
    ContactData,
    ContactListElement,
    EventData,
    FolderBody,
    FolderData,
    GroupData,
    InfoItemData,
    MailComposeResponseMessageModel,
    MailData,
    MailDestinationData,
    TaskData,
)
from zeyos_async.services.ox._generated import MODULES, make_module
from zeyos_async.services.ox.answers import Envelope
from zeyos_async.services.ox.operation import Operation, custom_operation
from zeyos_async.services.ox.rows import Rows
from zeyos_async.services.ox.spec import FormBody, JsonBody, PartsBody, RawBody, ResultShape
from zeyos_async.wire import Safety

NOON = datetime(2027, 1, 2, 12, tzinfo=UTC)
NOON_MS = "1798891200000"


# -- parameters ------------------------------------------------------------------------------------


def test_a_call_is_made_of_data() -> None:
    """Action first, parameters by the document's names, the zone last; nothing is sent."""
    prepared = module("contacts").get.later(id="3", folder="25").prepared
    assert prepared.query == (("action", "get"), ("id", "3"), ("folder", "25"), ("timezone", "UTC"))
    assert (prepared.path, prepared.body, prepared.operation) == ("contacts", None, "contacts.get")
    assert prepared.spec.safety is Safety.READ


def test_the_zone_goes_with_every_session_and_with_no_log_in() -> None:
    """Trap 3: times are shifted by the user's zone, unless it is said to be UTC."""
    assert ("timezone", "UTC") in module("tasks").get.later(id="1", folder="2").prepared.query
    login = module("login").login.later({"name": "jane", "password": "secret"}).prepared
    assert dict(login.query) == {"action": "login"}
    assert login.body == FormBody((("name", "jane"), ("password", "secret")))
    assert "secret" not in repr(login)
    assert "secret" not in repr(login.body)


NAMED = [
    ("folders", "list", {"parent": "1", "columns": ["id"], "alt_names": True}, {"altNames": "true"}),
    (
        "folders",
        "root",
        {"columns": ["id"], "allowed_modules": ["mail", "tasks"]},
        {"allowed_modules": "mail,tasks"},
    ),
    (
        "chronos",
        "all",
        {"range_start": NOON, "range_end": date(2027, 2, 1)},
        {"rangeStart": "20270102T120000Z", "rangeEnd": "20270201"},
    ),
    (
        "calendar",
        "all",
        {"columns": ["id"], "start": date(2027, 1, 2), "end": NOON},
        {"start": "1798848000000", "end": NOON_MS},
    ),
    ("infostore", "lock", {"id": "9/1", "diff": 1000}, {"id": "9/1", "diff": "1000"}),
    ("mail", "zip_messages", {"folder": "x", "id": ["1", "2"]}, {"id": "1,2"}),
    (
        "freebusy",
        "get",
        {"from_": NOON, "until": NOON, "participant": "3"},
        {"from": NOON_MS, "until": NOON_MS},
    ),
    (
        "mailfilter_v2",
        "apply",
        {"id": 7, "folder": "default0/INBOX"},
        {"folderId": "default0/INBOX", "id": "7"},
    ),
    (
        "mail_categories",
        "train",
        {"category_id": "a", "apply_for_existing": False},
        {"apply-for-existing": "false"},
    ),
]


@pytest.mark.parametrize(("where", "action", "arguments", "expected"), NAMED)
def test_parameters_are_sent_as_the_document_names_them(
    where: str, action: str, arguments: dict[str, Any], expected: dict[str, str]
) -> None:
    """Python's names and values go out as the document's."""
    args = [{"from": ["a@b.c"]}] if action == "train" else []
    bound = getattr(module(where), action)
    parameters = dict(bound.prepare(*args, **arguments).query)
    assert expected.items() <= parameters.items()


WRONG = [
    ("contacts", "get", (), {"id": "3"}, "folder="),
    ("contacts", "get", (), {"folder": "3"}, "contacts.get needs id="),
    ("contacts", "get", (), {"id": "3", "foldr": "25"}, "Did you mean 'folder'"),
    ("contacts", "get", ("3",), {}, "begins with the record"),
    ("contacts", "get", (TaskData(id="3", folder_id="7"),), {}, "begins with the record"),
    ("contacts", "update", (TaskData(id="3", folder_id="7"), {}), {}, "begins with the record"),
    ("contacts", "all", ("25",), {}, "positional"),
    ("chronos", "new", ({},), {"folder": "x", "scheduling": "some"}, "'internal-only'"),
    ("infostore", "lock", (), {"id": "9", "diff": "soon"}, "whole number"),
    ("folders", "root", (), {"columns": ["id"], "allowed_modules": 5.5}, "takes a list"),
    ("system", "ping", (), {"x": 1}, "takes no 'x'"),
    ("tasks", "updates", (), {"folder": "7", "timestamp": 0}, "called 'since'"),
    ("chronos", "all", (), {"rangeStart": "x"}, "called 'range_start'"),
    ("folders", "new", ({},), {"folder_id": "1"}, "called 'folder'"),
    ("tasks", "get", (), {"folderId": "7"}, "Did you mean 'folder'"),
    ("tasks", "all", (), {"folder": "7", "timezone": "Europe/Berlin"}, "always UTC"),
    ("system", "ping", (), {"timezone": "UTC"}, "always UTC"),
    ("contacts", "update", ({"last_name": "X"},), {"id": "3", "folder": "25"}, "others' changes"),
    ("contacts", "delete", ([("25", "3")],), {}, "others' changes"),
    ("contacts", "updates", (), {"folder": "25"}, "needs since"),
    ("contacts", "new", (), {}, "needs a ContactData"),
    ("contacts", "new", (None,), {}, "needs a ContactData"),
    ("contacts", "new_with_image", ({},), {}, "needs file="),
    ("contacts", "new_with_image", ({},), {"file": "photo.png"}, "a Path"),
    ("attachment", "attach", ([{}, {}],), {"files": [b"x"]}, "one AttachmentData for each file"),
    ("mail_compose", "get", (), {"id": ".."}, "no part of a path"),
    ("config", "get", (), {"path": "modules/../x"}, "no part of a path"),
    ("tasks", "search", ({},), {}, "TaskSearchBody needs pattern"),
    ("login", "login", ({"name": "jane"},), {}, "needs password"),
    ("jslob", "set", ({"at": NOON},), {}, "takes JSON values"),
    ("jslob", "set", ({"x": float("nan")},), {}, "takes JSON values"),
    ("mail", "autosave", ({"headers": {"x": NOON}},), {}, "MailData.headers takes JSON values"),
]


@pytest.mark.parametrize(("where", "action", "args", "arguments", "why"), WRONG)
def test_arguments_that_do_not_fit_are_refused(
    where: str, action: str, args: tuple[Any, ...], arguments: dict[str, Any], why: str
) -> None:
    """Unknown, missing and wrong arguments are refused before anything is sent, with what to do."""
    with pytest.raises(InvalidArgument) as caught:
        getattr(module(where), action).prepare(*args, **arguments)
    assert why in str(caught.value)


def test_parts_of_the_path_are_quoted() -> None:
    """A part of the path stays one part; a setting's path keeps its slashes."""
    assert module("mail_compose").get.later(id="a/b c").prepared.path == "mail/compose/a%2Fb%20c"
    assert module("config").get.later(path="modules/mail").prepared.path == "config/modules/mail"
    send = module("mail_compose").send.prepare({}, id="7", client_token="abc")
    assert send.path == "mail/compose/7/send"
    assert dict(send.query) == {"clientToken": "abc", "timezone": "UTC"}


def test_ignore_is_always_sent() -> None:
    """Trap 8: left out, modules disagree on whether deletions are told."""
    for where in ("contacts", "tasks", "folders", "infostore", "calendar"):
        arguments = {"since": 0} | ({"folder": "7"} if where != "folders" else {})
        updates = module(where).updates
        assert query(updates.later(**arguments))["ignore"] == "false"
        assert query(updates.later(**arguments, ignore="deleted"))["ignore"] == "deleted"
        assert query(updates.later(**arguments))["timestamp"] == "0"


# -- the record that a call begins with ------------------------------------------------------------

JANE = ContactData(id="3", folder_id="25", timestamp=NOON)


def test_a_record_names_itself() -> None:
    """ID, folder and time stamp are the record's; what is named wins."""
    contacts = module("contacts")
    assert query(contacts.get.later(JANE)) == {"id": "3", "folder": "25"}
    assert query(contacts.get.later(JANE, folder="26")) == {"id": "3", "folder": "26"}
    update = contacts.update.later(JANE, {"last_name": "Doe"})
    assert query(update) == {"id": "3", "folder": "25", "timestamp": NOON_MS}
    assert body(update) == {"last_name": "Doe"}
    later = contacts.update.later(JANE, {"last_name": "Doe"}, timestamp=NOON + timedelta(seconds=1))
    assert query(later)["timestamp"] == "1798891201000"


def test_the_time_stamp_of_what_came_as_a_part_of_another() -> None:
    """Its own field tells when it was changed; an envelope's, where there is one, is newer."""
    chronos = module("chronos")
    event = EventData(id="5", folder="x", timestamp=NOON)
    assert query(chronos.update.later(event, {"summary": "x"}))["timestamp"] == NOON_MS
    event.timestamp_ = NOON + timedelta(seconds=1)
    assert query(chronos.update.later(event, {"summary": "x"}))["timestamp"] == "1798891201000"
    folder = FolderData(id="7", last_modified=NOON - timedelta(days=1), last_modified_utc=NOON)
    assert query(module("folders").update.later(folder, {"title": "x"}))["timestamp"] == NOON_MS
    task = TaskData(id="1", folder_id="7", last_modified=NOON)
    assert query(module("tasks").update.later(task, {"title": "x"}))["timestamp"] == NOON_MS


def test_changes_without_a_record_need_id_and_folder() -> None:
    """Without a record, its ID, folder and time stamp are given by name."""
    update = module("contacts").update.later({"last_name": "Doe"}, id="3", folder="25", timestamp=5)
    assert query(update) == {"id": "3", "folder": "25", "timestamp": "5"}
    assert body(update) == {"last_name": "Doe"}


def test_a_record_alone_is_sent_as_it_is() -> None:
    """What it holds is what shall be stored."""
    jane = ContactData(id="3", folder_id="25", last_name="Doe", created_by=4, timestamp=NOON)
    update = module("contacts").update.later(jane)
    assert body(update) == {"id": "3", "folder_id": "25", "last_name": "Doe"}
    assert query(update)["timestamp"] == NOON_MS


def test_a_record_that_lacks_something_says_so() -> None:
    """A record of other columns has no folder."""
    with pytest.raises(InvalidArgument, match="needs folder="):
        module("contacts").get.later(ContactData(id="3"))


def test_a_body_of_another_kind_is_refused() -> None:
    """An answer to a task is no task."""
    task = TaskData(id="1", folder_id="7", timestamp=NOON)
    confirm = module("tasks").confirm.later(task, {"confirmation": 1})
    assert query(confirm) == {"id": "1", "folder": "7", "timestamp": NOON_MS}
    assert body(confirm) == {"confirmation": 1}
    with pytest.raises(InvalidArgument, match="needs a TaskConfirmationBody"):
        module("tasks").confirm.later(task)


def test_a_destination_is_not_where_the_record_is() -> None:
    """Moving a file to where it is already would be a silent nothing."""
    item = InfoItemData(id="9/1", folder_id="9", timestamp=NOON)
    with pytest.raises(InvalidArgument, match="needs folder="):
        module("infostore").move.later(item)
    assert query(module("infostore").move.later(item, folder="10"))["folder"] == "10"


def test_references_to_records_will_do_in_lists() -> None:
    """Where a mail was copied to is where it is."""
    copied = MailDestinationData(id="18", folder_id="default0/Trash")
    assert query(module("mail").get.later(copied)) == {"folder": "default0/Trash", "id": "18"}


def test_records_of_other_kinds_that_calls_begin_with() -> None:
    """Occurrences, attachments, mails that are being written."""
    event = EventData(id="5", folder="cal://0/31", recurrenceId="20270102T120000Z", timestamp_=NOON)
    parameters = query(module("chronos").get.later(event))
    assert parameters == {"id": "5", "folder": "cal://0/31", "recurrenceId": "20270102T120000Z"}
    attachment = AttachmentData(id="8", folder=7, attached=1, module=4)  # type: ignore[arg-type]
    assert query(module("attachment").get.later(attachment)) == {
        "id": "8",
        "folder": "7",
        "attached": "1",
        "module": "4",
    }
    space = MailComposeResponseMessageModel(id="abc")
    assert (
        module("mail_compose").update.later(space, {"subject": "Hello"}).prepared.path == "mail/compose/abc"
    )


async def test_a_write_brings_the_record_up_to_date() -> None:
    """It holds what was written, and the time stamp that the next write needs; a read leaves it alone."""
    caller = Recorder(Envelope({}, 1_798_891_200_001))
    contacts: Any = make_module("contacts", caller)
    jane = ContactData(id="3", folder_id="25", last_name="Roe", birthday=date(1970, 1, 1), timestamp=NOON)
    await contacts.update(jane, {"last_name": "Doe", "birthday": None})
    assert (jane.last_name, jane.birthday) == ("Doe", None)
    assert jane.timestamp == NOON + timedelta(milliseconds=1)
    before = jane.timestamp
    caller.envelope = Envelope({"id": "3"}, 1_900_000_000_000)
    await contacts.get(jane)
    assert jane.timestamp == before


# -- bodies ----------------------------------------------------------------------------------------

REFS = [
    [ContactData(id="3", folder_id="25", last_name="Doe")],
    ContactData(id="3", folder_id="25"),
    [("25", "3")],
    ("25", "3"),
    [{"id": "3", "folder": "25"}],
    [{"id": "3", "folder_id": "25"}],
    {"id": 3, "folder": 25},
    [ContactListElement(id="3", folder="25")],
    (item for item in [("25", "3")]),
]


@pytest.mark.parametrize("refs", REFS, ids=lambda refs: type(refs).__name__)
def test_lists_of_references_are_sent(refs: Any) -> None:
    """Records, pairs and dicts name the same thing."""
    deletion = module("contacts").delete.later(refs, timestamp=5)
    assert body(deletion) == [{"id": "3", "folder": "25"}]


@pytest.mark.parametrize(
    "refs", ["3", ["3"], [("25",)], [ContactData(id="3")], [{"id": "3"}], [{"folder": "25"}], 5, [None]]
)
def test_references_without_an_id_are_refused(refs: Any) -> None:
    """An ID alone is no reference where there are folders."""
    with pytest.raises(InvalidArgument):
        module("contacts").delete.later(refs, timestamp=5)


def test_the_oldest_time_stamp_protects_all() -> None:
    """Of several records the oldest is sent: the server refuses what changed since then."""
    older = ContactData(id="4", folder_id="25", timestamp=NOON - timedelta(days=1))
    contacts = module("contacts")
    assert query(contacts.delete.later([JANE, older]))["timestamp"] == "1798804800000"
    assert query(contacts.delete.later(JANE))["timestamp"] == NOON_MS
    rows = Rows([ContactData(id="4", folder_id="25")], timestamp=NOON)
    assert query(contacts.delete.later(rows))["timestamp"] == NOON_MS
    with pytest.raises(InvalidArgument, match="timestamp"):
        contacts.delete.later([JANE, ContactData(id="4", folder_id="25")])
    several = contacts.delete.later(item for item in [JANE, older])
    assert query(several)["timestamp"] == "1798804800000"
    assert isinstance(several.prepared.body, JsonBody)
    assert [ref["id"] for ref in several.prepared.body.value] == [JANE.id, "4"]
    assert query(contacts.delete.later([]))["timestamp"] == "0"


OTHER_BODIES = [
    (
        "chronos",
        "delete",
        ([EventData(id="5", folder="x")],),
        {"timestamp": 1},
        {"events": [{"id": "5", "folder": "x"}]},
    ),
    (
        "chronos",
        "delete",
        ({"events": [{"id": "5", "folder": "x"}], "comment": "no"},),
        {"timestamp": 1},
        {"events": [{"id": "5", "folder": "x"}], "comment": "no"},
    ),
    (
        "chronos",
        "update",
        ({"summary": "x"},),
        {"id": "5", "folder": "x", "timestamp": 1},
        {"event": {"summary": "x"}},
    ),
    (
        "chronos",
        "update",
        ({"event": {"summary": "x"}, "comment": "so"},),
        {"id": "5", "folder": "x", "timestamp": 1},
        {"event": {"summary": "x"}, "comment": "so"},
    ),
    (
        "folders",
        "new",
        ({"title": "x", "module": "mail"},),
        {"folder": "1"},
        {"folder": {"title": "x", "module": "mail"}},
    ),
    (
        "folders",
        "update",
        ({"folder": "7", "title": "x"},),
        {"id": "5"},
        {"folder": {"folder_id": "7", "title": "x"}},
    ),
    (
        "folders",
        "update",
        (FolderBody(folder=FolderData(title="x")),),
        {"id": "5"},
        {"folder": {"title": "x"}},
    ),
    ("infostore", "update", ({"title": "x"},), {"id": "5", "timestamp": 1}, {"file": {"title": "x"}}),
    ("folders", "delete", (["1", FolderData(id="2")],), {}, ["1", "2"]),
    ("folders", "delete", ("1",), {}, ["1"]),
    ("account", "delete", ([1, "2"],), {}, [1, 2]),
    ("user", "list", (["3", 4],), {"columns": ["id"]}, ["3", "4"]),
    ("group", "delete", (GroupData(id=4, timestamp=NOON),), {}, {"id": 4}),
    ("group", "list", ([4, {"id": 5}, GroupData(id=6)],), {}, [{"id": 4}, {"id": 5}, {"id": 6}]),
    (
        "mail",
        "list",
        ([MailData(id="1", folder_id="default0/INBOX")],),
        {"columns": ["id"]},
        [{"id": "1", "folder": "default0/INBOX"}],
    ),
    ("export", "csv_of", ([JANE],), {}, [{"id": "3", "folder_id": "25"}]),
    ("infostore", "detach", ([1, 2],), {"id": "5", "folder": "9", "timestamp": 1}, [1, 2]),
    ("jslob", "set", ({"theme": "dark"},), {}, {"theme": "dark"}),
    ("config", "put", ("dark",), {"path": "gui"}, {"data": "dark"}),
    (
        "mail",
        "search",
        ({"filter": ["=", {"field": "subject"}, "x"]},),
        {"folder": "x", "columns": ["id"]},
        {"filter": ["=", {"field": "subject"}, "x"]},
    ),
    ("snippet", "delete", (["1"],), {}, ["1"]),
]


@pytest.mark.parametrize(("where", "action", "args", "arguments", "expected"), OTHER_BODIES)
def test_bodies_are_sent_in_the_documents_shape(
    where: str, action: str, args: tuple[Any, ...], arguments: dict[str, Any], expected: Any
) -> None:
    """Each module has lists and objects of its own form; what is given is put into it."""
    assert body_of(where, action, args, arguments) == expected


def body_of(where: str, action: str, args: tuple[Any, ...], arguments: dict[str, Any]) -> Any:
    """The JSON that a call sends, also of a download."""
    body = getattr(module(where), action).prepare(*args, **arguments).body
    assert isinstance(body, JsonBody)
    return body.value


def test_uploads_have_the_modules_parts() -> None:
    """Each module names its parts in a way of its own."""
    new = module("contacts").new_with_image.prepare({"last_name": "Doe"}, file=Path("jane.png"))
    assert new.body == PartsBody((("json", {"last_name": "Doe"}),), (("file", Path("jane.png")),))
    attach = module("attachment").attach.prepare([{"attached": 1}, {"attached": 2}], files=[b"a", b"b"])
    assert attach.body == PartsBody(
        (("json_0", {"attached": 1}), ("json_1", {"attached": 2})), (("file_0", b"a"), ("file_1", b"b"))
    )
    event = module("chronos").new_with_attachments.prepare({"summary": "x"}, files=b"a", folder="x")
    assert event.body == PartsBody((("json_0", {"summary": "x"}),), (("file_0", b"a"),))
    send = module("mail_compose").send.prepare({"subject": "x"}, id="7")
    assert send.body == PartsBody((("JSON", {"subject": "x"}),), ())
    assert module("import_").csv.prepare(folder="25", file=b"x").body == PartsBody((), (("file", b"x"),))
    item = module("infostore").new_with_file.prepare({"folder": "9"}, file=b"x")
    assert item.body == PartsBody((("json", {"file": {"folder_id": "9"}}),), (("file", b"x"),))


def test_a_new_version_of_a_file_changes_nothing_else() -> None:
    """A record and a file: the description stays as it is on the server."""
    item = InfoItemData(id="9/1", folder_id="9", title="a", timestamp=NOON)
    update = module("infostore").update_with_file.prepare(item, file=b"x")
    assert update.body == PartsBody((("json", {"file": {}}),), (("file", b"x"),))
    assert dict(update.query)["id"] == "9/1"


def test_raw_uploads_are_sent_as_bytes() -> None:
    """A mail as it is, a file as it is."""
    mail = module("mail").new_raw.prepare(b"Subject: x\r\n\r\n", folder="default0/Drafts")
    assert mail.body == RawBody(b"Subject: x\r\n\r\n", "message/rfc822")
    upload = module("infostore").upload.prepare(b"x", folder="9", filename="a.txt")
    assert dict(upload.query) == {
        "action": "upload",
        "binary": "true",
        "folder_id": "9",
        "filename": "a.txt",
        "timezone": "UTC",
    }


def test_an_unknown_field_of_a_body_is_refused() -> None:
    """With the closest names."""
    with pytest.raises(UnknownField, match="last_name"):
        module("contacts").new.later({"lastname": "Doe"})


# -- methods ---------------------------------------------------------------------------------------


async def test_a_method_has_three_forms() -> None:
    """To be awaited, with the envelope's words, and for later."""
    caller = Recorder(Envelope({"id": "3"}, 1_798_891_200_000))
    contacts: Any = make_module("contacts", caller)
    assert (await contacts.get(id="3", folder="25")).id == "3"
    result = await contacts.get.result(id="3", folder="25")
    assert (result.data.id, result.timestamp) == ("3", NOON)
    assert contacts.get.later(id="3", folder="25").prepared.operation == "contacts.get"
    assert len(caller.calls) == 2


async def test_arguments_are_checked_before_anything_is_sent() -> None:
    """The caller never sees a call that can't be."""
    caller = Recorder()
    with pytest.raises(InvalidArgument):
        await make_module("contacts", caller).get(id="3")  # type: ignore[attr-defined]
    assert caller.calls == []


def test_methods_can_be_looked_at() -> None:
    """Name, docstring, signature and table."""
    import inspect

    contacts = module("contacts")
    assert repr(contacts.get) == "<operation Contacts.get>"
    assert contacts.get.__doc__.startswith("One contact.")
    assert list(inspect.signature(contacts.get).parameters)[-2:] == ["id", "folder"]
    assert contacts.get.spec.returns is ResultShape.RECORD
    assert repr(module("mail").attachment) == "<download Mail.attachment>"
    assert type(contacts).get.spec is contacts.get.spec


def test_a_method_of_ones_own_has_the_three_forms_too() -> None:
    """Classes that say more than the document prepare calls with code."""

    class Contacts:
        _caller = Recorder()

        @custom_operation
        def everybody(self, folder: str) -> Any:
            return module("contacts").all.prepare(folder=folder, columns=["id"])

    assert isinstance(vars(Contacts)["everybody"], Operation)
    later = Contacts().everybody.later("25")  # type: ignore[call-overload]
    assert query(later) == {"folder": "25", "columns": "1"}


def test_modules_lead_to_those_below() -> None:
    """``chronos/itip`` is ``ox.chronos.itip``, too."""
    assert type(module("chronos").itip).__name__ == "ChronosItip"
    assert type(module("mail").compose).__name__ == "MailCompose"
    assert type(make_module("chronos/itip", Recorder())).__name__ == "ChronosItip"
    for name in MODULES:
        assert make_module(name, Recorder())
    for spec_name in ("appPasswords", "import", "multiple", "oauth/accounts"):
        assert make_module(spec_name, Recorder())
    with pytest.raises(InvalidArgument, match="contacts"):
        make_module("contatcs", Recorder())


def test_records_get_the_folder_that_was_asked_for() -> None:
    """Who asks for no folder can still change what came."""
    (contact,) = read(module("contacts").all.later(folder="25", columns=["id"]), [["3"]])
    assert contact.folder == "25"
    (moved,) = read(module("contacts").all.later(folder="25", columns=["id", "folder"]), [["3", "26"]])
    assert moved.folder == "26"
    folder = read(module("folders").get.later(id="7"), {"id": "7", "folder_id": "1"})
    assert folder.folder == "1"


def test_operations_that_are_not_there_get_the_closest_names() -> None:
    """As modules and fields do; what tools probe for is plainly absent."""
    contacts: Any = module("contacts")
    with pytest.raises(AttributeError, match=r"Contacts has no 'gett'\. Did you mean 'get'"):
        contacts.gett()
    assert not hasattr(contacts, "__html__")
    assert getattr(contacts, "nothing_like_it", None) is None
