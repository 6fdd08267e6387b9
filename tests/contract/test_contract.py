"""The contract of all clients, for each API of the registry."""

from __future__ import annotations

from zeyos_async.services.registry import list_apis
from zeyos_async.testing.contract import contract_tests

globals().update(contract_tests(*(name for name, api in list_apis().items() if api.contract)))
