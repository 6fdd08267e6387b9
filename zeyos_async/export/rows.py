"""Row types for exports: a page's bytes to rows that an encoder can write, without changing a value.

The problem: records would be decoded, converted and encoded again only to end in a file, and would lose the
digits of numbers and the keys that they don't know on the way.

The idea: decode as little as the target needs. There are three forms of a row, the cheapest first:

* ``ByteRows``: the bytes of each row as the server sent them, for JSON lines.
* ``StructRows``: each row as a ``msgspec.Struct`` made for this export, whose fields ``c0``, ``c1``, … are
  the selected columns in their order. msgspec decodes a page of them in C. For CSV, and for JSON lines with
  other times.
* tuples of the same columns, decoded without types. A page whose values are not of the kinds that the tables
  promise makes the struct decoder fail; that page alone is decoded again as dicts, and becomes tuples. This
  is slower and takes anything.

Numbers keep their digits in all forms: integers have no bound, and fractions become ``Decimal``.

Times stay as they are on the wire here: a decoder that makes datetimes of numbers is a lax one, which also makes
nothing of the text "null", and a number of "7". The encoders convert the columns of times by ``to_iso``.

A mark travels with a page of bytes, as a subclass of ``list``, so that an encoder need not look again:
``OneLineRows`` (no line breaks within rows).

Paging by ID needs the ID of each row. If it was not selected, the struct has it as a last, hidden field,
which the encoder cuts off.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import attrs
import msgspec

from ..codec import DecodeFailed, Page, RawReader, RowReader, find_unreadable
from ..codec.lenient import to_int
from ..json_text import decode_json
from ..schema import Entity, Kind, resolve

if TYPE_CHECKING:
    from ..services.base.query import Query

__all__ = ["ByteRows", "Column", "OneLineRows", "StructRows", "iso_columns", "query_columns", "to_iso"]

_HIDDEN_ID: Final = "hidden_id"
_ANY_SCALAR: Final = str | int | bool | None
_SCALAR_TYPES: Final[Mapping[Kind, Any]] = {
    Kind.INTEGER: int | None,
    Kind.NUMBER: Decimal | int | None,
    Kind.TIME: int | None,
    Kind.BOOLEAN: bool | int | None,
}


@attrs.frozen
class Column:
    """One column: its key in the row, its path in the API, and the kind of its values."""

    key: str
    path: str
    kind: Kind


def query_columns(query: Query[Any]) -> tuple[Column, ...]:
    """Return the columns of a query's rows, in order."""
    plan = query._plan
    if plan.columns is not None:
        return tuple(Column(k, p, resolve(plan.entity, p).kind) for k, p in plan.columns.items())
    own = tuple(Column(field.name, field.name, field.kind) for field in plan.entity)
    return (*own, Column("extdata", "extdata", Kind.JSON)) if plan.extdata else own


def to_iso(value: Any) -> Any:
    """Return Unix seconds as a datetime in UTC, which encoders write as ISO 8601.

    A number beyond the calendar, and a value that is no number, is returned as it is.
    """
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return value
    try:
        return datetime.fromtimestamp(value if isinstance(value, int) else float(value), UTC)
    except (OverflowError, ValueError, OSError):
        return value


def iso_columns(rows: list[tuple[Any, ...]], times: list[int]) -> list[tuple[Any, ...]]:
    """Return the rows with the columns of these indexes as datetimes."""
    if not times or not rows:
        return rows
    columns: list[Any] = list(zip(*rows, strict=True))
    for index in times:
        columns[index] = list(map(to_iso, columns[index]))
    return list(zip(*columns, strict=True))


class OneLineRows(list[Any]):
    """A page of raw rows without line breaks."""


@attrs.frozen
class ByteRows:
    """Rows as the bytes that the server sent."""

    selected: tuple[Column, ...]

    def columns(self, entity: Entity) -> dict[str, str] | None:
        """Return the selected columns: key → path."""
        return {column.key: column.path for column in self.selected}

    def reader(self, entity: Entity, *, id_key: str | None) -> RowReader[Any]:
        """Return a reader of the rows' bytes and their IDs."""
        return _LineReader(id_key)

    def value(self, row: Any, path: str) -> Any:
        """Return one value of a row, for the check that the server applied the filter."""
        values = decode_json(row)
        return values.get(next(column.key for column in self.selected if column.path == path))


class _LineReader(RawReader):
    """A reader of raw rows that checks the whole page once for line breaks."""

    def page(self, body: bytes) -> Page[msgspec.Raw]:
        page = super().page(body)
        if b"\n" in body or b"\r" in body:
            return page
        return Page(OneLineRows(page.rows), page.ids)


@attrs.frozen
class StructRows:
    """Rows as structs with the columns in order, or as tuples of them.

    Attributes:
        selected: The columns.
        scalars_only: Whether a page with objects or lists in it becomes tuples.
    """

    selected: tuple[Column, ...]
    scalars_only: bool = False

    def columns(self, entity: Entity) -> dict[str, str] | None:
        """Return the selected columns: key → path."""
        return {column.key: column.path for column in self.selected}

    def reader(self, entity: Entity, *, id_key: str | None) -> RowReader[Any]:
        """Return a reader of the columns."""
        return _StructReader(self, id_key)

    def value(self, row: Any, path: str) -> Any:
        """Return one value of a row, for the check that the server applied the filter."""
        index = next(i for i, column in enumerate(self.selected) if column.path == path)
        return row[index] if isinstance(row, tuple) else getattr(row, f"c{index}")

    def field_type(self, column: Column) -> Any:
        """Return the type that the struct decoder expects in a column."""
        return _SCALAR_TYPES.get(column.kind, _ANY_SCALAR) if self.scalars_only else Any


class _StructReader:
    """A reader of pages as structs, or as tuples if the struct decoder refuses a page."""

    def __init__(self, shape: StructRows, id_key: str | None) -> None:
        self._row_type = shape
        self._keys = [column.key for column in shape.selected]
        self._id_key = id_key
        self._id_index = self._keys.index(id_key) if id_key in self._keys else None
        fields: list[Any] = [
            (f"c{index}", shape.field_type(column), msgspec.field(name=column.key, default=None))
            for index, column in enumerate(shape.selected)
        ]
        if id_key is not None and self._id_index is None:
            fields.append((_HIDDEN_ID, int, msgspec.field(name=id_key)))
        # gc=False: rows refer to no other row, and the collector need not walk through millions of them.
        struct = msgspec.defstruct("ExportRow", fields, gc=False, kw_only=True)
        self._struct_decoder: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(
            list[struct],  # type: ignore[valid-type]
            float_hook=Decimal,
        )
        self._dict_decoder = msgspec.json.Decoder(list[dict[str, Any]], float_hook=Decimal)

    def page(self, body: bytes) -> Page[Any]:
        """Decode a page."""
        try:
            rows = self._struct_decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):  # half a character is one, too
            return self._read_tuples(body)
        return Page(rows, self._read_ids(rows))

    def _read_ids(self, rows: list[Any]) -> list[int] | None:
        if self._id_key is None:
            return None
        name = _HIDDEN_ID if self._id_index is None else f"c{self._id_index}"
        ids = list(map(operator.attrgetter(name), rows))
        return self._to_ids(ids)

    def _read_tuples(self, body: bytes) -> Page[Any]:
        try:
            rows = decode_json(body, self._dict_decoder)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DecodeFailed(f"not a list of rows: {error}{find_unreadable(body)}") from error
        ids = None if self._id_key is None else self._to_ids([row.get(self._id_key) for row in rows])
        return Page([tuple(map(row.get, self._keys)) for row in rows], ids)

    def _to_ids(self, ids: list[Any]) -> list[int]:
        try:
            return list(map(to_int, ids))
        except (TypeError, ValueError):
            raise DecodeFailed(f"a row without a usable {self._id_key!r}, which was selected") from None
