"""Questions to a person, on the terminal or through a pipe."""

from __future__ import annotations

import sys

import click

from ..errors import ConfigurationError
from ..secrets import Secret
from .output import note
from .secret_files import read_stdin_line

__all__ = ["ask_line", "may_ask"]


def may_ask() -> bool:
    """Return whether there is a terminal with a person to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask_line(text: str, *, hidden: bool = False, empty: bool = False) -> Secret:
    """Ask for a line, and without a terminal read the next line of standard input.

    Args:
        text: The name of what is asked for.
        hidden: Whether the terminal must not show the answer.
        empty: Whether the answer may be empty.

    Raises:
        ConfigurationError: There is no answer.
    """
    if may_ask():
        return _prompt_line(f"{text} (empty if there is none)" if empty else text, hidden=hidden, empty=empty)
    # A script can pipe several answers, one on each line.
    answer = Secret(read_stdin_line().strip())
    if not answer and not empty:
        raise ConfigurationError(f"{text[0].lower()}{text[1:]} was asked for, and standard input has no line")
    return answer


def _prompt_line(text: str, *, hidden: bool, empty: bool) -> Secret:
    try:
        default = "" if empty else None
        answer = click.prompt(text, hide_input=hidden, err=True, default=default, show_default=False)
    except click.Abort:
        note("")  # or the error message would follow the prompt on the same line
        raise
    return Secret(str(answer).strip())
