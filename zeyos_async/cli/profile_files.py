"""The vendor's files of credentials, as far as commands change them: sets of values, and which is active.

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
from ..auth.stores.private_files import locked_in_thread, read_private, replace_private
from ..errors import ConfigurationError, suggest
from ..secrets import Secret
from ..services.zeyos.profiles import ProfileStore

__all__ = [
    "TOKENS",
    "Entry",
    "Registry",
    "check_name",
    "nearest_pin",
    "pin",
    "token_values",
    "write_set",
]

TOKENS: Final = ("accessToken", "refreshToken", "expiresAt", "refreshTokenExpiresAt")
_PATIENCE: Final = 15.0
_LONGEST_NAME: Final = 100


@attrs.frozen(kw_only=True)
class Entry:
    """A profile, as far as it may be shown.

    Attributes:
        name: Its name.
        url: The instance, or ``""``.
        client_id: The application, or ``""``.
        active: Whether it is the one that is used if nobody says which.
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
class Registry:
    """The file of the profiles.

    Attributes:
        path: Where it is.
    """

    path: Path

    @classmethod
    def here(cls) -> Registry:
        """That of this user."""
        return cls(Path.home() / ".config" / "zeyos" / "profiles.json")

    @property
    def single(self) -> Path:
        """The file of the one set that there was before there were profiles."""
        return self.path.with_name("credentials.json")

    def entries(self) -> list[Entry]:
        """All profiles, by name.

        Raises:
            ConfigurationError: The file can't be read.
        """
        document = _read(self.path)
        profiles, active = _profiles(document), document.get("active")
        return [
            _entry(name, values, active=name == active)
            for name, values in sorted(profiles.items())
            if isinstance(values, dict)
        ]

    def entry(self, name: str) -> Entry | None:
        """The profile of a name."""
        return next((entry for entry in self.entries() if entry.name == name), None)

    def require(self, name: str) -> Entry:
        """The profile of a name.

        Raises:
            ConfigurationError: There is none; the closest names are in the message.
        """
        found = self.entries()
        names = [entry.name for entry in found]
        if name in names:
            return found[names.index(name)]
        known = f"There are {', '.join(map(repr, names))}." if names else "There is none yet."
        raise ConfigurationError(
            f"there is no profile {name!r} in {self.path}. {known}{suggest(name, names)}"
        )

    def store(self, name: str) -> ProfileStore:
        """Where the tokens of a profile are kept."""
        return ProfileStore(self.path, name)

    def activate(self, name: str) -> None:
        """Make a profile the one that is used if nobody says which."""
        _edit(self.path, lambda document: {**document, "active": name})

    def remove(self, name: str) -> None:
        """Remove a profile. If it was the active one, none is."""

        def without(document: dict[str, Any]) -> dict[str, Any]:
            profiles = {key: value for key, value in _profiles(document).items() if key != name}
            active = document.get("active")
            return {**document, "active": None if active == name else active, "profiles": profiles}

        _edit(self.path, without)


def check_name(name: str) -> str:
    """The name of a profile, if it can be one: it is a line of a file, and a word of a command.

    Raises:
        ConfigurationError: It can't.
    """
    if name != name.strip() or not name.isprintable() or not 0 < len(name) <= _LONGEST_NAME or name[0] == "-":
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
            return _merged(document, values)
        before = _profiles(document)
        profiles = {**before, store.name: _merged(before.get(store.name) or {}, values)}
        active = document.get("active") or (None if before else store.name)
        return {**document, "active": active, "profiles": profiles}

    _edit(store.path, change)


def token_values(credential: Credential | None) -> dict[str, str | Secret | int | None]:
    """The tokens under the names that they have in a set; ``None`` removes those that there are."""
    if credential is None:
        return dict.fromkeys(TOKENS)
    expires = credential.expires_at
    return {
        "accessToken": credential.secret,
        "refreshToken": credential.refresh,
        "expiresAt": None if expires is None else int(expires),
        "refreshTokenExpiresAt": credential.info.get("refresh_expires_at"),
    }


def pin(name: str) -> Path:
    """Let this folder, and those below it, use a profile."""
    path = Path.cwd() / ".zeyos" / "profile"
    replace_private(path, Secret(f"{name}\n"))
    return path


def nearest_pin(name: str) -> Path | None:
    """The file in this folder, or the closest one above it, that names the profile."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        path = folder / ".zeyos" / "profile"
        text = read_private(path, strict=False) if path.is_file() else None
        if text is not None and text.reveal().strip():
            return path if text.reveal().strip() == name else None
    return None


def _read(path: Path) -> dict[str, Any]:
    text = read_private(path, strict=False)
    values = {} if text is None else _parsed(text)
    if values is None:
        raise ConfigurationError(f"{path} holds no JSON object, as it should. Move it away to begin anew.")
    return values


def _parsed(text: Secret) -> dict[str, Any] | None:
    try:
        values = json.loads(text.reveal())
    except ValueError:
        return None
    return values if isinstance(values, dict) else None


def _edit(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    path = path.resolve()  # a file that is linked to stays where it is
    with locked_in_thread(path.with_name(f".{path.name}.lock"), patience=_PATIENCE):
        replace_private(path, Secret(json.dumps(change(_read(path)), indent=2, ensure_ascii=False) + "\n"))


def _merged(
    before: Mapping[str, Any], values: Mapping[str, str | Secret | int | None]
) -> dict[str, str | int | Any]:
    plain = {key: value.reveal() if isinstance(value, Secret) else value for key, value in values.items()}
    merged = {**before, **plain}
    return {key: value for key, value in merged.items() if value is not None or key not in values}


def _profiles(document: Mapping[str, Any]) -> dict[str, Any]:
    profiles = document.get("profiles")
    return profiles if isinstance(profiles, dict) else {}


def _entry(name: str, values: Mapping[str, Any], *, active: bool) -> Entry:
    return Entry(
        name=name,
        url=str(values.get("baseUrl") or ""),
        client_id=str(values.get("clientId") or ""),
        active=active,
        has_token=bool(values.get("accessToken")),
        refreshes=bool(values.get("refreshToken") and values.get("clientId")),
        expires_at=_seconds(values.get("expiresAt")),
    )


def _seconds(value: object) -> float | None:
    known = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if known else None  # type: ignore[arg-type]
