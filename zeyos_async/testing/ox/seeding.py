"""The rows of a new server: each module registers a function that makes its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs

from .state import Row, ServerState

__all__ = [
    "AWKWARD_TEXTS",
    "SeedRows",
    "Seeder",
    "exposes",
    "read_rows",
    "seed_state",
    "seeder_names",
    "seeds",
]

SeedRows = int | Sequence[Mapping[str, Any]]
SeedFunction = Callable[[ServerState, SeedRows], None]

AWKWARD_TEXTS: Final = (
    "Mustermann",
    'O\'Brien "The Baker"',
    "100% Cotton",
    "snake_case Ltd",
    "back\\slash <b>&amp;</b>",
    "🚀 Rocket",
    "שלום בע״מ",
    "شركة الاختبار",
    "Ärzte & Söhne",
    "*star?mark",
    "=SUM(A1:A9)",
    "e\u0301clair",
    "日本語テスト",
    "line\nbreak",
)
"""Texts that are easily spoilt on their way: quotes, escapes, other scripts, formulas, line breaks."""


@attrs.frozen(kw_only=True)
class Seeder:
    """A registered function that makes the rows of a name.

    Attributes:
        seed: Stores a number of rows, or explicit ones.
        default_count: The number of rows where a test does not choose.
        order: Lower ones come first.
    """

    seed: SeedFunction
    default_count: int
    order: int


_SEEDERS: Final[dict[str, Seeder]] = {}


def seeds(name: str, *, default_count: int = 7, order: int = 10) -> Callable[[SeedFunction], SeedFunction]:
    """Register a function that makes rows, under the name that ``rows=`` uses.

    Raises:
        ValueError: The name is taken.
    """

    def register(seed: SeedFunction) -> SeedFunction:
        if name in _SEEDERS:
            raise ValueError(f"{name} is registered already")
        _SEEDERS[name] = Seeder(seed=seed, default_count=default_count, order=order)
        return seed

    return register


_EXPOSED: Final[dict[str, Callable[[ServerState], list[Row]]]] = {}


def exposes(name: str) -> Callable[[Callable[[ServerState], list[Row]]], Callable[[ServerState], list[Row]]]:
    """Register a function that lists the rows of a name that no table holds, for tests to look at."""

    def register(list_rows: Callable[[ServerState], list[Row]]) -> Callable[[ServerState], list[Row]]:
        _EXPOSED[name] = list_rows
        return list_rows

    return register


def read_rows(state: ServerState, name: str) -> list[Row]:
    """Return the rows of a name as they are stored.

    Raises:
        KeyError: There is no such name.
    """
    return _EXPOSED[name](state) if name in _EXPOSED else [dict(row) for row in state.tables[name]]


def seeder_names() -> list[str]:
    """Return the names that ``rows=`` may use."""
    return sorted(_SEEDERS)


def seed_state(state: ServerState, rows: Mapping[str, SeedRows]) -> None:
    """Make the rows of a new server.

    Raises:
        ValueError: ``rows`` has a name that nothing is registered for.
    """
    if unknown := sorted(rows.keys() - _SEEDERS.keys()):
        raise ValueError(f"there is no {unknown[0]!r} to fill; there are {', '.join(seeder_names())}")
    # Folders come first (order 0): rows of the other names are stored in them.
    with state.seeding():
        for name, seeder in sorted(_SEEDERS.items(), key=lambda item: (item[1].order, item[0])):
            seeder.seed(state, rows.get(name, seeder.default_count))
