"""What the emulated server holds when it starts: each module says how its rows are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs

from .state import Row, ServerState

__all__ = ["AWKWARD", "Filler", "Rows", "fill_state", "fills", "names", "rows_of", "shows"]

Rows = int | Sequence[Mapping[str, Any]]
Fill = Callable[[ServerState, Rows], None]

AWKWARD: Final = (
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
"""Texts that something in between may spoil."""


@attrs.frozen(kw_only=True)
class Filler:
    """How the rows of one name are made.

    Attributes:
        fill: Stores a number of rows, or the given ones.
        few: How many there are where nobody says.
        order: Lower ones come first.
    """

    fill: Fill
    few: int
    order: int


_FILLERS: Final[dict[str, Filler]] = {}


def fills(name: str, *, few: int = 7, order: int = 10) -> Callable[[Fill], Fill]:
    """Register a function that makes rows, under the name that ``rows=`` gives.

    Raises:
        ValueError: The name is taken.
    """

    def register(fill: Fill) -> Fill:
        if name in _FILLERS:
            raise ValueError(f"{name} is registered already")
        _FILLERS[name] = Filler(fill=fill, few=few, order=order)
        return fill

    return register


_SHOWN: Final[dict[str, Callable[[ServerState], list[Row]]]] = {}


def shows(name: str) -> Callable[[Callable[[ServerState], list[Row]]], Callable[[ServerState], list[Row]]]:
    """Register a function that gives the rows of a name that no table holds, for tests to look at."""

    def register(show: Callable[[ServerState], list[Row]]) -> Callable[[ServerState], list[Row]]:
        _SHOWN[name] = show
        return show

    return register


def rows_of(state: ServerState, name: str) -> list[Row]:
    """The rows of a name as they are stored.

    Raises:
        KeyError: There is no such name.
    """
    return _SHOWN[name](state) if name in _SHOWN else [dict(row) for row in state.tables[name]]


def names() -> list[str]:
    """The names that ``rows=`` may give."""
    return sorted(_FILLERS)


def fill_state(state: ServerState, rows: Mapping[str, Rows]) -> None:
    """Make the rows of a new server.

    Raises:
        ValueError: ``rows`` has a name that nothing is registered for.
    """
    if unknown := sorted(rows.keys() - _FILLERS.keys()):
        raise ValueError(f"there is no {unknown[0]!r} to fill; there are {', '.join(names())}")
    with state.beginning():
        for name, filler in sorted(_FILLERS.items(), key=lambda item: (item[1].order, item[0])):
            filler.fill(state, rows.get(name, filler.few))
