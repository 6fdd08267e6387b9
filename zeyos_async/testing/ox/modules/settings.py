"""``config``, ``jslob`` and ``capabilities``: what a user may do, and has chosen."""

from __future__ import annotations

import copy
from typing import Any, Final

from ..folder_tree import default_folder_id
from ..handlers import OxCall, OxReply, handles
from ..refusals import bad_value, permission_denied, not_found
from ..state import OxUser, ServerState

__all__: list[str] = []

_CAPABILITIES: Final = ("active_sync", "calendar", "contacts", "drive", "infostore", "tasks", "webmail")
_SECONDS: Final = 1000


# -- config ----------------------------------------------------------------------------------------


def _config(state: ServerState, user: OxUser) -> dict[str, Any]:
    """The tree of settings of a user."""
    folders = {
        name: int(default_folder_id(state, user, name))
        for name in ("tasks", "calendar", "contacts", "infostore")
    }
    mail = {
        "addresses": [user.email],
        "defaultaddress": user.email,
        "sendaddress": user.email,
        "folder": {
            name: f"default0/{name.upper() if name == 'inbox' else name.title()}" for name in _MAIL_FOLDERS
        },
        "htmlinline": True,
    }
    return {
        "gui": {"theme": "blue", "quote": '"\\'},
        "context_id": user.context,
        "identifier": user.id,
        "contact_id": 0,
        "language": user.locale,
        "timezone": user.zone,
        "serverVersion": "8.19.0-Rev1",
        "folder": folders,
        "mail": mail,
        "availableModules": ["mail", "calendar", "contacts", "tasks", "infostore"],
        "minimumSearchCharacters": 0,
        "modules": {name: {"module": True, "gui": {}} for name in ("mail", "calendar", "contacts", "tasks")},
    }


_MAIL_FOLDERS: Final = ("inbox", "drafts", "sent", "spam", "trash")


@handles("config", "GET /config/{path}")
def _get_config(call: OxCall) -> OxReply:
    value: Any = call.module_state(_config)
    if call.text_param("path") == "currentTime":
        return OxReply(data=call.shift.to_wire(int(call.state.clock.now() * _SECONDS)))
    for part in call.text_param("path").split("/"):
        value = value.get(part) if isinstance(value, dict) else None
    return OxReply(data={} if value is None else value)


@handles("config", "PUT /config/{path}")
def _set_config(call: OxCall) -> OxReply:
    """The body is an object with ``data``."""
    tree: dict[str, Any] = call.module_state(_config)
    if "data" not in call.body_object():
        raise bad_value("data", None, "it has to be there")
    *above, last = call.text_param("path").split("/")
    for part in above:
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            raise bad_value("path", call.text_param("path"), "there is a value above it")
    if last in ("context_id", "identifier", "serverVersion"):
        raise permission_denied("USS-0001", f"change {last}")
    tree[last] = call.body_object()["data"]
    return OxReply()


def _properties(state: ServerState, user: OxUser) -> dict[str, Any]:
    """The properties of the server that a user may change."""
    return {"com.openexchange.mail.flagged": "true"}


@handles("config", "get_property")
def _get_property(call: OxCall) -> OxReply:
    name = call.text_param("name")
    properties = call.module_state(_properties)
    if name not in properties:
        raise not_found("EMU-0404", f"property {name}")
    return OxReply(data={"name": name, "value": properties[name]})


@handles("config", "set_property")
def _set_property(call: OxCall) -> OxReply:
    name, value = call.text_param("name"), call.body_object().get("value")
    call.module_state(_properties)[name] = value
    return OxReply(data={"name": name, "value": value})


# -- jslob -----------------------------------------------------------------------------------------


def _jslobs(state: ServerState, user: OxUser) -> dict[str, dict[str, Any]]:
    """The trees of settings of a user's programs."""
    return {
        "io.ox/core": {"theme": "default", "folder": {"tree": "1"}, "refreshInterval": 300_000},
        "io.ox/mail": {"layout": "vertical", "threadSupport": True},
    }


def _jslob(key: str, tree: dict[str, Any]) -> dict[str, Any]:
    return {"id": key, "tree": tree, "meta": {name: {"configurable": True} for name in tree}}


@handles("jslob", "all")
def _all_jslobs(call: OxCall) -> OxReply:
    return OxReply(data=[_jslob(key, tree) for key, tree in call.module_state(_jslobs).items()])


@handles("jslob", "list")
def _list_jslobs(call: OxCall) -> OxReply:
    """One for each asked id, empty where nothing was ever stored."""
    trees = call.module_state(_jslobs)
    return OxReply(data=[_jslob(str(key), trees.get(str(key), {})) for key in call.body_array()])


@handles("jslob", "set")
def _set_jslob(call: OxCall) -> OxReply:
    call.module_state(_jslobs)[_jslob_id(call)] = copy.deepcopy(call.body_object())
    return OxReply()


def _jslob_id(call: OxCall) -> str:
    key = call.text_param("id") or call.text_param("serviceId")
    if not key:
        raise bad_value("id", "", "it names the settings")
    return key


@handles("jslob", "update")
def _update_jslob(call: OxCall) -> OxReply:
    """Merge the body into the tree, or into the part of it that the path names."""
    tree: dict[str, Any] = call.module_state(_jslobs).setdefault(_jslob_id(call), {})
    for part in _path(call):
        tree = tree.setdefault(part, {})
    _merge(tree, call.body_object())
    return OxReply()


def _path(call: OxCall) -> list[str]:
    return [part for part in call.text_param("jslobPath").split("/") if part]


def _merge(tree: dict[str, Any], changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        if isinstance(value, dict) and isinstance(tree.get(name), dict):
            _merge(tree[name], value)
        else:
            tree[name] = copy.deepcopy(value)


@handles("jslob", "get")
def _get_jslob(call: OxCall) -> OxReply:
    value: Any = call.module_state(_jslobs).get(_jslob_id(call), {})
    for part in _path(call):
        value = value.get(part) if isinstance(value, dict) else None
    if value is None:
        raise not_found("EMU-0404", f"{call.text_param('jslobPath')} of {call.text_param('id')}")
    return OxReply(data=value)


# -- capabilities ----------------------------------------------------------------------------------


@handles("capabilities", "all")
def _all_capabilities(call: OxCall) -> OxReply:
    return OxReply(data=[{"id": name, "attributes": {}} for name in _CAPABILITIES])


@handles("capabilities", "get")
def _get_capability(call: OxCall) -> OxReply:
    """An empty object where the user has no such capability."""
    known = call.text_param("id") in _CAPABILITIES
    return OxReply(data={"id": call.text_param("id"), "attributes": {}} if known else {})
