"""The documented operations and schemas, read from the generated tables."""

from __future__ import annotations

from typing import Any

import pytest

from zeyos_async.testing.ox.documented_api import OPERATIONS, find_fields
from zeyos_async.testing.ox.sample_replies import build_sample


def test_all_operations_of_the_document_are_known() -> None:
    """429, and each can be told from all others."""
    assert len(OPERATIONS) == 429
    keys = {
        (operation.module, operation.name, operation.method, tuple(operation.fixed.items()), operation.path)
        for operation in OPERATIONS
    }
    assert len(keys) == 429
    assert sum(operation.oauth for operation in OPERATIONS) == 169


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_types_of_the_document_are_known(operation: Any) -> None:
    """A sample of every answer can be made."""
    if operation.envelope == "data":
        assert build_sample(operation.data_type) is not None
    assert {param.type for param in operation.params} <= {
        "string",
        "integer",
        "long",
        "boolean",
        "array[string]",
    }


def test_schemas_may_be_nested() -> None:
    """A field's own fields are a schema of its own."""
    fields = {field.name: field.type for field in find_fields("Alarm") or () if not isinstance(field, str)}
    assert fields["trigger"] == "Alarm.trigger"
    assert find_fields("Alarm.trigger")
