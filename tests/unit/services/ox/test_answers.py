"""What answers say: tables of bodies, and what is read from them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from yarl import URL

from zeyos_async.errors import (
    ApiError,
    BadRequest,
    Conflict,
    FailedWrite,
    NotAuthenticated,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    ServerError,
)
from zeyos_async.services.ox import errors
from zeyos_async.services.ox.answers import Envelope, format_message, parse_response, unwrap_html
from zeyos_async.wire import Request, Response, Safety

ASKED = Request(
    method="GET",
    url=URL("https://ox.example/ajax/contacts?action=get&session=s3cret"),
    headers={"Accept": "application/json"},
    safety=Safety.READ,
    operation="contacts.get",
)
WRITE = Request(
    method="PUT", url=URL("https://ox.example/ajax/mail"), safety=Safety.ONCE, operation="mail.new"
)


def answer(body: Any, *, status: int = 200, kind: str = "application/json") -> Response:
    """An answer with a body of JSON values or of bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status=status, headers={"Content-Type": kind}, body=raw, url=ASKED.url)


def envelope(body: Any) -> Envelope:
    """What an answer without an error says."""
    read, problem = parse_response(ASKED, answer(body))
    assert problem is None
    return read


DATA = {
    "data": ({"data": [1, 2], "timestamp": 5}, [1, 2], 5),
    "data that is null": ({"data": None}, None, None),
    "no data at all": ({"timestamp": 7}, None, 7),
    "a log-in has its fields at the top": (
        {"session": "a", "user": "b"},
        {"session": "a", "user": "b"},
        None,
    ),
    "a bare list": ([{"data": 1}], [{"data": 1}], None),
    "nothing": (b"", None, None),
    "a field of the payload that is called error": ({"data": {"error": "x"}}, {"error": "x"}, None),
}


@pytest.mark.parametrize("case", DATA)
def test_the_payload_and_the_time_stamp_are_read(case: str) -> None:
    """The payload is ``data``, or all there is where nothing has that name."""
    body, data, timestamp = DATA[case]
    read = envelope(body)
    assert (read.data, read.timestamp, read.warnings) == (data, timestamp, ())


FIRST = {"error": "Careful", "code": "MSG-1", "category": 13, "categories": "WARNING"}
SECOND = {"error": "Mind the step", "code": "MSG-2", "categories": ["WARNING"]}
WARNINGS = {
    "one, as an object": ({"data": 1, **FIRST, "warnings": FIRST}, ["MSG-1"]),
    "one, as a list": ({"data": 1, **FIRST, "warnings": [FIRST]}, ["MSG-1"]),
    "two": ({"data": 1, **FIRST, "warnings": [FIRST, SECOND]}, ["MSG-1", "MSG-2"]),
    "only in the place of an error": ({"data": 1, **FIRST}, ["MSG-1"]),
    "by the number alone": ({"data": 1, "error": "Careful", "code": "MSG-1", "category": 13}, ["MSG-1"]),
    "beside no error": ({"data": 1, "warnings": SECOND}, ["MSG-2"]),
}


@pytest.mark.parametrize("case", WARNINGS)
def test_a_warning_is_no_error(case: str) -> None:
    """A success with warnings has the first of them where errors are; ``warnings`` is an object or a list."""
    body, codes = WARNINGS[case]
    read = envelope(body)
    assert read.data == 1
    assert [warning.code for warning in read.warnings] == codes
    assert all(warning.harmless for warning in read.warnings)
    errors.check_answer(ASKED, answer(body))


CATEGORIES = [
    (1, "USER_INPUT", errors.OxUserInput, BadRequest),
    (2, "CONFIGURATION", errors.OxConfiguration, PermissionDenied),
    (3, "PERMISSION_DENIED", errors.OxPermissionDenied, PermissionDenied),
    (4, "TRY_AGAIN", errors.OxTryAgain, ApiError),
    (5, "SERVICE_DOWN", errors.OxServiceDown, ServerError),
    (6, "CONNECTIVITY", errors.OxConnectivity, ServerError),
    (8, "ERROR", errors.OxFailure, ServerError),
    (9, "CONFLICT", errors.OxConflict, Conflict),
    (11, "CAPACITY", errors.OxCapacity, BadRequest),
    (12, "TRUNCATED", errors.OxTruncated, BadRequest),
]


@pytest.mark.parametrize(("number", "name", "kind", "general"), CATEGORIES)
@pytest.mark.parametrize("form", ["number", "text", "list"])
def test_the_category_makes_the_class(
    number: int, name: str, kind: type[Exception], general: type[Exception], form: str
) -> None:
    """Errors come with status 200; the category may be a number, a text or a list of texts."""
    problem: dict[str, Any] = {"error": "No", "code": "XYZ-0001", "error_id": "17-3", "error_desc": "because"}
    problem |= {
        "number": {"category": number},
        "text": {"categories": name},
        "list": {"categories": [name, "X"]},
    }[form]
    with pytest.raises(errors.OxError, match=r"contacts.get: No \(XYZ-0001\)") as caught:
        errors.check_answer(ASKED, answer(problem))
    assert type(caught.value) is kind
    assert isinstance(caught.value, general)
    assert (caught.value.category, caught.value.error_id, caught.value.description) == (
        name,
        "17-3",
        "because",
    )
    assert "s3cret" not in str(caught.value)


def test_a_write_that_failed_in_the_server_may_have_been_done() -> None:
    """A lost connection to the mail server tells nothing of whether the mail was sent."""
    for number in (5, 6, 8):
        with pytest.raises(FailedWrite) as caught:
            errors.check_answer(WRITE, answer({"error": "gone", "code": "MSG-1", "category": number}))
        assert isinstance(caught.value, OutcomeUnknown)
        assert isinstance(caught.value, errors.OxError)
    with pytest.raises(errors.OxUserInput):
        errors.check_answer(WRITE, answer({"error": "no", "code": "MSG-1", "category": 1}))


@pytest.mark.parametrize("code", ["SES-0203", "SES-0201", "LGI-0006"])
def test_errors_of_sessions_are_of_the_credential(code: str) -> None:
    """Their category is TRY_AGAIN, and trying again does not help."""
    with pytest.raises(NotAuthenticated):
        errors.check_answer(ASKED, answer({"error": "Expired", "code": code, "category": 4}))


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        ({"error": "Missing the following request parameter: session"}, NotAuthenticated),
        ({"error": "Es fehlt ein Parameter.", "error_params": ["session"]}, NotAuthenticated),
        ({"error": "Missing the following request parameter: folder"}, errors.OxUserInput),
        ({"error": "Es fehlt ein Parameter.", "error_params": ["folder"]}, errors.OxUserInput),
    ],
)
def test_a_missing_parameter_is_one_of_the_credential_if_it_is_the_session(
    problem: dict[str, object], kind: type[Exception]
) -> None:
    """One code stands for both, and no log-in helps against the other."""
    with pytest.raises(kind) as caught:
        errors.check_answer(ASKED, answer({**problem, "code": "SVL-0002", "category": 1}))
    assert isinstance(caught.value, kind)
    assert isinstance(caught.value, NotAuthenticated) is (kind is NotAuthenticated)


def test_an_error_without_a_category_is_an_error() -> None:
    """What a server leaves out does not make a success of a failure."""
    with pytest.raises(errors.OxFailure):
        errors.check_answer(ASKED, answer({"error": "odd"}))


def test_truncated_attributes_are_named() -> None:
    """The attributes that were too long are data of the error."""
    problem = {"error": "Too long", "code": "CON-1", "category": 12, "truncated": [{"id": 501}, {"id": 502}]}
    with pytest.raises(errors.OxTruncated) as caught:
        errors.check_answer(ASKED, answer(problem))
    assert caught.value.truncated == (501, 502)


FORMATS = [
    ("Nothing to fill", [], "", "Nothing to fill"),
    ("%s of %s", ["2", "3"], "", "2 of 3"),
    ("%2$s, then %s, then %1$s, then %s", ["a", "b", "c"], "", "b, then c, then a, then b"),
    ("%s and %s", ["one"], "", "one and %s"),
    ("%s and %s", [], "", "%s and %s"),
    ("The file 50%s.txt is locked", ["50%s.txt"], "", "The file 50%s.txt is locked"),
    (
        "Contact %1$s of %2$s bytes, at most %3$s",
        ["Max", 2048, 1024],
        "CON-0101",
        "Contact Max of 2.0 KB bytes, at most 1.0 KB",
    ),
]


@pytest.mark.parametrize(("message", "params", "code", "expected"), FORMATS)
def test_messages_get_their_parameters_once(
    message: str, params: list[Any], code: str, expected: str
) -> None:
    """Places are filled as the document says; a message that is complete already stays as it is."""
    assert format_message(message, tuple(params), code) == expected


WRAPPED = b"""<!DOCTYPE HTML><html><head><script type="text/javascript">
(parent["callback_new"] || window.opener && window.opener["callback_new"])({"data":["a)b","(c"],"timestamp":3})
</script></head></html>"""


def test_json_in_a_page_is_unpacked() -> None:
    """Uploads are answered with a page around the envelope; errors are, too."""
    assert envelope(WRAPPED).data == ["a)b", "(c"]
    assert unwrap_html(b'{"data":1}') == b'{"data":1}'
    failed = WRAPPED.replace(
        b'{"data":["a)b","(c"],"timestamp":3}', b'{"error":"No","code":"X-1","category":3}'
    )
    with pytest.raises(errors.OxPermissionDenied):
        errors.check_answer(WRITE, answer(failed, kind="text/html"))


def test_a_page_without_json_is_an_error() -> None:
    """The page of a proxy, or of a server that does not know the action, is no result."""
    page = b"<html><head><title>SVL-0020 Bad request</title></head></html>"
    with pytest.raises(BadRequest, match="SVL-0020"):
        errors.check_answer(ASKED, answer(page, status=400, kind="text/html"))
    with pytest.raises(ServerError):
        errors.check_answer(ASKED, answer(page, kind="text/html"))


STATUSES = [
    (401, {"error": "invalid_token", "error_description": "expired"}, NotAuthenticated, "expired"),
    (403, {"error": "insufficient_scope", "scope": "read_mail"}, PermissionDenied, "read_mail"),
    (429, b"Too many", RateLimited, "Too many"),
    (401, b"", NotAuthenticated, "401"),
]


@pytest.mark.parametrize(("status", "body", "kind", "text"), STATUSES)
def test_errors_outside_the_envelope(status: int, body: Any, kind: type[Exception], text: str) -> None:
    """OAuth's errors are flat, the rate limit's are text."""
    with pytest.raises(kind, match=text):
        errors.check_answer(ASKED, answer(body, status=status))


def test_a_job_is_neither_result_nor_error() -> None:
    """Status 202 and code JOB-0003: the server goes on with the work."""
    problem = {"data": {"job": "9"}, "error": "Enqueued", "code": "JOB-0003", "category": 8}
    errors.check_answer(ASKED, answer(problem, status=202))
    assert envelope(problem).job == "9"


def test_answers_that_are_not_json_are_errors() -> None:
    """The error names the operation and shows how the body begins."""
    with pytest.raises(ServerError, match=r"contacts.get: JSON was expected, and '\{\"data\": oops"):
        parse_response(ASKED, answer(b'{"data": oops'))


STANDS_FOR = [
    ({"error": "Busy", "code": "MSG-1", "category": 4}, Safety.READ, 503),
    ({"error": "Down", "code": "DBP-1", "categories": ["SERVICE_DOWN"]}, Safety.READ, 503),
    ({"error": "Lost", "code": "MSG-2", "category": 6}, Safety.READ, 503),
    ({"error": "Lost", "code": "MSG-2", "category": 6}, Safety.ONCE, 200),
    ({"error": "Expired", "code": "SES-0203", "category": 4}, Safety.READ, 200),
    ({"error": "Wrong", "code": "CON-1", "category": 1}, Safety.READ, 200),
    ({"data": {"error": "TRY_AGAIN"}}, Safety.READ, 200),
]


@pytest.mark.parametrize(("body", "safety", "status"), STANDS_FOR)
def test_temporary_failures_of_reads_count_as_503(body: Any, safety: Safety, status: int) -> None:
    """Reads are tried again, as after a 503; writes and lost sessions are not."""
    request = Request(method="GET", url=ASKED.url, safety=safety)
    assert errors.effective_status(request, answer(body)) == status
