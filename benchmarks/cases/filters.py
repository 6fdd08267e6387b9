"""The case of ten conditions: built, compiled, and encoded as they are sent."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from benchmarks.cases.timing import cpu_seconds
from benchmarks.contenders.models import attrs_account
from benchmarks.job import Job
from zeyos_async import F
from zeyos_async.filters import all_of, to_zeyos
from zeyos_async.zeyos import Account

ROUNDS, REPEAT = 15, 200


def compile_zeyos() -> bytes:
    """Compile the conditions to ZeyOS's JSON, with each field looked up in the entity's table."""
    where = all_of(
        [
            F.visibility == 0,
            F.type.in_([1, 3]),
            F.lastname.ilike("%gmbh%"),
            F.firstname == "",
            F.currency != "USD",
            F.lastmodified > 1_700_000_000,
            F.creationdate <= 1_800_000_000,
            F.assigneduser.is_not_null(),
            F.customernum.startswith("C-10"),
            F.locked == 0,
        ]
    )
    return msgspec.json.encode(to_zeyos(where, Account.__entity__))


def _table() -> Any:
    kinds = {"str": sa.String, "datetime": sa.Integer}
    fields = attrs_account().__attrs_attrs__
    return sa.table(
        "accounts",
        *(sa.column(f.name, kinds.get(getattr(f.type, "__name__", ""), sa.Integer)) for f in fields),
    )


_T = _table().c


def compile_sqlalchemy() -> tuple[str, Any]:
    """Compile the conditions to SQL and its parameters."""
    where = sa.and_(
        _T.visibility == 0,
        _T.type.in_([1, 3]),
        _T.lastname.ilike("%gmbh%"),
        _T.firstname == "",
        _T.currency != "USD",
        _T.lastmodified > 1_700_000_000,
        _T.creationdate <= 1_800_000_000,
        _T.assigneduser.is_not(None),
        _T.customernum.startswith("C-10", autoescape=True),
        _T.locked == 0,
    )
    compiled = where.compile()
    return str(compiled), compiled.params


def main(job: Job) -> dict[str, list[float]]:
    """Measure the CPU seconds of ten conditions."""
    return cpu_seconds(
        {"SQLAlchemy": compile_sqlalchemy, "ours": compile_zeyos}, rounds=ROUNDS, repeat=REPEAT
    )
