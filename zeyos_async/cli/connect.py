"""The server and the credential of a ZeyOS command: from options, the environment, or a stored sign-in.

The problem: a server and a credential can each be named in several places, and a wrong combination would
send one instance's token to another, or use another account than the person thinks.

The idea: ``resolve_target`` chooses the two in one order: options, then the environment, then a stored set of
credentials. It remembers where each came from, in words, so that ``doctor``, ``whoami`` and error messages can
tell. The rules that keep it safe:

* ``--profile`` is explicit, and wins over every variable of the environment that names a server or a user.
* A stored token goes to the instance that it was stored for, and nowhere else.
* Another credential goes to no stored address, which may be that of any file nearby, unless ``--profile`` names it.
* Nothing is asked for, and no file is read, before it is known that the address may have a credential.
* Two ways to log in at once are an error; none is chosen silently.
* Secrets come from files, the environment or a prompt; ``--token`` exists, and its help says who can see it.

``resolve_target`` reads no global state but files: the environment, the folder, the home and the prompt are
parameters, so that tests can give their own.
"""

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
from .secret_files import read_secret

__all__ = [
    "ConnectionOptions",
    "ConnectionTarget",
    "build_password_login",
    "check_address",
    "describe_store",
    "find_address",
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
    "shorten_path",
]

_CLOUD: Final = "https://cloud.zeyos.com"
_TARGET_VARIABLES: Final = (
    "ZEYOS_BASE_URL",
    "ZEYOS_INSTANCE",
    "ZEYOS_TOKEN",
    "ZEYOS_REFRESH_TOKEN",
    "ZEYOS_USER",
)
"""Variables that name a server or a user; an explicit profile wins over them."""

AskSecret = Callable[[str], str | None]
"""A function that asks a person for a secret; it returns ``None`` where there is no terminal."""


@attrs.frozen(kw_only=True)
class ConnectionOptions:
    """The connection options of a command line, as they were given.

    Every attribute is the option of that name. ``resolve_target`` makes a server and a credential of them.
    """

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
class ConnectionTarget:
    """A server and a credential for it.

    Attributes:
        url: The instance's URL.
        auth: The credential.
        url_from: The place where the URL was found, in words.
        auth_from: The kind of credential, and the place where it was found, in words.
        profile: The stored credentials, if they are used.
        allow_http: Whether the credential may go over ``http://``; ``None`` leaves it to the client.
        passed_over: Other credentials that could have been used, and the reason why they were not, in words.
    """

    url: str
    auth: AuthBackend = attrs.field(repr=False)
    url_from: str
    auth_from: str
    profile: Profile | None = attrs.field(default=None, repr=False)
    allow_http: bool | None = None
    passed_over: tuple[str, ...] = ()


def resolve_target(
    options: ConnectionOptions,
    environ: Mapping[str, str],
    ask: AskSecret,
    *,
    folder: Path | None = None,
    home: Path | None = None,
) -> ConnectionTarget:
    """Choose the server and the credential.

    Each comes from the options if they say it, else from the environment (unless the options name a
    profile), else from a stored set of credentials. Stored tokens go to the instance that they were
    stored for, and nowhere else; and the address of a stored set takes no other credential, unless
    the options name that set.

    Args:
        options: The options.
        environ: The environment.
        ask: A function that asks a person for a secret.
        folder: The folder in place of the current one.
        home: The folder in place of the home folder.

    Raises:
        ConfigurationError: Something is missing or contradicts itself; the message says what to give.
        NotSignedIn: There is no credential.
    """
    # With --profile, a variable of another instance must not be mixed with the profile's tokens.
    visible = {k: v for k, v in environ.items() if k not in _TARGET_VARIABLES} if options.profile else environ
    server, source = find_address(options, visible), _credential_source(options, visible)
    if server is None and source and not options.profile:
        raise _no_address_error(source)
    stored = None
    if server is None or not source:
        stored = look_for_profile(options.profile, environ=environ, folder=folder, home=home)
    url, url_from = server or _stored_url(stored)
    allow_http = (
        options.allow_http or plain_http_allowed(environ) or (stored is not None and stored.allow_http)
    )
    check_address(url, allow_http=allow_http)
    login = _find_auth(options, visible, ask)
    if login is not None:
        return ConnectionTarget(
            url=url, url_from=url_from, auth=login[0], auth_from=login[1], allow_http=allow_http
        )
    auth, auth_from = _stored_auth(stored, url)
    ignored = tuple(name for name in _TARGET_VARIABLES if options.profile and environ.get(name))
    return ConnectionTarget(
        url=url,
        url_from=url_from,
        auth=auth,
        auth_from=auth_from,
        profile=stored,
        allow_http=allow_http,
        passed_over=(f"{', '.join(ignored)} in the environment (--profile wins)",) if ignored else (),
    )


def resolve_local_target(options: ConnectionOptions) -> ConnectionTarget:
    """Choose the server and the credential with this process's environment, files and terminal."""
    return resolve_target(options, os.environ, prompt_secret)


def find_address(options: ConnectionOptions, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the URL that the options or the environment name, and the place where it was found.

    Raises:
        ConfigurationError: The URL does not name an instance.
    """
    from_env = environ.get("ZEYOS_BASE_URL", "").strip()
    base = options.url or from_env or _CLOUD
    source = "--url" if options.url else "ZEYOS_BASE_URL" if from_env else "the default"
    instance, instance_source = options.instance, "--instance"
    if instance is None and not options.url:
        instance, instance_source = environ.get("ZEYOS_INSTANCE", "").strip(), "ZEYOS_INSTANCE"
    if instance:
        # Some people write the instance in both places; appended again it would be an address of nothing.
        is_complete = URL(base).path.strip("/").split("/")[-1:] == [instance]
        url = base if is_complete else f"{base.rstrip('/')}/{instance.strip('/')}"
        return url, f"{source} and {instance_source}"
    if not options.url and not from_env:
        return None
    if base.rstrip("/") == _CLOUD or (not options.url and not URL(base).path.strip("/")):
        raise ConfigurationError(f"{base} does not name an instance; write it as {base.rstrip('/')}/NAME")
    return base, source


def _stored_url(stored: Profile | None) -> tuple[str, str]:
    if stored is None:
        raise ConfigurationError(
            "which ZeyOS? Sign in with `zeyos-async login --url https://cloud.zeyos.com/NAME`, or give --url, or set "
            "ZEYOS_INSTANCE; --emulate runs the command on an embedded emulator"
        )
    return stored.base_url, describe_store(stored.store)


def describe_store(store: ProfileStore) -> str:
    """Return a stored set of credentials in words: its profile and its file."""
    return (
        f"the profile {store.name!r} in {shorten_path(store.path)}"
        if store.name
        else shorten_path(store.path)
    )


def shorten_path(path: Path) -> str:
    """Return a path as people write it, with ``~`` for the home folder."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


def login_command(store: ProfileStore) -> str:
    """Return the command line that signs in to the same place again."""
    return f"zeyos-async login --profile {store.name}" if store.name else "zeyos-async login"


def _stored_auth(stored: Profile | None, url: str) -> tuple[AuthBackend, str]:
    if stored is None:
        raise NotSignedIn(
            f"no credential for {url}: sign in with `zeyos-async login --url {url}`, or set ZEYOS_TOKEN, or give "
            "--token-file FILE, or --user NAME to log in with a password"
        )
    store, command = describe_store(stored.store), login_command(stored.store)
    if not same_instance(stored.base_url, url):
        raise NotSignedIn(
            f"no credential for {url}: {store}, which {stored.reason}, is for {stored.base_url}. Give --profile, or "
            f"sign in with `zeyos-async login --url {url}`, or set ZEYOS_TOKEN"
        )
    tokens = stored.credential
    if tokens is None:
        raise NotSignedIn(f"{store}, which {stored.reason}, has no tokens: sign in with `{command}`")
    auth = stored.auth()
    is_refreshed = isinstance(auth, OAuth2) and stored.may_refresh
    # The server would answer 401, which does not say that a new sign-in is needed.
    if not is_refreshed and tokens.expires_at is not None and tokens.expires_at <= time.time():
        raise NotSignedIn(f"the token of {store} has expired: sign in again with `{command}`")
    kind = "an access token, refreshed when it expires," if is_refreshed else "an access token"
    return auth, f"{kind} from {store}, which {stored.reason}"


def _credential_source(options: ConnectionOptions, environ: Mapping[str, str]) -> str:
    """Return the option or variable that a credential comes from, or ``""``; nothing is read or asked for.

    Raises:
        ConfigurationError: There are several options for that.
    """
    ways = [
        f"--{name.replace('_', '-')}" for name in ("token", "token_file", "user") if getattr(options, name)
    ]
    if len(ways) > 1:
        raise ConfigurationError(f"{' and '.join(ways)} are different ways to log in; give one of them")
    variables = ("ZEYOS_REFRESH_TOKEN", "ZEYOS_TOKEN", "ZEYOS_USER")
    return next((name for name in (*ways, *(v for v in variables if environ.get(v, "").strip()))), "")


def check_address(url: str, *, allow_http: bool) -> None:
    """Raise if a credential must not go to an address, before a person is asked for one.

    Raises:
        ConfigurationError: Others could read it on its way.
    """
    try:
        parsed = URL(url)
    except ValueError:
        return  # the client says what is wrong with it
    if parsed.scheme == "http":
        check_credential_address(parsed, allow_http=allow_http or None)


def _no_address_error(source: str) -> ConfigurationError:
    return ConfigurationError(
        f"which ZeyOS? {source} says who you are, and nothing says where: such a credential goes to no stored "
        "address. Give --url, or set ZEYOS_INSTANCE (or ZEYOS_BASE_URL); or name a stored sign-in with --profile; or leave "
        f"out {source} to use the stored one"
    )


def _find_auth(
    options: ConnectionOptions, environ: Mapping[str, str], ask: AskSecret
) -> tuple[AuthBackend, str] | None:
    """Return the credential of the options or the environment, and its description in words."""
    if options.token:
        return BearerToken(options.token), "a token from --token"
    if options.token_file:
        return BearerToken(read_secret(options.token_file, "the token")), f"a token from {options.token_file}"
    if options.user:
        return build_password_login(options, environ, ask)
    if environ.get("ZEYOS_REFRESH_TOKEN", "").strip():
        return _refreshing_auth(environ)
    if environ.get("ZEYOS_TOKEN", "").strip():
        return BearerToken(environ["ZEYOS_TOKEN"].strip()), "a token from ZEYOS_TOKEN"
    return build_password_login(options, environ, ask) if environ.get("ZEYOS_USER", "").strip() else None


def _refreshing_auth(environ: Mapping[str, str]) -> tuple[AuthBackend, str]:
    """Return the backend for the refresh token of the environment."""
    token, client, secret = (
        environ.get(f"ZEYOS_{name}", "").strip() for name in ("TOKEN", "CLIENT_ID", "CLIENT_SECRET")
    )
    if not client:
        raise ConfigurationError(
            "ZEYOS_REFRESH_TOKEN is set: set ZEYOS_CLIENT_ID (and ZEYOS_CLIENT_SECRET) to the application that it was "
            "issued to, too"
        )
    # A refresh token works once, and a variable can't be changed: its successors have to be kept in a file.
    state = environ.get("XDG_STATE_HOME") or "~/.local/state"
    store = FileStore(f"{state}/zeyos-async/tokens.json")
    auth = OAuth2(
        client,
        secret or None,
        refresh_token=environ["ZEYOS_REFRESH_TOKEN"].strip(),
        access_token=token or None,
        token_store=store,
    )
    return auth, f"ZEYOS_REFRESH_TOKEN, whose successors are kept in {shorten_path(store.path)}"


def build_password_login(
    options: ConnectionOptions, environ: Mapping[str, str], ask: AskSecret
) -> tuple[PasswordLogin, str]:
    """Return the log-in by name and password of the options or the environment, and its description in words.

    Raises:
        ConfigurationError: There is no password, and no terminal to ask on.
    """
    name = options.user or environ["ZEYOS_USER"]
    password, source = environ.get("ZEYOS_PASSWORD"), "ZEYOS_PASSWORD"
    if options.password_file:
        password, source = (
            read_secret(options.password_file, "the password", keep_blanks=True),
            options.password_file,
        )
    if password is None:
        password, source = ask(f"Password of {name}"), "the prompt"
    if password is None:
        raise ConfigurationError(
            "no password: set ZEYOS_PASSWORD, or give --password-file FILE (there is no terminal to ask on)"
        )
    appsecret = environ.get("ZEYOS_APPSECRET")
    if options.appsecret_file:
        appsecret = read_secret(options.appsecret_file, "the application's secret")
    login = PasswordLogin(
        name,
        password,
        identifier=options.identifier or environ.get("ZEYOS_IDENTIFIER") or "zeyos-async",
        appsecret=appsecret,
        otp=options.otp,
    )
    return login, f"the log-in of {name} with the password from {source}"


def read_token(options: ConnectionOptions, environ: Mapping[str, str], variable: str, what: str) -> str:
    """Return the token or key of the options or the environment, or ``""`` if there is none.

    Raises:
        ConfigurationError: Two options give it, or its file can't be read.
    """
    if options.token and options.token_file:
        raise ConfigurationError("--token and --token-file are two ways to say the same; give one of them")
    if options.token_file:
        return read_secret(options.token_file, what)
    return options.token or environ.get(variable, "").strip()


def read_password(
    options: ConnectionOptions, environ: Mapping[str, str], variable: str, name: str, ask: AskSecret
) -> str:
    """Read the password of a user: from a file, the environment, or the terminal.

    Raises:
        ConfigurationError: There is no password.
    """
    if options.password_file:
        return read_secret(options.password_file, "the password", keep_blanks=True)
    password = environ.get(variable) or ask(f"Password of {name}")
    if not password:
        raise ConfigurationError(f"no password: set {variable}, or give --password-file FILE")
    return password


def prompt_secret(text: str) -> str | None:
    """Ask for a secret on the terminal, and return ``None`` where there is no terminal."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    answer: str = click.prompt(text, hide_input=True, err=True)
    return answer


@asynccontextmanager
async def open_zeyos(
    options: ConnectionOptions, target: ConnectionTarget | None = None
) -> AsyncIterator[Zeyos]:
    """Open a client of ZeyOS, on an emulator of its own with ``--emulate``.

    Args:
        options: The options.
        target: The server and credential, if they were resolved before.
    """
    if options.emulate:
        async with _open_emulated(options) as zeyos:
            yield zeyos
        return
    target = target or resolve_local_target(options)
    async with Zeyos(
        target.url, auth=target.auth, timeout=options.timeout, allow_http=target.allow_http
    ) as zeyos:
        try:
            yield zeyos
        except NotAuthenticated as error:
            # The library does not know the command; only here can its error say how to sign in again.
            # Where refreshing is switched off, the error has said that already.
            if target.profile is not None and target.profile.may_refresh:
                error.hint = f"Sign in again with `{login_command(target.profile.store)}`"
            raise


@asynccontextmanager
async def _open_emulated(options: ConnectionOptions) -> AsyncIterator[Zeyos]:
    from ..testing import emulate_zeyos_process

    rows = merge_emulated_rows(options)
    async with (
        emulate_zeyos_process(rows=rows, seed=options.seed) as emulator,
        Zeyos(emulator.url, auth=BearerToken(emulator.token), timeout=options.timeout) as zeyos,
    ):
        yield zeyos


def merge_emulated_rows(options: ConnectionOptions) -> dict[str, int]:
    """Return the number of rows of each entity that the emulator makes up.

    Raises:
        ConfigurationError: There are options for a real server, too.
    """
    if (
        options.profile
        or options.url
        or options.instance
        or options.token
        or options.token_file
        or options.user
    ):
        raise ConfigurationError(
            "--emulate brings its own server and credential; leave out --url, --token, --user and --profile"
        )
    return {name: number for part in options.rows for name, number in part.items()}
