"""Jobs: calls that take long, their numbers and their results."""

from __future__ import annotations

from typing import Any


async def _sub_folder(wire: Any) -> str:
    body = {"folder": {"title": "To be deleted", "module": "contacts"}}
    return str((await wire.put("folders", "new", body, folder_id="25")).data)


async def _delete(wire: Any, *keys: str) -> Any:
    return await wire.put("folders", "delete", list(keys), allow_enqueue="true")


async def test_short_calls_are_answered_without_a_job(wire: Any) -> None:
    """What is done in time is answered as ever."""
    answer = await _delete(wire, await _sub_folder(wire))
    assert (answer.status, answer.data) == (200, [])


async def test_a_job_from_beginning_to_end(wire: Any, emulator: Any) -> None:
    """202 with the job and a warning; then info, then the result, once."""
    emulator.server_options.job_seconds = 30
    key = await _sub_folder(wire)
    answer = await _delete(wire, key)
    assert (answer.status, answer.json["code"], answer.json["category"]) == (202, "JOB-0003", 13)
    job = answer.data["job"]
    about = {"id": job, "module": "folders", "action": "delete"}
    assert (await wire.get("jobs", "info", id=job)).data == {**about, "done": False}
    assert (await wire.get("jobs", "get", id=job)).status == 202
    assert (await wire.get("folders", "get", id=key)).data
    emulator.clock.offset += 31
    assert (await wire.get("jobs", "all")).data == [{**about, "done": True}]
    assert (await wire.get("jobs", "get", id=job)).data == []
    assert (await wire.get("folders", "get", id=key)).code == "FLD-0008"
    assert (await wire.get("jobs", "get", id=job)).code == "JOB-0002"


async def test_the_same_job_runs_once(wire: Any, emulator: Any) -> None:
    """Another is refused while it does."""
    emulator.server_options.job_seconds = 30
    key = await _sub_folder(wire)
    await _delete(wire, key)
    assert (await _delete(wire, key)).code == "JOB-0004"
    emulator.finish_jobs()
    assert (await wire.get("folders", "get", id=key)).code == "FLD-0008"


async def test_a_cancelled_job_is_never_done(wire: Any, emulator: Any, john: Any) -> None:
    """Only its owner can."""
    emulator.server_options.job_seconds = 30
    key = await _sub_folder(wire)
    job = (await _delete(wire, key)).data["job"]
    assert (await john.get("jobs", "cancel", id=job)).code == "JOB-0002"
    assert (await wire.get("jobs", "cancel", id=job)).data == {"success": True}
    emulator.clock.offset += 31
    assert (await wire.get("folders", "get", id=key)).data
