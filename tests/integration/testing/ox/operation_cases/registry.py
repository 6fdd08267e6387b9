"""The registry of operation cases: how each operation is called so that it succeeds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final

import attrs

__all__ = ["CASES", "Case", "Prepared", "case", "prepare", "prepares"]


@attrs.frozen(kw_only=True)
class Case:
    """The way to call one operation.

    Attributes:
        params: Parameters, besides samples of the required ones; ``None`` leaves one out.
        body: The JSON body, the fields of a form, or the texts of a multipart body.
        files: Files of a multipart body: part → name, media type, bytes.
        loose: Why the data can't have the documented shape, if it can't.
        refused: The code or status of the refusal, where success needs more than a server.
    """

    params: dict[str, Any] = attrs.field(factory=dict)
    body: Any = None
    files: dict[str, tuple[str, str, bytes]] = attrs.field(factory=dict)
    loose: str = ""
    refused: str = ""


@attrs.frozen
class Prepared:
    """The values that were found or made for a call.

    Attributes:
        values: Name → value.
    """

    values: dict[str, Any]

    def fill(self, template: Any) -> Any:
        """Return a template with its values: ``"$name"`` stands for the value of a name."""
        if isinstance(template, str) and template.startswith("$"):
            return self.values[template[1:]]
        if isinstance(template, dict):
            return {name: self.fill(value) for name, value in template.items()}
        if isinstance(template, list):
            return [self.fill(value) for value in template]
        return template


Preparation = Callable[[Any], Awaitable[dict[str, Any]]]


@attrs.frozen(kw_only=True)
class _Registered:
    """A preparation with the operations that it is for."""

    preparation: Preparation
    modules: Collection[str]
    actions: Collection[str] | None

    def fits(self, operation: Any) -> bool:
        return operation.module in self.modules and (self.actions is None or operation.action in self.actions)


CASES: Final[dict[str, Case]] = {}
_PREPARATIONS: Final[list[_Registered]] = []


def case(*labels: str, params: dict[str, Any] | None = None, body: Any = None, **options: Any) -> None:
    """Register how operations are called; one that is there already is a mistake."""
    for label in labels:
        assert label not in CASES, label
        CASES[label] = Case(params=params or {}, body=body, **options)


def prepares(*modules: str, actions: Collection[str] | None = None) -> Callable[[Preparation], Preparation]:
    """Register a function that makes values for operations of some modules, or for some actions only."""

    def register(preparation: Preparation) -> Preparation:
        _PREPARATIONS.append(_Registered(preparation=preparation, modules=modules, actions=actions))
        return preparation

    return register


async def prepare(wire: Any, operation: Any) -> Prepared:
    """Find or make the values that an operation needs; later preparations win over earlier ones."""
    values: dict[str, Any] = {}
    for registered in _PREPARATIONS:
        if registered.fits(operation):
            values |= await registered.preparation(wire)
    return Prepared(values)
