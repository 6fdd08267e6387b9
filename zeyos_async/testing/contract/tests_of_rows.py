"""The suite bound to rows of the registry."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from ...errors import ConfigurationError
from ...services.registry import find_api, load
from .bench import WAYS, Bench, Service, open_bench

__all__ = ["contract_tests"]


def contract_tests(*names: str) -> dict[str, Any]:
    """Return the tests of the contract for some APIs, with the fixture ``bench`` that they need.

    They run over real sockets and through memory. pytest and pytest-asyncio have to be installed.

    Args:
        *names: Names of rows of the registry that have a ``contract``.

    Returns:
        Name → function, for the namespace of a test module.

    Raises:
        ConfigurationError: An API has no contract.

    Example:
        >>> "test_every_row_comes_once" in contract_tests("zeyos")
        True
    """
    import pytest
    import pytest_asyncio

    from . import suite

    params = [pytest.param((_service(name), way), id=f"{name}-{way}") for name in names for way in WAYS]

    @pytest_asyncio.fixture(params=params)
    async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
        """Start the service under test."""
        service, way = request.param
        async with open_bench(service, way) as started:
            yield started

    tests = {
        name: pytest.mark.asyncio(function)
        for name, function in vars(suite).items()
        if name.startswith("test_")
    }
    return {"bench": bench, **tests}


def _service(name: str) -> Service:
    place = find_api(name).contract
    if not place:
        raise ConfigurationError(f"the API {name!r} has no contract in its row of the registry")
    service = load(place)
    if not isinstance(service, Service):
        raise ConfigurationError(f"{place} is no Service of zeyos_async.testing.contract")
    return service
