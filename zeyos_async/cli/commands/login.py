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
from ...services.zeyos.profiles import look_for_profile
from ..async_runner import run_async
from ..connect import Connection, build_password_login, described, prompt_secret, read_secret
from ..options import PROFILE, sign_in_options
from ..output import examples, note
from ..profile_files import Registry, token_values, write_set
from ..sign_in_target import Place, place_for
from ..terminal import ask_line, may_ask

__all__ = ["command"]

_PORT: Final = 9005
"""That of the vendor's tool, so that an application that is registered for it needs no other address."""
_SHADOWING: Final = ("ZEYOS_TOKEN", "ZEYOS_REFRESH_TOKEN", "ZEYOS_USER")


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
    connection: Connection,
) -> None:
    """Sign in, and keep the tokens for the commands that follow.

    Opens the browser. With --user, logs in by name and password, of which only the token is kept. The
    tokens go where the vendor's command line tool keeps them too, readable by you only.
    """
    place = place_for(connection)
    if connection.user:
        if manual or client_id or client_secret_file:
            raise click.UsageError("--user logs in by password; leave out --manual and --client-id")
        signed_in = run_async(_by_password(place, _password(place, connection), connection.timeout))
    else:
        oauth = _application(place, client_id, client_secret_file, port)
        signed_in = _by_oauth(place, oauth, manual=manual, port=port, wait=wait, timeout=connection.timeout)
    _keep(place, signed_in)


@attrs.frozen(kw_only=True)
class _SignedIn:
    """What came of a sign-in.

    Attributes:
        url: The instance, as the client writes it.
        credential: The tokens.
        who: The user, for people, or ``""`` if the server did not say.
        application: The values about the application to keep.
    """

    url: str
    credential: Credential
    who: str
    application: dict[str, str | Secret | int | None] = attrs.field(factory=dict, repr=False)


def _password(place: Place, given: Connection) -> PasswordLogin:
    """The log-in, with the application's secret from wherever there is one."""
    login, _ = build_password_login(given, os.environ, prompt_secret)
    if login.appsecret is not None:
        return login
    stored = place.known.client_secret if place.known is not None else None
    if stored is None and may_ask():
        stored = ask_line("Secret of the application", hidden=True, empty=True)
    return attrs.evolve(login, appsecret=stored or None)


async def _by_password(place: Place, login: PasswordLogin, timeout: float | None) -> _SignedIn:
    tokens = MemoryStore()
    auth = attrs.evolve(login, token_store=tokens)
    async with Zeyos(place.url, auth=auth, timeout=timeout) as zeyos:
        await zeyos.config()  # the log-in may go well, and the REST API not take what came of it
        who = await zeyos.whoami()
        credential = await tokens.load(auth.store_key(zeyos.base_url))
        if credential is None:
            raise ConfigurationError("the log-in left no token behind")
        return _SignedIn(
            url=str(zeyos.base_url), credential=credential, who=f"{who.name or login.name} (ID {who.user})"
        )


def _application(place: Place, client_id: str | None, secret_file: str | None, port: int) -> OAuth2:
    """The application to sign in with: from options, the environment, the stored set, or a person."""
    known = place.known
    stored = known.client_id if known is not None else ""
    name = client_id or os.environ.get("ZEYOS_CLIENT_ID", "").strip() or stored
    if not name and may_ask():
        note(_where_to_register(port))
        name = ask_line("Identifier of the application").reveal()
    if not name:
        raise ConfigurationError(
            "which application? Give --client-id, or set ZEYOS_CLIENT_ID; --user NAME logs in by password instead"
        )
    if secret_file:
        return OAuth2(name, read_secret(secret_file, "the application's secret"))
    from_env = os.environ.get("ZEYOS_CLIENT_SECRET", "").strip()
    if from_env:
        return OAuth2(name, from_env)
    if known is not None and name == stored and known.client_secret is not None:
        return OAuth2(name, known.client_secret)
    secret = ask_line("Secret of the application", hidden=True, empty=True) if may_ask() else None
    return OAuth2(name, secret or None)


def _where_to_register(port: int) -> str:
    return (
        "The application that you registered in ZeyOS for this command needs the redirect address\n\n"
        f"  {_redirect_uri(port)}\n"
    )


def _redirect_uri(port: int) -> str:
    return f"http://127.0.0.1:{port or _PORT}/callback"


def _by_oauth(
    place: Place, oauth: OAuth2, *, manual: bool, port: int, wait: float, timeout: float | None
) -> _SignedIn:
    authorized = oauth.authorization(place.url, redirect_uri=_redirect_uri(port)) if manual else None
    code = _code_of_a_person(authorized) if authorized is not None else None

    async def sign_in() -> _SignedIn:
        async with Zeyos(place.url, auth=oauth, timeout=timeout) as zeyos:
            if authorized is not None and code is not None:
                credential = await oauth.exchange_code(zeyos, code, authorized)
            else:
                credential = await oauth.sign_in(zeyos, show=_open, port=port, timeout=wait)
            return _SignedIn(
                url=str(zeyos.base_url),
                credential=credential,
                who=await _user(oauth, zeyos),
                application={"clientId": oauth.client_id, "clientSecret": oauth.client_secret},
            )

    return run_async(sign_in())


async def _user(oauth: OAuth2, zeyos: Zeyos) -> str:
    """Who signed in. The tokens are good without that, and must not be lost for it."""
    try:
        who = await oauth.userinfo(zeyos)
    except ZeyosAsyncError as error:
        note(f"Warning: the server does not say who signed in: {error}")
        return ""
    return f"{who.username or who.name} (ID {who.user})"


def _open(url: str) -> None:
    """Open the browser, in a thread of its own: some browsers return when they are closed."""
    note(f"Sign in with the browser. If it does not open, open this address on this machine:\n\n  {url}\n")
    threading.Thread(target=_browse, args=(url,), daemon=True).start()


def _browse(url: str) -> None:
    if not webbrowser.open(url):
        note("There is no browser here that could be opened. With --manual, one of another machine will do.")


def _code_of_a_person(authorized: Authorization) -> Secret:
    """Show a person the address, and have the answer pasted."""
    note(
        f"Open this address in a browser, and sign in:\n\n  {authorized.url}\n\nThe browser then goes to an address "
        f"that begins with {authorized.redirect_uri} and shows an error, as nobody listens there.\n"
        "Copy that address."
    )
    answer = ask_line("The address").reveal()
    if "code=" not in answer and "error=" not in answer:
        return Secret(answer)
    try:
        address = URL(answer if "?" in answer else f"?{answer}")
    except ValueError:
        raise InvalidArgument("that is no address; copy the whole line that the browser shows") from None
    return authorized.code(address)


def _keep(place: Place, signed_in: _SignedIn) -> None:
    """Write the tokens, and say what is used from now on."""
    values = {"baseUrl": signed_in.url, **signed_in.application, **token_values(signed_in.credential)}
    write_set(place.store, values)
    name = place.store.name
    if name and place.activate:
        Registry(place.store.path).activate(name)
    who = f" as {signed_in.who}" if signed_in.who else ""
    note(f"Signed in to {signed_in.url}{who}. The tokens are kept in {described(place.store)}.")
    used = look_for_profile()
    if used is not None and used.store != place.store:
        how = f"--profile {name}" if name else "another folder"
        note(f"Mind that {described(used.store)} is used here, as it {used.chosen}. Take {how} for this one.")
    for variable in _SHADOWING:
        if os.environ.get(variable):
            note(f"Mind that {variable} is set, and comes first unless --profile is given.")
