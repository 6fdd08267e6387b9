"""The generated tables, and the reader of the database's CHECK conditions."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from codegen.check_constraints import parse_check
from codegen.zeyos_database import render
from zeyos_async.testing.zeyos._generated.tables import TABLES
from zeyos_async.testing.zeyos.patterns import matches
from zeyos_async.testing.zeyos.schema import condition

ROOT = Path(__file__).resolve().parents[4]


def test_what_is_generated_is_up_to_date() -> None:
    """The module on disk is what the generator writes."""
    for path, text in render().items():
        assert (ROOT / path).read_text(encoding="utf-8") == text


def test_all_operations_are_there() -> None:
    """350 with config and settings: those of the OpenAPI file, and the two reads of files."""
    assert len(TABLES) == 64
    assert sum(len(table.methods) for table in TABLES.values()) + 2 == 350
    assert TABLES["binfiles"].methods == ("exists", "get", "list")
    assert "create" not in TABLES["users"].methods


def test_hidden_columns_stay_hidden() -> None:
    """Secrets are columns of the database that the API never shows."""
    assert "password" in TABLES["users"].by_name
    assert "password" not in TABLES["users"].visible


CHECKS: list[tuple[str, str | None, Any]] = [
    ("CHECK (VALUE >= 0 AND VALUE <= 2)", "a", ("and", (">=", ("col", "a"), 0), ("<=", ("col", "a"), 2))),
    (
        "CHECK (a::text <> ''::text OR b IS NULL)",
        None,
        ("or", ("<>", ("col", "a"), ""), ("null", ("col", "b"))),
    ),
    ("CHECK (VALUE::text ~ '^[A-Z]{3}$'::text)", "a", ("~", ("col", "a"), "^[A-Z]{3}$")),
    ("CHECK (num_nonnulls(a, b) = 1)", None, ("=", ("call", "num_nonnulls", ("col", "a"), ("col", "b")), 1)),
    ("CHECK (a::smallint = ANY (ARRAY[0, 1]))", None, ("in", ("col", "a"), (0, 1))),
    ("CHECK (e <> ALL (ARRAY['x'::t_entity]))", None, ("notin", ("col", "e"), ("x",))),
    ('CHECK ("ID" IS DISTINCT FROM a)', None, ("distinct", ("col", "ID"), ("col", "a"))),
    ("CHECK (VALUE >= '-100'::integer::double precision)", "a", (">=", ("col", "a"), -100)),
    (
        "CHECK (\nCASE t\n    WHEN 0 THEN a IS NOT NULL\n    ELSE a IS NULL\nEND)",
        None,
        ("case", ("col", "t"), ((0, ("notnull", ("col", "a"))),), ("null", ("col", "a"))),
    ),
    ("CHECK (NOT (a = 'it''s'))", None, ("not", ("=", ("col", "a"), "it's"))),
]


def frozen(tree: Any) -> Any:
    return tuple(frozen(part) for part in tree) if isinstance(tree, list) else tree


@pytest.mark.parametrize(("text", "column", "tree"), CHECKS)
def test_conditions_are_read(text: str, column: str | None, tree: Any) -> None:
    """Casts go, the meaning stays."""
    assert frozen(parse_check(text, column)) == tree


@pytest.mark.parametrize(
    "text", ["CHECK (a ?? b)", "CHECK (VALUE > 0)", "CHECK (a = b) x", "CHECK (a::money > 0)", "a > 0"]
)
def test_what_is_not_understood_is_an_error(text: str) -> None:
    """Never a guess."""
    with pytest.raises(ValueError, match=r"\w"):
        parse_check(text)


@pytest.mark.parametrize(
    ("tree", "row", "expected"),
    [
        (CHECKS[0][2], {"a": 3}, 0),
        (CHECKS[0][2], {"a": None}, None),
        (CHECKS[2][2], {"a": "EUR"}, 1),
        (CHECKS[2][2], {"a": "eur"}, 0),
        (CHECKS[3][2], {"a": 1, "b": None}, 1),
        (CHECKS[3][2], {"a": 1, "b": 1}, 0),
        (CHECKS[5][2], {"e": "x"}, 0),
        (CHECKS[6][2], {"ID": 1, "a": None}, 1),
        (CHECKS[6][2], {"ID": 1, "a": 1}, 0),
        (CHECKS[8][2], {"t": 0, "a": 5}, 1),
        (CHECKS[8][2], {"t": 1, "a": 5}, 0),
        (CHECKS[9][2], {"a": "it's"}, 0),
        (("=", ("call", "json_typeof", ("col", "a")), "object"), {"a": "{}"}, 1),
        (("<>", ("call", "jsonb", ("col", "a")), "{}"), {"a": "{ }"}, 0),
        (("=", ("call", "bit_length", ("col", "a")), 16), {"a": "\\xffff"}, 1),
    ],
    ids=str,
)
def test_conditions_mean_in_sql_what_they_say(tree: Any, row: dict[str, Any], expected: int | None) -> None:
    """Trees are written as SQLite's SQL."""
    database = sqlite3.connect(":memory:")
    database.create_function("pg_match", 3, matches)
    columns = ", ".join(f':{name} AS "{name}"' for name in row)
    (result,) = database.execute(f"SELECT {condition(tree)} FROM (SELECT {columns})", row).fetchone()
    database.close()
    assert result == expected
