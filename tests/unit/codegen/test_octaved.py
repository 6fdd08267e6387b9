"""Octaved Flow's facts: how they are read from the document, corrected, and rendered."""

from __future__ import annotations

from typing import Final

import pytest

from codegen.corrections import Correction
from codegen.octaved import FACTS, load_corrected_facts
from codegen.octaved_extract import ID, extract_facts
from codegen.octaved_facts import OctavedFacts, ResourceFacts, apply_corrections, dump_facts, load_facts
from codegen.octaved_resource import render_resource
from codegen.zeyos_facts import FieldFacts

SECTION: Final = """
{heading}
Routes for things
Gets things
query Parameters
ids[]
required
Array of strings (uuidArray)
Responses
Creates a thing
Request Body schema: application/json
required
parent
required
string^[0-9A-F]{{32}}$
Default: "<root>"
Where it is.
name
string (varchar191) <= 191 characters
kind
string
Deprecated
Enum: "a" "b"
decimal8dot2 (number) or null
How much.
unix (integer) or null
When.
marks
Array of strings[^[0-9A-F]{{32}}$]
Responses
Request samples
Content type
application/json
{{
  • "parent": "E9996334F8134DBCBE18948284698BB2",
  • "name": "string",
  • "kind": "a",
  • "amount": 125.5,
  • "start": 1586004000,
  • "marks": [
    ]
}}
Response samples
{{
  • "id": "E9996334F8134DBCBE18948284698BB2"
}}
Gets one thing
path Parameters
thingId
Responses
Response samples
{{
  • "id": "E9996334F8134DBCBE18948284698BB2",
  • "createdOn": 1580555700,
  • "dueDate": "2020-03-23",
  • "isOld": true,
  • "rest": [
    ],
  • "start": 1586004000,
  • "name": "string"
}}
Patches a thing
path Parameters
thingId
Request Body schema: application/json
required
name
string (varchar191) <= 191 characters
Responses
Request samples
{{
  • "name": "string"
}}
Deletes a thing
path Parameters
thingId
Responses
Simple search
path Parameters
ident
Request Body schema: Supported search idents and their values
required
isOld
string
Value: ""
No value used
isBig
string
Enum: "0" "1"
name
string non-empty
anything
any
Whatever.
Responses
"""
HEADINGS: Final = (
    "Customers",
    "Project folders",
    "Projects",
    "Groups",
    "Work packages",
    "Sub work packages",
    "Tasks",
    "Time tracking records",
    "Billings REST",
)
DOCUMENT: Final = "The API (v1)\n" + "\n".join(SECTION.format(heading=heading) for heading in HEADINGS)


@pytest.fixture(scope="module")
def thing() -> ResourceFacts:
    """The facts of one section of the made-up document."""
    facts = extract_facts(DOCUMENT)
    assert [one.name for one in facts.resources][3:5] == ["groups", "work_packages"]
    return facts.resources[0]


def test_what_a_create_takes(thing: ResourceFacts) -> None:
    """Names, types and limits; entries without a name get theirs from the sample."""
    assert thing.writes == [
        FieldFacts(name="parent", kind="text", required=True, pattern=ID),
        FieldFacts(name="name", kind="text", max_length=191),
        FieldFacts(name="kind", kind="text", choices=["a", "b"]),
        FieldFacts(name="amount", kind="number", nullable=True),
        FieldFacts(name="start", kind="time", nullable=True),
        FieldFacts(name="marks", kind="array", pattern=ID),
    ]
    assert thing.fixed == ["parent", "kind", "amount", "start", "marks"]


def test_what_a_record_holds(thing: ResourceFacts) -> None:
    """Fields that can't be written are known by their samples."""
    assert thing.record == [
        FieldFacts(name="id", kind="text", read_only=True, pattern=ID),
        FieldFacts(name="createdOn", kind="time", read_only=True),
        FieldFacts(name="dueDate", kind="date", read_only=True),
        FieldFacts(name="isOld", kind="boolean", read_only=True),
        FieldFacts(name="rest", kind="array", read_only=True),
        FieldFacts(name="start", kind="time", nullable=True),
        FieldFacts(name="name", kind="text", max_length=191),
    ]


def test_what_can_be_searched_for(thing: ResourceFacts) -> None:
    """Flags with and without a value, and texts."""
    assert thing.idents == [
        FieldFacts(name="isOld", kind="boolean"),
        FieldFacts(name="isBig", kind="boolean", choices=["0", "1"]),
        FieldFacts(name="name", kind="text", min_length=1),
        FieldFacts(name="anything", kind="boolean"),
    ]
    assert thing.operations == ["get", "get_many", "create", "patch", "delete", "search"]


def test_a_document_that_is_laid_out_otherwise_is_told_of() -> None:
    """Rather than fields that are guessed."""
    with pytest.raises(ValueError, match="was expected where"):
        extract_facts(DOCUMENT.replace("\nkind\nstring\n", "\nsort\nstring\n"))


def test_facts_are_kept_in_a_file() -> None:
    """What is written is read again; the committed file is in that form."""
    text = FACTS.read_text(encoding="utf-8")
    assert dump_facts(load_facts(FACTS)) == text
    assert len(load_facts(FACTS).resources) == 9


def test_corrections_reach_every_part_and_end_with_their_mistakes(thing: ResourceFacts) -> None:
    """A field is corrected wherever the resource has it; one that changes nothing is an error."""
    facts = OctavedFacts(source="x", resources=[thing])
    fix = Correction(entity="customers", field="start", set={"kind": "clock"}, reason="…")
    (fixed,) = apply_corrections(facts, [fix]).resources
    assert [field.kind for field in (*fixed.record, *fixed.writes) if field.name == "start"] == [
        "clock",
        "clock",
    ]
    with pytest.raises(ValueError, match="changes nothing"):
        apply_corrections(facts, [fix, fix])
    with pytest.raises(ValueError, match="no such resource"):
        apply_corrections(facts, [Correction(entity="x", set={}, reason="…")])


def test_a_name_that_records_use_themselves_is_refused() -> None:
    """Somebody has to decide what gives way."""
    facts = ResourceFacts(
        name="x", singular="X", plural="Xs", operations=[], record=[FieldFacts(name="extra", kind="text")]
    )
    with pytest.raises(ValueError, match=r"x\.extra"):
        render_resource(facts, "#")


def test_the_committed_facts() -> None:
    """What the library rests on: the four wall clocks, the flags that take a value, what is fixed."""
    by_name = {resource.name: resource for resource in load_corrected_facts().resources}
    clocks = [field.name for field in by_name["time_tracking_records"].writes if field.kind == "clock"]
    assert clocks == ["workTimeStart", "workTimeEnd", "billingStart", "billingEnd"]
    assert [ident.name for ident in by_name["customers"].idents if ident.choices] == [
        "isInternal",
        "isLocked",
        "requiresInternalCharge",
    ]
    assert by_name["tasks"].fixed == ["parentNodeId", "sortedSiblingIds"]
    assert by_name["customers"].operations == [
        "get",
        "get_many",
        "all",
        "create",
        "put",
        "patch",
        "delete",
        "search",
    ]
    assert [resource.name for resource in by_name.values() if not resource.yields] == [
        "customers",
        "billings",
    ]
