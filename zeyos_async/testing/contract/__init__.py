"""The promises of every client as tests: credentials, repetitions, errors, cancellation, secrets, pages, and the end.

A test module of an API of your own takes them all with its row of the registry (see docs/your-own-api.md):

    from zeyos_async.testing.contract import contract_tests

    globals().update(contract_tests("inventory"))
"""

from __future__ import annotations

from .bench import ROWS, WAYS, Bench, Service, open_bench
from .tests_of_rows import contract_tests

__all__ = ["ROWS", "WAYS", "Bench", "Service", "contract_tests", "open_bench"]
