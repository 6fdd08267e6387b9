"""The record classes of Open-Xchange: tables, classes, and the types of what is written."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from .ox_schemas import OxFieldFacts, OxSchemaFacts

PACKAGE: Final = "zeyos_async.services.ox"

_READ: Final = {
    "any": "Any",
    "text": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "date": "Day",
    "time": "Instant",
    "stamp": "Instant",
    "date_or_time": "Day",
    "event": "Day",
}
_WRITTEN: Final = _READ | {
    "time": "Instant | int",
    "stamp": "Instant | int",
    "event": "Day | Mapping[str, str]",
}
_FOLDERS: Final = {"folder_id": "InFolderId", "folder": "InFolder", "folderId": "InCamelFolder"}
_SECRET: Final = re.compile(r"password|secret|token|^session$|^pin$", re.IGNORECASE)
_NAME: Final = re.compile(r"\w+")


def record_base(schema: OxSchemaFacts) -> str:
    """Return the base of a schema's class: where it has a folder, one that gives the folder its other names."""
    folder_fields = [field for field in schema.fields if field.name in _FOLDERS]
    if len(folder_fields) != 1 or folder_fields[0].kind != "text" or folder_fields[0].many:
        return "OxRecord"
    return _FOLDERS[folder_fields[0].name]


def render_records(
    name: str,
    schemas: Sequence[OxSchemaFacts],
    written: frozenset[str],
    homes: Mapping[str, str],
    says: Mapping[str, str],
    header: str,
) -> str:
    """Render the module of some record classes.

    Args:
        name: The module.
        schemas: What becomes a class in it.
        written: Schemas that also need the type of what is written.
        homes: Schema → module, for the types that other modules have.
        says: Schema → what it is, of those that are met most.
        header: The first lines.
    """
    body = [line for schema in schemas for line in _class(schema, says.get(schema.name, ""))]
    typing = [line for schema in schemas if schema.name in written for line in _fields_type(schema)]
    return "\n".join([*_opening(name, schemas, homes, header, [*body, *typing]), *body, *_typing(typing)])


def _opening(
    name: str, schemas: Sequence[OxSchemaFacts], homes: Mapping[str, str], header: str, body: Sequence[str]
) -> Iterator[str]:
    needed = frozenset(_NAME.findall("\n".join(body)))
    yield header
    yield f'"""Record classes of Open-Xchange: {name}."""'
    yield from ("", "from __future__ import annotations", "", "from collections.abc import Mapping")
    yield from ("from typing import TYPE_CHECKING, Any", "", "import attrs", "")
    yield "from zeyos_async.records import EMPTY"
    bases = sorted({record_base(schema) for schema in schemas})
    yield f"from {PACKAGE}.records import {', '.join(bases)}"
    yield f"from {PACKAGE}.tables import WireField, WireSchema"
    yield f"from {PACKAGE}.values import WireKind"
    codes = sorted({field.codes for schema in schemas for field in schema.fields if field.codes})
    if codes:
        yield ""
        yield f"from .codes import {', '.join(codes)}"
    yield from _typing_imports(name, homes, needed)


def _typing_imports(name: str, homes: Mapping[str, str], needed: frozenset[str]) -> Iterator[str]:
    yield from ("", "if TYPE_CHECKING:")
    if "Sequence" in needed:
        yield "    from collections.abc import Sequence"
    if "Day" in needed:
        yield "    from datetime import date as Day"
    yield "    from datetime import datetime as Instant"
    if "TypedDict" in needed:
        yield "    from typing import TypedDict"
    yield ""
    yield f"    from {PACKAGE}.answers import OxWarning"
    elsewhere: dict[str, list[str]] = {}
    for one in sorted(needed):
        home = homes.get(one) or homes.get(one.removesuffix("Fields"), "")
        if home and home != name:
            elsewhere.setdefault(home, []).append(one)
    for home, names in sorted(elsewhere.items()):
        yield f"    from .{home} import {', '.join(names)}"


def _typing(lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield from ("", "", "if TYPE_CHECKING:")
        yield from (f"    {line}".rstrip() for line in lines)


# -- one class -------------------------------------------------------------------------------------


def _class(schema: OxSchemaFacts, says: str) -> Iterator[str]:
    attributes = {field.attribute for field in schema.fields}
    stamp, warned = (f"{name}_" if name in attributes else name for name in ("timestamp", "warnings"))
    yield from ("", "", "@attrs.define(repr=False)", f"class {schema.name}({record_base(schema)}):")
    yield f'    """{says or f"``{schema.name}`` of the document."}"""'
    yield ""
    yield from _model(schema)
    for ours, name in (("__timestamp_name__", stamp), ("__warnings_name__", warned)):
        if name.endswith("_"):
            yield f'    {ours} = "{name}"'
    yield ""
    for field in schema.fields:
        secret = field.kind == "text" and _SECRET.search(field.name)
        default = " = attrs.field(default=None, repr=False)" if secret else " = None"
        yield f"    {field.attribute}: {read_type(field)}{default}"
    yield "    extra: Mapping[str, Any] = EMPTY"
    yield f"    {stamp}: Instant | int | None = attrs.field(default=None, eq=False)"
    yield f"    {warned}: tuple[OxWarning, ...] = attrs.field(default=(), eq=False)"


def _model(schema: OxSchemaFacts) -> Iterator[str]:
    yield "    __schema__ = WireSchema("
    yield f'        "{schema.name}",'
    yield "        ("
    for field in schema.fields:
        yield f"            WireField({', '.join(_field_arguments(field))}),"
    yield "        ),"
    if schema.module:
        yield f'        "{schema.module}",'
    if schema.named:
        yield "        columns_by_name=True,"
    yield "    )"


def _field_arguments(field: OxFieldFacts) -> Iterator[str]:
    yield repr(field.name)
    if field.kind != "text" or field.column is not None:
        yield f"WireKind.{field.kind.upper()}"
    if field.column is not None:
        yield str(field.column)
    if field.attribute != field.name:
        yield f"attribute={field.attribute!r}"
    if field.record:
        yield f'record="{field.record}"'
    if field.codes:
        yield f"codes={field.codes}"
    yield from (
        f"{name}=True" for name in ("many", "read_only", "required", "costly") if getattr(field, name)
    )


def read_type(field: OxFieldFacts) -> str:
    """Return the type of a record's attribute."""
    if field.kind == "any":
        return field.python if field.python == "Any" else f"{field.python} | None"
    plain = field.record or field.codes or _READ[field.kind]
    return f"list[{plain}] | None" if field.many else f"{plain} | None"


def _written_type(field: OxFieldFacts) -> str:
    if field.kind == "any":
        plain = field.python if field.python != "list[list[str]]" else "Sequence[Sequence[str | None]]"
    else:
        plain = f"{field.record} | {field.record}Fields" if field.record else _WRITTEN[field.kind]
    if field.many:
        plain = f"Sequence[{plain}]"
    return plain if plain == "Any" else f"{plain} | None"


def _fields_type(schema: OxSchemaFacts) -> Iterator[str]:
    """Yield the type of a dict of the schema's fields; the folder may go by any of its names."""
    names = {field.name: _written_type(field) for field in schema.fields}
    folder = next((name for name in ("folder_id", "folder", "folderId") if name in names), "")
    if folder:
        names |= {name: names[folder] for name in ("folder", "folder_id") if name not in names}
    yield ""
    if all(name.isidentifier() and not keyword.iskeyword(name) for name in names):
        yield f"class {schema.name}Fields(TypedDict, total=False):"
        yield from (f"    {name}: {type_}" for name, type_ in names.items())
        return
    yield f"{schema.name}Fields = TypedDict("
    yield f'    "{schema.name}Fields",'
    yield "    {"
    yield from (f'        {name!r}: "{type_}",' for name, type_ in names.items())
    yield "    },"
    yield "    total=False,"
    yield ")"


# -- coded values ----------------------------------------------------------------------------------


def render_codes(enums: Mapping[str, Mapping[str, Any]], header: str) -> str:
    """Render the module of the classes of coded values."""
    return "\n".join([header, *_codes_lines(enums)])


def _codes_lines(enums: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    yield '"""The coded values of Open-Xchange."""'
    yield from ("", "from __future__ import annotations", "", "from zeyos_async.codes import Code", "")
    yield f"__all__ = {sorted(enums)!r}"
    for name, enum in enums.items():
        yield from ("", "", f"class {name}(Code):", f'    """{enum["says"]}"""', "")
        yield from (f"    {member} = {value}" for member, value in enum["values"].items())
