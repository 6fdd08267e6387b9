"""Fixtures for the tests of code that uses these APIs; loaded by pytest in every run.

``zeyos_emulator``, ``general_emulator`` and the like listen, fresh for each test. Mark a test with
``@pytest.mark.parametrize("zeyos_emulator_options", [{"rows": {"accounts": 5000}}])``, or override
the fixture of that name, to choose its rows. The async fixtures need pytest-asyncio.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pytest

if TYPE_CHECKING:
    from zeyos_async.testing.general.emulator import GeneralEmulator
    from zeyos_async.testing.octaved.emulator import OctavedEmulator
    from zeyos_async.testing.ox.emulator import OxEmulator
    from zeyos_async.testing.zeyos.emulator import ZeyosEmulator

_F = TypeVar("_F", bound=Callable[..., Any])


def _async_fixture(function: _F) -> _F:
    """Return a fixture that pytest-asyncio runs, where it is installed; other runners take plain ones."""
    try:
        from pytest_asyncio import fixture
    except ImportError:
        return cast("_F", pytest.fixture(function))
    return cast("_F", fixture(function))


@pytest.fixture
def zeyos_emulator_options() -> dict[str, Any]:
    """Return the keyword arguments of ``emulate_zeyos`` for the fixture ``zeyos_emulator``; override it to choose rows."""
    return {}


@_async_fixture
async def zeyos_emulator(zeyos_emulator_options: dict[str, Any]) -> AsyncIterator[ZeyosEmulator]:
    """Run a ZeyOS emulator on a free port, with its few default rows."""
    # Imported here: pytest loads the plugin in every run, of tests that use no emulator, too.
    from zeyos_async.testing import emulate_zeyos

    async with emulate_zeyos(**zeyos_emulator_options) as emulator:
        yield emulator


@pytest.fixture
def general_emulator_options() -> dict[str, Any]:
    """Return the keyword arguments of ``emulate_general`` for the fixture ``general_emulator``."""
    return {}


@_async_fixture
async def general_emulator(general_emulator_options: dict[str, Any]) -> AsyncIterator[GeneralEmulator]:
    """Run an emulator of the General API on a free port, with a few records of each model."""
    from zeyos_async.testing import emulate_general

    async with emulate_general(**general_emulator_options) as emulator:
        yield emulator


@pytest.fixture
def octaved_emulator_options() -> dict[str, Any]:
    """Return the keyword arguments of ``emulate_octaved`` for the fixture ``octaved_emulator``."""
    return {}


@_async_fixture
async def octaved_emulator(octaved_emulator_options: dict[str, Any]) -> AsyncIterator[OctavedEmulator]:
    """Run an emulator of Octaved Flow on a free port, with a few rows of each resource."""
    from zeyos_async.testing import emulate_octaved

    async with emulate_octaved(**octaved_emulator_options) as emulator:
        yield emulator


@pytest.fixture
def ox_emulator_options() -> dict[str, Any]:
    """Return the keyword arguments of ``emulate_ox`` for the fixture ``ox_emulator``."""
    return {}


@_async_fixture
async def ox_emulator(ox_emulator_options: dict[str, Any]) -> AsyncIterator[OxEmulator]:
    """Run an emulator of Open-Xchange on a free port, with a few rows of each kind."""
    from zeyos_async.testing import emulate_ox

    async with emulate_ox(**ox_emulator_options) as emulator:
        yield emulator
