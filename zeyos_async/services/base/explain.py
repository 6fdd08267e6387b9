"""The requests that a query would send, as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import attrs
import msgspec

from .pagers.base import Pager
from .plan import PlannedRequest

__all__ = ["Explanation", "PlannedRequest", "explain"]


@attrs.frozen
class Explanation(Sequence[PlannedRequest]):
    """The requests that iterating a query begins with, and how it goes on. A sequence of requests.

    Attributes:
        strategy: ``"id"``, ``"offset"``, ``"keys"``, or ``"nothing"`` where the condition can't hold for any row.
        requests: The requests that are sent at once.
        then: A phrase that says how the rest is read.
    """

    strategy: str
    requests: tuple[PlannedRequest, ...]
    then: str

    def __len__(self) -> int:
        return len(self.requests)

    def __getitem__(self, index: Any) -> Any:
        return self.requests[index]

    def __iter__(self) -> Iterator[PlannedRequest]:
        return iter(self.requests)

    def __str__(self) -> str:
        lines = [
            f"{request.method} {request.url}  # {request.purpose}\n{msgspec.json.encode(request.json).decode()}"
            for request in self.requests
        ]
        return "\n".join([*lines, f"# then: {self.then}"])


_NOTHING: Final = Explanation("nothing", (), "nothing: the condition can't hold for any row")


def explain(pagers: Sequence[Pager[Any]]) -> Explanation:
    """Return the first requests of a pager (of several, where an IN list is split), and how they go on."""
    if not pagers:
        return _NOTHING
    requests = tuple(request for pager in pagers for request in pager.first_requests())
    return Explanation(pagers[0].strategy, requests, pagers[0].describe_rest())
