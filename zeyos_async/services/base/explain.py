"""The requests that a query would send, as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import attrs
import msgspec

from .plan import PlannedRequest

__all__ = ["Explanation", "PlannedRequest", "join_explanations"]


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


def join_explanations(parts: Sequence[Explanation]) -> Explanation:
    """Return the explanations of the parts of a query as one."""
    if not parts:
        return _NOTHING
    return Explanation(parts[0].strategy, tuple(request for part in parts for request in part), parts[0].then)
