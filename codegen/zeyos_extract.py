"""``python -m codegen.zeyos_extract FOLDER REFERENCE`` reads the vendor's documents and writes our facts.

FOLDER holds ``api.json`` (OpenAPI) and ``dbref.json`` (database reference); REFERENCE is the text of the
older API reference. The three contradict each other in places, and each has something that the others lack, so what
is written is their union, by fixed rules:

- Operations: those of both API documents; a status that either documents counts.
- Fields: the OpenAPI document's in its order, then those of the reference alone (``only_in`` tells them apart).
- Whether null is allowed, and whether a create needs the field: the database decides, where it has the column.
- Codes: the allowed ones; a name without an allowed code is kept apart (``unlisted``), for an overlay to judge.
- References to other entities: the database's foreign keys, as the API documents have none.

Every disagreement is printed, so that a person can decide it in ``overlays/zeyos.toml``.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs

from . import zeyos_openapi
from .zeyos_facts import SPECS, EntityFacts, FieldFacts, OperationFacts, ZeyosFacts, dump_facts
from .zeyos_reference import Reference, ReferenceField, read_reference

_OUTPUT: Final = SPECS / "zeyos" / "entities.json"
_REFERENCE_TYPE: Final = re.compile(r"([a-z-]+)(?: \((\w+)\))?(?: x ≥ (-?\d+))?")


@attrs.frozen
class Documents:
    """The three documents, parsed.

    Attributes:
        spec: The OpenAPI document.
        columns: Table → column name → column.
        reference: The text reference.
    """

    spec: dict[str, Any]
    columns: dict[str, dict[str, dict[str, Any]]]
    reference: Reference

    @property
    def entities(self) -> list[str]:
        """Names of the entities that either document has, sorted."""
        schemas = {name for name in self.spec["components"]["schemas"] if "-" not in name}
        return sorted(schemas | set(self.reference.fields))


def read_documents(folder: Path, reference: Path) -> Documents:
    """Read the files.

    Raises:
        OSError: A file is missing.
        ValueError: A file is not what it should be.
    """
    tables = json.loads((folder / "dbref.json").read_text(encoding="utf-8"))
    return Documents(
        spec=json.loads((folder / "api.json").read_text(encoding="utf-8")),
        columns={table["name"]: {column["name"]: column for column in table["fields"]} for table in tables},
        reference=read_reference(reference.read_text(encoding="utf-8")),
    )


def extract_facts(documents: Documents) -> ZeyosFacts:
    """Return all facts of the documents, as their union."""
    operations = sorted(_operations(documents), key=lambda operation: (operation.path, operation.method))
    return ZeyosFacts(
        sources=_sources(documents),
        entities=[_entity(documents, name, operations) for name in documents.entities],
        operations=operations,
    )


def _sources(documents: Documents) -> dict[str, str]:
    info = documents.spec["info"]
    count = sum(len(methods) for methods in documents.spec["paths"].values())
    return {
        "spec": f"{info['title']} {info['version']}, OpenAPI {documents.spec['openapi']}, {count} operations",
        "reference": f"API reference as text, {len(documents.reference.operations)} operations",
        "database": f"database reference, {len(documents.columns)} tables and views",
    }


def _operations(documents: Documents) -> Iterator[OperationFacts]:
    referenced = dict(documents.reference.operations)
    for path, methods in documents.spec["paths"].items():
        for method, operation in methods.items():
            also = referenced.pop((method.upper(), path), None)
            action, _ = zeyos_openapi.split_operation_id(operation["operationId"])
            entity = path.split("/")[1]
            yield OperationFacts(
                id=operation["operationId"],
                action=action if entity in documents.entities else "call",
                method=method.upper(),
                path=path,
                entity=entity if entity in documents.entities else "",
                parameters=zeyos_openapi.list_parameters(operation),
                statuses=sorted(
                    {int(s) for s in operation["responses"]} | set(also.statuses if also else ())
                ),
                documents=["spec", "reference"] if also else ["spec"],
            )
    for (method, path), only in referenced.items():
        yield _reference_operation(documents, method, path, only.statuses, only.parameters)


def _reference_operation(
    documents: Documents, method: str, path: str, statuses: tuple[int, ...], parameters: tuple[str, ...]
) -> OperationFacts:
    """Return an operation that the reference alone has; it has no name there, so one is made as the spec would."""
    entity = path.split("/")[1]
    on_one = path.endswith("/{ID}")
    action = {
        "GET": "get",
        "HEAD": "exists",
        "PATCH": "update",
        "DELETE": "delete",
        "PUT": "create",
        "POST": "list",
    }[method]
    singular, plural = _camel_names(documents, entity)
    return OperationFacts(
        id=action + (singular if on_one or action == "create" else plural),
        action=action,
        method=method,
        path=path,
        entity=entity,
        parameters=[name for name in parameters if action != "list"],
        statuses=list(statuses),
        documents=["reference"],
    )


def _camel_names(documents: Documents, entity: str) -> tuple[str, str]:
    """Return CamelCase names of one and of all, from the names of the spec's operations."""
    names = {}
    for path in (f"/{entity}", f"/{entity}/{{ID}}"):
        for operation in documents.spec["paths"].get(path, {}).values():
            action, name = zeyos_openapi.split_operation_id(operation["operationId"])
            names[action] = name
    plural = names["list"]
    singular = next(
        (names[action] for action in ("get", "create") if action in names), plural.removesuffix("s")
    )
    return singular, plural


def _entity(documents: Documents, name: str, operations: list[OperationFacts]) -> EntityFacts:
    offered = {parameter for op in operations if op.entity == name for parameter in op.parameters}
    body_schemas: set[str] = set()
    for operation in documents.spec["paths"].get(f"/{name}", {}).values():
        body_schemas |= zeyos_openapi.list_body_schemas(documents.spec, operation)
    singular, plural = _camel_names(documents, name)
    is_in = {
        "spec": name in documents.spec["components"]["schemas"],
        "reference": name in documents.reference.fields,
    }
    return EntityFacts(
        name=name,
        singular=singular,
        plural=plural,
        documents=[document for document, knows in is_in.items() if knows],
        extdata="extdata" in offered or "extdata-field" in body_schemas,
        tags="tags" in offered or "tags-field" in body_schemas,
        fields=list(_fields(documents, name)),
    )


def _fields(documents: Documents, entity: str) -> Iterator[FieldFacts]:
    """Yield the spec's fields in its order, then those that the reference alone has."""
    names = set(documents.entities)
    properties = documents.spec["components"]["schemas"].get(entity, {}).get("properties", {})
    columns = documents.columns.get(entity, {})
    old = documents.reference.fields.get(entity, {})
    for name, schema in properties.items():
        facts = zeyos_openapi.read_field_facts(name, schema, columns.get(name), names)
        yield attrs.evolve(facts, only_in="spec" if old and name not in old else "")
    for name, field in old.items():
        if name not in properties:
            yield _reference_field(field)


def _reference_field(field: ReferenceField) -> FieldFacts:
    """Read a field from its type in the reference, such as ``integer (int32) x ≥ 0 0``."""
    match = _REFERENCE_TYPE.match(field.type)
    if match is None:
        raise ValueError(f"the reference gives {field.name!r} a type that can't be read: {field.type!r}")
    reference = match[1] if match[1].endswith("-field") else ""
    schema = {"$ref": match[1]} if reference else {"type": match[1], "description": field.description}
    if match[2]:
        schema["format"] = match[2]
    facts = zeyos_openapi.read_field_facts(field.name, schema, None, set())
    minimum = int(match[3]) if match[3] else None
    return attrs.evolve(
        facts, nullable=bool(reference) or facts.kind == "time", minimum=minimum, only_in="reference"
    )


def list_disagreements(documents: Documents, facts: ZeyosFacts) -> Iterator[str]:
    """Yield the contradictions between the documents, a sentence each."""
    for operation in facts.operations:
        if len(operation.documents) == 1 and operation.entity in documents.reference.fields:
            yield f"{operation.method} {operation.path}: only in the {operation.documents[0]}"
    for entity in facts.entities:
        if entity.documents == ["spec"]:
            yield f"{entity.name}: only in the spec"
        for field in entity.fields:
            yield from (
                f"{entity.name}.{field.name}: {what}"
                for what in _field_disagreements(documents, entity, field)
            )


def _field_disagreements(documents: Documents, entity: EntityFacts, field: FieldFacts) -> Iterator[str]:
    if field.only_in:
        yield f"only in the {field.only_in}"
    if field.unlisted:
        yield f"codes {field.unlisted} are named, but not allowed"
    if unnamed := [code for code, name in field.codes.items() if not name and any(field.codes.values())]:
        yield f"codes {unnamed} are allowed, but not named"
    schema = documents.spec["components"]["schemas"][entity.name]["properties"].get(field.name)
    column = documents.columns.get(entity.name, {}).get(field.name)
    if schema and not column:
        yield "no such column in the database reference"
    if schema and column and "type" in schema and bool(schema.get("nullable")) is column["notnull"]:
        yield (
            "nullable in the spec, not null in the database"
            if column["notnull"]
            else "nullable in the database only"
        )
    old = documents.reference.fields.get(entity.name, {}).get(field.name)
    if (
        old
        and schema
        and zeyos_openapi.read_code_names(old.description)
        != zeyos_openapi.read_code_names(schema.get("description", ""))
    ):
        yield f"the reference names its codes {zeyos_openapi.read_code_names(old.description)}"


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m codegen.zeyos_extract", description="Write the facts of the vendor's documents"
    )
    parser.add_argument("folder", type=Path, help="holds api.json and dbref.json")
    parser.add_argument("reference", type=Path, help="the text of the API reference")
    parser.add_argument("--output", type=Path, default=_OUTPUT)
    options = parser.parse_args(arguments)
    documents = read_documents(options.folder, options.reference)
    facts = extract_facts(documents)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(dump_facts(facts), encoding="utf-8")
    print(*list_disagreements(documents, facts), sep="\n")
    print(f"{len(facts.entities)} entities, {len(facts.operations)} operations → {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
