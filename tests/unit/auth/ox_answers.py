"""What a server of Open-Xchange answers to log-ins, and how a flow is played without one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from multidict import CIMultiDict
from yarl import URL

from zeyos_async.auth import AuthBackend, AuthContext, Credential
from zeyos_async.wire import Request, Response

BASE = URL("https://ox.example.com/ajax")
CONTEXT = AuthContext(base_url=BASE)
SESSION = "5e55104f0a11"
SECRET_COOKIE = "open-xchange-secret-hash=s3cr3tc00k1e; Path=/; Secure; HttpOnly"
OPENED = {"session": SESSION, "user": "jane", "user_id": 4, "context_id": 1, "locale": "de_DE"}


def answer(value: Any, *, cookies: Iterable[str] = (), status: int = 200, **headers: str) -> Response:
    """An answer with a JSON body, or with the bytes as they are."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    named = [*headers.items(), *(("Set-Cookie", line) for line in cookies)]
    return Response(status=status, body=body, headers=CIMultiDict(named), url=BASE)


def error(code: str, text: str = "No.", *, category: int = 1, status: int = 200, **more: Any) -> Response:
    """An envelope with an error, which comes with status 200."""
    return answer({"error": text, "code": code, "category": category, **more}, status=status)


def redirect(fragment: str, *cookies: str) -> Response:
    """A redirect to the web page, with the session behind the hash."""
    return answer(b"", cookies=cookies, status=302, Location=f"/appsuite/ui#{fragment}")


def play(
    backend: AuthBackend, *steps: Any, rejected: Credential | None = None
) -> tuple[list[Request], Credential]:
    """Run a log-in over these answers: what it asked, and the credential that it ends with."""
    flow = backend.obtain(CONTEXT, rejected)
    if isinstance(flow, Credential):
        return [], flow
    asked: list[Request] = []
    left = list(steps)
    value: Any = None
    try:
        while True:
            item = flow.send(value)
            if isinstance(item, Request):
                asked.append(item)
                value = left.pop(0)
            else:
                value = finished(item)
    except StopIteration as stop:
        assert not left, f"the log-in asked for less than it was to be answered: {left}"
        return asked, stop.value


def finished(work: Any) -> Any:
    """The result of a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("the coroutine waits for something")
