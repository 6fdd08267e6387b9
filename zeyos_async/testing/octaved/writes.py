"""Creates and patches: the rules that go beyond a single field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .billing import bill
from .body_checks import MAX_KEYS, check_body
from .fields import SCHEMAS, Schema
from .refusals import Refusal
from .store import Row, Store
from .tracking import prepare_record, switch_categories

__all__ = ["create", "patch"]

_RESPONSIBLE_FIELDS: Final = ("definesOwnResponsible", "responsibleGroups", "responsibleUsers")


def create(store: Store, resource: str, key: str, body: Any) -> Row:
    """Store a record under an id.

    Raises:
        Refusal: What the document forbids.
    """
    schema = SCHEMAS[resource]
    check_body(schema, body, creates=True)
    values = dict(body)
    if schema.node_type:
        _check_parent(store, schema, key, values)
    _complete_values(store, schema, values, None)
    row = store.put(schema, key, values)
    _sort_siblings(store, row, values.get("sortedSiblingIds", ()))
    if resource == "billings":
        bill(store, row)
    return row


def patch(store: Store, resource: str, key: str, body: Any) -> Row:
    """Change the given fields of a record.

    Raises:
        Refusal: What the document forbids.
    """
    schema = SCHEMAS[resource]
    row = store.find(resource, key)
    check_body(schema, body, creates=False)
    values = dict(body)
    _complete_values(store, schema, values, row)
    if resource == "work_packages":
        switch_categories(store, row, values)
    row.update(values)
    if schema.node_type:
        store.touch(row)
    return row


def _check_parent(store: Store, schema: Schema, key: str, values: Row) -> None:
    values.setdefault("parentNodeId", store.root)
    parent = store.node(values["parentNodeId"])
    if key == store.root:
        raise Refusal(409, "the root project folder stays")
    if parent is None or parent[0] not in schema.parents:
        raise _refuse("parentNodeId", f"must be one of the {' or '.join(schema.parents)}".replace("_", " "))
    # A node that hung below itself would make every walk up the tree endless.
    line = [parent[1]["id"], *(row["id"] for _, row in store.ancestors(parent[1]["id"]))]
    if key in line:
        raise _refuse("parentNodeId", "lies below the node itself")
    if (other := store.node(key)) and other[0] != schema.name:
        raise Refusal(409, f"{key} is the id of a node of another type")


def _complete_values(store: Store, schema: Schema, values: Row, row: Row | None) -> None:
    if "keyValueStore" in values:
        _merge_key_values(values, row)
    if schema.name == "customers" and "locations" in values:
        values["locations"] = _merge_locations(store, values["locations"], row["locations"] if row else [])
    if schema.name == "time_tracking_records":
        prepare_record(store, values, row)
    if "flowCustomer" in values and values["flowCustomer"] not in store.rows["customers"]:
        raise _refuse("flowCustomer", "is the id of no customer")
    if schema.name == "billings" and values["projectId"] not in store.rows["projects"]:
        raise _refuse("projectId", "is the id of no project")
    if "definesOwnResponsible" in schema.fields and schema.fields["definesOwnResponsible"].write == "always":
        _complete_responsible(values)
    if "completedOn" in schema.fields:
        _complete_completion(store, values)


def _refuse(field: str, message: str) -> Refusal:
    return Refusal(400, "the body does not fit the schema", fields={field: message})


def _merge_key_values(values: Row, row: Row | None) -> None:
    merged = {**(row["keyValueStore"] if row else {}), **values["keyValueStore"]}
    remaining = {name: value for name, value in merged.items() if value is not None}
    if len(remaining) > MAX_KEYS:
        raise _refuse("keyValueStore", f"would have more than {MAX_KEYS} properties")
    values["keyValueStore"] = remaining


def _merge_locations(store: Store, locations: Sequence[Row], old: Sequence[Row]) -> list[Row]:
    """Return the complete new list: locations with the id or number of an old one are merged with it."""
    return [{"id": store.new_id(), **_find_location(location, old), **location} for location in locations]


def _find_location(location: Mapping[str, Any], old: Sequence[Row]) -> Row:
    for name in ("id", "number"):
        value = location.get(name)
        match = next((other for other in old if value is not None and other.get(name) == value), None)
        if match is not None:
            return match
    return {}


def _complete_responsible(values: Row) -> None:
    if not any(name in values for name in _RESPONSIBLE_FIELDS):
        return
    own = values.setdefault("definesOwnResponsible", True)
    for name in _RESPONSIBLE_FIELDS[1:]:
        values[name] = list(values.get(name, ())) if own else []


def _complete_completion(store: Store, values: Row) -> None:
    if not {"isCompleted", "status"} & set(values):
        return
    done = values.get("isCompleted", values.get("status") == "complete")
    values["completedOn"] = store.now() if done else None
    values["completedBy"] = store.user if done else None


def _sort_siblings(store: Store, row: Row, order: Sequence[str]) -> None:
    if not order:
        return
    places = {key: place for place, key in enumerate(order)}
    for _, sibling in store.children(row["parentNodeId"]):
        sibling["sortOrder"] = places.get(sibling["id"], sibling.get("sortOrder", 0))
