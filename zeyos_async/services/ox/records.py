"""The base of Open-Xchange's record classes, and how records and objects become each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import attrs

from ...codec import DecodeFailed
from ...errors import InvalidArgument, UnknownField
from ...records import EMPTY, Record
from ...schema import Entity
from .tables import FULL_TIME, Field, Model
from .values import Kind, from_wire, reader_of, to_wire

if TYPE_CHECKING:
    from ...codes import Code
    from .answers import OxWarning

__all__ = [
    "InCamelFolder",
    "InFolder",
    "InFolderId",
    "OxRecord",
    "from_object",
    "plain_json",
    "record_class",
    "row_reader",
    "sent_value",
    "to_object",
]

R = TypeVar("R", bound="OxRecord")


class _Entity:
    """The neutral description of a class's fields, made when it is asked for."""

    def __get__(self, instance: object, owner: type[OxRecord]) -> Entity:
        return owner.__model__.entity


class OxRecord(Record):
    """One object of Open-Xchange.

    Subclasses are slotted ``attrs`` classes with the document's field names; ``None`` is what the server did
    not send, or sent as ``null``. What the class does not know is in ``extra``.

    Attributes:
        f: The fields, for conditions: ``ContactData.f.last_name == "Doe"``.
    """

    __slots__ = ()

    __model__: ClassVar[Model]
    """The schema's table."""
    __stamp__: ClassVar[str] = "timestamp"
    """The attribute with the envelope's time stamp; ``timestamp_`` where the schema has such a field."""
    __warned__: ClassVar[str] = "warnings"
    """The attribute with the envelope's warnings."""
    if not TYPE_CHECKING:
        __entity__ = _Entity()

    def __repr__(self) -> str:
        shown = (_shown(field, getattr(self, field.name)) for field in attrs.fields(type(self)))
        return f"{type(self).__name__}({', '.join(text for text in shown if text)})"


def _shown(field: attrs.Attribute[Any], value: Any) -> str:
    """What is set, and no secrets."""
    if value is None or value == () or value is EMPTY:
        return ""
    return f"{field.name}={value!r}" if field.repr else f"{field.name}='…'"


class InFolderId(OxRecord):
    """A record whose folder is in ``folder_id``; the document also calls it ``folder`` and ``folderId``."""

    __slots__ = ()

    if TYPE_CHECKING:
        folder_id: str | None

    @property
    def folder(self) -> str | None:
        """The folder: ``folder_id`` by another of its names."""
        return self.folder_id

    @folder.setter
    def folder(self, value: str | None) -> None:
        self.folder_id = value  # type: ignore[misc]  # a slot of the subclass

    @property
    def folderId(self) -> str | None:  # noqa: N802 - the document's name
        """The folder: ``folder_id`` by another of its names."""
        return self.folder_id

    @folderId.setter
    def folderId(self, value: str | None) -> None:  # noqa: N802 - the document's name
        self.folder_id = value  # type: ignore[misc]  # a slot of the subclass


class InFolder(OxRecord):
    """A record whose folder is in ``folder``; the document also calls it ``folder_id`` and ``folderId``."""

    __slots__ = ()

    if TYPE_CHECKING:
        folder: str | None

    @property
    def folder_id(self) -> str | None:
        """The folder: ``folder`` by another of its names."""
        return self.folder

    @folder_id.setter
    def folder_id(self, value: str | None) -> None:
        self.folder = value  # type: ignore[misc]  # a slot of the subclass

    @property
    def folderId(self) -> str | None:  # noqa: N802 - the document's name
        """The folder: ``folder`` by another of its names."""
        return self.folder

    @folderId.setter
    def folderId(self, value: str | None) -> None:  # noqa: N802 - the document's name
        self.folder = value  # type: ignore[misc]  # a slot of the subclass


class InCamelFolder(OxRecord):
    """A record whose folder is in ``folderId``; the document also calls it ``folder`` and ``folder_id``."""

    __slots__ = ()

    if TYPE_CHECKING:
        folderId: str | None  # noqa: N815

    @property
    def folder(self) -> str | None:
        """The folder: ``folderId`` by another of its names."""
        return self.folderId

    @folder.setter
    def folder(self, value: str | None) -> None:
        self.folderId = value  # type: ignore[misc]  # a slot of the subclass

    @property
    def folder_id(self) -> str | None:
        """The folder: ``folderId`` by another of its names."""
        return self.folderId

    @folder_id.setter
    def folder_id(self, value: str | None) -> None:
        self.folderId = value  # type: ignore[misc]  # a slot of the subclass


# -- from objects ----------------------------------------------------------------------------------


def record_class(name: str) -> type[OxRecord]:
    """The record class of a schema; its module is loaded when it is first asked for."""
    from ._generated import record_class as found  # here, so that records load without the index

    return found(name)


def _reader(field: Field) -> Callable[[Any], Any] | None:
    """Makes a field's values Python's; ``None`` if they stay as they come.

    What does not fit stays as it came: a number where a list was promised, say.
    """
    if field.kind is Kind.RECORD:
        single: Callable[[Any], Any] | None = _record_reader(field.record)
    elif field.codes is not None:
        single = _code_reader(field.codes)
    else:
        single = reader_of(field.kind)
    if not field.many or single is None:
        return single
    return lambda value: (
        [single(each) if each is not None else None for each in value] if isinstance(value, list) else value
    )


def _record_reader(name: str) -> Callable[[Any], Any]:
    cls = record_class(name)
    return lambda value: from_object(cls, value) if isinstance(value, dict) else value


def _code_reader(codes: type[Code]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        number = from_wire(Kind.INTEGER, value)
        return codes(number) if type(number) is int else number

    return read


def _readers(model: Model) -> dict[str, tuple[str, Callable[[Any], Any] | None]]:
    """The document's name → the attribute and what reads its values."""
    return model.kept("readers", lambda: {f.name: (f.attr, _reader(f)) for f in model.fields.values()})


def from_object(
    cls: type[R],
    value: Mapping[str, Any],
    *,
    timestamp: datetime | int | None = None,
    warnings: tuple[OxWarning, ...] = (),
) -> R:
    """A record of an object, with what the envelope said.

    Args:
        cls: The class.
        value: The object.
        timestamp: The envelope's time stamp.
        warnings: The envelope's warnings.
    """
    readers = _readers(cls.__model__)
    given: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, each in value.items():
        if (found := readers.get(name)) is None:
            extra[name] = each
        elif each is not None:
            attribute, read = found
            given[attribute] = each if read is None else read(each)
    return _made(cls, given, extra or EMPTY, timestamp, warnings)


def _made(cls: type[R], given: dict[str, Any], extra: Any, timestamp: Any, warnings: Any) -> R:
    record: R = cls(**given)
    if given.get(FULL_TIME) is True:
        for field in cls.__model__.fields.values():
            if field.kind is Kind.DATE_OR_TIME and (moment := given.get(field.attr)) is not None:
                setattr(record, field.attr, moment.date() if hasattr(moment, "date") else moment)
    if extra:
        record.extra = extra  # type: ignore[attr-defined]
    if timestamp is not None:
        setattr(record, cls.__stamp__, timestamp)
    if warnings:
        setattr(record, cls.__warned__, warnings)
    return record


def row_reader(cls: type[R], columns: Sequence[Field]) -> Callable[[Sequence[Any], Any], R]:
    """A function from an array under these columns, and the envelope's time stamp, to a record.

    Fields that the class does not have (mail headers) are kept in ``extra``. A row of another length raises
    ``DecodeFailed``: there is no telling which value is of which column.
    """
    readers = _readers(cls.__model__)
    places = [(field.name, *readers.get(field.name, ("", None))) for field in columns]
    width = len(places)

    def read(row: Sequence[Any], timestamp: Any = None) -> R:
        if len(row) != width:
            raise DecodeFailed(f"{width} columns were asked for, and {len(row)} came in a row: {row!r:.80}")
        given: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        for (name, attribute, reader), each in zip(places, row, strict=False):
            if each is None:
                continue
            if attribute:
                given[attribute] = each if reader is None else reader(each)
            else:
                extra[name] = each
        return _made(cls, given, extra or EMPTY, timestamp, ())

    return read


# -- to objects ------------------------------------------------------------------------------------


def to_object(model: Model, value: Any, *, whole: bool = True) -> dict[str, Any]:
    """The object that is sent for a record or a mapping.

    Of a mapping everything is sent: ``None`` as ``null``, which deletes the field's value. Of a record what is
    set is sent, without what the server alone sets.

    Args:
        model: What is written.
        value: A record of that schema, or a mapping of the document's names (or the attributes') to values.
        whole: Whether a record's read-only fields are sent too.

    Raises:
        UnknownField: The schema has no such field.
        InvalidArgument: A value does not fit, or it is neither record nor mapping.
    """
    if isinstance(value, OxRecord):
        return _of_record(model, value, whole=whole)
    if not isinstance(value, Mapping):
        raise InvalidArgument(f"a {model.name} is wanted, or a dict of its fields, not {value!r:.60}")
    sent: dict[str, Any] = {}
    for name, each in value.items():
        if not isinstance(name, str):
            raise InvalidArgument(f"{model.name}: the names of fields are text, not {name!r:.60}")
        field = model.find(name)
        if field.name in sent:
            raise InvalidArgument(f"{model.name}: {field.name} is given twice, as {name!r} too")
        sent[field.name] = sent_value(field, each, f"{model.name}.{field.attr}")
    return _with_full_time(model, sent, {model.find(name).name: each for name, each in value.items()})


def _with_full_time(model: Model, sent: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """``full_time`` along with days or times, since without it the server can't tell what they are.

    Raises:
        InvalidArgument: Days and times are mixed, or contradict ``full_time``.
    """
    if FULL_TIME not in model.fields:
        return sent
    fields = [
        f
        for f in model.fields.values()
        if f.kind is Kind.DATE_OR_TIME and isinstance(given.get(f.name), date)
    ]
    days = {not isinstance(given[field.name], datetime) for field in fields}
    if not days:
        return sent
    wanted = given.get(FULL_TIME)
    if len(days) > 1 or (wanted is not None and wanted not in days):
        names = ", ".join(field.name for field in fields)
        raise InvalidArgument(
            f"{model.name}: with full_time=True {names} are dates, with full_time=False they are datetimes; "
            "they can't be mixed"
        )
    return sent if wanted is not None else {**sent, FULL_TIME: days.pop()}


def _of_record(model: Model, record: OxRecord, *, whole: bool) -> dict[str, Any]:
    sent: dict[str, Any] = {}
    own = type(record).__model__
    for field in own.fields.values():
        each = getattr(record, field.attr)
        if each is None or (field.read_only and not whole):
            continue
        if field.name in model.fields:
            sent[field.name] = sent_value(model.fields[field.name], each, f"{model.name}.{field.attr}")
    return sent


def sent_value(field: Field, value: Any, what: str) -> Any:
    """What is sent for a field's value.

    Raises:
        InvalidArgument: It does not fit.
    """
    if value is None:
        return None
    if not field.many:
        return _sent_single(field, value, what)
    if isinstance(value, str | bytes | Mapping | OxRecord) or not isinstance(value, Iterable):
        raise InvalidArgument(f"{what} takes a list, not {value!r:.60}")
    return [_sent_single(field, each, f"{what}[{place}]") for place, each in enumerate(value)]


def _sent_single(field: Field, value: Any, what: str) -> Any:
    if value is None:
        return None
    if field.kind is Kind.RECORD:
        try:
            return to_object(record_class(field.record).__model__, value)
        except UnknownField as error:
            raise UnknownField(error.path, what, record_class(field.record).__model__.fields) from error
    return plain_json(value, what) if field.kind is Kind.ANY else to_wire(field.kind, value, what)


def plain_json(value: Any, what: str) -> Any:
    """JSON values of the caller's, in which records may stand.

    Raises:
        InvalidArgument: Something in it has no JSON form.
    """
    if isinstance(value, OxRecord):
        return to_object(type(value).__model__, value)
    if isinstance(value, Mapping):
        return {str(name): plain_json(each, what) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain_json(each, what) for each in value]
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise InvalidArgument(f"{what} takes JSON values; {value!r:.60} is none")
