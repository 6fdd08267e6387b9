"""What a client sends though no document names it: accepted as on the real server, and noted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import attrs

from ..answers import Incoming
from ..journal import Entry, Journal, fingerprint
from .facts import Operation, fields_of
from .parts import read_form
from .refusals import bad_value, missing
from .requests import GENERAL

__all__ = ["OxJournal", "UnknownInput", "check_shape", "conceal", "note_unknown_input"]

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
_SECRET_PLACES: Final = ("/login", "/multifactor/")
_SESSION: Final = re.compile(r"(?<![^&])session=([^&]*)")


@attrs.frozen(kw_only=True)
class UnknownInput:
    """Something that no document names.

    Attributes:
        number: In which request.
        operation: Of which operation.
        kind: ``"parameter"`` or ``"field"`` (of the body).
        name: Its name.
    """

    number: int
    operation: str
    kind: str
    name: str


class OxJournal(Journal):
    """The record of what arrived, and of what was strange about it.

    Attributes:
        unknown_input: Parameters and fields that no document names.
    """

    def __init__(self) -> None:
        super().__init__(conceal=conceal)
        self.unknown_input: list[UnknownInput] = []

    def begin_request(self, incoming: Incoming) -> Entry:
        """Note a request; its session is a credential too."""
        query = _SESSION.sub(lambda found: f"session={fingerprint(found[1])}", incoming.query)
        return super().begin_request(attrs.evolve(incoming, query=query))

    def reset(self) -> None:
        """Forget everything but the requests that are still being answered."""
        super().reset()
        self.unknown_input.clear()


def note_unknown_input(
    journal: OxJournal, operation: Operation, extra: Mapping[str, str], body: Any, *, number: int
) -> None:
    """Note what the document does not name."""
    named = str(operation)
    for name in sorted(extra.keys() - GENERAL - operation.pattern.groupindex.keys()):
        journal.unknown_input.append(
            UnknownInput(number=number, operation=named, kind="parameter", name=name)
        )
    for name in _unknown_fields(operation, body):
        journal.unknown_input.append(UnknownInput(number=number, operation=named, kind="field", name=name))


def check_shape(operation: Operation, body: Any) -> None:
    """Check that a JSON body is an array or an object where the document says so, and what an array holds.

    What an object has to hold is checked by the modules: the document's word is not to be trusted there.

    Raises:
        OxError: It is not.
    """
    if operation.body != "json" or body is None or isinstance(body, bytes) or operation.module == "multiple":
        return  # a batch is refused in its own way
    kind = operation.body_type
    if not _has_shape(kind, body):
        raise bad_value("body", body, f"it is {kind}")
    if kind.startswith("array[") and isinstance(fields := fields_of(kind[6:-1]), tuple):
        needed = [field.name for field in fields if field.required]
        for name in (name for item in body for name in needed if item.get(name) in (None, "")):
            raise missing(name)


def _has_shape(kind: str, value: Any) -> bool:
    """Numbers and texts pass for each other: the documents mix them up."""
    if kind.startswith("array["):
        return isinstance(value, list) and all(_has_shape(kind[6:-1], item) for item in value)
    if kind in ("integer", "long"):
        return isinstance(value, int | str)
    return isinstance(value, dict) or not (fields := fields_of(kind)) or isinstance(fields, str)


def _unknown_fields(operation: Operation, body: Any) -> list[str]:
    kind = operation.body_type
    schema = kind.removeprefix("array[").removesuffix("]")
    fields = fields_of(schema)
    values = body if kind.startswith("array[") and isinstance(body, list) else [body]
    if not isinstance(fields, tuple) or not fields:
        return []
    known = {field.name for field in fields}
    return sorted({name for value in values if isinstance(value, dict) for name in value.keys() - known})


def conceal(incoming: Incoming) -> bytes:
    """The body of a request with fingerprints for what it logs in with, in JSON or in a form."""
    if not any(place in incoming.path for place in _SECRET_PLACES):
        return incoming.body
    kind = incoming.headers.get("Content-Type", "")
    if "json" in kind:
        return _conceal_json(incoming.body)
    if "urlencoded" not in kind:
        return incoming.body
    shown = {name: _shown(name, value) for name, value in read_form(incoming.body).items()}
    return urlencode(shown, safe="<>").encode()


def _conceal_json(body: bytes) -> bytes:
    try:
        value = json.loads(body)
    except ValueError:
        return b""  # nobody can tell what is secret in it
    return json.dumps(_without_secrets(value), ensure_ascii=False).encode()


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shown(name, _without_secrets(each)) for name, each in value.items()}
    return [_without_secrets(each) for each in value] if isinstance(value, list) else value


def _shown(name: str, value: Any) -> Any:
    return fingerprint(value) if name in _SECRET_FIELDS and isinstance(value, str) else value
