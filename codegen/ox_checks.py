"""The check of our corrections of Open-Xchange's catalogue: all that they name must exist.

A correction that corrects nothing is a misspelt name, or has outlived what it corrected.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .ox_operations import OxOperationFacts
from .ox_schemas import Schemas

__all__ = ["check_overlay"]


def check_overlay(
    overlay: Mapping[str, Any],
    schemas: Schemas,
    operations: Sequence[OxOperationFacts],
    classes: Container[str],
) -> None:
    """Raise if the overlay names something that does not exist.

    Args:
        overlay: The corrections.
        schemas: The schemas, all that are needed made.
        operations: The operations.
        classes: The schemas that become record classes.

    Raises:
        ValueError: Something is named that is not there; the message has all of it.
    """
    stale = [
        *_unknown("records", overlay["records"], classes),
        *_unknown("models", overlay["models"], classes),
        *_of_schemas(overlay, schemas, classes),
        *_of_operations(overlay, operations),
        *_unknown("enums", overlay["enums"], set(overlay["codes"].values())),
        *_unknown("codes", overlay["codes"].values(), overlay["enums"]),
    ]
    if stale:
        raise ValueError(f"the overlay is about what is not there: {', '.join(stale)}")


def _unknown(part: str, names: Iterable[str], valid: Container[str]) -> Iterator[str]:
    yield from (f"{part}.{name}" for name in names if name not in valid)


def _of_schemas(overlay: Mapping[str, Any], schemas: Schemas, classes: Container[str]) -> Iterator[str]:
    fields = {
        f"{name}.{field.name}"
        for name, schema in schemas.resolved.items()
        if name in classes
        for field in schema.fields
    }
    plain = {field.partition(".")[2] for field in fields}
    for part in ("kinds", "codes"):
        yield from _unknown(part, (name for name in overlay[part] if _is_path(name, schemas)), fields)
        yield from _unknown(part, (name for name in overlay[part] if not _is_path(name, schemas)), plain)
    yield from _unknown("costly", overlay["costly"], fields)


def _is_path(name: str, schemas: Schemas) -> bool:
    return name.partition(".")[0] in schemas


def _of_operations(overlay: Mapping[str, Any], operations: Sequence[OxOperationFacts]) -> Iterator[str]:
    modules = {operation.module for operation in operations}
    names = {f"{operation.module}.{operation.name}" for operation in operations}
    ids = {operation.id for operation in operations}
    ids |= {f"{operation.module}:{operation.id}" for operation in operations}
    params = {param.name for operation in operations for param in operation.params}
    params |= {f"{one.module}.{one.name}.{param.name}" for one in operations for param in one.params}
    yield from _unknown("names", overlay["names"], ids)
    yield from _unknown("modules", overlay["modules"], modules)
    for part in ("columns", "targets"):
        yield from _unknown(part, overlay[part], modules | names)
    for safety in ("reads", "repeatable", "writes"):
        listed = (name for name in overlay["safety"][safety] if not name.startswith("*."))
        yield from _unknown(f"safety.{safety}", listed, names)
    listed = (name for modules_ in overlay["groups"].values() for name in modules_)
    yield from _unknown("groups", listed, modules)
    yield from _unknown("glossary", overlay["glossary"], params)
