"""One entity's module: codes, table, record class, and the part that only type checkers read."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs

from .zeyos_facts import EntityFacts, FieldFacts

_PYTHON_TYPES: Final = {
    "integer": "int",
    "number": "float",
    "text": "str",
    "time": "datetime",
    "json": "Any",
    "array": "Any",
    "binary": "Any",
}
_INPUT_TYPES: Final = _PYTHON_TYPES | {
    "number": "float | Decimal",
    "time": "datetime | int",
    "binary": "BinaryInput",
}
_FIELD_TYPES: Final = {
    "integer": "NumberField[int]",
    "number": "NumberField[float]",
    "text": "TextField",
    "time": "TimeField",
    "json": "JsonField",
    "array": "JsonField",
    "binary": "JsonField",
}
_FIELD_CLASSES: Final = (
    "CodeField",
    "ExtdataField",
    "FieldNamespace",
    "JsonField",
    "NumberField",
    "ReferenceField",
    "TextField",
    "TimeField",
)
_TYPING_NAMES: Final = ("ClassVar", "Required", "TypedDict", "Unpack", "overload")
_RESOURCE_CLASSES: Final = ("Auto", "ReadableResource", "WritableResource")
_NAME: Final = re.compile(r"\w+")
_OWN_NAMES: Final = frozenset({"etag", "extra", "f", "extdata", "tags"})
_FLAG: Final = {0: "", 1: ""}


@attrs.frozen
class EntityModule:
    """An entity with all that its module is rendered from.

    Attributes:
        entity: Its facts.
        actions: What the API offers for it.
        singulars: Name of each entity → CamelCase name of its record.
    """

    entity: EntityFacts
    actions: frozenset[str]
    singulars: Mapping[str, str]

    @property
    def writable(self) -> bool:
        """Whether the API offers to create records."""
        return "create" in self.actions

    def coded(self) -> list[FieldFacts]:
        """Return the fields whose codes have names."""
        return [field for field in self.entity.fields if any(field.codes.values())]

    def code_class(self, field: FieldFacts) -> str:
        """Return the name of the enum of a coded field."""
        return self.entity.singular + field.name[:1].upper() + field.name[1:]

    def etag_name(self) -> str:
        """Return the attribute of our ETag, which gives way to a field of that name."""
        return "etag_" if "etag" in {field.name for field in self.entity.fields} else "etag"


def attribute_name(field: FieldFacts) -> str:
    """Return the Python name of a field: a keyword gets an underscore.

    Raises:
        ValueError: The name is one of our own on a record, and nobody decided what gives way.
    """
    if field.name in _OWN_NAMES - {"etag"}:
        raise ValueError(f"the field {field.name!r} has the name of something of ours on a record")
    return field.name + "_" if keyword.iskeyword(field.name) else field.name


def render_entity(source: EntityModule, header: str) -> str:
    """Render the module of one entity."""
    body = [line for part in (_codes, _table, _record) for line in part(source)]
    typing = list(_typing(source))
    # Imports follow from the words that the module uses, so that none is unused and none is forgotten.
    needed = _NAME.findall("\n".join(body + typing))
    return "\n".join([*_opening(source, header, frozenset(needed)), *body, *typing])


def _opening(source: EntityModule, header: str, needed: frozenset[str]) -> Iterator[str]:
    yield header
    yield f'"""``{source.entity.name}``: the table, the codes and the record class ``{source.entity.singular}``."""'
    yield from ("", "from __future__ import annotations", "")
    yield "from collections.abc import Mapping"
    if "datetime" in needed:
        yield "from datetime import datetime"
    yield f"from typing import {_listed(needed, ('TYPE_CHECKING', 'Any', 'Final'))}"
    yield from ("", "import attrs", "")
    if codes := _listed(needed, ("FLAG", "Code", "names_of")):
        yield f"from zeyos_async.codes import {codes}"
    yield "from zeyos_async.records import EMPTY"
    yield "from zeyos_async.records import Record as _Base"
    yield "from zeyos_async.schema import Entity, Field, Kind"
    yield from ("", "from . import entity as _entity", "")
    yield from _typing_imports(source, needed)


def _typing_imports(source: EntityModule, needed: frozenset[str]) -> Iterator[str]:
    yield "if TYPE_CHECKING:"
    if "Decimal" in needed:
        yield "    from decimal import Decimal"
    yield f"    from typing import {_listed(needed, _TYPING_NAMES)}"
    yield ""
    if source.writable:
        yield "    from zeyos_async.filters import Condition"
    classes = [name for name in _FIELD_CLASSES if name in needed]
    yield f"    from zeyos_async.filters.builder import {', '.join(classes)}"
    if inputs := _listed(needed, ("BinaryInput", "TagsInput")):
        yield f"    from zeyos_async.records import {inputs}"
    module = "writable" if "WritableResource" in needed else "readable"
    yield f"    from zeyos_async.services.zeyos.{module} import {_listed(needed, _RESOURCE_CLASSES)}"
    targets = sorted({field.target for field in source.entity.fields if field.target} - {source.entity.name})
    if targets:
        yield ""
    yield from (f"    from .{target} import {source.singulars[target]}Reference" for target in targets)


def _listed(needed: frozenset[str], names: Sequence[str]) -> str:
    return ", ".join(name for name in names if name in needed)


def _codes(source: EntityModule) -> Iterator[str]:
    for field in source.coded():
        yield from ("", "", f"class {source.code_class(field)}(Code):")
        yield f'    """Codes of ``{source.entity.name}.{field.name}``."""'
        yield ""
        yield from (f"    {name} = {code}" for code, name in field.codes.items() if name)


def _table(source: EntityModule) -> Iterator[str]:
    entity = source.entity
    yield from ("", "", "_FIELDS: Final = (")
    for field in entity.fields:
        yield f"    Field({', '.join(_field_arguments(source, field))}),"
    yield from (")", "", "ENTITY: Final = Entity(")
    yield f"    name={entity.name!r},"
    yield f"    singular={entity.singular!r},"
    yield "    fields={field.name: field for field in _FIELDS},"
    yield f"    operations=frozenset({{{', '.join(map(repr, sorted(source.actions)))}}}),"
    if entity.extdata:
        yield "    extdata=True,"
    if entity.tags:
        yield "    tags=True,"
    yield from ("    related=_entity,", ")")


def _field_arguments(source: EntityModule, field: FieldFacts) -> Iterator[str]:
    yield repr(field.name)
    yield f"Kind.{field.kind.upper()}"
    if not field.nullable:
        yield "nullable=False"
    if field.codes:
        yield f"codes={_code_table(source, field)}"
    for name in (
        "required",
        "target",
        "minimum",
        "maximum",
        "exclusive",
        "min_length",
        "max_length",
        "pattern",
        "read_only",
    ):
        value = getattr(field, name)
        if value is not None and value is not False:
            yield f"{name}={value!r}"
    if attribute_name(field) != field.name:
        yield f"attribute={attribute_name(field)!r}"
    if field.choices:
        yield f"choices={tuple(field.choices)!r}"
    if field.only_in:
        yield f"only_in={field.only_in!r}"


def _code_table(source: EntityModule, field: FieldFacts) -> str:
    if field.codes == _FLAG:
        return "FLAG"
    if not any(field.codes.values()):
        return repr(field.codes)
    unnamed = (str(code) for code, name in field.codes.items() if not name)
    return f"names_of({', '.join((source.code_class(field), *unnamed))})"


def _record(source: EntityModule) -> Iterator[str]:
    entity = source.entity
    yield from ("", "", "@attrs.define(repr=False)", f"class {entity.singular}(_Base):")
    yield f'    """One record of ``{entity.name}``."""'
    yield from ("", "    __entity__ = ENTITY")
    if source.etag_name() != "etag":
        yield f"    __etag__ = {source.etag_name()!r}"
    yield ""
    for field in entity.fields:
        default = "attrs.field(default=None, repr=False)" if field.format == "password" else "None"
        type_ = _optional(_value_type(source, field))
        if field.name == "ID":  # every record of the server has one: users need not look out for None
            type_, default = "int", "attrs.field(default=None)"
        yield f"    {attribute_name(field)}: {type_} = {default}"
    if entity.extdata:
        yield "    extdata: dict[str, Any] | None = None"
    if entity.tags:
        yield "    tags: list[str] | None = None"
    yield f"    {source.etag_name()}: str | None = attrs.field(default=None, eq=False)"
    yield "    extra: Mapping[str, Any] = EMPTY"
    yield from ("", "    if TYPE_CHECKING:", f"        f: ClassVar[{entity.singular}Fields]")


def _value_type(source: EntityModule, field: FieldFacts) -> str:
    return source.code_class(field) if any(field.codes.values()) else _PYTHON_TYPES[field.kind]


def _optional(type_: str) -> str:
    # `Any | None` would say that None has to be looked out for, which `Any` hides anyway.
    return type_ if type_ == "Any" else f"{type_} | None"


def _typing(source: EntityModule) -> Iterator[str]:
    """Yield the part of a module that only type checkers read."""
    blocks = [_names_class(source), _namespace_classes(source)]
    if source.writable:
        blocks += [_input_class(source, create=True), _input_class(source, create=False)]
    blocks.append(_resource_class(source))
    yield from ("", "", "if TYPE_CHECKING:")
    for block in blocks:
        yield ""
        yield from (f"    {line}".rstrip() for line in block)


def _names_class(source: EntityModule) -> Iterator[str]:
    yield f"class _{source.entity.singular}Names:"
    for field in source.entity.fields:
        yield f"    {attribute_name(field)}: {_field_type(source, field)}"
    if source.entity.extdata:
        yield "    extdata: ExtdataField"


def _field_type(source: EntityModule, field: FieldFacts) -> str:
    if field.target:
        return f"{source.singulars[field.target]}Reference"
    if field.codes:
        return f"CodeField[{source.code_class(field) if any(field.codes.values()) else 'int'}]"
    return _FIELD_TYPES[field.kind]


def _namespace_classes(source: EntityModule) -> Iterator[str]:
    singular = source.entity.singular
    yield f"class {singular}Fields(FieldNamespace, _{singular}Names): ..."
    yield ""
    yield f"class {singular}Reference(ReferenceField, _{singular}Names, frozen=True, eq=False): ..."


def _input_class(source: EntityModule, *, create: bool) -> Iterator[str]:
    yield f"class {source.entity.singular}{'Create' if create else 'Update'}(TypedDict, total=False):"
    for field in source.entity.fields:
        if not field.read_only:
            type_ = _input_type(source, field)
            yield f"    {attribute_name(field)}: {f'Required[{type_}]' if create and field.required else type_}"
    if source.entity.extdata:
        yield "    extdata: Mapping[str, Any]"
    if source.entity.tags:
        yield from (f"    {name}: TagsInput" for name in ("tags", "add_tags", "remove_tags"))


def _input_type(source: EntityModule, field: FieldFacts) -> str:
    if any(field.codes.values()):
        type_ = f"{source.code_class(field)} | int"
    elif field.codes == _FLAG:
        type_ = "bool | int"
    else:
        type_ = _INPUT_TYPES[field.kind]
    return _optional(type_) if field.nullable else type_


def _resource_class(source: EntityModule) -> Iterator[str]:
    singular = source.entity.singular
    base = "WritableResource" if source.writable else "ReadableResource"
    yield f"class {source.entity.plural}({base}[{singular}]):"
    yield from ("    @property", f"    def f(self) -> {singular}Fields: ...")
    if not source.writable:
        return
    yield from ("", "    @overload  # type: ignore[override]")
    key = ("*", "reconcile: Condition | None = ...")
    with_record = ("self", f"record: {singular}", "/", *key, f"**fields: Unpack[{singular}Update]")
    with_fields = ("self", *key, f"**fields: Unpack[{singular}Create]")
    for overload, parameters in enumerate((with_record, with_fields)):
        if overload:
            yield "    @overload"
        yield f"    async def create({', '.join(parameters)}) -> {singular}: ..."
    # The implementation's signature: without it, type checkers refuse overloads outside of stubs.
    yield f"    async def create(self, *record: Any, **fields: Any) -> {singular}: ..."
    yield ""
    parameters = (
        "self",
        f"record: {singular} | int",
        "/",
        "*",
        "if_match: str | Auto | None = ...",
        f"**changes: Unpack[{singular}Update]",
    )
    yield "    async def update(  # type: ignore[override]"
    yield f"        {', '.join(parameters)}"
    yield f"    ) -> {singular}: ..."
