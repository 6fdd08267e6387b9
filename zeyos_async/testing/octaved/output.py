"""The presentation of records, and of the other answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from .billing import add_up
from .fields import SCHEMAS
from .search import customer_of
from .store import Row, Store

__all__ = ["find_planning_dates", "find_responsible_users", "show"]

_RESPONSIBLE_FIELDS: Final = ("responsibleGroups", "responsibleUsers")


def show(store: Store, resource: str, row: Row, options: Collection[str] = (), *, news: bool = False) -> Row:
    """Return a record as the API shows it; ``options`` are a billing's ``with…`` parameters that are on."""
    presented = dict(row)
    fields = SCHEMAS[resource].fields
    if "projectId" in fields and SCHEMAS[resource].node_type:
        project = store.find_nearest(row, "projects")
        presented["projectId"] = project["id"] if project else None
    if "flowCustomer" in fields and resource != "projects":
        presented["flowCustomer"] = customer_of(store, resource, row)
    if "definesOwnResponsible" in fields:
        presented |= _inherit_responsible(store, row)
    if "planningDates" in fields:
        presented["planningDates"] = store.planning.get(row["id"], [])
    if resource == "billings":
        presented = _show_billing(store, presented, options)
    return {**presented, "aFieldOfTomorrow": {"any": "thing"}} if news else presented


def _inherit_responsible(store: Store, row: Row) -> Row:
    """Return the groups and users of the nearest node that defines its own."""
    line = [row, *(ancestor for _, ancestor in store.ancestors(row["id"]))]
    owner: Mapping[str, Any] = next((node for node in line if node.get("definesOwnResponsible")), {})
    return {name: list(owner.get(name, ())) for name in _RESPONSIBLE_FIELDS}


def _show_billing(store: Store, row: Row, options: Collection[str]) -> Row:
    row["sums"] = add_up(store, row)
    optional = {
        "sums": "withSums",
        "timeRecordIds": "withTimeRecordIds",
        "workPackageIds": "withWorkPackageIds",
    }
    return {name: value for name, value in row.items() if optional.get(name, "") in ("", *options)}


def find_responsible_users(store: Store, key: str, query: Mapping[str, str]) -> list[str]:
    """Return the users who answer for a node, by the parameters of the request."""
    filters = {"responsible", "projectManager", "anyProjectRole", "roleId"} & set(query)
    criteria = filters or {"responsible", "anyProjectRole"}
    node_entry = store.node(key)
    if node_entry is None:
        return []
    users: list[str] = []
    if "responsible" in criteria:
        users += _list_responsible(store, node_entry[1])
    project = store.find_nearest(node_entry[1], "projects")
    for role, user, manages in store.roles.get(project["id"], ()) if project else ():
        fits = ("projectManager" in criteria and manages) or "anyProjectRole" in criteria
        users += [user] if fits or query.get("roleId") == role else []
    return list(dict.fromkeys(users))


def _list_responsible(store: Store, row: Row) -> list[str]:
    own = _inherit_responsible(store, row)
    members = [user for group in own["responsibleGroups"] for user in store.members.get(group, ())]
    return [*own["responsibleUsers"], *members]


def find_planning_dates(store: Store, keys: Collection[str]) -> list[Row]:
    """Return the planning dates of these nodes."""
    return [date for key in keys for date in store.planning.get(key, ())]
