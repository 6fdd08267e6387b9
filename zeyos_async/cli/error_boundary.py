"""The boundary of the command: an exception becomes one line on standard error and an exit code.

The problem: errors come from the library, from click, from the system and from signals, and a person should
see one line that says what to do, while a script needs a number that tells "nothing was sent" from "the
server refused". Neither should ever see a traceback, unless --verbose asks for one.

The idea: commands handle no errors. They raise, or return an exit code of their own; ``run`` is the only
place that catches, and ``_EXIT_CODES`` the only table from classes to codes. Its order matters: a class comes
before its base class (``NotSignedIn`` before ``ConfigurationError``).

The invariants:

* Standard output has data only; every message goes to standard error.
* click runs with ``standalone_mode=False``, or it would print errors and exit by its own rules. Ctrl-C and
  a closed pipe are renamed in ``app.py`` (``Interrupted``, ``PipeClosed``), because click turns both into an
  exit code 1 even so.
* A reader of the output that went away (``| head``) gets no message. What is still buffered is thrown away,
  or Python would fail once more when it flushes standard output at exit.
* An exception of a class that is not ours is a defect, and is reported as one with its class.

Left out: a log file, and exit codes for each class of error; scripts can use the library for that.
"""

from __future__ import annotations

import errno
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
from .output import HungUp, Interrupted, NotSignedIn, PipeClosed, Terminated, note, red
from .standard_streams import discard_output, flush_output

__all__ = ["RunState", "exit_code", "run"]

_FAILURE: Final = 1
_USAGE: Final = 2
_HELP_ERRORS: Final[tuple[type[click.ClickException], ...]] = tuple(
    [click.exceptions.NoArgsIsHelpError] if hasattr(click.exceptions, "NoArgsIsHelpError") else []
)
"""The error of a group without a command. Its message is the help; older versions of click print it themselves."""
_OUTPUT_ERRORS: Final = (errno.EBADF, errno.ENOSPC, errno.EIO, errno.EFBIG)
"""Errors of the system that come from standard output if they name no file."""
_EXIT_CODES: Final[tuple[tuple[int, tuple[type[BaseException], ...]], ...]] = (
    (3, (NotSignedIn,)),  # before its base class ConfigurationError
    (_USAGE, (ConfigurationError, InvalidArgument, FilterError)),
    (3, (NotAuthenticated, PermissionDenied)),
    (4, (NotFound, Gone, NoResult)),
    (130, (Interrupted, KeyboardInterrupt, click.Abort)),
    (129, (HungUp,)),  # before its base class Terminated
    (143, (Terminated,)),
    (141, (PipeClosed, BrokenPipeError)),
)


@attrs.define
class RunState:
    """Options that hold for the whole run.

    Attributes:
        verbose: Whether an error shows its traceback.
    """

    verbose: bool = False


def exit_code(error: BaseException) -> int:
    """Return the exit code for an error."""
    return next((code for code, classes in _EXIT_CODES if isinstance(error, classes)), _FAILURE)


def run(argv: Sequence[str]) -> int:
    """Run a command line, report an error if there is one, and return the exit code."""
    state = RunState()
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        code = _run_command(argv, state)
        try:
            # At exit, Python would report a closed pipe or a full disk by itself, with an exit code of its own.
            flush_output()
        except OSError as error:
            code = code or _report(error, verbose=state.verbose)
        return code


def _run_command(argv: Sequence[str], state: RunState) -> int:
    try:
        result: Any = app.main(list(argv), prog_name="zeyos-async", standalone_mode=False, obj=state)
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
        discard_output(sys.stdout)  # the rest can't be written either
        return code
    if verbose:
        note("".join(traceback.format_exception(error)).rstrip())
    note(f"{red('Error:')} {_error_message(error)}")
    return code


def _error_message(error: Exception) -> str:
    if isinstance(error, (Interrupted, click.Abort)):
        return "interrupted"
    if isinstance(error, Terminated):
        return "the terminal was closed" if isinstance(error, HungUp) else "terminated"
    if (
        isinstance(error, NotFound) and error.method == "POST" and not error.hint
    ):  # a list exists on every instance, so the address is wrong
        return f"{error}. Is the instance's URL right? `zeyos-async doctor` tells more"
    if isinstance(error, ZeyosAsyncError):
        return str(error)
    if isinstance(error, OSError):
        is_output = not error.filename and error.errno in _OUTPUT_ERRORS
        prefix = (
            "the output can't be written: " if is_output else f"{error.filename}: " if error.filename else ""
        )
        return f"{prefix}{error.strerror or error}"
    return f"{type(error).__name__}: {error}. This is a defect of zeyos-async; --verbose shows where it comes from"


def _usage_message(error: click.ClickException) -> str:
    """Return the error in the command line, and the command that shows its help."""
    text = error.format_message()
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return text
    return f"{text}{'' if text.endswith(('.', '?', '!')) else '.'} See `{context.command_path} --help`"


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    note(f"Warning: {message}")
