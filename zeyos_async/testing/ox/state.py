"""The state of the emulated server: users, and rows in tables that all its modules share.

Everything that a client can change lives here or in a store that a module asks ``module_state`` for, so that ``reset``
only has to make a new ``ServerState``. What holds at any time:

* Ids and tokens come from counters and from a seeded random source, never from the process: the same seed gives the
  same server.
* Time stamps always grow, even if two writes fall into one millisecond or the clock goes back. Conflicts ("changed
  since you read it") and ``updates`` compare stamps only, so two equal ones would hide a change.
* Rows of the start are the exception: every fourth shares its stamp with the one before, as imported rows do, because
  clients that page by stamps have to cope with that.
* A deleted row leaves a tombstone, and so does one that moves to another folder, in the folder it left: ``updates``
  tells both as deletions. A row that came back is not told as deleted.
* Times are stored in UTC milliseconds; ``columns.TimeShift`` moves them into the zone of a request.

Mail, files and events have stores of their own: their ids change with the folder, which rows of a table do not.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import attrs

from ..server import Clock

__all__ = ["OxUser", "Row", "RowTable", "ServerState", "Tombstone"]

Row = dict[str, Any]
_T = TypeVar("_T")
_CONTEXT: Final = 1
_FIRST_ID: Final = 1000
_FIRST_STAMP: Final = 1_586_131_200_000
_SHARED_STAMP_EVERY: Final = 4


@attrs.define(kw_only=True)
class OxUser:
    """A user who may log in.

    Attributes:
        name: The name to log in with.
        password: The password to log in with.
        id: The user's number.
        first_name: The first name in the address book.
        last_name: The last name in the address book.
        email: The address in the address book; made of the name if it is empty.
        zone: The time zone that all times are shifted by, unless a request names another.
        locale: The language, such as ``"de_DE"``.
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
        # Raises for an unknown zone here; else every answer with a time would fail.
        ZoneInfo(self.zone)

    @property
    def context(self) -> int:
        """The number of the context."""
        return _CONTEXT

    @property
    def display_name(self) -> str:
        """The name as the address book shows it."""
        return f"{self.last_name}, {self.first_name}"


@attrs.frozen
class Tombstone:
    """The mark of a row that was deleted, for the clients that ask for updates.

    Attributes:
        id: Its id.
        folder: The folder it was in.
        stamp: The time stamp of its deletion.
    """

    id: str
    folder: str
    stamp: int


class RowTable:
    """Rows of one kind by id, in the order of their creation; times are UTC milliseconds.

    Attributes:
        rows: Id → row; ``id`` and ``folder_id`` are strings.
        tombstones: The marks of the rows that were deleted or left their folder.
        deleted_rows: The deleted rows as they last were, by id.
    """

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self.rows: dict[str, Row] = {}
        self.tombstones: list[Tombstone] = []
        self.deleted_rows: dict[str, Row] = {}

    def __iter__(self) -> Iterator[Row]:
        # A copy, as callers delete rows while they go through them.
        return iter(list(self.rows.values()))

    def insert(self, values: Mapping[str, Any], *, by: int, key: str | None = None) -> Row:
        """Store a row under a new id (or ``key``), and set its stamps and authors."""
        stamp = self._state.next_stamp()
        row: Row = {"created_by": by, "modified_by": by, "creation_date": stamp, **values}
        # After the values: a client must not choose an id or a stamp.
        row |= {"id": key or str(self._state.next_id()), "last_modified": stamp}
        self.rows[row["id"]] = row
        return row

    def change(self, row: Row, values: Mapping[str, Any], *, by: int) -> Row:
        """Set some fields of a row; ``None`` removes a field."""
        if (target := values.get("folder_id")) is not None and target != row.get("folder_id"):
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
        """Delete a row, and remember it in ``tombstones``."""
        self.deleted_rows[row["id"]] = self.rows.pop(row["id"])
        self.tombstones.append(Tombstone(row["id"], str(row.get("folder_id", "")), self._state.next_stamp()))

    def find(self, key: Any, folder: Any = None) -> Row | None:
        """Return the row of an id; ``None`` if it is not in that folder."""
        row = self.rows.get(str(key))
        if row is None or (folder is not None and row.get("folder_id") != str(folder)):
            return None
        return row

    def rows_in(self, folder: Any = None) -> list[Row]:
        """Return the rows of a folder, or all."""
        return [row for row in self if folder is None or row.get("folder_id") == str(folder)]

    def changes_since(self, stamp: int, folder: Any = None) -> tuple[list[Row], list[Tombstone]]:
        """Return the rows that changed after a time stamp, and those that were deleted after it for good."""
        changed = [row for row in self.rows_in(folder) if row["last_modified"] > stamp]
        # A row that was moved away and back has a tombstone in a folder where it is again.
        present = {row["id"] for row in self.rows_in(folder)}
        deleted = {
            tombstone.id: tombstone
            for tombstone in self.tombstones
            if tombstone.stamp > stamp and tombstone.id not in present and folder in (None, tombstone.folder)
        }
        return changed, list(deleted.values())


class ServerState:
    """Everything that the server remembers.

    Attributes:
        clock: Its time.
        users: The users by number.
        random: The source of everything that is made up, by seed.
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
        self._seed_count = 0

    def next_stamp(self) -> int:
        """Return now in UTC milliseconds, always greater than the last stamp.

        Rows of the start have stamps of the past, and every fourth shares its stamp with the one before, as
        imported rows do: a client that pages by stamps has to cope with that.
        """
        if self._seed_count:
            # The clock is not asked: rows of the start would else differ from run to run.
            self._seed_count += 1
            self._last_stamp += min(self._seed_count % _SHARED_STAMP_EVERY, 1)
        else:
            # Two writes within a millisecond would share a stamp, and a conflict would go unnoticed.
            self._last_stamp = max(self._last_stamp + 1, int(self.clock.now() * 1000))
        return self._last_stamp

    @contextmanager
    def seeding(self) -> Iterator[None]:
        """Give the rows that are stored meanwhile the stamps of the past."""
        self._seed_count = 1
        try:
            yield
        finally:
            self._seed_count = 0

    @property
    def last_stamp(self) -> int:
        """The last stamp that was handed out, or now: the greatest that a reply may carry."""
        # One less than now: a row that is stored in this millisecond is still newer for the client.
        return max(self._last_stamp, int(self.clock.now() * 1000) - 1)

    def next_id(self) -> int:
        """Return a number that nothing has yet."""
        self._last_id += 1
        return self._last_id

    def next_token(self) -> str:
        """Return 32 hexadecimal digits that nothing has yet."""
        return f"{self.random.getrandbits(128):032x}"

    def table(self, name: str) -> RowTable:
        """Return the table of a name, and create it on its first use."""
        if name not in self._tables:
            self._tables[name] = RowTable(self)
        return self._tables[name]

    @property
    def tables(self) -> Mapping[str, RowTable]:
        """The tables by name."""
        return self._tables

    def module_state(self, make: Callable[[ServerState, OxUser], _T], user: OxUser) -> _T:
        """Return the state that a module has for a user; ``make`` creates it on its first use."""
        # By the function itself: two modules can't get into each other's way.
        key = (make, user.id)
        if key not in self._module_states:
            self._module_states[key] = make(self, user)
        state: _T = self._module_states[key]
        return state

    def find_user(self, name: str) -> OxUser | None:
        """Return the user who logs in with a name."""
        return next((user for user in self.users.values() if user.name == name), None)
