"""The credentials of the vendor's command line tool: where they are, and how they are kept up to date.

That tool keeps sets of credentials ("profiles") by name in ``~/.config/zeyos/profiles.json``, with one of
them active; a project may pin one by its name in ``.zeyos/profile``, or have a set of its own in
``.zeyos/auth.json``; before there were profiles, there was ``~/.config/zeyos/credentials.json``. Tokens
that are refreshed go back to the file they came from; everything else in it stays as it is.
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
from ...auth.stores.private_files import locked, locked_in_thread, read_private, replace_private
from ...errors import ConfigurationError, suggest
from ...secrets import Secret

__all__ = ["Profile", "ProfileStore", "find_profile", "look_for_profile"]

_LOCAL: Final = ".zeyos"
_MOST_PARENTS: Final = 20
_PATIENCE: Final = 60.0
_WRITE_PATIENCE: Final = 15.0


@attrs.frozen
class _Values:
    """A set of credentials as it is in a file, which is not shown."""

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
    """Keeps the tokens of one set of credentials where the vendor's tool keeps them.

    That tool takes no locks: do not let it refresh the same tokens at the same moment.

    Attributes:
        path: The file.
        name: The profile's name, or ``None`` where the file holds a single set.
    """

    path: Path
    name: str | None = None

    async def load(self, key: str) -> Credential | None:
        """The tokens in the file, whatever the key."""
        return await asyncio.to_thread(lambda: _credential(read_set(self.path, self.name)))

    async def save(self, key: str, credential: Credential | None) -> None:
        """Put the tokens back into the file; ``None`` removes them."""
        await asyncio.to_thread(self._save, credential)

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncIterator[None]:
        """The lock of the set, for programs that use this library."""
        name = f".{self.path.name}{f'.{self.name}' if self.name else ''}".replace(os.sep, "_")
        async with locked(self.path.resolve().with_name(f"{name}.refresh.lock"), patience=_PATIENCE):
            yield

    def _save(self, credential: Credential | None) -> None:
        path = self.path.resolve()  # a file that is linked to stays where it is
        with locked_in_thread(path.with_name(f".{path.name}.lock"), patience=_WRITE_PATIENCE):
            replace_private(path, _changed(self.path, self.name, credential))


@attrs.frozen(kw_only=True)
class Profile:
    """A set of credentials that was found.

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
        """The backend that uses the tokens, and refreshes them where that is possible.

        Raises:
            ConfigurationError: There is no token.
        """
        tokens, what = self.credential, _described(self.store)
        if tokens is not None and tokens.refresh is not None and self.client_id:
            return OAuth2(self.client_id, self.client_secret, token_store=self.store)
        if tokens is not None and tokens.secret:
            return BearerToken(tokens.secret)
        if tokens is not None:
            raise ConfigurationError(f"{what} has a refresh token, but no clientId to use it with.")
        login = f"zeyos login --profile {self.store.name}" if self.store.name else "zeyos login"
        raise ConfigurationError(f"{what} has no tokens. Run: {login}")


def find_profile(
    name: str | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    home: Path | None = None,
) -> Profile:
    """The set of credentials that the vendor's tool would use here; reads files.

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
    found = look_for_profile(name, environ=environ, folder=folder, home=home)
    if found is not None:
        return found
    here, there = folder or Path.cwd(), _config(home)
    raise ConfigurationError(
        "There are no credentials of the command line tool: no .zeyos/profile or .zeyos/auth.json in "
        f"{here} or above, and no active profile in {there / 'profiles.json'}, and no "
        f"{there / 'credentials.json'}. Run: zeyos login"
    )


def look_for_profile(
    name: str | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    home: Path | None = None,
) -> Profile | None:
    """The same, with ``None`` where there are no credentials at all and nobody names any.

    Raises:
        ConfigurationError: A set is named that does not exist, or it can't be read.
    """
    env = os.environ if environ is None else environ
    here, there = folder or Path.cwd(), _config(home)
    chosen = _selected(name, env, here, there / "profiles.json") or _unnamed(here, there)
    return None if chosen is None else _profile(*chosen)


def _config(home: Path | None) -> Path:
    return (home or Path.home()) / ".config" / "zeyos"


_Chosen: TypeAlias = tuple[ProfileStore, str]
"""A set, and why it is this one."""


def _selected(name: str | None, env: Mapping[str, str], here: Path, registry: Path) -> _Chosen | None:
    """The profile that someone names."""
    if name is not None:
        return _named(name, registry, "was asked for")
    if env.get("ZEYOS_PROFILE"):
        return _named(env["ZEYOS_PROFILE"], registry, "is named by ZEYOS_PROFILE")
    for pin in _upwards(here, "profile"):
        pinned = _pinned(pin)
        if pinned:
            return _named(pinned, registry, f"is named by {pin}")
    return None


def _unnamed(here: Path, there: Path) -> _Chosen | None:
    """The set that is used if nobody names one."""
    for local in _upwards(here, "auth.json"):
        return ProfileStore(local), "is the closest to this folder"
    registry, single = there / "profiles.json", there / "credentials.json"
    active = _object(registry).values.get("active") if registry.exists() else None
    if isinstance(active, str) and active:
        return _named(active, registry, "is the active one")
    return (ProfileStore(single), "is there, and no profile is active") if single.exists() else None


def _upwards(folder: Path, file: str) -> Iterator[Path]:
    """The files of this name in ``.zeyos`` of a folder and of those above it, the closest first."""
    for parent in (folder, *folder.parents)[:_MOST_PARENTS]:
        path = parent / _LOCAL / file
        if path.is_file():
            yield path


def _pinned(pin: Path) -> str:
    text = read_private(pin, strict=False)
    return text.reveal().strip() if text is not None else ""


def _named(name: str, registry: Path, why: str) -> _Chosen:
    profiles = _object(registry).values.get("profiles") if registry.exists() else None
    known = profiles if isinstance(profiles, dict) else {}
    if isinstance(known.get(name), dict):
        return ProfileStore(registry, name), why
    names = f"There are {', '.join(map(repr, sorted(known)))}." if known else "There is none yet."
    raise ConfigurationError(
        f"The profile {name!r}, which {why}, is not in {registry}. {names}{suggest(name, known)}"
    )


def _profile(store: ProfileStore, chosen: str) -> Profile:
    found = read_set(store.path, store.name)
    return Profile(
        base_url=_base_url(found, store),
        store=store,
        client_id=found.text("clientId"),
        client_secret=found.secret("clientSecret"),
        credential=_credential(found),
        chosen=chosen,
    )


def _base_url(found: _Values, store: ProfileStore) -> str:
    base, instance = found.text("baseUrl").rstrip("/"), found.text("instance").strip("/")
    if not base:
        raise ConfigurationError(f"{_described(store)} has no baseUrl. Run: zeyos login --base-url …")
    # The address mostly ends with the instance's name already.
    return f"{base}/{instance}" if instance and not base.partition("://")[2].partition("/")[2] else base


def _described(store: ProfileStore) -> str:
    return f"The profile {store.name!r} in {store.path}" if store.name else str(store.path)


def read_set(path: Path, name: str | None) -> _Values:
    """The set of credentials in a file.

    Raises:
        ConfigurationError: It is not there, or can't be read.
    """
    document = _object(path)
    found = document.values if name is None else (document.values.get("profiles") or {}).get(name)
    if not isinstance(found, dict):
        raise ConfigurationError(f"The profile {name!r} is not in {path} any more.")
    return _Values(found)


def _object(path: Path) -> _Values:
    text = read_private(path, strict=False)
    values = None if text is None else _parsed(text)
    if values is None:
        raise ConfigurationError(f"{path} holds no JSON object, as it should.")
    return values


def _parsed(text: Secret) -> _Values | None:
    try:
        values = json.loads(text.reveal())
    except ValueError:
        return None
    return _Values(values) if isinstance(values, dict) else None


def _credential(found: _Values) -> Credential | None:
    access, refresh = found.secret("accessToken"), found.secret("refreshToken")
    if access is None and refresh is None:
        return None
    last = found.time("refreshTokenExpiresAt")
    # With a refresh token alone, the credential counts as expired.
    return Credential(
        secret=access or Secret(""),
        refresh=refresh,
        expires_at=found.time("expiresAt") if access is not None else 0.0,
        info={} if last is None else {"refresh_expires_at": int(last)},
    )


def _changed(path: Path, name: str | None, credential: Credential | None) -> Secret:
    """The text of the file with the tokens replaced."""
    document = dict(_object(path).values)
    tokens = _tokens(credential)
    if name is None:
        document = _merged(document, tokens)
    else:
        profiles = dict(document.get("profiles") or {})
        profiles[name] = _merged(profiles.get(name) or {}, tokens)
        document["profiles"] = profiles
    return Secret(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def _tokens(credential: Credential | None) -> dict[str, Any]:
    if credential is None:
        return dict.fromkeys(("accessToken", "refreshToken", "expiresAt", "refreshTokenExpiresAt"))
    expires = credential.expires_at
    return {
        "accessToken": credential.secret.reveal(),
        "refreshToken": credential.refresh.reveal() if credential.refresh is not None else None,
        "expiresAt": None if expires is None else int(expires),
        "refreshTokenExpiresAt": credential.info.get("refresh_expires_at"),
    }


def _merged(before: Mapping[str, Any], tokens: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value for key, value in {**before, **tokens}.items() if value is not None or key not in tokens
    }
