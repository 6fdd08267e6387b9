"""The journal of an emulator: requests, connections, log-ins, the greatest concurrency.

Credentials are replaced by a short fingerprint, so that a test can tell one from another and a
printed journal gives nothing away.
"""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs
from multidict import CIMultiDict, CIMultiDictProxy

from .answers import ReceivedRequest

__all__ = ["Entry", "Journal", "fingerprint"]

_SECRET_HEADERS: Final = ("Authorization", "Cookie", "Proxy-Authorization")
_SECRET_PATHS: Final = ("/auth/", "/oauth2/", "/login")
# A soak sends millions of requests, whose bodies would fill the memory.
_MAX_ENTRIES: Final = 200_000


def fingerprint(secret: str) -> str:
    """Return a short name for a credential that does not give it away."""
    return f"<{hashlib.sha256(secret.encode()).hexdigest()[:12]}>"


@attrs.define
class Entry:
    """One request and what became of it.

    Attributes:
        request: What arrived; credentials are fingerprints, and bodies of log-ins are left out.
        status: The status that was answered, or ``None`` while (or because) there is no answer.
        fault: The name of the fault that was made, or ``""``.
    """

    request: ReceivedRequest
    status: int | None = None
    fault: str = ""

    @property
    def method(self) -> str:
        """HTTP method."""
        return self.request.method

    @property
    def path(self) -> str:
        """The path, percent-decoded."""
        return self.request.path

    @property
    def query(self) -> str:
        """The query string as it came."""
        return self.request.query

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """The request's headers."""
        return self.request.headers

    @property
    def body(self) -> bytes:
        """The request's body."""
        return self.request.body

    @property
    def json(self) -> Any:
        """The request's body read as JSON."""
        return self.request.json


class Journal:
    """The record of what arrived since the start or the last ``reset()``.

    Args:
        secret_headers: Names of headers that hold a credential, besides HTTP's own.
        conceal: Gives the body without its credentials, for an API that has them there.

    Attributes:
        requests: The last 200,000 requests, in the order in which they arrived.
        connections: How many connections were opened.
        open_requests: How many requests are being answered now.
        greatest_concurrency: The most requests that were being answered at one time.
        counts: Events that the API counted, such as ``"login"``, ``"logout"``, ``"refresh"``.
    """

    def __init__(
        self, *, secret_headers: Sequence[str] = (), conceal: Callable[[ReceivedRequest], bytes] | None = None
    ) -> None:
        self._secret_headers = (*_SECRET_HEADERS, *secret_headers)
        self._conceal = conceal or _drop_log_in_body
        self.requests: deque[Entry] = deque(maxlen=_MAX_ENTRIES)
        self.connections = 0
        self.open_requests = 0
        self.greatest_concurrency = 0
        self.counts: Counter[str] = Counter()
        self._next = 0

    def __repr__(self) -> str:
        return (
            f"<Journal {self._next} requests, {self.connections} connections, "
            f"greatest concurrency {self.greatest_concurrency}, {self.logins} logins>"
        )

    @property
    def logins(self) -> int:
        """The number of log-ins that succeeded."""
        return self.counts["login"]

    def reset(self) -> None:
        """Forget everything but the requests that are still being answered."""
        self.requests.clear()
        self.counts.clear()
        self.connections = 0
        # Requests that are being answered end after the reset, so they go on counting.
        self.greatest_concurrency = self.open_requests
        self._next = 0

    def next_number(self) -> int:
        """Return the number of the next request."""
        self._next += 1
        return self._next - 1

    def begin_request(self, request: ReceivedRequest) -> Entry:
        """Note a request; ``end_request`` must follow."""
        entry = Entry(self._conceal_secrets(request))
        self.requests.append(entry)
        self.open_requests += 1
        self.greatest_concurrency = max(self.greatest_concurrency, self.open_requests)
        return entry

    def end_request(self) -> None:
        """Note that a request is not being answered any more."""
        self.open_requests -= 1

    def _conceal_secrets(self, request: ReceivedRequest) -> ReceivedRequest:
        headers = CIMultiDict(request.headers)
        for name in self._secret_headers:
            if name in headers:
                scheme, _, rest = headers[name].partition(" ")
                headers[name] = f"{scheme} {fingerprint(rest)}" if rest else fingerprint(scheme)
        return attrs.evolve(request, headers=CIMultiDictProxy(headers), body=self._conceal(request))


def _drop_log_in_body(request: ReceivedRequest) -> bytes:
    return b"" if any(part in request.path for part in _SECRET_PATHS) else request.body
