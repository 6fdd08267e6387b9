"""``filters`` into SQL, with PostgreSQL's meaning.

An object's keys are joined by AND. A key is a field path (with a value, or an object of operators)
or a number in a string (with a composite: ``["AND" | "OR" | "NOT", {…}, …]``).

The database below is SQLite, and the answers must be PostgreSQL's. The differences, and where they are met:

- Types: SQLite compares anything with anything. Here a value is first read as the column's type (``values.operand``),
  so that a text for a number is a 400, as PostgreSQL's error is. Extension data has no type, so there the value's type
  decides what is compared (``_sides``).
- NULL: three-valued logic is the same in both, so conditions are passed on as they are: rows with NULL come neither with
  ``!=`` nor with ``!IN``, and ``!IN`` with null in its list finds nothing.
- Patterns: LIKE and regular expressions are functions of ours (``patterns.py``), and are checked before the statement
  runs, so that a bad pattern is a 400 even where no row is compared with it.
- Limits: SQLite bounds the depth of an expression and the number of bound values; PostgreSQL hardly does. So AND and OR
  are built as balanced trees, and a list of values is bound as one JSON array.

No field's name reaches the SQL from the request: a path is looked up in the tables first (``Scope``). Values are bound;
names of extension data are quoted.
A path through a reference becomes one LEFT JOIN, shared by all paths through it.
"""

from __future__ import annotations

from typing import Any, Final

import attrs

from .forms import numbered
from .patterns import PatternError, read_like, read_regex
from .refusals import bad_request
from .schema import quoted
from .table_definitions import Column, Table
from .values import compact, operand

__all__ = ["Path", "Scope", "compile_filters"]

_COMPARISONS: Final = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})
_MAX_DEPTH: Final = 100


@attrs.frozen
class Path:
    """A resolved field path.

    Attributes:
        text: As the request wrote it.
        sql: The expression.
        column: The column, or ``None`` for extension data.
        field: For extension data and own fields ``""``; otherwise the reference that was followed.
    """

    text: str
    sql: str
    column: Column | None
    field: str = ""


class Scope:
    """The field paths of one list, resolved, with the joins that they need."""

    def __init__(self, table: Table, tables: dict[str, Table]) -> None:
        self.table = table
        self._tables = tables
        self._paths: dict[str, Path] = {}
        self._joins: list[str] = []
        self._aliases: dict[str, str] = {}

    def resolve(self, text: Any, *, what: str) -> Path:
        """Return what a path stands for.

        Raises:
            Refusal: 400 "Invalid … field", which does not name the field.
        """
        if isinstance(text, str) and text in self._paths:
            return self._paths[text]
        path = self._find(text) if isinstance(text, str) else None
        if path is None:
            raise bad_request(f"Invalid {what} field")
        self._paths[path.text] = path
        return path

    def source(self) -> str:
        """Return the text after ``FROM``: the table and all joins."""
        return f"{quoted(self.table.name)} t{''.join(self._joins)}"

    def _find(self, text: str) -> Path | None:
        head, dot, rest = text.partition(".")
        if not dot:
            column = self.table.visible.get(text)
            return None if column is None else Path(text, f"t.{quoted(text)}", column)
        if head == "extdata":
            return self._extdata(text, rest) if self.table.extdata and rest else None
        key = self.table.references.get(head)
        if key is None or head not in self.table.visible:
            return None
        column = self._tables[key.table].visible.get(rest)
        if column is None:
            return None
        return Path(text, f"{self._joined(head, key.table)}.{quoted(rest)}", column, head)

    def _joined(self, field: str, target: str) -> str:
        alias = self._aliases.get(field)
        if alias is None:
            alias = self._aliases[field] = f"j{len(self._aliases)}"
            self._joins.append(f' LEFT JOIN {quoted(target)} {alias} ON {alias}."ID" = t.{quoted(field)}')
        return alias

    def _extdata(self, text: str, name: str) -> Path | None:
        # sqlite3 refuses a statement that holds NUL, with an error that is none of the API's.
        if "\0" in name:
            return None
        entity, literal = (f"'{part.replace(chr(39), chr(39) * 2)}'" for part in (self.table.name, name))
        where = f'entity = {entity} AND record = t."ID" AND name = {literal}'
        return Path(text, f"(SELECT value FROM _extdata WHERE {where})", None)


def compile_filters(filters: Any, scope: Scope, *, depth: int = 0) -> tuple[str, list[Any]]:
    """Compile filters to a condition and the values that it binds; ``""`` for none.

    Raises:
        Refusal: 400 for anything malformed, unknown, or of the wrong type.
    """
    if depth > _MAX_DEPTH:
        raise bad_request("Invalid filter: too deep")
    parts: list[str] = []
    values: list[Any] = []
    for key, value in numbered(filters).items():
        sql, bound = _composite(value, scope, depth) if key.isdecimal() else _field(key, value, scope)
        parts.append(sql)
        values += bound
    return _joined(parts, "AND"), values


def _joined(parts: list[str], word: str) -> str:
    """Join the parts as a tree that is as flat as can be: SQLite bounds the depth of an expression, not its size."""
    if len(parts) < 2:
        return parts[0] if parts else ""
    middle = len(parts) // 2
    return f"({_joined(parts[:middle], word)}) {word} ({_joined(parts[middle:], word)})"


def _composite(value: Any, scope: Scope, depth: int) -> tuple[str, list[Any]]:
    if not isinstance(value, list) or len(value) < 2 or value[0] not in ("AND", "OR", "NOT"):
        raise bad_request("Invalid filter: a composite is AND, OR or NOT, and one filter at least")
    parts: list[str] = []
    values: list[Any] = []
    for operand_filters in value[1:]:
        if not isinstance(operand_filters, dict | list):
            raise bad_request("Invalid filter: a composite joins objects")
        sql, bound = compile_filters(operand_filters, scope, depth=depth + 1)
        parts.append(sql or "1")
        values += bound
    joined = _joined(parts, "OR" if value[0] == "OR" else "AND")
    return (f"NOT ({joined})" if value[0] == "NOT" else joined), values


def _field(name: str, value: Any, scope: Scope) -> tuple[str, list[Any]]:
    path = scope.resolve(name, what="filter")
    if not isinstance(value, dict):
        value = {"=": value}
    if not value:
        raise bad_request("Invalid filter: no operator")
    parts: list[str] = []
    values: list[Any] = []
    for operator, right in value.items():
        sql, bound = _test(path, operator, right)
        parts.append(sql)
        values += bound
    return " AND ".join(parts), values


def _test(path: Path, operator: str, right: Any) -> tuple[str, list[Any]]:
    if operator in ("IN", "!IN"):
        return _membership(path, operator, right)
    if operator in _PATTERNS:
        return _pattern(path, operator, right)
    if operator not in _COMPARISONS:
        raise bad_request("Invalid filter operator")
    if right is None:
        return _null(path, operator)
    left_sql, value = _sides(path, right)
    return f"{left_sql} {'<>' if operator == '!=' else operator} ?", [value]


def _null(path: Path, operator: str) -> tuple[str, list[Any]]:
    if operator not in ("=", "!=", "<>"):
        raise bad_request("Invalid filter: null can only be equal or not")
    return f"{path.sql} IS {'' if operator == '=' else 'NOT '}NULL", []


def _sides(path: Path, value: Any) -> tuple[str, Any]:
    """Return both sides of a comparison: extension data has no type, so the value's type decides."""
    if path.column is not None:
        return path.sql, operand(path.column, value)
    if isinstance(value, str):
        return f"CAST({path.sql} AS TEXT)", value
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**63:
        return f"CASE WHEN typeof({path.sql}) IN ('integer', 'real') THEN {path.sql} END", value
    raise bad_request("Invalid filter value")


def _membership(path: Path, operator: str, right: Any) -> tuple[str, list[Any]]:
    if not isinstance(right, list) or not right:
        raise bad_request(f"Invalid filter: {operator} needs a list that is not empty")
    sides = [_sides(path, value) for value in right if value is not None]
    lefts = {left_sql for left_sql, _ in sides} or {path.sql}
    if len(lefts) > 1:
        raise bad_request("Invalid filter: a list of values of one type is needed")
    values = [value for _, value in sides] + [None] * (len(right) - len(sides))
    word = "IN" if operator == "IN" else "NOT IN"
    # One bound value, so that the number of values has no bound of the database's.
    return f"{lefts.pop()} {word} (SELECT value FROM json_each(?))", [compact(values)]


_PATTERNS: Final = {
    f"{negation}{base}{star}": (function, negation, int(bool(star)))
    for base, function in (("~~", "pg_like"), ("~", "pg_match"))
    for negation in ("", "!")
    for star in ("", "*")
}


def _pattern(path: Path, operator: str, right: Any) -> tuple[str, list[Any]]:
    function, negation, ignore_case = _PATTERNS[operator]
    if path.column is not None and not path.column.is_text:
        raise bad_request(f"operator does not exist: {path.column.type} {operator} unknown")
    if not isinstance(right, str) or "\0" in right:
        raise bad_request(f"Invalid filter: {operator} needs a text")
    try:
        if function == "pg_like":
            read_like(right)
        else:
            read_regex(right, ignore_case=bool(ignore_case))
    except PatternError as error:
        raise bad_request(str(error)) from None
    left_sql = path.sql if path.column is not None else f"CAST({path.sql} AS TEXT)"
    return f"{'NOT ' if negation else ''}{function}(?, {left_sql}, {ignore_case})", [right]
