"""Conditions written in Python: ``F.visibility == 0``, ``Account.f.lastname.ilike("%gmbh%")``.

``F`` takes any name and checks nothing before the request is compiled; the typed classes are what a
generated ``Account.f`` is made of, checked by the type checker and at run time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar

from ..errors import FilterError, UnknownField
from ..schema import Entity, Field, Kind, resolve
from .field_ref import AnyField, FieldRef, TextOperators, to_api_name
from .operands import check_path

__all__ = [
    "AnyField",
    "BooleanField",
    "CodeField",
    "ExtdataField",
    "F",
    "FieldNamespace",
    "FieldRef",
    "JsonField",
    "NumberField",
    "ReferenceField",
    "TextField",
    "TimeField",
]

N = TypeVar("N", int, float, Decimal, int | float, int | float | Decimal)
C = TypeVar("C", bound=int)


class TextField(TextOperators[str], frozen=True, eq=False, gc=False):
    """A field of text."""

    _unchanged: ClassVar[frozenset[type]] = frozenset({str})
    _accepted: ClassVar[frozenset[type]] = frozenset({str})
    _expected: ClassVar[str] = "text"


class NumberField(FieldRef[N], frozen=True, eq=False, gc=False):
    """A field of whole or decimal numbers."""

    _unchanged: ClassVar[frozenset[type]] = frozenset({int})
    _accepted: ClassVar[frozenset[type]] = frozenset({bool, int, float, Decimal})
    _expected: ClassVar[str] = "a number"


class TimeField(FieldRef[datetime | int], frozen=True, eq=False, gc=False):
    """A moment: aware ``datetime``; a plain ``int`` is taken as Unix seconds."""

    _unchanged: ClassVar[frozenset[type]] = frozenset({int})
    _accepted: ClassVar[frozenset[type]] = frozenset({int, datetime})
    _expected: ClassVar[str] = "an aware datetime (or Unix seconds)"


class CodeField(FieldRef[C | int], Generic[C], frozen=True, eq=False, gc=False):
    """A coded field: members of its ``IntEnum``, or the codes themselves."""

    _unchanged: ClassVar[frozenset[type]] = frozenset({int})
    _accepted: ClassVar[frozenset[type]] = frozenset({bool, int})
    _expected: ClassVar[str] = "one of its codes (an IntEnum member or an int)"


class BooleanField(FieldRef[bool], frozen=True, eq=False, gc=False):
    """True or false."""

    _unchanged: ClassVar[frozenset[type]] = frozenset({bool})
    _accepted: ClassVar[frozenset[type]] = frozenset({bool, int})
    _expected: ClassVar[str] = "True or False"


class JsonField(FieldRef[Any], frozen=True, eq=False, gc=False):
    """A field that may hold anything; few servers can do more with it than test it for NULL."""


class ExtdataField(JsonField, frozen=True, eq=False, gc=False):
    """The user-defined fields: ``f.extdata.nickname``, ``f.extdata["odd name"]``."""

    def __getattr__(self, name: str) -> AnyField:
        return AnyField(f"{self._path}.{to_api_name(name)}", self._entity)

    def __getitem__(self, name: str) -> AnyField:
        return AnyField(f"{self._path}.{check_path(name)}", self._entity)


class ReferenceField(FieldRef[int], frozen=True, eq=False, gc=False):
    """The ID of another record, which leads to that record's fields: ``Account.f.contact.city``."""

    _unchanged: ClassVar[frozenset[type]] = frozenset({int})
    _accepted: ClassVar[frozenset[type]] = frozenset({int})
    _expected: ClassVar[str] = "the ID of a record"

    def __getitem__(self, path: str) -> FieldRef[Any]:
        return self._target_fields()[path]

    def __dir__(self) -> list[str]:
        return [*object.__dir__(self), *(dir(self._target_fields()) if "." not in self._path else ())]

    def _target_fields(self) -> FieldNamespace:
        """Return the fields of the entity that the reference leads to."""
        entity, field = self._entity, self._field
        if entity is None or entity.related is None or field is None or field.target is None:
            raise FilterError(f"What {self._path} refers to is not known here.")
        if "." in self._path:
            raise FilterError(f"{self._path} is as far as a path may lead: it follows one reference.")
        return _namespace(entity.related(field.target), f"{self._path}.")

    if not TYPE_CHECKING:  # generated classes name the fields, so that a typo is a type error

        def __getattr__(self, name: str) -> FieldRef[Any]:
            to_api_name(name)  # raises for names of Python's own protocols, without a look at the fields
            try:
                return getattr(self._target_fields(), name)
            except UnknownField:
                raise
            except FilterError as error:
                raise UnknownField(f"{self._path}.{name}", str(error)) from error


class FieldNamespace:
    """The fields of an entity as attributes, such as ``Account.f``.

    ``namespace.lastname`` and ``namespace["contact.city"]`` give fields, iteration gives the entity's own fields,
    ``"lastname" in namespace`` tells whether there is one.

    Args:
        entity: The entity whose fields they are.
        prefix: The beginning of their paths, such as ``"contact."``.
    """

    def __init__(self, entity: Entity, prefix: str = "") -> None:
        self._entity = entity
        self._prefix = prefix
        self._by_attribute = {field.attr: field.name for field in entity}

    if not TYPE_CHECKING:  # generated subclasses name the fields, so that a typo is a type error

        def __getattr__(self, name: str) -> FieldRef[Any]:
            if name.startswith("_"):
                raise AttributeError(name)
            field = self[self._by_attribute.get(name, name)]
            # Python looks here before it calls __getattr__, so the next access costs next to nothing.
            self.__dict__[name] = field
            return field

    def __getitem__(self, path: str) -> FieldRef[Any]:
        entity, prefix = self._entity, self._prefix
        if path == "extdata" and entity.extdata and path not in entity.fields:
            return ExtdataField(prefix + path, entity)
        if prefix and "." in path and not path.startswith("extdata."):
            raise UnknownField(prefix + path, entity.name)
        field = resolve(entity, path)
        head, _, rest = path.partition(".")
        if not rest or head == "extdata" or entity.related is None:
            return _field_class(field, path)(prefix + path, entity, field)
        through = entity.field(head).target
        return _field_class(field, path)(prefix + path, entity.related(through) if through else None, field)

    def __iter__(self) -> Iterator[FieldRef[Any]]:
        return (self[field.name] for field in self._entity)

    def __contains__(self, path: object) -> bool:
        try:
            return isinstance(path, str) and bool(self[path]._path)
        except UnknownField:
            return False

    def __dir__(self) -> list[str]:
        extra = ["extdata"] if self._entity.extdata else []
        return sorted({*object.__dir__(self), *self._by_attribute, *extra})

    def __repr__(self) -> str:
        return f"<fields of {self._prefix}{self._entity.name}>"


class _UncheckedFields:
    """The class of ``F``: ``F.lastname``, ``F.contact.country``, ``F["any.path"]``.

    A name that is a keyword of Python gets an underscore: ``F.from_``.
    """

    def __getattr__(self, name: str) -> AnyField:
        field = AnyField(to_api_name(name))
        if len(self.__dict__) < _MAX_CACHED_FIELDS:
            self.__dict__[name] = field  # as in FieldNamespace
        return field

    def __getitem__(self, path: str) -> AnyField:
        return AnyField(check_path(path))

    def __reduce__(self) -> str:
        return "F"

    def __repr__(self) -> str:
        return "F"


_MAX_CACHED_FIELDS: Final = 1024
"""Fields that ``F`` remembers: enough for what stands in code, a bound for names that come from elsewhere."""

F: Final = _UncheckedFields()
"""Fields of any name and type, checked when the request is compiled."""


@lru_cache(maxsize=512)
def _namespace(entity: Entity, prefix: str) -> FieldNamespace:
    return FieldNamespace(entity, prefix)


_FIELD_CLASSES: Final[dict[Kind, type[FieldRef[Any]]]] = {
    Kind.INTEGER: NumberField,
    Kind.NUMBER: NumberField,
    Kind.TEXT: TextField,
    Kind.BOOLEAN: BooleanField,
    Kind.TIME: TimeField,
    Kind.CLOCK: NumberField,
    Kind.DATE: TextField,
    Kind.JSON: JsonField,
    Kind.ARRAY: JsonField,
    Kind.BINARY: JsonField,
}


def _field_class(field: Field, path: str) -> type[FieldRef[Any]]:
    """Return the class of a field by its kind, its codes and its target."""
    if "extdata." in path:
        return AnyField
    if field.codes is not None:
        return CodeField
    return ReferenceField if field.target is not None else _FIELD_CLASSES[field.kind]
