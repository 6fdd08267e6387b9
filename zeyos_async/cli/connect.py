"""Where a command connects to, and as whom: options first, then the environment."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import click
from yarl import URL

from ..auth import AuthBackend, BearerToken, PasswordLogin
from ..errors import ConfigurationError
from ..services.zeyos.client import Zeyos
from .params import ROWS
from .running import verbose_option

__all__ = ["Connection", "Target", "connected", "connection_options", "resolve", "resolve_here"]

_CLOUD: Final = "https://cloud.zeyos.com"


@attrs.frozen(kw_only=True)
class Connection:
    """The connection options of a command line, as they were given."""

    url: str | None = None
    instance: str | None = None
    token: str | None = None
    token_file: str | None = None
    user: str | None = None
    password_file: str | None = None
    identifier: str | None = None
    appsecret_file: str | None = None
    otp: str | None = None
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
    """

    url: str
    auth: AuthBackend = attrs.field(repr=False)
    url_from: str
    auth_from: str


def resolve(given: Connection, environ: Mapping[str, str], ask: Callable[[str], str | None]) -> Target:
    """Choose the server and the credential.

    Args:
        given: The options.
        environ: The environment.
        ask: Asks a person for a secret; ``None`` where there is nobody.

    Raises:
        ConfigurationError: Something is missing or contradicts itself; the message says what to give.
    """
    url, url_from = _url(given, environ)
    auth, auth_from = _auth(given, environ, ask)
    return Target(url=url, auth=auth, url_from=url_from, auth_from=auth_from)


def resolve_here(given: Connection) -> Target:
    """Choose the server and the credential, with this process's environment and terminal."""
    return resolve(given, os.environ, _ask)


def _url(given: Connection, environ: Mapping[str, str]) -> tuple[str, str]:
    from_env = environ.get("ZEYOS_BASE_URL", "").strip()
    base = given.url or from_env or _CLOUD
    source = "--url" if given.url else "ZEYOS_BASE_URL" if from_env else "the default"
    instance, also = given.instance, "--instance"
    if instance is None and not given.url:
        instance, also = environ.get("ZEYOS_INSTANCE", "").strip(), "ZEYOS_INSTANCE"
    if instance:
        return f"{base.rstrip('/')}/{instance.strip('/')}", f"{source} and {also}"
    if not given.url and not from_env:
        raise ConfigurationError(
            "which ZeyOS? Give --url https://cloud.zeyos.com/NAME, or set ZEYOS_INSTANCE; "
            "--emulate runs the command on an embedded emulator"
        )
    if base.rstrip("/") == _CLOUD or (not given.url and not URL(base).path.strip("/")):
        raise ConfigurationError(f"{base} does not name an instance; write it as {base.rstrip('/')}/NAME")
    return base, source


def _auth(
    given: Connection, environ: Mapping[str, str], ask: Callable[[str], str | None]
) -> tuple[AuthBackend, str]:
    ways = [f"--{name.replace('_', '-')}" for name in ("token", "token_file", "user") if getattr(given, name)]
    if len(ways) > 1:
        raise ConfigurationError(f"{' and '.join(ways)} are different ways to log in; give one of them")
    if given.token:
        return BearerToken(given.token), "a token from --token"
    if given.token_file:
        return BearerToken(_secret_in(given.token_file, "the token")), f"a token from {given.token_file}"
    if given.user or (environ.get("ZEYOS_USER") and not environ.get("ZEYOS_TOKEN")):
        return _password_login(given, environ, ask)
    token = environ.get("ZEYOS_TOKEN", "").strip()
    if not token:
        raise ConfigurationError(
            "no credential: set ZEYOS_TOKEN, or give --token-file FILE, or --user NAME to log in with a password"
        )
    return BearerToken(token), "a token from ZEYOS_TOKEN"


def _password_login(
    given: Connection, environ: Mapping[str, str], ask: Callable[[str], str | None]
) -> tuple[AuthBackend, str]:
    name = given.user or environ["ZEYOS_USER"]
    password, source = environ.get("ZEYOS_PASSWORD"), "ZEYOS_PASSWORD"
    if given.password_file:
        password, source = _secret_in(given.password_file, "the password"), given.password_file
    if password is None:
        password, source = ask(f"Password of {name}"), "the prompt"
    if password is None:
        raise ConfigurationError(
            "no password: set ZEYOS_PASSWORD, or give --password-file FILE (there is no terminal to ask on)"
        )
    appsecret = environ.get("ZEYOS_APPSECRET")
    if given.appsecret_file:
        appsecret = _secret_in(given.appsecret_file, "the application's secret")
    login = PasswordLogin(
        name,
        password,
        identifier=given.identifier or environ.get("ZEYOS_IDENTIFIER") or "zeyos-async",
        appsecret=appsecret,
        otp=given.otp,
    )
    return login, f"the log-in of {name} with the password from {source}"


def _secret_in(path: str, what: str) -> str:
    try:
        text = sys.stdin.readline() if path == "-" else Path(path).read_text("utf-8")
    except OSError as error:
        raise ConfigurationError(f"{what} can't be read from {path}: {error.strerror}") from error
    if not text.strip():
        raise ConfigurationError(f"{what} should be in {path}, and that is empty")
    return text.strip()


def _ask(prompt: str) -> str | None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    answer: str = click.prompt(prompt, hide_input=True, err=True)
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
    async with Zeyos(target.url, auth=target.auth, timeout=given.timeout) as zeyos:
        yield zeyos


@asynccontextmanager
async def _emulated(given: Connection) -> AsyncIterator[Zeyos]:
    from ..testing import emulate_zeyos_process

    if given.url or given.instance or given.token or given.token_file or given.user:
        raise ConfigurationError(
            "--emulate brings its own server and credential; leave out --url, --token and --user"
        )
    rows = {name: number for part in given.rows for name, number in part.items()}
    async with (
        emulate_zeyos_process(rows=rows, seed=given.seed) as emulator,
        Zeyos(emulator.url, auth=BearerToken(emulator.token), timeout=given.timeout) as zeyos,
    ):
        yield zeyos


_OPTIONS: Final = (
    click.option(
        "--url", metavar="URL", help="The instance, such as https://cloud.zeyos.com/demo. [ZEYOS_BASE_URL]"
    ),
    click.option("--instance", metavar="NAME", help="The instance's name, below the URL. [ZEYOS_INSTANCE]"),
    click.option(
        "--token",
        metavar="TOKEN",
        help="An access token. Others on this machine can see it here: better ZEYOS_TOKEN or --token-file.",
    ),
    click.option("--token-file", metavar="FILE", help="A file with the access token; - is standard input."),
    click.option("--user", metavar="NAME", help="Log in by name and password. [ZEYOS_USER]"),
    click.option(
        "--password-file",
        metavar="FILE",
        help="A file with the password; else ZEYOS_PASSWORD, or a prompt.",
    ),
    click.option(
        "--appsecret-file", metavar="FILE", help="A file with the application's secret. [ZEYOS_APPSECRET]"
    ),
    click.option(
        "--identifier", metavar="NAME", help="This client's name for the server. [ZEYOS_IDENTIFIER]"
    ),
    click.option("--otp", metavar="CODE", help="The code of the second factor."),
    click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        metavar="SECONDS",
        help="Longest time for one call.",
    ),
    click.option("--emulate", is_flag=True, help="Run on an embedded emulator in place of a real instance."),
    click.option(
        "--rows", type=ROWS, multiple=True, help="With --emulate: how many rows, as accounts=100000."
    ),
    click.option(
        "--seed", type=int, default=1, show_default=True, help="With --emulate: which made-up data."
    ),
)


def connection_options(command: Callable[..., Any]) -> Any:
    """Adds the connection options, and ``--verbose``; the command takes them as ``connection``."""
    names = [field.name for field in attrs.fields(Connection)]

    @functools.wraps(command)
    def wrapper(**values: Any) -> Any:
        given = Connection(**{name: values.pop(name) for name in names})
        if given.rows and not given.emulate:
            raise click.UsageError("--rows is about the emulator; add --emulate")
        return command(connection=given, **values)

    decorated: Any = wrapper
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return verbose_option(decorated)
