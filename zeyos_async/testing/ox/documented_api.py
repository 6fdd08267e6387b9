"""The documented operations and schemas, read from the generated tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qsl

import attrs

from ._generated.operations import OPERATIONS as _OPERATIONS
from ._generated.schemas import SCHEMAS as _SCHEMAS

__all__ = ["MODULES", "OPERATIONS", "ApiOperation", "ApiParam", "SchemaField", "find_fields"]


@attrs.frozen(kw_only=True)
class ApiParam:
    """A documented parameter.

    Attributes:
        name: Its name.
        type: ``string integer long boolean`` or ``array[string]``.
        required: Whether it has to be there.
        in_path: Whether it is a part of the path.
        values: The allowed values; empty is anything.
    """

    name: str
    type: str
    required: bool = False
    in_path: bool = False
    values: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class ApiOperation:
    """A documented operation.

    Attributes:
        module: Such as ``"contacts"`` or ``"mail/compose"``.
        method: HTTP method, upper case.
        path: Such as ``"/mail/compose/{id}"``.
        action: Or ``""`` where verb and path say it all.
        fixed: Parameters that tell it from others of the same action.
        params: In the document's order.
        body: The kind of its body: ``"json form multipart bytes"`` or ``""``.
        body_type: The schema of its body.
        body_required: Whether there has to be one.
        answer: The kind of its answer: ``"json html bytes zip none"``.
        data_type: The type of ``data``, or of the whole answer where ``envelope`` is not ``"data"``.
        envelope: ``"data"``, or the schema of the whole answer.
        session: Whether it needs a session (or a token).
        oauth: Whether a token will do.
        scopes: The scopes that the token has to allow.
        any_scope: Whether one of them is enough.
        registered: Whether server 8.19 has it.
    """

    module: str
    method: str
    path: str
    action: str
    fixed: Mapping[str, str]
    params: tuple[ApiParam, ...]
    body: str
    body_type: str
    body_required: bool
    answer: str
    data_type: str
    envelope: str
    session: bool
    oauth: bool
    scopes: tuple[str, ...]
    any_scope: bool
    registered: bool
    pattern: re.Pattern[str] = attrs.field(repr=False, eq=False)

    @property
    def name(self) -> str:
        """The action, or verb and path: ``"PATCH /mail/compose/{id}"``."""
        return self.action or f"{self.method} {self.path}"

    @property
    def is_download(self) -> bool:
        """Whether a success is bytes, so that an error may be a page."""
        return self.answer in ("bytes", "zip") or self.data_type == "binary" or self.module == "export"

    def __str__(self) -> str:
        return f"{self.module}?action={self.action}" if self.action else self.name


_PARAM: Final = re.compile(r"(/?)([^:]+):([^!=]+)(!?)(?:=(.*))?")
_SLOT: Final = re.compile(r"\{(\w+)\}")
# These slots may contain slashes: ``config/modules/mail``.
_LONG_SLOTS: Final = frozenset({"path", "jslobPath"})


def _parse_param(text: str) -> ApiParam:
    match = _PARAM.fullmatch(text)
    assert match is not None, text
    slash, name, kind, required, values = match.groups()
    return ApiParam(
        name=name,
        type=kind,
        required=bool(required),
        in_path=bool(slash),
        values=tuple(values.split("|")) if values else (),
    )


def _compile_path(path: str) -> re.Pattern[str]:
    parts = _SLOT.split(path)
    slots = (f"(?P<{name}>{'.+' if name in _LONG_SLOTS else '[^/]+'})" for name in parts[1::2])
    text = "".join(re.escape(fixed) + slot for fixed, slot in zip(parts[::2], [*slots, ""], strict=True))
    return re.compile(text)


def _parse_operation(row: tuple[str, ...]) -> ApiOperation:
    module, method, path, action, fixed, params, body, answer, envelope, callers, scopes, marks = row
    body_kind, _, body_type = body.partition(":")
    answer_kind, _, data_type = answer.partition(":")
    any_scope = "|" in scopes
    return ApiOperation(
        module=module,
        method=method,
        path=path,
        action=action,
        fixed=dict(parse_qsl(fixed)),
        params=tuple(map(_parse_param, params.split(";"))) if params else (),
        body=body_kind,
        body_type=body_type.rstrip("!"),
        body_required=body_type.endswith("!"),
        answer=answer_kind,
        data_type=data_type,
        envelope=envelope,
        session=bool(callers),
        oauth="oauth" in callers,
        scopes=tuple(scopes.split("|" if any_scope else "&")) if scopes else (),
        any_scope=any_scope,
        registered="unregistered" not in marks,
        pattern=_compile_path(path),
    )


OPERATIONS: Final = tuple(map(_parse_operation, _OPERATIONS))
"""Every documented operation."""

MODULES: Final = tuple(dict.fromkeys(operation.module for operation in OPERATIONS))
"""Every module, in the order of its operations."""


@attrs.frozen
class SchemaField:
    """A documented field of a schema.

    Attributes:
        name: Its name.
        type: A basic type, a schema, or ``array[…]`` of one.
        values: The allowed values; empty is anything.
        required: Whether it has to be there.
    """

    name: str
    type: str
    values: tuple[str, ...] = ()
    required: bool = False


@cache
def find_fields(schema: str) -> tuple[SchemaField, ...] | str | None:
    """Return the fields of a schema, or the name of the type that it stands for; ``None`` if it is none."""
    text: Any = _SCHEMAS.get(schema)
    if text is None:
        return None
    if text.startswith("="):
        return str(text[1:])
    return tuple(_parse_field(part) for part in text.split(";")) if text else ()


def _parse_field(text: str) -> SchemaField:
    name, _, rest = text.partition(":")
    kind, _, values = rest.partition("=")
    choices = tuple(values.split("|")) if values else ()
    return SchemaField(name.rstrip("!"), kind, choices, required=name.endswith("!"))
