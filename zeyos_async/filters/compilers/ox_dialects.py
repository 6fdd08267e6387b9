"""The parts of the search language that each module of Open-Xchange takes, as data.

The chapter "Advanced search" of the document describes one language; each module takes a part of it: contacts any field but the folder, mail
a fixed list of fields and the headers and attachments of a message, the infostore and chronos a fixed list of
fields of which many can only be compared with ``=``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

import attrs

from ...errors import InvalidArgument, suggest
from ...schema import Entity, Field, Kind

__all__ = ["DIALECTS", "OPERANDS", "Dialect", "dialect_of", "searchable_entity"]

OPERANDS: Final = ("header", "attachment")
"""Beginnings of paths, before a dot and a name, that search in something else than a field."""

_ALL_OPERATORS: Final = frozenset({"=", "<>", "<", ">", "<=", ">=", "isNull"})
_FEW_OPERATORS: Final = frozenset({"=", "<", ">"})


@attrs.frozen(kw_only=True, eq=False)
class Dialect:
    """One module's part of the language.

    Attributes:
        name: The name of the module, for messages.
        fields: Name → field, or ``None`` where any name may be one.
        operators: The comparisons that it takes.
        equal_only: Fields that can only be compared with ``=``.
        operands: Those of ``OPERANDS`` that it takes.
        instead: Fields that can't be searched for → what to do in place of that.
        texts: Whether numbers travel as texts, as in the document's examples for the module.
    """

    name: str
    fields: Mapping[str, Field] | None = None
    operators: frozenset[str] = _ALL_OPERATORS
    equal_only: frozenset[str] = frozenset()
    operands: frozenset[str] = frozenset()
    advice: Mapping[str, str] = attrs.field(factory=dict)
    numbers_as_text: bool = False

    def kind(self, path: str) -> Kind:
        """Return the kind of a field's values; ``JSON`` for one that nothing is known of."""
        if self.fields is None or path not in self.fields:
            return Kind.JSON
        return self.fields[path].kind


def _fields_of_kind(kind: Kind, names: str) -> dict[str, Field]:
    return {name: Field(name, kind) for name in names.split()}


_MAIL: Final = {
    **_fields_of_kind(Kind.TEXT, "from to cc bcc subject content content_type disp"),
    **_fields_of_kind(Kind.TIME, "received_date sent_date"),
    **_fields_of_kind(Kind.INTEGER, "size flags priority"),
}
_INFOSTORE_TEXTS: Final = (
    "camera_make camera_model categories content description filename file_md5sum file_mimetype meta title url "
    "version version_comment"
)
_INFOSTORE: Final = {
    **_fields_of_kind(Kind.TEXT, _INFOSTORE_TEXTS),
    **_fields_of_kind(Kind.NUMBER, "camera_aperture camera_exposure_time camera_focal_length"),
    **_fields_of_kind(
        Kind.INTEGER,
        "camera_iso_speed color_label file_size height number_of_versions sequence_number width",
    ),
    **_fields_of_kind(
        Kind.TIME, "capture_date creation_date last_modified last_modified_utc locked_until media_date"
    ),
    # The document calls users' numbers numbers and, as objects have them, texts; either is one here.
    **_fields_of_kind(Kind.JSON, "created_by modified_by current_version"),
}
_CHRONOS_TIMES: Final = "timestamp created lastModified"
# The module's own description and the chapter each have fields that the other lacks; both are taken.
_CHRONOS_TEXTS: Final = (
    "filename summary location description categories class color transp seriesId rrule recurrenceId "
    "recurrenceDates changeExceptionDates deleteExceptionDates status url comment uid"
)
_CHRONOS_USERS: Final = "createdBy modifiedBy calendarUser organizer attendees sequence"
_CHRONOS: Final = {
    **_fields_of_kind(Kind.TIME, _CHRONOS_TIMES),
    **_fields_of_kind(Kind.TEXT, _CHRONOS_TEXTS),
    **_fields_of_kind(Kind.JSON, _CHRONOS_USERS),
}
_RANGE_ADVICE: Final = "the period of a search is given beside it, as range_start= and range_end="
_FOLDERS_ADVICE: Final = "the folders of a search are given beside it, as folders=[…]"

_CONTACTS: Final = Dialect(name="contacts", advice={"folder": _FOLDERS_ADVICE, "folder_id": _FOLDERS_ADVICE})
DIALECTS: Final[Mapping[str, Dialect]] = {
    "addressbooks": attrs.evolve(_CONTACTS, name="addressbooks"),
    "chronos": Dialect(
        name="chronos",
        fields=_CHRONOS,
        operators=_FEW_OPERATORS,
        equal_only=frozenset(_CHRONOS) - set(_CHRONOS_TIMES.split()),
        advice={"startDate": _RANGE_ADVICE, "endDate": _RANGE_ADVICE, "folder": _FOLDERS_ADVICE},
        numbers_as_text=True,
    ),
    "contacts": _CONTACTS,
    "infostore": Dialect(
        name="infostore",
        fields=_INFOSTORE,
        operators=_FEW_OPERATORS,
        equal_only=frozenset(_INFOSTORE_TEXTS.split()),
        advice=dict.fromkeys(("folder", "folder_id"), "the folder is given beside it, as folder="),
        numbers_as_text=True,
    ),
    "mail": Dialect(name="mail", fields=_MAIL, operands=frozenset(OPERANDS)),
}
"""Module → its dialect."""

_ANY_MODULE: Final = Dialect(name="Open-Xchange", operands=frozenset(OPERANDS))
"""The language itself, whatever the module."""


def dialect_of(module: str | Entity | None) -> Dialect:
    """Return the dialect of a module; an entity's fields are the ones there are, where the document has no list.

    Args:
        module: A module that can search by conditions, an entity of that name, or ``None`` for any.

    Raises:
        InvalidArgument: The module has no such search.
    """
    if module is None:
        return _ANY_MODULE
    if isinstance(module, Entity):
        return _entity_dialect(module)
    if module not in DIALECTS:
        close = suggest(str(module), DIALECTS)
        raise InvalidArgument(
            f"the module {module!r} has no search by conditions.{close} These have: {', '.join(DIALECTS)}"
        )
    return DIALECTS[module]


@lru_cache(maxsize=32)
def _entity_dialect(entity: Entity) -> Dialect:
    dialect = DIALECTS.get(entity.name, attrs.evolve(_ANY_MODULE, name=entity.name))
    if dialect.fields is not None:
        return dialect
    return attrs.evolve(dialect, fields=entity.fields)


class SearchableFields(Mapping[str, Field]):
    """The fields of a dialect, for normalizing conditions: moments are the whole milliseconds that they travel as."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def __getitem__(self, path: str) -> Field:
        head, dot, _ = path.partition(".")
        if dot and head in self._dialect.operands:
            return Field(path, Kind.TEXT)
        if self._dialect.fields is None:
            return Field(path, Kind.JSON)
        field = self._dialect.fields[path]
        return attrs.evolve(field, kind=Kind.INTEGER) if field.kind is Kind.TIME else field

    def __iter__(self) -> Iterator[str]:
        return iter(self._dialect.fields or ())

    def __len__(self) -> int:
        return len(self._dialect.fields or ())


@lru_cache(maxsize=32)
def searchable_entity(dialect: Dialect) -> Entity:
    """Return an entity with the fields of a dialect, for normalizing conditions."""
    return Entity(dialect.name, dialect.name, SearchableFields(dialect))
