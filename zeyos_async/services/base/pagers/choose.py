"""The choice of a pager for lists that are read in pages: by ID where the order allows it, else by offset."""

from __future__ import annotations

from typing import TypeVar

import attrs

from ....errors import InvalidArgument
from ....filters import Order
from ..plan import ListBackend, Reading
from ..row_types import paging_id
from .base import Pager, PagerConfig
from .by_id import IdPager
from .by_offset import OffsetPager
from .first_page import FirstPage

__all__ = ["choose_pager"]

R = TypeVar("R")


def choose_pager(backend: ListBackend, reading: Reading[R]) -> Pager[R]:
    """Return what reads a result in pages.

    Raises:
        InvalidArgument: The user chose to read by ID, and this result can't be.
    """
    reads_by_id = _reads_by_id(backend, reading)
    plan = reading.plan
    entity, id_field = plan.entity, backend.features.id_field
    id_key: str | None = None
    if id_field is not None and not plan.distinct:
        # Paging needs each row's ID: where the caller did not select it, it is read and taken out again.
        id_key, is_added = paging_id(plan.columns, id_field)
        if plan.columns is not None and is_added:
            plan = attrs.evolve(plan, columns={**plan.columns, id_key: id_field})
    config = PagerConfig(
        backend=backend,
        plan=plan,
        reader=backend.wrap_reader(plan, reading.row_type.reader(entity, id_key=id_key)),
        paging=reading.paging,
        max_rows=reading.max_rows,
        skip=reading.skip,
        first_page=FirstPage(backend, plan),
    )
    return IdPager(config) if reads_by_id else OffsetPager(config)


def _reads_by_id(backend: ListBackend, reading: Reading[R]) -> bool:
    """Return whether a result is read by ID; raise where the user's choice is impossible."""
    features, plan, by = backend.features, reading.plan, reading.paging.by
    if by == "id" and not features.by_id:
        raise InvalidArgument("paging(by='id'): this API's lists can't be read by ID; use by='offset'")
    is_id_order = plan.order in ((), (Order(features.id_field or "", False),))
    is_possible = features.by_id and not plan.distinct and is_id_order
    if by == "id" and not is_possible:
        raise InvalidArgument(
            "paging(by='id') reads in the order of the IDs, each row once; "
            "this query asks for another order or for distinct rows: use by='offset' or 'auto'"
        )
    return is_possible and by != "offset"
