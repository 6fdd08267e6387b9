"""Checks of a request against the document, and the journal of what no document names.

Unknown parameters and fields are accepted, as on the real server, and noted for the test.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import attrs

from ..answers import ReceivedRequest
from ..journal import Entry, Journal, fingerprint
from .documented_api import ApiOperation, find_fields
from .form_data import read_form
from .refusals import bad_value, missing_value
from .requests import GENERAL_PARAMS

__all__ = ["OxJournal", "UnknownInput", "check_shape", "conceal_secrets", "note_unknown_input"]

_SECRET_FIELDS: Final = frozenset(
    {
        "clientToken",
        "new_password",
        "old_password",
        "password",
        "secret",
        "secret_code",
        "serverToken",
        "token",
    }
)
_SECRET_PATHS: Final = ("/login", "/multifactor/")
_SESSION_PARAM: Final = re.compile(r"(?<![^&])session=([^&]*)")


@attrs.frozen(kw_only=True)
class UnknownInput:
    """A parameter or field of a request that no document names.

    Attributes:
        number: The number of the request in the journal.
        operation: The name of the operation.
        kind: ``"parameter"`` or ``"field"`` (of the body).
        name: Its name.
    """

    number: int
    operation: str
    kind: str
    name: str


class OxJournal(Journal):
    """The record of the requests, and of what no document names in them.

    Attributes:
        unknown_input: Parameters and fields that no document names.
    """

    def __init__(self) -> None:
        super().__init__(conceal=conceal_secrets)
        self.unknown_input: list[UnknownInput] = []

    def begin_request(self, request: ReceivedRequest) -> Entry:
        """Note a request; its session is a credential too."""
        query = _SESSION_PARAM.sub(lambda match: f"session={fingerprint(match[1])}", request.query)
        return super().begin_request(attrs.evolve(request, query=query))

    def reset(self) -> None:
        """Forget everything but the requests that are still being answered."""
        super().reset()
        self.unknown_input.clear()


def note_unknown_input(
    journal: OxJournal, operation: ApiOperation, extra: Mapping[str, str], body: Any, *, number: int
) -> None:
    """Note the parameters and fields of a request that the document does not name."""
    operation_name = str(operation)
    # Parameters that every operation takes, and those of the path, are documented elsewhere.
    for name in sorted(extra.keys() - GENERAL_PARAMS - operation.pattern.groupindex.keys()):
        journal.unknown_input.append(
            UnknownInput(number=number, operation=operation_name, kind="parameter", name=name)
        )
    for name in _find_unknown_fields(operation, body):
        journal.unknown_input.append(
            UnknownInput(number=number, operation=operation_name, kind="field", name=name)
        )


def check_shape(operation: ApiOperation, body: Any) -> None:
    """Check that a JSON body is an array or an object where the document says so, and what an array holds.

    What an object has to hold is checked by the modules: the document's word is not to be trusted there.

    Raises:
        OxError: It is not.
    """
    # Bytes come as ``json`` too, where a form is sent for an operation that documents JSON.
    if operation.body != "json" or body is None or isinstance(body, bytes) or operation.module == "multiple":
        return  # a batch is refused in its own way
    kind = operation.body_type
    if not _has_shape(kind, body):
        raise bad_value("body", body, f"it is {kind}")
    if kind.startswith("array[") and isinstance(fields := find_fields(kind[6:-1]), tuple):
        required = [field.name for field in fields if field.required]
        for name in (name for item in body for name in required if item.get(name) in (None, "")):
            raise missing_value(name)


def _has_shape(kind: str, value: Any) -> bool:
    """Return whether a value has a documented type; numbers and texts pass for each other."""
    if kind.startswith("array["):
        return isinstance(value, list) and all(_has_shape(kind[6:-1], item) for item in value)
    if kind in ("integer", "long"):
        return isinstance(value, int | str)
    return isinstance(value, dict) or not (fields := find_fields(kind)) or isinstance(fields, str)


def _find_unknown_fields(operation: ApiOperation, body: Any) -> list[str]:
    """Return the names in a JSON body that its schema does not have."""
    kind = operation.body_type
    schema = kind.removeprefix("array[").removesuffix("]")
    fields = find_fields(schema)
    values = body if kind.startswith("array[") and isinstance(body, list) else [body]
    if not isinstance(fields, tuple) or not fields:
        return []
    documented = {field.name for field in fields}
    return sorted({name for value in values if isinstance(value, dict) for name in value.keys() - documented})


def conceal_secrets(request: ReceivedRequest) -> bytes:
    """Return a request's body with fingerprints in place of passwords and tokens, in JSON or in a form."""
    # Everywhere else, ``token`` and ``secret`` are names of harmless fields that tests look at.
    if not any(place in request.path for place in _SECRET_PATHS):
        return request.body
    kind = request.headers.get("Content-Type", "")
    if "json" in kind:
        return _conceal_json(request.body)
    if "urlencoded" not in kind:
        return request.body
    fields = {name: _conceal_value(name, value) for name, value in read_form(request.body).items()}
    return urlencode(fields, safe="<>").encode()


def _conceal_json(body: bytes) -> bytes:
    try:
        value = json.loads(body)
    except ValueError:
        return b""  # nobody can tell what is secret in it
    return json.dumps(_conceal_fields(value), ensure_ascii=False).encode()


def _conceal_fields(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _conceal_value(name, _conceal_fields(item)) for name, item in value.items()}
    return [_conceal_fields(item) for item in value] if isinstance(value, list) else value


def _conceal_value(name: str, value: Any) -> Any:
    return fingerprint(value) if name in _SECRET_FIELDS and isinstance(value, str) else value
