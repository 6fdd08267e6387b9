"""``mailfilter`` and ``mailfilter/v2``: the rules of a user's mail; ``mail/categories``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..handlers import OxCall, Handler, OxReply, handles
from ..listing import read_objects
from ..mails.access import INBOX, given_mail, mailbox, mails_in
from ..mails.store import Mail
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
_CATEGORIES: Final = ("general", "social", "promotion", "forum", "update", "uc1", "uc2")

Rules = list[Row]


def _rules(state: Any, user: Any) -> Rules:
    """The rules of a user, in their order."""
    return []


def _both(*names: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        for module in _MODULES:
            handles(module, *names)(handler)
        return handler

    return register


def _found(call: OxCall, key: Any) -> Row:
    for rule in call.module_state(_rules):
        if rule["id"] == key:
            return rule
    raise not_found("MAIL_FILTER-0018", f"rule {key}")


def _placed(rules: Rules) -> Rules:
    """The rules with their positions."""
    return [{**rule, "position": position} for position, rule in enumerate(rules)]


@_both("list")
def _list(call: OxCall) -> OxReply:
    flag = call.text_param("flag")
    rules = _placed(call.module_state(_rules))
    return OxReply(data=[rule for rule in rules if not flag or flag in rule.get("flags", ())])


def _checked(body: Mapping[str, Any]) -> Row:
    test = body.get("test")
    if test is not None and (not isinstance(test, dict) or test.get("id") not in _TESTS):
        raise bad_value("test", test, f"its id is one of {', '.join(_TESTS)}")
    for command in body.get("actioncmds") or ():
        if command.get("id") not in _ACTIONS:
            raise bad_value("actioncmds", command, f"the id is one of {', '.join(_ACTIONS)}")
    return {name: value for name, value in body.items() if name not in ("id", "position", "text", "errormsg")}


@_both("new")
def _new(call: OxCall) -> OxReply:
    body, rules = call.body_object(), call.module_state(_rules)
    position = body.get("position", len(rules))
    if not isinstance(position, int) or not 0 <= position <= len(rules):
        raise bad_value("position", position, f"there are {len(rules)} rules")
    rule = {"active": True, "flags": [], "rulename": "", **_checked(body), "id": call.state.next_id()}
    rules.insert(position, rule)
    return OxReply(data=rule["id"])


@_both("update")
def _update(call: OxCall) -> OxReply:
    body = call.body_object()
    if "id" not in body:
        raise missing_value("id")
    _found(call, body["id"]).update(_checked(body))
    return OxReply()


@_both("delete")
def _delete(call: OxCall) -> OxReply:
    call.module_state(_rules).remove(_found(call, call.body_object().get("id")))
    return OxReply()


@_both("reorder")
def _reorder(call: OxCall) -> OxReply:
    """The named rules come in this order, in the places that they had."""
    wanted = [_found(call, key) for key in call.body_array()]
    rules = call.module_state(_rules)
    named = iter(wanted)
    rules[:] = [next(named) if rule in wanted else rule for rule in rules]
    return OxReply()


@_both("deletescript")
def _delete_script(call: OxCall) -> OxReply:
    call.module_state(_rules).clear()
    return OxReply()


@_both("getscript")
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
def _config2(call: OxCall) -> OxReply:
    tests = [{"id": name, "comparisons": ways} for name, ways in _TESTS.items()]
    actions = [{"id": name} for name in _ACTIONS]
    return OxReply(data={"tests": tests, "actioncmds": actions, "options": {"allowNestedTests": True}})


@handles("mailfilter/v2", "apply")
def _apply(call: OxCall) -> OxReply:
    """Apply a rule to a folder; an empty array tells that nothing went wrong."""
    rule = (
        _found(call, call.number_param("id"))
        if call.operation.method == "GET"
        else _checked(call.body_object())
    )
    folder = call.text_param("folderId", INBOX)
    for mail in mails_in(call, folder):
        if _fits(mail, rule.get("test") or {"id": "true"}):
            _carry_out(call, mail, rule.get("actioncmds") or ())
    return OxReply(data=[])


def _fits(mail: Mail, test: Mapping[str, Any]) -> bool:
    inner = test.get("tests") or ()
    match test["id"]:
        case "true":
            return True
        case "not":
            return not _fits(mail, test["test"])
        case "allof":
            return all(_fits(mail, one) for one in inner)
        case "anyof":
            return any(_fits(mail, one) for one in inner)
        case "size":
            size = int(test.get("size") or 0)
            return len(mail.raw) > size if test.get("comparison") == "over" else len(mail.raw) < size
        case name:
            names = test.get("headers") or [test.get("header") or name]
            return any(_compares(mail.head.text(one), test) for one in names)


def _compares(value: str | None, test: Mapping[str, Any]) -> bool:
    how, wanted = test.get("comparison"), [str(one) for one in test.get("values") or ()]
    if value is None or how == "exists":
        return value is not None and how == "exists"
    if how == "regex":
        return any(re.search(one, value) for one in wanted)
    low = value.lower()
    return any(low == one.lower() if how == "is" else one.lower().strip("*") in low for one in wanted)


def _carry_out(call: OxCall, mail: Mail, commands: Any) -> None:
    box = mailbox(call.state, call.user)
    for command in commands:
        if command["id"] == "move" and command.get("into"):
            mail = box.move(mail, str(command["into"]))
        elif command["id"] == "discard":
            box.remove(mail)
            return
        elif command["id"] == "addflags":
            mail.user = list(dict.fromkeys([*mail.user, *command.get("flags", ())]))


# -- categories ------------------------------------------------------------------------------------


def _category(call: OxCall) -> str:
    name = call.text_param("category_id")
    if name not in _CATEGORIES:
        raise bad_value("category_id", name, f"it is one of {', '.join(_CATEGORIES)}")
    return "" if name == "general" else name


@handles("mail/categories", "move")
def _move(call: OxCall) -> OxReply:
    category = _category(call)
    for one in read_objects(call.body, "folder_id", "id"):
        given_mail(call, str(one["folder_id"]), str(one["id"])).category = category
    return OxReply()


@handles("mail/categories", "train")
def _train(call: OxCall) -> OxReply:
    category, box = _category(call), mailbox(call.state, call.user)
    senders = [str(sender).lower() for sender in call.body_object().get("from") or ()]
    if call.flag_param("apply-for-future-ones", default=True):
        for sender in senders:
            box.train(sender, category)
    if call.flag_param("apply-for-existing"):
        for mail in box.mails(INBOX):
            if any(sender in (mail.head.text("From") or "").lower() for sender in senders):
                mail.category = category
    return OxReply()


@handles("mail/categories", "unread")
def _unread(call: OxCall) -> OxReply:
    mails = mailbox(call.state, call.user).mails(INBOX)
    counts = Counter(mail.category or "general" for mail in mails if not mail.seen)
    wanted = [name for name in call.text_param("category_ids").split(",") if name] or _CATEGORIES
    return OxReply(data={name: counts[name] for name in wanted})
