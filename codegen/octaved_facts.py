"""The facts about Octaved Flow's resources, as values, and how they are kept in a file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import attrs
import cattrs

from .corrections import Correction
from .zeyos_facts import FieldFacts


@attrs.frozen(kw_only=True)
class ResourceFacts:
    """One resource.

    Attributes:
        name: As the client calls it: ``"work_packages"``.
        singular: CamelCase name of one record.
        plural: CamelCase name of all records.
        operations: Some of ``get get_many all create put patch delete search``.
        record: What a record holds, in the document's order.
        writes: What a create takes, in the document's order.
        fixed: Names of the fields that a create takes and a patch does not.
        idents: What can be searched for. Kind ``boolean`` is a flag: one that takes "0" or "1" has these as
            ``choices``, the others take no value.
        yields: Whether a search can answer with records in place of IDs.
    """

    name: str
    singular: str
    plural: str
    operations: list[str]
    record: list[FieldFacts]
    writes: list[FieldFacts] = attrs.field(factory=list)
    fixed: list[str] = attrs.field(factory=list)
    idents: list[FieldFacts] = attrs.field(factory=list)
    yields: bool = False


@attrs.frozen(kw_only=True)
class OctavedFacts:
    """All that is known of the API.

    Attributes:
        source: What they were read from.
        resources: In the document's order.
    """

    source: str
    resources: list[ResourceFacts]


_CONVERTER: Final = cattrs.Converter(omit_if_default=True, forbid_extra_keys=True)
_PARTS: Final = ("record", "writes", "idents")


def load_facts(path: Path) -> OctavedFacts:
    """Read facts from a file that ``dump`` wrote."""
    return _CONVERTER.structure(json.loads(path.read_text(encoding="utf-8")), OctavedFacts)


def dump_facts(facts: OctavedFacts) -> str:
    """Return JSON text with one field a line, so that a change shows as the lines it changes."""
    plain: dict[str, Any] = _CONVERTER.unstructure(facts)
    resources = ",\n".join(_resource_text(resource) for resource in plain["resources"])
    return f'{{\n"source": {json.dumps(plain["source"])},\n"resources": [\n{resources}\n]\n}}\n'


def _resource_text(resource: dict[str, Any]) -> str:
    parts = {name: resource.pop(name) for name in _PARTS if name in resource}
    texts = [
        f'"{name}": [\n' + ",\n".join(f"   {json.dumps(field)}" for field in fields) + "\n  ]"
        for name, fields in parts.items()
    ]
    return f"  {json.dumps(resource)[:-1]}, {', '.join(texts)}}}"


def apply_corrections(facts: OctavedFacts, corrections: Iterable[Correction]) -> OctavedFacts:
    """Return the facts with all corrections applied; one corrects a field wherever the resource has it.

    Raises:
        ValueError: A correction changes nothing, or names something that does not exist.
    """
    resources = {resource.name: resource for resource in facts.resources}
    for correction in corrections:
        if correction.entity not in resources:
            raise ValueError(f"{correction}: there is no such resource")
        resources[correction.entity] = _correct_resource(resources[correction.entity], correction)
    return attrs.evolve(facts, resources=list(resources.values()))


def _correct_resource(resource: ResourceFacts, correction: Correction) -> ResourceFacts:
    parts: dict[str, Any] = {
        part: [
            attrs.evolve(field, **correction.set) if field.name == correction.field else field
            for field in getattr(resource, part)
        ]
        for part in _PARTS
    }
    corrected = attrs.evolve(resource, **parts)
    if corrected == resource:
        raise ValueError(f"{correction} changes nothing: delete it, or name a field that is there")
    return corrected
