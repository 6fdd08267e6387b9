"""Async-first, typed client for business APIs; the ZeyOS REST API first.

``from zeyos_async import Zeyos, F`` is where to begin. Each name is loaded when it is first asked for,
so that ``import zeyos_async`` by itself costs next to nothing. More lives in the modules
``zeyos_async.zeyos`` (records and codes), ``.octaved``, ``.ox``, ``.auth``, ``.errors``, ``.export``, ``.filters``,
``.forms`` and ``.testing``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import ApiError, FilterError, TransportError, ZeyosAsyncError
    from .filters import F
    from .policy import Hedge, Limits, Retry, Timeout
    from .services.base import Query, column
    from .services.general.client import GeneralApi
    from .services.octaved.client import Octaved
    from .services.ox.client import OpenXchange
    from .services.zeyos.client import Zeyos
    from .session import Hooks, Session

    __version__: str

__all__ = [
    "ApiError",
    "F",
    "FilterError",
    "GeneralApi",
    "Hedge",
    "Hooks",
    "Limits",
    "Octaved",
    "OpenXchange",
    "Query",
    "Retry",
    "Session",
    "Timeout",
    "TransportError",
    "Zeyos",
    "ZeyosAsyncError",
    "__version__",
    "column",
]

_HOMES = {
    "ApiError": "errors",
    "F": "filters",
    "FilterError": "errors",
    "GeneralApi": "services.general.client",
    "Hedge": "policy",
    "Hooks": "session",
    "Limits": "policy",
    "Octaved": "services.octaved.client",
    "OpenXchange": "services.ox.client",
    "Query": "services.base",
    "Retry": "policy",
    "Session": "session",
    "Timeout": "policy",
    "TransportError": "errors",
    "Zeyos": "services.zeyos.client",
    "ZeyosAsyncError": "errors",
    "column": "services.base",
}
_MODULES = ("auth", "errors", "export", "filters", "forms", "general", "octaved", "ox", "testing", "zeyos")


def __getattr__(name: str) -> Any:
    """Load a public name, or a public module, on first use.

    Raises:
        AttributeError: There is no such name; the closest ones are in the message.
    """
    from importlib import import_module

    if name in _HOMES:
        value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    elif name in _MODULES:
        return import_module(f".{name}", __name__)
    elif name == "__version__":
        value = _version()
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}.{_suggest_name(name)}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})


def _version() -> str:
    """Return the version of the installed distribution, which has it from pyproject.toml."""
    from importlib.metadata import version

    return version("zeyos-async")


def _suggest_name(name: str) -> str:
    """Return a sentence with the closest public names, or nothing."""
    if name.startswith("_"):  # tools probe for such names, which are no misspellings
        return ""
    from .errors import suggest

    return suggest(name, (*_MODULES, *__all__))
