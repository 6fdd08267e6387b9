"""``gdpr/dataexport``, ``pns``, ``saml``, ``halo``, ``find`` and ``rss``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

import attrs

from ...answers import Answer
from ..events.view import arranged, events_of, range_of
from ..handlers import OxCall, OxReply, handles
from ..mails.access import INBOX, Columns, mailbox, zipped
from ..mails.parsing import snippet_of
from ..mails.rendering import mail_row
from ..mails.store import Mail
from ..refusals import CONFLICT, OxError, bad_value, missing_value, not_found
from ..state import Row, ServerState
from .contacts import KINDS, matching, picture

__all__: list[str] = []

_EXPORTED: Final = ("calendar", "contacts", "infostore", "mail", "tasks")
_WEEK: Final = 7 * 86_400_000
_PROVIDERS: Final = ("contacts", "mail", "calendar")
_PROVIDER: Final = "com.openexchange.halo."
_FOUND: Final = ("mail", "contacts", "calendar", "tasks", "drive")
_HTML: Final = {"Content-Type": "text/html; charset=UTF-8"}


# -- exports of all data ---------------------------------------------------------------------------


@attrs.define
class _Export:
    """The one export that a user may have."""

    task: Row | None = None


def _export(state: ServerState, user: Any) -> _Export:
    return _Export()


@handles("gdpr/dataexport", "GET /gdpr/dataexport/availableModules")
def _modules(call: OxCall) -> OxReply:
    common = {"enabled": True, "includePublic": False, "includeShared": False}
    more: Mapping[str, Row] = {
        "calendar": {"includeUnsubscribed": False},
        "infostore": {"includeTrash": False, "includeAllVersions": False},
        "mail": {"includeTrash": False, "includeUnsubscribed": False},
    }
    return OxReply(bare_json={name: {**common, **more.get(name, {})} for name in _EXPORTED})


@handles("gdpr/dataexport", "GET /gdpr/dataexport")
def _task(call: OxCall) -> OxReply:
    task = call.module_state(_export).task
    return OxReply(data=task or {}, timestamp=call.state.last_stamp)


@handles("gdpr/dataexport", "POST /gdpr/dataexport")
def _submit(call: OxCall) -> OxReply:
    """Everything is exported at once: here, nothing takes long."""
    export = call.module_state(_export)
    if export.task is not None and not call.flag_param("deleteOldDataExport"):
        raise OxError("GDPR-EXPORT-0004", "there is an export already", category=CONFLICT)
    given = call.body if isinstance(call.body, dict) else {}
    modules = [name for name in _EXPORTED if not given or (given.get(name) or {}).get("enabled")]
    key, now = call.state.next_token(), int(call.state.clock.now() * 1000)
    export.task = {
        "id": key,
        "status": "DONE",
        "creationTime": now,
        "startTime": now,
        "duration": 1,
        "availableUntil": now + _WEEK,
        "results": [
            {"fileInfo": "export-1.zip", "number": 1, "contentType": "application/zip", "taskId": key}
        ],
        "workItems": [
            {"id": call.state.next_token(), "module": name, "status": "DONE", "info": {}} for name in modules
        ],
    }
    return OxReply(bare_json={"success": True})


@handles("gdpr/dataexport", "DELETE /gdpr/dataexport", "DELETE /gdpr/dataexport/delete")
def _cancel(call: OxCall) -> OxReply:
    export = call.module_state(_export)
    had = export.task is not None
    export.task = None
    return OxReply(bare_json={"success": had})


@handles("gdpr/dataexport", "GET /gdpr/dataexport/{id}")
def _download(call: OxCall) -> OxReply:
    task = call.module_state(_export).task
    if task is None or task["id"] != call.text_param("id") or call.number_param("number") != 1:
        raise not_found("GDPR-EXPORT-0001", f"export {call.text_param('id')}")
    mails = mailbox(call.state, call.user).all_mails()
    files = [(f"mail {mail.folder} {mail.id}.eml", mail.raw) for mail in mails]
    return OxReply(answer=zipped(files or [("empty.txt", b"")], "export-1.zip"))


# -- push notifications ----------------------------------------------------------------------------


def _subscriptions(state: ServerState, user: Any) -> dict[tuple[str, str, str], list[str]]:
    """Client, transport and token → topics."""
    return {}


def _subscription(call: OxCall) -> tuple[str, str, str]:
    body = call.body_object()
    if not body.get("transport"):
        raise missing_value("transport")
    client = body.get("client") or (call.session.client if call.session else "")
    return str(client), str(body["transport"]), str(body.get("token") or "")


@handles("pns", "subscribe")
def _subscribe(call: OxCall) -> OxReply:
    key, topics = _subscription(call), call.body_object().get("topics")
    if not topics:
        raise missing_value("topics")
    call.module_state(_subscriptions)[key] = [topics] if isinstance(topics, str) else list(topics)
    return OxReply(data={"success": True})


@handles("pns", "unsubscribe")
def _unsubscribe(call: OxCall) -> OxReply:
    return OxReply(
        data={"success": call.module_state(_subscriptions).pop(_subscription(call), None) is not None}
    )


# -- single sign-on --------------------------------------------------------------------------------


@handles("saml", "GET /saml/{tenant}/init")
def _init(call: OxCall) -> OxReply:
    flow = call.text_param("flow", "login")
    if flow not in ("login", "relogin", "logout"):
        raise bad_value("flow", flow, "it is login, relogin or logout")
    url = f"https://idp.example.com/{quote(call.text_param('tenant'))}/{flow}?SAMLRequest={call.state.next_token()}"
    return OxReply(bare_json={"redirect_uri": url})


@handles("saml", "POST /saml/{tenant}/acs", "POST /saml/{tenant}/sls")
def _assertion(call: OxCall) -> OxReply:
    """The browser comes back from the identity provider and is sent on."""
    if not call.body_object().get("SAMLResponse"):
        raise missing_value("SAMLResponse")
    login = call.operation.path.endswith("/acs")
    token = call.state.next_token()
    target = (
        f"/ajax/login?action=samlLogin&token={token}"
        if login
        else f"/ajax/login?action=samlLogout&token={token}"
    )
    return OxReply(answer=Answer(status=302, headers={"Location": target}))


@handles("saml", "GET /saml/{tenant}/metadata")
def _metadata(call: OxCall) -> OxReply:
    text = f'<EntityDescriptor entityID="{quote(call.text_param("tenant"))}"/>'
    return OxReply(
        answer=Answer(headers={"Content-Type": "application/samlmetadata+xml"}, body=text.encode())
    )


@handles("saml", "GET /saml/{tenant}/sls")
def _single_logout(call: OxCall) -> OxReply:
    return OxReply(answer=Answer(headers=_HTML, body=b"<html><body>You are logged out.</body></html>"))


# -- what is known about a person ------------------------------------------------------------------


@handles("halo/contact", "services")
def _services(call: OxCall) -> OxReply:
    return OxReply(data=[_PROVIDER + name for name in _PROVIDERS])


@handles("halo/contact", "investigate")
def _investigate(call: OxCall) -> OxReply:
    """Contacts, messages or events of a person, as rows of the asked columns."""
    about = {**(call.body if isinstance(call.body, dict) else {}), **call.params}
    emails = {str(about[name]).lower() for name in ("email1", "email2", "email3") if about.get(name)}
    if (number := about.get("internal_userid")) and (user := call.state.users.get(int(number))):
        emails.add(user.email)
    if not emails:
        raise missing_value("email1")
    match call.text_param("provider").removeprefix(_PROVIDER):
        case "contacts":
            kind = KINDS["contacts"]
            rows = [row for row in kind.readable_rows(call) if _addresses(row) & emails]
            return kind.build_list_reply(call, rows)
        case "mail":
            columns = Columns(call)
            found = [mail for mail in mailbox(call.state, call.user).all_mails() if _with(mail, emails)]
            return OxReply(data=[columns.cells(mail) for mail in found[: call.params.get("limit")]])
        case "calendar":
            events = [event for event in events_of(call) if _people(event.data) & emails]
            return OxReply(data=arranged(call, events, range_of(call)))
        case other:
            raise not_found("HALO-0001", f"provider {other}")


def _addresses(row: Row) -> set[str]:
    return {str(row[name]).lower() for name in ("email1", "email2", "email3") if row.get(name)}


def _with(mail: Mail, emails: set[str]) -> bool:
    row = mail_row(mail)
    return bool({str(address).lower() for name in ("from", "to", "cc") for _, address in row[name]} & emails)


def _people(data: Row) -> set[str]:
    return {str(one.get("email")).lower() for one in data.get("attendees") or ()}


@handles("halo/contact/picture", "GET /halo/contact/picture")
def _picture(call: OxCall) -> OxReply:
    emails = {
        call.text_param(name).lower()
        for name in ("email", "email1", "email2", "email3")
        if call.text_param(name)
    }
    numbers = {
        call.number_param(name) for name in ("internal_userid", "userid", "user_id") if name in call.params
    }
    for row in KINDS["contacts"].readable_rows(call):
        known = (
            _addresses(row) & emails or row.get("user_id") in numbers or row["id"] == call.text_param("id")
        )
        if known and "_image" in row:
            return picture(row)
    return picture(None)


# -- search over modules ---------------------------------------------------------------------------


def _module(call: OxCall) -> str:
    name = call.text_param("module")
    if name not in _FOUND:
        raise bad_value("module", name, f"it is one of {', '.join(_FOUND)}")
    return name


@handles("find", "autocomplete")
def _autocomplete(call: OxCall) -> OxReply:
    """The facets that fit what was typed so far: anywhere, or in the subject."""
    module, prefix = _module(call), str(call.body_object().get("prefix") or "")
    facets = [
        {
            "id": field,
            "style": "simple",
            "name": f"{prefix} in {field}",
            "filter": {"fields": [field], "queries": [prefix]},
        }
        for field in (("global", "subject", "from") if module == "mail" else ("global",))
    ]
    return OxReply(data={"facets": facets if prefix else []})


@handles("find", "query")
def _query(call: OxCall) -> OxReply:
    module, body = _module(call), call.body_object()
    words = [
        str(one)
        for facet in body.get("facets") or ()
        for one in (facet.get("filter") or {}).get("queries", ())
    ]
    found = _results(call, module, words)
    start, size = int(body.get("start") or 0), int(body.get("size") or len(found))
    chunk = found[start : start + size]
    return OxReply(data={"num_found": len(found), "start": start, "size": len(chunk), "results": chunk})


def _results(call: OxCall, module: str, words: list[str]) -> list[Row]:
    def fits(*texts: Any) -> bool:
        return all(any(matching(word, str(text or "")) for text in texts) for word in words)

    if module == "mail":
        mails = mailbox(call.state, call.user).mails(INBOX)
        rows = [(mail_row(mail), snippet_of(mail.parts)) for mail in mails]
        shown = ("id", "folder_id", "subject", "from", "to", "flags")
        return [
            {name: row[name] for name in shown}
            for row, text in rows
            if fits(row["subject"], text, row["from"])
        ]
    if module == "contacts":
        kind = KINDS["contacts"]
        found = [row for row in kind.readable_rows(call) if fits(row.get("display_name"), row.get("email1"))]
        return [kind.model.to_object(kind.with_shown_folder(row), call.shift) for row in found]
    if module == "calendar":
        return arranged(
            call, [event for event in events_of(call) if fits(event.data.get("summary"))], range_of(call)
        )
    return []


@handles("rss", "PUT /rss")
def _feeds(call: OxCall) -> OxReply:
    """Two articles of every feed."""
    made = []
    for url in call.params["feedUrl"]:
        if not urlsplit(url).scheme.startswith("http"):
            raise OxError("RSS-0002", f"{url} is no address of a feed", params=(url,))
        made += [f"{url}#article-{number}" for number in (1, 2)]
    return OxReply(data=made[: call.params.get("limit")])


@handles("mail", "resolve_share_reference")
def _resolve(call: OxCall) -> OxReply:
    """What a mail that carries a link to files refers to."""
    reference = call.body_object().get("reference")
    if not reference:
        raise missing_value("reference")
    user = call.user
    return OxReply(
        data={"shareToken": str(reference), "contextId": user.context, "userId": user.id, "files": []}
    )
