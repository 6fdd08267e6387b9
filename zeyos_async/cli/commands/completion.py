"""``completion``: the script that makes a shell complete commands, options, entities and fields."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from ..output import examples, write

__all__ = ["command"]


@click.command(
    "completion",
    epilog=examples(
        'eval "$(zeyos-async completion bash)"',
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL."""
    cls = get_completion_class(shell)
    if cls is None:
        raise click.UsageError(f"there is no completion for {shell}")
    write(cls(ctx.find_root().command, {}, "zeyos-async", "_ZEYOS_ASYNC_COMPLETE").source() + "\n")
