"""Entities as data: their fields, kinds, codes and references, and the operations that the API offers.

The description is neutral: generated tables are made of it, and filters, queries, exports and
syncs read it. It knows no API.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Annotated, Final, TypeAlias

import attrs

from .errors import UnknownField

__all__ = ["Entity", "Field", "Kind", "WallClock", "resolve"]


class Kind(enum.Enum):
    """The kind of a field's values: their type in Python, and their form on the wire."""

    INTEGER = "integer"
    NUMBER = "number"
    """A decimal or floating-point number; ``int`` and ``float`` in Python."""
    TEXT = "text"
    BOOLEAN = "boolean"
    TIME = "time"
    """Whole Unix seconds on the wire, an aware UTC ``datetime`` in Python."""
    CLOCK = "clock"
    """The reading of a clock on the wall, in no zone: a naive ``datetime`` in Python; on the wire the Unix
    seconds of that reading taken as UTC."""
    DATE = "date"
    """A day: ``YYYY-MM-DD`` on the wire, a ``date`` in Python."""
    JSON = "json"
    """Any JSON; may arrive as a native value or as text, unexpanded."""
    ARRAY = "array"
    """A list; may arrive as a native value or as text, unexpanded."""
    BINARY = "binary"
    """A reference to stored bytes: an ID, or ``{"content": base64}`` when expanded."""


WallClock: TypeAlias = Annotated[datetime, Kind.CLOCK]
"""The type of a record's attribute for a field of kind ``CLOCK``."""


@attrs.frozen
class Field:
    """One field of an entity.

    Attributes:
        name: The API's name.
        kind: The kind of its values.
        nullable: Whether the API may store no value.
        required: Whether a create must give it: not null, and no default.
        codes: Code → name for a coded field, else ``None``. Names may be empty.
        target: The entity that the value is an ID of, else ``None``.
        minimum: Smallest allowed value.
        maximum: Largest allowed value.
        exclusive: Whether ``minimum`` itself is excluded.
        min_length: Shortest allowed text.
        max_length: Longest allowed text, in characters.
        pattern: Regular expression that a text must match.
        choices: The only texts that are allowed, else ``None``.
        read_only: Whether writes must leave it out.
        attribute: The Python name, where it differs from ``name`` (a keyword, a clash).
        only_in: The one document that has the field, where the API's documents disagree, else ``""``.
    """

    name: str
    kind: Kind
    nullable: bool = True
    required: bool = False
    codes: Mapping[int, str] | None = None
    target: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    exclusive: bool = False
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    read_only: bool = False
    attribute: str = ""
    choices: tuple[str, ...] | None = None
    only_in: str = ""

    @property
    def attr(self) -> str:
        """The name of the attribute on a record."""
        return self.attribute or self.name

    @property
    def is_flag(self) -> bool:
        """Whether its values are true and false, or the codes 0 and 1: then the field alone is a condition."""
        return self.kind is Kind.BOOLEAN or (self.codes is not None and self.codes.keys() <= {0, 1})


@attrs.frozen(eq=False)
class Entity:
    """One entity of an API.

    Attributes:
        name: The API's name, as in its path: ``"accounts"``.
        singular: The name of one record's class: ``"Account"``.
        fields: Name → field, in the API's order.
        operations: The operations that the API offers: some of ``list get exists create update delete``.
        extdata: Whether records carry ``extdata`` (user-defined fields).
        tags: Whether records carry ``tags``.
        related: Gives the entity of a name, for following references; loads it on first use.
    """

    name: str
    singular: str
    fields: Mapping[str, Field]
    operations: frozenset[str] = frozenset()
    extdata: bool = False
    tags: bool = False
    related: Callable[[str], Entity] | None = attrs.field(default=None, repr=False)

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields.values())

    def field(self, name: str) -> Field:
        """Return the field of this name.

        Raises:
            UnknownField: There is none; the message has the closest names.
        """
        try:
            return self.fields[name]
        except KeyError:
            raise UnknownField(name, self.name, self.fields) from None


_EXTDATA: Final = Field("extdata", Kind.JSON)


def resolve(entity: Entity, path: str) -> Field:
    """Return the field that a dotted path leads to: own field, one reference, or ``extdata.<name>``.

    Args:
        entity: The entity at which the path starts.
        path: ``"lastname"``, ``"contact.city"`` or ``"extdata.nickname"``.

    Returns:
        The field; for ``extdata`` a field of kind ``JSON``, since its type is not known.

    Raises:
        UnknownField: Some part of the path does not exist; the message has the closest names.
    """
    head, _, rest = path.partition(".")
    if not rest:
        return entity.field(path)
    if head == "extdata":
        if not entity.extdata:
            raise UnknownField(path, entity.name)
        return _EXTDATA
    reference = entity.field(head)
    if reference.target is None or entity.related is None:
        raise UnknownField(path, entity.name, (f.name for f in entity if f.target))
    target = entity.related(reference.target)
    if "." in rest and not rest.startswith("extdata."):  # the APIs follow one reference
        raise UnknownField(path, entity.name, ())
    if rest.startswith("extdata."):
        if not target.extdata:
            raise UnknownField(path, entity.name, target.fields)
        return _EXTDATA
    try:
        return target.fields[rest]
    except KeyError:
        raise UnknownField(path, entity.name, target.fields) from None
