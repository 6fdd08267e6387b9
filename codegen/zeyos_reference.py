"""The vendor's older reference of ZeyOS, which exists as text only: its operations and its fields.

The text is a rendering of an older OpenAPI document. An operation is a line such as
``GET /accounts/{ID}``; its parameters are names followed by ``in query``; its statuses are lines such
as ``200 OK``. After "Schema Definitions", an entity is a line ``accounts: object`` and a field a line
``name: type``, an empty line, and a description.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

import attrs

_OPERATION: Final = re.compile(r"(GET|HEAD|POST|PUT|PATCH|DELETE) (/\S+)")
_STATUS: Final = re.compile(r"(\d{3}) [A-Z][A-Za-z ]+")
_LOCATION: Final = re.compile(r"in (path|query|header|formData)")
_SCHEMA: Final = re.compile(r"([\w-]+): object")
_FIELD: Final = re.compile(
    r"(\w+):(?: ((?:integer|number|string|boolean|object|array)\b.*|[a-z]+-(?:field|list|object|content)))?"
)
_SCHEMAS_START: Final = "Schema Definitions"


@attrs.frozen
class ReferenceField:
    """A field as the reference has it: its type with all limits, and its description."""

    name: str
    type: str
    description: str


@attrs.frozen
class ReferenceOperation:
    """An operation as the reference has it."""

    method: str
    path: str
    statuses: tuple[int, ...]
    parameters: tuple[str, ...]
    example: Any = None


@attrs.frozen
class Reference:
    """All that the reference says.

    Attributes:
        operations: (method, path) → operation.
        fields: Entity → field name → field; the type is empty where only an example shows the field.
    """

    operations: Mapping[tuple[str, str], ReferenceOperation]
    fields: Mapping[str, Mapping[str, ReferenceField]]


def read_reference(text: str) -> Reference:
    """Read the whole text.

    Raises:
        ValueError: The text has no schema definitions, so it is not the reference.
    """
    lines = text.splitlines()
    if _SCHEMAS_START not in lines:
        raise ValueError(f"not the API reference: no line {_SCHEMAS_START!r}")
    # Both halves have lines that would be taken for something else in the other one.
    middle = lines.index(_SCHEMAS_START)
    operations = {(operation.method, operation.path): operation for operation in _operations(lines[:middle])}
    entities = {path.split("/")[1] for _, path in operations}
    fields = _schemas(lines[middle + 1 :], entities)
    for (method, path), operation in operations.items():
        name = path.split("/")[1]
        # Some entities have no schema in the text; the example of their list shows the names of their fields.
        if method == "POST" and name not in fields:
            fields[name] = _fields_of_example(operation.example)
    return Reference(operations, fields)


def _operations(lines: list[str]) -> Iterator[ReferenceOperation]:
    starts = [index for index, line in enumerate(lines) if _OPERATION.fullmatch(line)]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield _operation(lines[start:end])


def _operation(lines: list[str]) -> ReferenceOperation:
    method, path = lines[0].split(" ")
    statuses = sorted({int(match[1]) for line in lines if (match := _STATUS.fullmatch(line))})
    parameters = [name for name, where in pairwise(lines) if _LOCATION.fullmatch(where)]
    return ReferenceOperation(method, path, tuple(statuses), tuple(parameters), _example(lines))


def _example(lines: list[str]) -> Any:
    """Read the JSON of the response's example, if it is there and is JSON."""
    title = "Response Example (200 OK)"
    if title not in lines:
        return None
    start = lines.index(title) + 1
    rest = lines[start:]
    end = next((i for i, line in enumerate(rest) if line.startswith("Response ")), len(rest))
    try:
        return json.loads("\n".join(rest[:end]))
    except ValueError:
        return None  # some examples of the reference are not JSON


def _fields_of_example(example: Any) -> dict[str, ReferenceField]:
    row = example[0] if isinstance(example, list) and example else {}
    return {name: ReferenceField(name, "", "") for name in row}


def _schemas(lines: list[str], entities: set[str]) -> dict[str, dict[str, ReferenceField]]:
    """Read the fields of each entity; helper schemas (their names have a hyphen) are left out."""
    schemas: dict[str, dict[str, ReferenceField]] = {}
    fields: dict[str, ReferenceField] | None = None
    for index, line in enumerate(lines):
        if (header := _SCHEMA.fullmatch(line)) and (header[1] in entities or "-" in header[1]):
            fields = schemas.setdefault(header[1], {}) if header[1] in entities else None
        elif line == "Example":
            fields = None
        elif fields is not None and (field := _FIELD.fullmatch(line)):
            fields[field[1]] = ReferenceField(field[1], field[2] or "", _description(lines, index))
    return schemas


def _description(lines: list[str], index: int) -> str:
    """Return the line after the empty line that follows a field; composite fields have none."""
    following = lines[index + 1 : index + 3]
    return following[1] if len(following) == 2 and not following[0] else ""
