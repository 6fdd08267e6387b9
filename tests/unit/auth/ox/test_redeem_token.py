"""Open-Xchange's log-in with a token that another program acquired."""

from __future__ import annotations

import pytest

from tests.unit.auth.ox.ox_answers import (
    LOGIN,
    OPENED,
    SECRET_COOKIE,
    SESSION,
    answer,
    form_fields,
    play,
    within_session,
)
from zeyos_async.auth import (
    OxRedeemToken,
)
from zeyos_async.secrets import Secret


async def _fetch_token() -> str:
    return "t0k3n"


@pytest.mark.parametrize("token", ["t0k3n", Secret("t0k3n"), lambda: "t0k3n", _fetch_token])
def test_redeem_a_token(token: object) -> None:
    """A token that another program acquired, and the secret of this application."""
    backend = OxRedeemToken(token, "app-secret", client="our-app")  # type: ignore[arg-type]
    (request,), credential = play(backend, answer(OPENED, cookies=[SECRET_COOKIE]))
    assert request.url.query["action"] == "redeemToken"
    assert "authId" in request.url.query
    assert form_fields(request) == {"token": "t0k3n", "client": "our-app", "secret": "app-secret"}
    assert within_session(LOGIN, credential).url.query["session"] == SESSION


def test_a_token_is_redeemed_once() -> None:
    """A text is used up by then; a callable gives another."""
    _, first = play(OxRedeemToken("t0k3n", "s"), answer(OPENED))
    assert play(OxRedeemToken("t0k3n", "s"), rejected=first) == ([], first)
    again = answer({**OPENED, "session": "other"})
    _, second = play(OxRedeemToken(lambda: "new", "s"), again, rejected=first)
    assert second != first
