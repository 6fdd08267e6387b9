"""The definition of a table of the emulated database: the values that the generated module is made of."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

import attrs

__all__ = ["ENTITY_NAMES", "Check", "Column", "ForeignKey", "Table", "Unique"]


@attrs.frozen(kw_only=True)
class Column:
    """One column.

    Attributes:
        name: Its name, which is the API's field name too.
        type: PostgreSQL's name of the type.
        notnull: Whether NULL is refused.
        default: The value of a row that does not give one; ``"now"`` in an integer column is the time.
        hidden: Whether the API never shows it.
        binfile: Whether it refers to a stored file, which the API takes and gives by content.
        codes: The values that the API documents, where it lists them.
    """

    name: str
    type: str
    notnull: bool = False
    default: Any = None
    hidden: bool = False
    binfile: bool = False
    codes: tuple[Any, ...] = ()

    @property
    def is_integer(self) -> bool:
        """Whether values are whole numbers."""
        return self.type in ("smallint", "integer", "bigint")

    @property
    def is_text(self) -> bool:
        """Whether patterns apply to it."""
        return self.type == "text" or self.type.startswith("character varying")

    @property
    def is_array(self) -> bool:
        """Whether it holds an array of the database."""
        return self.type.endswith("[]")

    @property
    def is_composite(self) -> bool:
        """Whether ``expand`` applies to it."""
        return self.binfile or self.is_array or self.type == "json"


@attrs.frozen(kw_only=True)
class ForeignKey:
    """A reference to another table's ``ID``; without ``on_delete`` a referenced row can't be deleted."""

    name: str
    column: str
    table: str
    on_delete: str = ""


@attrs.frozen(kw_only=True)
class Unique:
    """Columns whose values no two rows share; ``where`` limits it to rows that meet a tree."""

    name: str
    columns: tuple[str, ...]
    lower: bool = False
    nulls_equal: bool = False
    where: Any = None


@attrs.frozen(kw_only=True)
class Check:
    """A condition, as a tree, that no row may make false."""

    name: str
    expression: Any


@attrs.define(kw_only=True, slots=False)
class Table:
    """One table, and what the API offers for it.

    Attributes:
        methods: Of ``list``, ``create``, ``get``, ``exists``, ``update``, ``delete``.
        options: Query parameters that a get takes, of ``expand``, ``extdata``, ``tags``.
        writes: Pseudo fields that a write takes, of ``extdata``, ``tags``.
        extdata: Whether extension data can be stored for its rows.
        search: The text columns that the search string is looked up in.
    """

    name: str
    methods: tuple[str, ...]
    options: tuple[str, ...]
    writes: tuple[str, ...]
    extdata: bool
    search: tuple[str, ...]
    columns: tuple[Column, ...]
    foreign_keys: tuple[ForeignKey, ...]
    unique: tuple[Unique, ...]
    checks: tuple[Check, ...]

    @cached_property
    def by_name(self) -> Mapping[str, Column]:
        """Name → column, hidden ones included."""
        return {column.name: column for column in self.columns}

    @cached_property
    def visible(self) -> Mapping[str, Column]:
        """Name → column, as the API shows them."""
        return {column.name: column for column in self.columns if not column.hidden}

    @cached_property
    def references(self) -> Mapping[str, ForeignKey]:
        """Column → its foreign key."""
        return {key.column: key for key in self.foreign_keys}


ENTITY_NAMES: Final = frozenset(
    [
        "accounts",
        "actionsteps",
        "applications",
        "appointments",
        "campaigns",
        "channels",
        "contacts",
        "contracts",
        "couponcodes",
        "coupons",
        "customfields",
        "davservers",
        "devices",
        "documents",
        "dunning",
        "feedservers",
        "forks",
        "groups",
        "items",
        "ledgers",
        "links",
        "mailinglists",
        "mailservers",
        "messages",
        "notes",
        "objects",
        "opportunities",
        "participants",
        "payments",
        "pricelists",
        "projects",
        "records",
        "resources",
        "services",
        "stocktransactions",
        "storages",
        "tasks",
        "tickets",
        "transactions",
        "users",
        "weblets",
    ]
)
"""What a column of the type ``t_entity`` can hold."""
