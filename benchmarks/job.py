"""What a measured process is told, and what it tells. Light: everybody pays for this import."""

from __future__ import annotations

import os
from typing import Final, NamedTuple

__all__ = ["ACCOUNT_FIELDS", "PAGE", "Job", "Outcome", "pin_to_core", "read_memory"]

PAGE: Final = 10_000
"""Rows of a full page; the most that the API gives at once."""

ACCOUNT_FIELDS: Final = (
    "ID",
    "fork",
    "ownergroup",
    "creator",
    "assigneduser",
    "creationdate",
    "lastmodified",
    "contact",
    "visibility",
    "lastname",
    "firstname",
    "type",
    "customernum",
    "suppliernum",
    "taxid",
    "currency",
    "locked",
    "excludetax",
    "description",
)
"""The fields of a full account, for those who have to name them."""


class Job(NamedTuple):
    """One measured run.

    Attributes:
        url: The instance's URL.
        token: A bearer token.
        target: A file to write, where the contender writes one.
    """

    url: str
    token: str
    target: str = ""

    @property
    def accounts(self) -> str:
        """Where accounts are listed."""
        return f"{self.url}/api/v1/accounts"

    @property
    def headers(self) -> dict[str, str]:
        """Who is calling, and that JSON is sent."""
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}


class Outcome(NamedTuple):
    """What a run read: equal for all contenders, or one of them is wrong.

    Attributes:
        rows: How many rows.
        ids: The sum of their IDs; 0 where rows are not looked into.
    """

    rows: int
    ids: int = 0


def pin_to_core(core: int) -> None:
    """Keep this process on one core, where the system has such a thing and the machine has two."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {core})


def read_memory(name: str) -> int:
    """``VmRSS`` or ``VmHWM`` of this process in bytes; 0 where there is no ``/proc``.

    ``getrusage`` is no help: a child's peak begins with its parent's.
    """
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            line = next(line for line in status if line.startswith(name))
    except OSError:
        return 0
    return int(line.split()[1]) * 1024
