"""What is loaded when, and the fixtures for users' tests."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import zeyos_async.testing
from zeyos_async.testing.zeyos.emulator import ZeyosEmulator


@pytest.mark.parametrize("module", ["zeyos_async.testing", "zeyos_async.testing.pytest_plugin"])
def test_nothing_heavy_is_loaded(module: str) -> None:
    """The plugin is loaded in every run of pytest; the web server only when an emulator is used."""
    program = (
        f"import sys, {module}\n"
        "heavy = {'aiohttp', 'sqlite3', 'msgspec', 'zeyos_async.testing.zeyos'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_every_public_name_is_there() -> None:
    """``__all__`` is sorted and holds."""
    names = zeyos_async.testing.__all__
    assert list(names) == sorted(names)
    assert all(getattr(zeyos_async.testing, name) is not None for name in names)
    with pytest.raises(AttributeError):
        zeyos_async.testing.emulate_nothing  # type: ignore[attr-defined]  # noqa: B018


async def test_the_fixture(zeyos_emulator: ZeyosEmulator) -> None:
    """A started emulator for each test."""
    assert zeyos_emulator.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("zeyos_emulator_options", [{"rows": {"accounts": 3}, "instance": "acme"}])
async def test_the_fixtures_options(
    zeyos_emulator: ZeyosEmulator, zeyos_emulator_options: dict[str, Any]
) -> None:
    """Chosen by a parametrization or an override."""
    assert zeyos_emulator.url.endswith("/acme")
    assert len(zeyos_emulator.rows("accounts")) == 3


def test_an_emulator_that_is_not_started_says_so() -> None:
    """There is no address before."""
    with pytest.raises(RuntimeError, match="not started"):
        _ = ZeyosEmulator().url
