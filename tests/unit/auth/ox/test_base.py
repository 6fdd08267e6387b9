"""Open-Xchange's sessions, without a client: what they send, what changes them, what ends them."""

from __future__ import annotations

import pytest
from yarl import URL

from tests.unit.auth.ox.ox_answers import (
    BASE,
    CALL,
    CONTEXT,
    LOGIN,
    OPENED,
    SECRET_COOKIE,
    SESSION,
    answer,
    error,
    play,
    within_session,
)
from zeyos_async.auth import (
    Credential,
    MemoryStore,
    OxAutologin,
    OxFormLogin,
    OxLogin,
    OxRedeemToken,
    OxSession,
    OxTokenLogin,
)
from zeyos_async.errors import (
    ConfigurationError,
    InvalidArgument,
)
from zeyos_async.wire import Request, Response


def test_a_request_within_a_session() -> None:
    """The ID in the query beside what is there, the cookies, and the User-Agent of the log-in."""
    backend = OxLogin("jane", "swordfish", user_agent="my-sync/2")
    (request,), credential = play(backend, answer(OPENED, cookies=[SECRET_COOKIE, "JSESSIONID=1.OX0"]))
    call = within_session(backend, credential)
    assert request.headers["User-Agent"] == call.headers["User-Agent"] == "my-sync/2"
    assert call.headers["Cookie"] == "open-xchange-secret-hash=s3cr3tc00k1e; JSESSIONID=1.OX0"
    assert call.url.raw_query_string == f"action=get&id=a%2Bb&folder=1&folder=2&session={SESSION}"


def test_a_session_that_the_caller_names_stays() -> None:
    """Some operations are about another session than the client's own."""
    _, credential = play(LOGIN, answer(OPENED))
    call = within_session(
        LOGIN, credential, CALL.with_url(URL(f"{BASE}/login?action=changeip&session=other"))
    )
    assert call.url.query.getall("session") == ["other"]


def test_cookies_that_a_request_has_stay() -> None:
    """Those of the session come after them."""
    _, credential = play(LOGIN, answer(OPENED, cookies=[SECRET_COOKIE]))
    call = within_session(LOGIN, credential, CALL.with_headers(Cookie="own=1"))
    assert call.headers["Cookie"] == "own=1; open-xchange-secret-hash=s3cr3tc00k1e"


def test_the_log_out() -> None:
    """A request with the session, complete, as it is sent without a client's help."""
    _, credential = play(LOGIN, answer(OPENED, cookies=[SECRET_COOKIE]))
    request = LOGIN.revocation_request(CONTEXT, credential)
    assert str(request.url) == f"https://ox.example.com/ajax/login?action=logout&session={SESSION}"
    assert "open-xchange-secret" in request.headers["Cookie"]
    assert request.headers["User-Agent"] == "zeyos-async"


@pytest.mark.parametrize(
    ("url", "cookies", "becomes"),
    [
        (
            "contacts?action=all",
            ["JSESSIONID=2.OX1"],
            "open-xchange-secret-hash=s3cr3tc00k1e; JSESSIONID=2.OX1",
        ),
        ("login?action=refreshSecret", ["open-xchange-secret-hash=fresh"], "open-xchange-secret-hash=fresh"),
        ("login?action=logout", ["open-xchange-secret-hash=; Max-Age=0"], None),
        ("contacts?action=all", [], "unchanged"),
        ("contacts?action=all", ["open-xchange-secret-hash=s3cr3tc00k1e; Path=/"], "unchanged"),
        ("login?action=login", ["open-xchange-secret-hash=of-another-session"], "unchanged"),
        ("login?action=autologin", ["open-xchange-secret-hash=of-another-session"], "unchanged"),
    ],
)
def test_any_answer_may_change_the_cookies(url: str, cookies: list[str], becomes: str | None) -> None:
    """Those within the session are kept; those of another session that is begun are not ours."""
    _, credential = play(LOGIN, answer(OPENED, cookies=[SECRET_COOKIE]))
    request = Request(method="GET", url=URL(f"{BASE}/{url}"))
    changed = LOGIN.on_response(request, answer({}, cookies=cookies), credential, credential)
    if becomes == "unchanged":
        assert changed is None
        return
    assert changed is not None
    assert changed.info == credential.info
    assert within_session(LOGIN, changed).headers.get("Cookie") == becomes


def test_a_late_answer_of_an_earlier_session_changes_nothing() -> None:
    """Its cookies have the names of the present one's."""
    _, old = play(LOGIN, answer(OPENED))
    _, new = play(LOGIN, answer({**OPENED, "session": "another"}))
    late = answer({}, cookies=["open-xchange-secret-hash=old"])
    assert LOGIN.on_response(CALL, late, old, new) is None


@pytest.mark.parametrize(
    ("response", "lost"),
    [
        (error("SES-0203", "Your session expired.", category=4), True),
        (answer(b'<html><script>(parent.callback_new)({"error":"gone","code":"SES-0203"})</script>'), True),
        (answer({"code": "SES-0204", "error": "Context locked"}), False),
        (answer({"data": [{"subject": "What is SES-0203?", "code": "SES-0203"}]}), False),
        (answer([{"error": "gone", "code": "SES-0203"}]), False),
        (answer({"error": "x", "code": "MFA-0001"}), False),
        (answer(b"", status=401), True),
        (answer(b"", status=403), False),
        (answer(b'{"code": "SES-0203", '), False),
        (answer(b'{"code":"SES-0203","data":"' + b"x" * 300_000 + b'"}'), False),
        (answer({}), False),
        (answer(b""), False),
    ],
)
def test_answers_that_say_that_the_session_is_lost(response: Response, lost: bool) -> None:
    """The envelope's own code: not that of a mail in it, and not that of one item of many."""
    assert LOGIN.rejected(CALL, response) is lost


def test_a_missing_second_factor_is_a_lost_session_for_those_who_have_one() -> None:
    """A log-in anew passes it; without an answer to it, a log-in would not help."""
    response = error("MFA-0001", "Second factor needed")
    assert OxLogin("jane", "swordfish", second_factor=lambda challenge: "1").rejected(CALL, response)
    assert not LOGIN.rejected(CALL, response)


def test_a_credential_of_another_backend_is_refused() -> None:
    """And its secret is not in the error."""
    with pytest.raises(ConfigurationError, match="none of Open-Xchange's"):
        within_session(LOGIN, Credential(secret="a-bearer-token"))


@pytest.mark.parametrize(
    ("make", "raised"),
    [
        (lambda: OxLogin("", "x"), ConfigurationError),
        (lambda: OxLogin("jane", ""), ConfigurationError),
        (lambda: OxLogin("jane", "x", client=""), ConfigurationError),
        (lambda: OxLogin("jane", "x", user_agent="a\r\nb"), InvalidArgument),
        (lambda: OxSession("", {}), ConfigurationError),
        (lambda: OxSession("s", "a=b"), ConfigurationError),
        (lambda: OxSession("s", {"a": "b\n"}), InvalidArgument),
        (lambda: OxRedeemToken("t", ""), ConfigurationError),
        (lambda: OxAutologin(None), ConfigurationError),
    ],
)
def test_arguments_that_can_not_be_a_credential(make: object, raised: type[Exception]) -> None:
    """It is told when the backend is made."""
    with pytest.raises(raised):
        make()  # type: ignore[operator]


BACKENDS = {
    "login": OxLogin("jane", "swordfish", token_store=MemoryStore()),
    "form": OxFormLogin("jane", "swordfish"),
    "tokens": OxTokenLogin("jane", "swordfish"),
    "redeem": OxRedeemToken("swordfish", "swordfish"),
    "callable": OxRedeemToken(lambda: "x", "swordfish"),
    "autologin": OxAutologin({"c": "swordfish"}),
    "session": OxSession("swordfish", {"c": "swordfish"}),
}


@pytest.mark.parametrize("kind", BACKENDS)
def test_backends_are_values_without_secrets_in_sight(kind: str) -> None:
    """Equal ones share a session, so they have a hash; a repr and a store's key tell nothing."""
    backend = BACKENDS[kind]
    assert backend in {backend}
    assert "swordfish" not in repr(backend)
    assert "swordfish" not in backend.store_key(BASE)
    assert len({backend.store_key(BASE) for backend in BACKENDS.values()}) == len(BACKENDS)
