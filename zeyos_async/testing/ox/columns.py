"""Columns by number, and the three kinds of time: from stored rows to what is answered, and back."""

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
    """By how much the times of a request are off UTC: by the zone it names, or by the user's.

    Attributes:
        zone: That zone.
    """

    zone: ZoneInfo

    @classmethod
    def from_zone_name(cls, name: str) -> TimeShift:
        """The shift of a zone's name.

        Raises:
            OxError: There is no such zone.
        """
        try:
            return cls(ZoneInfo(name))
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise bad_value("timezone", name, "there is no such time zone") from error

    def offset(self, stamp: int) -> int:
        """Milliseconds between the zone and UTC at an instant; far from our time, none."""
        if abs(stamp) > _MAX_STAMP:
            return 0
        there = datetime.fromtimestamp(stamp / 1000, UTC).astimezone(self.zone).utcoffset()
        return int(there.total_seconds() * 1000) if there is not None else 0

    def to_wire(self, stamp: int) -> int:
        """An instant as a Time of the wire."""
        return stamp + self.offset(stamp)

    def from_wire(self, time: int) -> int:
        """A Time of the wire as an instant."""
        return time - self.offset(time - self.offset(time))


@attrs.frozen
class RowColumn:
    """One column.

    Attributes:
        id: Its number; ``None`` where it is but a field.
        name: Its name.
        type: ``String Number Boolean Array Object Time Date Timestamp`` …
    """

    id: int | None
    name: str
    type: str


class RowModel:
    """The columns of one kind of row.

    Args:
        names: The document's models, the later ones before the earlier where ids clash.
        types: Columns whose type is not as in the document, or only one of two.
    """

    def __init__(self, *names: str, types: Mapping[str, str] | None = None) -> None:
        kinds = types or {}
        rows = [row for name in names for row in COLUMNS[name]]
        self.columns = [RowColumn(number, name, kinds.get(name, kind)) for number, name, kind in rows]
        self._has_utc = any(column.name == "last_modified_utc" for column in self.columns)
        self.columns.append(RowColumn(6, "last_modified_utc", "Timestamp"))
        self.by_id = {column.id: column for column in self.columns if column.id is not None}
        self.by_name = {column.name: column for column in self.columns}

    def parse_columns(self, text: str) -> list[RowColumn]:
        """The columns that ``columns=1,20,500`` asks for.

        Raises:
            OxError: One of them is no number, or no column of this model.
        """
        return [self.find_column(part.strip()) for part in text.split(",")]

    def find_column(self, text: str) -> RowColumn:
        """One column by its number: names are for searches.

        Raises:
            OxError: There is no such column.
        """
        found = self.by_id.get(int(text)) if text.isascii() and text.isdigit() else None
        if found is None:
            raise bad_value("columns", text, "there is no such column here")
        return found

    def cell_value(self, column: RowColumn, row: Row, shift: TimeShift) -> Any:
        """What is answered for a column of a row; ``None`` where it is absent."""
        if column.name == "last_modified_utc":
            return row.get("last_modified")
        stored = row.get(column.name)
        if isinstance(stored, int) and not isinstance(stored, bool) and self._is_time(column, row):
            return shift.to_wire(stored)
        return stored

    def to_cells(self, columns: Iterable[RowColumn], row: Row, shift: TimeShift) -> list[Any]:
        """A row as an array."""
        return [self.cell_value(column, row, shift) for column in columns]

    def to_object(self, row: Row, shift: TimeShift) -> dict[str, Any]:
        """A row as an object: absent fields are missing; what begins with ``_`` stays inside.

        The time stamp is only there where the document has it in objects; as a column it always is.
        """
        made = {name: value for name, value in row.items() if value is not None and name[:1] != "_"}
        for name in made:
            if (column := self.by_name.get(name)) is not None:
                made[name] = self.cell_value(column, row, shift)
        if self._has_utc and "last_modified" in row:
            made["last_modified_utc"] = row["last_modified"]
        return made

    def read_values(self, body: Mapping[str, Any], shift: TimeShift, row: Row | None = None) -> Row:
        """What a body sets, as it is stored: instants in UTC, ``None`` for what is deleted.

        Raises:
            OxError: A value has the wrong type.
        """
        whole = {**(row or {}), **body}
        return {name: self._to_stored(name, value, whole, shift) for name, value in body.items()}

    def _to_stored(self, name: str, value: Any, whole: Row, shift: TimeShift) -> Any:
        column = self.by_name.get(name)
        if column is None or value is None:
            return value
        if column.type == "String" and value == "":
            return None
        if _TYPE_CHECKS.get(column.type, _is_anything)(value):
            return shift.from_wire(int(value)) if self._is_time(column, whole) else value
        raise bad_value(name, value, f"it is a {column.type}")

    def _is_time(self, column: RowColumn, row: Row) -> bool:
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
