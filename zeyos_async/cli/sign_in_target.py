"""The target of a sign-in: an instance, and the stored set of credentials that takes the tokens."""

from __future__ import annotations

import os
from collections.abc import Mapping

import attrs
from yarl import URL

from ..errors import ConfigurationError
from ..services.zeyos.profiles import Profile, ProfileStore, look_for_profile
from .connect import ConnectionOptions, describe_store, find_address, same_instance
from .profile_files import ProfileRegistry, check_name
from .terminal import ask_line, may_ask

__all__ = ["SignInTarget", "choose_target"]


@attrs.frozen(kw_only=True)
class SignInTarget:
    """The instance to sign in to, and the set of credentials that takes the tokens.

    Attributes:
        url: The instance.
        store: The set of credentials that takes the tokens.
        existing: What the set holds already, or ``None``.
        activate: Whether it becomes the profile that is used if nobody names one.
        is_named: Whether the command line, the environment or a person says where the instance is.
        allow_http: Whether the credential may go over ``http://``.
    """

    url: str
    store: ProfileStore
    existing: Profile | None
    activate: bool
    is_named: bool
    allow_http: bool


def choose_target(options: ConnectionOptions) -> SignInTarget:
    """Choose the instance and the set.

    A profile that is named takes the tokens, whether it is there yet or not. If none is named, the set
    that is in use takes them if it is for the same instance, and otherwise a profile with the instance's
    name, which is what is used from then on.

    Args:
        options: The options of the command.

    Raises:
        ConfigurationError: It can't be told, or the profile of that name is for another instance.
    """
    name = options.profile or os.environ.get("ZEYOS_PROFILE")
    return _named_target(check_name(name), options) if name else _default_target(options)


def _named_target(name: str, options: ConnectionOptions) -> SignInTarget:
    registry = ProfileRegistry.of_user()
    entry = registry.entry(name)
    stored = look_for_profile(name) if entry is not None and entry.url else None
    url, is_named = _choose_url(options, {} if stored is not None else os.environ, stored)
    existing = stored if stored is not None and same_instance(stored.base_url, url) else None
    activate = options.profile is not None or entry is None  # a name in the environment is for this shell
    return SignInTarget(
        url=url,
        store=registry.store(name),
        existing=existing,
        activate=activate,
        is_named=is_named or options.profile is not None,
        allow_http=_allows_http(options, existing),
    )


def _default_target(options: ConnectionOptions) -> SignInTarget:
    current = look_for_profile()
    url, is_named = _choose_url(options, os.environ, current)
    if current is not None and same_instance(current.base_url, url):
        return SignInTarget(
            url=url,
            store=current.store,
            existing=current,
            activate=False,
            is_named=is_named,
            allow_http=_allows_http(options, current),
        )
    registry, name = ProfileRegistry.of_user(), _name_from(url)
    entry = registry.entry(name)
    if entry is not None and entry.url and not same_instance(entry.url, url):
        raise ConfigurationError(
            f"{describe_store(registry.store(name))} is for {entry.url}; give --profile NAME to sign in to {url} beside it"
        )
    existing = look_for_profile(name) if entry is not None and entry.url else None
    return SignInTarget(
        url=url,
        store=registry.store(name),
        existing=existing,
        activate=True,
        is_named=is_named,
        allow_http=_allows_http(options, existing),
    )


def _allows_http(options: ConnectionOptions, existing: Profile | None) -> bool:
    return options.allow_http or (existing is not None and existing.allow_http)


def _choose_url(
    options: ConnectionOptions, environ: Mapping[str, str], profile: Profile | None
) -> tuple[str, bool]:
    """Return the instance that options, the environment, the profile or a person names.

    Returns:
        It, and whether anything but the profile names it.
    """
    named = find_address(options, environ)
    if named is not None:
        return named[0], True
    return (profile.base_url, False) if profile is not None else (_ask_url(), True)


def _name_from(url: str) -> str:
    """Return the instance's name, or the host where the URL has no path."""
    parsed = URL(url)
    # People copy the address of the API as well as that of the instance.
    parts = parsed.path.strip("/").removesuffix("api/v1").strip("/").split("/")
    return check_name(parts[-1] or parsed.host or "default")


def _ask_url() -> str:
    if not may_ask():
        raise ConfigurationError(
            "which ZeyOS? Give --url https://cloud.zeyos.com/NAME, or set ZEYOS_INSTANCE"
        )
    return ask_line("Address of the instance, such as https://cloud.zeyos.com/demo").reveal()
