"""The columns of a table of ZeyOS when the command line names none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ...schema import Entity, Kind

__all__ = ["default_columns"]

_ENTITY_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "accounts": (
        "ID",
        "lastname",
        "firstname",
        "type",
        "customernum",
        "contact.city",
        "assigneduser.name",
        "lastmodified",
    ),
    "appointments": ("ID", "name", "datefrom", "dateto", "account.lastname", "assigneduser.name"),
    "contacts": ("ID", "lastname", "firstname", "company", "email", "phone", "city", "country"),
    "items": ("ID", "itemnum", "name", "type", "manufacturer", "sellingprice"),
    "messages": ("ID", "date", "subject", "sender", "ticket", "mailbox"),
    "opportunities": ("ID", "name", "status", "account.lastname", "assigneduser.name", "date", "duedate"),
    "projects": ("ID", "projectnum", "name", "status", "account.lastname", "datefrom", "dateto"),
    "tasks": ("ID", "tasknum", "name", "status", "priority", "duedate", "assigneduser.name"),
    "tickets": (
        "ID",
        "ticketnum",
        "name",
        "status",
        "priority",
        "account.lastname",
        "duedate",
        "assigneduser.name",
    ),
    "transactions": (
        "ID",
        "transactionnum",
        "type",
        "status",
        "account.lastname",
        "date",
        "netamount",
        "currency",
    ),
    "users": ("ID", "name", "email", "activity"),
}
_LABEL_FIELDS: Final = ("name", "lastname", "firstname", "subject", "title", "label", "text", "filename")
_MAX_COLUMNS: Final = 8


def default_columns(entity: Entity) -> tuple[str, ...]:
    """Return the paths of an entity's columns: a list made by hand, or else the fields that identify a row best."""
    listed = tuple(
        path for path in _ENTITY_COLUMNS.get(entity.name, ()) if path.partition(".")[0] in entity.fields
    )
    if listed:
        return listed
    paths = ["ID"] if "ID" in entity.fields else []
    paths += [field.name for field in entity if field.name.endswith("num") and field.kind is Kind.TEXT]
    paths += [name for name in _LABEL_FIELDS if name in entity.fields]
    paths += [field.name for field in entity if field.codes and any(field.codes.values())]
    paths += [field.name for field in entity if field.target and field.name != "fork"]
    paths += [name for name in ("date", "lastmodified") if name in entity.fields]
    paths += [field.name for field in entity if field.kind in (Kind.TEXT, Kind.INTEGER, Kind.NUMBER)]
    # A field may match several rules; the first place counts.
    return tuple(dict.fromkeys(paths))[:_MAX_COLUMNS]
