"""The action ``list``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .filters import read_filters
from .models import DECIMAL, WHOLE, Field, Model, Value
from .refusals import BAD_REQUEST, GeneralRefusal
from .server_options import GeneralServerOptions
from .store import Row, Store

__all__ = ["LIST_PROPERTIES", "answer_list"]

LIST_PROPERTIES: Final = frozenset({"filters", "limit", "offset", "order", "sort", "cols"})


def answer_list(
    properties: Mapping[str, Any], model: Model, store: Store, server_options: GeneralServerOptions
) -> dict[str, Any]:
    """Return the ``data`` of a list's answer.

    Raises:
        GeneralRefusal: The request is not as the document has it.
    """
    tests = read_filters(properties.get("filters", []), model)
    columns = _read_columns(properties.get("cols"), model)
    rows = [row for row in store.rows(model) if all(test(row) for test in tests)]
    _sort(rows, properties, model)
    limit, offset = _read_limit(properties, server_options), _read_number(properties, "offset", 0)
    page = rows[offset:] if limit is None else rows[offset : offset + limit]
    return {
        "data": [_render_row(row, columns, model, server_options) for row in page],
        "head": [_render_head(field) for field in columns],
        "caption": model.caption or model.name,
        "count": len(page),
        "total": len(rows),
    }


def _bad_request(text: str) -> GeneralRefusal:
    return GeneralRefusal(BAD_REQUEST, text)


def _find_field(name: Any, model: Model, what: str) -> Field:
    field = model.by_name.get(name) if isinstance(name, str) else None
    if field is None:
        raise _bad_request(f"unknown column in {what}: {name}")
    return field


def _read_columns(names: Any, model: Model) -> list[Field]:
    if names is None or names == []:
        names = list(model.columns)
    if not isinstance(names, list):
        raise _bad_request("cols must be an array")
    return [_find_field(name, model, "cols") for name in names]


def _sort(rows: list[Row], properties: Mapping[str, Any], model: Model) -> None:
    direction = properties.get("sort", "asc")
    if direction not in ("asc", "desc"):
        raise _bad_request("sort must be asc or desc")
    if "order" not in properties:
        if "sort" in properties:
            raise _bad_request("sort without order")
        return
    name = _find_field(properties["order"], model, "order").name
    rows.sort(key=lambda row: _sort_key(row[name]), reverse=direction == "desc")


def _sort_key(value: Value) -> tuple[bool, Any]:
    return (value is not None, "" if value is None else value)


def _read_limit(properties: Mapping[str, Any], server_options: GeneralServerOptions) -> int | None:
    if "limit" not in properties:
        return server_options.default_limit
    limit = _read_number(properties, "limit", 1)
    return limit if server_options.clamp_limit is None else min(limit, server_options.clamp_limit)


def _read_number(properties: Mapping[str, Any], name: str, minimum: int) -> int:
    value = properties.get(name, minimum)
    if type(value) is not int or value < minimum:
        raise _bad_request(f"{name} must be a whole number from {minimum}")
    return value


def _render_row(
    row: Row, columns: list[Field], model: Model, server_options: GeneralServerOptions
) -> dict[str, Any]:
    cells = [_render_cell(field, row[field.name], server_options) for field in columns]
    return {"id": str(row[model.identity.name]), "row": cells}


def _render_cell(field: Field, value: Value, server_options: GeneralServerOptions) -> dict[str, Any]:
    if server_options.cell_types == "typed" and field.type in (WHOLE, DECIMAL) and not field.choices:
        return {"content": value, "type": "int" if field.type == WHOLE else "float"}
    if value is None:
        return {"content": None, "type": "string"}
    return {"content": str(value) if field.is_identity else field.to_display_text(value), "type": "string"}


def _render_head(field: Field) -> dict[str, Any]:
    return {"headlineType": "string", "headline": field.title, "colsort": False, "colorder": field.name}
