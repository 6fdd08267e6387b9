"""Backends of other packages, found by their entry points of the group ``zeyos_async.auth``."""

from __future__ import annotations

from typing import Any, Final

from ..errors import ConfigurationError, suggest
from .base import AuthBackend

__all__ = ["installed_backends", "load_backend"]

_GROUP: Final = "zeyos_async.auth"


def installed_backends() -> list[str]:
    """Return the names of the backends that installed packages offer, sorted."""
    from importlib.metadata import entry_points  # here, as it takes long to import

    return sorted({point.name for point in entry_points(group=_GROUP)})


def load_backend(name: str, /, *args: Any, **options: Any) -> AuthBackend:
    """Load a backend that an installed package offers.

    The entry point names a subclass of :class:`AuthBackend`, or a function that returns one.

    Args:
        name: The entry point's name.
        *args: Passed on to it.
        **options: Passed on to it.

    Raises:
        ConfigurationError: No package offers it, or what it offers is no backend.
    """
    from importlib.metadata import entry_points

    points = list(entry_points(group=_GROUP, name=name))
    if not points:
        raise ConfigurationError(
            f"No installed package offers an auth backend {name!r} (entry points of the group {_GROUP!r})."
            + suggest(name, installed_backends())
        )
    backend = points[0].load()(*args, **options)
    if not isinstance(backend, AuthBackend):
        raise ConfigurationError(
            f"The entry point {points[0].value!r} gave {type(backend).__name__}, and not an AuthBackend."
        )
    return backend
