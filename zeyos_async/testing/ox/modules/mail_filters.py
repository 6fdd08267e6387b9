"""``mailfilter`` and ``mailfilter/v2``: the rules of a user's mail."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..handlers import Handler, OxCall, OxReply, handles
from ..mails.access import INBOX, list_mails, mailbox_of
from ..mails.store import StoredMail
from ..refusals import bad_value, missing_value, not_found
from ..state import Row

__all__: list[str] = []

_MODULES: Final = ("mailfilter", "mailfilter/v2")
_ACTIONS: Final = (
    "keep", "discard", "redirect", "move", "reject", "stop", "vacation", "addflags", "notify",
)  # fmt: skip
_TESTS: Final = {
    "from": ["contains", "is", "matches", "regex"],
    "to": ["contains", "is", "matches", "regex"],
    "subject": ["contains", "is", "matches", "regex"],
    "header": ["contains", "is", "matches", "regex", "exists"],
    "size": ["over", "under"],
    "allof": [],
    "anyof": [],
    "not": [],
    "true": [],
}

Rules = list[Row]


def _rules(state: Any, user: Any) -> Rules:
    """Create the rules of a user, in their order: none so far."""
    return []


def _handles_both(*names: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        for module in _MODULES:
            handles(module, *names)(handler)
        return handler

    return register


def _find_rule(call: OxCall, key: Any) -> Row:
    for rule in call.module_state(_rules):
        if rule["id"] == key:
            return rule
    raise not_found("MAIL_FILTER-0018", f"rule {key}")


def _with_positions(rules: Rules) -> Rules:
    """Return the rules with their positions."""
    return [{**rule, "position": position} for position, rule in enumerate(rules)]


@_handles_both("list")
def _list(call: OxCall) -> OxReply:
    flag = call.text_param("flag")
    rules = _with_positions(call.module_state(_rules))
    return OxReply(data=[rule for rule in rules if not flag or flag in rule.get("flags", ())])


def _check_rule(body: Mapping[str, Any]) -> Row:
    test = body.get("test")
    if test is not None and (not isinstance(test, dict) or test.get("id") not in _TESTS):
        raise bad_value("test", test, f"its id is one of {', '.join(_TESTS)}")
    for command in body.get("actioncmds") or ():
        if command.get("id") not in _ACTIONS:
            raise bad_value("actioncmds", command, f"the id is one of {', '.join(_ACTIONS)}")
    return {name: value for name, value in body.items() if name not in ("id", "position", "text", "errormsg")}


@_handles_both("new")
def _new(call: OxCall) -> OxReply:
    body, rules = call.body_object(), call.module_state(_rules)
    position = body.get("position", len(rules))
    if not isinstance(position, int) or not 0 <= position <= len(rules):
        raise bad_value("position", position, f"there are {len(rules)} rules")
    rule = {"active": True, "flags": [], "rulename": "", **_check_rule(body), "id": call.state.next_id()}
    rules.insert(position, rule)
    return OxReply(data=rule["id"])


@_handles_both("update")
def _update(call: OxCall) -> OxReply:
    body = call.body_object()
    if "id" not in body:
        raise missing_value("id")
    _find_rule(call, body["id"]).update(_check_rule(body))
    return OxReply()


@_handles_both("delete")
def _delete(call: OxCall) -> OxReply:
    call.module_state(_rules).remove(_find_rule(call, call.body_object().get("id")))
    return OxReply()


@_handles_both("reorder")
def _reorder(call: OxCall) -> OxReply:
    """Put the named rules into this order, in the places that they had."""
    ordered = [_find_rule(call, key) for key in call.body_array()]
    rules = call.module_state(_rules)
    next_rules = iter(ordered)
    rules[:] = [next(next_rules) if rule in ordered else rule for rule in rules]
    return OxReply()


@_handles_both("deletescript")
def _delete_script(call: OxCall) -> OxReply:
    call.module_state(_rules).clear()
    return OxReply()


@_handles_both("getscript")
def _get_script(call: OxCall) -> OxReply:
    lines = ['require ["fileinto", "imap4flags"];']
    for rule in call.module_state(_rules):
        commands = " ".join(f"{command['id']};" for command in rule.get("actioncmds") or ())
        lines.append(
            f"# {rule['rulename']}\nif {(rule.get('test') or {}).get('id', 'true')} {{ {commands} }}"
        )
    return OxReply(data="\r\n".join(lines) + "\r\n")


@handles("mailfilter", "config")
def _config(call: OxCall) -> OxReply:
    tests = [{"test": name, "comparison": ways} for name, ways in _TESTS.items()]
    return OxReply(data={"tests": tests, "actioncommands": list(_ACTIONS), "capabilities": ["fileinto"]})


@handles("mailfilter/v2", "config")
def _config_v2(call: OxCall) -> OxReply:
    tests = [{"id": name, "comparisons": ways} for name, ways in _TESTS.items()]
    actions = [{"id": name} for name in _ACTIONS]
    return OxReply(data={"tests": tests, "actioncmds": actions, "options": {"allowNestedTests": True}})


@handles("mailfilter/v2", "apply")
def _apply(call: OxCall) -> OxReply:
    """Apply a rule to a folder; an empty array tells that nothing went wrong."""
    rule = (
        _find_rule(call, call.number_param("id"))
        if call.operation.method == "GET"
        else _check_rule(call.body_object())
    )
    folder = call.text_param("folderId", INBOX)
    for mail in list_mails(call, folder):
        if _matches_test(mail, rule.get("test") or {"id": "true"}):
            _run_commands(call, mail, rule.get("actioncmds") or ())
    return OxReply(data=[])


def _matches_test(mail: StoredMail, test: Mapping[str, Any]) -> bool:
    inner = test.get("tests") or ()
    match test["id"]:
        case "true":
            return True
        case "not":
            return not _matches_test(mail, test["test"])
        case "allof":
            return all(_matches_test(mail, inner_test) for inner_test in inner)
        case "anyof":
            return any(_matches_test(mail, inner_test) for inner_test in inner)
        case "size":
            size = int(test.get("size") or 0)
            return len(mail.raw) > size if test.get("comparison") == "over" else len(mail.raw) < size
        case name:
            names = test.get("headers") or [test.get("header") or name]
            return any(_matches_value(mail.headers.text(header), test) for header in names)


def _matches_value(value: str | None, test: Mapping[str, Any]) -> bool:
    comparison, values = test.get("comparison"), [str(item) for item in test.get("values") or ()]
    if value is None or comparison == "exists":
        return value is not None and comparison == "exists"
    if comparison == "regex":
        return any(re.search(pattern, value) for pattern in values)
    folded = value.lower()
    return any(
        folded == item.lower() if comparison == "is" else item.lower().strip("*") in folded for item in values
    )


def _run_commands(call: OxCall, mail: StoredMail, commands: Any) -> None:
    box = mailbox_of(call.state, call.user)
    for command in commands:
        if command["id"] == "move" and command.get("into"):
            # Later commands are about the moved message, which has another id.
            mail = box.move(mail, str(command["into"]))
        elif command["id"] == "discard":
            box.remove(mail)
            return
        elif command["id"] == "addflags":
            mail.user_flags = list(dict.fromkeys([*mail.user_flags, *command.get("flags", ())]))
