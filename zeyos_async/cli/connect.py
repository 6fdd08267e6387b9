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
from ..auth.origins import check_credential_address, plain_http_allowed
from ..errors import ConfigurationError, NotAuthenticated
from ..services.zeyos.client import Zeyos
from ..services.zeyos.profiles import Profile, ProfileStore, look_for_profile, same_instance
from .output import NotSignedIn

__all__ = [
    "Connection",
    "Target",
    "address",
    "check_address",
    "connected",
    "described",
    "given_credential",
    "no_address_for",
    "password_from",
    "password_login",
    "prompt",
    "resolve",
    "resolve_here",
    "rows_to_emulate",
    "same_instance",
    "secret_from",
    "short",
    "sign_in_command",
    "token_from",
]

_CLOUD: Final = "https://cloud.zeyos.com"
_CHOOSERS: Final = ("ZEYOS_BASE_URL", "ZEYOS_INSTANCE", "ZEYOS_TOKEN", "ZEYOS_REFRESH_TOKEN", "ZEYOS_USER")
"""Variables that say where or who; an explicit profile wins over them."""

Ask = Callable[[str], str | None]
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
    allow_http: bool = False
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
        allow_http: Whether the credential may go over ``http://``; ``None`` leaves it to the client.
        passed_over: What else there was that could have been used, and what won over it.
    """

    url: str
    auth: AuthBackend = attrs.field(repr=False)
    url_from: str
    auth_from: str
    profile: Profile | None = attrs.field(default=None, repr=False)
    allow_http: bool | None = None
    passed_over: tuple[str, ...] = ()


def resolve(
    given: Connection,
    environ: Mapping[str, str],
    ask: Ask,
    *,
    folder: Path | None = None,
    home: Path | None = None,
) -> Target:
    """Choose the server and the credential.

    Each comes from the options if they say it, else from the environment (unless the options name a
    profile), else from a stored set of credentials. Stored tokens go to the instance that they were
    stored for, and nowhere else; and the address of a stored set takes no other credential, unless
    the options name that set.

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
    chosen = {k: v for k, v in environ.items() if k not in _CHOOSERS} if given.profile else environ
    where, credential = address(given, chosen), given_credential(given, chosen)
    if where is None and credential and not given.profile:
        raise no_address_for(credential)
    stored = None
    if where is None or not credential:
        stored = look_for_profile(given.profile, environ=environ, folder=folder, home=home)
    url, url_from = where or _stored_url(stored)
    allow_http = given.allow_http or plain_http_allowed(environ) or (stored is not None and stored.allow_http)
    check_address(url, allow_http=allow_http)
    who = _given_auth(given, chosen, ask)
    if who is not None:
        return Target(url=url, url_from=url_from, auth=who[0], auth_from=who[1], allow_http=allow_http)
    auth, auth_from = _stored_auth(stored, url)
    lost = tuple(name for name in _CHOOSERS if given.profile and environ.get(name))
    return Target(
        url=url,
        url_from=url_from,
        auth=auth,
        auth_from=auth_from,
        profile=stored,
        allow_http=allow_http,
        passed_over=(f"{', '.join(lost)} in the environment (--profile wins)",) if lost else (),
    )


def resolve_here(given: Connection) -> Target:
    """Choose the server and the credential, with this process's environment, files and terminal."""
    return resolve(given, os.environ, prompt)


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


def sign_in_command(store: ProfileStore) -> str:
    """The command that signs in to the same place again."""
    return f"zeyos-async login --profile {store.name}" if store.name else "zeyos-async login"


def _stored_auth(stored: Profile | None, url: str) -> tuple[AuthBackend, str]:
    if stored is None:
        raise NotSignedIn(
            f"no credential for {url}: sign in with `zeyos-async login --url {url}`, or set ZEYOS_TOKEN, or give "
            "--token-file FILE, or --user NAME to log in with a password"
        )
    what, command = described(stored.store), sign_in_command(stored.store)
    if not same_instance(stored.base_url, url):
        raise NotSignedIn(
            f"no credential for {url}: {what}, which {stored.chosen}, is for {stored.base_url}. Give --profile, or "
            f"sign in with `zeyos-async login --url {url}`, or set ZEYOS_TOKEN"
        )
    tokens = stored.credential
    if tokens is None:
        raise NotSignedIn(f"{what}, which {stored.chosen}, has no tokens: sign in with `{command}`")
    auth = stored.auth()
    refreshed = isinstance(auth, OAuth2) and stored.may_refresh
    if not refreshed and tokens.expires_at is not None and tokens.expires_at <= time.time():
        raise NotSignedIn(f"the token of {what} has expired: sign in again with `{command}`")
    kind = "an access token, refreshed when it expires," if refreshed else "an access token"
    return auth, f"{kind} from {what}, which {stored.chosen}"


def given_credential(given: Connection, environ: Mapping[str, str]) -> str:
    """The option or variable that a credential comes from, or ``""``; nothing is read or asked for.

    Raises:
        ConfigurationError: There are several options for that.
    """
    ways = [f"--{name.replace('_', '-')}" for name in ("token", "token_file", "user") if getattr(given, name)]
    if len(ways) > 1:
        raise ConfigurationError(f"{' and '.join(ways)} are different ways to log in; give one of them")
    variables = ("ZEYOS_REFRESH_TOKEN", "ZEYOS_TOKEN", "ZEYOS_USER")
    return next((name for name in (*ways, *(v for v in variables if environ.get(v, "").strip()))), "")


def check_address(url: str, *, allow_http: bool) -> None:
    """See that a credential may go to an address, before a person is asked for one.

    Raises:
        ConfigurationError: Others could read it on its way.
    """
    try:
        parsed = URL(url)
    except ValueError:
        return  # the client says what is wrong with it
    if parsed.scheme == "http":
        check_credential_address(parsed, allow_http=allow_http or None)


def no_address_for(credential: str) -> ConfigurationError:
    """The error for a credential that nobody gave an address for: a file that is near must not say it."""
    return ConfigurationError(
        f"which ZeyOS? {credential} says who you are, and nothing says where: such a credential goes to no stored "
        "address. Give --url, or set ZEYOS_INSTANCE (or ZEYOS_BASE_URL); or name a stored sign-in with --profile; or leave "
        f"out {credential} to use the stored one"
    )


def _given_auth(given: Connection, environ: Mapping[str, str], ask: Ask) -> tuple[AuthBackend, str] | None:
    """The credential of the options or the environment, and what it is."""
    if given.token:
        return BearerToken(given.token), "a token from --token"
    if given.token_file:
        return BearerToken(secret_from(given.token_file, "the token")), f"a token from {given.token_file}"
    if given.user:
        return password_login(given, environ, ask)
    if environ.get("ZEYOS_REFRESH_TOKEN", "").strip():
        return _refreshing(environ)
    if environ.get("ZEYOS_TOKEN", "").strip():
        return BearerToken(environ["ZEYOS_TOKEN"].strip()), "a token from ZEYOS_TOKEN"
    return password_login(given, environ, ask) if environ.get("ZEYOS_USER", "").strip() else None


def _refreshing(environ: Mapping[str, str]) -> tuple[AuthBackend, str]:
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


def password_login(given: Connection, environ: Mapping[str, str], ask: Ask) -> tuple[PasswordLogin, str]:
    """The log-in by name and password that the options or the environment ask for, and what it is.

    Raises:
        ConfigurationError: There is no password, and nobody to ask for it.
    """
    name = given.user or environ["ZEYOS_USER"]
    password, source = environ.get("ZEYOS_PASSWORD"), "ZEYOS_PASSWORD"
    if given.password_file:
        password, source = secret_from(given.password_file, "the password"), given.password_file
    if password is None:
        password, source = ask(f"Password of {name}"), "the prompt"
    if password is None:
        raise ConfigurationError(
            "no password: set ZEYOS_PASSWORD, or give --password-file FILE (there is no terminal to ask on)"
        )
    appsecret = environ.get("ZEYOS_APPSECRET")
    if given.appsecret_file:
        appsecret = secret_from(given.appsecret_file, "the application's secret")
    login = PasswordLogin(
        name,
        password,
        identifier=given.identifier or environ.get("ZEYOS_IDENTIFIER") or "zeyos-async",
        appsecret=appsecret,
        otp=given.otp,
    )
    return login, f"the log-in of {name} with the password from {source}"


def secret_from(path: str, what: str) -> str:
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


def token_from(given: Connection, environ: Mapping[str, str], variable: str, what: str) -> str:
    """The token or key of the options or the environment, or ``""``.

    Raises:
        ConfigurationError: It is given twice, or can't be read.
    """
    if given.token and given.token_file:
        raise ConfigurationError("--token and --token-file are two ways to say the same; give one of them")
    if given.token_file:
        return secret_from(given.token_file, what)
    return given.token or environ.get(variable, "").strip()


def password_from(given: Connection, environ: Mapping[str, str], variable: str, name: str, ask: Ask) -> str:
    """The password of a user: from a file, the environment, or the terminal.

    Raises:
        ConfigurationError: There is none.
    """
    if given.password_file:
        return secret_from(given.password_file, "the password")
    password = environ.get(variable) or ask(f"Password of {name}")
    if not password:
        raise ConfigurationError(f"no password: set {variable}, or give --password-file FILE")
    return password


def prompt(text: str) -> str | None:
    """Ask for a secret on the terminal; ``None`` where there is none."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    answer: str = click.prompt(text, hide_input=True, err=True)
    return answer


@asynccontextmanager
async def connected(given: Connection, target: Target | None = None) -> AsyncIterator[Zeyos]:
    """A client for what the options say, on an emulator of its own where they say that.

    Args:
        given: The options.
        target: What they were resolved to, if that is done already.
    """
    if given.emulate:
        async with _emulated(given) as zeyos:
            yield zeyos
        return
    target = target or resolve_here(given)
    async with Zeyos(
        target.url, auth=target.auth, timeout=given.timeout, allow_http=target.allow_http
    ) as zeyos:
        try:
            yield zeyos
        except NotAuthenticated as error:
            if target.profile is not None and target.profile.may_refresh:  # else it has said why
                error.hint = f"Sign in again with `{sign_in_command(target.profile.store)}`"
            raise


@asynccontextmanager
async def _emulated(given: Connection) -> AsyncIterator[Zeyos]:
    from ..testing import emulate_zeyos_process

    rows = rows_to_emulate(given)
    async with (
        emulate_zeyos_process(rows=rows, seed=given.seed) as emulator,
        Zeyos(emulator.url, auth=BearerToken(emulator.token), timeout=given.timeout) as zeyos,
    ):
        yield zeyos


def rows_to_emulate(given: Connection) -> dict[str, int]:
    """How many rows an emulator of one's own is to make up.

    Raises:
        ConfigurationError: There are options about another server.
    """
    if given.profile or given.url or given.instance or given.token or given.token_file or given.user:
        raise ConfigurationError(
            "--emulate brings its own server and credential; leave out --url, --token, --user and --profile"
        )
    return {name: number for part in given.rows for name, number in part.items()}
