"""Profiles: the credentials of the vendor's command line tool, found where it keeps them, and kept up to date.

The problem: a user who has signed in with that tool should need no second sign-in. So its files are read, by its own
rules for which of them counts; and as a refresh token works once, new tokens go back into the file that they
came from, or the tool would be signed out.

The files hold *sets* of credentials: JSON objects with ``baseUrl``, ``accessToken``, ``refreshToken``, ``clientId`` and so on.

- ``~/.config/zeyos/profiles.json`` is a registry: sets by name ("profiles"), of which one may be active.
- ``.zeyos/profile`` in a project's folder pins a profile: it holds the name of one.
- ``.zeyos/auth.json`` there is a set of the project's own.
- ``~/.config/zeyos/credentials.json`` is the one set that there was before there were profiles.

The paths are the vendor's, and the same on every platform. The search has two steps: :func:`_selected_set` looks for a
profile that somebody names, and :func:`_default_set` for what is used if nobody does. A name that leads nowhere is
an error and never leads to another set: a command must not change the wrong instance.

Everything else in a file stays as it is when tokens are written. Files that are linked to stay where they are, and
looser permissions than those of our own stores are accepted, as the files are not ours. The vendor's tool takes no
locks, so that our locks keep apart only programs that use this library.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

import attrs

from ...auth import AuthBackend, BearerToken, Credential, OAuth2, TokenStore
from ...auth.stores.file_locks import hold_lock, hold_lock_in_thread
from ...auth.stores.private_files import read_private, replace_private
from ...errors import ConfigurationError, suggest
from ...secrets import Secret

__all__ = ["Profile", "ProfileStore", "find_profile", "look_for_profile"]

_PROJECT_FOLDER: Final = ".zeyos"
_MAX_PARENTS: Final = 20
_REFRESH_PATIENCE: Final = 60.0
_WRITE_PATIENCE: Final = 15.0


@attrs.frozen
class _JsonObject:
    """A JSON object of a file, such as a set of credentials; its ``repr`` does not show what is in it."""

    values: Mapping[str, Any] = attrs.field(repr=lambda values: f"<{len(values)} values>")

    def text(self, name: str) -> str:
        value = self.values.get(name)
        return value.strip() if isinstance(value, str) else ""

    def secret(self, name: str) -> Secret | None:
        text = self.text(name)
        return Secret(text) if text else None

    def time(self, name: str) -> float | None:
        value = self.values.get(name)
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


@attrs.frozen
class ProfileStore(TokenStore):
    """A store for the tokens of one set of credentials, where the vendor's tool keeps them.

    That tool takes no locks: do not let it refresh the same tokens at the same moment.

    Attributes:
        path: The file.
        name: The profile's name, or ``None`` where the file holds a single set.
    """

    path: Path
    name: str | None = None

    async def load(self, key: str) -> Credential | None:
        """Return the tokens in the file, whatever the key."""
        return await asyncio.to_thread(lambda: _to_credential(read_set(self.path, self.name)))

    async def save(self, key: str, credential: Credential | None) -> None:
        """Put the tokens back into the file; ``None`` removes them."""
        await asyncio.to_thread(self._save, credential)

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncIterator[None]:
        """Hold the lock of the set, against programs that use this library."""
        # Apart from the lock of a write: a refresh, which waits for a server, holds up no other profile's writes.
        name = f".{self.path.name}{f'.{self.name}' if self.name else ''}".replace(os.sep, "_")
        async with hold_lock(
            self.path.resolve().with_name(f"{name}.refresh.lock"), patience=_REFRESH_PATIENCE
        ):
            yield

    def _save(self, credential: Credential | None) -> None:
        path = self.path.resolve()  # a file that is linked to stays where it is
        with hold_lock_in_thread(path.with_name(f".{path.name}.lock"), patience=_WRITE_PATIENCE):
            replace_private(path, _with_tokens(self.path, self.name, credential))


@attrs.frozen(kw_only=True)
class Profile:
    """A set of credentials of the vendor's tool, with the reason why it is used.

    Attributes:
        base_url: The instance.
        store: The file it is in.
        client_id: The application's identifier, or ``""``.
        client_secret: The application's secret.
        credential: The tokens, or ``None``.
        chosen: Why it is this one, such as ``"is named by ZEYOS_PROFILE"``.
    """

    base_url: str
    store: ProfileStore
    client_id: str = ""
    client_secret: Secret | None = None
    credential: Credential | None = None
    chosen: str = ""

    def auth(self) -> AuthBackend:
        """Return the backend that uses the tokens, and refreshes them where that is possible.

        Raises:
            ConfigurationError: There is no token.
        """
        tokens, name = self.credential, _describe_store(self.store)
        if tokens is not None and tokens.refresh is not None and self.client_id:
            return OAuth2(self.client_id, self.client_secret, token_store=self.store)
        if tokens is not None and tokens.secret:
            return BearerToken(tokens.secret)
        if tokens is not None:
            raise ConfigurationError(f"{name} has a refresh token, but no clientId to use it with.")
        login = f"zeyos login --profile {self.store.name}" if self.store.name else "zeyos login"
        raise ConfigurationError(f"{name} has no tokens. Run: {login}")


def find_profile(
    name: str | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    home: Path | None = None,
) -> Profile:
    """Find the set of credentials that the vendor's tool would use here; this reads files.

    The first of: the named profile, the one that ``ZEYOS_PROFILE`` names, the one that ``.zeyos/profile``
    names, ``.zeyos/auth.json``, the active profile, ``~/.config/zeyos/credentials.json``. The two in
    ``.zeyos`` are looked for in the folder and those above it.

    Args:
        name: A profile.
        environ: In place of ``os.environ``.
        folder: In place of the current folder.
        home: In place of the home folder.

    Raises:
        ConfigurationError: There is none, or it can't be read; the message says where was looked.
    """
    profile = look_for_profile(name, environ=environ, folder=folder, home=home)
    if profile is not None:
        return profile
    project, config = folder or Path.cwd(), _config_folder(home)
    raise ConfigurationError(
        "There are no credentials of the command line tool: no .zeyos/profile or .zeyos/auth.json in "
        f"{project} or above, and no active profile in {config / 'profiles.json'}, and no "
        f"{config / 'credentials.json'}. Run: zeyos login"
    )


def look_for_profile(
    name: str | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    home: Path | None = None,
) -> Profile | None:
    """Find the same as :func:`find_profile`, or ``None`` if there are no credentials at all and nobody names any.

    Raises:
        ConfigurationError: A set is named that does not exist, or it can't be read.
    """
    env = os.environ if environ is None else environ
    project, config = folder or Path.cwd(), _config_folder(home)
    choice = _selected_set(name, env, project, config / "profiles.json") or _default_set(project, config)
    return None if choice is None else _read_profile(*choice)


def _config_folder(home: Path | None) -> Path:
    """Return the vendor's folder, which is the same on every platform."""
    return (home or Path.home()) / ".config" / "zeyos"


_Choice: TypeAlias = tuple[ProfileStore, str]
"""A set, and why it is this one."""


def _selected_set(name: str | None, env: Mapping[str, str], project: Path, registry: Path) -> _Choice | None:
    """Return the profile that someone names, or ``None``."""
    if name is not None:
        return _named_set(name, registry, "was asked for")
    if env.get("ZEYOS_PROFILE"):
        return _named_set(env["ZEYOS_PROFILE"], registry, "is named by ZEYOS_PROFILE")
    for pin in _files_upwards(project, "profile"):
        pinned_name = _read_pin(pin)
        if pinned_name:
            return _named_set(pinned_name, registry, f"is named by {pin}")
    return None


def _default_set(project: Path, config: Path) -> _Choice | None:
    """Return the set that is used if nobody names one, or ``None``."""
    for file in _files_upwards(project, "auth.json"):
        return ProfileStore(file), "is the closest to this folder"
    registry, single = config / "profiles.json", config / "credentials.json"
    active = _read_object(registry).values.get("active") if registry.exists() else None
    if isinstance(active, str) and active:
        return _named_set(active, registry, "is the active one")
    return (ProfileStore(single), "is there, and no profile is active") if single.exists() else None


def _files_upwards(folder: Path, name: str) -> Iterator[Path]:
    """Yield the files of this name in ``.zeyos`` of a folder and of those above it, the closest first."""
    for parent in (folder, *folder.parents)[:_MAX_PARENTS]:
        path = parent / _PROJECT_FOLDER / name
        if path.is_file():
            yield path


def _read_pin(pin: Path) -> str:
    text = read_private(pin, strict=False)
    return text.reveal().strip() if text is not None else ""


def _named_set(name: str, registry: Path, reason: str) -> _Choice:
    """Return the profile of a name, or raise the error that lists the names that there are."""
    value = _read_object(registry).values.get("profiles") if registry.exists() else None
    profiles = value if isinstance(value, dict) else {}
    if isinstance(profiles.get(name), dict):
        return ProfileStore(registry, name), reason
    names = f"There are {', '.join(map(repr, sorted(profiles)))}." if profiles else "There is none yet."
    raise ConfigurationError(
        f"The profile {name!r}, which {reason}, is not in {registry}. {names}{suggest(name, profiles)}"
    )


def _read_profile(store: ProfileStore, reason: str) -> Profile:
    values = read_set(store.path, store.name)
    return Profile(
        base_url=_base_url(values, store),
        store=store,
        client_id=values.text("clientId"),
        client_secret=values.secret("clientSecret"),
        credential=_to_credential(values),
        chosen=reason,
    )


def _base_url(values: _JsonObject, store: ProfileStore) -> str:
    base, instance = values.text("baseUrl").rstrip("/"), values.text("instance").strip("/")
    if not base:
        raise ConfigurationError(f"{_describe_store(store)} has no baseUrl. Run: zeyos login --base-url …")
    # The address mostly ends with the instance's name already.
    return f"{base}/{instance}" if instance and not base.partition("://")[2].partition("/")[2] else base


def _describe_store(store: ProfileStore) -> str:
    return f"The profile {store.name!r} in {store.path}" if store.name else str(store.path)


def read_set(path: Path, name: str | None) -> _JsonObject:
    """Read the set of credentials in a file.

    Raises:
        ConfigurationError: It is not there, or can't be read.
    """
    document = _read_object(path)
    values = document.values if name is None else (document.values.get("profiles") or {}).get(name)
    if not isinstance(values, dict):
        raise ConfigurationError(f"The profile {name!r} is not in {path} any more.")
    return _JsonObject(values)


def _read_object(path: Path) -> _JsonObject:
    text = read_private(path, strict=False)
    values = None if text is None else _parse_object(text)
    if values is None:
        raise ConfigurationError(f"{path} holds no JSON object, as it should.")
    return values


def _parse_object(text: Secret) -> _JsonObject | None:
    try:
        values = json.loads(text.reveal())
    except ValueError:
        return None
    return _JsonObject(values) if isinstance(values, dict) else None


def _to_credential(values: _JsonObject) -> Credential | None:
    access, refresh = values.secret("accessToken"), values.secret("refreshToken")
    if access is None and refresh is None:
        return None
    refresh_expires_at = values.time("refreshTokenExpiresAt")
    # With a refresh token alone, the credential counts as expired.
    return Credential(
        secret=access or Secret(""),
        refresh=refresh,
        expires_at=values.time("expiresAt") if access is not None else 0.0,
        info={} if refresh_expires_at is None else {"refresh_expires_at": int(refresh_expires_at)},
    )


def _with_tokens(path: Path, name: str | None, credential: Credential | None) -> Secret:
    """Return the text of the file with the tokens replaced."""
    document = dict(_read_object(path).values)
    tokens = _token_fields(credential)
    if name is None:
        document = _merge(document, tokens)
    else:
        profiles = dict(document.get("profiles") or {})
        profiles[name] = _merge(profiles.get(name) or {}, tokens)
        document["profiles"] = profiles
    return Secret(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def _token_fields(credential: Credential | None) -> dict[str, Any]:
    if credential is None:
        return dict.fromkeys(("accessToken", "refreshToken", "expiresAt", "refreshTokenExpiresAt"))
    expires = credential.expires_at
    return {
        "accessToken": credential.secret.reveal(),
        "refreshToken": credential.refresh.reveal() if credential.refresh is not None else None,
        "expiresAt": None if expires is None else int(expires),
        "refreshTokenExpiresAt": credential.info.get("refresh_expires_at"),
    }


def _merge(before: Mapping[str, Any], tokens: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value for key, value in {**before, **tokens}.items() if value is not None or key not in tokens
    }
