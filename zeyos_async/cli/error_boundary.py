"""From an exception to one line on standard error and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import Any, Final

import attrs
import click

from ..errors import (
    ConfigurationError,
    FilterError,
    Gone,
    InvalidArgument,
    NoResult,
    NotAuthenticated,
    NotFound,
    PermissionDenied,
    ZeyosAsyncError,
)
from .app import app
from .output import Interrupted, NotSignedIn, PipeClosed, Terminated, note, red

__all__ = ["RunState", "exit_code", "run"]

_FAILURE: Final = 1
_USAGE: Final = 2
_HELP_ERRORS: Final[tuple[type[click.ClickException], ...]] = tuple(
    [click.exceptions.NoArgsIsHelpError] if hasattr(click.exceptions, "NoArgsIsHelpError") else []
)
"""A group without a command, whose message is its help; older versions of click print it themselves."""
_EXIT_CODES: Final[tuple[tuple[int, tuple[type[BaseException], ...]], ...]] = (
    (3, (NotSignedIn,)),  # before what it is a kind of
    (_USAGE, (ConfigurationError, InvalidArgument, FilterError)),
    (3, (NotAuthenticated, PermissionDenied)),
    (4, (NotFound, Gone, NoResult)),
    (130, (Interrupted, KeyboardInterrupt, click.Abort)),
    (143, (Terminated,)),
    (141, (PipeClosed, BrokenPipeError)),
)


@attrs.define
class RunState:
    """What the options of a command say about the whole run."""

    verbose: bool = False


def exit_code(error: BaseException) -> int:
    """The exit code for an error."""
    return next((code for code, classes in _EXIT_CODES if isinstance(error, classes)), _FAILURE)


def run(argv: Sequence[str]) -> int:
    """Run a command line, and say what went wrong if anything did."""
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        return _run_command(argv, RunState())


def _run_command(argv: Sequence[str], state: RunState) -> int:
    try:
        result: Any = app.main(list(argv), prog_name="zeyos-async", standalone_mode=False, obj=state)
        sys.stdout.flush()
    except click.exceptions.Exit as error:
        return error.exit_code
    except _HELP_ERRORS as error:
        note(error.format_message())
        return error.exit_code
    except click.ClickException as error:
        note(f"{red('Error:')} {_usage_message(error)}")
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the one boundary
        return _report(error, verbose=state.verbose)
    return result if isinstance(result, int) else 0


def _report(error: Exception, *, verbose: bool) -> int:
    code = exit_code(error)
    if code == exit_code(PipeClosed()):
        _discard_output()
        return code
    if verbose:
        note("".join(traceback.format_exception(error)).rstrip())
    note(f"{red('Error:')} {_error_message(error)}")
    return code


def _error_message(error: Exception) -> str:
    if isinstance(error, (Interrupted, click.Abort)):
        return "interrupted"
    if isinstance(error, Terminated):
        return "terminated"
    if isinstance(error, NotFound) and error.method == "POST" and not error.hint:  # the address is not there
        return f"{error}. Is the instance's URL right? `zeyos-async doctor` tells more"
    if isinstance(error, ZeyosAsyncError):
        return str(error)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    return f"{type(error).__name__}: {error}. This is a defect of zeyos-async; --verbose shows where it comes from"


def _usage_message(error: click.ClickException) -> str:
    """What is wrong with the command line, and where its help is."""
    text = error.format_message()
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return text
    return f"{text}{'' if text.endswith(('.', '?', '!')) else '.'} See `{context.command_path} --help`"


def _discard_output() -> None:
    """Send what is still buffered nowhere, so that closing standard output at exit does not fail too."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    note(f"Warning: {message}")
