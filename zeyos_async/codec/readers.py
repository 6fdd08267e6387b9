"""Decoding of pages of rows: from bytes to records, a user's own classes, dicts, or the raw rows.

The problem: a page may have ten thousand rows, and decoding it is most of the CPU time of a large query. Servers are
also sloppy: a number comes as text, a time stamp lies beyond the calendar, a field is new. A decoder that is strict
fails on one such value; one that is lenient looks at each value in Python, which is many times slower.

The idea: two ways, of which the second is taken by single rows only.

* The fast way. For each class a ``msgspec.Struct`` is made with the wire's names and with the types that msgspec can
  decode by itself. One decoder reads the page into a list of these structs, in C, and the class's own ``__init__`` is
  called with the values of each; together that costs less than decoding the page to dicts. Types that msgspec does not
  know (``date``, a wall clock, nested classes) are left as they are on the wire and converted by columns afterwards.
* The lenient way. A page that the struct refuses is cut into its rows without decoding them. Each row is tried by
  the fast way again, and only a row that is refused itself is cut into its values, each of which is decoded and
  converted by the hooks of :mod:`zeyos_async.codec.lenient`. So one odd row does not slow the other 9,999, one odd
  value (half a character, a number as text) costs no other, and one that can't be read is named by row and column.

Invariants: both ways give equal instances for rows that both can read (a property test compares them); rows keep
their order; IDs are given if and only if the ID was selected, or was added for paging under a hidden name.

Left out: nothing decodes to a dict first on the fast way, and nothing that was decoded is encoded again. Unknown keys
are refused by the struct on purpose, since they have to land in ``extra``, which only the lenient way fills.
"""

from __future__ import annotations

import gc
import operator
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import starmap
from typing import Any, Final, Generic, TypedDict, TypeVar, cast

import attrs
import msgspec

from ..errors import ConfigurationError, InvalidArgument
from ..json_text import decode_json
from ..schema import Kind
from .lenient import (
    DecodeFailed,
    check_fillable,
    is_int_enum,
    keeps_digits,
    make_lenient_converter,
    structure_cell,
    to_int,
    to_utc,
)

if typing.TYPE_CHECKING:
    import cattrs

__all__ = [
    "DictReader",
    "Page",
    "RawReader",
    "RowReader",
    "TypedReader",
    "check_class",
    "find_unreadable",
    "make_row_filler",
    "split_rows",
]

R = TypeVar("R")

_HIDDEN_ID: Final = "_hidden_id"
"""The name in a struct of an ID that paging needs and the rows don't have."""


@attrs.frozen
class Page(Generic[R]):
    """The rows of one page, in order, and their IDs where they were selected."""

    rows: list[R]
    ids: list[int] | None


class RowReader(typing.Protocol[R]):
    """A reader of the bytes of a JSON array of rows."""

    def page(self, body: bytes) -> Page[R]:
        """Decode a page.

        Raises:
            DecodeFailed: The body is not a JSON array of objects of this kind.
        """
        ...


@contextmanager
def _pause_gc() -> Iterator[None]:
    """Pause the garbage collector while a page is decoded."""
    # Ten thousand new objects would start dozens of collections, none of which finds anything.
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def split_rows(body: bytes, size: int) -> Iterator[bytes]:
    """Cut a page into pages of at most ``size`` rows, without decoding the rows."""
    rows = _split_raw(body)
    for start in range(0, len(rows), size):
        yield b"[" + b",".join(rows[start : start + size]) + b"]"


_REFUSED: Final = (msgspec.DecodeError, ValueError, DecodeFailed)
"""Errors for a value that does not fit; a year beyond 9999 is a bare ``ValueError`` of the decoder."""


_RAW_DECODER: Final = msgspec.json.Decoder(list[msgspec.Raw])
_ROW_DECODER: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _split_raw(body: bytes) -> list[msgspec.Raw]:
    try:
        rows: list[msgspec.Raw] = decode_json(body, _RAW_DECODER)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DecodeFailed(f"not a JSON list of rows: {error}") from error
    return rows


def _split_row(raw: bytes | msgspec.Raw, id_key: str | None = None) -> dict[str, msgspec.Raw]:
    """Return the values of a row by key, not decoded.

    Raises:
        DecodeFailed: It is no object, or its ID is a truth value: ``true`` would become the ID 1.
    """
    try:
        values: dict[str, msgspec.Raw] = decode_json(raw, _ROW_DECODER)
    except msgspec.ValidationError as error:  # raised by the first byte: what follows may be no JSON at all
        raise DecodeFailed(f"{_name_kind(raw)} instead of an object with fields") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DecodeFailed(f"not JSON: {error}") from error
    if id_key in values and bytes(values[id_key]) in (b"true", b"false"):
        raise DecodeFailed(f"{bytes(values[id_key]).decode()} is no ID")
    return values


def _name_kind(raw: bytes | msgspec.Raw) -> str:
    try:
        return type(decode_json(raw)).__name__
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "no JSON"


def find_unreadable(body: bytes) -> str:
    """Return where the first value that is no JSON stands, for a message; nothing if that can't be told."""
    try:
        for number, raw in enumerate(_split_raw(body), 1):
            for key, value in _split_row(raw).items():
                try:
                    decode_json(value)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    return f" (row {number} of the page, column {key})"
    except DecodeFailed:
        pass  # no rows at all
    return ""


def _read_each(body: bytes, read: Callable[[msgspec.Raw], R]) -> list[R]:
    """Return what a function makes of each row of a page.

    Raises:
        DecodeFailed: A row can't be read; the message has its number.
    """
    rows = []
    for number, raw in enumerate(_split_raw(body), 1):
        try:
            rows.append(read(raw))
        except DecodeFailed as error:
            raise DecodeFailed(f"row {number} of the page: {error}") from error
    return rows


class RawReader:
    """A reader of nothing but the IDs; the rows stay bytes, as for an export of JSON lines.

    Args:
        id_key: The key of the ID in each row, or ``None`` where it is not selected.
    """

    def __init__(self, id_key: str | None = "ID") -> None:
        self._id_decoder: msgspec.json.Decoder[list[Any]] | None = None
        if id_key is not None:
            struct = msgspec.defstruct("RowID", [(_HIDDEN_ID, int, msgspec.field(name=id_key))], gc=False)
            self._id_decoder = msgspec.json.Decoder(list[struct], strict=False)  # type: ignore[valid-type]

    def page(self, body: bytes) -> Page[msgspec.Raw]:
        """Return the rows as raw JSON, and their IDs.

        Raises:
            DecodeFailed: The body is not a JSON array, or a row has no usable ID.
        """
        rows = _split_raw(body)
        if self._id_decoder is None:
            return Page(rows, None)
        try:
            ids = decode_json(body, self._id_decoder)
            return Page(rows, list(map(operator.attrgetter(_HIDDEN_ID), ids)))
        except msgspec.DecodeError as error:
            raise DecodeFailed(f"a row without a usable ID: {error}") from error


class TypedReader(Generic[R]):
    """A reader of rows into an attrs class.

    Args:
        cls: The class of the rows.
        keys: Attribute → key on the wire, for the attributes that are selected.
        id_key: The key of the ID, if it is selected for paging.
        pause_gc: Whether the garbage collector is paused while a page is decoded.
    """

    def __init__(
        self, cls: type[R], keys: Mapping[str, str], *, id_key: str | None = None, pause_gc: bool = True
    ) -> None:
        self.cls = cls
        self._keys = dict(keys)
        self._hints = _hints(cls)
        self._id_key = id_key
        self._id_attr = next((a for a, k in keys.items() if k == id_key), None)
        self._hidden_key = id_key if id_key is not None and self._id_attr is None else None
        self._build = _make_builder(cls, list(keys), has_hidden_id=self._hidden_key is not None)
        self._pauses_gc = pause_gc
        struct = self._make_struct()
        self._page_decoder: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[struct], strict=False)  # type: ignore[valid-type]
        self._row_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(struct, strict=False)
        self._row_converter: Callable[[Mapping[str, Any]], R] | None = None

    def page(self, body: bytes) -> Page[R]:
        """Decode a page; rows that the fast way refuses take the lenient one.

        Raises:
            DecodeFailed: The body is not a JSON array of objects of this kind.
        """
        if not self._pauses_gc:
            return self._decode(body)
        with _pause_gc():
            return self._decode(body)

    def one(self, body: bytes) -> R:
        """Decode a single row.

        Raises:
            DecodeFailed: The body is not a JSON object of this kind.
        """
        return self._decode_row(body)

    def _decode(self, body: bytes) -> Page[R]:
        try:
            structs = self._page_decoder.decode(body)
            rows, ids = self._build(structs), self._ids_of(structs)
        except _REFUSED:
            return self._decode_rows(body)
        return Page(rows, _check_ids(ids))

    def _ids_of(self, structs: Sequence[Any]) -> list[int] | None:
        name = _HIDDEN_ID if self._hidden_key else self._id_attr
        return None if name is None else list(map(operator.attrgetter(name), structs))

    def _decode_rows(self, body: bytes) -> Page[R]:
        """Decode a page row by row, each by the fast way if that can read it."""
        ids: list[int] | None = None
        if self._hidden_key:
            ids = _read_each(body, lambda raw: _read_id(raw, cast(str, self._hidden_key)))
        rows = _read_each(body, self._decode_row)
        if self._id_attr is not None:
            ids = list(map(operator.attrgetter(self._id_attr), rows))
        return Page(rows, _check_ids(ids))

    def _decode_row(self, raw: bytes | msgspec.Raw) -> R:
        try:
            return self._build([self._row_decoder.decode(raw)])[0]
        except _REFUSED:
            pass  # the lenient way follows
        values = _split_row(raw, self._id_key)
        if self._row_converter is None:
            self._row_converter = _make_row_converter(self.cls, self._keys, self._hints, self._hidden_key)
        return self._row_converter(values)

    def _make_struct(self) -> Any:
        """Return the struct that has the wire's names and the types of the class.

        Raises:
            ConfigurationError: msgspec can't have a struct with such types.
        """
        attributes = attrs.fields_dict(cast(Any, self.cls))
        fields: list[Any] = [
            (attr, _field_type(attributes[attr], self._hints[attr]), msgspec.field(name=key, default=None))
            for attr, key in self._keys.items()
        ]
        if self._hidden_key:
            fields.append((_HIDDEN_ID, int, msgspec.field(name=self._hidden_key)))
        try:
            return msgspec.defstruct(
                f"{self.cls.__name__}Row", fields, gc=False, forbid_unknown_fields=True, kw_only=True
            )
        except TypeError as error:
            raise ConfigurationError(f"{self.cls.__name__} can't be filled from rows: {error}") from error


def _check_ids(ids: list[Any] | None) -> list[int] | None:
    if ids is not None and None in ids:
        raise DecodeFailed(f"row {ids.index(None) + 1} of the page has no ID, which was selected")
    return ids


def _read_id(raw: msgspec.Raw, key: str) -> int:
    try:
        return to_int(decode_json(_split_row(raw, key)[key]))
    except (KeyError, ValueError) as error:
        raise DecodeFailed(f"no usable {key!r}, which was selected") from error


def _hints(cls: type) -> dict[str, Any]:
    """Return attribute → type, with the forward references of the class's own module resolved."""
    if not attrs.has(cls):
        raise ConfigurationError(f"{cls.__name__} is not an attrs class; decorate it with attrs.define")
    attrs.resolve_types(cls)
    return {a.name: Any if a.type in (None, object) else a.type for a in attrs.fields(cls)}


_MOMENT: Final[Any] = typing.Annotated[datetime, msgspec.Meta(tz=True)]
"""A moment; text without an offset, which msgspec would read as a naive one, takes the lenient way."""

_DECODABLE: Final[Mapping[Any, Any]] = {
    **{
        hint: hint
        for hint in (int, float, Decimal, str, bool, type(None), dict[str, Any], list[str], list[Any])
    },
    datetime: _MOMENT,
}
"""Types that msgspec decodes by itself, besides enums of whole numbers → the types in which it does."""


@lru_cache(maxsize=256)
def _struct_type(hint: Any) -> Any:
    """Return the type of a struct's field: the hint, or ``Any`` for what msgspec can't decode by itself."""
    is_union = isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union
    members = typing.get_args(hint) if is_union else (hint,)
    if not all(member in _DECODABLE or is_int_enum(member) for member in members):
        return Any
    decodable: Any = typing.Union[(*[_DECODABLE.get(member, member) for member in members], None)]
    try:
        msgspec.json.Decoder(decodable)
    except TypeError:  # such as text or a decimal, which are both text for it
        return Any
    return decodable


def _field_type(field: attrs.Attribute[Any], hint: Any) -> Any:
    """Return the type of a struct's field: JSON as it came where decoding it would cost digits."""
    if field.converter is None and _needs_converting(hint) and keeps_digits(hint):
        return msgspec.Raw | None
    return _struct_type(hint)


def _holds_moments(hint: Any) -> bool:
    return hint is datetime or (datetime in typing.get_args(hint) and not _needs_converting(hint))


def _needs_converting(hint: Any) -> bool:
    return hint is not Any and _struct_type(hint) is Any


def _has_own_converter(field: attrs.Attribute[Any], hint: Any) -> bool:
    return field.converter is not None and _needs_converting(hint)


def check_class(cls: type) -> None:
    """Refuse a class that rows can't fill.

    Raises:
        InvalidArgument: An attribute's type is one that no value of an answer can have.
    """
    try:
        hints = _hints(cls)
    except NameError as error:
        raise InvalidArgument(f"{cls.__name__}: a type of its attributes is not known: {error}") from error
    for field in attrs.fields(cls):
        if field.init and field.converter is None and _needs_converting(hints[field.name]):
            check_fillable(hints[field.name], f"{cls.__name__}.{field.name}")


@lru_cache(maxsize=64)
def make_row_filler(cls: type) -> Callable[[Mapping[str, Any]], Any]:
    """Return a function from values that were decoded already, by attribute, to an instance of a class."""
    names = [field.name for field in attrs.fields(cast(Any, cls)) if field.init]
    # What a service made of nested objects is passed on: cattrs would take it apart.
    hints = {name: Any if _needs_converting(hint) else hint for name, hint in _hints(cls).items()}
    return _make_row_converter(cls, {name: name for name in names}, hints, None)


def _make_builder(
    cls: type[R], attributes: list[str], *, has_hidden_id: bool
) -> Callable[[list[Any]], list[R]]:
    """Return a function from structs to instances; the usual case is two maps that run in C."""
    fields = attrs.fields_dict(cast(Any, cls))
    arguments = [f.name for f in fields.values() if f.init]
    hints = _hints(cls)
    column_hints = {
        a: hints[a] for a in attributes if _needs_converting(hints[a]) and fields[a].converter is None
    }
    if not hasattr(
        cls, "__entity__"
    ):  # records come from servers that write moments as numbers, which are UTC
        column_hints |= {a: hints[a] for a in attributes if _holds_moments(hints[a])}
    # Where the struct's order is that of the class's arguments, no Python code runs for each row.
    if arguments[: len(attributes)] == attributes and not any(fields[a].kw_only for a in attributes):
        get_values = _make_value_getter(attributes) if has_hidden_id else msgspec.structs.astuple
        build: Callable[[list[Any]], list[R]] = lambda structs: list(starmap(cls, map(get_values, structs)))  # noqa: E731
    else:
        init = [(fields[a].alias or a, operator.attrgetter(a)) for a in attributes]
        build = lambda structs: [cls(**{alias: get(struct) for alias, get in init}) for struct in structs]  # noqa: E731
    guarded = _guard(cls, build)
    return _convert_columns_first(cls, guarded, column_hints) if column_hints else guarded


def _guard(cls: type, build: Callable[[list[Any]], list[R]]) -> Callable[[list[Any]], list[R]]:
    """Return the same function, whose errors are ours: a class's own converters and validators may raise anything."""

    def build_or_fail(structs: list[Any]) -> list[R]:
        try:
            return build(structs)
        except RecursionError:
            raise
        except Exception as error:
            raise DecodeFailed(f"{cls.__name__} refuses the values: {error}") from error

    return build_or_fail


def _make_value_getter(attributes: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function that gives a struct's values for these attributes, as a tuple even of one."""
    get = operator.attrgetter(*attributes)
    return get if len(attributes) > 1 else lambda struct: (get(struct),)


def _convert_columns_first(
    cls: type[R], build: Callable[[list[Any]], list[R]], hints: Mapping[str, Any]
) -> Callable[[list[Any]], list[R]]:
    """Return the same function, with the columns that msgspec can't decode by itself converted before."""
    converter = make_lenient_converter(cls)

    def convert_and_build(structs: list[Any]) -> list[R]:
        for name, hint in hints.items():
            column = list(map(operator.attrgetter(name), structs))
            if column.count(None) < len(column):  # a column without a value costs next to nothing
                for struct, value in zip(structs, column, strict=True):
                    if isinstance(value, datetime):
                        if (
                            value.tzinfo is not UTC
                        ):  # the lenient way gives moments in UTC, whatever their text had
                            setattr(struct, name, to_utc(value))
                    elif value is not None:
                        setattr(struct, name, structure_cell(converter, value, hint, cls.__name__, name))
        return build(structs)

    return convert_and_build


def _make_row_converter(
    cls: type[R], keys: Mapping[str, str], hints: Mapping[str, Any], hidden_key: str | None
) -> Callable[[Mapping[str, msgspec.Raw]], R]:
    """Return a function from a row's values to an instance: the lenient way."""
    converter = make_lenient_converter(cls)
    by_key = {key: attr for attr, key in keys.items()}
    fields = attrs.fields_dict(cast(Any, cls))
    has_extra = "extra" in fields
    build = _guard(cls, lambda values: [cls(**values[0])])
    # What a class converts by itself is given to it as it is.
    own = {attr: Any if _has_own_converter(fields[attr], hints[attr]) else hints[attr] for attr in keys}

    def structure(row: Mapping[str, msgspec.Raw]) -> R:
        values: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        for key, raw in row.items():
            attr = by_key.get(key)
            if attr is not None:
                values[fields[attr].alias or attr] = structure_cell(
                    converter, raw, own[attr], cls.__name__, key
                )
            elif key != hidden_key and has_extra:
                extra[key] = structure_cell(converter, raw, Any, cls.__name__, key)
        for attr in keys:
            values.setdefault(fields[attr].alias or attr, None)
        if extra:
            values["extra"] = extra
        return build([values])[0]

    return structure


_DICT_TYPES: Final[Mapping[Kind, Any]] = {
    Kind.INTEGER: int | None,
    Kind.NUMBER: float | None,
    Kind.TEXT: str | None,
    Kind.BOOLEAN: bool | None,
    Kind.TIME: _MOMENT | None,
    Kind.CLOCK: int | None,
    Kind.DATE: str | None,
}


class DictReader:
    """A reader of rows into dicts with typed values: times are datetimes, codes are whole numbers.

    Args:
        kinds: Key on the wire → kind of its values.
        id_key: The key of the ID, if it is selected for paging.
        hide_id: Whether that key is there for paging only, and is taken out of the rows.
        pause_gc: Whether the garbage collector is paused while a page is decoded.
    """

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        *,
        id_key: str | None = None,
        hide_id: bool = False,
        pause_gc: bool = True,
    ) -> None:
        self._kinds = dict(kinds)
        self._id_key = id_key
        if id_key is not None:
            self._kinds.setdefault(id_key, Kind.INTEGER)
        self._hides_id = hide_id
        self._pauses_gc = pause_gc
        value_types = {key: _DICT_TYPES.get(kind, Any) for key, kind in kinds.items()}
        if id_key is not None:
            value_types[id_key] = int
        row = TypedDict("row", value_types, total=False)  # type: ignore[misc]
        self._page_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(list[row], strict=False)
        self._converter: cattrs.Converter | None = None

    def page(self, body: bytes) -> Page[dict[str, Any]]:
        """Decode a page; if a value does not fit its type, all rows of the page take the lenient way.

        Raises:
            DecodeFailed: The body is not a JSON array of objects of this kind.
        """
        if not self._pauses_gc:
            return self._decode(body)
        with _pause_gc():
            return self._decode(body)

    def _decode(self, body: bytes) -> Page[dict[str, Any]]:
        try:
            rows: list[dict[str, Any]] = self._page_decoder.decode(body)
        except _REFUSED:
            rows = _read_each(body, self._decode_row)
        return Page(rows, self._ids_of(rows))

    def _ids_of(self, rows: list[dict[str, Any]]) -> list[int] | None:
        if self._id_key is None:
            return None
        key = self._id_key
        try:
            ids = [row.pop(key) for row in rows] if self._hides_id else [row[key] for row in rows]
        except KeyError:
            raise DecodeFailed(f"a row without {key!r}, which was selected") from None
        return _check_ids(ids)

    def _decode_row(self, raw: msgspec.Raw) -> dict[str, Any]:
        if self._converter is None:
            self._converter = make_lenient_converter()
        return {
            key: structure_cell(self._converter, value, _DICT_TYPES.get(self._kinds[key], Any), "a dict", key)
            for key, value in _split_row(raw, self._id_key).items()
            if key in self._kinds
        }
