"""Open-Xchange with OAuth: errors that are flat, or nothing at all, and what a scope is."""

from __future__ import annotations

import pytest
from yarl import URL

from tests.unit.auth.ox.ox_answers import CONTEXT, answer, error, play
from zeyos_async.auth import OxOAuth
from zeyos_async.auth.ox.wire import oauth_error
from zeyos_async.errors import (
    ApiError,
    ConfigurationError,
    InvalidArgument,
    NotAuthenticated,
    PermissionDenied,
)
from zeyos_async.wire import Request, Response

CALL = Request(method="GET", url=URL("https://ox.example.com/ajax/contacts?action=get"))
LACKS = {"error": "insufficient_scope", "error_description": "Not with this token", "scope": "write_contacts"}


def test_the_token_travels_in_a_header_and_no_session_beside_it() -> None:
    """With a parameter ``session`` the server would not look at the token."""
    _, credential = play(OxOAuth("t0k3n"))
    call = OxOAuth("t0k3n").apply(CALL, credential)
    assert call.headers["Authorization"] == "Bearer t0k3n"
    assert call.url == CALL.url


async def _fetch_token() -> str:
    return "fresh"


@pytest.mark.parametrize("source", [lambda: "fresh", _fetch_token])
def test_a_callable_gives_the_present_token(source: object) -> None:
    """It is asked when the credential is needed, and again after a rejection."""
    _, credential = play(OxOAuth(source))  # type: ignore[arg-type]
    assert credential.secret.reveal() == "fresh"


@pytest.mark.parametrize(
    ("response", "raised", "rejected"),
    [
        (
            answer({"error": "invalid_token", "error_description": "It is over"}, status=401),
            NotAuthenticated,
            True,
        ),
        (answer({"error": "invalid_token"}, status=403), NotAuthenticated, True),
        (answer(b"", status=401), NotAuthenticated, True),
        (answer(LACKS, status=403), PermissionDenied, False),
        (answer(LACKS, status=401), PermissionDenied, False),
        (error("CON-0103", "Not yours", category=3, status=403), None, False),
        (answer(b"<title>Forbidden</title>", status=403), None, False),
        (answer(LACKS), None, False),
        (answer({"data": []}), None, False),
    ],
)
def test_the_meaning_of_flat_errors(
    response: Response, raised: type[ApiError] | None, rejected: bool
) -> None:
    """A token that is no good can be replaced; one that lacks a scope would lack it again."""
    problem = oauth_error(CALL, response)
    assert (None if problem is None else type(problem)) is raised
    assert OxOAuth("t").rejected(CALL, response) is rejected


def test_the_scope_that_is_lacking_is_named() -> None:
    """In the hint for people, and in ``fields`` for programs."""
    problem = oauth_error(CALL, answer(LACKS, status=403))
    assert problem is not None
    assert "Not with this token. The token lacks the scope 'write_contacts'" in str(problem)
    assert problem.fields == {"scope": "write_contacts"}


@pytest.mark.parametrize(("token", "raised"), [("", ConfigurationError), ("a\nb", InvalidArgument)])
def test_texts_that_can_not_be_a_token(token: str, raised: type[Exception]) -> None:
    """It is told when the backend is made."""
    with pytest.raises(raised):
        OxOAuth(token)


def test_a_token_is_not_shown() -> None:
    """Neither by the backend nor by its place in a store."""
    backend = OxOAuth("t0k3n")
    assert "t0k3n" not in repr(backend) + backend.store_key(CONTEXT.base_url)
