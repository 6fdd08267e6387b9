"""Open-Xchange's log-ins by name and password, without a client: what they send, and what they read."""

from __future__ import annotations

import pytest

from tests.unit.auth.ox.ox_answers import (
    LOGIN,
    OPENED,
    SECRET_COOKIE,
    SESSION,
    answer,
    error,
    form_fields,
    play,
    redirect,
    within_session,
)
from zeyos_async.auth import (
    OxFormLogin,
    OxLogin,
    OxTokenLogin,
)
from zeyos_async.errors import (
    ApiError,
    NotAuthenticated,
    RateLimited,
    ServerError,
)
from zeyos_async.wire import Response


def test_log_in() -> None:
    """The password is in the form and nowhere else; the session stands at the top level of the answer."""
    (request,), credential = play(LOGIN, answer(OPENED, cookies=[SECRET_COOKIE]))
    assert (request.method, request.url.path, request.url.query["action"]) == (
        "POST",
        "/ajax/login",
        "login",
    )
    assert form_fields(request) == {
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
    assert form_fields(request)["clientIP"] == "192.0.2.7"


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
def test_the_error_of_a_refused_log_in(reply: Response, raised: type[ApiError], says: str) -> None:
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
    assert f"session={SESSION}" in str(within_session(LOGIN, credential).url)


def test_form_log_in() -> None:
    """The name is ``login`` here, and the session comes behind the hash of a redirect, which is not followed."""
    backend = OxFormLogin("jane", "swordfish", stay_signed_in=True)
    (request,), credential = play(
        backend, redirect(f"session={SESSION}&user=jane&user_id=4&context_id=1", SECRET_COOKIE)
    )
    assert request.url.query["action"] == "formlogin"
    assert not request.follow
    assert form_fields(request) == {
        "login": "jane",
        "password": "swordfish",
        "client": "zeyos-async",
        "version": "1",
        "autologin": "true",
    }
    assert within_session(backend, credential).url.query["session"] == SESSION
    assert credential.info["user"] == "jane"


ERROR_PAGE = b"""<html><script>setTimeout(redirect, 5000); function redirect() { location = "#login=failed" }</script>
<body><h1>The user name or
password of jane is incorrect: sword&#102;ish &amp; Co.</h1></body></html>"""


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (redirect("error=1"), "refused: 1"),
        (redirect("login_error=The%20password%20is%20wrong."), "refused: The password is wrong."),
        (redirect(""), "redirects, and gives no session"),
        (answer(b"<title>Denied</title>"), "'Denied'"),
        (answer(ERROR_PAGE), "refused: The user name or password of jane is incorrect: *** & Co."),
        (Response(status=403, body=ERROR_PAGE), "refused: The user name or password of jane is incorrect"),
        (Response(status=403, body=b"Wrong password"), "refused: Wrong password"),
        (answer({"error": "Invalid credentials.", "code": "LGI-0006"}), "refused: Invalid credentials."),
    ],
)
def test_a_refused_form_log_in_is_not_authenticated_with_the_servers_words(
    reply: Response, words: str
) -> None:
    """It is answered for a browser: with a page, or a redirect to one."""
    with pytest.raises(NotAuthenticated) as caught:
        play(OxFormLogin("jane", "swordfish"), reply)
    assert words in str(caught.value)
    assert "function" not in str(caught.value)


@pytest.mark.parametrize(
    "reply",
    [
        Response(status=500, body=ERROR_PAGE),
        Response(status=301, headers={"Location": "https://other.example.com/ajax/login"}),
        answer(b"hello"),
    ],
)
def test_what_is_no_answer_to_a_form_is_no_refusal(reply: Response) -> None:
    """A server that is down, the same page elsewhere, another server: nobody should change a password for it."""
    with pytest.raises(ServerError):
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
    assert form_fields(one)["login"] == "jane"
    assert form_fields(one)["jsonResponse"] == "true"
    assert two.url.query["action"] == "tokens"
    assert form_fields(two) == {
        "serverToken": "th31rs",
        "clientToken": form_fields(one)["clientToken"],
        "client": "zeyos-async",
    }
    assert two.headers["Cookie"] == "JSESSIONID=1.OX0"
    assert within_session(backend, credential).url.query["session"] == SESSION
    assert (
        within_session(backend, credential)
        .headers["Cookie"]
        .startswith("JSESSIONID=1.OX0; open-xchange-secret")
    )


def test_a_token_log_in_may_be_refused_at_either_step() -> None:
    """With the password, or with the tokens."""
    backend = OxTokenLogin("jane", "swordfish")
    with pytest.raises(NotAuthenticated, match="incorrect"):
        play(backend, error("LGI-0006", "incorrect"))
    with pytest.raises(NotAuthenticated, match="mismatch"):
        play(backend, answer({"serverToken": "t"}), error("SES-0210", "mismatch", category=4))
