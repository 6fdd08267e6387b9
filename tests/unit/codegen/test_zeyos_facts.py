"""The facts that are kept of ZeyOS: complete, consistent, and the same in the generated tables."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from codegen.zeyos import FACTS, load_corrected_facts
from codegen.zeyos_facts import FieldFacts, dump_facts, load_facts
from zeyos_async.schema import Entity, Kind
from zeyos_async.services.zeyos import _generated

from ...integration.services.zeyos.operations_table import OPERATIONS

CORRECTED = load_corrected_facts()
FIELDS = [(entity.name, field) for entity in CORRECTED.entities for field in entity.fields]
CODED = [pytest.param(entity, field, id=f"{entity}.{field.name}") for entity, field in FIELDS if field.codes]
ENTITIES = [_generated.entity(name) for name in _generated.ENTITIES]


def field(path: str) -> FieldFacts:
    """The facts of ``entity.field``."""
    entity, name = path.split(".")
    return next(facts for owner, facts in FIELDS if (owner, facts.name) == (entity, name))


def test_the_file_is_as_it_is_written() -> None:
    """The facts read back as they are written, so that a new extraction shows only what is new."""
    assert dump_facts(load_facts(FACTS)) == FACTS.read_text(encoding="utf-8")


def test_the_union_is_complete() -> None:
    """All 64 entities, and 348 operations of the one document with 318 of the other are 350."""
    assert len(CORRECTED.entities) == 64
    assert len(CORRECTED.operations) == 350
    counted = Counter(document for operation in CORRECTED.operations for document in operation.documents)
    assert counted == {"spec": 348, "reference": 318}
    assert Counter(len(entity.documents) for entity in CORRECTED.entities) == {2: 58, 1: 6}
    assert len(FIELDS) == 878 + len([f for _, f in FIELDS if f.only_in == "reference"])


def test_operations_are_distinct() -> None:
    """No two operations share a name, or a method and path."""
    assert len({operation.id for operation in OPERATIONS}) == len(OPERATIONS)
    assert len({(operation.method, operation.path) for operation in OPERATIONS}) == len(OPERATIONS)


def test_operations_of_no_entity() -> None:
    """Two calls belong to the instance."""
    assert {op.path for op in OPERATIONS if not op.entity} == {"/config", "/settings"}


def test_bin_files_are_read_by_id_though_one_document_lacks_it() -> None:
    """The reference alone offers to get a bin file."""
    assert _generated.entity("binfiles").operations == {"list", "get", "exists"}


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)
def test_tables_offer_what_the_operations_say(entity: Entity) -> None:
    """An entity is listed, got and checked; it is written in full or not at all."""
    assert entity.operations == {op.action for op in OPERATIONS if op.entity == entity.name}
    assert entity.operations in (
        {"list", "get", "exists"},
        {"list", "get", "exists", "create", "update", "delete"},
    )


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)
def test_tables_hold_the_facts(entity: Entity) -> None:
    """Each generated field says what the facts say, in their order."""
    facts = next(entity_facts for entity_facts in CORRECTED.entities if entity_facts.name == entity.name)
    assert (entity.singular, entity.extdata, entity.tags) == (facts.singular, facts.extdata, facts.tags)
    assert list(entity.fields) == [field_facts.name for field_facts in facts.fields]
    for field_facts in facts.fields:
        generated = entity.fields[field_facts.name]
        for name in (
            "nullable",
            "required",
            "read_only",
            "minimum",
            "maximum",
            "exclusive",
            "min_length",
            "max_length",
        ):
            assert getattr(generated, name) == getattr(field_facts, name)
        assert (generated.pattern, generated.target, generated.only_in, generated.kind.value) == (
            field_facts.pattern,
            field_facts.target,
            field_facts.only_in,
            field_facts.kind,
        )
        assert (generated.codes or {}) == field_facts.codes
        assert (generated.choices or ()) == tuple(field_facts.choices)


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)
def test_references_lead_somewhere(entity: Entity) -> None:
    """The target of each reference is an entity with an ID."""
    assert entity.related is not None
    for field in entity:
        if field.target is not None:
            assert entity.related(field.target).fields["ID"].kind is Kind.INTEGER


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)
def test_every_entity_has_an_id(entity: Entity) -> None:
    """The ID comes first, is an integer, never null, and is the server's to choose."""
    first = next(iter(entity))
    assert (first.name, first.kind, first.nullable, first.required, first.read_only) == (
        "ID",
        Kind.INTEGER,
        False,
        False,
        True,
    )


@pytest.mark.parametrize(("entity", "coded"), CODED)
def test_codes_are_named_once(entity: str, coded: FieldFacts) -> None:
    """No name stands for two codes, so that an enum has no aliases."""
    names = [name for name in coded.codes.values() if name]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Z][A-Z0-9_]*", name) for name in names)


@pytest.mark.parametrize(("name", "pattern"), [(n, f.pattern) for n, f in FIELDS if f.pattern])
def test_patterns_compile(name: str, pattern: str) -> None:
    """Patterns of the documents are regular expressions of Python, too."""
    assert re.compile(pattern)


@pytest.mark.parametrize(
    "path",
    [
        "accounts.currency",
        "addresses.account",
        "addresses.contact",
        "appointments.datefrom",
        "campaigns.datefrom",
        "contacts2contacts.contact1",
        "follows.entity",
        "payments.amount",
        "tickets.name",
        "transactions.currency",
    ],
)
def test_required_fields(path: str) -> None:
    """Fields that the database wants and that nobody defaults."""
    assert field(path).required


@pytest.mark.parametrize(
    "path",
    [
        "accounts.lastname",
        "accounts.creator",
        "likes.creator",
        "messages.subject",
        "contacts.ID",
        "comments.date",
    ],
)
def test_fields_that_may_be_left_out(path: str) -> None:
    """Fields with a default, of the database or of the API."""
    assert not field(path).required


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("accounts.creationdate", "time"),
        ("contacts.birthdate", "time"),
        ("users.lastlogin", "time"),
        ("actionsteps.effort", "integer"),
        ("tasks.projectedeffort", "integer"),
        ("transactions.exchangerate", "number"),
        ("binfiles.hash", "text"),
        ("transactions.items", "json"),
        ("mailservers.folders", "json"),
        ("coupons.foreigntaxrates", "json"),
        ("messages.attachments", "array"),
        ("stocktransactions.subtransactions", "array"),
        ("files.binfile", "binary"),
        ("applications.readmebinfile", "binary"),
    ],
)
def test_kinds_of_fields(path: str, kind: str) -> None:
    """What the values are, where the documents say it in different ways."""
    assert field(path).kind == kind


@pytest.mark.parametrize(
    ("path", "codes"),
    [
        ("records.flag", {0: "REGULAR", 1: "ASSOCONLY", 2: "MINDLOGONLY", 3: "MONITOR", 4: "FEED"}),
        ("transactions.calculation", {0: "NET", 1: "GROSS", 2: "EXACT", 3: "LEGACY", 4: "EXTERNAL"}),
        ("accounts.locked", {0: "", 1: ""}),
    ],
)
def test_codes_where_labels_and_allowed_values_disagree(path: str, codes: dict[int, str]) -> None:
    """A code with a name is kept, allowed or not; flags have no names."""
    assert field(path).codes == codes


def test_an_allowed_code_without_a_name() -> None:
    """``notes.status`` allows 6 and does not name it."""
    assert field("notes.status").codes[6] == ""
    assert _generated.entity("notes").fields["status"].codes == field("notes.status").codes


def test_entities_with_visibility() -> None:
    """Filtering on ``visibility`` is right for these and wrong for all others."""
    having = {entity.name for entity in ENTITIES if "visibility" in entity.fields}
    assert len(having) == 18
    assert "messages" not in having


def test_fields_of_one_document_are_marked() -> None:
    """Who asks for every field by name can leave out what the server at hand may not know."""
    old = {
        f"{entity}.{field_facts.name}" for entity, field_facts in FIELDS if field_facts.only_in == "reference"
    }
    assert old == {
        "applications.version",
        "files.size",
        "items.subitems",
        "messages.size",
        "notes.size",
        "users.lastlogin",
    }
    assert field("accounts.fork").only_in == "spec"
    assert field("documents.name").only_in == "", "an entity of one document has no field to mark"


@pytest.mark.parametrize(
    ("operation_id", "success", "errors", "conditional"),
    [
        ("listAccounts", (200,), (400, 401, 403, 500), False),
        ("createTicket", (201,), (401, 403, 409, 410, 500), False),
        ("getAccount", (200,), (400, 401, 403, 404, 500), True),
        ("existsUser", (204,), (401, 404, 500), True),
        ("updateAccount", (200,), (400, 401, 403, 404, 409, 410, 412, 500), False),
        ("deleteAccount", (204,), (401, 403, 404, 409, 412, 500), False),
        ("getBinFile", (200,), (401, 403, 404, 500), True),
        ("getSettings", (200,), (401, 403, 500), False),
    ],
)
def test_documented_statuses_of_operations(
    operation_id: str, success: tuple[int, ...], errors: tuple[int, ...], conditional: bool
) -> None:
    """The documented statuses of an operation of each sort."""
    (operation,) = [op for op in OPERATIONS if op.id == operation_id]
    assert (operation.success, operation.errors, operation.conditional) == (success, errors, conditional)
