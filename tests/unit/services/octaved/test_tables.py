"""The document was read twice: by a program for the client, by a person for the emulator. The readings agree."""

from __future__ import annotations

from typing import Any

import pytest

from zeyos_async.schema import Field, Kind
from zeyos_async.services.octaved._generated import RECORDS, record_class
from zeyos_async.testing.octaved.fields import SCHEMAS
from zeyos_async.testing.octaved.search import IDENTS

KINDS = {
    "text": Kind.TEXT,
    "flag": Kind.BOOLEAN,
    "integer": Kind.INTEGER,
    "number": Kind.NUMBER,
    "id": Kind.TEXT,
    "ids": Kind.ARRAY,
    "date": Kind.DATE,
    "object": Kind.JSON,
    "objects": Kind.ARRAY,
    "locations": Kind.ARRAY,
    "store": Kind.JSON,
}


def ours(name: str) -> Any:
    """The client's tables of a resource."""
    return record_class(name).__schema__


@pytest.mark.parametrize("name", RECORDS)
def test_fields_of_a_create(name: str) -> None:
    """The same fields, required or not, with the same limits; the same ones only in a create."""
    theirs = {field.name: field for field in SCHEMAS[name].fields.values() if field.write != "never"}
    schema = ours(name)
    assert schema.writes.keys() == theirs.keys()
    for field in schema.writes.values():
        other = theirs[field.name]
        assert (field.required, field.max_length or 0) == (other.required, other.max_length), field.name
        # Of an enumeration that the document names without listing it, the client takes any text.
        assert field.choices is None or tuple(field.choices) == tuple(other.choices), field.name
        assert field.nullable == other.null, field.name
    if "patch" in schema.entity.operations:
        assert schema.fixed == {field.name for field in theirs.values() if field.write == "create"}


@pytest.mark.parametrize("name", RECORDS)
def test_fields_of_a_record(name: str) -> None:
    """The same fields of the same kinds."""
    theirs = {field.name: field for field in SCHEMAS[name].fields.values() if field.is_shown}
    fields: dict[str, Field] = ours(name).entity.fields
    assert fields.keys() - {"id", "nodeType"} == theirs.keys() - {"id", "nodeType"}
    for field in fields.values():
        other = theirs.get(field.name)
        if other is not None and other.kind == "unix":
            assert field.kind in (Kind.TIME, Kind.CLOCK), field.name
        elif other is not None:
            assert field.kind is KINDS[other.kind], field.name


@pytest.mark.parametrize("name", IDENTS)
def test_search_idents(name: str) -> None:
    """The same idents."""
    assert ours(name).idents.keys() == IDENTS[name].keys()


def test_operations_of_each_resource() -> None:
    """The same operations; reading all is a list without IDs."""
    for name in RECORDS:
        operations = {"list" if one == "get_many" else one for one in ours(name).entity.operations} - {"all"}
        assert operations == set(SCHEMAS[name].operations), name
