"""Faults on purpose: what can go wrong between a client and a server, chosen by a seeded plan.

Three things are kept apart, so that a failure that a fault causes can be run again:

- A ``Fault`` is a value that describes one thing that goes wrong; the functions here make the usual ones. Its parts
  are independent, and can be combined: whether the API acts (``act``), what is answered in its place (``answer``),
  where the connection ends (``cut``), and how the bytes are framed, encoded and spread over time.
- A ``FaultPlan`` decides which request gets which fault. Rules come first, in the order in which they were added; the
  first that chooses a request has it, and the later ones count it all the same, so that adding a rule does not shift
  the requests that another one chooses. Chance is drawn from the seed and the request's place, never from a shared
  generator: the same requests get the same faults, whatever was drawn for others.
- The server (``server.py``) carries a fault out. The emulated API knows nothing of it, apart from ``option_changes``.

"Acted and never answered" and "never acted" look alike to a client and differ in the store; that is why ``act`` is a
part of its own.

    emulator.faults.add(rate_limited(2), path="*/accounts", at=[0, 1])
    emulator.faults.add(reset("within"), probability=0.05)
    emulator.faults.use(random_schedule(seed=7, rate=0.2, faults=[server_error(503), latency(0.05)]))
"""

from __future__ import annotations

import fnmatch
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal

import attrs

from .answers import Answer, ReceivedRequest, make_text_answer

__all__ = [
    "Fault",
    "FaultPlan",
    "Rule",
    "behave",
    "clock",
    "close_after",
    "commit_then_drop",
    "drip",
    "html_page",
    "late_401",
    "latency",
    "random_schedule",
    "rate_limited",
    "redirect",
    "reset",
    "respond",
    "server_error",
    "truncate",
]

Cut = Literal["", "before", "within", "after"]
Framing = Literal["", "length", "chunked", "close"]
Encoding = Literal["", "identity", "gzip", "deflate"]


@attrs.frozen(kw_only=True)
class Fault:
    """One thing that goes wrong with one request.

    Attributes:
        name: What the journal calls it.
        delay: Seconds to wait before anything is done.
        act: Whether the API carries the request out, whatever is answered.
        answer: What is answered in place of the API's own answer.
        cut: Where the connection ends: before the answer, within its body, or after it.
        reset: Whether it ends with a reset; otherwise with an orderly close.
        at: For a cut within, the part of the encoded body that is still sent (0 to 1).
        framing: How the body's end is told; ``""`` leaves it to the server.
        encoding: The content encoding, whatever the client asked for; ``""`` leaves it to the server.
        drip: Bytes at a time and seconds between them, for a slow body.
        date_offset: Seconds by which the ``Date`` header of the answer is wrong.
        option_changes: Changes to the API's behaviour for this request.
    """

    name: str
    delay: float = 0.0
    act: bool = True
    answer: Answer | None = None
    cut: Cut = ""
    reset: bool = True
    at: float = 0.5
    framing: Framing = ""
    encoding: Encoding = ""
    drip: tuple[int, float] | None = None
    date_offset: float = 0.0
    option_changes: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def is_raw(self) -> bool:
        """Whether the answer has to be written byte by byte, past the HTTP server."""
        return bool(self.cut or self.framing or self.encoding or self.drip)


def latency(seconds: float) -> Fault:
    """Make a right answer come late."""
    return Fault(name="latency", delay=seconds)


def rate_limited(seconds: int | None = 1, *, form: Literal["seconds", "date"] = "seconds") -> Fault:
    """Answer 429, with ``Retry-After`` in seconds or as a date, or without one."""
    headers = {} if seconds is None else {"Retry-After": f"{form}:{seconds}"}
    answer = make_text_answer(429, "Too Many Requests: Rate limit exceeded", headers)
    return Fault(name="rate_limited", act=False, answer=answer)


def server_error(status: int = 503, *, act: bool = False, retry_after: int | None = None) -> Fault:
    """Answer a 5xx in plain text; with ``act`` the request is carried out all the same."""
    headers = {} if retry_after is None else {"Retry-After": f"seconds:{retry_after}"}
    answer = make_text_answer(status, "I am afraid that did not work", headers)
    return Fault(name=f"server_error_{status}", act=act, answer=answer)


def html_page(status: int = 502) -> Fault:
    """Answer with a proxy's error page in HTML; status 200 is a sign-in page where JSON was due."""
    page = f"<!DOCTYPE html><html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
    answer = Answer(status=status, headers={"Content-Type": "text/html; charset=utf-8"}, body=page.encode())
    return Fault(name=f"html_page_{status}", act=False, answer=answer)


def respond(
    status: int, text: str = "", *, headers: Mapping[str, str] | None = None, act: bool = False
) -> Fault:
    """Answer with any status and text, in plain text unless ``headers`` say otherwise."""
    return Fault(name=f"respond_{status}", act=act, answer=make_text_answer(status, text, headers))


def redirect(location: str, *, status: int = 307) -> Fault:
    """Answer with a redirect, to this server or to another."""
    answer = Answer(status=status, headers={"Location": location})
    return Fault(name=f"redirect_{status}", act=False, answer=answer)


def late_401(seconds: float = 0.0) -> Fault:
    """Answer 401 to a good credential, after a while."""
    headers = {"WWW-Authenticate": 'Bearer realm="demo" error="invalid_token"'}
    answer = make_text_answer(401, "Unauthorized: Invalid token for bearer authentication", headers)
    return Fault(name="late_401", act=False, answer=answer, delay=seconds)


def reset(where: Literal["before", "within", "after"] = "before", *, act: bool | None = None) -> Fault:
    """Reset the connection; before the answer the request is not carried out unless ``act`` says so."""
    return Fault(name=f"reset_{where}", cut=where, act=where != "before" if act is None else act)


def commit_then_drop() -> Fault:
    """Carry the request out, and end the connection without an answer."""
    return Fault(name="commit_then_drop", cut="before", reset=False)


def close_after() -> Fault:
    """Give a whole answer, and close the connection right after it, without having announced that."""
    return Fault(name="close_after", cut="after", reset=False)


def truncate(
    *,
    framing: Literal["length", "chunked", "close"] = "length",
    encoding: Literal["identity", "gzip", "deflate"] = "identity",
    at: float = 0.5,
) -> Fault:
    """End the body early by an orderly close; ``at`` is the part of it that is sent."""
    name = f"truncate_{framing}_{encoding}"
    return Fault(name=name, cut="within", reset=False, at=at, framing=framing, encoding=encoding)


def drip(size: int = 64, seconds: float = 0.01) -> Fault:
    """Send a right answer in small pieces."""
    return Fault(name="drip", drip=(size, seconds))


def clock(seconds: float) -> Fault:
    """Give a right answer with a wrong ``Date``."""
    return Fault(name="clock", date_offset=seconds)


def behave(**option_changes: Any) -> Fault:
    """Change server options for this request alone (see the emulator's ``server_options``)."""
    return Fault(name="behave_" + "_".join(sorted(option_changes)), option_changes=option_changes)


@attrs.frozen(kw_only=True)
class Rule:
    """A fault, and the choice of the requests that get it.

    Attributes:
        fault: What to do.
        method: Only requests of this HTTP method.
        path: Only requests whose path matches this shell pattern.
        at: Which of those requests, from 0; ``None`` is any of them.
        every: Every n-th of those requests.
        times: How often at the most.
        probability: The chance of each, drawn from ``seed`` and the request's place.
        seed: For ``probability``.
    """

    fault: Fault
    method: str = ""
    path: str = "*"
    at: frozenset[int] | None = None
    every: int = 1
    times: int | None = None
    probability: float = 1.0
    seed: int = 0

    def applies_to(self, request: ReceivedRequest) -> bool:
        """Return whether the request is one that this rule counts."""
        return self.method in ("", request.method) and fnmatch.fnmatchcase(request.path, self.path)

    def chooses(self, place: int, faults_so_far: int) -> bool:
        """Return whether the ``place``-th counted request gets the fault, after ``faults_so_far`` others did."""
        if self.times is not None and faults_so_far >= self.times:
            return False
        if self.at is not None and place not in self.at:
            return False
        if (place + 1) % self.every:
            return False
        return self.probability >= 1 or _draw_chance(self.seed, place) < self.probability


def _draw_chance(seed: int, place: int) -> float:
    return random.Random(f"{seed}:{place}").random()


Decision = Callable[[int, ReceivedRequest], Fault | None]


class FaultPlan:
    """The faults of an emulator; empty at the start, which means that nothing goes wrong.

    Attributes:
        made: Number of the request and name of the fault, for each that was chosen.
    """

    def __init__(self, seed: int = 0) -> None:
        self.made: list[tuple[int, str]] = []
        self._seed = seed
        self._rules: list[Rule] = []
        self._counters: list[list[int]] = []
        self._decision: Decision | None = None

    def add(
        self,
        fault: Fault,
        *,
        method: str = "",
        path: str = "*",
        at: int | Collection[int] | None = None,
        every: int = 1,
        times: int | None = None,
        probability: float = 1.0,
    ) -> Rule:
        """Make ``fault`` for some of the requests; the first rule that chooses a request has it.

        The arguments are those of ``Rule``; ``at`` takes one number too.
        """
        places = None if at is None else frozenset((at,) if isinstance(at, int) else at)
        rule = Rule(
            fault=fault,
            method=method.upper(),
            path=path,
            at=places,
            every=every,
            times=times,
            probability=probability,
            seed=self._seed + len(self._rules),
        )
        self._rules.append(rule)
        self._counters.append([0, 0])
        return rule

    def use(self, decision: Decision) -> None:
        """Let a function of request number and request decide, where no rule does."""
        self._decision = decision

    def clear(self) -> None:
        """Remove every rule and the decision, so that nothing goes wrong from now on."""
        self._rules.clear()
        self._counters.clear()
        self._decision = None
        self.made.clear()

    def decide(self, request: ReceivedRequest) -> Fault | None:
        """Return the fault for a request; the server calls it once for each."""
        fault = self._decide_by_rules(request)
        if fault is None and self._decision is not None:
            fault = self._decision(request.number, request)
        if fault is not None:
            self.made.append((request.number, fault.name))
        return fault

    def _decide_by_rules(self, request: ReceivedRequest) -> Fault | None:
        chosen: Fault | None = None
        for rule, counter in zip(self._rules, self._counters, strict=True):
            if not rule.applies_to(request):
                continue
            # Later rules go on counting a request that has its fault, so that rules don't shift each other.
            if chosen is None and rule.chooses(counter[0], counter[1]):
                chosen = rule.fault
                counter[1] += 1
            counter[0] += 1
        return chosen


def random_schedule(*, seed: int, rate: float, faults: Sequence[Fault], path: str = "*") -> Decision:
    """Return a pure decision that gives a part ``rate`` of the requests one of ``faults``.

    The same seed gives the same faults to the same request numbers, so that a failure can be run again.
    """

    def decide(number: int, request: ReceivedRequest) -> Fault | None:
        draw = random.Random(f"{seed}:{number}")
        if not fnmatch.fnmatchcase(request.path, path) or draw.random() >= rate:
            return None
        return draw.choice(faults)

    return decide
