"""The vendor's OpenAPI document and database reference, read into facts about fields and operations.

Descriptions are read for three kinds of fact only: the names of codes, whether a number is a point
in time, and whether the API itself gives a value on creation. None of their sentences is kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from .zeyos_facts import FieldFacts

_CODE: Final = re.compile(r"`?(-?\d+)`?=([A-Z][A-Z0-9_]*)")
_TIME: Final = re.compile(r"\bUnix time ?stamp", re.IGNORECASE)
_API_DEFAULT: Final = re.compile(r"defaults to [a-z ]+ on creation")
_ACTIONS: Final = ("list", "create", "get", "exists", "update", "delete")
_COMPOSITES: Final = {"binfile-field": "binary", "meta-field": "json", "items-field": "json"}

Json = Mapping[str, Any]


def read_code_names(description: str) -> dict[int, str]:
    """Read code → name from a description such as ``(`0`=OPEN, `1`=CLOSED)``."""
    return {int(code): name for code, name in _CODE.findall(description)}


def is_time(description: str) -> bool:
    """Return whether the description says that the number is a Unix timestamp."""
    return _TIME.search(description) is not None


def has_api_default(description: str) -> bool:
    """Return whether the API fills the field in on creation when it is left out."""
    return _API_DEFAULT.search(description) is not None


def split_operation_id(operation_id: str) -> tuple[str, str]:
    """Split ``getDunningNotice`` into ``("get", "DunningNotice")``; ``("call", …)`` if it is none of ours."""
    for action in _ACTIONS:
        rest = operation_id.removeprefix(action)
        if rest != operation_id and rest[:1].isupper():
            return action, rest
    return "call", operation_id


def read_field_kind(schema: Json, column_type: str = "") -> str:
    """Return the kind of a field from its schema, and from its column's type where the schema is a union."""
    if "$ref" in schema:
        return _COMPOSITES[_name(schema["$ref"])]
    if "oneOf" in schema:
        return "array" if column_type.endswith("[]") else "json"
    type_, format_ = str(schema["type"]), str(schema.get("format", ""))
    if type_ in ("integer", "number") and is_time(schema.get("description", "")):
        return "time"
    # Some columns are `number` with the format of an integer, such as int64: their values are whole.
    if type_ == "number" and format_.startswith("int"):
        return "integer"
    return {"string": "text", "object": "json"}.get(type_, type_)


def read_field_facts(name: str, schema: Json, column: Json | None, entities: set[str]) -> FieldFacts:
    """Return all facts about one field.

    Args:
        name: The field's name.
        schema: Its schema in the OpenAPI document.
        column: Its column in the database reference, if it has one.
        entities: The names of the API's entities; a reference to anything else is no reference.
    """
    column = column or {}
    composite = "$ref" in schema or "oneOf" in schema
    # The server chooses IDs, though neither document marks them as read-only.
    is_id = name == "ID"
    nullable = composite or bool(schema.get("nullable"))
    if column:
        nullable = not column["notnull"]  # the database decides, the schema's word is for want of a column
    has_default = has_api_default(schema.get("description", "")) or is_id
    codes, unlisted = _codes(schema)
    return FieldFacts(
        name=name,
        kind=read_field_kind(schema, column.get("type", "")),
        nullable=nullable,
        required=bool(column.get("notnull")) and column.get("default") is None and not has_default,
        read_only=is_id,
        codes=codes,
        unlisted=unlisted,
        choices=[value for value in schema.get("enum", ()) if isinstance(value, str)],
        minimum=schema.get("minimum"),
        maximum=schema.get("maximum"),
        exclusive=bool(schema.get("exclusiveMinimum")),
        min_length=schema.get("minLength"),
        max_length=schema.get("maxLength"),
        pattern=schema.get("pattern"),
        format=schema.get("format"),
        target=_target(column, entities),
    )


def _codes(schema: Json) -> tuple[dict[int, str], dict[int, str]]:
    """Return the allowed codes with their names, and the names of codes that are not allowed."""
    allowed = [value for value in schema.get("enum", ()) if isinstance(value, int)]
    if not allowed:
        return {}, {}
    names = read_code_names(schema.get("description", ""))
    return (
        {code: names.get(code, "") for code in allowed},
        {code: name for code, name in names.items() if code not in allowed},
    )


def _target(column: Json, entities: set[str]) -> str | None:
    for key in column.get("fkeys", ()):
        if key["table"] in entities and key["field"] == "ID":
            return str(key["table"])
    return None


def list_parameters(operation: Json) -> list[str]:
    """Return the names of an operation's parameters in path, query and headers."""
    return [
        parameter.get("name") or _name(parameter["$ref"]) for parameter in operation.get("parameters", ())
    ]


def list_body_schemas(document: Json, operation: Json) -> set[str]:
    """Return the names of the schemas that a request's body is made of."""
    components = document["components"]
    body = operation.get("requestBody", {})
    if "$ref" in body:
        body = components["requestBodies"][_name(body["$ref"])]
    schema = body.get("content", {}).get("application/json", {}).get("schema", {})
    name = _name(schema["$ref"]) if "$ref" in schema else ""
    parts = components["schemas"].get(name, schema).get("allOf", ())
    return {name, *(_name(part["$ref"]) for part in parts)}


def _name(reference: str) -> str:
    return reference.rsplit("/", 1)[-1]
