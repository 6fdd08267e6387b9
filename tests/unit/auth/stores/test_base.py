"""Token stores: one contract for all of them, and the text that they write."""

from __future__ import annotations

import asyncio
import json
import pickle
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.auth.stores.store_values import KEY, TOKENS, is_same
from zeyos_async.auth import Credential, FileStore, KeyringStore, MemoryStore
from zeyos_async.auth.stores.base import from_values, read_credential, replace_credential, to_values
from zeyos_async.errors import ConfigurationError
from zeyos_async.secrets import Secret


async def test_a_store_loads_what_was_saved(store):
    """By its key, and nobody else's; the last one counts; ``None`` removes it."""
    assert await store.load(KEY) is None
    await store.save(KEY, TOKENS)
    await store.save("another", Credential(secret="access-2"))
    assert is_same(await store.load(KEY), TOKENS)
    assert is_same(await store.load("another"), Credential(secret="access-2"))
    await store.save(KEY, Credential(secret="access-3"))
    assert is_same(await store.load(KEY), Credential(secret="access-3"))
    await store.save(KEY, None)
    await store.save(KEY, None)
    assert await store.load(KEY) is None
    assert await store.load("another") is not None


async def test_one_at_a_time_holds_a_lock(store):
    """Tasks wait for each other; other keys have other locks; a waiter may be cancelled."""
    holders = 0

    async def hold():
        nonlocal holders
        async with store.lock(KEY):
            holders += 1
            assert holders == 1
            async with store.lock("another"):
                await asyncio.sleep(0.002)
            holders -= 1

    tasks = [asyncio.create_task(hold()) for _ in range(10)]
    await asyncio.sleep(0.01)
    tasks[5].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(result, asyncio.CancelledError) for result in results) <= 1
    assert all(result is None or isinstance(result, asyncio.CancelledError) for result in results)
    async with asyncio.timeout(5), store.lock(KEY):
        pass


async def test_event_loops_in_threads_share_a_lock(store):
    """The lock belongs to no loop."""
    inside = threading.Semaphore(1)

    async def hold():
        for _ in range(5):
            async with store.lock(KEY):
                assert inside.acquire(blocking=False)
                await asyncio.sleep(0.001)
                inside.release()

    await asyncio.gather(*(asyncio.to_thread(asyncio.run, hold()) for _ in range(3)))


async def test_a_lock_is_given_back_after_an_error(store):
    """Whatever ends the block."""
    with pytest.raises(LookupError):
        async with store.lock(KEY):
            raise LookupError
    async with asyncio.timeout(5), store.lock(KEY):
        pass


def test_a_store_shows_nothing_that_is_in_it(store):
    """Nothing of what is in it."""
    asyncio.run(store.save(KEY, TOKENS))
    assert "access-1" not in repr(store)
    assert "refresh-1" not in repr(store)


def test_equal_places_are_equal_stores(tmp_path):
    """So that backends with them are equal, and share a log-in."""
    assert FileStore(tmp_path / "a") == FileStore(str(tmp_path / "a"))
    assert FileStore(tmp_path / "a") != FileStore(tmp_path / "b")
    assert KeyringStore("a") == KeyringStore("a")
    assert MemoryStore() != MemoryStore()
    assert pickle.loads(pickle.dumps(FileStore(tmp_path / "a"))) == FileStore(tmp_path / "a")


texts = st.text(st.characters(exclude_categories=["Cs"]))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3),
)


credentials = st.builds(
    Credential,
    secret=texts,
    refresh=st.none() | texts,
    expires_at=st.none() | st.floats(-1e11, 1e11),
    info=st.dictionaries(texts, json_values, max_size=3),
)


@given(st.dictionaries(texts, credentials, max_size=4))
def test_a_text_gives_back_every_credential(saved):
    """Written one after the other, each is read back whole."""
    text = None
    for key, credential in saved.items():
        text = replace_credential(text, key, credential, where="here")
    for key, credential in saved.items():
        assert is_same(read_credential(text, key, where="here"), credential)
    for key in saved:
        text = replace_credential(text, key, None, where="here")
    assert text is None or json.loads(text.reveal())["credentials"] == {}


@given(json_values | st.dictionaries(st.sampled_from(list(to_values(TOKENS))), json_values))
def test_json_values_that_are_no_credential(values):
    """Any JSON at all in its place is read, or refused, and never fails."""
    read = from_values(values)
    assert read is None or isinstance(read, Credential)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "damaged"),
        ("{", "damaged"),
        ("[]", "damaged"),
        ("{}", "damaged"),
        ('{"version": 1, "credentials": []}', "damaged"),
        (f'{{"version": 1, "credentials": {{"{KEY}": 5}}}}', "damaged"),
        (f'{{"version": 1, "credentials": {{"{KEY}": {{"secret": 5}}}}}}', "damaged"),
        ('{"version": 2, "credentials": {}}', "later version"),
    ],
)
def test_texts_that_are_no_stores(text, words):
    """They are neither overwritten nor taken for empty, and are not quoted."""
    with pytest.raises(ConfigurationError, match=words):
        read_credential(Secret(text), KEY, where="here")


async def test_info_that_is_not_json(store):
    """A store that writes texts says so; what it had stays."""
    if isinstance(store, MemoryStore):
        return
    await store.save(KEY, TOKENS)
    with pytest.raises(ConfigurationError, match="info="):
        await store.save(KEY, Credential(secret="x", info={"when": object()}))
    assert await store.load(KEY) == TOKENS
