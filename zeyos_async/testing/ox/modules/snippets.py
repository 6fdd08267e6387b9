"""``snippet``: signatures and other texts, with their files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...answers import Answer
from ..handlers import OxCall, OxReply, handles
from ..refusals import missing_value, not_found
from ..state import OxUser, Row, ServerState

__all__: list[str] = []


def _snippets(state: ServerState, user: OxUser) -> dict[str, Row]:
    """Create the snippets that a user begins with: signatures and the like."""
    text = "-- \nJane “Doe” <jane@example.com>"
    first = {
        "id": "1",
        "accountid": 0,
        "createdby": user.id,
        "displayname": "Signature",
        "type": "signature",
        "module": "io.ox/mail",
        "content": text,
        "shared": False,
        "misc": {"insertion": "below"},
        "props": {},
        "files": [],
    }
    return {"1": first}


def _find_snippet(call: OxCall, key: Any) -> Row:
    row = call.module_state(_snippets).get(str(key))
    if row is None:
        raise not_found("SNIPPET-0008", f"snippet {key}")
    return row


def _show_snippet(row: Row) -> Row:
    return {name: value for name, value in row.items() if name[:1] != "_"}


@handles("snippet", "all")
def _all_snippets(call: OxCall) -> OxReply:
    types = call.text_param("type").split(",") if call.text_param("type") else None
    rows = call.module_state(_snippets).values()
    return OxReply(data=[_show_snippet(row) for row in rows if types is None or row.get("type") in types])


@handles("snippet", "list")
def _list_snippets(call: OxCall) -> OxReply:
    rows = call.module_state(_snippets)
    return OxReply(data=[_show_snippet(rows[str(key)]) for key in call.body_array() if str(key) in rows])


@handles("snippet", "get")
def _get_snippet(call: OxCall) -> OxReply:
    return OxReply(data=_show_snippet(_find_snippet(call, call.text_param("id"))))


@handles("snippet", "new")
def _new_snippet(call: OxCall) -> OxReply:
    body = call.body_object()
    for name in ("displayname", "type", "module"):
        if not body.get(name):
            raise missing_value(name)
    key = str(call.state.next_id())
    row = {**body, "id": key, "createdby": call.user.id, "accountid": 0, "files": []}
    call.module_state(_snippets)[key] = row
    return OxReply(data=key)


@handles("snippet", "update")
def _update_snippet(call: OxCall) -> OxReply:
    row = _find_snippet(call, call.text_param("id"))
    row.update({name: value for name, value in call.body_object().items() if name not in ("id", "files")})
    return OxReply(data=_show_snippet(row))


@handles("snippet", "delete")
def _delete_snippets(call: OxCall) -> OxReply:
    keys = call.body_array() if call.body else [call.text_param("id")]
    for key in keys:
        del call.module_state(_snippets)[_find_snippet(call, key)["id"]]
    return OxReply()


@handles("snippet", "attach")
def _attach_files(call: OxCall) -> OxReply:
    row = _find_snippet(call, call.text_param("id"))
    if not call.files:
        raise missing_value("file")
    for part in call.files:
        about = {
            "id": str(call.state.next_id()),
            "filename": part.filename or "file",
            "mimetype": part.content_type or "application/octet-stream",
            "size": len(part.content),
        }
        row["files"].append(about)
        row.setdefault("_content", {})[about["id"]] = part.content
    return OxReply(data=row["id"])


def _find_file(row: Row, key: Any) -> Mapping[str, Any]:
    for file in row["files"]:
        if file["id"] == str(key):
            return dict(file)
    raise not_found("SNIPPET-0011", f"attachment {key} of snippet {row['id']}")


@handles("snippet", "detach")
def _detach_files(call: OxCall) -> OxReply:
    row = _find_snippet(call, call.text_param("id"))
    detached = [
        _find_file(row, item.get("id") if isinstance(item, dict) else item)["id"]
        for item in call.body_array()
    ]
    row["files"] = [file for file in row["files"] if file["id"] not in detached]
    return OxReply(data=row["id"])


@handles("snippet", "getattachment")
def _get_attachment(call: OxCall) -> OxReply:
    row = _find_snippet(call, call.text_param("id"))
    about = _find_file(row, call.text_param("attachmentid"))
    headers = {
        "Content-Type": about["mimetype"],
        "Content-Disposition": f'attachment; filename="{about["filename"]}"',
    }
    return OxReply(answer=Answer(headers=headers, body=row["_content"][about["id"]]))
