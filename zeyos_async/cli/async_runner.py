"""The run of a command's coroutine with the signals that end it, and the option ``--verbose``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

import click

from .output import HungUp, Terminated

__all__ = ["run_async", "verbose_option"]

T = TypeVar("T")


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, and let SIGTERM and SIGHUP cancel it as Ctrl-C does, so that it can clean up.

    Raises:
        Terminated: SIGTERM ended it, or SIGHUP (``HungUp``).
    """
    return asyncio.run(_until_terminated(work))


async def _until_terminated(work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.ensure_future(work)
    # Ctrl-C and these signals all arrive as a cancellation; the reason tells them apart.
    reason: Terminated | None = None

    def end(why: Terminated) -> None:
        nonlocal reason
        reason = reason or why
        task.cancel()

    loop = asyncio.get_running_loop()
    for name, why in (("SIGTERM", Terminated()), ("SIGHUP", HungUp())):
        number = getattr(signal, name, None)
        # nohup has SIGHUP ignored, so that the command outlives its terminal.
        if number is None or signal.getsignal(number) is signal.SIG_IGN:
            continue
        # Signal handlers exist only on Unix and in the main thread; elsewhere a signal ends the process at once.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, end, why)
    try:
        return await task
    except (asyncio.CancelledError, OSError):  # of a terminal that was closed, the output fails too
        if reason is not None:
            raise reason from None
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
