"""Every documented operation, over a socket: it is there, and answers what the document says it answers."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
from yarl import URL

from zeyos_async.testing.ox.documented_api import OPERATIONS, ApiOperation, ApiParam, find_fields

from .operation_cases import CASES, Case, Prepared, prepare

BASIC: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "long": int,
    "boolean": bool,
    "number": (int, float),
    "object": (dict, list, str, int),
    "array": list,
}
"""The document is not to be trusted with ``object``, which it says for arrays and texts too."""


def misfits(value: Any, kind: str, path: str = "data") -> list[str]:
    """Where a value is not what the document says."""
    if kind.startswith("array["):
        if not isinstance(value, list):
            return [f"{path} is {value!r:.60}, not an array"]
        return [
            misfit
            for index, item in enumerate(value)
            for misfit in misfits(item, kind[6:-1], f"{path}[{index}]")
        ]
    if kind in BASIC:
        is_right = isinstance(value, BASIC[kind]) and (
            kind in ("boolean", "object") or not isinstance(value, bool)
        )
        return [] if is_right else [f"{path} is {value!r:.60}, not {kind}"]
    fields = find_fields(kind)
    if isinstance(fields, str):
        return misfits(value, fields, path)
    if fields is None:
        return []
    if not isinstance(value, dict):
        return [f"{path} is {value!r:.60}, not {kind}"]
    types_by_name = {field.name: field.type for field in fields}
    undocumented = [f"{path}.{name} is in no document" for name in value if name not in types_by_name]
    nested = (
        misfits(item, types_by_name[name], f"{path}.{name}")
        for name, item in value.items()
        if name in types_by_name
    )
    return [*undocumented, *(misfit for misfits_of_field in nested for misfit in misfits_of_field)]


def _label(operation: ApiOperation) -> str:
    return f"{operation.method} {operation.module} {operation.name}" + "".join(
        f" {name}" for name in operation.fixed
    )


SAMPLES = {"string": "x", "integer": "1", "long": "1", "boolean": "true", "array[string]": "x"}


def _parameter(param: ApiParam) -> str:
    if param.name == "timestamp":
        return str(2**53)
    if param.name == "columns":
        return "1"
    return param.values[0] if param.values else SAMPLES[param.type]


async def _call(wire: Any, operation: ApiOperation, prepared: Prepared) -> Any:
    case = CASES.get(_label(operation), Case())
    required = {param.name: _parameter(param) for param in operation.params if param.required}
    params = prepared.fill({**required, **operation.fixed, **case.params})
    query = {name: str(value) for name, value in params.items() if value is not None}
    path = operation.path
    for param in operation.params:
        if param.in_path:
            path = path.replace(f"{{{param.name}}}", query.pop(param.name))
    if operation.session:
        query["session"] = wire.session
    if operation.action:
        query["action"] = operation.action
    return await wire.raw(
        operation.method, str(URL(path).with_query(query)), **_body(operation, case, prepared)
    )


def _body(operation: ApiOperation, chosen: Case, prepared: Prepared) -> dict[str, Any]:
    body = prepared.fill(_empty(operation) if chosen.body is None else chosen.body)
    match operation.body:
        case "json":
            return {"json": body}
        case "form":
            return {"data": body}
        case "bytes":
            return {"data": body or b"bytes", "headers": {"Content-Type": "application/octet-stream"}}
        case "multipart":
            form = aiohttp.FormData(quote_fields=False, default_to_multipart=True)
            for name, value in body.items():
                form.add_field(name, value if isinstance(value, str) else json.dumps(value))
            for name, (filename, kind, content) in chosen.files.items():
                form.add_field(name, content, filename=filename, content_type=kind)
            return {"data": form}
        case _:
            return {}


def _empty(operation: ApiOperation) -> Any:
    return [] if operation.body_type.startswith("array") and operation.body == "json" else {}


@pytest.mark.parametrize("operation", OPERATIONS, ids=_label)
async def test_every_operation_answers_as_documented(wire: Any, operation: ApiOperation) -> None:
    """With the documented kind of answer, and data of the documented shape."""
    prepared = await prepare(wire, operation)
    answer = await _call(wire, operation, prepared)
    case = CASES.get(_label(operation), Case())
    assert wire.emulator.journal.counts["internal error"] == 0, answer.body
    if case.refused:
        assert case.refused in (str(answer.status), *answer.body.decode("utf-8", "replace").split('"'))
        return
    assert answer.status in (200, 302), answer.body
    if operation.is_download or operation.answer == "none" or answer.status == 302:
        assert not answer.body.startswith(b'{"error"'), answer.body
        return
    if case.loose and not answer.body:
        return
    value = answer.wrapped if answer.body[:1] == b"<" else answer.json
    if isinstance(value, dict):
        assert value.get("category", 13) == 13, value
    if case.loose:
        return
    if operation.envelope == "data":
        assert misfits(value["data"], operation.data_type) == []
    elif isinstance(value, dict) and isinstance(fields := find_fields(operation.envelope), tuple):
        types_by_name = {field.name: field.type for field in fields}
        all_misfits = [
            misfit
            for name in value.keys() & types_by_name
            for misfit in misfits(value[name], types_by_name[name], name)
        ]
        assert all_misfits == []
