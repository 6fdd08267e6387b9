"""Answers of an Open-Xchange server to log-ins, and a player of flows that needs no server."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

from multidict import CIMultiDict
from yarl import URL

from zeyos_async.auth import AuthBackend, AuthContext, Credential, OxLogin
from zeyos_async.wire import Request, Response

BASE = URL("https://ox.example.com/ajax")
CONTEXT = AuthContext(base_url=BASE)
SESSION = "5e55104f0a11"
SECRET_COOKIE = "open-xchange-secret-hash=s3cr3tc00k1e; Path=/; Secure; HttpOnly"
LOGIN = OxLogin("jane", "swordfish")
CALL = Request(
    method="GET", url=URL("https://ox.example.com/ajax/contacts?action=get&id=a%2Bb&folder=1&folder=2")
)
OPENED = {"session": SESSION, "user": "jane", "user_id": 4, "context_id": 1, "locale": "de_DE"}


def answer(value: Any, *, cookies: Iterable[str] = (), status: int = 200, **headers: str) -> Response:
    """Return an answer with a JSON body, or with the bytes as they are."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    pairs = [*headers.items(), *(("Set-Cookie", line) for line in cookies)]
    return Response(status=status, body=body, headers=CIMultiDict(pairs), url=BASE)


def error(code: str, text: str = "No.", *, category: int = 1, status: int = 200, **more: Any) -> Response:
    """Return an envelope with an error, which comes with status 200."""
    return answer({"error": text, "code": code, "category": category, **more}, status=status)


def redirect(fragment: str, *cookies: str) -> Response:
    """Return a redirect to the web page, with the session behind the hash."""
    return answer(b"", cookies=cookies, status=302, Location=f"/appsuite/ui#{fragment}")


def play(
    backend: AuthBackend, *steps: Any, rejected: Credential | None = None
) -> tuple[list[Request], Credential]:
    """Run a log-in over these answers, and return its requests and the credential that it ends with."""
    flow = backend.obtain(CONTEXT, rejected)
    if isinstance(flow, Credential):
        return [], flow
    requests: list[Request] = []
    answers = list(steps)
    value: Any = None
    try:
        while True:
            item = flow.send(value)
            if isinstance(item, Request):
                requests.append(item)
                value = answers.pop(0)
            else:
                value = run_to_end(item)
    except StopIteration as stop:
        assert not answers, f"the log-in sent fewer requests than there are answers: {answers}"
        return requests, stop.value


def run_to_end(coroutine: Any) -> Any:
    """Return the result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("the coroutine waits for something")


def form_fields(request: Request) -> dict[str, str]:
    """Return the fields of the form that a request posts."""
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    return {name: values[0] for name, values in parse_qs((request.content or b"").decode()).items()}


def within_session(backend: AuthBackend, credential: Credential, request: Request = CALL) -> Request:
    """Return the request as it is sent within the session of a credential."""
    return backend.apply(request, credential)
