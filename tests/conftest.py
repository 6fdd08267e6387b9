"""What all tests share: how hypothesis runs, and which tests are properties."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

PROPERTIES: Final = Path(__file__).parent / "property"

# A deadline for one example tells how busy the machine is, and nothing about the code.
_COMMON: Final = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.register_profile("default", _COMMON)
# The same examples each time: a change is judged by what it changes, not by luck.
settings.register_profile("ci", _COMMON, derandomize=True)
settings.register_profile("soak", _COMMON, max_examples=2_000)
settings.load_profile("default")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is below ``property/``, so that ``make soak`` can give it more examples."""
    for item in items:
        if PROPERTIES in item.path.parents:
            item.add_marker("property")
