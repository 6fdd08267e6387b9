"""Requests read by the document: their operation and their parameters."""

from __future__ import annotations

from typing import Any

import pytest

from zeyos_async.testing.ox.refusals import OxError, PageRefusal
from zeyos_async.testing.ox.requests import find_operation, is_true, read_params
from zeyos_async.testing.ox.server_options import OxServerOptions

PATHS = [
    ("GET", "/contacts", "get", {}, "contacts?action=get", {}),
    ("PUT", "/contacts", "new", {}, "contacts?action=new", {}),
    ("GET", "/mail", "get", {"hdr": "1"}, "mail?action=get", {}),
    ("GET", "/infostore/a name.pdf", "document", {}, "infostore?action=document", {}),
    ("GET", "/config/modules/mail", "", {}, "GET /config/{path}", {"path": "modules/mail"}),
    ("GET", "/jslob/io.ox/core", "get", {}, "jslob?action=get", {"jslobPath": "io.ox/core"}),
    ("PUT", "/jslob", "update", {}, "jslob?action=update", {}),
    ("GET", "/mail/compose", "", {}, "GET /mail/compose", {}),
    ("POST", "/mail/compose/a1/send", "", {}, "POST /mail/compose/{id}/send", {"id": "a1"}),
    (
        "POST", "/mail/compose/a1/attachments/original", "", {},
        "POST /mail/compose/{id}/attachments/original", {"id": "a1"},
    ),
    ("DELETE", "/gdpr/dataexport/delete", "", {}, "DELETE /gdpr/dataexport/delete", {}),
    ("GET", "/login;jsessionid=x.OX0", "redirect", {}, "login?action=redirect", {"jsessionid": "x.OX0"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "action", "query", "name", "inside"), PATHS, ids=[case[4] for case in PATHS]
)
def test_requests_have_one_operation(
    method: str, path: str, action: str, query: Any, name: str, inside: Any
) -> None:
    """By path and action, or by verb and path; what a path holds is a parameter."""
    operation, path_params = find_operation(method, path, {"action": action, **query}, OxServerOptions())
    assert (str(operation), path_params) == (name, inside)
    assert operation.fixed == query


@pytest.mark.parametrize(
    ("method", "path", "action", "error"),
    [
        ("GET", "/nonsense", "all", PageRefusal),
        ("GET", "/contacts", "nonsense", OxError),
        ("GET", "/contacts", "new", OxError),
        ("DELETE", "/config/gui", "", OxError),
        ("GET", "/mailbox", "all", PageRefusal),
    ],
)
def test_requests_without_an_operation_are_refused(
    method: str, path: str, action: str, error: type[Exception]
) -> None:
    """There is no module, no action, or not with this verb."""
    with pytest.raises(error):
        find_operation(method, path, {"action": action}, OxServerOptions())


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("YES", True), ("y", True), ("on", True), ("1", True), ("0", False), ("ja", False)],
)
def test_texts_that_are_true(text: str, value: bool) -> None:
    """Several words, whatever their case; all else is not."""
    assert is_true(text) is value


def test_parameters_have_types() -> None:
    """Those that the document does not name come apart."""
    operation, _ = find_operation("GET", "/contacts", {"action": "autocomplete"}, OxServerOptions())
    query = {
        "columns": "1",
        "query": "",
        "email": "yes",
        "left_hand_limit": "3",
        "action": "autocomplete",
        "x": "y",
    }
    params, extra = read_params(operation, query)
    assert params == {"columns": "1", "query": "", "email": True, "left_hand_limit": 3}
    assert extra == {"action": "autocomplete", "x": "y"}
    with pytest.raises(OxError, match="left_hand_limit"):
        read_params(operation, {**query, "left_hand_limit": "three"})
