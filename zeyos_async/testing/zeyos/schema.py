"""The emulated database's definition: the facts, written as SQLite's SQL.

Every table has one column of our own, ``_pos``: where the row lies in the heap. Rows that are asked
for without an order come in that order, which is not the order of the IDs, and an update moves a row
to the end of it, as PostgreSQL's updates do.

The vendor's rules are kept, not rewritten by hand: CHECK constraints come as trees out of the database reference (see
``codegen/check_constraints.py``), and are compiled to SQLite's SQL here, so that what the real database refuses is
refused by the emulated one for the same reason. What SQLite lacks is made up for:

- Regular expressions, LIKE and ``lower`` beyond ASCII are functions that call Python.
- Unique keys that ignore case, or count NULLs as equal, are indexes on an expression.
- Types are affinities: ``double precision`` is NUMERIC, as REAL would show 3 as 3.0; text forms of arrays, JSON and
  binary values are TEXT. Values are checked before they get here (``values.py``).
- Foreign keys are SQLite's own; the store suspends them while it loads the first rows, which hold them as a whole.

Extension data, tags and the contents of files are in three tables of our own, one for all entities.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any, Final

from .patterns import like, matches
from .table_definitions import Column, Table, Unique

__all__ = ["condition", "connect", "create_indexes", "quoted"]

_ALWAYS: Final = """
CREATE TABLE _extdata (entity TEXT, record INTEGER, name TEXT, value, PRIMARY KEY (entity, record, name)) WITHOUT ROWID;
CREATE TABLE _tags (entity TEXT, record INTEGER, tag TEXT, PRIMARY KEY (entity, record, tag)) WITHOUT ROWID;
CREATE TABLE _contents (ID INTEGER PRIMARY KEY REFERENCES binfiles("ID") ON DELETE CASCADE, content BLOB);
"""
_TYPES: Final = {
    "smallint": "INTEGER",
    "integer": "INTEGER",
    "bigint": "INTEGER",
    "double precision": "NUMERIC",
}


def connect(tables: Mapping[str, Table]) -> sqlite3.Connection:
    """Open an empty database in memory that holds the given tables and their rules."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.create_function("pg_like", 3, like, deterministic=True)
    connection.create_function("pg_match", 3, matches, deterministic=True)
    connection.create_function("pg_lower", 1, _lower, deterministic=True)
    connection.executescript("BEGIN;" + ";".join(_statements(tables)) + ";" + _ALWAYS + "COMMIT;")
    # A PRAGMA inside of a transaction would be ignored without an error.
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def create_indexes(connection: sqlite3.Connection, tables: Mapping[str, Table]) -> None:
    """Create the indexes that no rule needs; after the first rows are in, since that is faster."""
    for table in tables.values():
        columns = [*(quoted(key.column) for key in table.foreign_keys), "_pos"]
        for number, column in enumerate(columns):
            name = quoted(f"i{number}_{table.name}")
            connection.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {quoted(table.name)} ({column})")


def quoted(name: str) -> str:
    """Quote an identifier for SQL."""
    return '"' + name.replace('"', '""') + '"'


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def _statements(tables: Mapping[str, Table]) -> Iterator[str]:
    for table in tables.values():
        yield _create_table(table)
        for unique in table.unique:
            yield _create_unique(table, unique)


def _create_table(table: Table) -> str:
    parts = [_column(column) for column in table.columns] + ["_pos INTEGER"]
    parts += [
        f"CONSTRAINT {quoted(check.name)} CHECK ({condition(check.expression)})" for check in table.checks
    ]
    parts += [
        f'FOREIGN KEY ({quoted(key.column)}) REFERENCES {quoted(key.table)} ("ID")'
        + (f" ON DELETE {key.on_delete}" if key.on_delete else "")
        for key in table.foreign_keys
    ]
    return f"CREATE TABLE {quoted(table.name)} ({', '.join(parts)})"


def _column(column: Column) -> str:
    if column.name == "ID":
        return '"ID" INTEGER PRIMARY KEY'
    kind = _TYPES.get(column.type, "TEXT")
    return f"{quoted(column.name)} {kind}" + (" NOT NULL" if column.notnull else "")


def _create_unique(table: Table, unique: Unique) -> str:
    columns = [quoted(name) for name in unique.columns]
    if unique.lower:
        columns = [f"pg_lower({name})" for name in columns]
    if unique.nulls_equal:
        columns = [f"ifnull({name}, '')" for name in columns]
    where = f" WHERE {condition(unique.where)}" if unique.where is not None else ""
    return f"CREATE UNIQUE INDEX {quoted(unique.name)} ON {quoted(table.name)} ({', '.join(columns)}){where}"


def condition(tree: Any) -> str:
    """Compile a tree of the facts (see ``codegen/check_constraints.py``) to SQL."""
    if not isinstance(tree, tuple):
        return _literal(tree)
    head, *rest = tree
    if head == "col":
        return quoted(rest[0])
    if head in ("and", "or"):
        return "(" + f" {head.upper()} ".join(condition(part) for part in rest) + ")"
    if head in ("in", "notin"):
        items = ", ".join(_literal(item) for item in rest[1])
        return f"({condition(rest[0])} {'NOT IN' if head == 'notin' else 'IN'} ({items}))"
    if head == "case":
        return _case(*rest)
    if head == "call":
        return _call(rest[0], [condition(part) for part in rest[1:]])
    return _simple(head, [condition(part) for part in rest])


def _simple(head: str, parts: list[str]) -> str:
    if head == "not":
        return f"(NOT {parts[0]})"
    if head in ("null", "notnull"):
        return f"({parts[0]} IS {'NOT ' if head == 'notnull' else ''}NULL)"
    if head == "distinct":
        return f"({parts[0]} IS NOT {parts[1]})"
    if head in ("~", "!~"):
        return f"({'NOT ' if head == '!~' else ''}pg_match({parts[1]}, {parts[0]}, 0))"
    return f"({parts[0]} {head} {parts[1]})"


def _case(subject: Any, branches: Any, otherwise: Any) -> str:
    start = "CASE" if subject is None else f"CASE {condition(subject)}"
    whens = " ".join(f"WHEN {condition(when)} THEN {condition(then)}" for when, then in branches)
    return f"{start} {whens} ELSE {condition(otherwise)} END"


def _call(name: str, arguments: list[str]) -> str:
    if name == "num_nonnulls":
        return "(" + " + ".join(f"({argument} IS NOT NULL)" for argument in arguments) + ")"
    if name == "bit_length":
        # Binary values are kept in PostgreSQL's text form: \x and two digits a byte.
        return f"((length({arguments[0]}) - 2) * 4)"
    return {"json_typeof": f"json_type({arguments[0]})", "jsonb": f"json({arguments[0]})"}[name]


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)
