"""``emulate``: an emulator for other programs, which runs until Ctrl-C."""

from __future__ import annotations

import functools
from typing import Any

import click

from ...errors import InvalidArgument
from ...services.registry import find_api, load
from ..apis import api_names, load_command
from ..async_runner import run_async, verbose_option
from ..output import Interrupted, examples, note, write
from ..param_types import ROWS

__all__ = ["command"]


@click.command(
    "emulate",
    epilog=examples(
        "zeyos-async emulate zeyos --port 8080 --rows accounts=10000",
    ),
)
# Eager, so that --rows can be checked against this API.
@click.argument(
    "api",
    type=click.Choice([name for name in api_names() if find_api(name).emulator]),
    default="zeyos",
    is_eager=True,
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="The port to listen on; 0 takes a free one.",
)
@click.option(
    "--rows", type=ROWS, multiple=True, help="The number of rows to make up, such as accounts=10000."
)
@click.option("--seed", type=int, default=1, show_default=True, help="The seed of the made-up data.")
@verbose_option
def command(*, api: str, host: str, port: int, rows: tuple[dict[str, int], ...], seed: int) -> None:
    """Run an emulator of an API with made-up data, until Ctrl-C."""
    from ...testing.emulator import serve

    row_counts = {name: number for part in rows for name, number in part.items()}
    options: dict[str, Any] = {"host": host, "port": port, "rows": row_counts, "seed": seed}
    try:
        run_async(serve(load(find_api(api).emulator)(**options), functools.partial(_announce, api)))
    except ValueError as error:
        raise InvalidArgument(f"--rows: {error}") from error
    except OSError as error:
        raise click.ClickException(f"can't listen on {host}:{port}: {error.strerror or error}") from error
    except KeyboardInterrupt as error:
        raise Interrupted from error


def _announce(api: str, emulator: Any) -> None:
    labels, example = load_command(api).describe_emulator(emulator)
    width = max(map(len, labels)) + 2
    write("".join(f"{label:{width}}{value}\n" for label, value in labels.items()))
    note(f"\nFor example:\n{example}\n\nCtrl-C ends it.")
