"""Open-Xchange's sessions that exist already: resumed by cookies, or used as they are."""

from __future__ import annotations

import pytest

from tests.unit.auth.ox.ox_answers import (
    OPENED,
    SESSION,
    answer,
    error,
    play,
    within_session,
)
from zeyos_async.auth import (
    OxAutologin,
    OxSession,
)
from zeyos_async.errors import (
    NotAuthenticated,
)


def test_autologin() -> None:
    """The cookies, the client's name and the User-Agent are those of the log-in that stays."""
    backend = OxAutologin({"open-xchange-session-h": "a", "open-xchange-secret-h": "b"}, client="web")
    (request,), credential = play(backend, answer(OPENED, cookies=["open-xchange-secret-h=c"]))
    assert request.method == "GET"
    assert request.url.query["client"] == "web"
    assert "session" not in request.url.query
    assert request.headers["Cookie"] == "open-xchange-session-h=a; open-xchange-secret-h=b"
    assert (
        within_session(backend, credential).headers["Cookie"]
        == "open-xchange-session-h=a; open-xchange-secret-h=c"
    )
    (again,), _ = play(backend, answer(OPENED), rejected=credential)
    assert again.headers["Cookie"] == "open-xchange-session-h=a; open-xchange-secret-h=c"
    with pytest.raises(NotAuthenticated, match="stays signed in"):
        play(backend, error("SVL-0003", "Missing cookie"))


def test_a_session_from_elsewhere() -> None:
    """It is used as it is; when it is lost there is no other."""
    backend = OxSession(SESSION, {"open-xchange-secret-h": "b"}, user_agent="Mozilla/5.0")
    _, credential = play(backend)
    call = within_session(backend, credential)
    assert (call.url.query["session"], call.headers["Cookie"]) == (SESSION, "open-xchange-secret-h=b")
    assert call.headers["User-Agent"] == "Mozilla/5.0"
    assert play(backend, rejected=credential) == ([], credential)
