"""Replies of the documented shape for operations that no module keeps anything for."""

from __future__ import annotations

from typing import Any, Final

from ..answers import Answer
from .documented_api import Field, Operation, fields_of
from .handlers import Call, Reply

__all__ = ["generic_reply", "sample"]

_PNG: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)
_BASIC: Final = {
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
_DEEP: Final = 4


def generic_reply(call: Call) -> Reply:
    """A success whose data has the documented shape and types, the same every time."""
    operation = call.operation
    if operation.is_download:
        return Reply(raw=_bytes(operation))
    stamp = call.state.last_stamp
    if operation.envelope == "data":
        return Reply(data=sample(operation.data_type), timestamp=stamp)
    if operation.answer == "none" or not operation.envelope:
        return Reply(raw=Answer(status=200))
    fields = fields_of(operation.envelope)
    if isinstance(fields, tuple):
        values = {each.name: _field(each, 0) for each in fields}
        return Reply(top=values, timestamp=stamp)
    return Reply(whole=sample(operation.envelope))


def _bytes(operation: Operation) -> Answer:
    if operation.answer == "zip":
        empty = b"PK\x05\x06" + bytes(18)
        return Answer(headers={"Content-Type": "application/zip"}, body=empty)
    return Answer(headers={"Content-Type": "image/png"}, body=_PNG)


def sample(kind: str, depth: int = 0) -> Any:
    """A value of a documented type."""
    if kind.startswith("array["):
        return [sample(kind[6:-1], depth + 1)] if depth < _DEEP else []
    if kind in _BASIC:
        value = _BASIC[kind]
        return type(value)(value) if isinstance(value, dict | list) else value
    fields = fields_of(kind)
    if isinstance(fields, str):
        return sample(fields, depth)
    if fields is None or depth >= _DEEP:
        return {}
    return {field.name: _field(field, depth) for field in fields}


def _field(field: Field, depth: int) -> Any:
    if field.values:
        first: Any = field.values[0]
        if field.type == "integer":
            return int(first.split()[0]) if first.split()[0].lstrip("-").isdigit() else 0
        return [first] if field.type.startswith("array") else first
    if field.name == "id" and field.type == "string":
        return "1"
    return sample(field.type, depth + 1)
