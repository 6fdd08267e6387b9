"""Passes over tables whose server changes its laws while they are read.

What is promised (``docs/reliability.md``): every row once, though a server clamps pages by rows, cuts them by bytes,
or counts wrongly, any one of these; and each changes from request to request here. Bursts of 429 and lost answers come
on top. A pass that ends in an error has told the truth, too; one that ends without has each row once.
"""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

import attrs

from zeyos_async.errors import PageDriftWarning, ZeyosAsyncError
from zeyos_async.policy import Retry, Timeout
from zeyos_async.services.registry import find_api, load
from zeyos_async.session import Session
from zeyos_async.testing import emulate_general, emulate_octaved, emulate_ox, emulate_zeyos
from zeyos_async.testing.proxy import (
    FaultProxy,
    Passage,
    ProxyFault,
    answered,
    edited,
    late_status,
    one_more_answer,
    reset_before,
    reset_in_answer,
    truncated,
)

from .schedule import BASE, READ_TIMEOUT
from .wrong_answers import rows_of

__all__ = ["READERS", "PlayedPass", "Reader", "build_laws", "play_pass"]

ROWS: Final = 270
_PHASES: Final = 40
_FAULT_RATE: Final = 0.04
_FAULTS: Final[tuple[Callable[[], ProxyFault], ...]] = (
    reset_before,
    lambda: reset_in_answer(0.5),
    lambda: truncated("length"),
    lambda: truncated("chunked"),
    lambda: answered(503, retry_after=0),
    one_more_answer,
    late_status,
)


@attrs.frozen
class Laws:
    """What a server does to the pages of one pass, as a function of the seed.

    Attributes:
        kind: ``"cut"``, or ``"counts"`` where counts lie and pages are whole.
        phases: For each request the law that holds then, and its measure.
        bursts: The requests that are answered with 429.
        faults: Requests that have another fault.
    """

    kind: str
    phases: tuple[tuple[str, int], ...]
    bursts: frozenset[int]
    faults: Mapping[int, ProxyFault] = attrs.field(eq=False)

    def fault(self, passage: Passage, *, is_page: bool = True) -> ProxyFault | None:
        """Return what happens to a request; laws hold for pages alone."""
        number = passage.number
        if number in self.bursts:
            return answered(429, retry_after=0)
        if number in self.faults:
            return self.faults[number]
        law, measure = self.phases[number % len(self.phases)]
        return edited(lambda value: _LAWS[law](value, measure), name=law) if law and is_page else None


def _cut_rows(value: Any, rows: int) -> Any:
    listed = rows_of(value)
    if listed:
        del listed[max(1, rows) :]
        _recount(value, len(listed))
    return value


def _cut_bytes(value: Any, size: int) -> Any:
    listed, used, rows_that_fit = rows_of(value), 0, 0
    for row in listed or ():
        used += len(json.dumps(row))
        rows_that_fit += used <= size
    return _cut_rows(value, max(1, rows_that_fit))


def _recount(value: Any, rows: int) -> None:
    """Let the General API say how many rows the page has: a server that cuts says that, too."""
    data = value.get("data") if isinstance(value, dict) else None
    if isinstance(data, dict) and "count" in data:
        data["count"] = rows


def _lie(value: Any, difference: int) -> Any:
    """Change the count of all rows, where an answer has one."""
    data = value.get("data") if isinstance(value, dict) and "data" in value else value
    for key in ("count", "total"):
        if (
            isinstance(data, dict)
            and isinstance(data.get(key), int)
            and not ("total" in data and key == "count")
        ):
            data[key] = max(0, data[key] + difference)
    return value


_LAWS: Final[Mapping[str, Callable[[Any, int], Any]]] = {
    "clamped to rows": _cut_rows,
    "cut by bytes": _cut_bytes,
    "counts lie": _lie,
}


def build_laws(seed: int) -> Laws:
    """Return the laws of a seed."""
    draw = random.Random(f"laws {seed}")
    kind = draw.choice(["cut", "cut", "counts"])
    phases: list[tuple[str, int]] = []
    while len(phases) < _PHASES:
        phases += [_draw_law(draw, kind)] * draw.randint(1, 4)
    bursts: set[int] = set()
    for _ in range(draw.choice([0, 1, 2])):
        first = draw.randrange(20)
        bursts |= set(range(first, first + draw.randint(1, 5)))
    faults = {number: draw.choice(_FAULTS)() for number in range(200) if draw.random() < _FAULT_RATE}
    return Laws(kind, tuple(phases), frozenset(bursts), faults)


def _draw_law(draw: random.Random, kind: str) -> tuple[str, int]:
    if kind == "counts":
        lie = draw.choice([-ROWS, -draw.randrange(1, ROWS), -1, 0, 1, draw.randrange(1, ROWS), 10**6])
        return "counts lie", lie
    return draw.choice(
        [
            ("", 0),
            ("clamped to rows", draw.choice([7, 50, 99, 100, 101, 250])),
            ("clamped to rows", draw.randint(20, 300)),
            ("cut by bytes", draw.randint(4_000, 40_000)),
        ]
    )


@attrs.frozen(kw_only=True)
class Reader:
    """One API as a pass sees it.

    Attributes:
        api: The name of the API's row in the registry.
        emulate: Starts its emulator, with ``ROWS`` rows.
        read: Reads the IDs of all rows; the arguments are the client and what is drawn from.
        stored: Returns the IDs of all rows that the server has.
        is_page: Whether a request asks for a page of rows. Where an API has no pages, it asks for the rows of some
            IDs; that of all IDs is one answer, in which nothing tells that it was cut.
    """

    api: str
    emulate: Callable[[], Any]
    read: Callable[[Any, random.Random], Awaitable[list[Any]]]
    stored: Callable[[Any], Iterable[Any]]
    is_page: Callable[[Passage], bool] = lambda passage: True


@attrs.frozen
class PlayedPass:
    """A pass that was played.

    Attributes:
        seed: The seed.
        laws: What the server did.
        api: The API.
        result: ``"done"``, ``"refused"`` (an error said so) or ``"crashed"``.
        problems: Rows that are lost, doubled or foreign.
        error: The error.
        passages: The requests that reached the proxy.
    """

    seed: int
    laws: Laws
    api: str
    result: str
    problems: list[str]
    error: BaseException | None
    passages: list[Passage]


async def play_pass(seed: int, reader: Reader, emulator: Any) -> PlayedPass:
    """Read a table under the laws of a seed."""
    laws = build_laws(seed)
    draw = random.Random(f"pass {seed}")
    ids: list[Any] = []
    error: BaseException | None = None
    result = "done"
    retry = Retry(attempts=6, base=BASE, cap=4 * BASE, budget=100)

    def decide(passage: Passage) -> ProxyFault | None:
        return laws.fault(passage, is_page=reader.is_page(passage))

    async with (
        FaultProxy(emulator.url, decide) as proxy,
        Session(retry=retry, timeout=Timeout(total=20, connect=5, read=READ_TIMEOUT * 5)) as session,
    ):
        client = load(find_api(reader.api).client)(proxy.url, auth=emulator.auth(), session=session)
        try:
            ids = await reader.read(client, draw)
        except (ZeyosAsyncError, PageDriftWarning) as caught:
            result, error = "refused", caught
        except Exception as caught:  # noqa: BLE001  judged as a failure of the schedule
            result, error = "crashed", caught
    problems = [f"crashed: {error!r}"] if result == "crashed" else []
    if result == "done":
        problems = _compare(ids, list(reader.stored(emulator)))
    return PlayedPass(seed, laws, reader.api, result, problems, error, proxy.passages)


def _compare(ids: list[Any], stored: list[Any]) -> list[str]:
    problems = []
    if doubled := len(ids) - len(set(ids)):
        problems.append(f"{doubled} rows doubled")
    if lost := len(set(stored) - set(ids)):
        problems.append(f"{lost} rows lost")
    if foreign := len(set(ids) - set(stored)):
        problems.append(f"{foreign} rows that are not there")
    return problems


async def _read_zeyos(client: Any, draw: random.Random) -> list[Any]:
    by = draw.choice(["id", "id", "offset"])
    query = client.tickets.query()
    query = query.select("ID", "name") if draw.random() < 0.5 else query
    query = query.order_by("name") if by == "offset" and draw.random() < 0.5 else query
    paging = query.paging(
        size=draw.choice([100, 130, 250, 1000]),
        by=by,
        ahead=draw.choice([1, 2, 4]),
        on_drift="raise",
    )
    return [row["ID"] if isinstance(row, dict) else row.ID async for row in paging]


async def _read_general(client: Any, draw: random.Random) -> list[Any]:
    query = client.model("Order").query().select("intID", "strNumber")
    query = query.order_by("intID") if draw.random() < 0.5 else query
    paging = query.paging(size=draw.choice([100, 130, 250, 500]), ahead=draw.choice([1, 3]), on_drift="raise")
    return [int(row["intID"]) async for row in paging]


async def _read_octaved(client: Any, draw: random.Random) -> list[Any]:
    ids = await client.tasks.search_ids("~isArchived")
    if draw.random() < 0.5:
        return list(await client.tasks.get_many(ids))
    return [row.id async for page in client.tasks.source("~isArchived").read() for row in page]


async def _read_ox(client: Any, draw: random.Random) -> list[Any]:
    query = client.contacts.query(folder="25").select("id", "last_name")
    return [
        row["id"] async for row in query.paging(size=draw.choice([50, 100, 250]), ahead=draw.choice([1, 3]))
    ]


READERS: Final[Mapping[str, Reader]] = {
    reader.api: reader
    for reader in (
        Reader(
            api="zeyos",
            emulate=lambda: emulate_zeyos(rows={"tickets": ROWS}, seed=2),
            read=_read_zeyos,
            stored=lambda emulator: (
                number for (number,) in emulator.store.connection.execute('SELECT "ID" FROM tickets')
            ),
        ),
        Reader(
            api="general",
            emulate=lambda: emulate_general(rows={"Order": ROWS}, seed=2),
            read=_read_general,
            stored=lambda emulator: (row["intID"] for row in emulator.rows("Order")),
        ),
        Reader(
            api="octaved",
            emulate=lambda: emulate_octaved(rows={"tasks": ROWS}, seed=2),
            read=_read_octaved,
            stored=lambda emulator: (row["id"] for row in emulator.rows("tasks")),
            is_page=lambda passage: "ids%5B%5D=" in passage.target or "ids[]=" in passage.target,
        ),
        Reader(
            api="ox",
            emulate=lambda: emulate_ox(rows={"contacts": ROWS}, seed=2),
            read=_read_ox,
            stored=lambda emulator: (
                row["id"] for row in emulator.rows("contacts") if row["folder_id"] == "25"
            ),
            is_page=lambda passage: "action=list" in passage.target,
        ),
    )
}
