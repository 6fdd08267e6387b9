"""``gdpr/dataexport``, ``pns``, ``saml``, ``halo``, ``find`` and ``rss``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

import attrs

from ...answers import Answer
from ..events.view import arrange_events, read_range, visible_events
from ..handlers import OxCall, OxReply, handles
from ..mails.access import INBOX, MailColumns, build_zip, mailbox_of
from ..mails.parsing import build_snippet
from ..mails.rendering import build_mail_row
from ..mails.store import StoredMail
from ..refusals import CONFLICT, OxError, bad_value, missing_value, not_found
from ..state import Row, ServerState
from .contacts import KINDS, answer_picture, matches_pattern

__all__: list[str] = []

_EXPORTED_MODULES: Final = ("calendar", "contacts", "infostore", "mail", "tasks")
_WEEK: Final = 7 * 86_400_000
_PROVIDERS: Final = ("contacts", "mail", "calendar")
_PROVIDER_PREFIX: Final = "com.openexchange.halo."
_SEARCHED_MODULES: Final = ("mail", "contacts", "calendar", "tasks", "drive")
_HTML: Final = {"Content-Type": "text/html; charset=UTF-8"}


# -- exports of all data ---------------------------------------------------------------------------


@attrs.define
class _Export:
    """The one export that a user may have."""

    task: Row | None = None


def _export_state(state: ServerState, user: Any) -> _Export:
    return _Export()


@handles("gdpr/dataexport", "GET /gdpr/dataexport/availableModules")
def _list_exportable(call: OxCall) -> OxReply:
    common = {"enabled": True, "includePublic": False, "includeShared": False}
    module_options: Mapping[str, Row] = {
        "calendar": {"includeUnsubscribed": False},
        "infostore": {"includeTrash": False, "includeAllVersions": False},
        "mail": {"includeTrash": False, "includeUnsubscribed": False},
    }
    return OxReply(bare_json={name: {**common, **module_options.get(name, {})} for name in _EXPORTED_MODULES})


@handles("gdpr/dataexport", "GET /gdpr/dataexport")
def _get_export(call: OxCall) -> OxReply:
    task = call.module_state(_export_state).task
    return OxReply(data=task or {}, timestamp=call.state.last_stamp)


@handles("gdpr/dataexport", "POST /gdpr/dataexport")
def _submit_export(call: OxCall) -> OxReply:
    """Export everything at once: here, nothing takes long."""
    export = call.module_state(_export_state)
    if export.task is not None and not call.flag_param("deleteOldDataExport"):
        raise OxError("GDPR-EXPORT-0004", "there is an export already", category=CONFLICT)
    options = call.body if isinstance(call.body, dict) else {}
    modules = [name for name in _EXPORTED_MODULES if not options or (options.get(name) or {}).get("enabled")]
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
def _cancel_export(call: OxCall) -> OxReply:
    export = call.module_state(_export_state)
    existed = export.task is not None
    export.task = None
    return OxReply(bare_json={"success": existed})


@handles("gdpr/dataexport", "GET /gdpr/dataexport/{id}")
def _download_export(call: OxCall) -> OxReply:
    task = call.module_state(_export_state).task
    if task is None or task["id"] != call.text_param("id") or call.number_param("number") != 1:
        raise not_found("GDPR-EXPORT-0001", f"export {call.text_param('id')}")
    mails = mailbox_of(call.state, call.user).all_mails()
    files = [(f"mail {mail.folder} {mail.id}.eml", mail.raw) for mail in mails]
    return OxReply(answer=build_zip(files or [("empty.txt", b"")], "export-1.zip"))


# -- push notifications ----------------------------------------------------------------------------


def _subscriptions(state: ServerState, user: Any) -> dict[tuple[str, str, str], list[str]]:
    """Create the subscriptions of a user: client, transport and token → topics."""
    return {}


def _read_subscription(call: OxCall) -> tuple[str, str, str]:
    body = call.body_object()
    if not body.get("transport"):
        raise missing_value("transport")
    client = body.get("client") or (call.session.client if call.session else "")
    return str(client), str(body["transport"]), str(body.get("token") or "")


@handles("pns", "subscribe")
def _subscribe(call: OxCall) -> OxReply:
    key, topics = _read_subscription(call), call.body_object().get("topics")
    if not topics:
        raise missing_value("topics")
    call.module_state(_subscriptions)[key] = [topics] if isinstance(topics, str) else list(topics)
    return OxReply(data={"success": True})


@handles("pns", "unsubscribe")
def _unsubscribe(call: OxCall) -> OxReply:
    return OxReply(
        data={"success": call.module_state(_subscriptions).pop(_read_subscription(call), None) is not None}
    )


# -- single sign-on --------------------------------------------------------------------------------


@handles("saml", "GET /saml/{tenant}/init")
def _init_saml(call: OxCall) -> OxReply:
    flow = call.text_param("flow", "login")
    if flow not in ("login", "relogin", "logout"):
        raise bad_value("flow", flow, "it is login, relogin or logout")
    url = f"https://idp.example.com/{quote(call.text_param('tenant'))}/{flow}?SAMLRequest={call.state.next_token()}"
    return OxReply(bare_json={"redirect_uri": url})


@handles("saml", "POST /saml/{tenant}/acs", "POST /saml/{tenant}/sls")
def _receive_assertion(call: OxCall) -> OxReply:
    """Redirect the browser that comes back from the identity provider."""
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
    return OxReply(data=[_PROVIDER_PREFIX + name for name in _PROVIDERS])


@handles("halo/contact", "investigate")
def _investigate(call: OxCall) -> OxReply:
    """Answer with contacts, messages or events of a person, as rows of the named columns."""
    person = {**(call.body if isinstance(call.body, dict) else {}), **call.params}
    emails = {str(person[name]).lower() for name in ("email1", "email2", "email3") if person.get(name)}
    if (number := person.get("internal_userid")) and (user := call.state.users.get(int(number))):
        emails.add(user.email)
    if not emails:
        raise missing_value("email1")
    match call.text_param("provider").removeprefix(_PROVIDER_PREFIX):
        case "contacts":
            kind = KINDS["contacts"]
            rows = [row for row in kind.readable_rows(call) if _contact_addresses(row) & emails]
            return kind.build_list_reply(call, rows)
        case "mail":
            columns = MailColumns(call)
            mails = [
                mail
                for mail in mailbox_of(call.state, call.user).all_mails()
                if _has_participant(mail, emails)
            ]
            return OxReply(data=[columns.to_cells(mail) for mail in mails[: call.params.get("limit")]])
        case "calendar":
            events = [event for event in visible_events(call) if _attendee_addresses(event.data) & emails]
            return OxReply(data=arrange_events(call, events, read_range(call)))
        case other:
            raise not_found("HALO-0001", f"provider {other}")


def _contact_addresses(row: Row) -> set[str]:
    return {str(row[name]).lower() for name in ("email1", "email2", "email3") if row.get(name)}


def _has_participant(mail: StoredMail, emails: set[str]) -> bool:
    row = build_mail_row(mail)
    return bool({str(address).lower() for name in ("from", "to", "cc") for _, address in row[name]} & emails)


def _attendee_addresses(data: Row) -> set[str]:
    return {str(attendee.get("email")).lower() for attendee in data.get("attendees") or ()}


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
        is_match = (
            _contact_addresses(row) & emails
            or row.get("user_id") in numbers
            or row["id"] == call.text_param("id")
        )
        if is_match and "_image" in row:
            return answer_picture(row)
    return answer_picture(None)


# -- search over modules ---------------------------------------------------------------------------


def _read_module(call: OxCall) -> str:
    name = call.text_param("module")
    if name not in _SEARCHED_MODULES:
        raise bad_value("module", name, f"it is one of {', '.join(_SEARCHED_MODULES)}")
    return name


@handles("find", "autocomplete")
def _autocomplete(call: OxCall) -> OxReply:
    """Answer with the facets that fit what was typed so far: anywhere, or in the subject."""
    module, prefix = _read_module(call), str(call.body_object().get("prefix") or "")
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
    module, body = _read_module(call), call.body_object()
    words = [
        str(query)
        for facet in body.get("facets") or ()
        for query in (facet.get("filter") or {}).get("queries", ())
    ]
    results = _search_module(call, module, words)
    start, size = int(body.get("start") or 0), int(body.get("size") or len(results))
    page = results[start : start + size]
    return OxReply(data={"num_found": len(results), "start": start, "size": len(page), "results": page})


def _search_module(call: OxCall, module: str, words: list[str]) -> list[Row]:
    def fits(*texts: Any) -> bool:
        return all(any(matches_pattern(word, str(text or "")) for text in texts) for word in words)

    if module == "mail":
        mails = mailbox_of(call.state, call.user).mails(INBOX)
        rows = [(build_mail_row(mail), build_snippet(mail.parts)) for mail in mails]
        names = ("id", "folder_id", "subject", "from", "to", "flags")
        return [
            {name: row[name] for name in names}
            for row, text in rows
            if fits(row["subject"], text, row["from"])
        ]
    if module == "contacts":
        kind = KINDS["contacts"]
        contacts = [
            row for row in kind.readable_rows(call) if fits(row.get("display_name"), row.get("email1"))
        ]
        return [kind.model.to_object(kind.with_shown_folder(row), call.shift) for row in contacts]
    if module == "calendar":
        return arrange_events(
            call,
            [event for event in visible_events(call) if fits(event.data.get("summary"))],
            read_range(call),
        )
    return []


@handles("rss", "PUT /rss")
def _list_feeds(call: OxCall) -> OxReply:
    """Answer with two articles of every feed."""
    articles = []
    for url in call.params["feedUrl"]:
        if not urlsplit(url).scheme.startswith("http"):
            raise OxError("RSS-0002", f"{url} is no address of a feed", params=(url,))
        articles += [f"{url}#article-{number}" for number in (1, 2)]
    return OxReply(data=articles[: call.params.get("limit")])


@handles("mail", "resolve_share_reference")
def _resolve_share_reference(call: OxCall) -> OxReply:
    """Answer with the target of a mail that carries a link to files."""
    reference = call.body_object().get("reference")
    if not reference:
        raise missing_value("reference")
    user = call.user
    return OxReply(
        data={"shareToken": str(reference), "contextId": user.context, "userId": user.id, "files": []}
    )
