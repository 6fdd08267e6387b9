"""``share/management`` and ``share/redeem``: links to what is shared, and shares of others."""

from __future__ import annotations

from typing import Any, Final

import attrs

from ..folder_tree import visible_folder
from ..handlers import Call, Reply, handles
from ..refusals import CONFLICT, OxError, missing, not_found
from ..state import Row, ServerState

__all__: list[str] = []

_SHARED: Final = "https://ox.example.com/ajax/share/"
_SETTABLE: Final = ("expiry_date", "password", "includeSubfolders")


@attrs.define(kw_only=True)
class _Link:
    """A link to a folder or an object in it."""

    token: str
    entity: int
    stamp: int
    options: Row = attrs.field(factory=dict)

    def shown(self, *, is_new: bool) -> Row:
        url = f"{_SHARED}{self.token}"
        return {
            "url": url,
            "entity": self.entity,
            "is_new": is_new,
            "includeSubfolders": False,
            **self.options,
        }


def _links(state: ServerState, user: Any) -> dict[tuple[str, str, str], _Link]:
    """The links that a user made, by what they lead to."""
    return {}


def _shares(state: ServerState, user: Any) -> dict[str, Row]:
    """The shares of others that a user took up, by link."""
    return {}


def _target(call: Call) -> tuple[str, str, str]:
    body = call.mapping()
    for name in ("module", "folder"):
        if not body.get(name):
            raise missing(name)
    visible_folder(call, body["folder"])
    return str(body["module"]), str(body["folder"]), str(body.get("item") or "")


def _link(call: Call) -> _Link:
    """The link to the target of the body.

    Raises:
        OxError: There is none, or it was changed since.
    """
    link = call.module_state(_links).get(_target(call))
    if link is None:
        raise not_found("SHR-0005", "share link")
    if link.stamp > call.number("timestamp", link.stamp):
        raise OxError("SHR-0010", "the link was changed in the meantime", category=CONFLICT)
    return link


@handles("share/management", "getLink")
def _get_link(call: Call) -> Reply:
    links, target = call.module_state(_links), _target(call)
    is_new = target not in links
    if is_new:
        links[target] = _Link(token=call.state.token(), entity=call.state.next_id(), stamp=call.state.stamp())
    return Reply(data=links[target].shown(is_new=is_new), timestamp=links[target].stamp)


@handles("share/management", "updateLink")
def _update_link(call: Call) -> Reply:
    link, body = _link(call), call.mapping()
    link.options |= {name: body[name] for name in _SETTABLE if name in body}
    link.options = {name: value for name, value in link.options.items() if value is not None}
    link.stamp = call.state.stamp()
    return Reply(timestamp=link.stamp)


@handles("share/management", "deleteLink")
def _delete_link(call: Call) -> Reply:
    _link(call)
    del call.module_state(_links)[_target(call)]
    return Reply(timestamp=call.state.stamp())


@handles("share/management", "sendLink")
def _send_link(call: Call) -> Reply:
    link = _link(call)
    if not call.mapping().get("recipients"):
        raise missing("recipients")
    return Reply(timestamp=link.stamp)


def _given(call: Call) -> str:
    link = call.mapping().get("link")
    if not link:
        raise missing("link")
    return str(link)


@handles("share/management", "analyze")
def _analyze(call: Call) -> Reply:
    """A link may be of a share that was taken up, of one that could be, or of none."""
    link = _given(call)
    known = call.module_state(_shares).get(link)
    if known is not None:
        return Reply(data={"state": "SUBSCRIBED", **known})
    if not link.startswith("http"):
        error = {
            "error": "the link leads nowhere",
            "code": "SHR-0009",
            "category": 1,
            "categories": "USER_INPUT",
        }
        return Reply(data={"state": "UNRESOLVABLE", "error": error})
    return Reply(data={"state": "ADDABLE_WITH_PASSWORD" if "password" in link else "ADDABLE"})


@handles("share/management", "subscribe", "resubscribe")
def _subscribe(call: Call) -> Reply:
    link = _given(call)
    shares = call.module_state(_shares)
    if call.operation.action == "resubscribe" and link not in shares:
        raise not_found("SHR-0005", f"share {link}")
    if link not in shares:
        number = call.state.next_id()
        shares[link] = {"account": str(number), "module": "infostore", "folder": f"xox{number}://0/10"}
    return Reply(data=shares[link], timestamp=call.state.last_stamp)


@handles("share/management", "unsubscribe")
def _unsubscribe(call: Call) -> Reply:
    if call.module_state(_shares).pop(_given(call), None) is None:
        raise not_found("SHR-0005", "share")
    return Reply(timestamp=call.state.last_stamp)


@handles("share/redeem", "GET /share/redeem/token")
def _redeem(call: Call) -> Reply:
    """Where a guest is led who follows a link."""
    about = {"share": call.text("token"), "login_type": "guest", "login_name": "guest"}
    return Reply(whole={**about, "language": call.text("language", "en_US")})
