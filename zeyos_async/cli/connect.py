"""Where a command connects to, and as whom: options first, then the environment, then what was signed in."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import attrs
import click
from yarl import URL

from ..auth import AuthBackend, BearerToken, FileStore, OAuth2, PasswordLogin
from ..errors import ConfigurationError, NotAuthenticated
from ..services.zeyos.client import Zeyos
from ..services.zeyos.profiles import Profile, ProfileStore, look_for_profile
from .output import NotSignedIn

__all__ = [
    "Connection",
    "Target",
    "address",
    "build_password_login",
    "described",
    "login_command",
    "merge_emulated_rows",
    "open_zeyos",
    "prompt_secret",
    "read_password",
    "read_secret",
    "read_token",
    "resolve_local_target",
    "resolve_target",
    "same_instance",
    "short",
]

_CLOUD: Final = "https://cloud.zeyos.com"
_TARGET_VARIABLES: Final = (
    "ZEYOS_BASE_URL",
    "ZEYOS_INSTANCE",
    "ZEYOS_TOKEN",
    "ZEYOS_REFRESH_TOKEN",
    "ZEYOS_USER",
)
"""Variables that say where or who; an explicit profile wins over them."""

AskSecret = Callable[[str], str | None]
"""Asks a person for a secret; ``None`` where there is nobody."""


@attrs.frozen(kw_only=True)
class Connection:
    """The connection options of a command line, as they were given."""

    profile: str | None = None
    url: str | None = None
    instance: str | None = None
    token: str | None = attrs.field(default=None, repr=False)
    token_file: str | None = None
    user: str | None = None
    password_file: str | None = None
    identifier: str | None = None
    appsecret_file: str | None = None
    otp: str | None = attrs.field(default=None, repr=False)
    timeout: float | None = None
    emulate: bool = False
    rows: tuple[dict[str, int], ...] = ()
    seed: int = 1


@attrs.frozen(kw_only=True)
class Target:
    """A server and a credential for it.

    Attributes:
        url: The instance's URL.
        auth: The credential.
        url_from: Where the URL was found, for people.
        auth_from: What the credential is and where it was found, for people.
        profile: The stored credentials, if they are what is used.
        passed_over: What else there was that could have been used, and what won over it.
    """

    url: str
    auth: AuthBackend = attrs.field(repr=False)
    url_from: str
    auth_from: str
    profile: Profile | None = attrs.field(default=None, repr=False)
    passed_over: tuple[str, ...] = ()


def resolve_target(
    given: Connection,
    environ: Mapping[str, str],
    ask: AskSecret,
    *,
    folder: Path | None = None,
    home: Path | None = None,
) -> Target:
    """Choose the server and the credential.

    Each comes from the options if they say it, else from the environment (unless the options name a
    profile), else from a stored set of credentials. Stored tokens go to the instance that they were
    stored for, and nowhere else.

    Args:
        given: The options.
        environ: The environment.
        ask: Asks a person for a secret; ``None`` where there is nobody.
        folder: In place of the current folder.
        home: In place of the home folder.

    Raises:
        ConfigurationError: Something is missing or contradicts itself; the message says what to give.
        NotSignedIn: There is no credential.
    """
    chosen = {k: v for k, v in environ.items() if k not in _TARGET_VARIABLES} if given.profile else environ
    where, who = address(given, chosen), _find_auth(given, chosen, ask)
    if where is not None and who is not None:
        return Target(url=where[0], url_from=where[1], auth=who[0], auth_from=who[1])
    stored = look_for_profile(given.profile, environ=environ, folder=folder, home=home)
    url, url_from = where or _stored_url(stored)
    if who is not None:
        return Target(url=url, url_from=url_from, auth=who[0], auth_from=who[1])
    auth, auth_from = _stored_auth(stored, url)
    lost = tuple(name for name in _TARGET_VARIABLES if given.profile and environ.get(name))
    return Target(
        url=url,
        url_from=url_from,
        auth=auth,
        auth_from=auth_from,
        profile=stored,
        passed_over=(f"{', '.join(lost)} in the environment (--profile wins)",) if lost else (),
    )


def resolve_local_target(given: Connection) -> Target:
    """Choose the server and the credential, with this process's environment, files and terminal."""
    return resolve_target(given, os.environ, prompt_secret)


def address(given: Connection, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """The URL that the options or the environment name, and which of them.

    Raises:
        ConfigurationError: It does not name an instance.
    """
    from_env = environ.get("ZEYOS_BASE_URL", "").strip()
    base = given.url or from_env or _CLOUD
    source = "--url" if given.url else "ZEYOS_BASE_URL" if from_env else "the default"
    instance, also = given.instance, "--instance"
    if instance is None and not given.url:
        instance, also = environ.get("ZEYOS_INSTANCE", "").strip(), "ZEYOS_INSTANCE"
    if instance:
        whole = URL(base).path.strip("/").split("/")[-1:] == [instance]  # some write it in both places
        return (base if whole else f"{base.rstrip('/')}/{instance.strip('/')}"), f"{source} and {also}"
    if not given.url and not from_env:
        return None
    if base.rstrip("/") == _CLOUD or (not given.url and not URL(base).path.strip("/")):
        raise ConfigurationError(f"{base} does not name an instance; write it as {base.rstrip('/')}/NAME")
    return base, source


def same_instance(one: str, other: str) -> bool:
    """Whether two URLs lead to the same instance."""
    return _normalize_url(one) == _normalize_url(other)


def _normalize_url(url: str) -> str:
    return str(URL(url.strip())).rstrip("/").removesuffix("/api/v1")


def _stored_url(stored: Profile | None) -> tuple[str, str]:
    if stored is None:
        raise ConfigurationError(
            "which ZeyOS? Sign in with `zeyos-async login --url https://cloud.zeyos.com/NAME`, or give --url, or set "
            "ZEYOS_INSTANCE; --emulate runs the command on an embedded emulator"
        )
    return stored.base_url, described(stored.store)


def described(store: ProfileStore) -> str:
    """Which set of credentials it is, for people."""
    return f"the profile {store.name!r} in {short(store.path)}" if store.name else short(store.path)


def short(path: Path) -> str:
    """A path as people write it, with ``~`` for the home folder."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


def login_command(store: ProfileStore) -> str:
    """The command that signs in to the same place again."""
    return f"zeyos-async login --profile {store.name}" if store.name else "zeyos-async login"


def _stored_auth(stored: Profile | None, url: str) -> tuple[AuthBackend, str]:
    if stored is None:
        raise NotSignedIn(
            f"no credential for {url}: sign in with `zeyos-async login --url {url}`, or set ZEYOS_TOKEN, or give "
            "--token-file FILE, or --user NAME to log in with a password"
        )
    what, command = described(stored.store), login_command(stored.store)
    if not same_instance(stored.base_url, url):
        raise NotSignedIn(
            f"no credential for {url}: {what}, which {stored.chosen}, is for {stored.base_url}. Give --profile, or "
            f"sign in with `zeyos-async login --url {url}`, or set ZEYOS_TOKEN"
        )
    tokens = stored.credential
    if tokens is None:
        raise NotSignedIn(f"{what}, which {stored.chosen}, has no tokens: sign in with `{command}`")
    auth = stored.auth()
    refreshed = isinstance(auth, OAuth2)
    if not refreshed and tokens.expires_at is not None and tokens.expires_at <= time.time():
        raise NotSignedIn(f"the token of {what} has expired: sign in again with `{command}`")
    kind = "an access token, refreshed when it expires," if refreshed else "an access token"
    return auth, f"{kind} from {what}, which {stored.chosen}"


def _find_auth(
    given: Connection, environ: Mapping[str, str], ask: AskSecret
) -> tuple[AuthBackend, str] | None:
    """The credential of the options or the environment, and what it is."""
    ways = [f"--{name.replace('_', '-')}" for name in ("token", "token_file", "user") if getattr(given, name)]
    if len(ways) > 1:
        raise ConfigurationError(f"{' and '.join(ways)} are different ways to log in; give one of them")
    if given.token:
        return BearerToken(given.token), "a token from --token"
    if given.token_file:
        return BearerToken(read_secret(given.token_file, "the token")), f"a token from {given.token_file}"
    if given.user:
        return build_password_login(given, environ, ask)
    if environ.get("ZEYOS_REFRESH_TOKEN", "").strip():
        return _refreshing_auth(environ)
    if environ.get("ZEYOS_TOKEN", "").strip():
        return BearerToken(environ["ZEYOS_TOKEN"].strip()), "a token from ZEYOS_TOKEN"
    return build_password_login(given, environ, ask) if environ.get("ZEYOS_USER") else None


def _refreshing_auth(environ: Mapping[str, str]) -> tuple[AuthBackend, str]:
    """The refresh token of the environment. As it works once, its successors are kept in a file."""
    token, client, secret = (
        environ.get(f"ZEYOS_{name}", "").strip() for name in ("TOKEN", "CLIENT_ID", "CLIENT_SECRET")
    )
    if not client:
        raise ConfigurationError(
            "ZEYOS_REFRESH_TOKEN is set: set ZEYOS_CLIENT_ID (and ZEYOS_CLIENT_SECRET) to the application that it was "
            "issued to, too"
        )
    state = environ.get("XDG_STATE_HOME") or "~/.local/state"
    store = FileStore(f"{state}/zeyos-async/tokens.json")
    auth = OAuth2(
        client,
        secret or None,
        refresh_token=environ["ZEYOS_REFRESH_TOKEN"].strip(),
        access_token=token or None,
        token_store=store,
    )
    return auth, f"ZEYOS_REFRESH_TOKEN, whose successors are kept in {short(store.path)}"


def build_password_login(
    given: Connection, environ: Mapping[str, str], ask: AskSecret
) -> tuple[PasswordLogin, str]:
    """The log-in by name and password that the options or the environment ask for, and what it is.

    Raises:
        ConfigurationError: There is no password, and nobody to ask for it.
    """
    name = given.user or environ["ZEYOS_USER"]
    password, source = environ.get("ZEYOS_PASSWORD"), "ZEYOS_PASSWORD"
    if given.password_file:
        password, source = read_secret(given.password_file, "the password"), given.password_file
    if password is None:
        password, source = ask(f"Password of {name}"), "the prompt"
    if password is None:
        raise ConfigurationError(
            "no password: set ZEYOS_PASSWORD, or give --password-file FILE (there is no terminal to ask on)"
        )
    appsecret = environ.get("ZEYOS_APPSECRET")
    if given.appsecret_file:
        appsecret = read_secret(given.appsecret_file, "the application's secret")
    login = PasswordLogin(
        name,
        password,
        identifier=given.identifier or environ.get("ZEYOS_IDENTIFIER") or "zeyos-async",
        appsecret=appsecret,
        otp=given.otp,
    )
    return login, f"the log-in of {name} with the password from {source}"


def read_secret(path: str, what: str) -> str:
    """The secret in a file, or in the next line of standard input for ``-``.

    Raises:
        ConfigurationError: It can't be read, or is empty.
    """
    try:
        text = sys.stdin.readline() if path == "-" else Path(path).read_text("utf-8")
    except OSError as error:
        raise ConfigurationError(f"{what} can't be read from {path}: {error.strerror}") from error
    if not text.strip():
        raise ConfigurationError(f"{what} should be in {path}, and that is empty")
    return text.strip()


def read_token(given: Connection, environ: Mapping[str, str], variable: str, what: str) -> str:
    """The token or key of the options or the environment, or ``""``.

    Raises:
        ConfigurationError: It is given twice, or can't be read.
    """
    if given.token and given.token_file:
        raise ConfigurationError("--token and --token-file are two ways to say the same; give one of them")
    if given.token_file:
        return read_secret(given.token_file, what)
    return given.token or environ.get(variable, "").strip()


def read_password(
    given: Connection, environ: Mapping[str, str], variable: str, name: str, ask: AskSecret
) -> str:
    """The password of a user: from a file, the environment, or the terminal.

    Raises:
        ConfigurationError: There is none.
    """
    if given.password_file:
        return read_secret(given.password_file, "the password")
    password = environ.get(variable) or ask(f"Password of {name}")
    if not password:
        raise ConfigurationError(f"no password: set {variable}, or give --password-file FILE")
    return password


def prompt_secret(text: str) -> str | None:
    """Ask for a secret on the terminal; ``None`` where there is none."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    answer: str = click.prompt(text, hide_input=True, err=True)
    return answer


@asynccontextmanager
async def open_zeyos(given: Connection, target: Target | None = None) -> AsyncIterator[Zeyos]:
    """A client for what the options say, on an emulator of its own where they say that.

    Args:
        given: The options.
        target: What they were resolved to, if that is done already.
    """
    if given.emulate:
        async with _open_emulated(given) as zeyos:
            yield zeyos
        return
    target = target or resolve_local_target(given)
    async with Zeyos(target.url, auth=target.auth, timeout=given.timeout) as zeyos:
        try:
            yield zeyos
        except NotAuthenticated as error:
            if target.profile is not None:
                error.hint = f"Sign in again with `{login_command(target.profile.store)}`"
            raise


@asynccontextmanager
async def _open_emulated(given: Connection) -> AsyncIterator[Zeyos]:
    from ..testing import emulate_zeyos_process

    rows = merge_emulated_rows(given)
    async with (
        emulate_zeyos_process(rows=rows, seed=given.seed) as emulator,
        Zeyos(emulator.url, auth=BearerToken(emulator.token), timeout=given.timeout) as zeyos,
    ):
        yield zeyos


def merge_emulated_rows(given: Connection) -> dict[str, int]:
    """How many rows an emulator of one's own is to make up.

    Raises:
        ConfigurationError: There are options about another server.
    """
    if given.profile or given.url or given.instance or given.token or given.token_file or given.user:
        raise ConfigurationError(
            "--emulate brings its own server and credential; leave out --url, --token, --user and --profile"
        )
    return {name: number for part in given.rows for name, number in part.items()}
