"""Which requests get a fault: pure decisions of numbers and requests."""

from __future__ import annotations

from typing import Any

import pytest

from zeyos_async.testing.answers import ReceivedRequest
from zeyos_async.testing.faults import Fault, FaultPlan, latency, random_schedule, reset, server_error


def requests(count: int, path: str = "/demo/api/v1/accounts", method: str = "POST") -> list[ReceivedRequest]:
    return [ReceivedRequest(number=number, method=method, path=path) for number in range(count)]


def chosen(plan: FaultPlan, incoming: list[ReceivedRequest]) -> list[int]:
    """The numbers of the requests that got a fault."""
    return [item.number for item in incoming if plan.decide(item) is not None]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, list(range(10))),
        ({"at": 3}, [3]),
        ({"at": [0, 9, 12]}, [0, 9]),
        ({"every": 4}, [3, 7]),
        ({"times": 2}, [0, 1]),
        ({"every": 3, "times": 1}, [2]),
        ({"method": "put"}, []),
        ({"path": "*/accounts"}, list(range(10))),
        ({"path": "*/contacts"}, []),
        ({"probability": 0.0}, []),
    ],
    ids=str,
)
def test_rules_choose_their_requests(options: dict[str, Any], expected: list[int]) -> None:
    """By place, by interval, at most so often, by method and path."""
    plan = FaultPlan()
    plan.add(latency(1), **options)
    assert chosen(plan, requests(10)) == expected


def test_a_rule_counts_only_what_it_looks_at() -> None:
    """The second PUT, whatever comes between."""
    plan = FaultPlan()
    plan.add(reset(), method="PUT", at=1)
    mixed = [
        ReceivedRequest(number=n, method=m, path="/")
        for n, m in enumerate(["POST", "PUT", "POST", "PUT", "PUT"])
    ]
    assert chosen(plan, mixed) == [3]


def test_the_first_rule_that_chooses_has_it() -> None:
    """And the plan tells what was made."""
    plan = FaultPlan()
    plan.add(server_error(500), at=1)
    plan.add(latency(1))
    assert [plan.decide(item).name for item in requests(3)] == ["latency", "server_error_500", "latency"]  # type: ignore[union-attr]
    assert plan.made == [(0, "latency"), (1, "server_error_500"), (2, "latency")]
    plan.clear()
    assert chosen(plan, requests(3)) == []


def test_chance_is_a_function_of_the_seed() -> None:
    """The same seed makes the same faults, about as many as asked for."""

    def run(seed: int) -> list[int]:
        plan = FaultPlan(seed)
        plan.add(latency(1), probability=0.3)
        return chosen(plan, requests(1000))

    assert run(1) == run(1) != run(2)
    assert 200 < len(run(1)) < 400


def test_a_random_schedule_is_a_function_of_its_seed() -> None:
    """A pure function of seed and number: it can be asked in any order, any number of times."""
    faults: list[Fault] = [latency(1), reset(), server_error()]
    decide = random_schedule(seed=9, rate=0.5, faults=faults, path="*/accounts")
    incoming = requests(200)
    forward = [decide(item.number, item) for item in incoming]
    backward = [decide(item.number, item) for item in reversed(incoming)]
    assert forward == backward[::-1]
    assert {fault.name for fault in forward if fault} == {fault.name for fault in faults}
    assert all(decide(item.number, item) is None for item in requests(50, path="/demo/auth/v1/login"))
    plan = FaultPlan()
    plan.use(decide)
    assert chosen(plan, incoming) == [
        item.number for item, fault in zip(incoming, forward, strict=True) if fault
    ]
