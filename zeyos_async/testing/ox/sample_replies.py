"""Replies of the documented shape, for operations that no module implements."""

from __future__ import annotations

from typing import Any, Final

from ..answers import Answer
from .documented_api import ApiOperation, SchemaField, find_fields
from .handlers import OxCall, OxReply

__all__ = ["build_sample", "build_sample_reply"]

_PNG: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)
_BASIC_SAMPLES: Final = {
    "string": "text",
    "integer": 1,
    "long": 1_500_000_000_000,
    "boolean": True,
    "number": 1.5,
    "object": {},
    "array": [],
    "binary": "",
    "": {},
}
# Schemas refer to themselves (nested messages): without a limit, samples would never end.
_MAX_DEPTH: Final = 4


def build_sample_reply(call: OxCall) -> OxReply:
    """Build a success whose data has the documented shape and types, the same every time."""
    operation = call.operation
    if operation.is_download:
        return OxReply(answer=_build_download(operation))
    stamp = call.state.last_stamp
    if operation.envelope == "data":
        return OxReply(data=build_sample(operation.data_type), timestamp=stamp)
    if operation.answer == "none" or not operation.envelope:
        return OxReply(answer=Answer(status=200))
    fields = find_fields(operation.envelope)
    if isinstance(fields, tuple):
        values = {field.name: _build_field(field, 0) for field in fields}
        return OxReply(envelope_fields=values, timestamp=stamp)
    return OxReply(bare_json=build_sample(operation.envelope))


def _build_download(operation: ApiOperation) -> Answer:
    if operation.answer == "zip":
        empty = b"PK\x05\x06" + bytes(18)
        return Answer(headers={"Content-Type": "application/zip"}, body=empty)
    return Answer(headers={"Content-Type": "image/png"}, body=_PNG)


def build_sample(kind: str, depth: int = 0) -> Any:
    """Build a value of a documented type."""
    if kind.startswith("array["):
        return [build_sample(kind[6:-1], depth + 1)] if depth < _MAX_DEPTH else []
    if kind in _BASIC_SAMPLES:
        value = _BASIC_SAMPLES[kind]
        # A copy: a test that changes a reply must not change later ones.
        return type(value)(value) if isinstance(value, dict | list) else value
    fields = find_fields(kind)
    if isinstance(fields, str):
        return build_sample(fields, depth)
    if fields is None or depth >= _MAX_DEPTH:
        return {}
    return {field.name: _build_field(field, depth) for field in fields}


def _build_field(field: SchemaField, depth: int) -> Any:
    if field.values:
        first: Any = field.values[0]
        if field.type == "integer":
            return int(first.split()[0]) if first.split()[0].lstrip("-").isdigit() else 0
        return [first] if field.type.startswith("array") else first
    if field.name == "id" and field.type == "string":
        return "1"
    return build_sample(field.type, depth + 1)
