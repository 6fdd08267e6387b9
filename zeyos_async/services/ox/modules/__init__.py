"""What people want of Open-Xchange's modules beyond the documented calls."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from .._generated import make_module
from ..operation import Caller, Module

__all__ = ["WRITTEN", "module_of"]

WRITTEN: Final[dict[str, str]] = {
    "contacts": "Contacts",
}
"""Attribute of the client → class in the file of that name here, which extends the generated one."""


def module_of(name: str, caller: Caller) -> Module:
    """The module of a name, bound to what sends its calls; loaded when it is asked for.

    Raises:
        InvalidArgument: There is no such module.
    """
    if name not in WRITTEN:
        return make_module(name, caller)
    found: Any = getattr(import_module(f".{name}", __name__), WRITTEN[name])(caller)
    return found  # type: ignore[no-any-return]
