"""Fixtures for the tests of code that uses these APIs; loaded by pytest in every run.

There are two for each API of the registry that has an emulator: ``zeyos_emulator`` listens, fresh for each test, with
the keyword arguments that ``zeyos_emulator_options`` returns; ``general_emulator`` and the like do the same. Mark a
test with ``@pytest.mark.parametrize("zeyos_emulator_options", [{"rows": {"accounts": 5000}}])``, or override the fixture
of that name, to choose its rows. The async fixtures need pytest-asyncio.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, TypeVar, cast

import pytest

from zeyos_async.services.registry import Api, list_apis, load

_F = TypeVar("_F", bound=Callable[..., Any])

# Without it, a failed assert of the contract suite would show no values.
pytest.register_assert_rewrite("zeyos_async.testing.contract.suite")


def _async_fixture(function: _F, name: str) -> _F:
    """Return a fixture that pytest-asyncio runs, where it is installed; other runners take plain ones."""
    try:
        from pytest_asyncio import fixture
    except ImportError:
        return cast("_F", pytest.fixture(name=name)(function))
    return cast("_F", fixture(name=name)(function))


def _build_fixtures(api: Api) -> dict[str, Any]:
    """Return the fixtures of an API's emulator by their names."""
    options_name = f"{api.name}_emulator_options"

    def options() -> dict[str, Any]:
        return {}

    async def emulator(**fixtures: Any) -> AsyncIterator[Any]:
        # Loaded here: pytest loads the plugin in every run, of tests that use no emulator, too.
        async with load(api.emulator)(**fixtures[options_name]) as started:
            yield started

    # Without a parameter of that name, tests could not choose the options by parametrize().
    parameter = inspect.Parameter(options_name, inspect.Parameter.KEYWORD_ONLY)
    cast("Any", emulator).__signature__ = inspect.Signature([parameter])

    options.__doc__ = (
        f"Return the keyword arguments of the emulator of {api.title}; override it to choose rows."
    )
    emulator.__doc__ = f"Run an emulator of {api.title} on a free port, with a few rows of each kind."
    return {
        options_name: pytest.fixture(name=options_name)(options),
        f"{api.name}_emulator": _async_fixture(emulator, f"{api.name}_emulator"),
    }


_FIXTURES: Final = [_build_fixtures(api) for api in list_apis().values() if api.emulator]
for _fixtures in _FIXTURES:
    globals().update(_fixtures)
