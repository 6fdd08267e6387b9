"""The facts about an API's entities, as values, and how they are kept in a file that is easy to compare."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import attrs
import cattrs

SPECS: Final = Path(__file__).resolve().parent / "specs"


@attrs.frozen(kw_only=True)
class FieldFacts:
    """One field of an entity.

    Attributes:
        name: The API's name.
        kind: A value of ``zeyos_async.schema.Kind``.
        nullable: Whether no value may be stored.
        required: Not null, without a default of the database or of the API.
        read_only: Whether writes must leave it out.
        codes: Allowed code → name, ``""`` where the code has none; empty if the field is not coded.
        unlisted: Codes that are named, though they are not among the allowed ones.
        choices: The only texts that are allowed.
        minimum: Smallest value.
        maximum: Largest value.
        exclusive: Whether ``minimum`` itself is excluded.
        min_length: Shortest text.
        max_length: Longest text.
        pattern: Regular expression of a text.
        format: ``int32``, ``int64``, ``double``, ``email``, ``uri`` or ``password``.
        target: The entity that the value is an ID of.
        only_in: The one document that has the field, where the documents of an entity differ.
    """

    name: str
    kind: str
    nullable: bool = False
    required: bool = False
    read_only: bool = False
    codes: dict[int, str] = attrs.field(factory=dict)
    unlisted: dict[int, str] = attrs.field(factory=dict)
    choices: list[str] = attrs.field(factory=list)
    minimum: float | None = None
    maximum: float | None = None
    exclusive: bool = False
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    format: str | None = None
    target: str | None = None
    only_in: str = ""


@attrs.frozen(kw_only=True)
class EntityFacts:
    """One entity.

    Attributes:
        name: As in the path.
        singular: CamelCase name of one record.
        plural: CamelCase name of all records.
        documents: The documents that describe it.
        extdata: Whether ``extdata`` is read or written.
        tags: Whether ``tags`` are read or written.
        fields: In the API's order.
    """

    name: str
    singular: str
    plural: str
    documents: list[str]
    extdata: bool = False
    tags: bool = False
    fields: list[FieldFacts]


@attrs.frozen(kw_only=True)
class OperationFacts:
    """One operation.

    Attributes:
        id: The operation's name in the API's description.
        action: ``list get exists create update delete``, or ``call`` for those of no entity.
        method: HTTP method.
        path: With ``{ID}`` for the record's ID.
        entity: ``""`` for an operation of no entity.
        parameters: Names of the parameters in path, query and headers.
        statuses: Every documented status.
        documents: The documents that have the operation.
    """

    id: str
    action: str
    method: str
    path: str
    entity: str = ""
    parameters: list[str] = attrs.field(factory=list)
    statuses: list[int]
    documents: list[str]


@attrs.frozen(kw_only=True)
class ZeyosFacts:
    """All that is known of an API.

    Attributes:
        sources: Name of a document → what it is, with its version.
        entities: Sorted by name.
        operations: Sorted by path and method.
    """

    sources: dict[str, str]
    entities: list[EntityFacts]
    operations: list[OperationFacts]


_CONVERTER: Final = cattrs.Converter(omit_if_default=True, forbid_extra_keys=True)
_CONVERTER.register_structure_hook(
    float, lambda value, _: value
)  # a limit of 0 stays 0, and does not become 0.0


def load_facts(path: Path) -> ZeyosFacts:
    """Read facts from a file that ``dump`` wrote."""
    return _CONVERTER.structure(json.loads(path.read_text(encoding="utf-8")), ZeyosFacts)


def dump_facts(facts: ZeyosFacts) -> str:
    """Return JSON text with one field or operation a line, so that a change shows as the lines it changes."""
    plain: dict[str, Any] = _CONVERTER.unstructure(facts)
    entities = ",\n".join(_entity_text(entity) for entity in plain["entities"])
    operations = ",\n".join("  " + _line(operation) for operation in plain["operations"])
    sources = json.dumps(plain["sources"], indent=1, sort_keys=True, ensure_ascii=False)
    return f'{{\n"sources": {sources},\n"entities": [\n{entities}\n],\n"operations": [\n{operations}\n]\n}}\n'


def _entity_text(entity: dict[str, Any]) -> str:
    fields = ",\n".join("   " + _line(field) for field in entity.pop("fields"))
    return f'  {_line(entity)[:-1]}, "fields": [\n{fields}\n  ]}}'


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
