"""The options that say where a command connects to, and as whom."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs
import click
from click.shell_completion import CompletionItem

from ..errors import ConfigurationError
from .connect import Connection
from .params import ROWS
from .registry import Registry
from .running import verbose_option

__all__ = ["PROFILE", "connection_options", "sign_in_options"]


class _ProfileType(click.ParamType):  # type: ignore[type-arg]
    """The name of a profile."""

    name = "name"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Profiles that begin like this."""
        try:
            names = [entry.name for entry in Registry.here().entries()]
        except ConfigurationError:  # a message has no place in a completion
            return []
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


PROFILE: Final = _ProfileType()

_ADDRESS: Final = (
    click.option(
        "--url", metavar="URL", help="The instance, such as https://cloud.zeyos.com/demo. [ZEYOS_BASE_URL]"
    ),
    click.option("--instance", metavar="NAME", help="The instance's name, below the URL. [ZEYOS_INSTANCE]"),
)
_PASSWORD: Final = (
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
)
_TIMEOUT: Final = click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Longest time for one call.",
)
_OPTIONS: Final = (
    click.option(
        "--profile",
        type=PROFILE,
        metavar="NAME",
        help="A profile, in place of the one in use. [ZEYOS_PROFILE]",
    ),
    *_ADDRESS,
    click.option(
        "--token",
        metavar="TOKEN",
        help="An access token. Others on this machine can see it here: better ZEYOS_TOKEN or --token-file.",
    ),
    click.option("--token-file", metavar="FILE", help="A file with the access token; - is standard input."),
    *_PASSWORD,
    _TIMEOUT,
    click.option("--emulate", is_flag=True, help="Run on an embedded emulator in place of a real instance."),
    click.option(
        "--rows", type=ROWS, multiple=True, help="With --emulate: how many rows, as accounts=100000."
    ),
    click.option(
        "--seed", type=int, default=1, show_default=True, help="With --emulate: which made-up data."
    ),
)


def _gathered(command: Callable[..., Any], options: Sequence[Any]) -> Any:
    """The command with these options, which it takes as ``connection``."""
    names = {field.name for field in attrs.fields(Connection)}

    @functools.wraps(command)
    def wrapper(**values: Any) -> Any:
        given = Connection(**{name: values.pop(name) for name in names & values.keys()})
        if given.rows and not given.emulate:
            raise click.UsageError("--rows is about the emulator; add --emulate")
        return command(connection=given, **values)

    decorated: Any = wrapper
    for option in reversed(options):
        decorated = option(decorated)
    return verbose_option(decorated)


def connection_options(command: Callable[..., Any]) -> Any:
    """Adds the connection options, and ``--verbose``; the command takes them as ``connection``."""
    return _gathered(command, _OPTIONS)


def sign_in_options(command: Callable[..., Any]) -> Any:
    """Adds the options for where to sign in, and by which password; the command takes them as ``connection``."""
    return _gathered(command, (*_ADDRESS, *_PASSWORD, _TIMEOUT))
