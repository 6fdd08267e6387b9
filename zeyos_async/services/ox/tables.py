"""What the document says about a schema: its fields, their kinds, and the numbers of its columns.

Columns are numbers, and the same number means different things in different modules (300 is a folder's
title or a task's status), so names and numbers are only ever looked up in the table of one schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs

from ...codes import names_of
from ...errors import InvalidArgument, UnknownField
from ...schema import Entity
from ...schema import Field as Neutral
from ...schema import Kind as NeutralKind
from .values import Kind

if TYPE_CHECKING:
    from ...codes import Code

__all__ = ["FULL_TIME", "Field", "Model"]

T = TypeVar("T")

FULL_TIME: Final = "full_time"
"""The field that tells whether a field of kind ``DATE_OR_TIME`` is a day."""

_NEUTRAL: Final = {
    Kind.TEXT: NeutralKind.TEXT,
    Kind.INTEGER: NeutralKind.INTEGER,
    Kind.NUMBER: NeutralKind.NUMBER,
    Kind.BOOLEAN: NeutralKind.BOOLEAN,
    Kind.DATE: NeutralKind.DATE,
    Kind.TIME: NeutralKind.TIME,
    Kind.STAMP: NeutralKind.TIME,
    Kind.DATE_OR_TIME: NeutralKind.TIME,
    Kind.EVENT: NeutralKind.TIME,
}
_FOLDERS: Final = ("folder", "folderId", "folder_id")


@attrs.frozen
class Field:
    """One field of a schema.

    Attributes:
        name: The document's name.
        kind: What its values are.
        column: The number of its column, or ``None`` where it can't be asked for by number.
        attribute: The Python name, where it differs.
        record: The schema of its object or objects.
        many: Whether it is a list of such values.
        codes: The class of its coded values.
        read_only: Whether the server alone sets it.
        required: Whether a body needs it.
        costly: Whether it is only asked for by name.
    """

    name: str
    kind: Kind = Kind.TEXT
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


def _by_name(fields: Iterable[Field]) -> dict[str, Field]:
    return {field.name: field for field in fields}


@attrs.frozen(eq=False)
class Model:
    """One schema.

    Attributes:
        name: The document's name, which is the record class's, too.
        fields: Name → field, in the document's order.
        module: The module whose objects these are, for messages.
        named: Whether columns are asked for by name; else by number.
    """

    name: str
    fields: Mapping[str, Field] = attrs.field(converter=_by_name)
    module: str = ""
    named: bool = False
    _cache: dict[str, Any] = attrs.field(factory=dict, init=False, repr=False)

    def kept(self, name: str, make: Callable[[], T]) -> T:
        """What is made of the table once, and kept with it."""
        if name not in self._cache:
            self._cache[name] = make()
        found: T = self._cache[name]
        return found

    def find(self, name: str) -> Field:
        """The field of this name: the document's, or the attribute's; any of the names of the folder.

        Raises:
            UnknownField: There is none; the message has the closest names.
        """
        found = self.fields.get(name) or self._names().get(name)
        if found is None:
            raise UnknownField(name, self.name, self._names())
        return found

    def has(self, name: str) -> bool:
        """Whether ``find`` finds it."""
        return name in self.fields or name in self._names()

    def _names(self) -> dict[str, Field]:
        """Attribute, or another name of the folder → field."""
        return self.kept("names", self._make_names)

    def _make_names(self) -> dict[str, Field]:
        names = {field.attr: field for field in self.fields.values()}
        folder = next((self.fields[name] for name in _FOLDERS if name in self.fields), None)
        if folder is None:
            return names
        return {name: folder for name in _FOLDERS if name not in self.fields} | names

    @property
    def columns(self) -> dict[int, Field]:
        """Number → field."""
        return self.kept(
            "columns", lambda: {f.column: f for f in self.fields.values() if f.column is not None}
        )

    @property
    def plain(self) -> tuple[Field, ...]:
        """What is asked for where nobody says what: all columns but the costly ones."""
        of = self.fields.values() if self.named else self.columns.values()
        return tuple(field for field in of if not field.costly)

    def column(self, asked: str | int, *, headers: bool = False) -> Field:
        """The column of a name or a number.

        Args:
            asked: The name, or the number.
            headers: Whether an unknown name that looks like one is a mail header's.

        Raises:
            UnknownField: There is no such column.
        """
        if isinstance(asked, int) and not isinstance(asked, bool):
            return self._numbered(asked)
        if not isinstance(asked, str):
            raise InvalidArgument(f"columns takes names, or numbers, not {asked!r:.60}")
        if headers and not self.has(asked) and asked[:1].isupper():
            return Field(asked, Kind.ANY)
        if asked.isascii() and asked.isdigit():
            return self._numbered(int(asked))
        found = self.find(asked)
        if found.column is None and not self.named:
            raise UnknownField(asked, f"the columns of {self.name}", self._column_names())
        return found

    def _numbered(self, number: int) -> Field:
        """A column by its number; servers have more than the document, and those go to ``extra``."""
        return self.columns.get(number) or Field(str(number), Kind.ANY, number)

    def _column_names(self) -> list[str]:
        return [field.attr for field in self.columns.values()]

    @property
    def entity(self) -> Entity:
        """The fields for conditions, neutral: ``ContactData.f.last_name``."""
        return self.kept("entity", self._make_entity)

    def _make_entity(self) -> Entity:
        return Entity(
            self.module or self.name,
            self.name,
            {field.name: _neutral(field) for field in self.fields.values()},
        )


def _neutral(field: Field) -> Neutral:
    kind = NeutralKind.ARRAY if field.many else _NEUTRAL.get(field.kind, NeutralKind.JSON)
    codes = None if field.codes is None or field.many else names_of(field.codes)
    return Neutral(field.name, kind, codes=codes, read_only=field.read_only, attribute=field.attribute)
