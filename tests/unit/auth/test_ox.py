"""Open-Xchange's ways to a session, without a client: what they ask, what they read, what they send then."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
from yarl import URL

from tests.unit.auth.ox_answers import (
    BASE,
    CONTEXT,
    OPENED,
    SECRET_COOKIE,
    SESSION,
    answer,
    error,
    play,
    redirect,
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
    ApiError,
    ConfigurationError,
    InvalidArgument,
    NotAuthenticated,
    RateLimited,
    ServerError,
)
from zeyos_async.secrets import Secret
from zeyos_async.wire import Request, Response

LOGIN = OxLogin("jane", "swordfish")
CALL = Request(
    method="GET", url=URL("https://ox.example.com/ajax/contacts?action=get&id=a%2Bb&folder=1&folder=2")
)


def form(request: Request) -> dict[str, str]:
    """The fields of a form."""
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    return {name: values[0] for name, values in parse_qs((request.content or b"").decode()).items()}


def sent(backend: OxLogin, credential: Credential, request: Request = CALL) -> Request:
    return backend.apply(request, credential)


def test_log_in() -> None:
    """The password is in the form and nowhere else; the session stands at the top level of the answer."""
    (request,), credential = play(LOGIN, answer(OPENED, cookies=[SECRET_COOKIE]))
    assert (request.method, request.url.path, request.url.query["action"]) == (
        "POST",
        "/ajax/login",
        "login",
    )
    assert form(request) == {
        "name": "jane",
        "password": "swordfish",
        "client": "zeyos-async",
        "version": "1",
        "staySignedIn": "false",
    }
    assert "swordfish" not in str(request.url)
    assert dict(credential.info) == {"user": "jane", "user_id": 4, "context_id": 1, "locale": "de_DE"}


def test_every_log_in_is_traced_by_a_text_of_its_own() -> None:
    """``authId`` is unique for each log-in, unless the caller has one to follow."""
    traces = {play(LOGIN, answer(OPENED))[0][0].url.query["authId"] for _ in range(3)}
    assert len(traces) == 3
    fixed = OxLogin("jane", "swordfish", auth_id="trace-7", language="de_DE", client_ip="192.0.2.7")
    (request,), _ = play(fixed, answer(OPENED))
    assert request.url.query["authId"] == "trace-7"
    assert request.url.query["language"] == "de_DE"
    assert form(request)["clientIP"] == "192.0.2.7"


def test_what_a_session_sends() -> None:
    """The ID in the query beside what is there, the cookies, and the User-Agent of the log-in."""
    backend = OxLogin("jane", "swordfish", user_agent="my-sync/2")
    (request,), credential = play(backend, answer(OPENED, cookies=[SECRET_COOKIE, "JSESSIONID=1.OX0"]))
    call = sent(backend, credential)
    assert request.headers["User-Agent"] == call.headers["User-Agent"] == "my-sync/2"
    assert call.headers["Cookie"] == "open-xchange-secret-hash=s3cr3tc00k1e; JSESSIONID=1.OX0"
    assert call.url.raw_query_string == f"action=get&id=a%2Bb&folder=1&folder=2&session={SESSION}"


def test_a_session_that_the_caller_names_stays() -> None:
    """Some operations are about another session than the client's own."""
    _, credential = play(LOGIN, answer(OPENED))
    call = sent(LOGIN, credential, CALL.with_url(URL(f"{BASE}/login?action=changeip&session=other")))
    assert call.url.query.getall("session") == ["other"]


def test_cookies_that_a_request_has_stay() -> None:
    """Those of the session come after them."""
    _, credential = play(LOGIN, answer(OPENED, cookies=[SECRET_COOKIE]))
    call = sent(LOGIN, credential, CALL.with_headers(Cookie="own=1"))
    assert call.headers["Cookie"] == "own=1; open-xchange-secret-hash=s3cr3tc00k1e"


@pytest.mark.parametrize(
    ("reply", "raised", "says"),
    [
        (
            error("LGI-0006", "The user name or password is incorrect."),
            NotAuthenticated,
            "password is incorrect",
        ),
        (error("LGI-0028", "Too many login attempts.", category=4), NotAuthenticated, "wait"),
        (error("SES-0007", "Max. session size reached", category=11), NotAuthenticated, "too many sessions"),
        (error("SVL-0030", "Password in the URL", category=8), ServerError, "Password in the URL"),
        (error("LGI-0012", "Internal", category=8), NotAuthenticated, "Internal"),
        (error("DBP-0001", "No database", category=5), ServerError, "No database"),
        (
            error("X-1", "No database", category=1, categories=["SERVICE_DOWN", "ERROR"]),
            ServerError,
            "No database",
        ),
        (answer({"error_desc": "in English", "code": "LGI-0006"}), NotAuthenticated, "in English"),
        (answer({}), ServerError, "holds no session"),
        (answer({"data": {"session": SESSION}}), ServerError, "holds no session"),
        (answer({"session": 7}), ServerError, "holds no session"),
        (
            answer(b"<html><title>App &amp; Suite</title>"),
            ServerError,
            r"titled 'App & Suite'.*ends with /ajax",
        ),
        (answer(b"["), ServerError, "base URL"),
        (answer(b"Slow down", status=429), RateLimited, "Slow down"),
        (answer(b"<title>Oops</title>", status=503), ServerError, "Oops"),
        (answer(b"", status=403), ApiError, "no reason"),
    ],
)
def test_what_a_refused_log_in_says(reply: Response, raised: type[ApiError], says: str) -> None:
    """The server's own words and code; whose log-in it was; and what to do, where that is known."""
    with pytest.raises(raised, match=says) as caught:
        play(LOGIN, reply)
    assert "the log-in of 'jane'" in str(caught.value)
    assert "swordfish" not in str(caught.value)
    assert caught.value.url == "https://ox.example.com/ajax/login"


def test_a_refusal_has_the_servers_code_and_not_the_password() -> None:
    """Even where the server repeats the password."""
    with pytest.raises(NotAuthenticated, match=r"\*\*\* is wrong") as caught:
        play(LOGIN, error("LGI-0006", "swordfish is wrong"))
    assert caught.value.code == "LGI-0006"


def test_a_log_in_with_a_warning_is_a_log_in() -> None:
    """A success with warnings has the first of them where errors stand."""
    _, credential = play(LOGIN, answer({**OPENED, "error": "Soon full", "code": "X-1", "category": 13}))
    assert f"session={SESSION}" in str(sent(LOGIN, credential).url)


def test_form_log_in() -> None:
    """The name is ``login`` here, and the session comes behind the hash of a redirect, which is not followed."""
    backend = OxFormLogin("jane", "swordfish", stay_signed_in=True)
    (request,), credential = play(
        backend, redirect(f"session={SESSION}&user=jane&user_id=4&context_id=1", SECRET_COOKIE)
    )
    assert request.url.query["action"] == "formlogin"
    assert not request.follow
    assert form(request) == {
        "login": "jane",
        "password": "swordfish",
        "client": "zeyos-async",
        "version": "1",
        "autologin": "true",
    }
    assert sent(backend, credential).url.query["session"] == SESSION
    assert credential.info["user"] == "jane"


@pytest.mark.parametrize("reply", [redirect("error=1"), redirect(""), answer(b"<title>Denied</title>")])
def test_a_form_log_in_without_a_session_is_none(reply: Response) -> None:
    """Neither a redirect to an error page nor a page."""
    with pytest.raises(ServerError, match="holds no session"):
        play(OxFormLogin("jane", "swordfish"), reply)


@pytest.mark.parametrize(
    "first",
    [
        answer({"serverToken": "th31rs", "jsessionid": "1.OX0"}, cookies=["JSESSIONID=1.OX0"]),
        redirect("serverToken=th31rs&user=jane", "JSESSIONID=1.OX0"),
    ],
)
@pytest.mark.parametrize("second", [{"data": OPENED}, OPENED])
def test_token_log_in(first: Response, second: dict[str, object]) -> None:
    """Two steps: the server's token and ours open a session, which stands in ``data`` here."""
    backend = OxTokenLogin("jane", "swordfish")
    (one, two), credential = play(backend, first, answer(second, cookies=[SECRET_COOKIE]))
    assert one.url.query["action"] == "tokenLogin"
    assert form(one)["login"] == "jane"
    assert form(one)["jsonResponse"] == "true"
    assert two.url.query["action"] == "tokens"
    assert form(two) == {
        "serverToken": "th31rs",
        "clientToken": form(one)["clientToken"],
        "client": "zeyos-async",
    }
    assert two.headers["Cookie"] == "JSESSIONID=1.OX0"
    assert sent(backend, credential).url.query["session"] == SESSION
    assert sent(backend, credential).headers["Cookie"].startswith("JSESSIONID=1.OX0; open-xchange-secret")


def test_a_token_log_in_may_be_refused_at_either_step() -> None:
    """With the password, or with the tokens."""
    backend = OxTokenLogin("jane", "swordfish")
    with pytest.raises(NotAuthenticated, match="incorrect"):
        play(backend, error("LGI-0006", "incorrect"))
    with pytest.raises(NotAuthenticated, match="mismatch"):
        play(backend, answer({"serverToken": "t"}), error("SES-0210", "mismatch", category=4))


async def _fetched() -> str:
    return "t0k3n"


@pytest.mark.parametrize("token", ["t0k3n", Secret("t0k3n"), lambda: "t0k3n", _fetched])
def test_redeem_a_token(token: object) -> None:
    """A token that another program acquired, and the secret of this application."""
    backend = OxRedeemToken(token, "app-secret", client="our-app")  # type: ignore[arg-type]
    (request,), credential = play(backend, answer(OPENED, cookies=[SECRET_COOKIE]))
    assert request.url.query["action"] == "redeemToken"
    assert "authId" in request.url.query
    assert form(request) == {"token": "t0k3n", "client": "our-app", "secret": "app-secret"}
    assert sent(LOGIN, credential).url.query["session"] == SESSION


def test_a_token_is_redeemed_once() -> None:
    """A text is used up by then; a callable gives another."""
    _, first = play(OxRedeemToken("t0k3n", "s"), answer(OPENED))
    assert play(OxRedeemToken("t0k3n", "s"), rejected=first) == ([], first)
    again = answer({**OPENED, "session": "other"})
    _, second = play(OxRedeemToken(lambda: "new", "s"), again, rejected=first)
    assert second != first


def test_autologin() -> None:
    """The cookies, the client's name and the User-Agent are those of the log-in that stays."""
    backend = OxAutologin({"open-xchange-session-h": "a", "open-xchange-secret-h": "b"}, client="web")
    (request,), credential = play(backend, answer(OPENED, cookies=["open-xchange-secret-h=c"]))
    assert request.method == "GET"
    assert request.url.query["client"] == "web"
    assert "session" not in request.url.query
    assert request.headers["Cookie"] == "open-xchange-session-h=a; open-xchange-secret-h=b"
    assert sent(backend, credential).headers["Cookie"] == "open-xchange-session-h=a; open-xchange-secret-h=c"
    (again,), _ = play(backend, answer(OPENED), rejected=credential)
    assert again.headers["Cookie"] == "open-xchange-session-h=a; open-xchange-secret-h=c"
    with pytest.raises(NotAuthenticated, match="stays signed in"):
        play(backend, error("SVL-0003", "Missing cookie"))


def test_a_session_from_elsewhere() -> None:
    """It is used as it is; when it is lost there is no other."""
    backend = OxSession(SESSION, {"open-xchange-secret-h": "b"}, user_agent="Mozilla/5.0")
    _, credential = play(backend)
    call = sent(backend, credential)
    assert (call.url.query["session"], call.headers["Cookie"]) == (SESSION, "open-xchange-secret-h=b")
    assert call.headers["User-Agent"] == "Mozilla/5.0"
    assert play(backend, rejected=credential) == ([], credential)


def test_the_log_out() -> None:
    """A request with the session, complete, as it is sent without a client's help."""
    _, credential = play(LOGIN, answer(OPENED, cookies=[SECRET_COOKIE]))
    farewell = LOGIN.revocation_request(CONTEXT, credential)
    assert str(farewell.url) == f"https://ox.example.com/ajax/login?action=logout&session={SESSION}"
    assert "open-xchange-secret" in farewell.headers["Cookie"]
    assert farewell.headers["User-Agent"] == "zeyos-async"


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
    assert sent(LOGIN, changed).headers.get("Cookie") == becomes


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
def test_what_says_that_the_session_is_lost(response: Response, lost: bool) -> None:
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
        sent(LOGIN, Credential(secret="a-bearer-token"))


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
def test_what_cannot_be_a_credential(make: object, raised: type[Exception]) -> None:
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
    assert len({each.store_key(BASE) for each in BACKENDS.values()}) == len(BACKENDS)
