"""Tables and time stamps of the emulated server."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.testing.ox.state import OxUser, ServerState
from zeyos_async.testing.server import Clock


def _state() -> ServerState:
    return ServerState({3: OxUser(name="a", password="b")}, clock=Clock(), seed=0)


@given(st.lists(st.sampled_from(["insert", "change", "remove", "move"]), max_size=30))
def test_updates_bring_a_copy_up_to_date(steps: list[str]) -> None:
    """Whatever happens between two looks: what changed and what is gone make the folder as it is."""
    state = _state()
    table = state.table("x")
    copy: dict[str, int] = {}
    since = 0
    for place, step in enumerate(steps):
        rows = list(table)
        if step == "insert" or not rows:
            table.insert({"folder_id": "1"}, by=3)
        elif step == "change":
            table.change(rows[place % len(rows)], {"title": str(place)}, by=3)
        elif step == "move":
            table.change(rows[0], {"folder_id": "2" if rows[0]["folder_id"] == "1" else "1"}, by=3)
        else:
            table.remove(rows[-1])
        if place % 3 == 0:
            changed, tombstones = table.changes_since(since, "1")
            copy |= {row["id"]: row["last_modified"] for row in changed}
            copy = {
                key: stamp
                for key, stamp in copy.items()
                if key not in {tombstone.id for tombstone in tombstones}
            }
            since = state.next_stamp()
            assert copy == {row["id"]: row["last_modified"] for row in table.rows_in("1")}


def test_stamps_grow_even_if_the_clock_stands() -> None:
    """Or goes back."""
    state = _state()
    first = state.next_stamp()
    state.clock.offset = -3600
    assert state.next_stamp() == first + 1
    assert state.last_stamp >= first + 1
