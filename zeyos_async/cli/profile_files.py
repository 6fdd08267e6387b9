"""Changes to the vendor's files of credentials: values of sets, the active profile, and pins of folders.

Reading a set and refreshing its tokens is in :mod:`~zeyos_async.services.zeyos.profiles`. Changes are made
under the same lock as there, and leave everything in a file as it is that is not ours to change.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from ..auth import Credential
from ..auth.stores.base import to_expiry
from ..auth.stores.file_locks import hold_lock_in_thread
from ..auth.stores.private_files import read_private, real_path, replace_private
from ..errors import ConfigurationError, suggest
from ..secrets import Secret
from ..services.zeyos.credential_files import check_writable, current_folder, read_object
from ..services.zeyos.profiles import ProfileStore

__all__ = [
    "TOKEN_FIELDS",
    "ProfileRegistry",
    "ProfileSummary",
    "check_name",
    "nearest_pin",
    "pin_profile",
    "to_token_values",
    "write_set",
]

TOKEN_FIELDS: Final = ("accessToken", "refreshToken", "expiresAt", "refreshTokenExpiresAt")
_PATIENCE: Final = 15.0
_MAX_NAME: Final = 100


@attrs.frozen(kw_only=True)
class ProfileSummary:
    """The parts of a profile that may be shown.

    Attributes:
        name: Its name.
        url: The instance, or ``""``.
        client_id: The application, or ``""``.
        active: Whether it is the one that is used if nobody names one.
        has_token: Whether there is an access token.
        refreshes: Whether there is a refresh token, and an application to use it with.
        expires_at: Unix time in seconds at which the access token expires, if that is known.
    """

    name: str
    url: str
    client_id: str
    active: bool
    has_token: bool
    refreshes: bool
    expires_at: float | None


@attrs.frozen
class ProfileRegistry:
    """The file of a user's profiles.

    Attributes:
        path: Where it is.
    """

    path: Path

    @classmethod
    def of_user(cls) -> ProfileRegistry:
        """Return the registry of this user, which the vendor keeps in the same place on every platform."""
        return cls(Path.home() / ".config" / "zeyos" / "profiles.json")

    @property
    def single(self) -> Path:
        """The file of the one set that there was before there were profiles."""
        return self.path.with_name("credentials.json")

    def entries(self) -> list[ProfileSummary]:
        """Return all profiles, sorted by name.

        Raises:
            ConfigurationError: The file can't be read.
        """
        document = read_object(self.path)
        profiles, active = _profiles(document), document.get("active")
        return [
            _to_summary(name, values, active=name == active)
            for name, values in sorted(profiles.items())
            if isinstance(values, dict)
        ]

    def entry(self, name: str) -> ProfileSummary | None:
        """Return the profile of a name, or ``None``."""
        return next((entry for entry in self.entries() if entry.name == name), None)

    def require(self, name: str) -> ProfileSummary:
        """Return the profile of a name.

        Raises:
            ConfigurationError: There is none; the closest names are in the message.
        """
        entries = self.entries()
        names = [entry.name for entry in entries]
        if name in names:
            return entries[names.index(name)]
        existing = f"There are {', '.join(map(repr, names))}." if names else "There is none yet."
        raise ConfigurationError(
            f"there is no profile {name!r} in {self.path}. {existing}{suggest(name, names)}"
        )

    def store(self, name: str) -> ProfileStore:
        """Return the store for the tokens of a profile."""
        return ProfileStore(self.path, name)

    def activate(self, name: str) -> None:
        """Make a profile the one that is used if nobody names one."""
        _edit_file(self.path, lambda document: {**document, "active": name})

    def remove(self, name: str) -> None:
        """Remove a profile. If it was the active one, none is."""

        def without(document: dict[str, Any]) -> dict[str, Any]:
            profiles = {key: value for key, value in _profiles(document).items() if key != name}
            active = document.get("active")
            return {**document, "active": None if active == name else active, "profiles": profiles}

        _edit_file(self.path, without)


def check_name(name: str) -> str:
    """Return the name of a profile if it can be one: it is a line of a file, and a word of a command.

    Raises:
        ConfigurationError: It can't be one.
    """
    if name != name.strip() or not name.isprintable() or not 0 < len(name) <= _MAX_NAME or name[0] == "-":
        raise ConfigurationError(
            f"{name!r} can't be the name of a profile: take a word such as 'demo', without spaces around it"
        )
    return name


def write_set(store: ProfileStore, values: Mapping[str, str | Secret | int | None]) -> None:
    """Put values into a set of credentials, which is made if it is missing; ``None`` removes one.

    The first profile becomes the active one.

    Args:
        store: The file, and the profile in it.
        values: The names that the vendor's tool gives them, and what they become.

    Raises:
        ConfigurationError: The file can't be read or written.
    """

    def change(document: dict[str, Any]) -> dict[str, Any]:
        if store.name is None:
            return _merge(document, values)
        before = _profiles(document)
        profiles = {**before, store.name: _merge(before.get(store.name) or {}, values)}
        active = document.get("active") or (None if before else store.name)
        return {**document, "active": active, "profiles": profiles}

    _edit_file(store.path, change)


def to_token_values(credential: Credential | None) -> dict[str, str | Secret | int | None]:
    """Return the tokens by the names that they have in a set; without a credential, values that remove them."""
    if credential is None:
        return dict.fromkeys(TOKEN_FIELDS)
    expires = credential.expires_at
    return {
        "accessToken": credential.secret,
        "refreshToken": credential.refresh,
        "expiresAt": None if expires is None else int(expires),
        "refreshTokenExpiresAt": credential.info.get("refresh_expires_at"),
    }


def pin_profile(name: str) -> Path:
    """Let this folder, and those below it, use a profile."""
    path = current_folder() / ".zeyos" / "profile"
    check_writable(path)
    replace_private(path, Secret(f"{name}\n"))
    return path


def nearest_pin(name: str) -> Path | None:
    """Return the file in this folder, or the closest one above it, that names the profile."""
    start = current_folder()
    for folder in (start, *start.parents):
        path = folder / ".zeyos" / "profile"
        text = read_private(path, strict=False) if path.is_file() else None
        if text is not None and text.reveal().strip():
            # The closest one counts, though it names another profile.
            return path if text.reveal().strip() == name else None
    return None


def _edit_file(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    check_writable(path)
    path = real_path(path)  # a file that is linked to stays where it is
    # From reading to writing: what another program writes in between would be lost.
    with hold_lock_in_thread(path.with_name(f".{path.name}.lock"), patience=_PATIENCE):
        replace_private(
            path, Secret(json.dumps(change(read_object(path)), indent=2, ensure_ascii=False) + "\n")
        )


def _merge(
    before: Mapping[str, Any], values: Mapping[str, str | Secret | int | None]
) -> dict[str, str | int | Any]:
    plain = {key: value.reveal() if isinstance(value, Secret) else value for key, value in values.items()}
    merged = {**before, **plain}
    return {key: value for key, value in merged.items() if value is not None or key not in values}


def _profiles(document: Mapping[str, Any]) -> dict[str, Any]:
    profiles = document.get("profiles")
    return profiles if isinstance(profiles, dict) else {}


def _to_summary(name: str, values: Mapping[str, Any], *, active: bool) -> ProfileSummary:
    return ProfileSummary(
        name=name,
        url=str(values.get("baseUrl") or ""),
        client_id=str(values.get("clientId") or ""),
        active=active,
        has_token=bool(values.get("accessToken")),
        refreshes=bool(values.get("refreshToken") and values.get("clientId")),
        expires_at=to_expiry(values.get("expiresAt")),
    )
