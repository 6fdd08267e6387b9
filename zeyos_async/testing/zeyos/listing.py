"""The compilation of a list request into one SELECT, and of its rows into the answer."""

from __future__ import annotations

import csv
import functools
import io
import itertools
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
import msgspec

from .conditions import Path, Scope, compile_filters
from .forms import numbered, read_names
from .output import make_presenter
from .refusals import Refusal, bad_request
from .server_options import ZeyosServerOptions
from .store import Store
from .table_definitions import Table
from .values import flag, to_int

__all__ = ["Listing", "answer_list", "plan_list"]

_PARAMETERS: Final = frozenset(
    [
        "fields",
        "filters",
        "filter",
        "sort",
        "limit",
        "offset",
        "count",
        "distinct",
        "query",
        "expand",
        "export",
        "extdata",
    ]
)
_MAX_LIMIT: Final = 10_000


@attrs.frozen(kw_only=True)
class Listing:
    """A list request, read: one SELECT and how to show its rows.

    Attributes:
        sql: The statement.
        values: What it binds.
        selected: Key in the answer → path, in order.
        expanded: Paths whose content is asked for.
        extdata: Whether each row also shows all of its extension data.
        count: Whether only the number of rows is asked for.
        export: Whether the answer is CSV.
    """

    sql: str
    values: tuple[Any, ...]
    selected: Mapping[str, Path]
    expanded: frozenset[str]
    extdata: bool
    count: bool
    export: bool


def plan_list(
    body: Mapping[str, Any], table: Table, tables: dict[str, Table], server_options: ZeyosServerOptions
) -> Listing:
    """Read a list's body.

    Raises:
        Refusal: 400 for what the API refuses.
    """
    _check_parameters(body, server_options)
    scope = Scope(table, tables)
    selected = _selection(body.get("fields"), scope)
    expanded = _expansion(body.get("expand"), scope)
    where, where_values = _conditions(body, scope, server_options)
    flags = {name: flag(name, body.get(name)) for name in ("count", "distinct", "export", "extdata")}
    order = _order(body.get("sort"), scope, selected, distinct=flags["distinct"])
    window = _window(body, server_options, export=flags["export"])
    source = scope.source()
    columns = [path.sql for path in selected.values()]
    if flags["extdata"]:
        columns.append('t."ID"')
    select = f"SELECT {'DISTINCT ' if flags['distinct'] else ''}{', '.join(columns)} FROM {source}{where}"
    if flags["count"]:
        select = (
            f"SELECT COUNT(*) FROM ({select})"
            if flags["distinct"]
            else f"SELECT COUNT(*) FROM {source}{where}"
        )
    else:
        select += order + window
    return Listing(
        sql=select,
        values=tuple(where_values),
        selected=selected,
        expanded=expanded,
        extdata=flags["extdata"],
        count=flags["count"],
        export=flags["export"],
    )


def _check_parameters(body: Mapping[str, Any], server_options: ZeyosServerOptions) -> None:
    unknown = sorted(body.keys() - _PARAMETERS)
    if unknown and server_options.unknown_parameters == "refused":
        raise bad_request(f"Unknown parameter {unknown[0]}")
    if "filter" in body and server_options.filter_parameter == "refused":
        raise bad_request("Unknown parameter filter")


def _selection(fields: Any, scope: Scope) -> dict[str, Path]:
    if fields is None or fields in ([], {}):
        fields = list(scope.table.visible)
    selected = {}
    for key, text in numbered(fields).items():
        path = scope.resolve(text, what="selection")
        selected[path.text if key.isdecimal() else key] = path
    return selected


def _expansion(expand: Any, scope: Scope) -> frozenset[str]:
    if expand is None:
        return frozenset()
    paths = [scope.resolve(text, what="expand") for text in read_names(expand)]
    if any(path.column is None or not path.column.is_composite for path in paths):
        raise bad_request("Invalid expand field")
    return frozenset(path.text for path in paths)


def _conditions(
    body: Mapping[str, Any], scope: Scope, server_options: ZeyosServerOptions
) -> tuple[str, list[Any]]:
    filters = body.get("filters")
    if filters is None and server_options.filter_parameter == "honoured":
        filters = body.get("filter")
    parts: list[str] = []
    values: list[Any] = []
    for sql, bound in (
        compile_filters({} if filters is None else filters, scope),
        _search(body.get("query"), scope.table),
    ):
        if sql:
            parts.append(f"({sql})")
            values += bound
    if not parts or server_options.ignore_filters:
        return "", []
    return " WHERE " + " AND ".join(parts), values


def _search(query: Any, table: Table) -> tuple[str, list[Any]]:
    """Compile a search: every word has to be in one of the searchable fields, in any case."""
    if query is None or query == "":
        return "", []
    if not isinstance(query, str) or "\0" in query:
        raise bad_request("Invalid query")
    if not table.search:
        return "0", []
    columns = [f't."{name}"' for name in table.search if name in table.visible]
    words = query.split()
    either = " OR ".join(f"instr(pg_lower({column}), ?) > 0" for column in columns)
    return " AND ".join(f"({either})" for _ in words), [word.lower() for word in words for _ in columns]


def _order(sort: Any, scope: Scope, selected: Mapping[str, Path], *, distinct: bool) -> str:
    items = [] if sort is None else list(numbered(sort).values())
    terms = []
    for item in items:
        if not isinstance(item, str):
            raise bad_request("Invalid sort field")
        name = item.removeprefix("-") if item.startswith("-") else item.removeprefix("+")
        path = scope.resolve(name, what="sort")
        # PostgreSQL's own refusal: json has no order there, and SQLite would sort the text.
        if path.column is not None and path.column.type == "json":
            raise Refusal(500, "could not identify an ordering operator for type json")
        if distinct and path not in selected.values():
            raise Refusal(500, "for SELECT DISTINCT, ORDER BY expressions must appear in select list")
        terms.append(_order_term(path, descending=item.startswith("-")))
    if not distinct:
        # Rows that the order does not tell apart come as they lie.
        terms.append("t._pos")
    return " ORDER BY " + ", ".join(terms) if terms else ""


def _order_term(path: Path, *, descending: bool) -> str:
    direction = " DESC" if descending else ""
    # A column of the table itself has no NULLs to place then; a joined row may be missing altogether.
    if path.column is not None and path.column.notnull and not path.field:
        return path.sql + direction
    return path.sql + direction + (" NULLS FIRST" if descending else " NULLS LAST")


def _window(body: Mapping[str, Any], server_options: ZeyosServerOptions, *, export: bool) -> str:
    limit = to_int("limit", body.get("limit"), default=1000, minimum=1, maximum=_MAX_LIMIT)
    offset = to_int("offset", body.get("offset"), default=0, minimum=0, maximum=2**63 - 1)
    if server_options.clamp_limit is not None:
        limit = min(limit, server_options.clamp_limit)
    # SQLite's LIMIT -1 is none; an export has all rows, whatever the limit says.
    return f" LIMIT {-1 if export else limit} OFFSET {offset}"


def answer_list(
    listing: Listing, table: Table, store: Store, server_options: ZeyosServerOptions
) -> tuple[str, bytes]:
    """Return content type and body of the answer.

    Raises:
        Refusal: 500, where the page is larger than the options allow, or the database can't do it.
    """
    try:
        rows = store.connection.execute(listing.sql, listing.values).fetchall()
    except sqlite3.Error as error:
        raise Refusal(500, f"Runtime Error: {error}") from error
    if listing.count:
        return "application/json", msgspec.json.encode(_count(rows[0][0], server_options))
    if (
        server_options.largest_page is not None
        and len(rows) > server_options.largest_page
        and not listing.export
    ):
        raise Refusal(500, "Runtime Error: Allowed memory size exhausted")
    rows = _present_rows(rows, listing, store, server_options)
    if listing.export:
        return "text/csv; charset=utf-8", _csv(list(listing.selected), rows)
    keys = list(listing.selected)
    if listing.extdata:
        records: list[Any] = [_with_extdata(keys, row, table, store, server_options) for row in rows]
    else:
        records = list(itertools.starmap(_record_type(tuple(keys)), rows))
    return "application/json", msgspec.json.encode(records)


@functools.lru_cache(maxsize=256)
def _record_type(keys: tuple[str, ...]) -> type[msgspec.Struct]:
    """Return a type whose objects are encoded as objects of these keys; cheaper by half than dictionaries."""
    names = [f"f{index}" for index in range(len(keys))]
    rename = dict(zip(names, keys, strict=True))
    return msgspec.defstruct("Row", names, rename=rename, gc=False)


def _count(number: int, server_options: ZeyosServerOptions) -> Any:
    return {
        "object": {"count": number},
        "object_text": {"count": str(number)},
        "number": number,
        "text": str(number),
    }[server_options.count_form]


def _present_rows(
    rows: list[Any], listing: Listing, store: Store, server_options: ZeyosServerOptions
) -> list[Any]:
    """Return the rows with composite fields as text or as content; other columns are as the database gives them."""
    presenters: dict[int, Callable[[Any], Any]] = {}
    for index, path in enumerate(listing.selected.values()):
        if path.column is not None and path.column.is_composite:
            expanded = path.text in listing.expanded and not listing.export
            presenters[index] = make_presenter(path.column, store, server_options, expanded=expanded)
    if not presenters:
        return rows
    return [
        tuple(presenters[index](value) if index in presenters else value for index, value in enumerate(row))
        for row in rows
    ]


def _with_extdata(
    keys: list[str], row: Any, table: Table, store: Store, server_options: ZeyosServerOptions
) -> dict[str, Any]:
    record = dict(zip(keys, row, strict=False))
    values = store.extdata(table.name, row[-1])
    record["extdata"] = values if values or server_options.empty_extdata == "object" else []
    return record


def _csv(keys: list[str], rows: list[Any]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow(keys)
    writer.writerows(rows)
    return text.getvalue().encode()
