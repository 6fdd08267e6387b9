"""The base of Open-Xchange's record classes, and the conversions between records and the server's objects.

The document has over 250 schemas. Each is a slotted ``attrs`` class, generated with its fields and a table of them
(``__schema__``). All conversions are here and follow the table, so that the classes hold no code.

The server sends one object in two forms: as an object of names and values, or as an array under the columns of the
call. Both ways, the readers of a schema's fields are made once and kept with its table; ``None`` in place of a
reader means that values stay as they come, which saves a call for each of them. Servers are not strict, so nothing
that comes is refused: a value that does not fit its field stays as it came, and a name that the class lacks goes to
``extra``. Only a row of another length than its columns is an error, as its values could not be told apart.

What a caller sends is checked strictly, on the other hand: unknown names and values that don't fit raise before
anything is sent. A mapping is sent whole, with ``None`` as ``null``, which deletes a value. Of a record only what is
set is sent, without what the server alone sets.

Two peculiarities are solved here. ``full_time`` decides whether some fields of tasks and appointments are days or
instants, so they are converted when all fields are known. And the folder is ``folder``, ``folder_id`` or ``folderId``,
as the schema pleases; three small base classes give a record the other two names.

Only ``record_class`` looks into the generated classes, and only when it is called: they import this module.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import attrs

from ...codec import DecodeFailed
from ...errors import InvalidArgument, UnknownField, quote_value
from ...records import EMPTY, Record
from ...schema import Entity
from .tables import FULL_TIME, WireField, WireSchema
from .values import WireKind, find_reader, from_wire, to_wire

if TYPE_CHECKING:
    from ...codes import Code
    from .answers import OxWarning

__all__ = [
    "InCamelFolder",
    "InFolder",
    "InFolderId",
    "OxRecord",
    "field_to_wire",
    "from_object",
    "make_row_reader",
    "record_class",
    "to_object",
    "to_plain_json",
]

R = TypeVar("R", bound="OxRecord")


class _EntityDescriptor:
    """The neutral description of a class's fields, made on first use."""

    def __get__(self, instance: object, owner: type[OxRecord]) -> Entity:
        return owner.__schema__.entity


class OxRecord(Record):
    """One object of Open-Xchange.

    Subclasses are slotted ``attrs`` classes with the document's field names; ``None`` is what the server did
    not send, or sent as ``null``. What the class does not know is in ``extra``.

    Attributes:
        f: The fields, for conditions: ``ContactData.f.last_name == "Doe"``.
    """

    __slots__ = ()

    __schema__: ClassVar[WireSchema]
    """The schema's table."""
    __timestamp_name__: ClassVar[str] = "timestamp"
    """The attribute with the envelope's time stamp; ``timestamp_`` where the schema has such a field."""
    __warnings_name__: ClassVar[str] = "warnings"
    """The attribute with the envelope's warnings."""
    if not TYPE_CHECKING:
        __entity__ = _EntityDescriptor()

    def __repr__(self) -> str:
        texts = (_format_field(field, getattr(self, field.name)) for field in attrs.fields(type(self)))
        return f"{type(self).__name__}({', '.join(text for text in texts if text)})"


def _format_field(field: attrs.Attribute[Any], value: Any) -> str:
    """Return ``name=value`` of a field that is set, and ``""`` of one that is not; hide secrets."""
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
    """Return the record class of a schema; its module is loaded on first use."""
    # The index of the generated modules leads back here: imported at the top, this would be a circle.
    from ._generated import record_class as find_class

    return find_class(name)


def _make_reader(field: WireField) -> Callable[[Any], Any] | None:
    """Return the function that converts a field's values to Python; ``None`` if they stay as they come.

    What does not fit stays as it came: a number where a list was promised, say.
    """
    if field.kind is WireKind.RECORD:
        single: Callable[[Any], Any] | None = _make_record_reader(field.record)
    elif field.codes is not None:
        single = _make_code_reader(field.codes)
    else:
        single = find_reader(field.kind)
    if not field.many or single is None:
        return single
    return lambda value: (
        [single(item) if item is not None else None for item in value] if isinstance(value, list) else value
    )


def _make_record_reader(name: str) -> Callable[[Any], Any]:
    cls = record_class(name)
    return lambda value: from_object(cls, value) if isinstance(value, dict) else value


def _make_code_reader(codes: type[Code]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        number = from_wire(WireKind.INTEGER, value)
        return codes(number) if type(number) is int else number

    return read


def _field_readers(schema: WireSchema) -> dict[str, tuple[str, Callable[[Any], Any] | None]]:
    """Return the attribute and the reader of values for each of the document's names."""
    return schema.memoize(
        "readers", lambda: {f.name: (f.attr, _make_reader(f)) for f in schema.fields.values()}
    )


def from_object(
    cls: type[R],
    value: Mapping[str, Any],
    *,
    timestamp: datetime | int | None = None,
    warnings: tuple[OxWarning, ...] = (),
) -> R:
    """Make a record of an object, with what the envelope said.

    Args:
        cls: The class.
        value: The object.
        timestamp: The envelope's time stamp.
        warnings: The envelope's warnings.
    """
    readers = _field_readers(cls.__schema__)
    values: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, item in value.items():
        if (reader := readers.get(name)) is None:
            extra[name] = item
        elif item is not None:
            attribute, read = reader
            values[attribute] = item if read is None else read(item)
    return _build_record(cls, values, extra or EMPTY, timestamp, warnings)


def _build_record(cls: type[R], values: dict[str, Any], extra: Any, timestamp: Any, warnings: Any) -> R:
    record: R = cls(**values)
    if values.get(FULL_TIME) is True:  # the days came as instants, for their fields may come before full_time
        for field in cls.__schema__.fields.values():
            if field.kind is WireKind.DATE_OR_TIME and (moment := values.get(field.attr)) is not None:
                setattr(record, field.attr, moment.date() if hasattr(moment, "date") else moment)
    if extra:
        record.extra = extra  # type: ignore[attr-defined]
    if timestamp is not None:
        setattr(record, cls.__timestamp_name__, timestamp)
    if warnings:
        setattr(record, cls.__warnings_name__, warnings)
    return record


def make_row_reader(cls: type[R], columns: Sequence[WireField]) -> Callable[[Sequence[Any], Any], R]:
    """Return a function that makes a record of an array under these columns and the envelope's time stamp.

    Fields that the class does not have (mail headers) are kept in ``extra``. A row of another length raises
    ``DecodeFailed``: there is no telling which value is of which column.
    """
    readers = _field_readers(cls.__schema__)
    places = [(field.name, *readers.get(field.name, ("", None))) for field in columns]
    width = len(places)

    def read(row: Sequence[Any], timestamp: Any = None) -> R:
        if len(row) != width:
            raise DecodeFailed(
                f"{width} columns were asked for, and {len(row)} came in a row: {quote_value(row, 80)}"
            )
        values: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        for (name, attribute, reader), item in zip(places, row, strict=False):  # compared above
            if item is None:
                continue
            if attribute:
                values[attribute] = item if reader is None else reader(item)
            else:
                extra[name] = item
        return _build_record(cls, values, extra or EMPTY, timestamp, ())

    return read


# -- to objects ------------------------------------------------------------------------------------


def to_object(schema: WireSchema, value: Any, *, with_read_only: bool = True) -> dict[str, Any]:
    """Return the object that is sent for a record or a mapping.

    Of a mapping everything is sent: ``None`` as ``null``, which deletes the field's value. Of a record what is
    set is sent, without what the server alone sets.

    Args:
        schema: The schema of what is written.
        value: A record of that schema, or a mapping of the document's names (or the attributes') to values.
        with_read_only: Whether a record's read-only fields are sent too.

    Raises:
        UnknownField: The schema has no such field.
        InvalidArgument: A value does not fit, or it is neither record nor mapping.
    """
    if isinstance(value, OxRecord):
        return _record_to_object(schema, value, with_read_only=with_read_only)
    if not isinstance(value, Mapping):
        raise InvalidArgument(f"a {schema.name} is wanted, or a dict of its fields, not {quote_value(value)}")
    sent: dict[str, Any] = {}
    for name, item in value.items():
        if not isinstance(name, str):
            raise InvalidArgument(f"{schema.name}: the names of fields are text, not {quote_value(name)}")
        field = schema.find(name)
        if field.name in sent:
            raise InvalidArgument(f"{schema.name}: {field.name} is given twice, as {name!r} too")
        sent[field.name] = field_to_wire(field, item, f"{schema.name}.{field.attr}")
    return _add_full_time(schema, sent, {schema.find(name).name: item for name, item in value.items()})


def _add_full_time(schema: WireSchema, sent: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Add ``full_time`` to days or times, since without it the server can't tell which of them they are.

    Raises:
        InvalidArgument: Days and times are mixed, or contradict ``full_time``.
    """
    if FULL_TIME not in schema.fields:
        return sent
    fields = [
        f
        for f in schema.fields.values()
        if f.kind is WireKind.DATE_OR_TIME and isinstance(values.get(f.name), date)
    ]
    days = {not isinstance(values[field.name], datetime) for field in fields}
    if not days:
        return sent
    full_time = values.get(FULL_TIME)
    if len(days) > 1 or (full_time is not None and full_time not in days):
        names = ", ".join(field.name for field in fields)
        raise InvalidArgument(
            f"{schema.name}: with full_time=True {names} are dates, with full_time=False they are datetimes; "
            "they can't be mixed"
        )
    return sent if full_time is not None else {**sent, FULL_TIME: days.pop()}


def _nested_to_object(schema: WireSchema, value: Any) -> dict[str, Any]:
    """Return the object for what is part of another one, with what came along and its class does not know.

    The server takes the part as a whole: what is not sent is lost, such as the conditions of a filter.
    """
    sent = to_object(schema, value)
    if isinstance(value, OxRecord):
        for name, item in getattr(value, "extra", EMPTY).items():
            sent.setdefault(name, to_plain_json(item, f"{schema.name}.{name}"))
    return sent


def _record_to_object(schema: WireSchema, record: OxRecord, *, with_read_only: bool) -> dict[str, Any]:
    sent: dict[str, Any] = {}
    source = type(record).__schema__
    for field in source.fields.values():
        value = getattr(record, field.attr)
        if value is None or (field.read_only and not with_read_only):
            continue
        if field.name in schema.fields:
            sent[field.name] = field_to_wire(schema.fields[field.name], value, f"{schema.name}.{field.attr}")
    return sent


def field_to_wire(field: WireField, value: Any, label: str) -> Any:
    """Convert a field's value to JSON.

    Raises:
        InvalidArgument: It does not fit.
    """
    if value is None:
        return None
    if not field.many:
        return _item_to_wire(field, value, label)
    if isinstance(value, str | bytes | Mapping | OxRecord) or not isinstance(value, Iterable):
        raise InvalidArgument(f"{label} takes a list, not {quote_value(value)}")
    return [_item_to_wire(field, item, f"{label}[{number}]") for number, item in enumerate(value)]


def _item_to_wire(field: WireField, value: Any, label: str) -> Any:
    if value is None:
        return None
    if field.kind is WireKind.RECORD:
        try:
            return _nested_to_object(record_class(field.record).__schema__, value)
        except UnknownField as error:
            raise UnknownField(error.path, label, record_class(field.record).__schema__.fields) from error
    return to_plain_json(value, label) if field.kind is WireKind.ANY else to_wire(field.kind, value, label)


def to_plain_json(value: Any, label: str) -> Any:
    """Return the caller's JSON values, with the records in them as objects.

    Raises:
        InvalidArgument: Something in it has no JSON form.
    """
    if isinstance(value, OxRecord):
        return _nested_to_object(type(value).__schema__, value)
    if isinstance(value, Mapping):
        return {str(name): to_plain_json(item, label) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_plain_json(item, label) for item in value]
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise InvalidArgument(f"{label} takes JSON values; {quote_value(value)} is none")
