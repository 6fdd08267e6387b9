"""Logging in, tokens, cookies, OAuth2."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

CHALLENGE = 'Bearer realm="demo" error="invalid_token"'


def credentials_of(emulator: Any, **changes: Any) -> dict[str, Any]:
    """A log-in's body."""
    user = emulator.credentials
    body = {
        "name": user.name,
        "password": user.password,
        "identifier": "my.device:1",
        "appsecret": user.appsecret,
    }
    return {key: value for key, value in (body | changes).items() if value is not None}


@pytest.mark.parametrize("form", [False, True], ids=["json", "form"])
async def test_login_use_and_logout(wire: Any, form: bool) -> None:
    """A token is good until it is logged out."""
    body = credentials_of(wire.emulator)
    wire.token = None
    reply = await wire.send("POST", "/auth/v1/login", **({"data": body} if form else {"json": body}))
    answer = reply.json
    assert re.fullmatch("[a-f0-9]{40}", answer["token"])
    assert (answer["user"], answer["application"], answer["identifier"]) == (1, 1, "my.device:1")
    assert answer["expdate"] > 100 * 86_400
    wire.token = answer["token"]
    assert (await wire.list("accounts")).status == 200
    assert (await wire.send("HEAD", "/auth/v1/")).status == 204
    assert (await wire.send("GET", "/auth/v1/logout")).status == 204
    assert (await wire.list("accounts")).status == 401
    assert (await wire.send("HEAD", "/auth/v1/")).status == 401
    assert wire.emulator.journal.logins == 1


@pytest.mark.parametrize(
    ("changes", "status", "text"),
    [
        ({"password": "wrong"}, 401, "Unauthorized: Invalid credentials"),
        ({"name": "nobody"}, 401, "Unauthorized: Invalid credentials"),
        ({"appsecret": "0" * 40}, 401, "Unauthorized: Invalid credentials"),
        ({"identifier": "not allowed!"}, 400, "Invalid identifier"),
        ({"identifier": None}, 400, "Invalid identifier"),
        ({"expdate": 5}, 400, "Invalid expdate"),
    ],
)
async def test_what_a_login_refuses(wire: Any, changes: dict[str, Any], status: int, text: str) -> None:
    """In plain text."""
    reply = await wire.send("POST", "/auth/v1/login", json=credentials_of(wire.emulator, **changes))
    assert (reply.status, text in reply.text) == (status, True)
    assert wire.emulator.journal.logins == 0


async def test_a_token_without_application_is_not_good_for_the_rest_api(wire: Any) -> None:
    """It proves the user to the authentication API alone."""
    reply = await wire.send("POST", "/auth/v1/login", json=credentials_of(wire.emulator, appsecret=None))
    assert reply.json["application"] is None
    wire.token = reply.json["token"]
    assert (await wire.send("HEAD", "/auth/v1/")).status == 204
    assert (await wire.list("accounts")).status == 401


@pytest.mark.parametrize("header", [None, "Bearer nope", "Bearer", "Basic eDp5", "nope"])
async def test_every_api_wants_a_credential(wire: Any, header: str | None) -> None:
    """401 in plain text with the challenge of the documents."""
    wire.token = None
    headers = {} if header is None else {"Authorization": header}
    for path in ("/api/v1/accounts/1", "/api/v1/config", "/auth/v1/", "/oauth2/v1/userinfo"):
        reply = await wire.send("GET", path, headers=headers)
        assert (reply.status, reply.headers["WWW-Authenticate"]) == (401, CHALLENGE)
        assert reply.text == "Unauthorized: Invalid bearer token"


async def test_tokens_expire_and_are_revoked(wire: Any) -> None:
    """By their own time, by the clock, or at the emulator's command."""
    wire.emulator.expire_tokens()
    assert (await wire.list("accounts")).status == 401
    wire.token = wire.emulator.token()
    wire.emulator.clock.offset = 101 * 86_400
    assert (await wire.list("accounts")).status == 401
    wire.emulator.clock.offset = 0
    assert (await wire.list("accounts")).status == 200
    wire.emulator.revoke_tokens()
    assert (await wire.list("accounts")).status == 401


async def test_a_session_cookie(wire: Any) -> None:
    """Code beside a user who is logged in sends the cookie."""
    user = wire.emulator.credentials
    session = wire.emulator.tokens.give("session", user, application=user.application, expires=None)
    wire.token = None
    reply = await wire.send("GET", "/api/v1/config", headers={"Cookie": f"a=b; ZEYOSID={session.text}"})
    assert reply.status == 200


async def test_the_user_of_a_token_is_told(wire: Any) -> None:
    """More of it by asking for it."""
    plain = (await wire.send("GET", "/auth/v1/")).json
    assert (plain["user"], plain["name"], "admin" in plain) == (1, "max.power", False)
    more = (await wire.send("GET", "/auth/v1/?access=1&settings=1")).json
    assert (more["admin"], more["permissions"]["billing"], "settings" in more) == (True, True, True)


async def test_the_journal_holds_no_secret(wire: Any) -> None:
    """Credentials are fingerprints; bodies of log-ins are left out."""
    await wire.send("POST", "/auth/v1/login", json=credentials_of(wire.emulator))
    await wire.list("accounts")
    journal_text = repr(
        [(entry, entry.body, dict(entry.headers)) for entry in wire.emulator.journal.requests]
    )
    user = wire.emulator.credentials
    assert all(secret not in journal_text for secret in (user.password, user.appsecret, wire.token))


# -- OAuth2 ----------------------------------------------------------------------------------------


def basic(wire: Any) -> dict[str, str]:
    user = wire.emulator.credentials
    text = base64.b64encode(f"{user.client_id}:{user.appsecret}".encode()).decode()
    return {"Authorization": f"Basic {text}"}


async def grant(wire: Any, **body: str) -> Any:
    return await wire.send("POST", "/oauth2/v1/token", data=body, headers=basic(wire))


async def by_password(wire: Any) -> dict[str, Any]:
    user = wire.emulator.credentials
    answer = await grant(wire, grant_type="password", username=user.name, password=user.password)
    assert answer.status == 200
    return dict(answer.json)


async def test_an_access_token_and_its_refresh(wire: Any) -> None:
    """A refresh token is good once; its use ends the tokens before it."""
    first = await by_password(wire)
    assert (first["token_type"], first["expires_in"], first["refresh_token_expires_in"]) == (
        "Bearer",
        3600,
        8_640_000,
    )
    second = (await grant(wire, grant_type="refresh_token", refresh_token=first["refresh_token"])).json
    for token, status in ((first["access_token"], 401), (second["access_token"], 200)):
        wire.token = token
        assert (await wire.api("GET", "config")).status == status
    again = await grant(wire, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert (again.status, again.json["error"]) == (403, "invalid_grant")
    assert wire.emulator.journal.counts["refresh"] == 1


async def is_good(wire: Any, token: str) -> bool:
    """Whether the REST API takes a token."""
    wire.token = token
    return bool((await wire.api("GET", "config")).status == 200)


@pytest.mark.parametrize("rule", ["oauth2", "all", "none"])
async def test_one_token_for_a_user_an_application_and_a_type(wire: Any, rule: str) -> None:
    """A sign-in ends the tokens of the one before, where the rule holds: for OAuth2 unless it is switched off."""
    if rule != "oauth2":
        wire.emulator.server_options.single_tokens = rule
    first, second = await by_password(wire), await by_password(wire)
    assert await is_good(wire, second["access_token"])
    assert await is_good(wire, first["access_token"]) is (rule == "none")
    spent = await grant(wire, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert spent.status == (200 if rule == "none" else 403)
    wire.token = None
    body = credentials_of(wire.emulator)
    old, new = [(await wire.send("POST", "/auth/v1/login", json=body)).json["token"] for _ in range(2)]
    assert await is_good(wire, new)
    assert await is_good(wire, old) is (rule != "all")


async def test_the_tokens_of_others_live_on(wire: Any) -> None:
    """Of another user, of another application, of another type; and log-ins without an application."""
    wire.emulator.server_options.single_tokens = "all"
    visitor = wire.emulator.visitor
    mine = await by_password(wire)
    other_user = await grant(wire, grant_type="password", username=visitor.name, password=visitor.password)
    wire.token = None
    login = credentials_of(wire.emulator)
    of_other_type = (await wire.send("POST", "/auth/v1/login", json=login)).json["token"]
    without = credentials_of(wire.emulator, appsecret=None)
    loose = [(await wire.send("POST", "/auth/v1/login", json=without)).json["token"] for _ in range(2)]
    for token in (mine["access_token"], other_user.json["access_token"], of_other_type):
        assert await is_good(wire, token)
    for token in loose:
        wire.token = token
        assert (await wire.send("HEAD", "/auth/v1/")).status == 204


async def test_oauth_errors_are_json(wire: Any) -> None:
    """An unknown client is 401 with a Basic challenge, a bad grant 403."""
    reply = await wire.send("POST", "/oauth2/v1/token", json={"client_id": "x", "client_secret": "y"})
    assert (reply.status, reply.json["error"]) == (401, "invalid_client")
    assert reply.headers["WWW-Authenticate"] == 'Basic realm="demo"'
    assert (await grant(wire, grant_type="nope")).json["error"] == "unsupported_grant_type"
    for body in (
        {"grant_type": "authorization_code", "code": "0" * 40},
        {"grant_type": "refresh_token", "refresh_token": "0" * 40},
        {"grant_type": "password", "username": "max.power", "password": "wrong"},
    ):
        reply = await grant(wire, **body)
        assert (reply.status, set(reply.json), reply.json["error"]) == (
            403,
            {"error", "error_description"},
            "invalid_grant",
        )


async def test_introspection_and_revocation(wire: Any) -> None:
    """Revoking the refresh token ends the access token too."""
    tokens = await by_password(wire)

    async def active(token: str) -> Any:
        return (
            await wire.send("POST", "/oauth2/v1/introspect", data={"token": token}, headers=basic(wire))
        ).json

    about = await active(tokens["access_token"])
    assert (about["active"], about["sub"], about["username"]) == (True, "1", "max.power")
    revoked = await wire.send(
        "POST", "/oauth2/v1/revoke", data={"token": tokens["refresh_token"]}, headers=basic(wire)
    )
    assert revoked.status == 200
    assert await active(tokens["access_token"]) == {"active": False}


async def authorize(wire: Any, **changes: str) -> Any:
    verifier = "v" * 43
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "client_id": wire.emulator.credentials.client_id,
        "redirect_uri": "http://127.0.0.1:9/back",
        "response_type": "code",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "state": "a&b",
    } | changes
    text = "&".join(f"{key}={value.replace('&', '%26')}" for key, value in query.items())
    return await wire.send("GET", f"/oauth2/v1/authorize?{text}")


async def sign_in(wire: Any, **changes: str) -> Any:
    page = urlsplit((await authorize(wire, **changes)).headers["Location"])
    path = page.path.removeprefix("/demo")
    assert "<form" in (await wire.send("GET", f"{path}?{page.query}")).text
    wrong = await wire.send("POST", f"{path}?{page.query}", data={"name": "max.power", "password": "x"})
    assert "wrong password" in wrong.text
    user = wire.emulator.credentials
    return await wire.send(
        "POST", f"{path}?{page.query}", data={"name": user.name, "password": user.password}
    )


async def test_authorization_code_with_pkce(wire: Any) -> None:
    """Authorize, sign in, come back with code and state, and change the code for tokens, once."""
    back = await sign_in(wire)
    assert back.status == 303
    query = parse_qs(urlsplit(back.headers["Location"]).query)
    assert query["state"] == ["a&b"]
    wrong = await sign_in(wire)
    other = parse_qs(urlsplit(wrong.headers["Location"]).query)["code"][0]
    refused = await grant(wire, grant_type="authorization_code", code=other, code_verifier="w" * 43)
    assert (refused.status, refused.json["error"]) == (403, "invalid_grant")
    body = {"grant_type": "authorization_code", "code": query["code"][0], "code_verifier": "v" * 43}
    tokens = await grant(wire, **body)
    wire.token = tokens.json["access_token"]
    assert (await wire.send("GET", "/oauth2/v1/userinfo")).json["preferred_username"] == "max.power"
    assert (await grant(wire, **body)).status == 403


async def test_authorization_by_posted_form(wire: Any) -> None:
    """``form_post`` brings the code in a form."""
    page = await sign_in(wire, response_mode="form_post")
    assert re.search(r'name="code" value="[a-f0-9]{40}"', page.text)
    assert 'name="state" value="a&amp;b"' in page.text


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "unknown"},
        {"redirect_uri": "http://evil.example/"},
        {"response_type": "token"},
        {"code_challenge_method": "plain"},
        {"response_mode": "fragment"},
    ],
    ids=str,
)
async def test_what_authorize_refuses(wire: Any, changes: dict[str, str]) -> None:
    """Plain HTTP is for this machine alone; the only challenge method is S256."""
    assert (await authorize(wire, **changes)).status == 400
