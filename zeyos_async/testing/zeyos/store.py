"""The rows, and the database's rules about them.

One SQLite connection in memory. Rules that SQLite knows (NOT NULL, CHECK, unique, foreign keys
with their ON DELETE) are SQLite's to hold; here their errors become the API's.
"""

from __future__ import annotations

import re
import sqlite3
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from .refusals import Refusal
from .schema import connect, create_indexes, quoted
from .table_definitions import Table

__all__ = ["Store"]

_BROKEN_RULE: Final = re.compile(
    r"(NOT NULL|CHECK|UNIQUE|FOREIGN KEY) constraint failed(?:: (.*))?", re.DOTALL
)
_INDEX: Final = re.compile(r"index '(.+)'")


class Store:
    """The tables' rows, their extension data, tags and file contents.

    Attributes:
        version: Grows with every write; what was read at one version holds for that version.
        connection: The database, for reading.
    """

    def __init__(self, tables: Mapping[str, Table], now: Callable[[], float]) -> None:
        self.tables = tables
        self.connection = connect(tables)
        # A connection that nobody closes is a ResourceWarning from Python 3.13 on, and an error in our tests.
        weakref.finalize(self, self.connection.close)
        self.version = 0
        self._now = now
        self._next_id = dict.fromkeys(
            tables, 1
        )  # never goes down: the ID of a deleted row tells 410 from 404
        self._position = 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all of a block's changes, or none of them.

        Raises:
            Refusal: A rule of the database was broken.
        """
        self.connection.execute("BEGIN")
        try:
            yield
        except sqlite3.IntegrityError as error:
            self.connection.execute("ROLLBACK")
            raise self._to_refusal(error) from None
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")
        self.version += 1

    def load(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, next_id: int) -> None:
        """Put prepared rows in at once, with neither defaults nor checks; the first column is ``ID``."""
        marks = ", ".join("?" * len(columns))
        names = ", ".join(quoted(column) for column in columns)
        self.connection.executemany(f"INSERT INTO {quoted(name)} ({names}) VALUES ({marks})", rows)
        self._next_id[name] = max(self._next_id[name], next_id)
        self.version += 1

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Suspend the rules while rows are loaded that hold them as a whole, not one by one."""
        self.connection.execute("PRAGMA foreign_keys = OFF")
        self.connection.execute("PRAGMA ignore_check_constraints = ON")
        self.connection.execute("BEGIN")
        yield
        create_indexes(self.connection, self.tables)
        self.connection.execute("COMMIT")
        self.connection.execute("PRAGMA foreign_keys = ON")
        self.connection.execute("PRAGMA ignore_check_constraints = OFF")

    def next_position(self) -> int:
        """Return the place in the heap of the next written row."""
        self._position += 1
        # Seed rows lie below 2**40, so that whatever is written later comes after them.
        return self._position + 2**40

    def insert(self, name: str, values: Mapping[str, Any]) -> int:
        """Store a row and return its ID, which is never one that was given before."""
        table = self.tables[name]
        row = {column.name: self._default(column.default) for column in table.columns if column.name != "ID"}
        row |= values
        row.setdefault("ID", self._next_id[name])
        self._require(table, row)
        self._require_references(table, row)
        self._next_id[name] = max(self._next_id[name], row["ID"] + 1)
        names = ", ".join(quoted(column) for column in row)
        marks = ", ".join("?" * len(row))
        sql = f"INSERT INTO {quoted(name)} ({names}, _pos) VALUES ({marks}, {self.next_position()})"
        self.connection.execute(sql, list(row.values()))
        return int(row["ID"])

    def update(self, name: str, record: int, values: Mapping[str, Any]) -> None:
        """Change columns of a row, and move the row to the end of the heap."""
        table = self.tables[name]
        self._require(table, values)
        self._require_references(table, values)
        changes = ", ".join(f"{quoted(column)} = ?" for column in values)
        sql = f'UPDATE {quoted(name)} SET {changes}{", " if changes else ""}_pos = {self.next_position()} WHERE "ID" = ?'
        self.connection.execute(sql, [*values.values(), record])

    def delete(self, name: str, record: int) -> None:
        """Remove a row, and what the foreign keys remove with it."""
        self.connection.execute(f'DELETE FROM {quoted(name)} WHERE "ID" = ?', [record])
        for pseudo in ("_extdata", "_tags"):
            self.connection.execute(f"DELETE FROM {pseudo} WHERE entity = ? AND record = ?", [name, record])

    def row(self, name: str, record: int) -> dict[str, Any] | None:
        """Return the columns of a row, hidden ones included."""
        columns = self.tables[name].columns
        names = ", ".join(quoted(column.name) for column in columns)
        sql = f'SELECT {names} FROM {quoted(name)} WHERE "ID" = ?'
        values = self.connection.execute(sql, [record]).fetchone()
        return None if values is None else dict(zip((c.name for c in columns), values, strict=True))

    def was_used(self, name: str, record: int) -> bool:
        """Return whether some row had the ID at some time."""
        return 0 < record < self._next_id[name]

    def extdata(self, name: str, record: int) -> dict[str, Any]:
        """Return the extension data of a row, by name."""
        sql = "SELECT name, value FROM _extdata WHERE entity = ? AND record = ? ORDER BY name"
        return dict(self.connection.execute(sql, [name, record]))

    def set_extdata(self, name: str, record: int, values: Mapping[str, Any]) -> None:
        """Set extension data; ``None`` removes."""
        for key, value in values.items():
            identity = [name, record, key]
            if value is None:
                sql = "DELETE FROM _extdata WHERE entity = ? AND record = ? AND name = ?"
                self.connection.execute(sql, identity)
            else:
                self.connection.execute(
                    "INSERT OR REPLACE INTO _extdata VALUES (?, ?, ?, ?)", [*identity, value]
                )

    def tags(self, name: str, record: int) -> list[str]:
        """Return the tags of a row, sorted."""
        sql = "SELECT tag FROM _tags WHERE entity = ? AND record = ? ORDER BY tag"
        return [tag for (tag,) in self.connection.execute(sql, [name, record])]

    def set_tags(self, name: str, record: int, tags: Iterable[str]) -> None:
        """Replace the tags of a row."""
        self.connection.execute("DELETE FROM _tags WHERE entity = ? AND record = ?", [name, record])
        rows = [(name, record, tag) for tag in sorted(set(tags))]
        self.connection.executemany("INSERT INTO _tags VALUES (?, ?, ?)", rows)

    def content(self, record: int | None) -> bytes | None:
        """Return the content of a stored file."""
        sql = "SELECT content FROM _contents WHERE ID = ?"
        row = self.connection.execute(sql, [record]).fetchone()
        return None if row is None else bytes(row[0])

    def set_content(self, record: int, content: bytes) -> None:
        """Keep the content of a stored file."""
        self.connection.execute("INSERT OR REPLACE INTO _contents VALUES (?, ?)", [record, content])

    def _default(self, default: Any) -> Any:
        return int(self._now()) if default == "now" else default

    def _require(self, table: Table, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            if value is None and table.by_name[name].notnull:
                raise Refusal(
                    500,
                    f'null value in column "{name}" of relation "{table.name}" violates not-null constraint',
                )

    def _require_references(self, table: Table, values: Mapping[str, Any]) -> None:
        for key in table.foreign_keys:
            target = values.get(key.column)
            if target is None or (key.table == table.name and target == values.get("ID")):
                continue
            sql = f'SELECT 1 FROM {quoted(key.table)} WHERE "ID" = ?'
            if self.connection.execute(sql, [target]).fetchone() is None:
                raise Refusal(
                    400,
                    f'insert or update on table "{table.name}" violates foreign key constraint "{key.name}": '
                    f'Key ({key.column})=({target}) is not present in table "{key.table}"',
                )

    def _to_refusal(self, error: sqlite3.IntegrityError) -> Refusal:
        match = _BROKEN_RULE.match(str(error))
        if match is None:
            return Refusal(500, f"Runtime Error: {error}")
        kind, detail = match.group(1), match.group(2) or ""
        if kind == "CHECK":
            return Refusal(400, f'new row violates check constraint "{detail}"')
        if kind == "UNIQUE":
            return Refusal(
                409, f'duplicate key value violates unique constraint "{self._unique_name(detail)}"'
            )
        if kind == "FOREIGN KEY":
            return Refusal(409, "Conflict: Not Deletable, the record is still referenced")
        return Refusal(500, f'null value in column "{detail.partition(".")[2]}" violates not-null constraint')

    def _unique_name(self, detail: str) -> str:
        """Return the constraint's name, which PostgreSQL tells: SQLite names the columns."""
        if match := _INDEX.search(detail):
            return match.group(1)
        table = detail.partition(".")[0]
        columns = tuple(part.partition(".")[2] for part in detail.split(", "))
        for unique in self.tables[table].unique:
            if unique.columns == columns:
                return unique.name
        return f"pk_{table}"
