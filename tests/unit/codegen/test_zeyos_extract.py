"""Facts are read from the vendor's documents; these are small made-up ones of the same shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from codegen import zeyos_extract, zeyos_openapi
from codegen.zeyos_facts import FieldFacts, load_facts
from codegen.zeyos_reference import read_reference

REFERENCE = """\
Made-up API Reference

boxes

List boxes

POST /boxes

List them.

limit
in formData
integer 1 ≤ x ≤ 10000 1000

At most

200 OK

OK

Response Example (200 OK)
[{"ID": 1, "old": 5}]

Get box

GET /boxes/{ID}

One of them.

ID
in path
integer

expand
in query
string[]

200 OK

OK

404 Not Found

Not Found

lids

POST /lids

200 OK

Response Example (200 OK)
[{"ID": 1, "colour": "red"}]
Response Example (401 Unauthorized)
"No"

Schema Definitions

boxes: object

ID: integer (int32)

Box ID

extra: object

Anything

items: items-field
state: integer 0, 1 0

State (0=OPEN, 1=SHUT)

seen: integer (int64)

When it was seen as a Unix time stamp

size: integer (int32) x ≥ 0 0

Size in bytes

Example
{
  "notafield: integer": 1
}

items-common: object

type: integer 0, 1 0

Not a field of boxes
"""

SPEC: dict[str, Any] = {
    "openapi": "3.0.0",
    "info": {"title": "Made-up API", "version": "v1"},
    "components": {
        "schemas": {
            "boxes": {
                "properties": {
                    "ID": {"type": "integer", "format": "int32", "description": "Box ID"},
                    "state": {
                        "type": "integer",
                        "enum": [0, 1, 2],
                        "description": "State (`0`=OPEN, `1`=SHUT, `3`=LOST)",
                    },
                    "lid": {"type": "integer", "nullable": True, "default": None, "description": "Lid ID"},
                    "maker": {
                        "type": "integer",
                        "description": "Maker (defaults to authenticated user on creation)",
                    },
                    "name": {"type": "string", "minLength": 1, "description": "Name"},
                    "content": {"$ref": "#/components/schemas/binfile-field"},
                    "seal": {"type": "string", "nullable": True},
                    "note": {"type": "string"},
                    "labels": {"oneOf": [{"type": "string", "format": "json"}, {"type": "array"}]},
                }
            },
            "lids": {"properties": {"ID": {"type": "integer"}, "colour": {"type": "string"}}},
            "extdata-field": {},
            "request-boxes": {
                "allOf": [
                    {"$ref": "#/components/schemas/boxes"},
                    {"$ref": "#/components/schemas/extdata-field"},
                ]
            },
        },
        "requestBodies": {
            "boxes": {
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/request-boxes"}}}
            }
        },
    },
    "paths": {
        "/config": {"get": {"operationId": "getConfig", "responses": {"200": {}}}},
        "/boxes": {
            "post": {"operationId": "listBoxes", "responses": {"200": {}, "400": {}}},
            "put": {
                "operationId": "createBox",
                "requestBody": {"$ref": "#/components/requestBodies/boxes"},
                "responses": {"201": {}},
            },
        },
        "/boxes/{ID}": {
            "get": {
                "operationId": "getBox",
                "parameters": [{"$ref": "#/components/parameters/ID"}, {"name": "tags", "in": "query"}],
                "responses": {"200": {}, "304": {}},
            }
        },
        "/lids": {"post": {"operationId": "listLids", "responses": {"200": {}}}},
    },
}

TABLES = [
    {
        "name": "boxes",
        "fields": [
            {"name": "ID", "type": "integer", "notnull": True, "default": None, "fkeys": []},
            {"name": "state", "type": "smallint", "notnull": True, "default": "0", "fkeys": []},
            {
                "name": "lid",
                "type": "integer",
                "notnull": False,
                "default": None,
                "fkeys": [{"table": "lids", "field": "ID"}],
            },
            {
                "name": "maker",
                "type": "integer",
                "notnull": True,
                "default": None,
                "fkeys": [{"table": "x", "field": "ID"}],
            },
            {"name": "name", "type": "text", "notnull": True, "default": None, "fkeys": []},
            {"name": "content", "type": "integer", "notnull": False, "default": None, "fkeys": []},
            {"name": "seal", "type": "text", "notnull": True, "default": "''", "fkeys": []},
            {"name": "note", "type": "text", "notnull": False, "default": None, "fkeys": []},
            {"name": "labels", "type": "text[]", "notnull": False, "default": None, "fkeys": []},
            {"name": "secret", "type": "text", "notnull": True, "default": None, "fkeys": []},
        ],
    },
    {"name": "x", "fields": []},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the made-up documents."""
    (tmp_path / "api.json").write_text(json.dumps(SPEC))
    (tmp_path / "dbref.json").write_text(json.dumps(TABLES))
    (tmp_path / "reference.txt").write_text(REFERENCE)
    return tmp_path


@pytest.fixture
def boxes(folder: Path) -> dict[str, FieldFacts]:
    """The extracted fields of ``boxes``."""
    facts = zeyos_extract.extract_facts(zeyos_extract.read_documents(folder, folder / "reference.txt"))
    return {field.name: field for field in facts.entities[0].fields}


@pytest.mark.parametrize(
    ("description", "names"),
    [
        ("State (`0`=OPEN, `1`=SHUT)", {0: "OPEN", 1: "SHUT"}),
        ("State (0=OPEN, 1=SHUT_TIGHT2)", {0: "OPEN", 1: "SHUT_TIGHT2"}),
        ("Balance (`-1`=BELOW)", {-1: "BELOW"}),
        ("Owner (`null`=PUBLIC)", {}),
        ("Width in pixels (`0`=100%)", {}),
        ("At most (`0`=unlimited)", {}),
        ("PUBLIC if `owner`=`null`", {}),
    ],
)
def test_code_names(description: str, names: dict[int, str]) -> None:
    """Names of codes are upper case; prose that looks like them is none."""
    assert zeyos_openapi.read_code_names(description) == names


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("Due date as a [Unix timestamp](https://example.org)", True),
        ("Due date as a Unix time stamp", True),
        ("Due date", False),
        ("Timestamp of a Unix machine", False),
    ],
)
def test_descriptions_of_times(description: str, expected: bool) -> None:
    """Both documents' words for a point in time are known."""
    assert zeyos_openapi.is_time(description) is expected


@pytest.mark.parametrize(
    ("operation_id", "expected"),
    [
        ("getDunningNotice", ("get", "DunningNotice")),
        ("existsDAVServer", ("exists", "DAVServer")),
        ("listBinFiles", ("list", "BinFiles")),
        ("getaway", ("call", "getaway")),
        ("resetAll", ("call", "resetAll")),
    ],
)
def test_operation_ids_are_split(operation_id: str, expected: tuple[str, str]) -> None:
    """An operation's name is an action and the name of what it acts on."""
    assert zeyos_openapi.split_operation_id(operation_id) == expected


@pytest.mark.parametrize(
    ("schema", "column", "kind"),
    [
        ({"type": "integer"}, "bigint", "integer"),
        ({"type": "integer", "description": "as a Unix timestamp"}, "bigint", "time"),
        ({"type": "number", "format": "int32"}, "integer", "integer"),
        ({"type": "number", "format": "double"}, "double precision", "number"),
        ({"type": "string"}, "text", "text"),
        ({"type": "object"}, "json", "json"),
        ({"oneOf": []}, "json", "json"),
        ({"oneOf": []}, "bigint[]", "array"),
        ({"$ref": "#/components/schemas/binfile-field"}, "integer", "binary"),
        ({"$ref": "#/components/schemas/items-field"}, "json", "json"),
    ],
)
def test_field_kind(schema: dict[str, Any], column: str, kind: str) -> None:
    """The kind follows from the schema, for unions from the column."""
    assert zeyos_openapi.read_field_kind(schema, column) == kind


def test_allowed_codes_are_kept_with_their_names(boxes: dict[str, FieldFacts]) -> None:
    """Allowed codes are kept with their names or without; names of codes that are not allowed are kept apart."""
    assert boxes["state"].codes == {0: "OPEN", 1: "SHUT", 2: ""}
    assert boxes["state"].unlisted == {3: "LOST"}


@pytest.mark.parametrize(
    ("name", "required"),
    [("ID", False), ("state", False), ("lid", False), ("maker", False), ("name", True), ("content", False)],
)
def test_required_fields(boxes: dict[str, FieldFacts], name: str, required: bool) -> None:
    """Required is what is not null and has no default, neither the database's nor the API's."""
    assert boxes[name].required is required


@pytest.mark.parametrize(
    ("name", "nullable"),
    [
        ("lid", True),
        ("name", False),
        ("content", True),
        ("seal", False),
        ("note", True),
        ("items", True),
        ("size", False),
    ],
)
def test_nullable_fields(boxes: dict[str, FieldFacts], name: str, nullable: bool) -> None:
    """The database decides what may be null; where it has no column, composite fields may."""
    assert boxes[name].nullable is nullable


def test_references_to_entities(boxes: dict[str, FieldFacts]) -> None:
    """Foreign keys lead to entities of the API; one to another table is no reference."""
    assert (boxes["lid"].target, boxes["maker"].target) == ("lids", None)


def test_union_of_fields(boxes: dict[str, FieldFacts]) -> None:
    """The spec's fields come in its order, then the reference's own; columns that the API lacks don't come."""
    assert list(boxes) == [
        "ID",
        "state",
        "lid",
        "maker",
        "name",
        "content",
        "seal",
        "note",
        "labels",
        "extra",
        "items",
        "seen",
        "size",
    ]
    only = {name: field.only_in for name, field in boxes.items() if field.only_in}
    assert only["lid"] == "spec"
    assert only["size"] == "reference"
    assert "ID" not in only
    assert {name: boxes[name].kind for name in ("extra", "items", "seen", "size")} == {
        "extra": "json",
        "items": "json",
        "seen": "time",
        "size": "integer",
    }


def test_names_and_parts_of_entities(folder: Path) -> None:
    """Names of one and of all come from the operations; extdata and tags from parameters and bodies."""
    facts = zeyos_extract.extract_facts(zeyos_extract.read_documents(folder, folder / "reference.txt"))
    box, lid = facts.entities
    assert (box.singular, box.plural, box.extdata, box.tags) == ("Box", "Boxes", True, True)
    assert (lid.singular, lid.plural, lid.extdata, lid.tags) == ("Lid", "Lids", False, False)
    assert [field.only_in for field in lid.fields] == ["", ""]


def test_union_of_operations(folder: Path) -> None:
    """Each operation says who has it; the statuses of both documents are joined."""
    facts = zeyos_extract.extract_facts(zeyos_extract.read_documents(folder, folder / "reference.txt"))
    operations = {op.id: (op.action, op.entity, op.statuses, op.documents) for op in facts.operations}
    assert operations == {
        "getConfig": ("call", "", [200], ["spec"]),
        "listBoxes": ("list", "boxes", [200, 400], ["spec", "reference"]),
        "createBox": ("create", "boxes", [201], ["spec"]),
        "getBox": ("get", "boxes", [200, 304, 404], ["spec", "reference"]),
        "listLids": ("list", "lids", [200], ["spec", "reference"]),
    }


def test_an_operation_of_the_reference_alone(folder: Path) -> None:
    """It gets the name that the spec would have given it."""
    spec = json.loads(json.dumps(SPEC))
    del spec["paths"]["/boxes/{ID}"]
    (folder / "api.json").write_text(json.dumps(spec))
    facts = zeyos_extract.extract_facts(zeyos_extract.read_documents(folder, folder / "reference.txt"))
    (only,) = [op for op in facts.operations if op.documents == ["reference"]]
    assert (only.id, only.action, only.parameters) == ("getBox", "get", ["ID", "expand"])


def test_reading_the_reference() -> None:
    """Helper schemas and examples give no fields; an entity without a schema has those of its example."""
    reference = read_reference(REFERENCE)
    assert list(reference.fields["boxes"]) == ["ID", "extra", "items", "state", "seen", "size"]
    assert list(reference.fields["lids"]) == ["ID", "colour"]
    assert reference.operations["GET", "/boxes/{ID}"].statuses == (200, 404)
    assert reference.fields["boxes"]["state"].description == "State (0=OPEN, 1=SHUT)"
    assert reference.fields["boxes"]["items"].description == ""


def test_something_else_than_the_reference() -> None:
    """A text that is not the reference is refused."""
    with pytest.raises(ValueError, match="not the API reference"):
        read_reference("Once upon a time\n")


def test_the_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command writes facts that read back the same, tells disagreements, and keeps no sentence."""
    output = folder / "facts" / "entities.json"
    assert zeyos_extract.main([str(folder), str(folder / "reference.txt"), "--output", str(output)]) == 0
    documents = zeyos_extract.read_documents(folder, folder / "reference.txt")
    assert load_facts(output) == zeyos_extract.extract_facts(documents)
    output_text = capsys.readouterr().out
    for sentence in (
        "boxes.lid: only in the spec",
        "boxes.size: only in the reference",
        "boxes.state: codes {3: 'LOST'} are named, but not allowed",
        "boxes.seal: nullable in the spec, not null in the database",
        "boxes.note: nullable in the database only",
        "boxes.state: codes [2] are allowed, but not named",
        "2 entities, 5 operations",
    ):
        assert sentence in output_text
    assert "Lid ID" not in output.read_text()
