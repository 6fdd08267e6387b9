"""The schemas of Open-Xchange's HTTP API: from the catalogue and our corrections to record classes.

The documents describe an object up to three times: as a schema (names and JSON types), as a table of numbered columns
(names, numbers, and whether a number is a date), and in place inside of another schema or response. Nothing says which
of these belong together; the overlay's ``models`` do. A class is then made as follows:

- Fields come in the schema's order; columns that only a table has come last.
- The kind is the schema's, except for dates, which only the table of columns tells from numbers, and except for what
  the overlay says, of a field by its path or of all integers of a name.
- An object that is described in place becomes a schema of its own, named after its owner and field. Two that have the
  same field names are one schema, so that ``created_from`` and ``modified_from`` share a class.
- The envelope's fields, which the document repeats in every response, are left out of responses.

Schemas are resolved when they are first used, since those in place become known only on the way.
"""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import attrs

from .ox_extract import COLUMNS, SCHEMAS

ENVELOPE: Final = frozenset(
    [
        "error",
        "error_params",
        "error_id",
        "error_desc",
        "error_stack",
        "code",
        "categories",
        "category",
        "timestamp",
        "warnings",
    ]
)
"""The envelope's own fields, which every response of the document repeats."""

_ARRAY: Final = re.compile(r"array\[(.*)\]")
_PLAIN: Final = {
    "string": "text",
    "integer": "integer",
    "long": "integer",
    "number": "number",
    "boolean": "boolean",
    "binary": "any",
    "object": "any",
    "array": "any",
}
_COLUMN_KINDS: Final = {
    "String": "text",
    "Number": "integer",
    "int": "integer",
    "Integer": "integer",
    "Boolean": "boolean",
    "boolean": "boolean",
    "Time": "time",
    "Date": "date",
    "Timestamp": "stamp",
    "Date or Time": "date_or_time",
    "Datetime": "text",
    None: "text",
}
_DATES: Final = frozenset({"time", "date", "stamp", "date_or_time"})
_OURS: Final = frozenset({"extra", "f"})


@attrs.frozen(kw_only=True)
class OxFieldFacts:
    """One field of a schema.

    Attributes:
        name: The document's name.
        kind: A value of the library's ``Kind``.
        column: The number of its column.
        record: The schema of its objects.
        many: Whether it is a list of such values.
        python: The type of a value that has no kind of its own, such as ``list[str]``.
        codes: The class of its coded values.
        choices: The only texts that are allowed.
        read_only: Whether the server alone sets it.
        required: Whether the document says so.
        costly: Whether it is only asked for by name.
    """

    name: str
    kind: str = "text"
    column: int | None = None
    record: str = ""
    many: bool = False
    python: str = "Any"
    codes: str = ""
    choices: tuple[str, ...] = ()
    read_only: bool = False
    required: bool = False
    costly: bool = False

    @property
    def attribute(self) -> str:
        """The Python name."""
        plain = re.sub(r"\W", "_", self.name)
        return f"{plain}_" if keyword.iskeyword(plain) or plain in _OURS else plain


@attrs.frozen(kw_only=True)
class OxSchemaFacts:
    """One schema, which becomes a record class.

    Attributes:
        name: The class's name.
        fields: In the document's order; columns that the document lists elsewhere come last.
        module: The module whose objects these are.
        named: Whether its columns are asked for by name.
    """

    name: str
    fields: tuple[OxFieldFacts, ...]
    module: str = ""
    named: bool = False


class Schemas:
    """All schemas, resolved on demand: inline objects become schemas of their own.

    Args:
        overlay: The parts of our corrections that are about schemas.
    """

    def __init__(self, overlay: Mapping[str, Any]) -> None:
        self._renamed: Mapping[str, str] = overlay["renamed"]
        raw: dict[str, Any] = json.loads(SCHEMAS.read_text("utf-8"))
        self._raw = {self.name(name): schema for name, schema in raw.items()}
        self._columns: dict[str, Any] = json.loads(COLUMNS.read_text("utf-8"))["columns"]
        self._overlay = overlay
        self._resolved: dict[str, OxSchemaFacts] = {}
        self._inline: dict[tuple[str, ...], str] = {}
        for name in self._raw:
            if not self._raw[name].get("nested") and name not in self._renamed.values():
                self._inline.setdefault(_signature(self._raw[name]["fields"]), name)

    def __contains__(self, name: str) -> bool:
        return self.name(name) in self._raw or name in self._overlay["schemas"]

    def name(self, name: str) -> str:
        """Return the name of a schema's class."""
        return self._renamed.get(name, name)

    def __getitem__(self, name: str) -> OxSchemaFacts:
        if name not in self._resolved:
            self._resolved[name] = self._resolve(name)
        return self._resolved[name]

    @property
    def resolved(self) -> Mapping[str, OxSchemaFacts]:
        """Every schema that was resolved so far."""
        return self._resolved

    def raw_fields(self, name: str) -> list[dict[str, Any]]:
        """Return the catalogue's fields of a schema, as they are."""
        return list(self._raw[self.name(name)]["fields"])

    def list_reachable(self, name: str) -> Iterator[str]:
        """Yield the schema and those that its fields lead to, each once."""
        queue: list[str] = [name]
        for one in queue:
            yield one
            queue += [f.record for f in self[one].fields if f.record and f.record not in queue]

    # -- one schema --------------------------------------------------------------------------------

    def _resolve(self, name: str) -> OxSchemaFacts:
        override: Mapping[str, Any] = self._overlay["schemas"].get(name, {})
        model = self._overlay["models"].get(name, {})
        columns = self._columns_of(model.get("tables", ()))
        raw = self.raw_fields(override.get("base", name)) if _is_in_catalogue(override, name, self) else []
        raw = [field for field in raw if field["name"] not in ENVELOPE or not name.endswith("Response")]
        raw += [_parse_field(text) for text in override.get("fields", ())]
        fields = [self._field(name, field, columns) for field in raw]
        names = {field.name for field in fields}
        fields += [
            self._apply_overlay(
                name, OxFieldFacts(name=column, kind=_COLUMN_KINDS.get(kind, "any"), column=number)
            )
            for column, (number, kind) in columns.items()
            if column not in names and number is not None
        ]
        return OxSchemaFacts(
            name=name,
            fields=tuple(fields),
            module=model.get("module", ""),
            named=bool(model.get("named", False)),
        )

    def _columns_of(self, tables: Iterable[str]) -> dict[str, tuple[int | None, str | None]]:
        columns: dict[str, tuple[int | None, str | None]] = {}
        for table in tables:
            rows = {name: (number, kind) for number, name, kind in self._columns[table]}
            numbers = {number for number, _ in rows.values()}
            # The module's own table wins: 616 of a user is no name's reading, which it is of a contact.
            columns = {name: row for name, row in columns.items() if row[0] not in numbers} | rows
        return columns

    def _field(
        self, schema: str, raw: Mapping[str, Any], columns: Mapping[str, tuple[int | None, str | None]]
    ) -> OxFieldFacts:
        number, column_kind = columns.get(raw["name"], (None, None))
        type_, many = _split_array(raw["type"])
        kind, record, python = self.parse_type(schema, raw, type_)
        if raw["type"].startswith("array[array"):
            kind, many = "any", False
        if raw["type"] in ("long", "array[long]") and _COLUMN_KINDS.get(column_kind) in _DATES:
            kind = _COLUMN_KINDS[column_kind]
        return self._apply_overlay(
            schema,
            OxFieldFacts(
                name=raw["name"],
                kind=kind,
                column=number,
                record=record,
                many=many,
                python=python,
                choices=tuple(map(str, raw.get("enum", ()))) if kind == "text" else (),
                read_only=bool(raw.get("read_only")),
                required=bool(raw.get("required")),
            ),
        )

    def _apply_overlay(self, schema: str, field: OxFieldFacts) -> OxFieldFacts:
        """Return a field as the overlay corrects it: by its path, or by the name that it shares with others."""
        kinds: Mapping[str, str] = self._overlay["kinds"]
        kind = kinds.get(f"{schema}.{field.name}")
        if kind is None and field.kind == "integer":
            kind = kinds.get(field.name)
        changes: dict[str, Any] = {} if kind is None else {"kind": kind}
        codes: Mapping[str, str] = self._overlay["codes"]
        code_class = codes.get(f"{schema}.{field.name}", codes.get(field.name, ""))
        if code_class and (kind or field.kind) == "integer":
            changes["codes"] = code_class
        if f"{schema}.{field.name}" in self._overlay["costly"]:
            changes["costly"] = True
        return attrs.evolve(field, **changes)

    def parse_type(self, schema: str, raw: Mapping[str, Any], type_: str) -> tuple[str, str, str]:
        """Return kind, schema and Python type of a value."""
        base = self._overlay["schemas"].get(schema, {}).get("base", schema)
        if f"{base}.{raw['name']}" in self._overlay["inline"]:
            return self._as_record(self._overlay["inline"][f"{base}.{raw['name']}"], raw.get("fields"))
        if raw.get("fields"):
            return self._as_record(self._inline_name(schema, raw), raw["fields"])
        if type_ in _PLAIN:
            python = {"array": "list[Any]", "object": "dict[str, Any]"}.get(type_, "Any")
            return _PLAIN[type_], "", python
        if type_.startswith("array["):
            return "any", "", _python_type(raw["type"])
        if type_ == "DateTimeData":
            return "event", "", "Any"
        if type_ in self:
            return "record", self.name(type_), "Any"
        raise ValueError(f"{schema}.{raw['name']}: what is {type_!r}?")

    def _inline_name(self, schema: str, raw: Mapping[str, Any]) -> str:
        signature = _signature(raw["fields"])
        if signature not in self._inline:
            self._inline[signature] = schema + _camel(raw["name"])
        return self._inline[signature]

    def _as_record(self, name: str, fields: Any) -> tuple[str, str, str]:
        if fields and name not in self:
            self._raw[name] = {"fields": fields}
        return "record", name, "Any"


def _is_in_catalogue(override: Mapping[str, Any], name: str, schemas: Schemas) -> bool:
    return "base" in override or name not in schemas._overlay["schemas"]


def _signature(fields: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(sorted(field["name"] for field in fields))


def _split_array(type_: str) -> tuple[str, bool]:
    match = _ARRAY.fullmatch(type_)
    return (match.group(1), True) if match else (type_, False)


def _python_type(type_: str) -> str:
    inner, many = _split_array(type_)
    if many:
        return f"list[{_python_type(inner)}]"
    return {"string": "str", "integer": "int", "long": "int", "boolean": "bool"}.get(inner, "Any")


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[\W_]+", name))


def _parse_field(text: str) -> dict[str, Any]:
    """Read a field of the overlay: ``name: type``, with ``*`` if it is required."""
    name, _, type_ = text.partition(": ")
    return {"name": name, "type": type_.removesuffix("*"), "required": type_.endswith("*")}
