"""Asking a person, on the terminal or through a pipe."""

from __future__ import annotations

import sys

import click

from ..errors import ConfigurationError
from ..secrets import Secret

__all__ = ["ask_line", "may_ask"]


def may_ask() -> bool:
    """Whether there is a person at a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask_line(text: str, *, hidden: bool = False, empty: bool = False) -> Secret:
    """Ask for a line. Without a terminal, the next line of standard input is the answer.

    Args:
        text: What is asked for.
        hidden: Whether the answer is not to be seen.
        empty: Whether it may be empty.

    Raises:
        ConfigurationError: There is no answer.
    """
    if may_ask():
        more = " (empty if there is none)" if empty else ""
        shown = click.prompt(
            f"{text}{more}", hide_input=hidden, err=True, default="" if empty else None, show_default=False
        )
        return Secret(str(shown).strip())
    answer = Secret(sys.stdin.readline().strip())
    if not answer and not empty:
        raise ConfigurationError(f"{text[0].lower()}{text[1:]} was asked for, and standard input has no line")
    return answer
