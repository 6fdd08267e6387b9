"""What sends nothing: a caller that hands each call back, for tests of what would be sent."""

from __future__ import annotations

from typing import Any

import attrs

from zeyos_async.services.ox._generated import make_module
from zeyos_async.services.ox.answers import Envelope
from zeyos_async.services.ox.operation import Later
from zeyos_async.services.ox.spec import JsonBody, PreparedCall


@attrs.define
class Recorder:
    """A caller without a server: calls are kept, and answered with one envelope."""

    envelope: Envelope = attrs.field(factory=lambda: Envelope(None))
    calls: list[PreparedCall[Any]] = attrs.field(factory=list)

    async def call(self, prepared: PreparedCall[Any], /) -> Any:
        """Keep the call, and read the envelope as its answer."""
        self.calls.append(prepared)
        return prepared.finish(self.envelope)

    def download(self, prepared: PreparedCall[Any], /) -> Any:
        """The call itself."""
        return prepared

    def module(self, name: str, /) -> Any:
        """A new module each time."""
        return make_module(name, self)


def module(name: str) -> Any:
    """A module whose calls go nowhere."""
    return make_module(name, Recorder())


def query(later: Later[Any]) -> dict[str, str]:
    """The parameters of a call, each once, without the action and the zone."""
    pairs = later.prepared.query
    assert len(dict(pairs)) == len(pairs)
    return {name: value for name, value in pairs if name not in ("action", "timezone")}


def body(later: Later[Any]) -> Any:
    """The JSON of a call."""
    assert isinstance(later.prepared.body, JsonBody)
    return later.prepared.body.value


def read(later: Later[Any], data: Any, timestamp: int | None = None) -> Any:
    """What a call returns for an answer with this data."""
    return later.prepared.finish(Envelope(data, timestamp)).data
