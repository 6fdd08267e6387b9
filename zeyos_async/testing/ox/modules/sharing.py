"""``share/management`` and ``share/redeem``: links to shared folders and objects, and shares of others."""

from __future__ import annotations

from typing import Any, Final

import attrs

from ..folder_tree import find_visible_folder
from ..handlers import OxCall, OxReply, handles
from ..refusals import CONFLICT, OxError, missing_value, not_found
from ..state import Row, ServerState

__all__: list[str] = []

_LINK_PREFIX: Final = "https://ox.example.com/ajax/share/"
_SETTABLE_FIELDS: Final = ("expiry_date", "password", "includeSubfolders")


@attrs.define(kw_only=True)
class _ShareLink:
    """A link to a folder or an object in it."""

    token: str
    entity: int
    stamp: int
    options: Row = attrs.field(factory=dict)

    def to_wire(self, *, is_new: bool) -> Row:
        url = f"{_LINK_PREFIX}{self.token}"
        return {
            "url": url,
            "entity": self.entity,
            "is_new": is_new,
            "includeSubfolders": False,
            **self.options,
        }


def _links(state: ServerState, user: Any) -> dict[tuple[str, str, str], _ShareLink]:
    """Create the links that a user made, by their targets: none so far."""
    return {}


def _shares(state: ServerState, user: Any) -> dict[str, Row]:
    """Create the shares of others that a user took up, by link: none so far."""
    return {}


def _read_target(call: OxCall) -> tuple[str, str, str]:
    body = call.body_object()
    for name in ("module", "folder"):
        if not body.get(name):
            raise missing_value(name)
    find_visible_folder(call, body["folder"])
    return str(body["module"]), str(body["folder"]), str(body.get("item") or "")


def _find_link(call: OxCall) -> _ShareLink:
    """Return the link to the target of the body.

    Raises:
        OxError: There is none, or it was changed since.
    """
    link = call.module_state(_links).get(_read_target(call))
    if link is None:
        raise not_found("SHR-0005", "share link")
    if link.stamp > call.number_param("timestamp", link.stamp):
        raise OxError("SHR-0010", "the link was changed in the meantime", category=CONFLICT)
    return link


@handles("share/management", "getLink")
def _get_link(call: OxCall) -> OxReply:
    links, target = call.module_state(_links), _read_target(call)
    is_new = target not in links
    if is_new:
        links[target] = _ShareLink(
            token=call.state.next_token(), entity=call.state.next_id(), stamp=call.state.next_stamp()
        )
    return OxReply(data=links[target].to_wire(is_new=is_new), timestamp=links[target].stamp)


@handles("share/management", "updateLink")
def _update_link(call: OxCall) -> OxReply:
    link, body = _find_link(call), call.body_object()
    link.options |= {name: body[name] for name in _SETTABLE_FIELDS if name in body}
    link.options = {name: value for name, value in link.options.items() if value is not None}
    link.stamp = call.state.next_stamp()
    return OxReply(timestamp=link.stamp)


@handles("share/management", "deleteLink")
def _delete_link(call: OxCall) -> OxReply:
    _find_link(call)
    del call.module_state(_links)[_read_target(call)]
    return OxReply(timestamp=call.state.next_stamp())


@handles("share/management", "sendLink")
def _send_link(call: OxCall) -> OxReply:
    link = _find_link(call)
    if not call.body_object().get("recipients"):
        raise missing_value("recipients")
    return OxReply(timestamp=link.stamp)


def _read_link(call: OxCall) -> str:
    link = call.body_object().get("link")
    if not link:
        raise missing_value("link")
    return str(link)


@handles("share/management", "analyze")
def _analyze(call: OxCall) -> OxReply:
    """Tell whether a link is of a share that was taken up, of one that could be, or of none."""
    link = _read_link(call)
    subscribed = call.module_state(_shares).get(link)
    if subscribed is not None:
        return OxReply(data={"state": "SUBSCRIBED", **subscribed})
    if not link.startswith("http"):
        error = {
            "error": "the link leads nowhere",
            "code": "SHR-0009",
            "category": 1,
            "categories": "USER_INPUT",
        }
        return OxReply(data={"state": "UNRESOLVABLE", "error": error})
    return OxReply(data={"state": "ADDABLE_WITH_PASSWORD" if "password" in link else "ADDABLE"})


@handles("share/management", "subscribe", "resubscribe")
def _subscribe(call: OxCall) -> OxReply:
    link = _read_link(call)
    shares = call.module_state(_shares)
    if call.operation.action == "resubscribe" and link not in shares:
        raise not_found("SHR-0005", f"share {link}")
    if link not in shares:
        number = call.state.next_id()
        shares[link] = {"account": str(number), "module": "infostore", "folder": f"xox{number}://0/10"}
    return OxReply(data=shares[link], timestamp=call.state.last_stamp)


@handles("share/management", "unsubscribe")
def _unsubscribe(call: OxCall) -> OxReply:
    if call.module_state(_shares).pop(_read_link(call), None) is None:
        raise not_found("SHR-0005", "share")
    return OxReply(timestamp=call.state.last_stamp)


@handles("share/redeem", "GET /share/redeem/token")
def _redeem_token(call: OxCall) -> OxReply:
    """Answer with the log-in that a guest who follows a link is led to."""
    about = {"share": call.text_param("token"), "login_type": "guest", "login_name": "guest"}
    return OxReply(bare_json={**about, "language": call.text_param("language", "en_US")})
