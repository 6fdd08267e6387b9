"""The operations' tables: what may be repeated, what needs which scope, what a batch can't have."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from codegen.ox_extract import OPERATIONS
from tests.unit.services.ox.calls import module
from zeyos_async.services.ox._generated import MODULES
from zeyos_async.services.ox.operation import DownloadOperation, Operation
from zeyos_async.services.ox.spec import BodyShape, ResultShape, Spec
from zeyos_async.wire import Safety

FACTS: Final[list[dict[str, Any]]] = json.loads(OPERATIONS.read_text("utf-8"))


def specs() -> list[Spec]:
    """Every operation's table."""
    return [
        declared.spec
        for name in MODULES
        for declared in vars(type(module(name))).values()
        if isinstance(declared, Operation | DownloadOperation) and declared.spec is not None
    ]


SPECS: Final = specs()
BY_NAME: Final = {spec.operation: spec for spec in SPECS}

CHANGING_GETS: Final = [
    "chronos/alarm.ack",
    "chronos/alarm.snooze",
    "fileaccount.delete",
    "infostore.lock",
    "infostore.move",
    "infostore.unlock",
    "jobs.cancel",
    "login.logout",
    "mailfilter/v2.apply",
    "mail.get",
    "messaging/account.delete",
    "oauth/grants.revoke",
    "recovery/secret.remove",
    "sessionmanagement.clear",
    "token.acquire_token",
]


@pytest.mark.parametrize("name", CHANGING_GETS)
def test_gets_that_change_something_are_no_reads(name: str) -> None:
    """The server looks at the action, not at the verb: these must not be repeated blindly."""
    assert BY_NAME[name].method == "GET"
    assert BY_NAME[name].safety is not Safety.READ


@pytest.mark.parametrize(
    "name",
    [
        "contacts.list",
        "contacts.advanced_search",
        "mail.search",
        "chronos.free_busy",
        "tasks.search",
        "group.all",
    ],
)
def test_puts_that_only_read_are_reads(name: str) -> None:
    """A list of IDs or a search term needs a body, and changes nothing."""
    assert BY_NAME[name].method == "PUT"
    assert BY_NAME[name].safety is Safety.READ


CREATING: Final = frozenset(
    {"new", "create", "copy", "import_", "send", "attach", "submit", "upload", "save_as", "new_raw"}
)


def test_creating_operations_are_never_repeated() -> None:
    """Twice would be two."""
    assert all(spec.safety is Safety.ONCE for spec in SPECS if spec.name in CREATING)
    assert all(
        spec.safety is Safety.ONCE for spec in SPECS if spec.body and spec.body.shape is BodyShape.PARTS
    )


def test_operations_that_no_batch_takes() -> None:
    """Trap 7: log-ins, uploads, downloads and what has no action."""
    for spec in SPECS:
        if (
            not spec.action
            or spec.returns in (ResultShape.DOWNLOAD, ResultShape.PAGE)
            or spec.module in ("login", "multiple")
        ):
            assert not spec.batchable, spec.operation
        if spec.body and spec.body.shape in (BodyShape.PARTS, BodyShape.RAW, BodyShape.FORM):
            assert not spec.batchable, spec.operation
    assert sum(spec.batchable for spec in SPECS) > 300


def test_scopes_sessions_and_warnings_of_the_document() -> None:
    """Who may call what, what is deprecated and what a server of 8.19 does not have: as in the facts."""

    def told(facts: dict[str, Any]) -> tuple[Any, ...]:
        security = facts.get("security") or ()
        return (
            facts["module"],
            facts["method"],
            facts.get("action") or facts["path"].strip("/"),
            bool(security),
            "oauth" in security,
            tuple(facts.get("oauth_scopes") or ()),
            bool(facts.get("deprecated")),
            facts.get("registered_in_8_19") is not False,
            facts.get("since") or "",
        )

    def made(spec: Spec) -> tuple[Any, ...]:
        facts = (spec.deprecated, spec.registered, spec.since)
        return (
            spec.module,
            spec.method,
            spec.action or spec.path,
            spec.session,
            spec.oauth,
            spec.scopes,
            *facts,
        )

    assert sorted(map(told, FACTS)) == sorted(map(made, SPECS))
    assert sum(spec.oauth for spec in SPECS) == 169


def test_errors_of_operations_that_no_server_has_say_so() -> None:
    """Trap 15: documented, and not there."""
    assert {spec.operation for spec in SPECS if not spec.registered} >= {
        "addressbooks.updates",
        "chronos/availability.get",
        "chronos/availability.set",
    }
    assert "8.19" in (module("addressbooks").updates.__doc__ or "")
    assert "Deprecated" in (module("contacts").all.__doc__ or "")


def test_every_operation_and_argument_is_described() -> None:
    """In a docstring with a summary, the route and a line for each parameter."""
    for name in MODULES:
        for declared in vars(type(module(name))).values():
            if isinstance(declared, Operation | DownloadOperation):
                assert declared.spec is not None
                text = declared.__doc__ or ""
                assert text[0].isupper(), text
                assert f"``{declared.spec.method} {declared.spec.path}" in text
                for param in declared.spec.params:
                    assert f"\n    {param.attr}: " in text.replace("\n            ", "\n    "), (
                        name,
                        param.attr,
                    )
