"""The run of a command's coroutine with the signals that end it, and the option ``--verbose``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

import click

from .output import Terminated

__all__ = ["run_async", "verbose_option"]

T = TypeVar("T")


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, and let SIGTERM cancel it as Ctrl-C does, so that it can clean up.

    Raises:
        Terminated: SIGTERM ended it.
    """
    return asyncio.run(_until_terminated(work))


async def _until_terminated(work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.ensure_future(work)
    # Ctrl-C and SIGTERM both arrive as a cancellation; this flag tells them apart.
    terminated = False

    def terminate() -> None:
        nonlocal terminated
        terminated = True
        task.cancel()

    loop = asyncio.get_running_loop()
    # Signal handlers exist only on Unix and in the main thread; elsewhere SIGTERM ends the process at once.
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        loop.add_signal_handler(signal.SIGTERM, terminate)
    try:
        return await task
    except asyncio.CancelledError:
        if terminated:
            raise Terminated from None
        raise


def _enable_logging(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        state = ctx.find_root().obj
        if state is not None:
            state.verbose = True
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")


def verbose_option(command: Any) -> Any:
    """Add the option ``--verbose`` to a command."""
    return click.option(
        "-v",
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=_enable_logging,
        help="Log what the client does, and show the traceback of an error.",
    )(command)
