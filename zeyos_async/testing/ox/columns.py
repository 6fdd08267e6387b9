"""Columns by number, and the three kinds of time: from stored rows to answers, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from ._generated.columns import COLUMNS
from .refusals import bad_value
from .state import Row

__all__ = ["RowColumn", "RowModel", "TimeShift"]

_DAY: Final = 86_400_000
_MAX_STAMP: Final = 4 * 10**13


@attrs.frozen
class TimeShift:
    """The difference between UTC and the times of a request: by the zone it names, or by the user's.

    Attributes:
        zone: That zone.
    """

    zone: ZoneInfo

    @classmethod
    def from_zone_name(cls, name: str) -> TimeShift:
        """Build the shift of a time zone.

        Raises:
            OxError: There is no such zone.
        """
        try:
            return cls(ZoneInfo(name))
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise bad_value("timezone", name, "there is no such time zone") from error

    def offset(self, stamp: int) -> int:
        """Return the milliseconds between the zone and UTC at an instant; far from our time, 0."""
        # ``datetime`` ends at the year 9999; such stamps mean "for ever" and have no zone.
        if abs(stamp) > _MAX_STAMP:
            return 0
        difference = datetime.fromtimestamp(stamp / 1000, UTC).astimezone(self.zone).utcoffset()
        return int(difference.total_seconds() * 1000) if difference is not None else 0

    def to_wire(self, stamp: int) -> int:
        """Return an instant as a Time of the wire."""
        return stamp + self.offset(stamp)

    def from_wire(self, time: int) -> int:
        """Return the instant of a Time of the wire."""
        # The offset is one of the instant, which is not known yet: the first guess may be off around a change
        # of clocks.
        return time - self.offset(time - self.offset(time))


@attrs.frozen
class RowColumn:
    """A column of a kind of row.

    Attributes:
        id: Its number; ``None`` where it is but a field.
        name: Its name.
        type: ``String Number Boolean Array Object Time Date Timestamp`` …
    """

    id: int | None
    name: str
    type: str


class RowModel:
    """The columns of a kind of row.

    Args:
        names: The document's models, the later ones before the earlier where ids clash.
        types: Columns whose type is not as in the document, or only one of two.
    """

    def __init__(self, *names: str, types: Mapping[str, str] | None = None) -> None:
        overrides = types or {}
        rows = [row for name in names for row in COLUMNS[name]]
        self.columns = [RowColumn(number, name, overrides.get(name, kind)) for number, name, kind in rows]
        self._has_utc = any(column.name == "last_modified_utc" for column in self.columns)
        # Every list has column 6, also those whose document forgets it.
        self.columns.append(RowColumn(6, "last_modified_utc", "Timestamp"))
        # A dict keeps the last of two: models that come later win where numbers clash.
        self.by_id = {column.id: column for column in self.columns if column.id is not None}
        self.by_name = {column.name: column for column in self.columns}

    def parse_columns(self, text: str) -> list[RowColumn]:
        """Return the columns that ``columns=1,20,500`` names.

        Raises:
            OxError: One of them is no number, or no column of this model.
        """
        return [self.find_column(part.strip()) for part in text.split(",")]

    def find_column(self, text: str) -> RowColumn:
        """Return a column by its number: names are for searches.

        Raises:
            OxError: There is no such column.
        """
        column = self.by_id.get(int(text)) if text.isascii() and text.isdigit() else None
        if column is None:
            raise bad_value("columns", text, "there is no such column here")
        return column

    def cell_value(self, column: RowColumn, row: Row, shift: TimeShift) -> Any:
        """Return what is answered for a column of a row; ``None`` where it is absent."""
        if column.name == "last_modified_utc":
            return row.get("last_modified")
        stored = row.get(column.name)
        # ``True`` is an ``int`` in Python, and no time.
        if isinstance(stored, int) and not isinstance(stored, bool) and self._is_time(column, row):
            return shift.to_wire(stored)
        return stored

    def to_cells(self, columns: Iterable[RowColumn], row: Row, shift: TimeShift) -> list[Any]:
        """Return a row as an array."""
        return [self.cell_value(column, row, shift) for column in columns]

    def to_object(self, row: Row, shift: TimeShift) -> dict[str, Any]:
        """Return a row as an object: without absent fields, and without those that begin with ``_``.

        The time stamp is only there where the document has it in objects; as a column it always is.
        """
        values = {name: value for name, value in row.items() if value is not None and name[:1] != "_"}
        for name in values:
            if (column := self.by_name.get(name)) is not None:
                values[name] = self.cell_value(column, row, shift)
        if self._has_utc and "last_modified" in row:
            values["last_modified_utc"] = row["last_modified"]
        return values

    def read_values(self, body: Mapping[str, Any], shift: TimeShift, row: Row | None = None) -> Row:
        """Return what a body sets, as it is stored: instants in UTC, ``None`` for what is deleted.

        Raises:
            OxError: A value has the wrong type.
        """
        # Whether a value is a time depends on ``full_time``, which may be in the row and not in the body.
        merged = {**(row or {}), **body}
        return {name: self._to_stored(name, value, merged, shift) for name, value in body.items()}

    def _to_stored(self, name: str, value: Any, merged: Row, shift: TimeShift) -> Any:
        column = self.by_name.get(name)
        if column is None or value is None:
            return value
        # The server stores no empty texts: a client that sets one reads it as absent.
        if column.type == "String" and value == "":
            return None
        if _TYPE_CHECKS.get(column.type, _is_anything)(value):
            return shift.from_wire(int(value)) if self._is_time(column, merged) else value
        raise bad_value(name, value, f"it is a {column.type}")

    def _is_time(self, column: RowColumn, row: Row) -> bool:
        # Whole days are dates and have no zone; only ``full_time`` tells which of the two it is.
        if column.type == "Date or Time":
            return not row.get("full_time")
        return column.type == "Time"


def _is_anything(value: Any) -> bool:
    return True


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_date(value: Any) -> bool:
    return _is_number(value) and value % _DAY == 0


_TYPE_CHECKS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "Time": _is_number,
    "Date or Time": _is_number,
    "Timestamp": _is_number,
    "Date": _is_date,
    "Boolean": lambda value: isinstance(value, bool),
    "Array": lambda value: isinstance(value, list),
}
