"""``describe``: the fields of an entity, their references and their codes."""

from __future__ import annotations

from typing import Any

import click

from ...schema import Entity, Field
from ...services.zeyos._generated import entity as table_of
from ..async_runner import verbose_option
from ..output import json_text, note, write_utf8
from ..param_types import ENTITY
from ..tables import print_table

__all__ = ["command"]


@click.command("describe")
@click.argument("entity", type=ENTITY)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@verbose_option
def command(*, entity: str, as_json: bool) -> None:
    """Show the fields, references and codes of ENTITY. This needs no server."""
    table = table_of(entity)
    if as_json:
        write_utf8(json_text(_as_data(table)))
        return
    rows = [
        [field.name, field.kind.value, _rules(field), field.target or "", _codes(field)] for field in table
    ]
    print_table(["field", "kind", "rules", "refers to", "codes"], rows, folded=[2, 4], uncut=[0, 1, 3])
    also = [name for name, has in (("extdata", table.extdata), ("tags", table.tags)) if has]
    note(
        f"{table.singular}: {', '.join(sorted(table.operations))}"
        + (f"; with {' and '.join(also)}" if also else "")
    )


def _rules(field: Field) -> str:
    rules = [
        (field.required, "required"),
        (field.read_only, "read-only"),
        (not field.nullable and not field.required and not field.read_only, "not null"),
        (field.max_length is not None, f"up to {field.max_length} characters"),
        (field.pattern is not None, str(field.pattern)),
        (field.choices is not None, " | ".join(field.choices or ())),
    ]
    return ", ".join(text for holds, text in rules if holds)


def _codes(field: Field) -> str:
    return " ".join(f"{code}={name}" if name else str(code) for code, name in (field.codes or {}).items())


def _as_data(table: Entity) -> dict[str, Any]:
    return {
        "name": table.name,
        "singular": table.singular,
        "operations": sorted(table.operations),
        "extdata": table.extdata,
        "tags": table.tags,
        "fields": [_field_data(field) for field in table],
    }


def _field_data(field: Field) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": field.name,
        "kind": field.kind.value,
        "nullable": field.nullable,
        "required": field.required,
        "read_only": field.read_only,
    }
    optional = {
        "target": field.target,
        "codes": None if field.codes is None else {str(code): name for code, name in field.codes.items()},
        "minimum": field.minimum,
        "maximum": field.maximum,
        "min_length": field.min_length,
        "max_length": field.max_length,
        "pattern": field.pattern,
        "choices": field.choices,
    }
    return data | {name: value for name, value in optional.items() if value is not None}
