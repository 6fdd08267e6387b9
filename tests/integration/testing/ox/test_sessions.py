"""Logging in and out, the cookies of a session, and every way to lose it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from yarl import URL

from zeyos_async.testing import OxUser, emulate_ox
from zeyos_async.testing.faults import behave

AGENT = {"User-Agent": "another browser"}
LOST = "SES-0203"


async def _code(wire: Any, **options: Any) -> str:
    return str((await wire.send("GET", "system", "whoami", options=options)).code)


async def test_a_log_in_answers_at_the_top_level(guest: Any) -> None:
    """The session is no part of ``data``, and what goes with it comes as cookies."""
    answer = await guest.log_in()
    about = {"user": "jane", "user_id": 3, "context_id": 1, "locale": "de_DE"}
    assert answer.json == {"session": guest.session, **about}
    names = [line.partition("=")[0] for line in answer.headers.getall("Set-Cookie")]
    assert [name.rpartition("-")[0] for name in names] == [
        "open-xchange-secret",
        "open-xchange-public-session",
        "",
    ]
    assert names[-1] == "JSESSIONID"
    assert (await guest.get("system", "whoami")).data["user"] == "jane"
    assert guest.emulator.journal.logins == 1


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"name": "jane", "password": "wrong"}, "LGI-0006"),
        ({"name": "nobody", "password": "secret"}, "LGI-0006"),
        ({"name": "jane"}, "SVL-0002"),
        ({"login": "jane", "password": "secret"}, "SVL-0002"),
    ],
)
async def test_a_log_in_is_refused(guest: Any, form: Any, code: str) -> None:
    """In an envelope with status 200; the name is ``name`` here, not ``login``."""
    answer = await guest.raw("POST", "/login?action=login", data=form)
    assert (answer.status, answer.code) == (200, code)


async def test_a_password_in_the_address_is_refused(guest: Any) -> None:
    """Addresses are logged."""
    answer = await guest.raw("POST", "/login?action=login&name=jane&password=secret", data={})
    assert answer.code == "SVL-0030"


async def test_the_user_agent_is_part_of_the_cookies_name(wire: Any) -> None:
    """Another User-Agent looks for a cookie of another name, so the session seems lost; it is not."""
    assert await _code(wire, headers=AGENT) == LOST
    assert (await wire.get("system", "whoami")).data["user"] == "jane"


async def test_a_session_needs_its_cookie(wire: Any, emulator: Any) -> None:
    """The session's id alone is worth nothing."""
    wire.http.cookie_jar.clear()
    assert await _code(wire) == LOST


async def test_a_call_without_a_session_is_refused(guest: Any) -> None:
    """Another code than that of a lost one."""
    answer = await guest.raw("GET", "/system?action=whoami")
    assert (answer.code, answer.json["category"]) == ("SES-0201", 4)


async def test_sessions_end_by_time(wire: Any, emulator: Any) -> None:
    """After an hour without a call; who stays signed in has a week."""
    emulator.clock.offset += 3500
    assert (await wire.get("system", "whoami")).data
    emulator.clock.offset += 3700
    assert await _code(wire) == LOST
    await wire.log_in(staySignedIn="true")
    emulator.clock.offset += 6 * 86_400
    assert (await wire.get("system", "whoami")).data


async def test_another_address_ends_the_session(wire: Any, emulator: Any) -> None:
    """For good: coming back does not help. Telling the server first does."""
    emulator.server_options.client_ip = "10.0.0.1"
    assert await _code(wire) == LOST
    emulator.server_options.client_ip = "127.0.0.1"
    assert await _code(wire) == LOST
    await wire.log_in()
    changed = await wire.send("POST", "login", "changeip", clientIP="10.0.0.2")
    emulator.server_options.client_ip = "10.0.0.2"
    assert (changed.data, (await wire.get("system", "whoami")).data["user"]) == ("1", "jane")


async def test_sessions_are_lost_on_demand(wire: Any, emulator: Any) -> None:
    """By a restart, or by a fault for one request."""
    emulator.faults.add(behave(session_lost=True), at=[0])
    assert await _code(wire) == LOST
    assert (await wire.get("system", "whoami")).data
    emulator.end_sessions()
    assert await _code(wire) == LOST


async def test_a_refreshed_secret_replaces_the_cookie(wire: Any) -> None:
    """The old cookie is worth nothing afterwards."""
    old = {cookie.key: cookie.value for cookie in wire.http.cookie_jar}
    await wire.get("login", "refreshSecret")
    assert (await wire.get("system", "whoami")).data
    wire.http.cookie_jar.update_cookies(old, response_url=URL(wire.emulator.url))
    assert await _code(wire) == LOST


async def test_logging_out_is_never_json(wire: Any) -> None:
    """Empty where it works; else a page."""
    missing = await wire.raw("GET", "/login?action=logout")
    assert (missing.status, missing.headers["Content-Type"].partition(";")[0]) == (400, "text/html")
    strange = await wire.send("GET", "login", "logout", options={"headers": AGENT})
    assert strange.status == 403
    done = await wire.get("login", "logout")
    assert (done.status, done.body) == (200, b"")
    assert await _code(wire) == LOST
    assert (await wire.get("login", "logout")).status == 403


async def test_a_form_log_in_redirects_with_the_session_in_the_fragment(guest: Any) -> None:
    """The name is ``login`` here."""
    form = {"login": "jane", "password": "secret", "client": "tests", "version": "1", "autologin": "false"}
    answer = await guest.raw("POST", "/login?action=formlogin&authId=1", data=form)
    fragment = parse_qs(urlsplit(answer.headers["Location"]).fragment)
    guest.session = fragment["session"][0]
    assert (answer.status, (await guest.get("system", "whoami")).data["user"]) == (302, "jane")


TOKEN_FORM = {"login": "jane", "password": "secret", "clientToken": "c1", "client": "tests", "version": "1"}


@pytest.mark.parametrize(("client_token", "code"), [("c1", ""), ("c2", "SES-0211")])
async def test_a_log_in_by_two_tokens(guest: Any, client_token: str, code: str) -> None:
    """The session comes in ``data`` for once, to who has both halves."""
    form = {**TOKEN_FORM, "jsonResponse": "true"}
    first = await guest.raw("POST", "/login?action=tokenLogin&authId=1", data=form)
    halves = {"serverToken": first.json["serverToken"], "clientToken": client_token, "client": "other"}
    second = await guest.raw("POST", "/login?action=tokens", data=halves)
    if code:
        assert second.code == code
        return
    guest.session = second.data["session"]
    assert (await guest.get("system", "whoami")).data["user"] == "jane"
    assert (await guest.raw("POST", "/login?action=tokens", data=halves)).code == "SES-0210"


async def test_a_token_log_in_redirects_where_nobody_wants_json(guest: Any) -> None:
    """As browsers do it."""
    answer = await guest.raw("POST", "/login?action=tokenLogin&authId=1", data=TOKEN_FORM)
    assert (answer.status, "serverToken=" in answer.headers["Location"]) == (302, True)


async def test_an_acquired_token_is_redeemed_once(wire: Any) -> None:
    """Acquired in a session, redeemed once for a session of its own at the top level."""
    token = (await wire.get("token", "acquireToken")).data["token"]
    form = {"token": token, "client": "other", "secret": "s"}
    answer = await wire.raw("POST", "/login?action=redeemToken&authId=1", data=form)
    assert answer.json["session"] != wire.session
    assert (await wire.raw("POST", "/login?action=redeemToken&authId=1", data=form)).code == "SES-0210"


async def test_autologin_resumes_a_session_by_cookies(guest: Any, emulator: Any) -> None:
    """By cookies, for who stays signed in and calls itself the same."""
    await guest.log_in()
    assert (await guest.raw("GET", "/login?action=autologin&client=tests")).code == "SVL-0003"
    await guest.log_in(staySignedIn="true")
    answer = await guest.raw("GET", "/login?action=autologin&client=tests")
    assert answer.json["session"] == guest.session
    assert (await guest.raw("GET", "/login?action=autologin&client=others")).code == "SVL-0003"
    emulator.server_options.autologin = False
    assert (await guest.raw("GET", "/login?action=autologin&client=tests")).code == "SVL-0015"


async def test_deprecated_ways_to_log_in(wire: Any) -> None:
    """``store`` does nothing and says so; ``redirect`` is switched off."""
    stored = await wire.get("login", "store")
    assert (stored.status, stored.body, "Deprecation" in stored.headers) == (200, b"", True)
    answer = await wire.raw("GET", "/login;jsessionid=1.OX0?action=redirect&random=1")
    assert answer.status == 400


async def test_a_second_factor_is_needed_for_everything_else(connect: Any) -> None:
    """Nothing works until it is given; a wrong one changes nothing."""
    careful = OxUser(name="jane", password="secret", second_factor="271828")
    async with emulate_ox(users=[careful]) as emulator, connect(emulator) as wire:
        assert (await wire.log_in()).json["requires_multifactor"] is True
        assert (await wire.get("folders", "root", columns="1")).code == "MFA-0001"
        device = (await wire.get("multifactor/device", "all")).data[0]
        which = {"providerName": device["providerName"], "deviceId": device["id"]}
        assert "challenge" in (await wire.get("multifactor/device", "startAuthentication", **which)).data
        wrong = await wire.put("multifactor/device", "finishAuthentication", {"secret_code": "1"}, **which)
        assert wrong.json["category"] == 3
        assert (await wire.get("folders", "root", columns="1")).code == "MFA-0001"
        await wire.put("multifactor/device", "finishAuthentication", {"secret_code": "271828"}, **which)
        assert (await wire.get("folders", "root", columns="1")).data


# -- OAuth -----------------------------------------------------------------------------------------


def _bearer(token: str) -> dict[str, dict[str, str]]:
    return {"headers": {"Authorization": f"Bearer {token}"}}


CONTACTS = "/contacts?action=all&folder=25&columns=1"


async def test_an_oauth_token_in_place_of_a_session(guest: Any, emulator: Any) -> None:
    """As far as its scopes go."""
    answer = await guest.raw("GET", CONTACTS, **_bearer(emulator.bearer(scopes=["read_contacts"])))
    assert len(answer.data) == 7
    assert (await guest.raw("GET", CONTACTS, **_bearer(emulator.bearer()))).data


async def test_a_token_is_refused_with_a_flat_error(guest: Any, emulator: Any) -> None:
    """No envelope, and a status that says it."""
    unknown = await guest.raw("GET", CONTACTS, **_bearer("nonsense"))
    assert (unknown.status, unknown.json["error"]) == (401, "invalid_token")
    narrow = await guest.raw("GET", CONTACTS, **_bearer(emulator.bearer(scopes=["read_tasks"])))
    assert (narrow.status, narrow.json["error"], narrow.json["scope"]) == (
        403,
        "insufficient_scope",
        "read_contacts",
    )
    token = emulator.bearer(seconds=60)
    emulator.clock.offset += 61
    assert (await guest.raw("GET", CONTACTS, **_bearer(token))).status == 401
    empty = await guest.raw("GET", CONTACTS, headers={"Authorization": "Basic eDp5"})
    assert (empty.status, empty.body, empty.headers["WWW-Authenticate"]) == (401, b"", "Bearer")


async def test_not_every_operation_takes_a_token(guest: Any, emulator: Any) -> None:
    """``group`` needs a session."""
    answer = await guest.raw("GET", "/group?action=get&id=0", **_bearer(emulator.bearer()))
    assert (answer.status, answer.json["error"]) == (403, "insufficient_scope")


async def test_the_scope_of_mail_has_two_spellings(guest: Any, emulator: Any) -> None:
    """The document lists ``read_mails``, and declares ``read_mail``."""
    token = emulator.bearer(scopes=["read_mail"])
    answer = await guest.raw("GET", "/folders?action=get&id=default0/INBOX", **_bearer(token))
    assert answer.data["title"] == "Inbox"


async def test_a_session_counts_before_a_token(wire: Any, emulator: Any) -> None:
    """The token is not even looked at."""
    answer = await wire.send("GET", "system", "whoami", options=_bearer("nonsense"))
    assert answer.data["user"] == "jane"


async def test_the_journal_holds_no_credentials(wire: Any, emulator: Any) -> None:
    """No password, no code, no session and no cookie: only their fingerprints."""
    await wire.put(
        "multifactor/device",
        "finishAuthentication",
        {"secret_code": "271828"},
        providerName="x",
        deviceId="1",
    )
    lines = [
        f"{entry.query} {entry.body!r} {entry.headers.get('Cookie')}" for entry in emulator.journal.requests
    ]
    assert "name=jane" in lines[0]
    secrets = ("=secret", "271828", wire.session, "open-xchange")
    assert [part for part in secrets if any(part in line for line in lines)] == []
    assert emulator.journal.requests[1].json["secret_code"].startswith("<")
