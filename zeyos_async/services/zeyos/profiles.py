"""Profiles: the credentials of the vendor's command line tool, found where it keeps them, and kept up to date.

The problem: a user who has signed in with that tool should need no second sign-in. So its files are read, by its own
rules for which of them counts; and as a refresh token works once, new tokens go back into the file that they
came from, or the tool would be signed out.

The files hold *sets* of credentials: JSON objects with ``baseUrl``, ``accessToken``, ``refreshToken``, ``clientId`` and so on.

- ``~/.config/zeyos/profiles.json`` is a registry: sets by name ("profiles"), of which one may be active.
- ``.zeyos/profile`` in a project's folder pins a profile: it holds the name of one.
- ``.zeyos/auth.json`` there is a set of the project's own.
- ``~/.config/zeyos/credentials.json`` is the one set that there was before there were profiles.

The paths are the vendor's, and the same on every platform. The search has three steps: :func:`_named` looks for a
profile that somebody names, :func:`_nearest` for the closest file of a project, and :func:`_default` for what is used
without either. A name that leads nowhere is an error and never leads to another set: a command must not change the
wrong instance. Which files of projects are believed is in :mod:`.credential_files`.

A set is an address and its credential, and they stay together: tokens are read and written only while the file still
has the address that they are for.

Everything else in a file stays as it is when tokens are written. Files that are linked to stay where they are, and
looser permissions than those of our own stores are accepted, as the files are not ours. The vendor's tool takes no
locks, so that our locks keep apart only programs that use this library.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import attrs
from yarl import URL

from ...auth import AuthBackend, BearerToken, Credential, OAuth2
from ...auth.origins import REFRESH_FORBIDDERS, is_set, plain_http_allowed
from ...auth.stores.base import to_expiry
from ...auth.stores.file_base import TokenFileStore
from ...auth.stores.private_files import real_path
from ...errors import ConfigurationError, suggest
from ...secrets import Secret
from .credential_files import (
    check_writable,
    current_folder,
    files_upwards,
    read_found_object,
    read_object,
    read_pin,
)

__all__ = ["Profile", "ProfileStore", "find_profile", "look_for_profile", "same_instance"]

_REFRESH_PATIENCE: Final = 60.0


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
        return to_expiry(self.values.get(name))


@attrs.frozen
class ProfileStore(TokenFileStore):
    """A store for the tokens of one set of credentials, where the vendor's tool keeps them.

    That tool takes no locks, and writes back the tokens that it has read, however long ago. So the newest ones that are
    known count, whatever the file says, and go back into it.

    Attributes:
        path: The file.
        name: The profile's name, or ``None`` where the file holds a single set.
    """

    has_other_writers: ClassVar[bool] = True

    path: Path
    name: str | None = None

    def _token_file(self) -> Path:
        return real_path(self.path)  # a file that is linked to stays where it is

    def _place(self, key: str) -> str:
        return f"{f'.{self.name}' if self.name else ''}.refresh".replace(os.sep, "_")

    def _lock_patience(self) -> float:
        return _REFRESH_PATIENCE

    def _read(self, key: str) -> Credential | None:
        values = read_set(self.path, self.name)
        self._check_instance(key, values)
        return _to_credential(values)

    def _parse(self, key: str, text: Secret) -> Credential | None:
        values = find_set(json.loads(text.reveal()), self.name)
        if values is None:
            return None
        self._check_instance(key, values)
        return _to_credential(values)

    def _text_with(self, key: str, credential: Credential | None) -> Secret:
        check_writable(self.path)
        return _with_tokens(self.path, self.name, credential)

    def _check_instance(self, key: str, values: _JsonObject) -> None:
        """Keep tokens and address together: somebody may have signed in to another instance meanwhile."""
        address = key.partition(" ")[0]
        if "://" not in address or not values.text("baseUrl"):
            return
        base_url = _base_url(values, self)
        if not same_instance(base_url, address):
            raise ConfigurationError(
                f"{_describe_store(self)} is for {base_url} by now, and its tokens are not for {address}. "
                "Begin anew, with the address that it has"
            )


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
        allow_http: Whether the set, or ``ZEYOS_ALLOW_HTTP``, permits a credential over ``http://``.
        may_refresh: Whether the environment leaves it to us to refresh.
    """

    base_url: str
    store: ProfileStore
    client_id: str = ""
    client_secret: Secret | None = None
    credential: Credential | None = None
    reason: str = ""
    allow_http: bool = False
    may_refresh: bool = True

    def auth(self) -> AuthBackend:
        """Return the backend that uses the tokens, and refreshes them where that is possible.

        Raises:
            ConfigurationError: There is no token.
        """
        tokens, name, bound_to = self.credential, _describe_store(self.store), _parse_url(self.base_url)
        if tokens is not None and tokens.refresh is not None and self.client_id:
            return OAuth2(
                self.client_id,
                self.client_secret,
                token_store=self.store,
                bound_to=bound_to,
                may_refresh=None if self.may_refresh else False,
            )
        if tokens is not None and tokens.secret:
            return BearerToken(tokens.secret, bound_to=bound_to)
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

    The first of: the named profile, the one that ``ZEYOS_PROFILE`` names, the closest of ``.zeyos/profile`` (which
    names one) and ``.zeyos/auth.json`` in the folder and those above it, the active profile,
    ``~/.config/zeyos/credentials.json``. An object without members is no sign-in.

    Args:
        name: A profile.
        environ: In place of ``os.environ``.
        folder: In place of the current folder.
        home: In place of the home folder.

    Raises:
        ConfigurationError: There is none, it can't be read, or others could have written it; the message says
            where was looked.
    """
    profile = look_for_profile(name, environ=environ, folder=folder, home=home)
    if profile is not None:
        return profile
    project, config = folder or current_folder(), _config_folder(home)
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
        ConfigurationError: A set is named that does not exist, it can't be read, or others could have written it.
    """
    env = os.environ if environ is None else environ
    config = _config_folder(home)
    registry = config / "profiles.json"
    choice = _named(name, env, registry) or _nearest(folder, env, registry) or _default(config)
    return None if choice is None else _to_profile(choice, env)


def _config_folder(home: Path | None) -> Path:
    """Return the vendor's folder, which is the same on every platform."""
    return (home or Path.home()) / ".config" / "zeyos"


@attrs.frozen
class _Choice:
    """A set, and why it is this one."""

    store: ProfileStore
    reason: str
    values: _JsonObject


def _named(name: str | None, env: Mapping[str, str], registry: Path) -> _Choice | None:
    """Return the profile that the caller or the environment names, or ``None``."""
    if name is not None:
        return _require_profile(name, registry, "was asked for")
    if env.get("ZEYOS_PROFILE"):
        return _require_profile(env["ZEYOS_PROFILE"], registry, "is named by ZEYOS_PROFILE")
    return None


def _nearest(folder: Path | None, env: Mapping[str, str], registry: Path) -> _Choice | None:
    """Return what the closest file of the folder and of those above it says, or ``None``."""
    for path in files_upwards((folder or current_folder()).absolute()):
        if path.name == "profile":
            if pinned := read_pin(path, env):
                return _require_profile(pinned, registry, f"is named by {path}")
        elif values := read_found_object(
            path, env
        ):  # after a logout, the vendor's tool leaves an empty object
            return _Choice(ProfileStore(path), "is the closest to this folder", _JsonObject(values))
    return None


def _default(config: Path) -> _Choice | None:
    """Return the set that is used if nothing names one, or ``None``."""
    registry, single = config / "profiles.json", config / "credentials.json"
    active = read_object(registry).get("active")
    if isinstance(active, str) and active:
        return _require_profile(active, registry, "is the active one")
    values = read_object(single)
    reason = "is there, and no profile is active"
    return _Choice(ProfileStore(single), reason, _JsonObject(values)) if values else None


def _require_profile(name: str, registry: Path, reason: str) -> _Choice:
    """Return the profile of a name, or raise the error that lists the names that there are."""
    value = read_object(registry).get("profiles")
    profiles = value if isinstance(value, dict) else {}
    values = profiles.get(name)
    if isinstance(values, dict):
        return _Choice(ProfileStore(registry, name), reason, _JsonObject(values))
    names = f"There are {', '.join(map(repr, sorted(profiles)))}." if profiles else "There is none yet."
    raise ConfigurationError(
        f"The profile {name!r}, which {reason}, is not in {registry}. {names}{suggest(name, profiles)}"
    )


def _to_profile(choice: _Choice, env: Mapping[str, str]) -> Profile:
    values = choice.values
    return Profile(
        base_url=_base_url(values, choice.store),
        store=choice.store,
        client_id=values.text("clientId"),
        client_secret=values.secret("clientSecret"),
        credential=_to_credential(values),
        reason=choice.reason,
        allow_http=values.values.get("allowHttp") is True or plain_http_allowed(env),
        may_refresh=not any(is_set(env, variable) for variable in REFRESH_FORBIDDERS),
    )


def same_instance(one: str, other: str) -> bool:
    """Return whether two URLs lead to the same instance, however they are written."""
    return _plain(one) == _plain(other)


def _plain(url: str) -> str:
    return str(_parse_url(url)).rstrip("/").removesuffix("/api/v1")


def _parse_url(text: str) -> URL:
    try:
        return URL(text.strip())
    except ValueError as error:
        raise ConfigurationError(f"{text!r} is not a URL: {error}") from error


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
    values = find_set(read_object(path), name)
    if values is None or not path.exists():
        what = f"The profile {name!r} is not in {path} any more" if name else f"{path} is not there any more"
        raise ConfigurationError(f"{what}. Sign in again")
    return values


def find_set(document: object, name: str | None) -> _JsonObject | None:
    """Return the set of credentials in what a file holds, or ``None``."""
    values = document
    for key in () if name is None else ("profiles", name):
        values = values.get(key) if isinstance(values, dict) else None
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
    document = read_object(path)
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
