"""Applies our corrections (``overlays/*.toml``) to extracted facts.

A correction names an entity, perhaps one of its fields, the facts that it sets, and the reason. One
that no longer changes anything is an error, so that overlays don't outlive the mistakes they correct.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import attrs

from .zeyos_facts import EntityFacts, FieldFacts, ZeyosFacts

OVERLAYS: Final = Path(__file__).resolve().parent / "overlays"

F = TypeVar("F", EntityFacts, FieldFacts)


@attrs.frozen(kw_only=True)
class Correction:
    """One correction.

    Attributes:
        entity: The entity that it is about.
        field: The field that it is about, or ``""`` for the entity itself.
        set: Name of a fact → its right value.
        reason: Why we know better.
    """

    entity: str
    field: str = ""
    set: Mapping[str, Any]
    reason: str

    def __str__(self) -> str:
        where = f"{self.entity}.{self.field}" if self.field else self.entity
        return f"the correction of {', '.join(self.set)} of {where}"


def load_corrections(path: Path) -> list[Correction]:
    """Read an overlay.

    Raises:
        TypeError: An entry lacks a key, or has one that is unknown.
        ValueError: The file is not TOML.
    """
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("correction", [])
    return [Correction(**entry) for entry in entries]


def apply_corrections(facts: ZeyosFacts, corrections: Iterable[Correction]) -> ZeyosFacts:
    """Return the facts with all corrections applied.

    Raises:
        ValueError: A correction changes nothing, or names something that does not exist.
    """
    entities = {entity.name: entity for entity in facts.entities}
    for correction in corrections:
        if correction.entity not in entities:
            raise ValueError(f"{correction}: there is no such entity")
        entities[correction.entity] = _correct_entity(entities[correction.entity], correction)
    return attrs.evolve(facts, entities=list(entities.values()))


def _correct_entity(entity: EntityFacts, correction: Correction) -> EntityFacts:
    if not correction.field:
        return _correct(entity, correction)
    if correction.field not in {field.name for field in entity.fields}:
        raise ValueError(f"{correction}: there is no such field")
    fields = [
        _correct(field, correction) if field.name == correction.field else field for field in entity.fields
    ]
    return attrs.evolve(entity, fields=fields)


def _correct(facts: F, correction: Correction) -> F:
    values = {name: _value(name, value) for name, value in correction.set.items()}
    try:
        corrected = attrs.evolve(facts, **values)
    except TypeError as error:
        raise ValueError(f"{correction}: there is no such fact") from error
    # Overlays would grow for ever if corrections outlived the mistakes that they correct.
    stale = [name for name in values if getattr(facts, name) == values[name]]
    if stale:
        raise ValueError(f"{correction} changes nothing: the facts already say so. Delete it.")
    return corrected


def _value(name: str, value: Any) -> Any:
    """TOML's keys are text, those of codes are numbers."""
    return {int(code): label for code, label in value.items()} if name == "codes" else value
