"""Date-times of the calendar: ``{"value": …, "tzid": …}``, and identifiers of recurrences."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import attrs

__all__ = ["EventTime", "parse_event_time", "parse_instant", "parse_recurrence_id"]

_DAY: Final = re.compile(r"\d{8}")
_LOCAL: Final = re.compile(r"\d{8}T\d{6}")


@attrs.frozen
class EventTime:
    """A day, a floating time, or a time in a zone.

    Attributes:
        local: The wall clock; midnight for a day.
        tzid: The zone's name, ``""`` for a day or a floating time.
        all_day: Whether it is a day.
    """

    local: datetime
    tzid: str = ""
    all_day: bool = False

    def to_instant(self, default: str = "UTC") -> datetime:
        """Return the moment in UTC; days begin at 00:00 UTC, floating times are in ``default``."""
        if self.all_day:
            return self.local.replace(tzinfo=UTC)
        return self.local.replace(tzinfo=ZoneInfo(self.tzid or default)).astimezone(UTC)

    def plus(self, delta: timedelta) -> EventTime:
        """Return a time that is later by the wall clock, whatever the zone's offset does meanwhile."""
        return attrs.evolve(self, local=self.local + delta)

    def to_wire(self) -> dict[str, str]:
        """Return the time as an event has it."""
        if self.all_day:
            return {"value": f"{self.local:%Y%m%d}"}
        value = f"{self.local:%Y%m%dT%H%M%S}"
        return {"value": value, "tzid": self.tzid} if self.tzid else {"value": value}

    def to_recurrence_id(self) -> str:
        """Return the identifier of a recurrence at this time: ``Europe/Berlin:20170708T220000``."""
        if self.all_day:
            return f"{self.local:%Y%m%d}"
        value = f"{self.local:%Y%m%dT%H%M%S}"
        if self.tzid in ("UTC", ""):
            return f"{value}Z" if self.tzid else value
        return f"{self.tzid}:{value}"


def _parse_text(value: str, tzid: str) -> EventTime:
    if _DAY.fullmatch(value):
        return EventTime(datetime.strptime(value, "%Y%m%d"), all_day=True)  # noqa: DTZ007
    if value.endswith("Z"):
        value, tzid = value[:-1], "UTC"
    if not _LOCAL.fullmatch(value):
        raise ValueError(f"{value!r} is neither a date such as 20170708 nor a time such as 20170708T220000")
    if tzid:
        # Raises here for an unknown zone; later it would be an error of the server.
        ZoneInfo(tzid)
    return EventTime(datetime.strptime(value, "%Y%m%dT%H%M%S"), tzid)  # noqa: DTZ007


def parse_event_time(data: Any) -> EventTime:
    """Read a date-time object.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(data, Mapping) or not isinstance(value := data.get("value"), str):
        raise ValueError(f'{data!r} is not a date-time such as {{"value": "20170708T220000"}}')
    try:
        return _parse_text(value, str(data.get("tzid") or ""))
    except (KeyError, OSError) as error:
        raise ValueError(f"{data.get('tzid')!r} is no time zone") from error


def parse_instant(value: str) -> datetime:
    """Read ``20170708T220000Z``, as the bounds of a range are written.

    Raises:
        ValueError: It is something else.
    """
    if not value.endswith("Z"):
        raise ValueError(f"{value!r} is not a time in UTC such as 20170708T220000Z")
    return _parse_text(value, "").to_instant()


def parse_recurrence_id(value: str) -> EventTime:
    """Read any of the four forms that a recurrence's identifier may have.

    Raises:
        ValueError: It has none of them.
    """
    zone, _, local = value.rpartition(":")
    return parse_event_time({"value": local, "tzid": zone})
