"""``python -m codegen.ox_extract FOLDER`` copies the facts out of the catalogue of Open-Xchange's HTTP API.

FOLDER holds ``operations.json``, ``schemas.json``, ``columns.json`` and ``undocumented_actions.json``. Only facts
are kept: names, types, methods, parts; never sentences, and nothing about how the catalogue was made.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from .zeyos_facts import SPECS

OPERATIONS: Final = SPECS / "ox" / "operations.json"
SCHEMAS: Final = SPECS / "ox" / "schemas.json"
COLUMNS: Final = SPECS / "ox" / "columns.json"

_KEPT: Final = (
    "module",
    "method",
    "path",
    "action",
    "operation_id",
    "params",
    "fixed_query",
    "body",
    "response",
    "security",
    "oauth_scopes",
    "oauth_scope_rule",
    "deprecated",
    "removed_in_8",
    "since",
    "registered_in_8_19",
    "source",
)


def _operation(entry: Mapping[str, Any]) -> dict[str, Any]:
    facts = {name: entry[name] for name in _KEPT if entry.get(name) not in (None, [], {})}
    facts["params"] = [_trimmed(param) for param in entry["params"]]
    if "operation_id" not in facts:
        facts["operation_id"] = entry["action"]
    if entry["registered_in_8_19"] is False:
        facts["registered_in_8_19"] = False
    return facts


def _trimmed(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry without the values that are empty or false."""
    trimmed = {name: value for name, value in entry.items() if value not in (None, False, [])}
    if "default" in entry:
        trimmed["default"] = entry["default"]
    if "fields" in trimmed:
        trimmed["fields"] = [_trimmed(field) for field in trimmed["fields"]]
    return trimmed


def _schema(entry: Mapping[str, Any]) -> dict[str, Any]:
    facts = {name: entry[name] for name in ("alias_of", "nested", "variants") if entry.get(name)}
    return {**facts, "fields": [_trimmed(field) for field in entry["fields"]]}


def _lines(items: Iterable[str], brackets: str) -> str:
    """Return JSON with one item a line, so that a change shows as the lines it changes."""
    return f"{brackets[0]}\n" + ",\n".join(items) + f"\n{brackets[1]}"


def _columns(catalogue: Mapping[str, Any]) -> str:
    models = (
        f"{json.dumps(model['model'])}: "
        + _lines((json.dumps([c["id"], c["name"], c["type"]]) for c in model["columns"]), "[]")
        for model in catalogue["columns"]
    )
    objects = (
        f"{json.dumps(name)}: {json.dumps([[f['name'], f.get('type')] for f in fields])}"
        for name, fields in catalogue["objects"].items()
    )
    values = (
        f"{json.dumps(name)}: {json.dumps([[v['value'], v['label']] for v in entries])}"
        for name, entries in catalogue["values"].items()
    )
    parts = {"columns": models, "objects": objects, "values": values}
    texts = [f"{json.dumps(name)}: {_lines(items, '{}')}" for name, items in parts.items()]
    texts.append(f'"permission_bits": {json.dumps(catalogue["permission_bits"])}')
    return _lines(texts, "{}") + "\n"


def main(folder: Path) -> None:
    """Write the three files."""
    read = {
        name: json.loads((folder / f"{name}.json").read_text("utf-8")) for name in ("operations", "schemas")
    }
    columns = json.loads((folder / "columns.json").read_text("utf-8"))
    OPERATIONS.parent.mkdir(parents=True, exist_ok=True)
    operations = sorted(
        map(_operation, read["operations"]),
        key=lambda operation: (operation["path"], operation.get("action") or "", operation["method"]),
    )
    OPERATIONS.write_text(_lines(map(json.dumps, operations), "[]") + "\n", "utf-8")
    schemas = (
        f"{json.dumps(name)}: {json.dumps(_schema(entry))}" for name, entry in sorted(read["schemas"].items())
    )
    SCHEMAS.write_text(_lines(schemas, "{}") + "\n", "utf-8")
    COLUMNS.write_text(_columns(columns), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
