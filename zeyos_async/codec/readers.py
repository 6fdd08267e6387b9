"""From the bytes of a page to values: records, a user's own classes, or dicts.

The fast way: each class gets a hidden ``msgspec.Struct`` twin with the wire's names. One decoder
reads a page into twins in C, and the class's own ``__init__`` is called with each twin's values;
that costs less than decoding the same page to dicts.

The careful way: a row that the twin refuses (an unknown field, a time stamp beyond the calendar, a
number that came as text) is decoded alone by cattrs hooks, which keep what can be kept. Only such
rows take it, so that one odd row does not slow a page.
"""

from __future__ import annotations

import gc
import operator
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import starmap
from typing import Any, Final, Generic, TypedDict, TypeVar, cast

import attrs
import msgspec

from ..errors import ConfigurationError
from ..schema import Kind
from .lenient import DecodeFailed, is_int_enum, make_converter, structured, to_int

if typing.TYPE_CHECKING:
    import cattrs

__all__ = ["DictReader", "Page", "RawReader", "RowReader", "TypedReader", "split_rows"]

R = TypeVar("R")

_HIDDEN: Final = "_hidden_id"


@attrs.frozen
class Page(Generic[R]):
    """The rows of one page, in order, and their IDs where they were selected."""

    rows: list[R]
    ids: list[int] | None


class RowReader(typing.Protocol[R]):
    """Reads the bytes of a JSON array of rows."""

    def page(self, body: bytes) -> Page[R]:
        """Decode a page.

        Raises:
            DecodeFailed: The body is not a JSON array of objects of this kind.
        """
        ...


@contextmanager
def _gc_paused() -> Iterator[None]:
    """No collection while a page is decoded: ten thousand new objects would start dozens of them."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def split_rows(body: bytes, size: int) -> Iterator[bytes]:
    """A page cut into pages of at most ``size`` rows, without decoding the rows."""
    rows = _raw_rows(body)
    for start in range(0, len(rows), size):
        yield b"[" + b",".join(rows[start : start + size]) + b"]"


_REFUSED: Final = (msgspec.ValidationError, ValueError)
"""What a decoder raises for a value that does not fit; a year beyond 9999 is a bare ``ValueError``."""


def _json(raw: bytes | msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, ValueError) as error:
        raise DecodeFailed(f"not JSON: {error}") from error


_RAW: Final = msgspec.json.Decoder(list[msgspec.Raw])


def _raw_rows(body: bytes) -> list[msgspec.Raw]:
    try:
        return _RAW.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise DecodeFailed(f"not a JSON list of rows: {error}") from error


class RawReader:
    """Reads nothing of a page but its IDs; the rows stay bytes.

    Args:
        id_key: The key of the ID in each row, or ``None`` where it is not selected.
    """

    def __init__(self, id_key: str | None = "ID") -> None:
        self._ids: msgspec.json.Decoder[list[Any]] | None = None
        if id_key is not None:
            twin = msgspec.defstruct("RowID", [(_HIDDEN, int, msgspec.field(name=id_key))], gc=False)
            self._ids = msgspec.json.Decoder(list[twin], strict=False)  # type: ignore[valid-type]

    def page(self, body: bytes) -> Page[msgspec.Raw]:
        """The rows as raw JSON, and their IDs."""
        rows = _raw_rows(body)
        if self._ids is None:
            return Page(rows, None)
        try:
            return Page(rows, list(map(operator.attrgetter(_HIDDEN), self._ids.decode(body))))
        except msgspec.ValidationError as error:
            raise DecodeFailed(f"a row without a usable ID: {error}") from error


class TypedReader(Generic[R]):
    """Reads rows into an attrs class.

    Args:
        cls: The class to fill.
        keys: Attribute → key on the wire, for the attributes that are selected.
        id_key: The key of the ID, if it is selected for paging.
        pause_gc: Whether the garbage collector rests while a page is decoded.
    """

    def __init__(
        self, cls: type[R], keys: Mapping[str, str], *, id_key: str | None = None, pause_gc: bool = True
    ) -> None:
        self.cls = cls
        self._keys = dict(keys)
        self._hints = _hints(cls)
        self._id_attr = next((a for a, k in keys.items() if k == id_key), None)
        self._hidden = id_key if id_key is not None and self._id_attr is None else None
        self._build = _builder(cls, list(keys), hidden=self._hidden is not None)
        self._pause = pause_gc
        twin = self._twin()
        self._page: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[twin], strict=False)  # type: ignore[valid-type]
        self._one: msgspec.json.Decoder[Any] = msgspec.json.Decoder(twin, strict=False)
        self._careful: Callable[[Mapping[str, Any]], R] | None = None

    def page(self, body: bytes) -> Page[R]:
        """Decode a page; rows that the fast way refuses take the careful one."""
        if not self._pause:
            return self._decode(body)
        with _gc_paused():
            return self._decode(body)

    def one(self, body: bytes) -> R:
        """Decode a single row.

        Raises:
            DecodeFailed: The body is not a JSON object of this kind.
        """
        return self._row(body)

    def _decode(self, body: bytes) -> Page[R]:
        try:
            twins = self._page.decode(body)
        except _REFUSED:
            return self._by_row(body)
        except msgspec.DecodeError as error:
            raise DecodeFailed(f"not JSON: {error}") from error
        return Page(self._build(twins), self._ids(twins))

    def _ids(self, twins: Sequence[Any]) -> list[int] | None:
        name = _HIDDEN if self._hidden else self._id_attr
        return None if name is None else list(map(operator.attrgetter(name), twins))

    def _by_row(self, body: bytes) -> Page[R]:
        rows: list[R] = []
        ids: list[int] = []
        for raw in _raw_rows(body):
            rows.append(self._row(raw))
            if self._hidden:
                ids.append(to_int(msgspec.json.decode(raw)[self._hidden]))
        if self._id_attr is not None:
            ids = list(map(operator.attrgetter(self._id_attr), rows))
        return Page(rows, ids if self._hidden or self._id_attr else None)

    def _row(self, raw: bytes | msgspec.Raw) -> R:
        try:
            return self._build([self._one.decode(raw)])[0]
        except _REFUSED:
            pass  # the careful way follows
        except msgspec.DecodeError as error:
            raise DecodeFailed(f"not JSON: {error}") from error
        values = _json(raw)
        if not isinstance(values, dict):
            raise DecodeFailed(f"{type(values).__name__} instead of an object with fields")
        if self._careful is None:
            self._careful = _careful(self.cls, self._keys, self._hints, self._hidden)
        return self._careful(values)

    def _twin(self) -> Any:
        fields: list[Any] = [
            (attr, _twin_type(self._hints[attr]), msgspec.field(name=key, default=None))
            for attr, key in self._keys.items()
        ]
        if self._hidden:
            fields.append((_HIDDEN, int, msgspec.field(name=self._hidden)))
        try:
            return msgspec.defstruct(
                f"{self.cls.__name__}Row", fields, gc=False, forbid_unknown_fields=True, kw_only=True
            )
        except TypeError as error:
            raise ConfigurationError(f"{self.cls.__name__} can't be filled from rows: {error}") from error


def _hints(cls: type) -> dict[str, Any]:
    """Attribute → type, with the forward references of the class's own module resolved."""
    if not attrs.has(cls):
        raise ConfigurationError(f"{cls.__name__} is not an attrs class; decorate it with attrs.define")
    attrs.resolve_types(cls)
    return {a.name: a.type if a.type is not None else Any for a in attrs.fields(cls)}


def _twin_type(hint: Any) -> Any:
    """The hint, with what msgspec can't decode itself left as it is on the wire."""
    union = isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union
    members = typing.get_args(hint) if union else (hint,)
    if not all(member in _PLAIN or is_int_enum(member) for member in members):
        return Any
    return hint if type(None) in members else hint | None


_PLAIN: Final = (int, float, str, bool, datetime, type(None), dict[str, Any], list[str], list[Any])
"""What a twin decodes by itself, besides enums."""


def _needs_converting(hint: Any) -> bool:
    return hint is not Any and _twin_type(hint) is Any


def _builder(cls: type[R], attributes: list[str], *, hidden: bool) -> Callable[[list[Any]], list[R]]:
    """A function from twins to instances; the usual case is two C-level maps."""
    fields = attrs.fields_dict(cast(Any, cls))
    names = [f.name for f in fields.values() if f.init]
    hints = _hints(cls)
    convert = {a: hints[a] for a in attributes if _needs_converting(hints[a]) and fields[a].converter is None}
    if names[: len(attributes)] == attributes and not any(fields[a].kw_only for a in attributes):
        values = _values(attributes) if hidden else msgspec.structs.astuple
        make: Callable[[list[Any]], list[R]] = lambda twins: list(starmap(cls, map(values, twins)))  # noqa: E731
    else:
        init = [(fields[a].alias or a, operator.attrgetter(a)) for a in attributes]
        make = lambda twins: [cls(**{alias: get(twin) for alias, get in init}) for twin in twins]  # noqa: E731
    return _converting(make, convert) if convert else make


def _values(attributes: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """A twin's values for these attributes, as a tuple even of one."""
    get = operator.attrgetter(*attributes)
    return get if len(attributes) > 1 else lambda twin: (get(twin),)


def _converting(
    make: Callable[[list[Any]], list[R]], hints: Mapping[str, Any]
) -> Callable[[list[Any]], list[R]]:
    """The same, after the columns that msgspec can't decode by itself; one without a value costs next to nothing."""
    converter = make_converter()

    def build(twins: list[Any]) -> list[R]:
        for name, hint in hints.items():
            column = list(map(operator.attrgetter(name), twins))
            if column.count(None) < len(column):
                for twin, value in zip(twins, column, strict=True):
                    if value is not None:
                        setattr(twin, name, converter.structure(value, hint))
        return make(twins)

    return build


def _careful(
    cls: type[R], keys: Mapping[str, str], hints: Mapping[str, Any], hidden: str | None
) -> Callable[[Mapping[str, Any]], R]:
    """The slow, forgiving way from a decoded row to an instance."""
    converter = make_converter()
    by_key = {key: attr for attr, key in keys.items()}
    fields = attrs.fields_dict(cast(Any, cls))
    keeps_extra = "extra" in fields

    def structure(row: Mapping[str, Any]) -> R:
        values: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        for key, value in row.items():
            attr = by_key.get(key)
            if attr is None:
                if key != hidden:
                    extra[key] = value
                continue
            values[fields[attr].alias or attr] = structured(converter, value, hints[attr], cls, key)
        for attr in keys:
            values.setdefault(fields[attr].alias or attr, None)
        if extra and keeps_extra:
            values["extra"] = extra
        return cls(**values)

    return structure


_DICT_TYPES: Final[Mapping[Kind, Any]] = {
    Kind.INTEGER: int | None,
    Kind.NUMBER: float | None,
    Kind.TEXT: str | None,
    Kind.BOOLEAN: bool | None,
    Kind.TIME: datetime | None,
    Kind.CLOCK: int | None,
    Kind.DATE: str | None,
}


class DictReader:
    """Reads rows into dicts with typed values: times are datetimes, codes are whole numbers.

    Args:
        kinds: Key on the wire → kind of its values.
        id_key: The key of the ID, if it is selected for paging.
        hide_id: Whether that key is there for paging only, and is taken out of the rows.
        pause_gc: Whether the garbage collector rests while a page is decoded.
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
        self._hide = hide_id
        self._pause = pause_gc
        types_ = {key: _DICT_TYPES.get(kind, Any) for key, kind in kinds.items()}
        if id_key is not None:
            types_[id_key] = int
        row = TypedDict("row", types_, total=False)  # type: ignore[misc]
        self._page: msgspec.json.Decoder[Any] = msgspec.json.Decoder(list[row], strict=False)
        self._converter: cattrs.Converter | None = None

    def page(self, body: bytes) -> Page[dict[str, Any]]:
        """Decode a page; if a value refuses its type, the page is read with the careful hooks."""
        if not self._pause:
            return self._decode(body)
        with _gc_paused():
            return self._decode(body)

    def _decode(self, body: bytes) -> Page[dict[str, Any]]:
        try:
            rows: list[dict[str, Any]] = self._page.decode(body)
        except _REFUSED:
            rows = [self._row(raw) for raw in _raw_rows(body)]
        except msgspec.DecodeError as error:
            raise DecodeFailed(f"not JSON: {error}") from error
        return Page(rows, self._ids(rows))

    def _ids(self, rows: list[dict[str, Any]]) -> list[int] | None:
        if self._id_key is None:
            return None
        key = self._id_key
        try:
            return [row.pop(key) for row in rows] if self._hide else [row[key] for row in rows]
        except KeyError:
            raise DecodeFailed(f"a row without {key!r}, which was selected") from None

    def _row(self, raw: msgspec.Raw) -> dict[str, Any]:
        values = _json(raw)
        if not isinstance(values, dict):
            raise DecodeFailed(f"{type(values).__name__} instead of an object with fields")
        if self._converter is None:
            self._converter = make_converter()
        return {
            key: structured(self._converter, value, _DICT_TYPES.get(self._kinds[key], Any), dict, key)
            for key, value in values.items()
            if key in self._kinds
        }
