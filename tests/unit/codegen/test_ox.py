"""How the catalogue of Open-Xchange's API and our corrections become schemas and operations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from codegen.ox import OxRenderer, list_submodules, module_attribute
from codegen.ox_operations import OVERLAY, load_operations, load_overlay, to_snake_case
from codegen.ox_schemas import Schemas


@pytest.fixture(scope="module")
def overlay() -> dict[str, Any]:
    """Our corrections."""
    return load_overlay()


@pytest.mark.parametrize(
    ("name", "python"),
    [
        ("advancedSearch", "advanced_search"),
        ("all_seen", "all_seen"),
        ("rangeStart", "range_start"),
        ("ignoreUIDs", "ignore_uids"),
        ("clientIP", "client_ip"),
        ("SAMLRequest", "saml_request"),
        ("OUTLOOK_CSV", "outlook_csv"),
        ("export_PDF", "export_pdf"),
        ("apply-for-existing", "apply_for_existing"),
        ("from", "from_"),
        ("import", "import_"),
        ("email1", "email1"),
    ],
)
def test_names_in_snake_case(name: str, python: str) -> None:
    """The document's own names, as Python writes them."""
    assert to_snake_case(name) == python


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("chronos/itip", "chronos_itip"),
        ("mailfilter/v2", "mailfilter_v2"),
        ("appPasswords", "app_passwords"),
        ("import", "import_"),
        ("multiple", "multiple_"),
    ],
)
def test_names_of_modules(module: str, name: str) -> None:
    """Attributes of the client; a keyword, and what the client has itself, get an underscore."""
    assert module_attribute(module) == name


def test_modules_below_others() -> None:
    """A path that goes on is an attribute, unless an operation has the name."""
    modules: dict[str, Any] = {"a": [], "a/b": [], "a/b/c": [], "ab": []}
    assert list_submodules("a", modules) == {"b": "a_b"}
    assert list_submodules("a/b", modules) == {"c": "a_b_c"}


def test_a_part_that_nobody_reads_is_an_error(tmp_path: Path) -> None:
    """A misspelt heading would be a correction that is not made."""
    file = tmp_path / "ox.toml"
    file.write_text("[kinsd]\nx = 'date'\n")
    with pytest.raises(ValueError, match="kinsd"):
        load_overlay(file)


MISTAKES = [
    ("names", {"createContact": "get"}, "two methods of one name"),
    ("names", {"getMailHeaders": ""}, "two methods of one name"),
    ("returns", {"contacts.gett": {"returns": "json"}}, "does not exist"),
    ("says", {"contacts.gett": "x"}, "does not exist"),
    ("params", {"contacts.gett.id": {"many": True}}, "does not exist"),
]


@pytest.mark.parametrize(("part", "wrong", "why"), MISTAKES)
def test_corrections_of_what_is_not_there(overlay: dict[str, Any], part: str, wrong: Any, why: str) -> None:
    """An overlay that does not fit the catalogue is told of when the code is generated."""
    changed = overlay | {part: overlay[part] | wrong}
    with pytest.raises(ValueError, match=why):
        load_operations(changed, Schemas(changed))


def test_an_operation_without_a_name_is_an_error(overlay: dict[str, Any]) -> None:
    """One that has no action needs a name of ours."""
    names = {name: value for name, value in overlay["names"].items() if name != "process"}
    changed = overlay | {"names": names}
    with pytest.raises(ValueError, match="needs a name"):
        load_operations(changed, Schemas(changed))


def test_numbers_of_columns_are_of_one_module(overlay: dict[str, Any]) -> None:
    """Trap 12: 300 is a folder's title and a task's status, 616 a user's and a contact's."""
    schemas = Schemas(overlay)

    def numbered(schema: str) -> dict[int | None, str]:
        return {field.column: field.name for field in schemas[schema].fields if field.column is not None}

    assert numbered("FolderData")[300] == "title"
    assert numbered("TaskData")[300] == "status"
    assert numbered("UserData")[616] == "guest_created_by"
    assert numbered("ContactData")[616] == "yomiFirstName"
    assert numbered("MailData")[601] == "folder_id"
    assert numbered("GroupData")[701] == "display_name"


def test_kinds_of_dates(overlay: dict[str, Any]) -> None:
    """Three kinds of the document, one that is either of two, and one of chronos."""
    schemas = Schemas(overlay)

    def kind(schema: str, name: str) -> str:
        return next(field.kind for field in schemas[schema].fields if field.name == name)

    assert kind("ContactData", "birthday") == "date"
    assert kind("ContactData", "creation_date") == "time"
    assert kind("FolderData", "last_modified_utc") == "stamp"
    assert kind("TaskData", "start_time") == "date_or_time"
    assert kind("TaskData", "alarm") == "time"
    assert kind("AppointmentData", "alarm") == "integer"
    assert kind("EventData", "startDate") == "event"
    assert kind("InfoItemData", "camera_model") == "text"  # the table of columns says Time


def test_inline_objects_become_classes(overlay: dict[str, Any]) -> None:
    """What the document describes in place has a name, the same wherever the same is described."""
    schemas = Schemas(overlay)
    records = {field.name: field.record for field in schemas["FolderData"].fields if field.record}
    assert records["created_from"] == records["modified_from"] == "EntityInfo"
    mail = {field.name: field.record for field in schemas["MailData"].fields if field.record}
    assert mail["nested_msgs"] == "MailData"


def test_the_overlay_has_no_empty_reason() -> None:
    """Each part of the overlay says what it is for."""
    text = OVERLAY.read_text("utf-8")
    assert text.count("# --") >= 8


STALE = [
    ("records", {"ContactDate": "x"}, "records.ContactDate"),
    ("kinds", {"ContactData.birthdy": "date"}, "kinds.ContactData.birthdy"),
    ("kinds", {"birthdy": "date"}, "kinds.birthdy"),
    ("costly", ["MailData.text"], "costly.MailData.text"),
    ("names", {"createContct": "x"}, "names.createContct"),
    ("modules", {"contcts": "x"}, "modules.contcts"),
    ("targets", {"contacts.gett": "ContactData"}, "does not exist"),
    ("codes", {"TaskData.status": "TaskStatsu"}, "codes.TaskStatsu"),
    ("glossary", {"foldr": "x"}, "glossary.foldr"),
    ("groups", {"services": ["contcts"]}, "groups.contcts"),
    ("safety", {"writes": ["contacts.gett"]}, "safety.writes.contacts.gett"),
]


@pytest.mark.parametrize(("part", "wrong", "why"), STALE)
def test_what_the_overlay_says_of_nothing(overlay: dict[str, Any], part: str, wrong: Any, why: str) -> None:
    """A misspelt name, or one that has gone from the catalogue, is told of."""
    changed = overlay | {part: overlay[part] + wrong if isinstance(wrong, list) else overlay[part] | wrong}
    with pytest.raises(ValueError, match=why):
        rendered(changed)


def rendered(overlay: dict[str, Any]) -> dict[str, str]:
    """Every file, with these corrections."""
    schemas = Schemas(overlay)
    return OxRenderer(overlay, schemas, load_operations(overlay, schemas)).files()
