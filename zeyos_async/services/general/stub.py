"""A typed class for a model, written from its definition: for ``Query.into`` and for reading."""

from __future__ import annotations

import keyword
import re
from typing import Final

from .forms import Definition, FieldDefinition, enum_members
from .values import TEXT, WHOLE

__all__ = ["stub"]

_NON_WORD: Final = re.compile(r"\W+")


def stub(definition: Definition) -> str:
    """Return the source of a module with an attrs class for the rows of a model, and an enum for each enumeration.

    Lists show the text of an enumeration, so that such attributes are texts; the enums are for writes and
    for the values of ``get``. Passwords are in no list and are left out.

    Args:
        definition: The result of ``await api.model(…).definition()``.
    """
    name = _class_name(definition.model)
    fields = [field for field in definition.values() if not field.is_password]
    enums = [_enum_lines(name, field) for field in fields if field.choices]
    lines = [_attribute_line(field) for field in fields]
    imports = ["import enum", ""] if enums else []
    head = [
        f'"""Rows of the model {definition.model} of the General API, from its own definition."""',
        "",
        "from __future__ import annotations",
        "",
        *imports,
        "import attrs",
        "",
        "from zeyos_async import column",
        "",
        "",
    ]
    body = ["@attrs.define", f"class {name}:", f'    """One row of {definition.model}."""', "", *lines]
    return "\n".join([*head, *(line for enum_lines in enums for line in enum_lines), *body, ""])


def _class_name(text: str) -> str:
    name = "".join(part[:1].upper() + part[1:] for part in _NON_WORD.split(text)) or "Model"
    return f"_{name}" if name[0].isdigit() else name


def _enum_lines(owner: str, field: FieldDefinition) -> list[str]:
    members = enum_members(field.choices)
    base = "enum.IntEnum" if all(isinstance(key, int) for _, key in members) else "enum.Enum"
    head = [
        f"class {owner}{_class_name(field.name)}({base}):",
        f'    """{_to_one_line(field.title or field.name)}."""',
        "",
    ]
    return [*head, *(f"    {name} = {key!r}" for name, key in members), "", ""]


def _attribute_line(field: FieldDefinition) -> str:
    name = _NON_WORD.sub("_", field.name)
    if keyword.iskeyword(name) or not name or name[0].isdigit():
        name = f"{name}_" if keyword.iskeyword(name) else f"_{name}"
    hint = {TEXT: "str | None", WHOLE: "int | None"}.get(field.type or 0, "str | float | None")
    hint = "str | None" if field.choices else hint
    comment = f"  # {_to_one_line(field.title)}" if field.title else ""
    return f"    {name}: {hint} = column({field.name!r}, default=None){comment}".replace("'", '"')


def _to_one_line(text: str) -> str:
    # Titles are the server's texts: a quote or a line break in one would end the docstring or the comment.
    return " ".join(text.replace('"', "'").replace("\\", "/").split())
