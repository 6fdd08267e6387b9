"""Columns whose values depend on each other, or on the database's rules about the whole row."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

__all__ = ["SPECIAL_COLUMNS", "SeedTable", "pair_ids"]


@attrs.frozen(kw_only=True)
class SeedTable:
    """The table that a column of seed rows is made for.

    Attributes:
        seed: The seed of everything.
        table: The entity that the column belongs to.
        ids: Entity → its IDs.
    """

    seed: int
    table: str
    ids: Mapping[str, list[int]]

    @property
    def row_ids(self) -> list[int]:
        """The IDs of the rows that are being made."""
        return self.ids[self.table]


ColumnMaker = Callable[[SeedTable], Iterable[Any]]


PAIRS: Final[Mapping[str, tuple[str, str]]] = {
    "addresses": ("accounts", "contacts"),
    "associations": ("accounts", "contacts"),
    "follows": ("accounts", "users"),
    "likes": ("records", "users"),
    "messagereads": ("messages", "users"),
}
"""Entities of which each row is a pair of two others, though the database's unique key says it differently."""

ONE_EACH: Final[Mapping[str, str]] = {"entities2channels": "accounts"}
"""Entities of which there is one row at most for each row of another."""

NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "files": ("records", "comments"),
    "participants": ("mailinglists", "campaigns"),
}
"""Entities whose rows belong to one of several others."""


def pair_ids(seed_table: SeedTable, first: str, second: str) -> tuple[list[int], list[int]]:
    """Return two columns of IDs of two tables: no pair twice, and no ID with itself."""
    every = itertools.product(seed_table.ids[second], seed_table.ids[first])
    different = (
        (first_id, second_id) for second_id, first_id in every if first != second or first_id < second_id
    )
    chosen = list(itertools.islice(different, len(seed_table.row_ids)))
    return [first_id for first_id, _ in chosen], [second_id for _, second_id in chosen]


def _side_of_pair(side: int) -> ColumnMaker:
    return lambda seed_table: pair_ids(seed_table, *PAIRS[seed_table.table])[side]


def _constant(value: Any) -> ColumnMaker:
    return lambda _: itertools.repeat(value)


def _cycle(*values: Any) -> ColumnMaker:
    return lambda _: itertools.cycle(values)


def _from_template(template: str) -> ColumnMaker:
    return lambda seed_table: (template.format(record) for record in seed_table.row_ids)


def _alternating(entity: str, *, place: int, of: int) -> ColumnMaker:
    """Yield IDs of a table in every ``of``-th row, so that several references exclude each other."""

    def column(seed_table: SeedTable) -> Iterable[Any]:
        targets = itertools.cycle(seed_table.ids[entity] or [None])
        return (next(targets) if index % of == place else None for index in itertools.count())

    return column


def _cycle_ids(entity: str) -> ColumnMaker:
    return lambda seed_table: itertools.cycle(seed_table.ids[entity] or [None])


def _values_then_names(values: Sequence[Any]) -> ColumnMaker:
    """Yield the values, then numbered names."""

    def column(seed_table: SeedTable) -> Iterable[Any]:
        return itertools.chain(values, (f"name-{record}" for record in seed_table.row_ids[len(values) :]))

    return column


def _hourly_from(number: int) -> ColumnMaker:
    return lambda _: (number + index * 3600 for index in itertools.count())


_ACCOUNT_TYPES: Final = (0, 1, 2, 3, 4, 5, 1)

_LASTNAMES: Final = (
    "Lightexx AG",
    "BEQ Building Equipment",
    "CleanTexx",
    'O\'Brien "The Baker"',
    "100% Cotton",
    "snake_case Ltd",
    "back\\slash AG",
    "🚀 Rocket & Co",
    "שלום בע״מ",
    "شركة الاختبار",
    "Ärzte & Söhne",
    "zebra",
    "Zebra",
    "A;B,C|D",
    "=SUM(A1:A9)",
    "e\u0301clair",
    "日本語テスト",
)

SPECIAL_COLUMNS: Final[Mapping[str, Mapping[str, ColumnMaker]]] = {
    "accounts": {
        "type": _cycle(*_ACCOUNT_TYPES),
        "customernum": lambda s: (
            f"C-{100000 + record}" if index % 7 in (0, 1, 3, 5) and index % 2 else ""
            for index, record in enumerate(s.row_ids)
        ),
        "suppliernum": lambda s: (
            f"S-{100000 + record}" if index % 7 in (2, 3, 5) else "" for index, record in enumerate(s.row_ids)
        ),
        "lastname": lambda s: (
            _LASTNAMES[index % len(_LASTNAMES)] if index % 3 else f"Kunde {index * 7919 % 100_003:05d} GmbH"
            for index in range(len(s.row_ids))
        ),
        "firstname": _cycle("", "", "", "Max", "Søren", "Zoë"),
    },
    "actionsteps": {
        "task": _alternating("tasks", place=0, of=4),
        "ticket": _alternating("tickets", place=1, of=4),
        "account": _alternating("accounts", place=2, of=4),
    },
    "addresses": {
        "account": _side_of_pair(0),
        "contact": _side_of_pair(1),
        "type": _constant(0),
    },
    "applicationassets": {"filename": _from_template("assets/file-{}.txt")},
    "applications": {
        "identifier": lambda s: itertools.chain(
            ["emulated_application"], (f"application.{record}" for record in s.row_ids[1:])
        ),
    },
    "appointments": {"datefrom": _hourly_from(1_600_000_000), "dateto": _hourly_from(1_600_003_600)},
    "associations": {
        "entity1": _constant("accounts"),
        "entity2": _constant("contacts"),
        "index1": _side_of_pair(0),
        "index2": _side_of_pair(1),
    },
    "campaigns": {"datefrom": _hourly_from(1_600_000_000), "dateto": _constant(None)},
    "categories": {"entity": _cycle("accounts", "billing", "tickets"), "name": _from_template("Category {}")},
    "contacts": {
        "type": _cycle(0, 1),
        "title": _cycle("", "Dr."),
        "company": _cycle("", "ACME 100% Ltd"),
        "position": _cycle("", "CEO"),
        "department": _cycle("", "R&D"),
        "birthdate": _cycle(None, -86_400),
        "country": _cycle("DE", "GB", "AT", "", "US"),
        "city": _cycle("Munich", "London", "Wien", "", "São Paulo", "D'Iberville"),
    },
    "contracts": {
        "datefrom": _hourly_from(1_600_000_000),
        "dateto": _constant(None),
        "autobilling": _constant(None),
        "billingcycle": _constant(None),
    },
    "couponcodes": {
        "code": _from_template("CODE-{}"),
        "datefrom": _hourly_from(1_600_000_000),
        "dateto": _cycle(None, 10**17),
    },
    "coupons": {
        "type": _cycle(0, 1),
        "code": lambda s: (
            f"PROMO{record}" if not index % 2 else "" for index, record in enumerate(s.row_ids)
        ),
        "datefrom": _hourly_from(1_600_000_000),
        "dateto": _constant(None),
    },
    "customfields": {
        "identifier": _from_template("field_{}"),
        "type": _cycle("text", "count", "checked"),
        "entity": _constant(None),
        "source": _constant(0),
        "context": _constant("accounts"),
        "reference": _constant("accounts"),
    },
    "davservers": {"url": _constant("https://dav.example.com/"), "recipientgroup": _constant(None)},
    "devices": {"serialnum": _from_template("SN-{}"), "chargenum": _constant("")},
    "dunning": {"dunningnum": _from_template("D-{}")},
    "entities2channels": {
        "entity": _constant("accounts"),
        "index": _cycle_ids("accounts"),
    },
    "events": {
        "datefrom": _hourly_from(1_600_000_000),
        "dateto": _hourly_from(1_600_003_600),
        "index": lambda s: itertools.count(1),
    },
    "documents": {"status": _cycle(0, 1, 2, 3, 4, 5)},
    "feedservers": {"url": _constant("https://example.com/feed.xml"), "recipientgroup": _constant(None)},
    "files": {
        "record": _alternating("records", place=0, of=2),
        "comment": _alternating("comments", place=1, of=2),
    },
    "follows": {
        "entity": _constant("accounts"),
        "creator": _side_of_pair(1),
        "index": _side_of_pair(0),
    },
    "forks": {"identifier": _from_template("fork_{}"), "module": _cycle("accounts", "tickets")},
    "groups": {"name": _from_template("Group {}")},
    "items": {"model": _constant(None), "origin": _cycle("", "DE", "CN")},
    "likes": {
        "record": _side_of_pair(0),
        "creator": _side_of_pair(1),
    },
    "links": {"url": _cycle("https://example.com/", "")},
    "mailingrecipients": {
        "message": _cycle_ids("messages"),
        "participant": _constant(None),
    },
    "mailservers": {"recipientgroup": _constant(None)},
    "messagereads": {
        "message": _side_of_pair(0),
        "creator": _side_of_pair(1),
    },
    "messages": {
        "ticket": _alternating("tickets", place=0, of=3),
        "opportunity": _alternating("opportunities", place=1, of=3),
        "reference": _constant(None),
        "senderror": _constant(""),
    },
    "notes": {"status": _cycle(0, 1, 2, 3, 4, 5)},
    "objects": {"entity": _cycle("order", "thing")},
    "opportunities": {"status": _cycle(0, 1, 2, 3, 4), "probability": _cycle(0, 50, 100)},
    "participants": {
        "mailinglist": _alternating("mailinglists", place=0, of=2),
        "campaign": _alternating("campaigns", place=1, of=2),
    },
    "payments": {
        "transaction": _alternating("transactions", place=0, of=2),
        "account": _alternating("accounts", place=1, of=2),
        "amount": _cycle(10, -2.5, 99.95, 1e15),
    },
    "permissions": {
        "fork": _constant(None),
        "application": _constant(None),
        "identifier": lambda s: (f"permission{index}" for index in itertools.count()),
    },
    "pricelists": {"datefrom": _hourly_from(1_600_000_000), "dateto": _constant(None)},
    "records": {
        "entity": _cycle("accounts", None),
        "index": _cycle(1, None),
        "flag": _cycle(0, 4),
        "creator": _cycle_ids("users"),
        "assigneduser": _constant(None),
        "owneruser": _constant(None),
    },
    "resources": {"identifier": _from_template("resource_{}")},
    "services": {"identifier": _from_template("service_{}"), "type": _constant(0), "entity": _constant("")},
    "stocktransactions": {"transfer": _constant(None), "flag": _constant(0), "amount": _cycle(5, -2, 0.5)},
    "tasks": {
        "ticket": _alternating("tickets", place=0, of=3),
        "project": _alternating("projects", place=1, of=3),
    },
    "tickets": {
        "account": _alternating("accounts", place=0, of=3),
        "project": _alternating("projects", place=1, of=3),
    },
    "transactions": {
        "type": _cycle(0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
        "status": _cycle(0, 1, 2, 3, 4),
        "transactionnum": _from_template("BI-{}"),
        "item": _constant(None),
        "productionfactor": _constant(None),
    },
    "users": {
        "name": _values_then_names(("max.power", "john.doe")),
        "email": lambda s: itertools.chain(
            ("max.power@example.com", "john.doe@example.com"),
            (f"user{record}@example.com" for record in s.row_ids[2:]),
        ),
        "activity": _constant(0),
    },
    "weblets": {"identifier": _from_template("weblet_{}")},
}
