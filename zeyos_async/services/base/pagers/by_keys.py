"""Reading by keys: which rows there are is asked once, and then the rows themselves, some at a time.

It is for APIs whose lists have no pages, but can tell the keys of all rows, and give the rows of some keys.
Each row comes once and where the first answer had it; one that is deleted before its turn is left out. What others
add meanwhile is not seen.
"""

from __future__ import annotations

import abc
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from ....filters import Expression
from ....pagination import Paging
from ....schema import Entity
from ..plan import QueryPlan, Traits
from ..row_types import RowType
from .prefetch import Prefetcher

if TYPE_CHECKING:
    from ..explain import PlannedRequest

__all__ = ["KeyPager", "KeyedBackend", "Snapshot", "pages_by_key"]

R = TypeVar("R")


@attrs.frozen
class Snapshot(Generic[R]):
    """The rows that there were at one moment.

    Attributes:
        keys: What names each row, in order.
        fetch: Gives the rows of some keys; those that are gone are missing.
    """

    keys: Sequence[Any]
    fetch: Callable[[Sequence[Any]], Coroutine[Any, Any, Mapping[Any, R]]]


class KeyedBackend(abc.ABC):
    """A service's way of answering plans for one entity, where lists give keys and have no pages.

    Attributes:
        entity: What is listed here.
        traits: What these lists can do; they have no IDs to read by.
        chunk: How many rows are fetched together, where the caller does not choose.
    """

    entity: Entity
    traits: Traits
    chunk: int

    @abc.abstractmethod
    def bind(self, where: Expression) -> Expression:
        """The condition as this entity's fields take it; a ``FilterError`` for what the API can't say."""

    @abc.abstractmethod
    async def snapshot(self, plan: QueryPlan, shape: RowType[R] | None, *, most: int | None) -> Snapshot[R]:
        """Ask which rows there are.

        Args:
            plan: What is asked for.
            shape: What rows become; ``None`` where only the keys are wanted.
            most: How many keys are needed, from the first; ``None`` for all. More do no harm.
        """

    @abc.abstractmethod
    def opening(self, plan: QueryPlan, *, most: int | None) -> Sequence[PlannedRequest]:
        """The requests that ``snapshot`` sends."""


@attrs.frozen(kw_only=True)
class KeyPager(Generic[R]):
    """One pass: what to ask, how to read it, how much of it.

    Attributes:
        door: The service's side.
        plan: What is asked for.
        shape: What rows become.
        paging: The user's choice of paging.
        wanted: Most rows, or ``None``.
        skip: Rows to leave out at the start.
    """

    door: KeyedBackend
    plan: QueryPlan
    shape: RowType[R]
    paging: Paging
    wanted: int | None = None
    skip: int = 0

    @property
    def most(self) -> int | None:
        """How many keys the pass needs."""
        return None if self.wanted is None else self.skip + self.wanted

    @property
    def size(self) -> int:
        """How many rows are fetched together."""
        return self.paging.size or self.door.chunk


async def pages_by_key(config: KeyPager[R]) -> AsyncIterator[list[R]]:
    """Read a result by keys."""
    snapshot = await config.door.snapshot(config.plan, config.shape, most=config.most)
    keys = list(dict.fromkeys(snapshot.keys))[config.skip :]
    left = len(keys) if config.wanted is None else config.wanted
    async with Prefetcher[Sequence[Any], Mapping[Any, R]](snapshot.fetch) as ahead:
        at = flying = 0
        while left:
            while len(ahead) < config.paging.ahead and at < len(keys) and flying < left:
                part = keys[at : at + min(config.size, left - flying)]
                ahead.submit(part)
                at, flying = at + len(part), flying + len(part)
            if not len(ahead):
                return
            taken, rows = await ahead.next()
            page = [rows[key] for key in taken if key in rows]
            flying, left = flying - len(taken), left - len(page)
            if page:
                yield page
