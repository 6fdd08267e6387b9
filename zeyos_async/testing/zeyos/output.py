"""The presentation of stored values: composite fields as text, as the value itself, or as content."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection
from typing import Any

from .server_options import ZeyosServerOptions
from .store import Store
from .table_definitions import Column, Table
from .values import array_literal

__all__ = ["make_presenter", "show_record"]


def make_presenter(
    column: Column, store: Store, server_options: ZeyosServerOptions, *, expanded: bool
) -> Callable[[Any], Any]:
    """Return a function from a stored value of a composite column to what the API shows."""
    if column.binfile:
        return lambda value: _file_content(value, store) if expanded and value is not None else value
    # Arrays have a text form in PostgreSQL, so the option leaves them as text.
    native = expanded or (server_options.json_form == "native" and not column.is_array)
    if native:
        return lambda value: None if value is None else json.loads(value)
    if column.is_array:
        return lambda value: None if value is None else array_literal(json.loads(value))
    return lambda value: value


def _file_content(record: int, store: Store) -> dict[str, str]:
    return {"content": base64.b64encode(store.content(record) or b"").decode()}


def show_record(
    row: dict[str, Any],
    table: Table,
    store: Store,
    server_options: ZeyosServerOptions,
    *,
    expand: Collection[str] = (),
) -> dict[str, Any]:
    """Return a row as the API shows it: visible fields only."""
    presented = {}
    for name, column in table.visible.items():
        value = row[name]
        if column.is_composite:
            value = make_presenter(column, store, server_options, expanded=name in expand)(value)
        presented[name] = value
    return presented
