"""Open-Xchange's second factor: the choice of a device, its challenge, and the answer."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.auth.ox.ox_answers import OPENED, SECRET_COOKIE, SESSION, answer, error, play
from zeyos_async.auth import FactorDevice, OxLogin, SecondFactorChallenge
from zeyos_async.errors import ApiError, ConfigurationError, NotAuthenticated, SecondFactorRequired

PENDING = answer({**OPENED, "requires_multifactor": True}, cookies=[SECRET_COOKIE])
PHONE = {"id": "7", "name": "my phone", "providerName": "SMS", "backup": False, "enabled": True}
APP = {"id": "8", "name": "my app", "providerName": "TOTP", "enabled": True}
BACKUP = {"id": "9", "name": "paper", "providerName": "BACKUP_STRING", "backup": True, "enabled": True}
OFF = {"id": "1", "name": "lost phone", "providerName": "SMS", "enabled": False}
BEGUN = answer({"data": {"challenge": {"phoneNumberTail": "42"}}})
DONE = answer({"timestamp": 1})


def devices(*items: dict[str, Any]) -> Any:
    return answer({"data": list(items)})


def login(ask: Callable[[SecondFactorChallenge], Any] | None, factor: str | None = None) -> OxLogin:
    return OxLogin("jane", "swordfish", second_factor=ask, factor=factor)


def test_the_challenge_is_answered_within_the_session() -> None:
    """The devices, the challenge, the code: each with the new session and its cookies."""
    challenges: list[SecondFactorChallenge] = []

    def ask(challenge: SecondFactorChallenge) -> str:
        challenges.append(challenge)
        return "4711"

    requests, credential = play(login(ask), PENDING, devices(OFF, BACKUP, PHONE, APP), BEGUN, DONE)
    assert [(request.method, request.url.query.get("action")) for request in requests] == [
        ("POST", "login"),
        ("GET", "all"),
        ("GET", "startAuthentication"),
        ("PUT", "finishAuthentication"),
    ]
    for request in requests[1:]:
        assert request.url.path == "/ajax/multifactor/device"
        assert request.url.query["session"] == SESSION
        assert "open-xchange-secret-hash" in request.headers["Cookie"]
    for request in requests[2:]:
        assert (request.url.query["providerName"], request.url.query["deviceId"]) == ("SMS", "7")
    assert json.loads(requests[3].content or b"") == {"secret_code": "4711"}
    (challenge,) = challenges
    assert challenge.device == FactorDevice(id="7", name="my phone", provider="SMS")
    assert len(challenge.devices) == 4
    assert challenge.data == {"phoneNumberTail": "42"}
    assert credential.info["user"] == "jane"


@pytest.mark.parametrize(
    ("factor", "device_id"), [(None, "7"), ("TOTP", "8"), ("paper", "9"), ("8", "8"), ("SMS", "7")]
)
def test_the_choice_of_a_device(factor: str | None, device_id: str) -> None:
    """The first that is no backup and can be used, or the one of this ID, name or kind."""
    reply = devices(OFF, BACKUP, PHONE, APP)
    requests, _ = play(login(lambda challenge: "1", factor), PENDING, reply, BEGUN, DONE)
    assert requests[2].url.query["deviceId"] == device_id


async def _answer_later(challenge: SecondFactorChallenge) -> str:
    return "4711"


@pytest.mark.parametrize(
    ("ask", "fields"),
    [
        (lambda challenge: "4711", {"secret_code": "4711"}),
        (_answer_later, {"secret_code": "4711"}),
        (lambda challenge: {"clientData": "a", "keyHandle": "b"}, {"clientData": "a", "keyHandle": "b"}),
    ],
)
def test_forms_of_an_answer_to_a_challenge(ask: Any, fields: dict[str, str]) -> None:
    """With a code, at once or later, or with the fields that the kind of device needs."""
    requests, _ = play(login(ask), PENDING, devices(APP), answer({"data": {}}), DONE)
    assert json.loads(requests[3].content or b"") == fields


@pytest.mark.parametrize(
    "done",
    [
        answer({}),
        answer(b""),
        answer({"error": "Change your code soon", "code": "MFA-1", "category": 13}),
        answer({"error": "Change your code soon", "code": "MFA-1", "categories": ["WARNING"]}),
    ],
)
def test_answers_that_accept_a_code(done: Any) -> None:
    """By saying nothing, or nothing but a warning."""
    _, credential = play(login(lambda challenge: "1"), PENDING, devices(APP), BEGUN, done)
    assert credential.info["user"] == "jane"


def test_cookies_of_the_second_factor_are_kept() -> None:
    """The server may give a fresh secret after the second factor."""
    done = answer({"timestamp": 1}, cookies=["open-xchange-secret-hash=fresh"])
    backend = login(lambda challenge: "1")
    _, credential = play(backend, PENDING, devices(APP), BEGUN, done)
    assert [secret.reveal() for secret in backend.secrets(credential) if secret] == [SESSION, "fresh"]


def test_a_second_factor_that_nobody_answers_for() -> None:
    """The error says what the user has and what the caller lacks; nothing was asked of a device."""
    with pytest.raises(SecondFactorRequired, match=r"has a second factor.*second_factor=") as caught:
        play(login(None), PENDING)
    assert isinstance(caught.value, NotAuthenticated)
    assert caught.value.code == "MFA-0001"


@pytest.mark.parametrize(
    ("reply", "factor", "says"),
    [
        (devices(), None, "none that can be used. There are: none"),
        (devices(OFF), None, r"none that can be used. There are: lost phone \(SMS\)"),
        (devices(APP), "SMS", r"none that is 'SMS'. There are: my app \(TOTP\)"),
        (answer({"data": None}), None, "none that can be used"),
    ],
)
def test_a_device_that_there_is_not(reply: Any, factor: str | None, says: str) -> None:
    """The devices that there are, are named."""
    with pytest.raises(SecondFactorRequired, match=says):
        play(login(lambda challenge: "1", factor), PENDING, reply)


@pytest.mark.parametrize(
    "steps",
    [
        [error("MFA-0020", "No.")],
        [devices(APP), error("MFA-0007", "No.", category=4)],
        [devices(APP), BEGUN, error("MFA-0023", "No.")],
        [devices(APP), BEGUN, answer(b"", status=403)],
        [devices(APP), BEGUN, answer(b"<title>No.</title>")],
    ],
)
def test_a_factor_that_is_refused(steps: list[Any]) -> None:
    """At whatever step, with the server's words."""
    with pytest.raises(ApiError, match="second factor"):
        play(login(lambda challenge: "4711"), PENDING, *steps)


@pytest.mark.parametrize("value", [None, "", {}, 4711])
def test_values_that_are_no_answer_to_a_challenge(value: Any) -> None:
    """It is told what the hook gave, and nothing is sent."""
    with pytest.raises(ConfigurationError, match="second_factor= gave"):
        play(login(lambda challenge: value), PENDING, devices(APP), BEGUN)


@pytest.mark.parametrize(
    "steps",
    [
        [error("LGI-0006", "swordfish is wrong")],
        [PENDING],
        [PENDING, error("SES-0203", f"Your session {SESSION} expired")],
        [PENDING, devices(APP), BEGUN, error("MFA-0023", f"4711 is wrong in {SESSION}")],
    ],
)
def test_no_error_tells_a_secret(steps: list[Any]) -> None:
    """Not by its text, and not by the variables of the frames that it went through."""
    backend = login(None if len(steps) == 1 else lambda challenge: "the-code")
    with pytest.raises(ApiError) as caught:
        play(backend, *steps)
    ours = [
        frame
        for frame, _ in traceback.walk_tb(caught.value.__traceback__)
        if "zeyos_async" in frame.f_code.co_filename
    ]
    text = str(caught.value) + "".join(repr(value) for frame in ours for value in frame.f_locals.values())
    assert ours
    for secret in ("swordfish", SESSION, "s3cr3tc00k1e", "the-code"):
        assert secret not in text


QUIET = answer(OPENED, cookies=[SECRET_COOKIE])


@pytest.mark.parametrize(
    ("items", "actions"),
    [
        ([], ["login", "all"]),
        ([OFF], ["login", "all"]),
        ([APP], ["login", "all", "startAuthentication", "finishAuthentication"]),
    ],
    ids=["no device", "none that is enabled", "a device"],
)
def test_a_log_in_that_does_not_tell_of_the_second_factor(
    items: list[dict[str, Any]], actions: list[str]
) -> None:
    """After a session that did not count, devices are asked though the answer to the log-in names none."""
    _, first = play(login(lambda challenge: "4711"), QUIET)
    steps = [BEGUN, DONE][: len(actions) - 2]
    requests, _ = play(login(lambda challenge: "4711"), QUIET, devices(*items), *steps, rejected=first)
    assert [request.url.query.get("action") for request in requests] == actions
