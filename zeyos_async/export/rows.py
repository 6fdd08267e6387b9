"""From a page's bytes to rows that can be written, by the shortest way that keeps every value.

Three ways, from the shortest:

* ``PassThrough``: the bytes of each row as the server sent them. For JSON lines.
* twins: each row in a ``msgspec.Struct`` whose fields are the selected columns in their order.
* tuples: the same columns decoded without types, for a page whose values are not of the kinds that
  the tables promise. Slower, and takes anything.

Numbers keep their digits on all of them: integers have no bound and fractions become ``Decimal``.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import attrs
import msgspec

from ..codec import DecodeFailed, Page, RawReader, RowReader
from ..schema import Entity, Kind, resolve

if TYPE_CHECKING:
    from ..services.base.query import Query

__all__ = ["ByteRows", "Column", "NullSafeRows", "OneLineRows", "StructRows", "query_columns", "to_iso"]

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
    """One column: its key in the row, its path in the API, and what its values are."""

    key: str
    path: str
    kind: Kind


def query_columns(query: Query[Any]) -> tuple[Column, ...]:
    """The columns of a query's rows, in order."""
    plan = query._plan
    if plan.columns is not None:
        return tuple(Column(k, p, resolve(plan.entity, p).kind) for k, p in plan.columns.items())
    own = tuple(Column(field.name, field.name, field.kind) for field in plan.entity)
    return (*own, Column("extdata", "extdata", Kind.JSON)) if plan.extdata else own


def to_iso(value: Any) -> Any:
    """Unix seconds as ISO 8601 in UTC; a number beyond the calendar, and what is no number, stay as they are."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return value
    try:
        return datetime.fromtimestamp(value if isinstance(value, int) else float(value), UTC)
    except (OverflowError, ValueError, OSError):
        return value


class NullSafeRows(list[Any]):
    """A page of twins none of which has ``,null`` within a text."""


class OneLineRows(list[Any]):
    """A page of raw rows each of which is on one line."""


@attrs.frozen
class ByteRows:
    """Rows as the bytes that the server sent."""

    selected: tuple[Column, ...]

    def columns(self, entity: Entity) -> dict[str, str] | None:
        """Key → path of what is selected."""
        return {column.key: column.path for column in self.selected}

    def reader(self, entity: Entity, *, id_key: str | None) -> RowReader[Any]:
        """A reader of the rows' bytes and their IDs."""
        return _LineReader(id_key)

    def value(self, row: Any, path: str) -> Any:
        """A row's value, for the check that the server applied the filter."""
        values = msgspec.json.decode(row)
        return values.get(next(column.key for column in self.selected if column.path == path))


class _LineReader(RawReader):
    """Reads raw rows, and looks once at the whole page for what would break lines."""

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
        iso: Whether times become datetimes.
        flat: Whether a page with anything but plain values in it is given as tuples.
    """

    selected: tuple[Column, ...]
    iso: bool = False
    scalars_only: bool = False

    def columns(self, entity: Entity) -> dict[str, str] | None:
        """Key → path of what is selected."""
        return {column.key: column.path for column in self.selected}

    def reader(self, entity: Entity, *, id_key: str | None) -> RowReader[Any]:
        """A reader of the columns."""
        return _StructReader(self, id_key)

    def value(self, row: Any, path: str) -> Any:
        """A row's value, for the check that the server applied the filter."""
        index = next(i for i, column in enumerate(self.selected) if column.path == path)
        return row[index] if isinstance(row, tuple) else getattr(row, f"c{index}")

    def field_type(self, column: Column) -> Any:
        """What the fast way takes for a column."""
        if column.kind is Kind.TIME and self.iso:
            return datetime | None
        return _SCALAR_TYPES.get(column.kind, _ANY_SCALAR) if self.scalars_only else Any


class _StructReader:
    """Reads pages into twins; a page that they refuse, into tuples."""

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
        twin = msgspec.defstruct("Twin", fields, gc=False, kw_only=True)
        # Not strict only for times: there an integer is to become a datetime.
        self._struct_decoder: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(
            list[twin],  # type: ignore[valid-type]
            strict=not shape.iso,
            float_hook=Decimal,
        )
        self._dict_decoder = msgspec.json.Decoder(list[dict[str, Any]], float_hook=Decimal)

    def page(self, body: bytes) -> Page[Any]:
        """Decode a page."""
        try:
            rows = self._struct_decoder.decode(body)
        except msgspec.ValidationError:
            return self._read_tuples(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DecodeFailed(f"not JSON: {error}") from error
        # Before null in an object there is a colon: this is in a text, or in an array.
        if b",null" not in body:
            rows = NullSafeRows(rows)
        return Page(rows, self._read_ids(rows))

    def _read_ids(self, rows: list[Any]) -> list[int] | None:
        if self._id_key is None:
            return None
        name = _HIDDEN_ID if self._id_index is None else f"c{self._id_index}"
        ids = list(map(operator.attrgetter(name), rows))
        return self._to_ids(ids)

    def _read_tuples(self, body: bytes) -> Page[Any]:
        try:
            rows = self._dict_decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DecodeFailed(f"not a list of rows: {error}") from error
        ids = None if self._id_key is None else self._to_ids([row.get(self._id_key) for row in rows])
        return Page([tuple(map(row.get, self._keys)) for row in rows], ids)

    def _to_ids(self, ids: list[Any]) -> list[int]:
        try:
            return [int(value) for value in ids]
        except (TypeError, ValueError):
            raise DecodeFailed(f"a row without a usable {self._id_key!r}, which was selected") from None
