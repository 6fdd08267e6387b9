"""Records: what an object becomes and what becomes of a record, the folder's names, days by ``full_time``."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, date, datetime
from typing import Any

import pytest

from zeyos_async import F
from zeyos_async.errors import InvalidArgument, UnknownField
from zeyos_async.ox import (
    AttachmentData,
    Attendee,
    ContactData,
    DistributionListMember,
    EventData,
    FolderData,
    FolderType,
    MailAccountData,
    MailComposeMailPathModel,
    MailData,
    MailFilterRulev2,
    MailFilterTest,
    MailFilterTestv2,
    TaskData,
    TaskStatus,
)
from zeyos_async.services.ox._generated import RECORDS, record_class
from zeyos_async.services.ox.records import OxRecord, from_object, to_object

DAY_MS = 1_798_848_000_000
NOON = datetime(2027, 1, 2, 12, tzinfo=UTC)
NOON_MS = 1_798_891_200_000


def test_an_object_becomes_a_record() -> None:
    """Fields get their types, coded ones their class, nested ones their records; the rest is kept."""
    task = from_object(
        TaskData,
        {
            "id": 5,
            "title": "Ship it",
            "status": 3,
            "priority": "2",
            "participants": [{"id": 3, "type": 1}, None],
            "last_modified": NOON_MS,
            "number_of_links": 7,
            "note": None,
        },
    )
    assert task.id == "5"
    assert task.status is TaskStatus.DONE
    assert task.participants is not None
    assert task.participants[0].id == 3
    assert task.last_modified == NOON
    assert task.note is None
    assert dict(task.extra) == {"number_of_links": 7}


def test_a_code_that_no_document_names_is_kept() -> None:
    """A newer server may have more."""
    folder = from_object(FolderData, {"type": 99})
    assert folder.type == 99
    assert isinstance(folder.type, FolderType)


def test_values_that_do_not_fit_stay_as_they_came() -> None:
    """An odd server is no reason to lose data."""
    odd: dict[str, Any] = {"participants": "none", "percent_completed": "half", "users": [5]}
    task = from_object(TaskData, odd)
    assert (task.participants, task.percent_completed, task.users) == ("none", "half", [5])


@pytest.mark.parametrize("full_time", [True, False, None])
def test_days_and_times_of_tasks(full_time: bool | None) -> None:
    """``full_time`` tells whether the milliseconds are of a day."""
    task = from_object(TaskData, {"start_time": DAY_MS, "end_time": NOON_MS, "full_time": full_time})
    if full_time:
        assert (task.start_time, task.end_time) == (date(2027, 1, 2), date(2027, 1, 2))
    else:
        assert task.end_time == NOON


def test_events_have_zones() -> None:
    """chronos says where its time of day is."""
    event = from_object(EventData, {"startDate": {"value": "20270102T130000", "tzid": "Europe/Berlin"}})
    assert event.startDate == NOON
    whole = from_object(EventData, {"startDate": {"value": "20270102"}, "timestamp": NOON_MS}, timestamp=NOON)
    assert whole.startDate == date(2027, 1, 2)
    assert (whole.timestamp, whole.timestamp_) == (NOON, NOON)


FOLDERS = [
    (ContactData(folder_id="25"), "25"),
    (EventData(folder="cal://0/31"), "cal://0/31"),
    (MailComposeMailPathModel(folderId="default0/Sent"), "default0/Sent"),
]


@pytest.mark.parametrize(("record", "folder"), FOLDERS, ids=lambda value: type(value).__name__)
def test_the_folder_is_one_thing(record: Any, folder: str) -> None:
    """Trap 11: requests and answers call it ``folder``, ``folder_id`` and ``folderId``."""
    assert record.folder == record.folder_id == record.folderId == folder
    for name in ("folder", "folder_id", "folderId"):
        setattr(record, name, f"by {name}")
        assert record.folder == record.folder_id == record.folderId == f"by {name}"


def test_folder_names_of_different_meaning_both_stay() -> None:
    """The folder of what an attachment belongs to is not the attachment's own."""
    attachment = from_object(AttachmentData, {"folder": 7, "folder_id": "9"})
    assert (attachment.folder, attachment.folder_id) == (7, "9")


def test_a_record_can_be_printed_without_its_secrets() -> None:
    """What is set is shown; passwords are not."""
    account = MailAccountData(id=3, name="Work", password="s3cret")
    assert repr(account) == "MailAccountData(id=3, name='Work', password='…')"


def test_records_are_values() -> None:
    """Equal by what they hold; the time stamp does not count; they can be copied and pickled."""
    jane = from_object(ContactData, {"id": "3", "odd": 1}, timestamp=NOON)
    assert jane == from_object(ContactData, {"id": "3", "odd": 1})
    assert pickle.loads(pickle.dumps(jane)) == copy.deepcopy(jane) == jane
    assert pickle.loads(pickle.dumps(jane)).timestamp == NOON


def test_conditions_by_the_fields_of_a_class() -> None:
    """Fields give conditions, as ``F`` does, and unknown ones are refused."""
    assert str(ContactData.f.last_name == "Doe") == str(F.last_name == "Doe")
    with pytest.raises(AttributeError, match="last_name"):
        ContactData.f.lastname  # noqa: B018


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_every_class_has_its_table(name: str) -> None:
    """Each schema's class has an attribute for each field, and names no schema that is not there."""
    cls = record_class(name)
    assert issubclass(cls, OxRecord)
    assert cls.__schema__.name == cls.__name__ == name
    record: Any = cls()
    for field in cls.__schema__.fields.values():
        assert getattr(record, field.attr) is None
        if field.record:
            assert record_class(field.record)
    assert getattr(record, cls.__timestamp_name__) is None
    assert getattr(record, cls.__warnings_name__) == ()


# -- to objects ------------------------------------------------------------------------------------


def sent(cls: type[OxRecord], value: Any) -> dict[str, Any]:
    """What is sent for it."""
    return to_object(cls.__schema__, value, with_read_only=False)


WRITTEN = [
    (
        ContactData,
        {"last_name": "Doe", "birthday": date(1970, 1, 2)},
        {"last_name": "Doe", "birthday": 86_400_000},
    ),
    (ContactData, {"birthday": None}, {"birthday": None}),
    (ContactData, {"folder": "25"}, {"folder_id": "25"}),
    (ContactData, {"folderId": 25}, {"folder_id": "25"}),
    (MailData, {"from_": [["Jane", "jane@x.de"]]}, {"from": [["Jane", "jane@x.de"]]}),
    (MailData, {"from": [["Jane", "jane@x.de"]]}, {"from": [["Jane", "jane@x.de"]]}),
    (EventData, {"class_": "PUBLIC"}, {"class": "PUBLIC"}),
    (EventData, {"startDate": date(2027, 1, 2)}, {"startDate": {"value": "20270102"}}),
    (TaskData, {"status": TaskStatus.DONE}, {"status": 3}),
    (TaskData, {"start_time": date(2027, 1, 2)}, {"start_time": DAY_MS, "full_time": True}),
    (TaskData, {"start_time": NOON}, {"start_time": NOON_MS, "full_time": False}),
    (TaskData, {"start_time": NOON_MS}, {"start_time": NOON_MS}),
    (TaskData, {"end_time": date(2027, 1, 2), "full_time": True}, {"end_time": DAY_MS, "full_time": True}),
    (
        ContactData,
        {"distribution_list": [DistributionListMember(mail="a@b.c"), {"mail_field": 1}]},
        {"distribution_list": [{"mail": "a@b.c"}, {"mail_field": 1}]},
    ),
    (
        FolderData,
        {"com_openexchange_calendar_provider": "google"},
        {"com.openexchange.calendar.provider": "google"},
    ),
]


@pytest.mark.parametrize(("cls", "value", "expected"), WRITTEN)
def test_fields_are_sent_by_their_kind(
    cls: type[OxRecord], value: dict[str, Any], expected: dict[str, Any]
) -> None:
    """What is given is sent, under the document's names and in its form; ``None`` deletes."""
    assert sent(cls, value) == expected


def test_of_a_record_what_is_set_is_sent() -> None:
    """Without what the server alone sets, and without what is the envelope's."""
    jane = ContactData(id="3", folder_id="25", last_name="Doe", created_by=4, timestamp=NOON)
    assert sent(ContactData, jane) == {"id": "3", "folder_id": "25", "last_name": "Doe"}


def test_nested_records_are_sent_whole() -> None:
    """An attendee is what it is, server-set fields included."""
    event = EventData(attendees=[Attendee(cuType="INDIVIDUAL", entity=3)])
    assert sent(EventData, event) == {"attendees": [{"cuType": "INDIVIDUAL", "entity": 3}]}


REFUSED = [
    (ContactData, {"lastname": "Doe"}, UnknownField, "last_name"),
    (ContactData, {"distribution_list": [{"mial": "a"}]}, UnknownField, "mail"),
    (ContactData, {"distribution_list": {"mail": "a"}}, InvalidArgument, "takes a list"),
    (ContactData, {"distribution_list": ["a"]}, InvalidArgument, "DistributionListMember"),
    (ContactData, {"birthday": NOON}, InvalidArgument, "ContactData.birthday"),
    (ContactData, {"folder": "1", "folder_id": "2"}, InvalidArgument, "twice"),
    (ContactData, ["last_name"], InvalidArgument, "dict of its fields"),
    (ContactData, {5: "x"}, InvalidArgument, "text"),
    (TaskData, {"start_time": date(2027, 1, 2), "end_time": NOON}, InvalidArgument, "mixed"),
    (TaskData, {"start_time": date(2027, 1, 2), "full_time": False}, InvalidArgument, "full_time"),
    (TaskData, {"start_time": NOON, "full_time": True}, InvalidArgument, "full_time"),
]


@pytest.mark.parametrize(("cls", "value", "kind", "why"), REFUSED)
def test_fields_that_do_not_fit_are_refused(
    cls: type[OxRecord], value: Any, kind: type[Exception], why: str
) -> None:
    """A wrong name, a wrong kind of value, a contradiction: nothing is sent."""
    with pytest.raises(kind, match=why):
        sent(cls, value)


def test_nested_records_keep_what_the_library_does_not_know() -> None:
    """A filter that is read and written back keeps its conditions, those with new names, too."""
    test = {
        "id": "allof",
        "tests": [
            {"id": "header", "headers": ["From"], "values": ["x"], "newcondition": [1, {"a": None}]},
            {"id": "not", "test": {"id": "anyof", "tests": [{"id": "size", "size": 5, "unit": "M"}]}},
        ],
        "later": "kept",
    }
    rule = from_object(MailFilterRulev2, {"id": 1, "test": test, "actioncmds": [{"id": "keep", "new": True}]})
    assert isinstance(rule.test, MailFilterTestv2)
    assert rule.test.tests is not None
    assert to_object(MailFilterRulev2.__schema__, rule, with_read_only=False) == {
        "id": 1, "test": test, "actioncmds": [{"id": "keep", "new": True}]
    }  # fmt: skip


def test_all_of_and_any_of_take_tests() -> None:
    """The document says so in its text only."""
    for schema in (MailFilterTest.__schema__, MailFilterTestv2.__schema__):
        condition = {
            "id": "anyof",
            "tests": [{"id": "true"}, {"id": "not", "test": {"id": "allof", "tests": []}}],
        }
        assert to_object(schema, condition) == condition
