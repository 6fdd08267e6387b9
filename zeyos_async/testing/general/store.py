"""The records of the emulated API, and made-up ones to begin with."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Final

from .models import DATE, DECIMAL, ENUMERATION, WHOLE, Field, Model, Value

__all__ = ["Row", "Store"]

Row = dict[str, Value]

_WORDS: Final = (
    "Hofmann", "Superman", "Mandy", "Müller", "O'Brien", 'quo"te', "50 %", "under_score",
    "back\\slash", "  spaces ", "مرحبا", "日本語", "🚀 rocket", "null", "Maier", "de la Cruz",
)  # fmt: skip
_FIRST_ID: Final = 542


class Store:
    """Rows by model and ID.

    Args:
        models: What there is.
    """

    def __init__(self, models: Iterable[Model]) -> None:
        self.models = {model.name: model for model in models}
        self._rows: dict[str, dict[int, Row]] = {name: {} for name in self.models}
        self._next = dict.fromkeys(self.models, _FIRST_ID)

    def rows(self, model: Model) -> list[Row]:
        """Return all rows, in the order of their creation."""
        return list(self._rows[model.name].values())

    def row(self, model: Model, record: int) -> Row | None:
        """Return one row, or ``None``."""
        return self._rows[model.name].get(record)

    def insert(self, model: Model, values: Mapping[str, Value]) -> int:
        """Store a row and return its ID; a row that brings an ID keeps it."""
        identity = model.identity.name
        given_id = values.get(identity)
        record = given_id if isinstance(given_id, int) and given_id > 0 else self._next[model.name]
        row: Row = {field.name: field.default for field in model.fields} | dict(values) | {identity: record}
        self._rows[model.name][record] = row
        # IDs are never given twice, also after a row that brought its own.
        self._next[model.name] = max(self._next[model.name], record + 1)
        return record

    def update(self, model: Model, record: int, changes: Mapping[str, Value]) -> None:
        """Change a row that is there."""
        self._rows[model.name][record].update(changes)

    def delete(self, model: Model, record: int) -> None:
        """Remove a row that is there."""
        del self._rows[model.name][record]

    def seed_rows(self, model: Model, count: int, *, seed: int) -> None:
        """Make up so many rows; the same seed makes the same."""
        rng = random.Random(f"{seed}:{model.name}")
        for number in range(count):
            values = {field.name: _make_up_value(field, number, rng) for field in model.fields[1:]}
            self.insert(model, values)


def _make_up_value(field: Field, number: int, rng: random.Random) -> Value:
    if not field.required and rng.random() < 0.1:
        return None
    if field.subtype == ENUMERATION and field.choices:
        return rng.choice(list(field.choices))
    if field.type == WHOLE:
        return rng.randint(18, 67)
    if field.type == DECIMAL:
        return rng.randint(0, 1_000_000) / 100
    if field.type == DATE:
        return f"20{rng.randint(10, 29)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    if field.required:
        return f"{field.name}{number:06}!"
    return rng.choice(_WORDS)
