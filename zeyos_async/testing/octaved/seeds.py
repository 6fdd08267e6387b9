"""Rows by seed: a few of everything, with awkward texts, or as many as a test asks for."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any, Final

from .fields import SCHEMAS
from .store import Row, Store
from .writes import create

__all__ = ["seed_rows"]

_DEFAULT: Final = {
    "customers": 3,
    "project_folders": 2,
    "projects": 3,
    "groups": 2,
    "work_packages": 4,
    "sub_work_packages": 3,
    "tasks": 5,
    "time_tracking_records": 8,
    "billings": 1,
}
_NAMES: Final = (
    "Briefing",
    "Concept & design",
    "50 % off / final?",
    'The "quoted" one',
    "O'Hara",
    "Ärger über Öl",
    "ポスター 🚀",
    "שלום",
    "a#b+c=d",
    " blank ",
)
_MONDAY: Final = 1_586_160_000  # 2020-04-06 08:00 on the wall


def seed_rows(store: Store, counts: Mapping[str, int], *, seed: int) -> None:
    """Store rows; resources that are not named get a few.

    Raises:
        ValueError: A resource that does not exist.
    """
    if unknown := set(counts) - set(SCHEMAS):
        raise ValueError(f"there is no resource {sorted(unknown)[0]!r}; there are {', '.join(SCHEMAS)}")
    draw = random.Random(f"octaved data:{seed}")
    users = [store.user, *(store.new_id() for _ in range(3))]
    group = store.new_id()
    store.members[group] = users[1:3]
    responsible = {"definesOwnResponsible": True, "responsibleGroups": [group], "responsibleUsers": users[:1]}
    for resource, count in {**_DEFAULT, **counts}.items():
        for place in range(count):
            values = _ROW_MAKERS[resource](_RowContext(store, draw, users, responsible), place)
            create(store, resource, store.new_id(), values)
    _seed_roles_and_dates(store, draw, users)


def _seed_roles_and_dates(store: Store, draw: random.Random, users: list[str]) -> None:
    role = store.new_id()
    for key in store.rows["projects"]:
        store.roles[key] = [(role, users[3], True), (store.new_id(), users[2], False)]
    for key in list(store.rows["tasks"])[:100]:
        day = f"2020-04-{draw.randrange(1, 28):02}"
        store.planning[key] = [{"id": store.new_id(), "nodeId": key, "startDate": day, "endDate": day}]


class _RowContext:
    """The store, the random numbers and the users that rows are made with."""

    def __init__(self, store: Store, draw: random.Random, users: list[str], responsible: Row) -> None:
        self.store = store
        self.draw = draw
        self.users = users
        self.responsible = responsible

    def key(self, *resources: str) -> str:
        """Draw a stored id of the first of these resources that has any."""
        for resource in resources:
            if rows := self.store.rows[resource]:
                return self.draw.choice(list(rows)[-200:])
        raise ValueError(f"no {resources[0]} to belong to: ask for some")

    def node(self, place: int, *parents: str) -> Row:
        """Return the fields that nodes share."""
        name = _NAMES[place % len(_NAMES)]
        return {
            "name": name if place < len(_NAMES) else f"{name} {place}",
            "parentNodeId": self.key(*parents),
            "referenceNumber": f"R-{place:05}",
            "color": "7c9754",
            "labels": [self.store.new_id()] if place % 2 else [],
            "keyValueStore": {"erp": {"number": place}} if place % 3 else {},
        }


def _customer(context: _RowContext, place: int) -> Row:
    return {
        "name": _NAMES[place % len(_NAMES)],
        "customerNumber": f"{10_000 + place}",
        "isInternal": place % 3 == 1,
        "locations": [{"number": f"{place}-1", "name": "Berlin"}, {"number": f"{place}-2", "name": "Wien"}],
    }


def _project(context: _RowContext, place: int) -> Row:
    more = {"flowCustomer": context.key("customers"), "maxEffort": 125.5, "description": "What & why"}
    return {**context.node(place, "project_folders"), **more, **context.responsible}


def _work_package(context: _RowContext, place: int) -> Row:
    parents = ("groups", "projects") if place % 2 else ("projects",)
    return {**context.node(place, *parents), "isCompleted": place % 4 == 3, "sortOrder": place}


def _sub_work_package(context: _RowContext, place: int) -> Row:
    return {**context.node(place, "work_packages"), "maxEffort": 8}


def _task(context: _RowContext, place: int) -> Row:
    parents = ("tasks", "work_packages") if place % 3 == 2 else ("work_packages",)
    return {**context.node(place, *parents), "status": "complete" if place % 4 == 1 else "open"}


def _record(context: _RowContext, place: int) -> Row:
    start = _MONDAY + place * 43_200
    return {
        "workTimeStart": start,
        "workTimeEnd": None if place % 7 == 6 else start + 5_400,
        "message": _NAMES[place % len(_NAMES)],
        "isJourney": place % 5 == 4,
        "referenceNode": context.key("sub_work_packages" if place % 2 else "work_packages"),
        "user": context.draw.choice(context.users),
    }


def _billing(context: _RowContext, place: int) -> Row:
    project = context.key("projects")
    below = [row["id"] for name, row in context.store.descendants(project) if name == "work_packages"]
    month = {"interval": "custom", "intervalFrom": "2020-04-01", "intervalTo": "2020-04-07"}
    return {"projectId": project, "workPackageIds": below, "publicNote": "April", **month}


_ROW_MAKERS: Final[Mapping[str, Callable[[_RowContext, int], dict[str, Any]]]] = {
    "customers": _customer,
    "project_folders": lambda context, place: context.node(place, "project_folders"),
    "projects": _project,
    "groups": lambda context, place: context.node(place, "projects"),
    "work_packages": _work_package,
    "sub_work_packages": _sub_work_package,
    "tasks": _task,
    "time_tracking_records": _record,
    "billings": _billing,
}
