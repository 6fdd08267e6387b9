"""``login``: sign in, and keep the tokens for the commands that follow."""

from __future__ import annotations

import os
import threading
import webbrowser
from typing import Final

import attrs
import click
from yarl import URL

from ...auth import Authorization, Credential, MemoryStore, OAuth2, PasswordLogin
from ...errors import ConfigurationError, InvalidArgument, ZeyosAsyncError
from ...secrets import Secret
from ...services.zeyos.client import Zeyos
from ...services.zeyos.credential_files import check_writable
from ...services.zeyos.profiles import look_for_profile
from ..async_runner import run_async
from ..connect import (
    ConnectionOptions,
    build_password_login,
    check_address,
    describe_store,
    prompt_secret,
    read_secret,
)
from ..options import PROFILE, sign_in_options
from ..output import examples, note
from ..profile_files import ProfileRegistry, to_token_values, write_set
from ..sign_in_target import SignInTarget, choose_target
from ..terminal import ask_line, may_ask

__all__ = ["command"]

_PORT: Final = 9005
"""The port of the vendor's tool, so that an application that is registered for it needs no other address."""
_OVERRIDING_VARIABLES: Final = ("ZEYOS_TOKEN", "ZEYOS_REFRESH_TOKEN", "ZEYOS_USER")


@click.command(
    "login",
    epilog=examples(
        "zeyos-async login --url https://cloud.zeyos.com/demo --client-id my_application",
        "zeyos-async login --profile demo --manual",
        "zeyos-async login --url https://cloud.zeyos.com/demo --user max",
    ),
)
@click.option(
    "--profile",
    type=PROFILE,
    metavar="NAME",
    help="Where to keep the tokens; by default the instance's name.",
)
@click.option("--client-id", metavar="ID", help="The application's identifier. [ZEYOS_CLIENT_ID]")
@click.option(
    "--client-secret-file",
    metavar="FILE",
    help="A file with the application's secret; else ZEYOS_CLIENT_SECRET, or a prompt.",
)
@click.option(
    "--manual", is_flag=True, help="Open no browser: show the address, and ask for what came of it."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=_PORT,
    show_default=True,
    help="Where on 127.0.0.1 the browser comes back; 0 is a free port.",
)
@click.option(
    "--wait",
    type=click.FloatRange(min=0, min_open=True),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="How long the sign-in in the browser may take.",
)
@sign_in_options
def command(
    *,
    client_id: str | None,
    client_secret_file: str | None,
    manual: bool,
    port: int,
    wait: float,
    connection: ConnectionOptions,
) -> None:
    """Sign in, and keep the tokens for the commands that follow.

    Opens the browser. With --user, logs in by name and password, of which only the token is kept. The
    tokens go where the vendor's command line tool keeps them too, readable by you only.
    """
    target = choose_target(connection)
    check_writable(target.store.path)
    check_address(target.url, allow_http=target.allow_http)
    if connection.user:
        if manual or client_id or client_secret_file:
            raise click.UsageError("--user logs in by password; leave out --manual and --client-id")
        _check_named(target, "--user")
        login = _choose_password_login(target, connection)
        result = run_async(_sign_in_by_password(target, login, connection.timeout))
    else:
        oauth = _choose_application(target, client_id, client_secret_file, port)
        result = _sign_in_by_oauth(
            target, oauth, manual=manual, port=port, wait=wait, timeout=connection.timeout
        )
    _store_result(target, result)


@attrs.frozen(kw_only=True)
class _SignInResult:
    """The outcome of a sign-in.

    Attributes:
        url: The instance, as the client writes it.
        credential: The tokens.
        user: The user, for people, or ``""`` if the server did not say.
        application: The values about the application to keep.
    """

    url: str
    credential: Credential
    user: str
    application: dict[str, str | Secret | int | None] = attrs.field(factory=dict, repr=False)


def _check_named(target: SignInTarget, credential: str) -> None:
    """Refuse to send what is not of the stored set to the address in it.

    Raises:
        ConfigurationError: Nobody says where to sign in.
    """
    if not target.is_named:
        raise ConfigurationError(
            f"where to sign in? {credential} is not sent to {target.url} just because {describe_store(target.store)} says so: "
            f"give --url {target.url} if that is right"
        )


def _choose_password_login(target: SignInTarget, options: ConnectionOptions) -> PasswordLogin:
    """Return the log-in, with the application's secret from options, the stored set, or a person."""
    login, _ = build_password_login(options, os.environ, prompt_secret)
    if login.appsecret is not None:
        return login
    stored = target.existing.client_secret if target.existing is not None else None
    if stored is None and may_ask():
        stored = ask_line("Secret of the application", hidden=True, empty=True)
    return attrs.evolve(login, appsecret=stored or None)


async def _sign_in_by_password(
    target: SignInTarget, login: PasswordLogin, timeout: float | None
) -> _SignInResult:
    tokens = MemoryStore()
    auth = attrs.evolve(login, token_store=tokens)
    async with Zeyos(target.url, auth=auth, timeout=timeout, allow_http=target.allow_http or None) as zeyos:
        await zeyos.config()  # the log-in may go well, and the REST API not take what came of it
        user = await zeyos.whoami()
        credential = await tokens.load(auth.store_key(zeyos.base_url))
        if credential is None:
            raise ConfigurationError("the log-in left no token behind")
        return _SignInResult(
            url=str(zeyos.base_url), credential=credential, user=f"{user.name or login.name} (ID {user.user})"
        )


def _choose_application(
    target: SignInTarget, client_id: str | None, secret_file: str | None, port: int
) -> OAuth2:
    """Return the application to sign in with: from options, the environment, the stored set, or a person."""
    existing = target.existing
    stored = existing.client_id if existing is not None else ""
    name = client_id or os.environ.get("ZEYOS_CLIENT_ID", "").strip() or stored
    if not name and may_ask():
        note(_registration_help(port))
        name = ask_line("Identifier of the application").reveal()
    if not name:
        raise ConfigurationError(
            "which application? Give --client-id, or set ZEYOS_CLIENT_ID; --user NAME logs in by password instead"
        )
    if secret_file:
        _check_named(target, "--client-secret-file")
        return OAuth2(name, read_secret(secret_file, "the application's secret"))
    environ_secret = os.environ.get("ZEYOS_CLIENT_SECRET", "").strip()
    if environ_secret:
        _check_named(target, "ZEYOS_CLIENT_SECRET")
        return OAuth2(name, environ_secret)
    # The stored secret is that of the stored application, and must not go out with another one's name.
    if existing is not None and name == stored and existing.client_secret is not None:
        return OAuth2(name, existing.client_secret)
    if not may_ask() or (name == stored and not target.is_named):
        return OAuth2(name)  # a stored application without a secret is one that has none
    _check_named(target, "the secret of an application")
    return OAuth2(name, ask_line("Secret of the application", hidden=True, empty=True) or None)


def _registration_help(port: int) -> str:
    return (
        "The application that you registered in ZeyOS for this command needs the redirect address\n\n"
        f"  {_redirect_uri(port)}\n"
    )


def _redirect_uri(port: int) -> str:
    return f"http://127.0.0.1:{port or _PORT}/callback"


def _sign_in_by_oauth(
    target: SignInTarget, oauth: OAuth2, *, manual: bool, port: int, wait: float, timeout: float | None
) -> _SignInResult:
    authorization = oauth.authorization(target.url, redirect_uri=_redirect_uri(port)) if manual else None
    code = _ask_code(authorization) if authorization is not None else None

    async def sign_in() -> _SignInResult:
        async with Zeyos(
            target.url, auth=oauth, timeout=timeout, allow_http=target.allow_http or None
        ) as zeyos:
            if authorization is not None and code is not None:
                credential = await oauth.exchange_code(zeyos, code, authorization)
            else:
                credential = await oauth.sign_in(zeyos, show=_open_browser, port=port, timeout=wait)
            return _SignInResult(
                url=str(zeyos.base_url),
                credential=credential,
                user=await _describe_user(oauth, zeyos),
                application={"clientId": oauth.client_id, "clientSecret": oauth.client_secret},
            )

    return run_async(sign_in())


async def _describe_user(oauth: OAuth2, zeyos: Zeyos) -> str:
    """Return who signed in. The tokens are good without that, and must not be lost for it."""
    try:
        user = await oauth.userinfo(zeyos)
    except ZeyosAsyncError as error:
        note(f"Warning: the server does not say who signed in: {error}")
        return ""
    return f"{user.username or user.name} (ID {user.user})"


def _open_browser(url: str) -> None:
    """Open the browser, in a thread of its own: some browsers return when they are closed."""
    note(f"Sign in with the browser. If it does not open, open this address on this machine:\n\n  {url}\n")
    # A daemon: the command ends when the sign-in does, and not when the browser is closed.
    threading.Thread(target=_browse, args=(url,), daemon=True).start()


def _browse(url: str) -> None:
    if not webbrowser.open(url):
        note("There is no browser here that could be opened. With --manual, one of another machine will do.")


def _ask_code(authorization: Authorization) -> Secret:
    """Show a person the address, and have the answer pasted."""
    note(
        f"Open this address in a browser, and sign in:\n\n  {authorization.url}\n\nThe browser then goes to an address "
        f"that begins with {authorization.redirect_uri} and shows an error, as nobody listens there.\n"
        "Copy that address."
    )
    answer = ask_line("The address").reveal()
    if "code=" not in answer and "error=" not in answer:
        return Secret(answer)  # some copy the code alone
    try:
        address = URL(answer if "?" in answer else f"?{answer}")
    except ValueError:
        raise InvalidArgument("that is no address; copy the whole line that the browser shows") from None
    return authorization.code(address)


def _store_result(target: SignInTarget, result: _SignInResult) -> None:
    """Write the tokens, and say what is used from now on."""
    values = {"baseUrl": result.url, **result.application, **to_token_values(result.credential)}
    if target.allow_http:
        values["allowHttp"] = True  # the commands that follow have to get there too
    write_set(target.store, values)
    name = target.store.name
    if name and target.activate:
        ProfileRegistry(target.store.path).activate(name)
    user = f" as {result.user}" if result.user else ""
    note(f"Signed in to {result.url}{user}. The tokens are kept in {describe_store(target.store)}.")
    current = look_for_profile()
    if current is not None and current.store != target.store:
        remedy = f"--profile {name}" if name else "another folder"
        note(
            f"Mind that {describe_store(current.store)} is used here, as it {current.reason}. "
            f"Take {remedy} for this one."
        )
    for variable in _OVERRIDING_VARIABLES:
        if os.environ.get(variable):
            note(f"Mind that {variable} is set, and comes first unless --profile is given.")
