"""Rows for every entity, as a function of a seed.

Columns are filled by what they are (a reference takes the IDs of its table, a code one of its
codes, a text one of the texts below, awkward ones among them); ``seed_columns.py`` says what is
different for single columns. IDs have gaps, time stamps repeat, rows do not lie in the order of
their IDs. Columns are made as streams and put together by ``zip``, so that 100,000 rows take a second.

The rows must hold every rule of the database, and that has to be so by construction, since checking each of 100,000 rows
would cost more than making them (tests check it for smaller numbers). Three kinds of rule need more than one column:

- References that are unique together (``_unique_pairs``): their columns run through all combinations, each once.
- References that exclude each other: they take turns (``seed_columns._alternating``).
- Columns that another column decides: they are written down in ``seed_columns.py``.

A unique key bounds how many rows there can be: two accounts and three users make six pairs at most. ``_plan_counts``
lowers the default numbers until all of them are possible, again and again, as one table's number bounds another's; a
number that a test gave is an error in place of being lowered.

Everything is a function of the seed. Each column is drawn by a generator of its own, so that a column more or less leaves
the others as they were.
"""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from .seed_columns import NEEDS, ONE_EACH, PAIRS, SPECIAL_COLUMNS, SeedTable, pair_ids
from .store import Store
from .table_definitions import Column, ForeignKey, Table

__all__ = ["DEFAULT_ROWS", "seed_rows"]

_DEFAULT_COUNT: Final = 24
DEFAULT_ROWS: Final[Mapping[str, int]] = {
    "applications": 3,
    "contacts": 40,
    "forks": 2,
    "groups": 4,
    "groups2users": 12,
    "permissions": 6,
    "users": 6,
}
"""How many rows an entity has where nobody asks for another number; 24 for all others."""

_MIN_ROWS: Final[Mapping[str, int]] = {"applications": 1, "users": 2}
# A prime, so that columns that repeat every 211 rows don't fall into step with those that repeat by tens.
_POOL: Final = 211
_START: Final = 1_500_000_000
_TIMES: Final = (
    None,
    0,
    -86_400,
    1_700_000_000,
    1_700_000_000,
    4_102_444_800,
    253_402_300_800,
    2**53 + 1,
    10**17,
)
_NUMBERS: Final = (1, 0.1, 2.5, 19, 42, 99.95, 33.333333333333336, 100, 7)
_EXTRA_RECORDS: Final = 200


def seed_rows(store: Store, rows: Mapping[str, int], *, seed: int) -> None:
    """Put rows into an empty store.

    Args:
        store: The empty store.
        rows: Entity → how many rows, in place of the default.
        seed: The same seed gives the same rows.

    Raises:
        ValueError: An entity that does not exist, or more rows than its unique keys allow.
    """
    if unknown := sorted(rows.keys() - store.tables.keys()):
        raise ValueError(f"there is no entity {unknown[0]!r}")
    if any(count < 0 for count in rows.values()):
        raise ValueError("a number of rows can't be negative")
    counts = _plan_counts(store, rows)
    ids = {name: _make_ids(name, count) for name, count in counts.items()}
    with store.loading():
        for name, table in store.tables.items():
            _fill_table(store, table, SeedTable(seed=seed, table=name, ids=ids))
        _fill_contents(store, ids["binfiles"])


def _plan_counts(store: Store, rows: Mapping[str, int]) -> dict[str, int]:
    """Return the number of rows of each entity: the requested one, or the default as far as unique keys allow."""
    counts = {name: rows.get(name, DEFAULT_ROWS.get(name, _DEFAULT_COUNT)) for name in store.tables}
    counts |= {name: max(counts[name], least) for name, least in _MIN_ROWS.items()}
    while limited := {
        name: limit
        for name, table in store.tables.items()
        if (limit := _max_rows(table, counts)) < counts[name]
    }:
        for name, limit in limited.items():
            if name in rows:
                raise ValueError(f"{name} can have {limit} rows at most with so few of what they refer to")
        counts |= limited
    return counts


def _max_rows(table: Table, counts: Mapping[str, int]) -> int:
    """Return the greatest number of rows of a table that its keys allow."""
    required = [key.table for key in table.foreign_keys if table.by_name[key.column].notnull]
    if any(not counts[name] for name in (*required, *NEEDS.get(table.name, ()))):
        return 0
    every = [(first.table, second.table) for first, second in _unique_pairs(table)]
    if table.name in PAIRS:
        every.append(PAIRS[table.name])
    limits = [_combinations(*pair, counts) for pair in every]
    if table.name in ONE_EACH:
        limits.append(counts[ONE_EACH[table.name]])
    return min(limits, default=counts[table.name])


def _combinations(first: str, second: str, counts: Mapping[str, int]) -> int:
    if first == second:
        return counts[first] * (counts[first] - 1) // 2
    return counts[first] * counts[second]


def _make_ids(name: str, count: int) -> list[int]:
    """Return IDs from 1 with a gap after every ninth; users and applications have none."""
    # Credentials name users and applications by ID, so theirs have no gaps.
    gap = count + 1 if name in ("users", "applications") else 9
    return [1 + index + index // gap for index in range(count)]


def _fill_table(store: Store, table: Table, seed_table: SeedTable) -> None:
    columns: dict[str, Iterable[Any]] = dict(_unique_references(table, seed_table))
    columns |= {name: column(seed_table) for name, column in SPECIAL_COLUMNS.get(table.name, {}).items()}
    for column in table.columns:
        if column.name not in columns:
            columns[column.name] = _fill_column(column, table, seed_table)
    columns["ID"] = seed_table.row_ids
    columns["_pos"] = _positions(seed_table)
    names = ["ID", *(name for name in columns if name != "ID")]
    # Streams never end; the IDs say how many rows there are.
    rows = zip(*(columns[name] for name in names), strict=False)
    last = seed_table.row_ids[-1] if seed_table.row_ids else 0
    store.load(table.name, names, rows, next_id=last + 1)
    _fill_pseudo(store, table, seed_table)


def _positions(seed_table: SeedTable) -> list[int]:
    """Return each row's place in the heap: in no order at all."""
    places = list(range(len(seed_table.row_ids)))
    random.Random(f"{seed_table.seed}:{seed_table.table}:heap").shuffle(places)
    return places


def _unique_pairs(table: Table) -> Iterator[tuple[ForeignKey, ForeignKey]]:
    """Yield the pairs of references that are unique together."""
    for unique in table.unique:
        references = [table.references[name] for name in unique.columns if name in table.references]
        if len(references) == 2 and len(unique.columns) == 2:
            yield references[0], references[1]


def _unique_references(table: Table, seed_table: SeedTable) -> Iterator[tuple[str, Iterable[Any]]]:
    """Yield the columns of such pairs: every combination comes once."""
    for first, second in _unique_pairs(table):
        first_ids, second_ids = pair_ids(seed_table, first.table, second.table)
        yield from ((first.column, first_ids), (second.column, second_ids))


def _fill_column(column: Column, table: Table, seed_table: SeedTable) -> Iterator[Any]:
    """Return values for a column, without an end."""
    draw = random.Random(f"{seed_table.seed}:{table.name}.{column.name}")
    if column.hidden:
        return itertools.repeat(_plain_default(column))
    if column.name in table.references:
        return _references(column, table, seed_table, draw)
    if column.name in ("creator", "assigneduser"):
        return itertools.cycle(draw.choices([None, *seed_table.ids["users"]], k=_POOL))
    if column.name in ("creationdate", "lastmodified"):
        return _stamps(column.name, random.Random(f"{seed_table.seed}:{table.name}"))
    if column.codes:
        codes = column.codes if column.notnull else (None, *column.codes)
        return itertools.cycle(draw.choices(codes, k=_POOL))
    return itertools.cycle(draw.choices(_pool(column, table), k=_POOL))


def _plain_default(column: Column) -> Any:
    return _START if column.default == "now" else column.default


def _references(column: Column, table: Table, seed_table: SeedTable, draw: random.Random) -> Iterator[Any]:
    both_owners = {"owneruser", "ownergroup"} <= table.by_name.keys()
    targets: list[Any] = list(seed_table.ids[table.references[column.name].table])
    if (both_owners and column.name == "ownergroup") or not targets or column.name == "fork":
        # A row belongs to a user or a group; rows of a fork would be a module of their own.
        return itertools.repeat(None)
    if column.notnull:
        return itertools.cycle(draw.choices(targets, k=_POOL))
    return itertools.cycle([None, *draw.choices([*targets, None], k=_POOL)])


def _stamps(name: str, draw: random.Random) -> Iterator[int]:
    """Return time stamps: creation goes up with the ID, five rows share a stamp; changes come in any order."""
    start = _START + draw.randrange(10_000)
    if name == "creationdate":
        return (start + index // 5 * 600 for index in itertools.count())
    return (start + index // 5 * 600 + index * 7919 % 5 // 4 * 86_400 for index in itertools.count())


def _pool(column: Column, table: Table) -> tuple[Any, ...]:
    if column.type == "double precision":
        return _NUMBERS if column.notnull else (None, *_NUMBERS)
    if column.type == "bigint":
        return _TIMES[1:] if column.notnull else _TIMES
    if column.is_integer:
        return (
            (column.default,) if column.default is not None else (None,) if not column.notnull else (1, 2, 3)
        )
    if column.type == "json":
        return (None, *_JSON[_json_kind(column, table)])
    if column.type == "bigint[]":
        return (None, "[]", "[1,9007199254740993]")
    if column.is_array:
        return (None, "[]", '["plain","two words","a,b","\\"quoted\\"","NULL","ü"]')
    return _texts(column)


_JSON: Final = {
    "object": ('{"a":1,"b":null,"ü":"ß"}', '{"nested":{"list":[1,2.5,"three"]}}'),
    "array": ("[]", '[{"type":0,"name":"Item \\"A\\"","amount":2,"price":9.99}]'),
}


def _json_kind(column: Column, table: Table) -> str:
    rule = next((check for check in table.checks if check.name == f"dc_{table.name}_{column.name}"), None)
    return "array" if rule is not None and "array" in str(rule.expression) else "object"


AWKWARD: Final = (
    'O\'Brien "The Baker"',
    "100% Cotton",
    "snake_case Ltd",
    "back\\slash AG",
    "🚀 Rocket & Co 👩‍👩‍👧",
    "שלום בע״מ",
    "شركة الاختبار",
    "Ärzte & Söhne",
    "zebra",
    "Zebra",
    "A;B,C|D",
    "=SUM(A1:A9)",
    "<b>bold</b>",
    "%",
    "_",
    "NULL",
    "0",
    "日本語テスト",
    "e\u0301clair",
    "tab\tinside",
)
"""Texts that break what quotes, escapes, sorts or displays carelessly."""

_PLAIN: Final = (
    "Bauer",
    "Schmidt",
    "Lightexx AG",
    "CleanTexx",
    "BEQ Building Equipment",
    "Morris",
    "Charlott",
)
_BY_NAME: Final[Mapping[str, tuple[Any, ...]]] = {
    "currency": ("EUR", "USD", "CHF", "GBP"),
    "color": ("", "FF0000", "0A3", "00FF7F"),
    "mimetype": ("text/plain", "application/pdf"),
    "lang": ("de_DE", "en_US"),
    "sender": ("", "Max <max@example.com>"),
    "url": ("https://example.com/a?b=c&d=%20", "https://example.org/ü"),
}


def _texts(column: Column) -> tuple[Any, ...]:
    if column.type == "t_entity":
        return ("accounts", "contacts", "tickets") if column.notnull else (None, "accounts", "contacts")
    if "country" in column.name:
        return ("", "DE", "AT", "GB", "US")
    if "email" in column.name:
        return ("a@example.com", "b.c+d@example.org", "ü@example.net")
    if column.name in _BY_NAME:
        return _BY_NAME[column.name]
    if column.name == "description":
        return ("", "one line", "two\nlines and a \\ and a 'quote'", *AWKWARD)
    texts = (*AWKWARD, *_PLAIN)
    return texts if column.default is None else ("", "", *texts)


def _fill_pseudo(store: Store, table: Table, seed_table: SeedTable) -> None:
    """Give some of the records extension data and tags."""
    some = seed_table.row_ids[:_EXTRA_RECORDS:3]
    for index, record in enumerate(some):
        if table.extdata:
            values = {"nickname": AWKWARD[index % len(AWKWARD)], "score": index % 7, "ratio": 0.5}
            store.set_extdata(table.name, record, values if index % 2 else {"nickname": "nick"})
        if "tags" in table.options:
            store.set_tags(table.name, record, ["New Tag", AWKWARD[index % len(AWKWARD)]])


def _fill_contents(store: Store, ids: list[int]) -> None:
    for index, record in enumerate(ids):
        content = f"Content {index}\r\n".encode() + bytes(range(index % 256))
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        store.connection.execute(
            'UPDATE binfiles SET size = ?, hash = ? WHERE "ID" = ?', [len(content), f"\\x{digest}", record]
        )
        store.set_content(record, content)
