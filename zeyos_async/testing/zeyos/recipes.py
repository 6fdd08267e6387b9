"""Columns whose values depend on each other, or on the database's rules about the whole row."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

__all__ = ["RECIPES", "Source", "pairs"]


@attrs.frozen(kw_only=True)
class Source:
    """What a column is made from.

    Attributes:
        seed: The seed of everything.
        table: The entity that the column belongs to.
        ids: Entity → its IDs.
    """

    seed: int
    table: str
    ids: Mapping[str, list[int]]

    @property
    def own(self) -> list[int]:
        """The IDs of the rows that are being made."""
        return self.ids[self.table]


Recipe = Callable[[Source], Iterable[Any]]


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


def pairs(source: Source, first: str, second: str) -> tuple[list[int], list[int]]:
    """Two columns of IDs of two tables, no pair twice, and no ID with itself."""
    every = itertools.product(source.ids[second], source.ids[first])
    different = ((left, right) for right, left in every if first != second or left < right)
    found = list(itertools.islice(different, len(source.own)))
    return [left for left, _ in found], [right for _, right in found]


def _paired(side: int) -> Recipe:
    return lambda source: pairs(source, *PAIRS[source.table])[side]


def _always(value: Any) -> Recipe:
    return lambda _: itertools.repeat(value)


def _cycle(*values: Any) -> Recipe:
    return lambda _: itertools.cycle(values)


def _numbered(template: str) -> Recipe:
    return lambda source: (template.format(record) for record in source.own)


def _alternating(entity: str, *, place: int, of: int) -> Recipe:
    """IDs of a table in every ``of``-th row, so that several references exclude each other."""

    def recipe(source: Source) -> Iterable[Any]:
        targets = itertools.cycle(source.ids[entity] or [None])
        return (next(targets) if index % of == place else None for index in itertools.count())

    return recipe


def _of(entity: str) -> Recipe:
    return lambda source: itertools.cycle(source.ids[entity] or [None])


def _each(values: Sequence[Any]) -> Recipe:
    """A few given values, then numbered ones."""

    def recipe(source: Source) -> Iterable[Any]:
        return itertools.chain(values, (f"name-{record}" for record in source.own[len(values) :]))

    return recipe


def _from(number: int) -> Recipe:
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

RECIPES: Final[Mapping[str, Mapping[str, Recipe]]] = {
    "accounts": {
        "type": _cycle(*_ACCOUNT_TYPES),
        "customernum": lambda s: (
            f"C-{100000 + record}" if index % 7 in (0, 1, 3, 5) and index % 2 else ""
            for index, record in enumerate(s.own)
        ),
        "suppliernum": lambda s: (
            f"S-{100000 + record}" if index % 7 in (2, 3, 5) else "" for index, record in enumerate(s.own)
        ),
        "lastname": lambda s: (
            _LASTNAMES[index % len(_LASTNAMES)] if index % 3 else f"Kunde {index * 7919 % 100_003:05d} GmbH"
            for index in range(len(s.own))
        ),
        "firstname": _cycle("", "", "", "Max", "Søren", "Zoë"),
    },
    "actionsteps": {
        "task": _alternating("tasks", place=0, of=4),
        "ticket": _alternating("tickets", place=1, of=4),
        "account": _alternating("accounts", place=2, of=4),
    },
    "addresses": {
        "account": _paired(0),
        "contact": _paired(1),
        "type": _always(0),
    },
    "applicationassets": {"filename": _numbered("assets/file-{}.txt")},
    "applications": {
        "identifier": lambda s: itertools.chain(
            ["emulated_application"], (f"application.{record}" for record in s.own[1:])
        ),
    },
    "appointments": {"datefrom": _from(1_600_000_000), "dateto": _from(1_600_003_600)},
    "associations": {
        "entity1": _always("accounts"),
        "entity2": _always("contacts"),
        "index1": _paired(0),
        "index2": _paired(1),
    },
    "campaigns": {"datefrom": _from(1_600_000_000), "dateto": _always(None)},
    "categories": {"entity": _cycle("accounts", "billing", "tickets"), "name": _numbered("Category {}")},
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
        "datefrom": _from(1_600_000_000),
        "dateto": _always(None),
        "autobilling": _always(None),
        "billingcycle": _always(None),
    },
    "couponcodes": {
        "code": _numbered("CODE-{}"),
        "datefrom": _from(1_600_000_000),
        "dateto": _cycle(None, 10**17),
    },
    "coupons": {
        "type": _cycle(0, 1),
        "code": lambda s: (f"PROMO{record}" if not index % 2 else "" for index, record in enumerate(s.own)),
        "datefrom": _from(1_600_000_000),
        "dateto": _always(None),
    },
    "customfields": {
        "identifier": _numbered("field_{}"),
        "type": _cycle("text", "count", "checked"),
        "entity": _always(None),
        "source": _always(0),
        "context": _always("accounts"),
        "reference": _always("accounts"),
    },
    "davservers": {"url": _always("https://dav.example.com/"), "recipientgroup": _always(None)},
    "devices": {"serialnum": _numbered("SN-{}"), "chargenum": _always("")},
    "dunning": {"dunningnum": _numbered("D-{}")},
    "entities2channels": {
        "entity": _always("accounts"),
        "index": _of("accounts"),
    },
    "events": {
        "datefrom": _from(1_600_000_000),
        "dateto": _from(1_600_003_600),
        "index": lambda s: itertools.count(1),
    },
    "documents": {"status": _cycle(0, 1, 2, 3, 4, 5)},
    "feedservers": {"url": _always("https://example.com/feed.xml"), "recipientgroup": _always(None)},
    "files": {
        "record": _alternating("records", place=0, of=2),
        "comment": _alternating("comments", place=1, of=2),
    },
    "follows": {
        "entity": _always("accounts"),
        "creator": _paired(1),
        "index": _paired(0),
    },
    "forks": {"identifier": _numbered("fork_{}"), "module": _cycle("accounts", "tickets")},
    "groups": {"name": _numbered("Group {}")},
    "items": {"model": _always(None), "origin": _cycle("", "DE", "CN")},
    "likes": {
        "record": _paired(0),
        "creator": _paired(1),
    },
    "links": {"url": _cycle("https://example.com/", "")},
    "mailingrecipients": {
        "message": _of("messages"),
        "participant": _always(None),
    },
    "mailservers": {"recipientgroup": _always(None)},
    "messagereads": {
        "message": _paired(0),
        "creator": _paired(1),
    },
    "messages": {
        "ticket": _alternating("tickets", place=0, of=3),
        "opportunity": _alternating("opportunities", place=1, of=3),
        "reference": _always(None),
        "senderror": _always(""),
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
        "fork": _always(None),
        "application": _always(None),
        "identifier": lambda s: (f"permission{index}" for index in itertools.count()),
    },
    "pricelists": {"datefrom": _from(1_600_000_000), "dateto": _always(None)},
    "records": {
        "entity": _cycle("accounts", None),
        "index": _cycle(1, None),
        "flag": _cycle(0, 4),
        "creator": _of("users"),
        "assigneduser": _always(None),
        "owneruser": _always(None),
    },
    "resources": {"identifier": _numbered("resource_{}")},
    "services": {"identifier": _numbered("service_{}"), "type": _always(0), "entity": _always("")},
    "stocktransactions": {"transfer": _always(None), "flag": _always(0), "amount": _cycle(5, -2, 0.5)},
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
        "transactionnum": _numbered("BI-{}"),
        "item": _always(None),
        "productionfactor": _always(None),
    },
    "users": {
        "name": _each(("max.power", "john.doe")),
        "email": lambda s: itertools.chain(
            ("max.power@example.com", "john.doe@example.com"),
            (f"user{record}@example.com" for record in s.own[2:]),
        ),
        "activity": _always(0),
    },
    "weblets": {"identifier": _numbered("weblet_{}")},
}
