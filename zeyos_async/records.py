"""The base of record classes, and the types of what goes into a write.

A record is one row of an entity: an ``attrs`` class with the API's own field names, absent values
being ``None``. To leave those names to the API, our own names on a record are few: ``etag``, ``extra``,
``f``, ``extdata``, ``tags``, and names with underscores.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

import attrs

from .schema import Entity

__all__ = ["EMPTY", "BinaryInput", "Record", "TagsInput"]

BinaryInput: TypeAlias = (
    "bytes | bytearray | memoryview | os.PathLike[str] | AsyncIterable[bytes] | dict[str, str]"
)
"""The values that a binary field takes: the bytes, a file's path, the bytes piece by piece, or the API's own
``{"content": base64}`` and ``{"uri": data URI}``."""

TagsInput: TypeAlias = "list[str] | tuple[str, ...] | set[str] | frozenset[str]"
"""The values that ``tags``, ``add_tags`` and ``remove_tags`` take; a bare string would be read letter by letter."""


class _EmptyMapping(Mapping[str, Any]):
    """The one empty mapping that records without extra fields share; it can't be written to."""

    __slots__ = ()

    def __getitem__(self, key: str) -> Any:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "{}"

    def __reduce__(self) -> str:  # pickled by name: ``value is EMPTY`` holds after unpickling, too
        return "EMPTY"


EMPTY: Final[Mapping[str, Any]] = _EmptyMapping()
"""The default of ``Record.extra``."""


class _FieldsDescriptor:
    """A descriptor that gives the class's field namespace, for conditions: ``Account.f.lastname == "Doe"``."""

    def __get__(self, instance: object, owner: type[Record]) -> Any:
        from .filters.builder import FieldNamespace  # here, so that tables load without filters

        return FieldNamespace(owner.__entity__)


class Record:
    """One row of an entity.

    Subclasses are slotted ``attrs`` classes; their fields are the entity's, then ``extdata`` and ``tags``
    where the entity has them, then ``etag`` and ``extra``.

    Two records are equal if they are of one class and hold the same values; the ETag does not count.
    The ``repr`` has only what is set, and no passwords.

    Attributes:
        f: The entity's fields, for conditions.
    """

    __slots__ = ()

    __entity__: ClassVar[Entity]
    """The entity's table."""
    __etag__: ClassVar[str] = "etag"
    """The attribute with the ETag: ``etag``, or ``etag_`` where ``etag`` is a field of the entity."""

    if TYPE_CHECKING:
        __attrs_attrs__: ClassVar[Any]
        f: ClassVar[Any]
    else:
        f = _FieldsDescriptor()

    def __repr__(self) -> str:
        texts = (_field_text(field, getattr(self, field.name)) for field in attrs.fields(type(self)))
        return f"{type(self).__name__}({', '.join(text for text in texts if text)})"


def _field_text(field: attrs.Attribute[Any], value: Any) -> str:
    """Return a field for a ``repr``: nothing if it is not set, and no value if it is a password."""
    if value is None or value is EMPTY:
        return ""
    return f"{field.name}={value!r}" if field.repr else f"{field.name}='…'"
