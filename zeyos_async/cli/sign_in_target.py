"""Where a sign-in goes: to which instance, and into which stored set of credentials."""

from __future__ import annotations

import os

import attrs
from yarl import URL

from ..errors import ConfigurationError
from ..services.zeyos.profiles import Profile, ProfileStore, look_for_profile
from .connect import Connection, address, described, same_instance
from .profile_files import Registry, check_name
from .terminal import ask_line, may_ask

__all__ = ["Place", "place_for"]


@attrs.frozen(kw_only=True)
class Place:
    """Where a sign-in goes.

    Attributes:
        url: The instance.
        store: The set of credentials that takes the tokens.
        known: What the set holds already, or ``None``.
        activate: Whether it becomes the profile that is used if nobody says which.
    """

    url: str
    store: ProfileStore
    known: Profile | None
    activate: bool


def place_for(given: Connection) -> Place:
    """Choose the instance and the set.

    A profile that is named takes the tokens, whether it is there yet or not. If none is named, the set
    that is in use takes them if it is for the same instance, and otherwise a profile with the instance's
    name, which is what is used from then on.

    Args:
        given: The options.

    Raises:
        ConfigurationError: It can't be told, or the profile of that name is for another instance.
    """
    name = given.profile or os.environ.get("ZEYOS_PROFILE")
    return _named(check_name(name), given) if name else _unnamed(given)


def _named(name: str, given: Connection) -> Place:
    registry = Registry.here()
    entry = registry.entry(name)
    known = look_for_profile(name) if entry is not None and entry.url else None
    where = address(given, {} if known is not None else os.environ)
    url = where[0] if where is not None else known.base_url if known is not None else _asked()
    same = known if known is not None and same_instance(known.base_url, url) else None
    activate = given.profile is not None or entry is None  # a name in the environment is for this shell
    return Place(url=url, store=registry.store(name), known=same, activate=activate)


def _unnamed(given: Connection) -> Place:
    used = look_for_profile()
    where = address(given, os.environ)
    url = where[0] if where is not None else used.base_url if used is not None else _asked()
    if used is not None and same_instance(used.base_url, url):
        return Place(url=url, store=used.store, known=used, activate=False)
    registry, name = Registry.here(), _name_from(url)
    entry = registry.entry(name)
    if entry is not None and entry.url and not same_instance(entry.url, url):
        raise ConfigurationError(
            f"{described(registry.store(name))} is for {entry.url}; give --profile NAME to sign in to {url} beside it"
        )
    known = look_for_profile(name) if entry is not None and entry.url else None
    return Place(url=url, store=registry.store(name), known=known, activate=True)


def _name_from(url: str) -> str:
    """The instance's name, or the host where the URL has no path."""
    parsed = URL(url)
    parts = parsed.path.strip("/").removesuffix("api/v1").strip("/").split("/")
    return check_name(parts[-1] or parsed.host or "default")


def _asked() -> str:
    if not may_ask():
        raise ConfigurationError(
            "which ZeyOS? Give --url https://cloud.zeyos.com/NAME, or set ZEYOS_INSTANCE"
        )
    return ask_line("Address of the instance, such as https://cloud.zeyos.com/demo").reveal()
