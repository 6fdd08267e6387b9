"""Conditions on rows: written in Python or as text, checked, and compiled to each API's own form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..deprecated import renamed
from .arguments import Condition, condition, field_path, order
from .builder import F, FieldNamespace, FieldRef
from .expression import (
    FALSE,
    TRUE,
    And,
    Comparison,
    Constant,
    Expression,
    Not,
    Op,
    Or,
    Order,
    all_of,
    any_of,
    fields,
)
from .operands import compare

# Functions named like their module must be bound at once: importing the submodule later would put the
# module in their place.
from .normalize import normalize  # isort: skip
from .evaluate import evaluate  # isort: skip
from .simplify import is_false, is_true, simplify, split  # isort: skip

if TYPE_CHECKING:
    from .compilers.general import from_general, to_general
    from .compilers.octaved import from_octaved, to_octaved
    from .compilers.ox import attachment, from_ox, header, to_ox
    from .compilers.zeyos import from_zeyos, to_zeyos
    from .normalize import normalize as bind  # noqa: F401 - the old name, for type checkers
    from .parser import parse
    from .printer import to_text

__all__ = [
    "FALSE",
    "TRUE",
    "And",
    "Comparison",
    "Condition",
    "Constant",
    "Expression",
    "F",
    "FieldNamespace",
    "FieldRef",
    "Not",
    "Op",
    "Or",
    "Order",
    "all_of",
    "any_of",
    "attachment",
    "compare",
    "condition",
    "evaluate",
    "field_path",
    "fields",
    "from_general",
    "from_octaved",
    "from_ox",
    "from_zeyos",
    "header",
    "is_false",
    "is_true",
    "normalize",
    "order",
    "parse",
    "simplify",
    "split",
    "to_general",
    "to_octaved",
    "to_ox",
    "to_text",
    "to_zeyos",
]

_HOMES = {
    "attachment": "compilers.ox",
    "from_octaved": "compilers.octaved",
    "from_general": "compilers.general",
    "from_ox": "compilers.ox",
    "from_zeyos": "compilers.zeyos",
    "header": "compilers.ox",
    "parse": "parser",
    "to_octaved": "compilers.octaved",
    "to_ox": "compilers.ox",
    "to_general": "compilers.general",
    "to_text": "printer",
    "to_zeyos": "compilers.zeyos",
}


def __getattr__(name: str) -> Any:
    """Load a name that only some programs need, when it is first asked for."""
    if name not in _HOMES:
        return globals()[renamed(__name__, {"bind": "normalize"})(name)]
    from importlib import import_module

    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value
