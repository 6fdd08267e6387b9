"""The searches: one ident and its value, or a JSON tree of and, or, not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from .billing import day_of
from .body_checks import is_date, is_id
from .fields import NODES, SCHEMAS
from .refusals import bad_request
from .store import Row, Store

__all__ = ["IDENTS", "find_ids"]

Check = Callable[[str | None], bool]

_RANGE: Final = re.compile(r"(20\d\d-\d\d-\d\d)-(20\d\d-\d\d-\d\d)")
_DEPTH: Final = 100


def _filled(value: str | None) -> bool:
    return bool(value)


def _absent(value: str | None) -> bool:
    return not value


def _anything(value: str | None) -> bool:
    return True


def _bit(value: str | None) -> bool:
    return value in ("0", "1")


def _short(value: str | None) -> bool:
    return value is not None and len(value) <= 191


def _day(value: str | None) -> bool:
    return is_date(value) and str(value).startswith("20")


def _days(value: str | None) -> bool:
    match = _RANGE.fullmatch(value or "")
    return match is not None and is_date(match[1]) and is_date(match[2])


def _one_of(resource: str, field: str) -> Check:
    return lambda value: value in SCHEMAS[resource].fields[field].choices


_NODE: Final[Mapping[str, Check]] = {
    "ancestorsOf": is_id,
    "childrenOf": is_id,
    "descendantsOf": is_id,
    "isArchived": _absent,
    "referenceNumber": _short,
    "name": _filled,
}
_OWNED: Final = {**_NODE, "customerId": is_id}

IDENTS: Final[Mapping[str, Mapping[str, Check]]] = {
    "customers": {
        "customerNumber": _filled,
        "isInternal": _bit,
        "isLocked": _bit,
        "name": _filled,
        "requiresInternalCharge": _bit,
    },
    "project_folders": _NODE,
    "projects": _OWNED,
    "groups": _OWNED,
    "work_packages": {
        **_OWNED,
        **dict.fromkeys(("isApprovedForBilling", "isCompleted", "isLocked", "isOffer"), _absent),
        "status": _one_of("work_packages", "status"),
    },
    "sub_work_packages": _NODE,
    "tasks": {**_NODE, "status": _one_of("tasks", "status")},
    "time_tracking_records": {
        "date": _day,
        "dateRange": _days,
        **dict.fromkeys(("isBilled", "isJourney", "isOpen"), _anything),
        **dict.fromkeys(("rootNodeId", "userId", "workPackageId"), is_id),
    },
}
"""Resource → ident → whether a value is of the ident's format."""


def find_ids(store: Store, resource: str, condition: Any) -> list[str]:
    """Return the ids that a condition finds; those of ``ancestorsOf`` alone come with the direct parent first.

    Raises:
        Refusal: 400, for what is no condition of this resource.
    """
    test = _compile(store, resource, condition, 0)
    ids = [key for key, row in store.rows[resource].items() if test(row)]
    if condition.get("ident") == "ancestorsOf":
        # Ancestors have an order that the rows as stored do not have.
        line = [row["id"] for _, row in store.ancestors(condition["value"])]
        ids.sort(key=line.index)
    return ids


def _compile(store: Store, resource: str, condition: Any, depth: int) -> Callable[[Row], bool]:
    if not isinstance(condition, dict) or depth > _DEPTH:
        raise bad_request("a condition is an object with ident, and, or, or not")
    keys = set(condition)
    if keys == {"not"}:
        inner = _compile(store, resource, condition["not"], depth + 1)
        return lambda row: not inner(row)
    if keys in ({"and"}, {"or"}):
        (word,) = keys
        return _join(store, resource, word, condition[word], depth)
    if "ident" in keys and keys <= {"ident", "value"}:
        return _plain(store, resource, condition["ident"], condition.get("value"))
    raise bad_request(f"a condition has one of ident, and, or, not; this one has {sorted(keys)}")


def _join(store: Store, resource: str, word: str, parts: Any, depth: int) -> Callable[[Row], bool]:
    if not isinstance(parts, list) or not parts:
        raise bad_request(f"{word!r} takes a list of conditions that is not empty")
    tests = [_compile(store, resource, part, depth + 1) for part in parts]
    every = all if word == "and" else any
    return lambda row: every(test(row) for test in tests)


def _plain(store: Store, resource: str, ident: Any, value: Any) -> Callable[[Row], bool]:
    check = IDENTS[resource].get(ident) if isinstance(ident, str) else None
    if check is None:
        raise bad_request(f"{resource} know no search ident {ident!r}")
    if value is not None and not isinstance(value, str):
        raise bad_request(f"the value of {ident!r} must be a string")
    if not check(value):
        raise bad_request(f"{value!r} is no value for the search ident {ident!r}")
    text = value or ""
    return _tree(store, ident, text) or _tracked(store, ident, text) or _field(store, resource, ident, text)


def _tree(store: Store, ident: str, value: str) -> Callable[[Row], bool] | None:
    if ident == "ancestorsOf":
        ids = {row["id"] for _, row in store.ancestors(value)}
    elif ident == "childrenOf":
        ids = {row["id"] for _, row in store.children(value)}
    elif ident == "descendantsOf":
        ids = {row["id"] for _, row in store.descendants(value)}
    else:
        return None
    return lambda row: row["id"] in ids


def _tracked(store: Store, ident: str, value: str) -> Callable[[Row], bool] | None:
    if ident == "rootNodeId":
        below = {value, *(row["id"] for _, row in store.descendants(value))}
        return lambda row: row["referenceNode"] in below
    simple: dict[str, Callable[[Row], bool]] = {
        "isBilled": lambda row: row["billedOn"] is not None,
        "isJourney": lambda row: row["isJourney"],
        "isOpen": lambda row: row["workTimeEnd"] is None,
        "userId": lambda row: row["user"] == value,
        "workPackageId": lambda row: row["workPackage"] == value,
        "date": lambda row: _within(row, value, value),
        "dateRange": lambda row: _within(row, value[:10], value[11:]),
    }
    return simple.get(ident)


def _within(row: Row, first: str, last: str) -> bool:
    start = row["workTimeStart"]
    return start is not None and first <= day_of(start) <= last


def _field(store: Store, resource: str, ident: str, value: str) -> Callable[[Row], bool]:
    if ident == "customerId":
        return lambda row: customer_of(store, resource, row) == value
    kind = SCHEMAS[resource].fields[ident].kind
    if kind == "flag":
        expected = value != "0"
        return lambda row: row[ident] is expected
    return lambda row: row[ident] == value


def customer_of(store: Store, resource: str, row: Row) -> str | None:
    """Return the customer of a node's project."""
    project = store.find_nearest(row, "projects") if resource in NODES else None
    return project["flowCustomer"] if project else None
