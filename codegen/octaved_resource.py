"""Renders one resource of Octaved Flow: tables, record class, and what only type checkers read."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Sequence
from typing import Final

from .octaved_facts import ResourceFacts
from .zeyos_facts import FieldFacts

ID: Final = "^[0-9A-F]{32}$"

_PYTHON_TYPES: Final = {
    "integer": "int",
    "number": "float",
    "text": "str",
    "boolean": "bool",
    "time": "datetime",
    "clock": "WallClock",
    "date": "date",
    "json": "Any",
    "array": "list[Any]",
}
_INPUT_TYPES: Final = _PYTHON_TYPES | {
    "number": "float | Decimal",
    "clock": "datetime",
    "date": "date | str",
    "json": "Mapping[str, Any]",
    "array": "Sequence[Any]",
}
_CALENDAR: Final = {"date": {"date"}, "datetime": {"time", "clock"}}
_FIELD_TYPES: Final = {"text": "TextField", "boolean": "BooleanField"}
_OWN_NAMES: Final = frozenset({"etag", "extra", "f"})
_NAME: Final = re.compile(r"\w+")
_RESOURCE_CLASSES: Final = {
    # name → the hand-written class that has its operations
    "customers": "CustomerResource",
    "billings": "BillingResource",
}


def render_resource(facts: ResourceFacts, header: str) -> str:
    """Render the module of one resource.

    Raises:
        ValueError: A field has a name that a record can't have.
    """
    for field in facts.record:
        # Unlike those of ZeyOS, no name needs to give way today; who adds one decides which.
        if keyword.iskeyword(field.name) or field.name in _OWN_NAMES:
            raise ValueError(f"{facts.name}.{field.name}: the name is taken on records")
    body = [line for part in (_tables, _record) for line in part(facts)]
    typing = list(_typing(facts))
    return "\n".join([*_opening(facts, header, body, typing), *body, *typing])


def _opening(facts: ResourceFacts, header: str, body: Sequence[str], typing: Sequence[str]) -> Iterator[str]:
    needed = frozenset(_NAME.findall("\n".join([*body, *typing])))
    yield header
    yield f'"""``{facts.name}``: the tables and the record class ``{facts.singular}``."""'
    yield from ("", "from __future__ import annotations", "", "from collections.abc import Mapping")
    kinds = {field.kind for field in (*facts.record, *facts.writes)}
    if days := [name for name, of in _CALENDAR.items() if kinds & of]:
        yield f"from datetime import {', '.join(days)}"
    yield from ("from typing import TYPE_CHECKING, Any, Final", "", "import attrs", "")
    yield "from zeyos_async.records import EMPTY"
    yield f"from zeyos_async.schema import Entity, Field, Kind{', WallClock' if 'WallClock' in needed else ''}"
    yield "from zeyos_async.services.octaved.tables import FlowRecord, Schema"
    yield from ("", "from .common import ID", "", "if TYPE_CHECKING:")
    if "Sequence" in needed:
        yield "    from collections.abc import Sequence"
    if "Decimal" in needed:
        yield "    from decimal import Decimal"
    names = ("ClassVar", "Literal", "Required", "TypedDict", "Unpack")
    yield f"    from typing import {', '.join(name for name in names if name in needed)}"
    yield ""
    fields = [name for name in ("BooleanField", "FieldNamespace", "TextField") if name in needed]
    yield f"    from zeyos_async.filters.builder import {', '.join(fields)}"
    yield f"    from zeyos_async.services.octaved.resources import {_resource_base(facts)}"


def _resource_base(facts: ResourceFacts) -> str:
    return _RESOURCE_CLASSES.get(facts.name, "FlowResource")


def _tables(facts: ResourceFacts) -> Iterator[str]:
    for name, fields in (("_RECORD", facts.record), ("_WRITES", facts.writes), ("_IDENTS", facts.idents)):
        yield from ("", "") if name == "_RECORD" else ("",)
        if not fields:
            yield f"{name}: Final[tuple[Field, ...]] = ()"
            continue
        yield f"{name}: Final = ("
        for field in fields:
            yield f"    Field({', '.join(_field_arguments(field))}),"
        yield ")"
    yield from (
        "",
        "ENTITY: Final = Entity(",
        f'    name="{facts.name}",',
        f'    singular="{facts.singular}",',
    )
    yield "    fields={field.name: field for field in _RECORD},"
    yield f"    operations=frozenset({{{', '.join(map(repr, sorted(facts.operations)))}}}),"
    yield from (")", "", "SCHEMA: Final = Schema(", "    entity=ENTITY,")
    yield "    writes={field.name: field for field in _WRITES},"
    if facts.fixed:
        yield f"    fixed=frozenset({{{', '.join(map(repr, facts.fixed))}}}),"
    yield "    idents={field.name: field for field in _IDENTS},"
    if facts.yields:
        yield "    yields=True,"
    yield ")"


def _field_arguments(field: FieldFacts) -> Iterator[str]:
    yield repr(field.name)
    yield f"Kind.{field.kind.upper()}"
    if not field.nullable and not field.read_only:
        yield "nullable=False"
    if field.required:
        yield "required=True"
    for name in ("min_length", "max_length"):
        if (value := getattr(field, name)) is not None:
            yield f"{name}={value}"
    if field.pattern is not None:
        yield "pattern=ID" if field.pattern == ID else f"pattern={field.pattern!r}"
    if field.read_only:
        yield "read_only=True"
    if field.choices:
        yield f"choices={tuple(field.choices)!r}"


def _record(facts: ResourceFacts) -> Iterator[str]:
    yield from ("", "", "@attrs.define(repr=False)", f"class {facts.singular}(FlowRecord):")
    yield f'    """One record of ``{facts.name}``."""'
    yield from ("", "    __entity__ = ENTITY", "    __schema__ = SCHEMA", "")
    for field in facts.record:
        type_ = _PYTHON_TYPES[field.kind]
        yield f"    {field.name}: {type_ if type_ == 'Any' else f'{type_} | None'} = None"
    yield "    extra: Mapping[str, Any] = EMPTY"
    yield from ("", "    if TYPE_CHECKING:", f"        f: ClassVar[{facts.singular}Idents]")


def _typing(facts: ResourceFacts) -> Iterator[str]:
    """Yield the part of a module that only type checkers read."""
    blocks = [_idents_class(facts), _input_class(facts, create=True)]
    if "patch" in facts.operations:
        blocks.append(_input_class(facts, create=False))
    blocks.append(_resource_class(facts))
    yield from ("", "", "if TYPE_CHECKING:")
    for block in blocks:
        yield ""
        yield from (f"    {line}".rstrip() for line in block)


def _idents_class(facts: ResourceFacts) -> Iterator[str]:
    if not facts.idents:
        yield f"class {facts.singular}Idents(FieldNamespace): ..."
        return
    yield f"class {facts.singular}Idents(FieldNamespace):"
    for field in facts.idents:
        yield f"    {field.name}: {_FIELD_TYPES[field.kind]}"


def _input_class(facts: ResourceFacts, *, create: bool) -> Iterator[str]:
    yield f"class {facts.singular}{'Create' if create else 'Patch'}(TypedDict, total=False):"
    for field in facts.writes:
        if create or field.name not in facts.fixed:
            yield f"    {field.name}: {_input_type(field, required=create and field.required)}"


def _input_type(field: FieldFacts, *, required: bool) -> str:
    type_ = _INPUT_TYPES[field.kind]
    if field.choices:
        type_ = f"Literal[{', '.join(map(repr, field.choices))}]"
    elif field.kind == "array" and field.pattern:
        type_ = "Sequence[str]"
    type_ += " | None" if field.nullable else ""
    return f"Required[{type_}]" if required else type_


def _resource_class(facts: ResourceFacts) -> Iterator[str]:
    singular = facts.singular
    base = _resource_base(facts)
    yield (
        f"class {facts.plural}({base}[{singular}]):"
        if base == "FlowResource"
        else f"class {facts.plural}({base}):"
    )
    yield from ("    @property", f"    def f(self) -> {singular}Idents: ...")
    yield "    async def create(  # type: ignore[override]"
    yield f"        self, **fields: Unpack[{singular}Create]"
    yield "    ) -> str: ..."
    yield "    async def put(  # type: ignore[override]"
    yield f"        self, record: {singular} | str, /, **fields: Unpack[{singular}Create]"
    yield "    ) -> str: ..."
    if "patch" not in facts.operations:
        return
    extra = "delete_locations: bool = ..., " if facts.name == "customers" else ""
    yield "    async def patch(  # type: ignore[override]"
    yield f"        self, record: {singular} | str, /, {'*, ' if extra else ''}{extra}**changes: Unpack[{singular}Patch]"
    yield "    ) -> None: ..."
