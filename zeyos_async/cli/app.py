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
  1    the server or the connection failed, or the output can't be written
  2    the command line is wrong; nothing was sent
  3    you are not logged in, or not allowed to do this
  4    there is no such record
  129  the terminal was closed
  130  interrupted (Ctrl-C)
  141  the reader of the output went away
  143  terminated"""


class _Commands(click.Group):
    """A group whose commands are modules of the folder ``commands``, loaded by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order of the help."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command."""
        # Only this command's module is imported: together they would load exports, emulators and tables
        # for each run.
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
    """List, count, add up and export the records of a ZeyOS instance.

    Sign in once with `zeyos-async login`. If you use the vendor's command line tool, you are signed in
    already. Without a sign-in, name the server with --url and the user with --token-file or --user, or set
    ZEYOS_BASE_URL, ZEYOS_INSTANCE and ZEYOS_TOKEN. With --emulate, a command runs on a built-in emulator and
    needs no server. --api selects another API: Octaved Flow, the General API or Open-Xchange.
    """
