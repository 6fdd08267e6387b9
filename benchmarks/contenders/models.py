"""Accounts as a user of each library would write them down."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from typing import Any

__all__ = ["attrs_account", "pydantic_account"]


class Visibility(IntEnum):
    """The codes of ``visibility``."""

    REGULAR = 0
    ARCHIVED = 1
    DELETED = 2


class Type(IntEnum):
    """The codes of ``type``."""

    PROSPECT = 0
    CUSTOMER = 1
    SUPPLIER = 2
    CUSTOMERANDSUPPLIER = 3
    COMPETITOR = 4
    EMPLOYEE = 5


_FIELDS: dict[str, Any] = {
    "ID": int,
    "fork": int | None,
    "ownergroup": int | None,
    "creator": int | None,
    "assigneduser": int | None,
    "creationdate": datetime,
    "lastmodified": datetime,
    "contact": int | None,
    "visibility": Visibility,
    "lastname": str,
    "firstname": str,
    "type": Type,
    "customernum": str,
    "suppliernum": str,
    "taxid": str,
    "currency": str,
    "locked": int,
    "excludetax": int,
    "description": str,
}


def attrs_account() -> Any:
    """Return an attrs class of an account."""
    import attrs

    return attrs.make_class("Account", {name: attrs.field(type=kind) for name, kind in _FIELDS.items()})


def pydantic_account() -> Any:
    """Return a pydantic model of an account."""
    import pydantic

    fields: Any = {name: (kind, ...) for name, kind in _FIELDS.items()}
    return pydantic.create_model("Account", **fields)
