"""``config``, ``jslob`` and ``capabilities``: the rights and the settings of a user."""

from __future__ import annotations

import copy
from typing import Any, Final

from ..folder_tree import default_folder_id
from ..handlers import OxCall, OxReply, handles
from ..refusals import bad_value, not_found, permission_denied
from ..state import OxUser, ServerState

__all__: list[str] = []

_CAPABILITIES: Final = ("active_sync", "calendar", "contacts", "drive", "infostore", "tasks", "webmail")
_MILLISECONDS: Final = 1000


# -- config ----------------------------------------------------------------------------------------


def _config_tree(state: ServerState, user: OxUser) -> dict[str, Any]:
    """Create the tree of settings that a user begins with."""
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
    value: Any = call.module_state(_config_tree)
    if call.text_param("path") == "currentTime":
        return OxReply(data=call.shift.to_wire(int(call.state.clock.now() * _MILLISECONDS)))
    for part in call.text_param("path").split("/"):
        value = value.get(part) if isinstance(value, dict) else None
    return OxReply(data={} if value is None else value)


@handles("config", "PUT /config/{path}")
def _set_config(call: OxCall) -> OxReply:
    """Set a value of the tree; the body is an object with ``data``."""
    tree: dict[str, Any] = call.module_state(_config_tree)
    if "data" not in call.body_object():
        raise bad_value("data", None, "it has to be there")
    *parents, last = call.text_param("path").split("/")
    for part in parents:
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            raise bad_value("path", call.text_param("path"), "there is a value above it")
    # The server decides these.
    if last in ("context_id", "identifier", "serverVersion"):
        raise permission_denied("USS-0001", f"change {last}")
    tree[last] = call.body_object()["data"]
    return OxReply()


def _properties(state: ServerState, user: OxUser) -> dict[str, Any]:
    """Create the properties of the server that a user may change."""
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
    """Create the trees of settings of a user's programs."""
    return {
        "io.ox/core": {"theme": "default", "folder": {"tree": "1"}, "refreshInterval": 300_000},
        "io.ox/mail": {"layout": "vertical", "threadSupport": True},
    }


def _build_jslob(key: str, tree: dict[str, Any]) -> dict[str, Any]:
    return {"id": key, "tree": tree, "meta": {name: {"configurable": True} for name in tree}}


@handles("jslob", "all")
def _all_jslobs(call: OxCall) -> OxReply:
    return OxReply(data=[_build_jslob(key, tree) for key, tree in call.module_state(_jslobs).items()])


@handles("jslob", "list")
def _list_jslobs(call: OxCall) -> OxReply:
    """Answer with a tree for each id, an empty one where nothing was ever stored."""
    trees = call.module_state(_jslobs)
    return OxReply(data=[_build_jslob(str(key), trees.get(str(key), {})) for key in call.body_array()])


@handles("jslob", "set")
def _set_jslob(call: OxCall) -> OxReply:
    call.module_state(_jslobs)[_read_jslob_id(call)] = copy.deepcopy(call.body_object())
    return OxReply()


def _read_jslob_id(call: OxCall) -> str:
    key = call.text_param("id") or call.text_param("serviceId")
    if not key:
        raise bad_value("id", "", "it names the settings")
    return key


@handles("jslob", "update")
def _update_jslob(call: OxCall) -> OxReply:
    """Merge the body into the tree, or into the part of it that the path names."""
    tree: dict[str, Any] = call.module_state(_jslobs).setdefault(_read_jslob_id(call), {})
    for part in _read_path(call):
        tree = tree.setdefault(part, {})
    _merge_tree(tree, call.body_object())
    return OxReply()


def _read_path(call: OxCall) -> list[str]:
    return [part for part in call.text_param("jslobPath").split("/") if part]


def _merge_tree(tree: dict[str, Any], changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        if isinstance(value, dict) and isinstance(tree.get(name), dict):
            _merge_tree(tree[name], value)
        else:
            # The body belongs to the journal: later merges must not change what it shows.
            tree[name] = copy.deepcopy(value)


@handles("jslob", "get")
def _get_jslob(call: OxCall) -> OxReply:
    value: Any = call.module_state(_jslobs).get(_read_jslob_id(call), {})
    for part in _read_path(call):
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
    """Answer with a capability, or with an empty object where the user has none of this name."""
    has_capability = call.text_param("id") in _CAPABILITIES
    return OxReply(data={"id": call.text_param("id"), "attributes": {}} if has_capability else {})
