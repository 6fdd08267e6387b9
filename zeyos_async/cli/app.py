"""The group of commands, which imports a command's module only when that command runs."""

from __future__ import annotations

import importlib
from typing import Any, Final

import click

from .output import Interrupted, PipeClosed

__all__ = ["app"]

_COMMANDS: Final = (
    "list",
    "get",
    "count",
    "sum",
    "export",
    "describe",
    "resources",
    "login",
    "logout",
    "whoami",
    "profile",
    "general",
    "emulate",
    "doctor",
    "completion",
)

_EPILOG: Final = """\b
Exit codes:
  0    done
  1    the server or the way to it failed, or the output could not be written
  2    the command line makes no sense, nothing was sent
  3    not logged in, or not allowed
  4    no such record
  130  interrupted (Ctrl-C); 143 terminated; 141 the reader of the output went away"""


class _Commands(click.Group):
    """A group whose commands are modules of the folder ``commands``, loaded by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order of the help."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"zeyos_async.cli.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command, or raise an error that suggests the closest names."""
        from ..errors import suggest

        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise click.UsageError(f"There is no command {args[0]!r}.{suggest(args[0], _COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, and translate a closed pipe and Ctrl-C before click turns them into other exit codes."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise PipeClosed from error
        except KeyboardInterrupt as error:
            raise Interrupted from error


@click.command(
    cls=_Commands,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="zeyos-async", prog_name="zeyos-async")
def app() -> None:
    """Read, count, add up and export what a ZeyOS instance holds.

    Sign in once by `zeyos-async login`; who uses the vendor's command line tool is signed in already. Or
    say where by --url and who by --token-file or --user, or by ZEYOS_BASE_URL, ZEYOS_INSTANCE and
    ZEYOS_TOKEN. With --emulate any command runs on an embedded emulator and needs none of that.
    """
