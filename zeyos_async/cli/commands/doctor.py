"""``doctor``: checks of the server, the credential, and the access to rows."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Awaitable, Callable
from typing import Final

import attrs
import click

from ...errors import ConfigurationError, ZeyosAsyncError
from ...services.zeyos.client import Zeyos
from ...services.zeyos.profiles import look_for_profile
from ..async_runner import run_async
from ..connect import ConnectionOptions, ConnectionTarget, describe_store, open_zeyos, resolve_local_target
from ..error_boundary import exit_code
from ..options import connection_options
from ..output import json_text, write, write_utf8

__all__ = ["command"]

_MAX_CLOCK_DRIFT: Final = 30
"""Seconds by which the clocks may differ without a remark."""


@attrs.frozen(kw_only=True)
class CheckResult:
    """The result of one check.

    Attributes:
        check: The name of the check.
        ok: Whether it passed.
        message: The result in words.
        code: The exit code if it failed.
    """

    check: str
    ok: bool
    message: str
    code: int = 0


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connection_options
def command(*, as_json: bool, connection: ConnectionOptions) -> int:
    """Check the settings, the server and the credential."""
    results = run_async(_run_checks(connection))
    if as_json:
        write_utf8(
            json_text(
                [{"check": result.check, "ok": result.ok, "says": result.message} for result in results]
            )
        )
    else:
        width = max(len(result.check) for result in results)
        for result in results:
            write(f"{'ok' if result.ok else 'FAIL':4}  {result.check:{width}}  {result.message}\n")
    return next((result.code for result in results if not result.ok), 0)


async def _run_checks(connection: ConnectionOptions) -> list[CheckResult]:
    results: list[CheckResult] = []
    try:
        target = None if connection.emulate else resolve_local_target(connection)
        results += _check_settings(connection, target)
        async with open_zeyos(connection, target) as zeyos:
            for check, run in _CHECKS.items():
                results.append(await _run_check(check, run, zeyos))
                # All other checks would fail for the same reason.
                if not results[-1].ok and check == "server":
                    break
    except ZeyosAsyncError as error:
        results.append(CheckResult(check="settings", ok=False, message=str(error), code=exit_code(error)))
    return results


def _check_settings(connection: ConnectionOptions, target: ConnectionTarget | None) -> list[CheckResult]:
    if target is None:
        return [
            CheckResult(check="settings", ok=True, message="an emulator of our own, as its administrator")
        ]
    passed_over = [*target.passed_over, *_unused_credentials(connection, target)]
    return [
        CheckResult(check="url", ok=True, message=f"{target.url} (from {target.url_from})"),
        CheckResult(check="credential", ok=True, message=target.auth_from),
        *(CheckResult(check="not used", ok=True, message=message) for message in passed_over),
    ]


def _unused_credentials(connection: ConnectionOptions, target: ConnectionTarget) -> list[str]:
    """Return the stored credentials that an option or the environment wins over, in words."""
    if target.profile is not None:
        return []
    try:
        stored = look_for_profile(connection.profile)
    except ConfigurationError as error:
        return [str(error)]
    if stored is None or stored.credential is None:
        return []
    return [
        f"the tokens of {describe_store(stored.store)}, which {stored.reason} ({target.auth_from} comes first)"
    ]


async def _run_check(check: str, run: Callable[[Zeyos], Awaitable[str]], zeyos: Zeyos) -> CheckResult:
    started_at = time.perf_counter()
    try:
        message = await run(zeyos)
    except ZeyosAsyncError as error:
        return CheckResult(check=check, ok=False, message=str(error), code=exit_code(error))
    return CheckResult(
        check=check, ok=True, message=f"{message} ({(time.perf_counter() - started_at) * 1000:.0f} ms)"
    )


async def _check_server(zeyos: Zeyos) -> str:
    response = await zeyos.request("GET", "config")
    date = email.utils.parsedate_to_datetime(response.headers["Date"]) if "Date" in response.headers else None
    ahead = 0 if date is None else round(date.timestamp() - time.time())
    clock = f", its clock is {ahead:+} s off ours" if abs(ahead) > _MAX_CLOCK_DRIFT else ""
    return f"{zeyos.base_url} answers, and takes the credential{clock}"


async def _check_user(zeyos: Zeyos) -> str:
    identity = await zeyos.whoami()
    return f"{identity.name or 'user'} (ID {identity.user})"


async def _check_rows(zeyos: Zeyos) -> str:
    return f"{await zeyos.resource('accounts').query().count():,} accounts can be read"


_CHECKS: Final[dict[str, Callable[[Zeyos], Awaitable[str]]]] = {
    "server": _check_server,
    "user": _check_user,
    "rows": _check_rows,
}
