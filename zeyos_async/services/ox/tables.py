"""Schemas of the document as tables: their fields, the fields' kinds, and the numbers of their columns.

Columns are numbers, and the same number means different things in different modules (300 is a folder's
title or a task's status), so names and numbers are only ever looked up in the table of one schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs

from ...codes import names_of
from ...errors import InvalidArgument, UnknownField, quote_value
from ...schema import Entity
from ...schema import Field as NeutralField
from ...schema import Kind as NeutralKind
from .values import WireKind

if TYPE_CHECKING:
    from ...codes import Code

__all__ = ["FULL_TIME", "WireField", "WireSchema"]

T = TypeVar("T")

FULL_TIME: Final = "full_time"
"""The field that tells whether a field of kind ``DATE_OR_TIME`` is a day."""

_MAX_DIGITS: Final = 9
"""Digits of the number of a column; the document's have four at most."""

_NEUTRAL_KINDS: Final = {
    WireKind.TEXT: NeutralKind.TEXT,
    WireKind.INTEGER: NeutralKind.INTEGER,
    WireKind.NUMBER: NeutralKind.NUMBER,
    WireKind.BOOLEAN: NeutralKind.BOOLEAN,
    WireKind.DATE: NeutralKind.DATE,
    WireKind.TIME: NeutralKind.TIME,
    WireKind.STAMP: NeutralKind.TIME,
    WireKind.DATE_OR_TIME: NeutralKind.TIME,
    WireKind.EVENT: NeutralKind.TIME,
}
# The document calls the folder of an object by any of these names, depending on the schema.
_FOLDER_NAMES: Final = ("folder", "folderId", "folder_id")


@attrs.frozen
class WireField:
    """One field of a schema.

    Attributes:
        name: The document's name.
        kind: What its values are.
        column: The number of its column, or ``None`` where it can't be requested by number.
        attribute: The Python name, where it differs.
        record: The schema of its object or objects.
        many: Whether it is a list of such values.
        codes: The class of its coded values.
        read_only: Whether the server alone sets it.
        required: Whether a body needs it.
        costly: Whether it is only read when it is named.
    """

    name: str
    kind: WireKind = WireKind.TEXT
    column: int | None = None
    attribute: str = attrs.field(default="", kw_only=True)
    record: str = attrs.field(default="", kw_only=True)
    many: bool = attrs.field(default=False, kw_only=True)
    codes: type[Code] | None = attrs.field(default=None, kw_only=True)
    read_only: bool = attrs.field(default=False, kw_only=True)
    required: bool = attrs.field(default=False, kw_only=True)
    costly: bool = attrs.field(default=False, kw_only=True)

    @property
    def attr(self) -> str:
        """The name of the attribute on a record."""
        return self.attribute or self.name


def _index_by_name(fields: Iterable[WireField]) -> dict[str, WireField]:
    return {field.name: field for field in fields}


@attrs.frozen(eq=False)
class WireSchema:
    """One schema.

    Attributes:
        name: The document's name, which is the record class's, too.
        fields: Name → field, in the document's order.
        module: The module whose objects these are, for messages.
        columns_by_name: Whether columns are requested by name; else by number.
    """

    name: str
    fields: Mapping[str, WireField] = attrs.field(converter=_index_by_name)
    module: str = ""
    columns_by_name: bool = False
    _cache: dict[str, Any] = attrs.field(factory=dict, init=False, repr=False)

    def memoize(self, name: str, make: Callable[[], T]) -> T:
        """Return what was made of the table under this name; make it the first time."""
        if name not in self._cache:  # the one thing here that changes; it makes the same whoever comes first
            self._cache[name] = make()
        value: T = self._cache[name]
        return value

    def find(self, name: str) -> WireField:
        """Return the field of a name: the document's, or the attribute's; any of the names of the folder.

        Raises:
            UnknownField: There is none; the message has the closest names.
        """
        field = self.fields.get(name) or self._aliases().get(name)
        if field is None:
            raise UnknownField(name, self.name, self._aliases())
        return field

    def has(self, name: str) -> bool:
        """Return whether there is a field of this name; see ``find``."""
        return name in self.fields or name in self._aliases()

    def _aliases(self) -> dict[str, WireField]:
        """Return the fields by their attributes, and the folder's by its other names, too."""
        return self.memoize("names", self._make_aliases)

    def _make_aliases(self) -> dict[str, WireField]:
        names = {field.attr: field for field in self.fields.values()}
        folder = next((self.fields[name] for name in _FOLDER_NAMES if name in self.fields), None)
        if folder is None:
            return names
        return {name: folder for name in _FOLDER_NAMES if name not in self.fields} | names

    @property
    def columns(self) -> dict[int, WireField]:
        """Number → field."""
        return self.memoize(
            "columns", lambda: {f.column: f for f in self.fields.values() if f.column is not None}
        )

    @property
    def default_columns(self) -> tuple[WireField, ...]:
        """The columns of a call that names none: all but the costly ones."""
        fields = self.fields.values() if self.columns_by_name else self.columns.values()
        return tuple(field for field in fields if not field.costly)

    def find_column(self, name: str | int, *, headers: bool = False) -> WireField:
        """Return the column of a name or a number.

        Args:
            name: The name, or the number.
            headers: Whether an unknown name that looks like one is a mail header's.

        Raises:
            UnknownField: There is no such column.
        """
        if isinstance(name, int) and not isinstance(name, bool):
            return self._find_numbered_column(name)
        if not isinstance(name, str):
            raise InvalidArgument(f"columns takes names, or numbers, not {quote_value(name)}")
        if headers and not self.has(name) and name[:1].isupper():
            return WireField(name, WireKind.ANY)
        if name.isascii() and name.isdigit() and len(name) < _MAX_DIGITS:
            return self._find_numbered_column(int(name))
        field = self.find(name)
        if field.column is None and not self.columns_by_name:
            raise UnknownField(name, f"the columns of {self.name}", self._list_column_names())
        return field

    def _find_numbered_column(self, number: int) -> WireField:
        """Return a column by its number; servers have more than the document, and those go to ``extra``."""
        if not 0 <= number < 10**_MAX_DIGITS:
            raise UnknownField(quote_value(number), f"the columns of {self.name}", self._list_column_names())
        return self.columns.get(number) or WireField(str(int(number)), WireKind.ANY, int(number))

    def _list_column_names(self) -> list[str]:
        return [field.attr for field in self.columns.values()]

    @property
    def entity(self) -> Entity:
        """The fields for conditions, neutral: ``ContactData.f.last_name``."""
        return self.memoize("entity", self._make_entity)

    def _make_entity(self) -> Entity:
        return Entity(
            self.module or self.name,
            self.name,
            {field.name: _to_neutral_field(field) for field in self.fields.values()},
        )


def _to_neutral_field(field: WireField) -> NeutralField:
    kind = NeutralKind.ARRAY if field.many else _NEUTRAL_KINDS.get(field.kind, NeutralKind.JSON)
    codes = None if field.codes is None or field.many else names_of(field.codes)
    return NeutralField(field.name, kind, codes=codes, read_only=field.read_only, attribute=field.attribute)
