"""The facts of the ZeyOS database that the emulator needs: columns, keys, rules.

``python -m codegen.zeyos_database <dbref.json> <api.json>`` reads the vendor's database reference
and OpenAPI file and writes ``specs/zeyos/database.json``: names, types, rules, nothing of the prose.
``render()`` turns that file into the emulator's table module.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from .check_constraints import parse_check

FACTS: Final = Path(__file__).parent / "specs" / "zeyos" / "database.json"
OUTPUT: Final = "zeyos_async/testing/zeyos/_generated/tables.py"
_PACKAGE: Final = "zeyos_async/testing/zeyos/_generated/__init__.py"

_FOREIGN_KEY: Final = re.compile(
    r'FOREIGN KEY \("?(\w+)"?\) REFERENCES (\w+)\("ID"\)(?: ON DELETE (CASCADE|SET NULL))? DEFERRABLE'
)
_LOWER: Final = re.compile(r"lower\((\w+)::text\)")
_METHODS: Final = {("", "post"): "list", ("", "put"): "create"} | {
    ("/{ID}", verb): name
    for verb, name in (("get", "get"), ("head", "exists"), ("patch", "update"), ("delete", "delete"))
}
_NOW: Final = ("date_part('epoch', now())", "EXTRACT(epoch FROM now())")


def extract_tables(dbref: Iterable[Mapping[str, Any]], api: Mapping[str, Any]) -> dict[str, Any]:
    """Return entity → its facts, for every entity that the API offers."""
    tables = {table["name"]: table for table in dbref}
    names = [tag["name"] for tag in api["tags"] if tag["name"] in tables]
    return {name: _entity(name, tables, api) for name in names}


def _entity(name: str, tables: Mapping[str, Any], api: Mapping[str, Any]) -> dict[str, Any]:
    table, schemas = tables[name], api["components"]["schemas"]
    properties = schemas[name]["properties"]
    columns = [_column(field, properties.get(field["name"])) for field in table["fields"]]
    column_names = {column["name"] for column in columns}
    # The API may know a field that the database reference lacks; the code range is all there is to it.
    columns += [_api_only(key, value) for key, value in properties.items() if key not in column_names]
    written = _writable_pseudo_fields(schemas.get(f"request-{name}", {}))
    return {
        "methods": sorted(_methods(name, api)),
        "options": sorted(_get_options(name, api)),
        "writes": written,
        "extdata": f"extdataregular_{name}" in tables,
        "columns": columns,
        "foreign_keys": [
            _foreign_key(item) for item in table["constraints"] if item["type"] == "foreign_key"
        ],
        "unique": [_unique(index) for index in table["indexes"] if index["unique"] and not index["primary"]],
        "checks": [*_checks(name, table), *_api_checks(name, column_names, properties)],
        "search": sorted(i["keys"][0] for i in table["indexes"] if i["name"].startswith(f"s_{name}_")),
    }


def _column(field: Mapping[str, Any], described: Mapping[str, Any] | None) -> dict[str, Any]:
    column: dict[str, Any] = {"name": field["name"], "type": field["type"]}
    if field["notnull"]:
        column["notnull"] = True
    if field["default"] is not None:
        column["default"] = "now" if field["default"] in _NOW else _literal(field["default"])
    if described is None:
        column["hidden"] = True
    elif "binfile-field" in described.get("$ref", ""):
        column["binfile"] = True
    codes = [code for code in (described or {}).get("enum", []) if code is not None]
    if codes:
        column["codes"] = codes
    return column


def _literal(default: str) -> Any:
    return default[1:-1] if default.startswith("'") else int(default)


def _api_only(name: str, described: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "type": "smallint",
        "notnull": True,
        "default": described.get("default", 0),
        "codes": described["enum"],
    }


def _api_checks(name: str, column_names: set[str], properties: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": f"dc_{name}_{key}", "expression": ["in", ["col", key], value["enum"]]}
        for key, value in properties.items()
        if key not in column_names
    ]


def _methods(name: str, api: Mapping[str, Any]) -> set[str]:
    methods = {
        method
        for (suffix, verb), method in _METHODS.items()
        if verb in api["paths"].get(f"/{name}{suffix}", {})
    }
    # One read is in the vendor's reference alone, not in its OpenAPI file.
    return methods | {"get", "exists"} if name == "binfiles" else methods


def _get_options(name: str, api: Mapping[str, Any]) -> set[str]:
    operation = api["paths"].get(f"/{name}/{{ID}}", {}).get("get", {})
    references = {parameter["$ref"].rsplit("/", 1)[-1] for parameter in operation.get("parameters", ())}
    options = references & {"expand", "extdata", "tags"}
    return options | {"expand"} if name == "binfiles" else options


def _writable_pseudo_fields(schema: Mapping[str, Any]) -> list[str]:
    references = {part.get("$ref", "").rsplit("/", 1)[-1] for part in schema.get("allOf", ())}
    return [name for name in ("extdata", "tags") if f"{name}-field" in references]


def _foreign_key(constraint: Mapping[str, Any]) -> dict[str, Any]:
    match = _FOREIGN_KEY.fullmatch(constraint["def"])
    if match is None:
        raise ValueError(f"can't read the foreign key {constraint['name']}")
    column, table, action = match.groups()
    key = {"name": constraint["name"], "column": column, "table": table}
    return key | ({"on_delete": action} if action else {})


def _unique(index: Mapping[str, Any]) -> dict[str, Any]:
    constraint: dict[str, Any] = {"name": index["name"], "columns": index["keys"]}
    if lowered := _LOWER.search(index["def"]):
        constraint |= {"columns": [lowered.group(1)], "lower": True}
    if not index["nullsdistinct"]:
        constraint["nulls_equal"] = True
    if index["partial"]:
        constraint["where"] = parse_check(f"CHECK ({index['def'].split(' WHERE ', 1)[1]})")
    return constraint


def _checks(name: str, table: Mapping[str, Any]) -> list[dict[str, Any]]:
    columns = {field["name"] for field in table["fields"]}
    checks = []
    for constraint in table["constraints"]:
        if constraint["type"] != "check":
            continue
        # A domain's rule is named for its column; its table part can be another table's.
        column = constraint["name"].split("_", 2)[2] if constraint["domain"] else None
        if column is not None and column not in columns:
            raise ValueError(f"{constraint['name']} belongs to no column")
        expression = parse_check(constraint["def"], column)
        checks.append({"name": constraint["name"], "expression": expression})
    return checks


def render() -> dict[str, str]:
    """Return path from the project root → source of the emulator's table module."""
    facts = json.loads(FACTS.read_text(encoding="utf-8"))
    tables = "\n".join(_table_source(name, entity) for name, entity in facts.items())
    return {_PACKAGE: _PACKAGE_TEXT, OUTPUT: _HEADER + tables}


_PACKAGE_TEXT: Final = '"""Generated tables of the emulator; see codegen/zeyos_database.py."""\n'
_HEADER: Final = '''"""The tables of the ZeyOS database, as data. Generated from codegen/specs/zeyos/database.json.

Do not edit: change the generator (codegen/zeyos_database.py) and run ``python -m codegen``.
"""

# fmt: off

from __future__ import annotations

from typing import Final

from ..table_definitions import Check, Column, ForeignKey, Table, Unique

TABLES: Final[dict[str, Table]] = {}

'''


def _table_source(name: str, entity: Mapping[str, Any]) -> str:
    scalars = "".join(
        f"    {key}={_source(entity[key])},\n"
        for key in ("methods", "options", "writes", "extdata", "search")
    )
    return (
        f'TABLES["{name}"] = Table(\n    name="{name}",\n{scalars}'
        f"    columns=({_lines(entity['columns'], 'Column')}),\n"
        f"    foreign_keys=({_lines(entity['foreign_keys'], 'ForeignKey')}),\n"
        f"    unique=({_lines(entity['unique'], 'Unique')}),\n"
        f"    checks=({_lines(entity['checks'], 'Check')}),\n)\n"
    )


def _lines(items: Iterable[Mapping[str, Any]], kind: str) -> str:
    lines = [
        f"\n        {kind}({', '.join(f'{k}={_source(v)}' for k, v in item.items())})," for item in items
    ]
    return "".join(lines) + ("\n    " if lines else "")


def _source(value: Any) -> str:
    if isinstance(value, list):
        items = ", ".join(_source(item) for item in value)
        return f"({items},)" if len(value) == 1 else f"({items})"
    return json.dumps(value, ensure_ascii=True) if isinstance(value, str) else repr(value)


def main(arguments: list[str]) -> int:
    """Write the facts file from the vendor's two files, given by path."""
    if len(arguments) != 2:
        print("usage: python -m codegen.zeyos_database <dbref.json> <api.json>", file=sys.stderr)
        return 2
    dbref, api = (json.loads(Path(path).read_text(encoding="utf-8")) for path in arguments)
    facts = extract_tables(dbref, api)
    FACTS.parent.mkdir(parents=True, exist_ok=True)
    FACTS.write_text(_facts_text(facts), encoding="utf-8")
    print(f"{FACTS}: {len(facts)} entities")
    return 0


def _facts_text(facts: Mapping[str, Any]) -> str:
    """Return JSON with a line for each column and rule, so that a new version shows as a short difference."""
    entities = []
    for name, entity in facts.items():
        parts = []
        for key, value in entity.items():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                rows = ",\n".join(f"      {json.dumps(item)}" for item in value)
                parts.append(f"    {json.dumps(key)}: [\n{rows}\n    ]")
            else:
                parts.append(f"    {json.dumps(key)}: {json.dumps(value)}")
        entities.append(f"  {json.dumps(name)}: {{\n" + ",\n".join(parts) + "\n  }")
    return "{\n" + ",\n".join(entities) + "\n}\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
