"""What the emulated server holds: users, and rows in tables that all its modules share."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import attrs

from ..server import Clock

__all__ = ["Tombstone", "OxUser", "Row", "ServerState", "RowTable"]

Row = dict[str, Any]
_T = TypeVar("_T")
_CONTEXT: Final = 1
_FIRST_ID: Final = 1000
_FIRST_STAMP: Final = 1_586_131_200_000
_SHARED_STAMP_EVERY: Final = 4


@attrs.define(kw_only=True)
class OxUser:
    """Somebody who may log in.

    Attributes:
        name: For logging in.
        password: The same.
        id: The user's number.
        first_name: As in the address book.
        last_name: The same.
        email: The same.
        zone: The time zone that all times are shifted by, unless a request names another.
        locale: Such as ``"de_DE"``.
        second_factor: The code that has to be given after the password; ``""`` is none.
    """

    name: str
    password: str = attrs.field(repr=False)
    id: int = 3
    first_name: str = "Jane"
    last_name: str = "Doe"
    email: str = ""
    zone: str = "Europe/Berlin"
    locale: str = "de_DE"
    second_factor: str = attrs.field(default="", repr=False)

    def __attrs_post_init__(self) -> None:
        self.email = self.email or f"{self.name.partition('@')[0]}@example.com"
        ZoneInfo(self.zone)

    @property
    def context(self) -> int:
        """The number of the context."""
        return _CONTEXT

    @property
    def display_name(self) -> str:
        """As in the address book."""
        return f"{self.last_name}, {self.first_name}"


@attrs.frozen
class Tombstone:
    """A row that was deleted.

    Attributes:
        id: Its id.
        folder: The folder it was in.
        stamp: When, as a time stamp.
    """

    id: str
    folder: str
    stamp: int


class RowTable:
    """Rows of one kind by id, in the order of their creation; times are UTC milliseconds.

    Attributes:
        rows: Id → row; ``id`` and ``folder_id`` are strings.
        gone: What was deleted.
        gone_rows: The same as it last was, by id.
    """

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self.rows: dict[str, Row] = {}
        self.tombstones: list[Tombstone] = []
        self.deleted_rows: dict[str, Row] = {}

    def __iter__(self) -> Iterator[Row]:
        return iter(list(self.rows.values()))

    def insert(self, values: Mapping[str, Any], *, by: int, key: str | None = None) -> Row:
        """Store a row under a new id (or ``key``); stamps and authors are set."""
        stamp = self._state.next_stamp()
        row: Row = {"created_by": by, "modified_by": by, "creation_date": stamp, **values}
        row |= {"id": key or str(self._state.next_id()), "last_modified": stamp}
        self.rows[row["id"]] = row
        return row

    def change(self, row: Row, values: Mapping[str, Any], *, by: int) -> Row:
        """Set some fields; ``None`` removes a field."""
        if (moved := values.get("folder_id")) is not None and moved != row.get("folder_id"):
            self.tombstones.append(
                Tombstone(row["id"], str(row.get("folder_id", "")), self._state.next_stamp())
            )
        for name, value in values.items():
            if value is None:
                row.pop(name, None)
            else:
                row[name] = value
        row |= {"modified_by": by, "last_modified": self._state.next_stamp()}
        return row

    def remove(self, row: Row) -> None:
        """Delete a row; ``gone`` remembers it."""
        self.deleted_rows[row["id"]] = self.rows.pop(row["id"])
        self.tombstones.append(Tombstone(row["id"], str(row.get("folder_id", "")), self._state.next_stamp()))

    def find(self, key: Any, folder: Any = None) -> Row | None:
        """The row of an id; nothing, if it is not in that folder."""
        row = self.rows.get(str(key))
        if row is None or (folder is not None and row.get("folder_id") != str(folder)):
            return None
        return row

    def rows_in(self, folder: Any = None) -> list[Row]:
        """The rows of a folder, or all."""
        return [row for row in self if folder is None or row.get("folder_id") == str(folder)]

    def changes_since(self, stamp: int, folder: Any = None) -> tuple[list[Row], list[Tombstone]]:
        """The rows that changed after a time stamp, and what was deleted after it and did not come back."""
        changed = [row for row in self.rows_in(folder) if row["last_modified"] > stamp]
        there = {row["id"] for row in self.rows_in(folder)}
        gone = {
            each.id: each
            for each in self.tombstones
            if each.stamp > stamp and each.id not in there and folder in (None, each.folder)
        }
        return changed, list(gone.values())


class ServerState:
    """Everything that the server remembers.

    Attributes:
        clock: Its time.
        users: By number.
        random: For whatever is made up, by seed.
    """

    def __init__(self, users: Mapping[int, OxUser], *, clock: Clock, seed: int) -> None:
        self.clock = clock
        self.users = dict(users)
        self.seed = seed
        self.random = random.Random(f"ox:{seed}")
        self._tables: dict[str, RowTable] = {}
        self._module_states: dict[tuple[Any, int], Any] = {}
        self._last_id = _FIRST_ID
        self._last_stamp = _FIRST_STAMP
        self._seeded = 0

    def next_stamp(self) -> int:
        """Now in UTC milliseconds, always greater than the last one.

        What is there from the beginning is of the past, and every fourth shares its stamp with the one before,
        as what was imported does.
        """
        if self._seeded:
            self._seeded += 1
            self._last_stamp += min(self._seeded % _SHARED_STAMP_EVERY, 1)
        else:
            self._last_stamp = max(self._last_stamp + 1, int(self.clock.now() * 1000))
        return self._last_stamp

    @contextmanager
    def seeding(self) -> Iterator[None]:
        """What is stored meanwhile is there from the beginning."""
        self._seeded = 1
        try:
            yield
        finally:
            self._seeded = 0

    @property
    def last_stamp(self) -> int:
        """The last stamp given, or now: the greatest that a reply may carry."""
        return max(self._last_stamp, int(self.clock.now() * 1000) - 1)

    def next_id(self) -> int:
        """A number that nothing has yet."""
        self._last_id += 1
        return self._last_id

    def next_token(self) -> str:
        """32 hexadecimal digits that nothing has yet."""
        return f"{self.random.getrandbits(128):032x}"

    def table(self, name: str) -> RowTable:
        """The table of a name; made when it is first asked for."""
        if name not in self._tables:
            self._tables[name] = RowTable(self)
        return self._tables[name]

    @property
    def tables(self) -> Mapping[str, RowTable]:
        """All tables there are."""
        return self._tables

    def module_state(self, make: Callable[[ServerState, OxUser], _T], user: OxUser) -> _T:
        """What a module keeps for a user; made by ``make`` when it is first asked for."""
        key = (make, user.id)
        if key not in self._module_states:
            self._module_states[key] = make(self, user)
        found: _T = self._module_states[key]
        return found

    def find_user(self, name: str) -> OxUser | None:
        """The user who logs in so."""
        return next((user for user in self.users.values() if user.name == name), None)
