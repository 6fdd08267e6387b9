"""A typed class for a model, written from its definition: for ``Query.into`` and for reading.

What the server says goes into it as data: texts as literals with escapes, and names made anew (:mod:`.names`), so that
nothing of it is run when the module is imported.
"""

from __future__ import annotations

from typing import Final

from .forms import Definition, FieldDefinition, enum_members
from .names import python_literal, python_name, unique_names
from .values import TEXT, WHOLE, RecordId

__all__ = ["stub"]

_MAX_COMMENT: Final = 80
_WHOLE_SUBTYPES: Final = (1, 8)
"""Subtypes with which the document shows type 2 as a whole number: a choice's key, and an ID."""


def stub(definition: Definition) -> str:
    """Write the source of a module with an attrs class for the rows of a model, and an enum for each enumeration.

    Lists show the text of an enumeration, so that such attributes are texts; the enums are for writes and
    for what ``get`` gives. Passwords are in no list and are left out.

    Args:
        definition: What ``await api.model(…).definition()`` gave.
    """
    fields = [field for field in definition.values() if not field.is_password]
    lists = [field for field in fields if field.choices]
    owner = _class_name(definition.model)
    enums = unique_names(
        [f"{owner}{_class_name(field.name)}" for field in lists], otherwise="Choice", reserved={owner}
    )
    names = unique_names([field.name for field in fields], otherwise="field")
    head = [
        _docstring(f"Rows of the model {definition.model} of the General API, from its own definition."),
        "",
        "from __future__ import annotations",
        "",
        *(["import enum", ""] if lists else []),
        "import attrs",
        "",
        "from zeyos_async import column",
        "",
        "",
    ]
    lines = [_attribute(name, field) for name, field in zip(names, fields, strict=True)]
    title = _docstring(f"One row of {definition.model}.")
    body = ["@attrs.define", f"class {owner}:", f"    {title}", "", *lines]
    blocks = [line for name, field in zip(enums, lists, strict=True) for line in _enum(name, field)]
    return "\n".join([*head, *blocks, *body, ""])


def _class_name(text: str) -> str:
    parts = python_name(text, otherwise="Model").split("_")
    return python_name("".join(part[:1].upper() + part[1:] for part in parts), otherwise="Model")


def _enum(name: str, field: FieldDefinition) -> list[str]:
    members = _members(field)
    base = "enum.IntEnum" if all(isinstance(key, int) for key in field.choices) else "enum.Enum"
    return [
        f"class {name}({base}):",
        f"    {_docstring(f'{field.title or field.name}.')}",
        "",
        *members,
        "",
        "",
    ]


def _members(field: FieldDefinition) -> list[str]:
    """Write a member for each choice of a field."""
    return [f"    {name} = {_key(key)}" for name, key in enum_members(field.choices)]


def _key(key: RecordId) -> str:
    return str(int(key)) if isinstance(key, int) else python_literal(key)


def _attribute(name: str, field: FieldDefinition) -> str:
    comment = f"  # {_line(field.title)}" if _line(field.title) else ""
    return f"    {name}: {_kind(field)} = column({python_literal(field.name)}, default=None){comment}"


def _kind(field: FieldDefinition) -> str:
    if field.choices or field.type == TEXT:
        return "str | None"
    if field.type == WHOLE and field.subtype in _WHOLE_SUBTYPES:
        return "int | None"
    return "str | float | None"


def _docstring(text: str) -> str:
    return f'""{python_literal(_line(text, len(text)))}""'


def _line(text: str, longest: int = _MAX_COMMENT) -> str:
    """Return a text as one line without what is not shown, such as a turn of the direction of writing."""
    return " ".join("".join(char if char.isprintable() else " " for char in text[:longest]).split())
