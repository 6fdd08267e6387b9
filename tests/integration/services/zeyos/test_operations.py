"""Every operation of the API, called by the client against the emulator over a real socket."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from zeyos_async.errors import Gone, NotFound
from zeyos_async.schema import Entity, Field, Kind
from zeyos_async.services.zeyos._generated import ENTITIES, entity
from zeyos_async.services.zeyos.client import Zeyos
from zeyos_async.services.zeyos.readable import ReadableResource
from zeyos_async.services.zeyos.writable import WritableResource
from zeyos_async.testing import emulate_zeyos

from .operations_table import OPERATIONS, Operation

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXTRA: dict[str, dict[str, Any]] = {
    # What CHECK constraints and unique keys ask for beyond not-null; "new:x" is a new record of x.
    "accounts": {"lastname": "Made by a test"},
    "components": {"component": "new:items"},
    "contacts": {"lastname": "Made by a test"},
    "coupons": {"code": "TEST-1"},
    "devices": {"serialnum": "SN-1"},
    "entities2channels": {"channel": "new:channels", "index": "new:accounts"},
    "files": {"comment": "new:comments", "filename": "a.txt", "mimetype": "text/plain", "binfile": b"hello"},
    "follows": {"index": "new:accounts"},
    "likes": {"record": "new:records"},
    "messagereads": {"message": "new:messages"},
    "participants": {"campaign": "new:campaigns"},
    "relateditems": {"relateditem": "new:items"},
}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def emulator() -> AsyncIterator[Any]:
    """One emulator with a few rows of every entity."""
    async with emulate_zeyos(seed=3) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def zeyos(emulator: Any) -> AsyncIterator[Zeyos]:
    """A client logged in as the administrator."""
    async with Zeyos(emulator.url, auth=emulator.auth()) as client:
        yield client


async def _value(zeyos: Zeyos, field: Field) -> Any:
    """A value that a field takes."""
    if field.target:
        row = await zeyos.resource(field.target).query().order_by("-ID").first()
        return row.ID if row is not None else 1
    if field.kind is Kind.TIME:
        return datetime(2026, 5, 1, 12, tzinfo=UTC)
    if field.kind is Kind.TEXT:
        samples = ("EUR", "DE", "https://example.org/x", "test-1", "a@example.org", "text/plain", "accounts")
        return next(s for s in samples if field.pattern is None or re.search(field.pattern, s))
    return 1


async def _fields(zeyos: Zeyos, table: Entity) -> dict[str, Any]:
    values = {field.attr: await _value(zeyos, field) for field in table if field.required}
    for name in ("entity", "entity1", "entity2"):
        if name in values:
            values[name] = "accounts"
    for name, value in EXTRA.get(table.name, {}).items():
        values[name] = value
        if isinstance(value, str) and value.startswith("new:"):
            other = zeyos.resource(value[4:])
            assert isinstance(other, WritableResource)
            values[name] = (await other.create(**await _fields(zeyos, other.entity))).ID
    return values


@pytest.mark.parametrize("name", sorted(ENTITIES))
async def test_an_entity_offers_what_the_documents_say(zeyos: Zeyos, name: str) -> None:
    """List, count, get, exists, create, update and delete, as far as the entity has them."""
    resource: ReadableResource[Any] = zeyos.resource(name)
    table = entity(name)
    rows = await resource.query().limit(5).all()
    assert all(isinstance(row, resource.record) for row in rows)
    assert await resource.query().count() >= len(rows)
    if rows and "get" in table.operations:
        record = await resource.get(rows[0].ID, extdata=table.extdata, tags=table.tags)
        assert record.ID == rows[0].ID
        assert await resource.exists(record.ID)
    assert "exists" not in table.operations or not await resource.exists(2**31 - 1)
    if isinstance(resource, WritableResource):
        await _write(zeyos, resource, table)
    else:
        assert not hasattr(resource, "create")
        assert table.operations <= {"list", "get", "exists"}


async def _write(zeyos: Zeyos, resource: WritableResource[Any], table: Entity) -> None:
    created = await resource.create(**await _fields(zeyos, table))
    assert created.ID is not None
    etag = getattr(created, created.__etag__)
    assert etag
    change = next(
        f for f in table if f.name not in ("ID", "creationdate", "lastmodified") and not f.read_only
    )
    value = getattr(created, change.attr)
    updated = await resource.update(created, **{change.attr: value})
    assert updated.ID == created.ID
    await resource.delete(updated)
    with pytest.raises((NotFound, Gone)):
        await resource.get(created.ID)


async def test_config_and_settings_answer_objects(zeyos: Zeyos) -> None:
    """The two calls that belong to no entity."""
    assert isinstance(await zeyos.config(), dict)
    assert isinstance(await zeyos.settings(), dict)


async def test_no_operation_of_the_documents_was_left_out(emulator: Any, zeyos: Zeyos) -> None:
    """The journal of all that was called holds every operation of both documents."""
    called = {(entry.method, _template(entry.path)) for entry in emulator.journal.requests}
    missing = [op.id for op in OPERATIONS if (op.method, op.path) not in called]
    assert missing == []
    assert len(OPERATIONS) >= 350


def _template(path: str) -> str:
    return re.sub(r"/\d+$", "/{ID}", path.split("/api/v1", 1)[-1].rstrip("/"))


async def test_the_table_has_each_operation_once() -> None:
    """No two rows of the table are the same operation."""
    keys = [(op.method, op.path) for op in OPERATIONS if isinstance(op, Operation)]
    assert len(set(keys)) == len(keys)
