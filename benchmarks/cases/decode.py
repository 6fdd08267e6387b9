"""The case of decoding a page of 10,000 accounts, from its bytes to values."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson

from benchmarks.cases.timing import cpu_seconds
from benchmarks.contenders.models import attrs_account, pydantic_account
from benchmarks.job import ACCOUNT_FIELDS, PAGE, Job

ROUNDS = 9


def _fetch_page(job: Job) -> bytes:
    body = json.dumps({"fields": ACCOUNT_FIELDS, "sort": ["+ID"], "limit": PAGE}).encode()
    request = urllib.request.Request(job.accounts, body, job.headers, method="POST")
    with urllib.request.urlopen(request) as answer:
        return bytes(answer.read())


def _client_cases(page: bytes) -> dict[str, Callable[[], Any]]:
    from zeyos_async.codec import DictReader, RawReader
    from zeyos_async.services.base.row_types import RecordRows
    from zeyos_async.zeyos import Account

    entity = Account.__entity__
    fields = (*((field.attr, field.name) for field in entity), ("extdata", "extdata"))
    records = RecordRows(Account, fields).reader(entity, id_key="ID")
    dicts = DictReader({field.name: field.kind for field in entity}, id_key="ID")
    raw = RawReader("ID")
    return {
        "records": lambda: records.page(page),
        "dicts, typed values": lambda: dicts.page(page),
        "raw rows and IDs": lambda: raw.page(page),
    }


def _peer_cases(page: bytes) -> dict[str, Callable[[], Any]]:
    import cattrs
    import pydantic

    converter = cattrs.Converter()
    converter.register_structure_hook(datetime, lambda value, _: datetime.fromtimestamp(value, UTC))
    cls, model = attrs_account(), pydantic_account()
    adapter: Any = pydantic.TypeAdapter(list[model])  # type: ignore[valid-type]
    return {
        "pydantic v2": lambda: adapter.validate_json(page),
        "orjson and default cattrs": lambda: converter.structure(orjson.loads(page), list[cls]),  # type: ignore[valid-type]
        "json of the standard library": lambda: json.loads(page),
    }


def main(job: Job) -> dict[str, list[float]]:
    """Measure the CPU seconds of one page."""
    page = _fetch_page(job)
    return cpu_seconds(
        {"orjson.loads": lambda: orjson.loads(page), **_client_cases(page), **_peer_cases(page)},
        rounds=ROUNDS,
    )
