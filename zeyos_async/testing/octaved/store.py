"""The rows of the emulated Octaved Flow, and the tree that its nodes make."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any, Final

from .fields import NODES, SCHEMAS, Schema
from .refusals import Refusal, not_found

__all__ = ["Row", "Store"]

Row = dict[str, Any]

_SINGULAR: Final = {name: name.removesuffix("s").replace("_", " ") for name in SCHEMAS}


class Store:
    """Rows by resource and id, in the order in which they were stored.

    Attributes:
        rows: Resource → id → row.
        root: The id of the root project folder.
        user: The id of the user whose key it is.
        members: User group → its users.
        roles: Project → ``(role, user, whether it is a project manager's role)``.
        planning: Node → its planning dates.
    """

    def __init__(self, *, seed: int, now: Callable[[], float]) -> None:
        self._random = random.Random(f"octaved:{seed}")
        self._now = now
        self.rows: dict[str, dict[str, Row]] = {name: {} for name in SCHEMAS}
        self._children: dict[str, list[str]] = {}
        self.user = self.new_id()
        self.members: dict[str, list[str]] = {}
        self.roles: dict[str, list[tuple[str, str, bool]]] = {}
        self.planning: dict[str, list[Row]] = {}
        self.root = self.new_id()
        self.put(SCHEMAS["project_folders"], self.root, {"name": "Projects", "parentNodeId": None})

    def new_id(self) -> str:
        """Draw 32 hexadecimal digits that nobody has yet."""
        return f"{self._random.getrandbits(128):032X}"

    def now(self) -> int:
        """Return Unix seconds."""
        return int(self._now())

    def find(self, resource: str, key: str) -> Row:
        """Return a row.

        Raises:
            Refusal: 404.
        """
        row = self.rows[resource].get(key)
        if row is None:
            raise not_found(f"there is no {_SINGULAR[resource]} {key}")
        return row

    def node(self, key: str | None) -> tuple[str, Row] | None:
        """Return a node of whatever type, with its resource, or ``None``."""
        for resource in NODES:
            if key in self.rows[resource]:
                return resource, self.rows[resource][key or ""]
        return None

    def put(self, schema: Schema, key: str, values: Row) -> Row:
        """Store a row with the schema's defaults; an old row of that id is replaced, its stamps kept."""
        old = self.rows[schema.name].get(key)
        row = {name: copy.deepcopy(field.default) for name, field in schema.fields.items() if field.is_shown}
        # Defaults are frozen, so lists are tuples there; JSON and the checks know lists alone.
        row = {name: list(value) if isinstance(value, tuple) else value for name, value in row.items()}
        row |= {name: value for name, value in values.items() if name in row}
        row["id"] = key
        if schema.node_type:
            self._stamp(schema, row, old)
        self.rows[schema.name][key] = row
        return row

    def _stamp(self, schema: Schema, row: Row, old: Row | None) -> None:
        row["nodeType"] = schema.node_type
        row["createdOn"] = old["createdOn"] if old else self.now()
        row["isArchived"] = bool(old and old["isArchived"])
        self.touch(row)
        if old is not None:
            # Replaced, and moved perhaps: it would be a child of both parents.
            self._children[old["parentNodeId"]].remove(row["id"])
        self._children.setdefault(row["parentNodeId"], []).append(row["id"])

    def touch(self, row: Row) -> None:
        """Note that a node was changed now."""
        row["lastChanged"] = row["lastChangedOn"] = self.now()
        row["lastChangedBy"] = self.user

    def ancestors(self, key: str | None) -> Iterator[tuple[str, Row]]:
        """Yield the nodes above one, the direct parent first."""
        node_entry = self.node(key)
        while node_entry is not None:
            node_entry = self.node(node_entry[1]["parentNodeId"])
            if node_entry is not None:
                yield node_entry

    def children(self, key: str) -> list[tuple[str, Row]]:
        """Return the nodes right below one."""
        return [node_entry for child in self._children.get(key, ()) if (node_entry := self.node(child))]

    def descendants(self, key: str) -> Iterator[tuple[str, Row]]:
        """Yield the nodes below one, at any depth."""
        for resource, row in self.children(key):
            yield resource, row
            yield from self.descendants(row["id"])

    def find_nearest(self, row: Row, resource: str) -> Row | None:
        """Return the nearest node of a resource, the node itself or one above it."""
        own = self.node(row["id"])
        if own is not None and own[0] == resource:
            return own[1]
        return next((row_above for name, row_above in self.ancestors(row["id"]) if name == resource), None)

    def delete(self, resource: str, key: str) -> None:
        """Remove a row, and with a node all that is below it.

        Raises:
            Refusal: 404; 409 for the root folder and for a customer with projects.
        """
        row = self.find(resource, key)
        if key == self.root:
            raise Refusal(409, "the root project folder stays")
        if resource == "customers" and any(p["flowCustomer"] == key for p in self.rows["projects"].values()):
            raise Refusal(409, "the customer has projects")
        if resource in NODES:
            for below, child in self.children(key):
                self.delete(below, child["id"])
            self._children[row["parentNodeId"]].remove(key)
        del self.rows[resource][key]
