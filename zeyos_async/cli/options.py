"""The options for a command's server, credential and API, and the decorators that add them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs
import click
from click.shell_completion import CompletionItem

from ..errors import ConfigurationError
from .apis import ApiOption, ApiOptions, api_names, load_command
from .async_runner import verbose_option
from .connect import ConnectionOptions
from .param_types import ROWS
from .profile_files import ProfileRegistry

__all__ = ["PROFILE", "all_api_options", "connection_options", "general_options", "sign_in_options"]


class _ProfileType(click.ParamType):  # type: ignore[type-arg]
    """The parameter type for the name of a profile."""

    name = "name"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the profiles that begin with the text."""
        try:
            names = [entry.name for entry in ProfileRegistry.of_user().entries()]
        except ConfigurationError:  # a message has no place in a completion
            return []
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


PROFILE: Final = _ProfileType()

_ADDRESS: Final = (
    click.option(
        "--url",
        metavar="URL",
        help="The URL of the instance, such as https://cloud.zeyos.com/demo. [ZEYOS_BASE_URL]",
    ),
    click.option(
        "--instance", metavar="NAME", help="The name of the instance, if the URL lacks it. [ZEYOS_INSTANCE]"
    ),
)
_ALLOW_HTTP: Final = click.option(
    "--allow-http",
    is_flag=True,
    help="Let a credential go over http:// to another machine, for everyone to read. [ZEYOS_ALLOW_HTTP]",
)
_PASSWORD: Final = (
    click.option("--user", metavar="NAME", help="Log in with this name and a password. [ZEYOS_USER]"),
    click.option(
        "--password-file",
        metavar="FILE",
        help="A file that holds the password. Without it, ZEYOS_PASSWORD is used, or you are asked.",
    ),
    click.option(
        "--appsecret-file",
        metavar="FILE",
        help="A file that holds the application's secret. [ZEYOS_APPSECRET]",
    ),
    click.option(
        "--identifier", metavar="NAME", help="The name of this client on the server. [ZEYOS_IDENTIFIER]"
    ),
    click.option("--otp", metavar="CODE", help="The code of the second factor."),
)
_TOKEN: Final = (
    click.option(
        "--token",
        metavar="TOKEN",
        help="An access token. Other users of this machine can see it; ZEYOS_TOKEN or --token-file is safer.",
    ),
    click.option(
        "--token-file", metavar="FILE", help="A file that holds the access token; - reads standard input."
    ),
)
_EMULATE: Final = (
    click.option("--emulate", is_flag=True, help="Use a built-in emulator in place of a real server."),
    click.option(
        "--rows",
        type=ROWS,
        multiple=True,
        help="With --emulate: the number of rows to make up, such as accounts=100000.",
    ),
    click.option(
        "--seed", type=int, default=1, show_default=True, help="With --emulate: the seed of the made-up data."
    ),
)
_API: Final = click.option(
    # Eager, so that the types of the other arguments can ask for the API.
    "--api",
    type=click.Choice(api_names()),
    default="zeyos",
    show_default=True,
    is_eager=True,
    help="The API to use.",
)
_TIMEOUT: Final = click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="The longest time for one call.",
)
_OPTIONS: Final = (
    click.option(
        "--profile",
        type=PROFILE,
        metavar="NAME",
        help="The profile to use, in place of the active one. [ZEYOS_PROFILE]",
    ),
    *_ADDRESS,
    *_TOKEN,
    *_PASSWORD,
    _TIMEOUT,
    _ALLOW_HTTP,
    *_EMULATE,
)


def _add_connection(command: Callable[..., Any], options: Sequence[Any]) -> Any:
    """Add options to a command, which takes those about the connection as ``connection``."""
    # Some commands have only a part of these options; the others keep their defaults.
    names = {field.name for field in attrs.fields(ConnectionOptions)}

    @functools.wraps(command)
    def wrapper(**values: Any) -> Any:
        connection = ConnectionOptions(**{name: values.pop(name) for name in names & values.keys()})
        if connection.rows and not connection.emulate:
            raise click.UsageError("--rows is about the emulator; add --emulate")
        return command(connection=connection, **values)

    decorated: Any = wrapper
    # Decorators apply from the inside out; reversed, the help lists the options in their order here.
    for option in reversed(options):
        decorated = option(decorated)
    return verbose_option(decorated)


def connection_options(command: Callable[..., Any]) -> Any:
    """Add the connection options and ``--verbose``; the command takes them as ``connection``."""
    return _add_connection(command, _OPTIONS)


def _decorate(options: Sequence[ApiOption]) -> list[Any]:
    return [click.option(*option.flags, option.name, **option.settings) for option in options]


def _add_api(command: Callable[..., Any], options: Sequence[ApiOption], **fixed: Any) -> Callable[..., Any]:
    """Let a command take the options about the API as ``api_options``."""
    names = {option.name for option in options}

    @functools.wraps(command)
    def wrapper(**values: Any) -> Any:
        api_values = {name: values.pop(name) for name in names & values.keys()}
        api = {"api": values.pop("api")} if "api" in values else fixed
        return command(api_options=ApiOptions(**api, values=api_values), **values)

    return wrapper


def all_api_options(command: Callable[..., Any]) -> Any:
    """Add the connection options and those of all APIs; the command takes ``connection`` and ``api_options``."""
    options = [option for name in api_names() for option in load_command(name).options]
    return _add_connection(_add_api(command, options), (_API, *_decorate(options), *_OPTIONS))


def general_options(command: Callable[..., Any]) -> Any:
    """Add the options for the General API; the command takes ``connection`` and ``api_options``."""
    own = load_command("general").options
    options = (_ADDRESS[0], *_TOKEN, *_PASSWORD[:2], *_decorate(own), _TIMEOUT, _ALLOW_HTTP, *_EMULATE)
    return _add_connection(_add_api(command, own, api="general"), options)


def sign_in_options(command: Callable[..., Any]) -> Any:
    """Add the options of a sign-in: the server, the user and the password; the command takes them as ``connection``."""
    user = click.option(
        "--user", metavar="NAME", help="Log in with this name and a password, without a browser."
    )
    return _add_connection(command, (*_ADDRESS, user, *_PASSWORD[1:], _TIMEOUT, _ALLOW_HTTP))
