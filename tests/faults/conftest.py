"""What the tests of faults share."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def quiet_server() -> Iterator[None]:
    """The emulator's web server reports clients that go away within a request, which is the point here."""
    log = logging.getLogger("aiohttp.server")
    before = log.level
    log.setLevel(logging.CRITICAL)
    yield
    log.setLevel(before)
