"""The generator of the Open-Xchange emulator's tables: operations, columns and schemas, as plain data.

The emulator is a second reading of the documents, so it shares these facts with the client and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from .formatting import double_quoted
from .zeyos_facts import SPECS

_FOLDER: Final = "zeyos_async/testing/ox/_generated"
_SHORT: Final = {
    "application/json": "json",
    "multipart/form-data": "multipart",
    "application/x-www-form-urlencoded": "form",
    "application/octet-stream": "bytes",
    "application/zip": "zip",
    "text/html": "html",
}
_ENVELOPE: Final = frozenset(
    {
        "categories",
        "category",
        "code",
        "error",
        "error_desc",
        "error_id",
        "error_params",
        "error_stack",
        "timestamp",
    }
)
_SEPARATOR: Final = ";"
_HEADER: Final = '''"""{title}. Generated from codegen/specs/ox.

Do not edit: change the generator (codegen/ox_emulator.py) and run ``python -m codegen``.
"""

# fmt: off

from __future__ import annotations

from typing import Final
'''


def render() -> dict[str, str]:
    """Return path from the project root → source of every table."""
    operations = _read("operations")
    return {
        f"{_FOLDER}/__init__.py": '"""Generated tables of the emulator; see codegen/ox_emulator.py."""\n',
        f"{_FOLDER}/operations.py": "\n".join(_operations(operations)),
        f"{_FOLDER}/columns.py": "\n".join(_columns(_read("columns")["columns"])),
        f"{_FOLDER}/schemas.py": "\n".join(_schemas(_read("schemas"))),
    }


def _read(name: str) -> Any:
    return json.loads((SPECS / "ox" / f"{name}.json").read_text("utf-8"))


def _operations(operations: list[dict[str, Any]]) -> Iterator[str]:
    yield _HEADER.format(title="The documented operations, as data")
    yield "OPERATIONS: Final = ("
    yield from (f"    ({', '.join(map(double_quoted, _operation(entry)))})," for entry in operations)
    yield ")"
    yield (
        '"""Module, method, path, action, fixed query, parameters (``name:type!=a|b``, ``!`` if required), '
        'body, answer, status of the answer\'s envelope, who may call it, scopes, marks."""'
    )


def _operation(entry: Mapping[str, Any]) -> Iterator[str]:
    yield from (entry["module"], entry["method"], entry["path"], entry.get("action", ""))
    yield "&".join(f"{name}={value}" for name, value in entry.get("fixed_query", {}).items())
    yield _SEPARATOR.join(map(_parameter, entry["params"]))
    body = entry.get("body")
    yield "" if body is None else _kind(body, body["schema_ref"]) + ("!" if body["required"] else "")
    answer = entry["response"]
    yield _kind(answer, answer.get("data_type") or answer["schema_ref"] or "")
    yield "data" if answer.get("data_type") else answer["schema_ref"] or ""
    yield " ".join(entry.get("security", ()))
    joined = "|" if entry.get("oauth_scope_rule") == "any_of" else "&"
    yield joined.join(entry.get("oauth_scopes", ()))
    yield "" if entry.get("registered_in_8_19", True) else "unregistered"


def _kind(part: Mapping[str, Any], schema: str) -> str:
    kind = _SHORT.get(part["content_type"] or "", "none")
    return f"{kind}:{schema}"


def _parameter(param: Mapping[str, Any]) -> str:
    place = "/" if param["in"] == "path" else ""
    needed = "!" if param.get("required") else ""
    values = "=" + "|".join(map(str, param["enum"])) if "enum" in param else ""
    return f"{place}{param['name']}:{param['type']}{needed}{values}"


def _columns(models: Mapping[str, list[list[Any]]]) -> Iterator[str]:
    yield _HEADER.format(title="The numbered columns of each model, as data")
    yield "COLUMNS: Final[dict[str, tuple[tuple[int | None, str, str], ...]]] = {"
    for model, columns in models.items():
        rows = ", ".join(
            f"({number}, {double_quoted(name)}, {double_quoted(kind or '')})"
            for number, name, kind in columns
        )
        yield f"    {double_quoted(model)}: ({rows},),"
    yield "}"
    yield '"""Model → number, name and type of each column; a field without a number is no column."""'


def _schemas(schemas: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    yield _HEADER.format(title="The documented schemas, as data")
    yield "SCHEMAS: Final[dict[str, str]] = {"
    for name, schema in sorted(schemas.items()):
        yield from _schema(name, schema)
    yield "}"
    yield (
        '"""Schema → its fields (``name:type=a|b``, ``name!`` if required); nested ones are ``Schema.field``; '
        '``=`` in front is the name of another type."""'
    )


def _schema(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    if schema.get("alias_of"):
        yield f"    {double_quoted(name)}: {double_quoted('=' + schema['alias_of'])},"
        return
    fields = [
        field for field in schema["fields"] if field["name"] not in _ENVELOPE or not _is_reply(name, schema)
    ]
    inner = {field["name"]: field for field in fields if field.get("fields")}
    words = (_field(name, field, nested=field["name"] in inner) for field in fields)
    yield f"    {double_quoted(name)}: {double_quoted(_SEPARATOR.join(words))},"
    for field in inner.values():
        yield from _schema(f"{name}.{field['name']}", field)


def _is_reply(name: str, schema: Mapping[str, Any]) -> bool:
    """Return whether a schema is an envelope; some objects have an error of their own, and keep its fields."""
    names = {field["name"] for field in schema["fields"]}
    return "response" in name.lower() and {"error", "error_params"} <= names


def _field(owner: str, field: Mapping[str, Any], *, nested: bool) -> str:
    kind = field.get("type") or "object"
    if nested:
        kind = kind.replace("object", f"{owner}.{field['name']}")
    values = "=" + "|".join(map(str, field["enum"])) if field.get("enum") else ""
    needed = "!" if field.get("required") else ""
    return f"{field['name']}{needed}:{kind}{values}"
