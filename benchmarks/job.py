"""The input and the output of a measured process. All of them pay for this import, so it is light."""

from __future__ import annotations

import os
from typing import Final, NamedTuple

__all__ = ["ACCOUNT_FIELDS", "PAGE", "Job", "Outcome", "pin_to_core", "read_memory"]

PAGE: Final = 10_000
"""Rows of a full page; the API gives no more at once."""

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
"""The fields of a full account, for contenders that have to name them."""


class Job(NamedTuple):
    """One measured run.

    Attributes:
        url: The instance's URL.
        token: A bearer token.
        target: The file to write, for contenders that write one.
    """

    url: str
    token: str
    target: str = ""

    @property
    def accounts(self) -> str:
        """The address at which accounts are listed."""
        return f"{self.url}/api/v1/accounts"

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a request: the token, and JSON as the type of the body."""
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}


class Outcome(NamedTuple):
    """The rows that a run read. It must be equal for all contenders, or they did different work.

    Attributes:
        rows: The number of rows.
        ids: The sum of their IDs, or 0 if the contender does not decode rows.
    """

    rows: int
    ids: int = 0


def pin_to_core(core: int) -> None:
    """Keep this process on one core, if the system can do that and the machine has more than one."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {core})


def read_memory(name: str) -> int:
    """Return ``VmRSS`` or ``VmHWM`` of this process in bytes, or 0 without ``/proc``."""
    # getrusage can't be used: a child's peak begins with that of its parent.
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            line = next(line for line in status if line.startswith(name))
    except OSError:
        return 0
    return int(line.split()[1]) * 1024
