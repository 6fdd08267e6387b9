"""Cases of mail, Drive, the calendar and services besides, by tables of parameters, bodies and files."""

from __future__ import annotations

from typing import Any

import aiohttp

from .registry import CASES, Case, Prepared, prepares

__all__: list[str] = []

Values = dict[str, Any]

INBOX = "default0/INBOX"
FILE = ("ä.txt", "text/plain", b"content")
PICTURE = ("p.png", "image/png", b"\x89PNG")
RANGE = {"rangeStart": "20240301T000000Z", "rangeEnd": "20240601T000000Z"}
EVENT = {"folder": "cal://0/21", "id": "$event", "timestamp": 2**53}
MAIL = {"folder": INBOX, "id": "$mail"}
TARGET = {"module": "infostore", "folder": "30"}
CALENDAR = b"""BEGIN:VCALENDAR\r
VERSION:2.0\r
METHOD:REQUEST\r
BEGIN:VEVENT\r
UID:invitation\r
DTSTART:20240501T100000Z\r
DTEND:20240501T110000Z\r
SUMMARY:Invitation\r
ORGANIZER:mailto:boss@example.org\r
ATTENDEE:mailto:jane@example.com\r
END:VEVENT\r
END:VCALENDAR\r
"""
INVITATION = (
    b"Date: Wed, 1 May 2024 10:00:00 +0200\r\nFrom: Boss <boss@example.org>\r\nTo: Jane <jane@example.com>\r\nSubject: Invitation\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/calendar; charset=utf-8\r\n\r\n" + CALENDAR
)
LETTER = (
    b"Date: Wed, 1 May 2024 10:00:00 +0200\r\nFrom: Max <max@example.org>\r\nTo: Jane <jane@example.com>\r\n"
    b"Subject: Letter\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
    b"--b\r\nContent-Type: image/png; name=p.png\r\nContent-Disposition: attachment; filename=p.png\r\n\r\nx\r\n--b--\r\n"
)
SOURCE = {
    "com.openexchange.mail.conversion.fullname": INBOX,
    "com.openexchange.mail.conversion.mailid": "$invitation",
    "com.openexchange.mail.conversion.sequenceid": "1",
}


# -- values that have to be made before ------------------------------------------------------------


@prepares("mail", "mail/categories", "chronos/itip", "conversion", "image")
async def _mail(wire: Any) -> Values:
    values = {"attachment": "2"}
    for name, raw in (("mail", LETTER), ("invitation", INVITATION)):
        options = {"data": raw, "headers": {"Content-Type": "message/rfc822"}}
        stored = await wire.send("PUT", "mail", "new", options=options, folder=INBOX)
        values[name] = stored.data["id"]
    return values


@prepares("mail/compose")
async def _space(wire: Any) -> Values:
    values = await _mail(wire)
    original = [{"id": values["mail"], "folderId": INBOX}]
    path = f"/mail/compose?type=forward&session={wire.session}"
    space = (await wire.raw("POST", path, json=original)).data
    return {**values, "space": space["id"], "space_attachment": space["attachments"][0]["id"]}


@prepares("chronos", "chronos/alarm")
async def _event(wire: Any) -> Values:
    body = {
        "summary": "Prepared",
        "startDate": {"value": "20240502T100000", "tzid": "Europe/Berlin"},
        "endDate": {"value": "20240502T110000", "tzid": "Europe/Berlin"},
        "rrule": "FREQ=WEEKLY;COUNT=4",
        "attendees": [{"entity": 3}, {"entity": 4}],
        "alarms": [{"action": "DISPLAY", "trigger": {"duration": "-PT15M"}}],
    }
    event = (await wire.put("chronos", "new", body, folder="cal://0/21")).data["created"][0]
    return {"event": event["id"], "alarm": event["alarms"][0]["id"]}


@prepares(
    "chronos/itip",
    actions=("apply_change", "apply_response", "apply_remove", "accept_party_crasher", "delete", "update"),
)
async def _stored_invitation(wire: Any) -> Values:
    values = await _mail(wire)
    await wire.put("chronos/itip", "apply_create", Prepared(values).fill(SOURCE))
    return values


@prepares("attachment", "infostore")
async def _attachment(wire: Any) -> Values:
    contact = wire.emulator.rows("contacts")[-1]["id"]
    form = aiohttp.FormData()
    form.add_field("json_0", f'{{"module": 7, "folder": 25, "attached": {contact}}}')
    form.add_field("file_0", b"x", filename="x.txt", content_type="text/plain")
    options = {"data": form}
    answer = await wire.send("POST", "attachment", "attach", options=options, force_json_response="true")
    return {"contact": contact, "attachment": answer.data[0]}


@prepares("file", "image")
async def _upload(wire: Any) -> Values:
    form = aiohttp.FormData()
    form.add_field("file", PICTURE[2], filename="p.png", content_type="image/png")
    answer = await wire.send(
        "POST", "file", "new", options={"data": form}, module="mail", type="image", force_json_response="true"
    )
    return {"upload": answer.data[0]}


@prepares("mailfilter", "mailfilter/v2")
async def _rule(wire: Any) -> Values:
    body = {"rulename": "x", "test": {"id": "true"}, "actioncmds": [{"id": "keep"}]}
    return {"rule": (await wire.put("mailfilter", "new", body)).data}


@prepares("share/management")
async def _link(wire: Any) -> Values:
    await wire.put("share/management", "getLink", TARGET)
    await wire.put("share/management", "subscribe", {"link": "https://other.example.com/share/1"})
    return {}


@prepares("oauth/accounts")
async def _account(wire: Any) -> Values:
    params = {"serviceId": "com.openexchange.oauth.google", "displayName": "x", "scopes": "drive"}
    pending = (await wire.get("oauth/accounts", "init", **params)).data
    again = (await wire.get("oauth/accounts", "init", **params)).data
    consent = {"oauth_token": again["token"], "uuid": again["uuid"], "displayName": "x", "scopes": "drive"}
    account = (await wire.put("oauth/accounts", "create", **consent)).data
    return {"token": pending["token"], "uuid": pending["uuid"], "account": account["id"]}


@prepares("gdpr/dataexport")
async def _export(wire: Any) -> Values:
    await wire.raw("POST", f"/gdpr/dataexport?session={wire.session}", json={"mail": {"enabled": True}})
    return {"export": (await wire.raw("GET", f"/gdpr/dataexport?session={wire.session}")).data["id"]}


@prepares("export")
async def _contact(wire: Any) -> Values:
    return {"contact": wire.emulator.rows("contacts")[-1]["id"]}


# -- tables ----------------------------------------------------------------------------------------

_ROWS = {"folder": INBOX, "columns": "600,601,607,609"}
_ITEM = {"id": "30/1", "folder": "30"}
_PLACE = {"module": 7, "folder": 25, "attached": "$contact"}
_NEWS = "com.openexchange.messaging.rss"
_SPACE = {"id": "$space"}
_PART = {"id": "$space", "attachmentId": "$space_attachment"}

PARAMETERS: dict[str, dict[str, Any]] = {
    **{f"GET mail {name}": _ROWS for name in ("all", "threadedAll", "thread_references", "updates")},
    "PUT mail search": _ROWS,
    "PUT mail list": {"columns": "600,601"},
    **{f"GET mail {name}": {"folder": INBOX} for name in ("count", "examine")},
    "PUT mail all_seen": {"folder": INBOX},
    **{f"GET mail {name}": MAIL for name in ("get", "get hdr", "get src", "reply", "replyall", "forward")},
    **{f"PUT mail {name}": MAIL for name in ("update", "copy", "export_PDF")},
    "GET mail attachment": {**MAIL, "attachment": "$attachment"},
    "PUT mail attachment": {**MAIL, "attachment": "$attachment", "dest_folder": "30"},
    "GET mail zip_attachments": {**MAIL, "attachment": "$attachment"},
    "GET mail zip_messages": MAIL,
    "PUT mail autosave": {"csid": "x"},
    "POST mail import": {"folder": INBOX},
    "PUT mail/categories move": {"category_id": "social"},
    "PUT mail/categories train": {"category_id": "social"},
    **{f"{verb} mail/compose {verb} /mail/compose/{{id}}": _SPACE for verb in ("GET", "PUT", "PATCH", "DELETE")},
    **{
        f"POST mail/compose POST /mail/compose/{{id}}/{name}": _SPACE
        for name in (
            "attachments", "attachments/original", "attachments/vcard", "referencedAttachment", "save", "send",
        )
    },
    **{
        f"{verb} mail/compose {verb} /mail/compose/{{id}}/attachments/{{attachmentId}}": _PART
        for verb in ("GET", "POST", "DELETE")
    },
    "GET mailfilter/v2 apply": {"id": "$rule"},
    "GET chronos all": {**RANGE, "folder": "cal://0/21"},
    "PUT chronos all": RANGE,
    "PUT chronos advancedSearch": RANGE,
    "GET chronos needsAction": RANGE,
    "PUT chronos freeBusy": {"from": RANGE["rangeStart"], "until": RANGE["rangeEnd"]},
    **{f"GET chronos {name}": EVENT for name in ("get", "getAttachment")},
    "GET chronos getRecurrence": {**EVENT, "recurrenceId": "Europe/Berlin:20240509T100000"},
    **{f"PUT chronos {name}": EVENT for name in ("update", "updateAttendee", "changeOrganizer", "forward")},
    "POST chronos update": EVENT,
    "POST chronos move": {**EVENT, "targetFolder": "60"},
    "PUT chronos new": {"folder": "cal://0/21"},
    "POST chronos new": {"folder": "cal://0/21"},
    "GET chronos resolve": {"id": "$event"},
    "GET chronos updates": {"folder": "cal://0/21", "timestamp": 0},
    "PUT chronos zipAttachments": EVENT,
    "GET chronos/alarm ack": {**EVENT, "alarmId": "$alarm"},
    "GET chronos/alarm snooze": {**EVENT, "alarmId": "$alarm", "snoozeTime": 300_000},
    "GET chronos/alarm pending": RANGE,
    "PUT chronos/alarm updateAlarms": EVENT,
    **{f"GET attachment {name}": _PLACE for name in ("all", "updates")},
    **{f"GET attachment {name}": {**_PLACE, "id": "$attachment"} for name in ("get", "document")},
    **{f"PUT attachment {name}": _PLACE for name in ("list", "detach", "zipDocuments")},
    **{
        f"GET infostore {name}": _ITEM
        for name in ("document", "get", "backwardLink", "lock", "unlock", "versions")
    },
    **{f"GET infostore {name}": {"folder": "30"} for name in ("all", "updates", "zipfolder")},
    "GET infostore checkname": {"name": "good.txt"},
    "GET infostore move": {"id": "30/1", "folder": "31"},
    "PUT infostore move": {"folder": "31"},
    **{f"PUT infostore {name}": _ITEM for name in ("copy", "detach", "notify", "revert", "update")},
    **{f"POST infostore {name}": {"id": "30/1"} for name in ("copy", "update")},
    "PUT infostore saveAs": {**_PLACE, "attachment": "$attachment"},
    "PUT infostore upload binary": {"folder_id": "30", "filename": "u.bin"},
    "GET file get": {"id": "$upload"},
    "GET file keepalive": {"id": "$upload"},
    "POST file new": {"module": "mail", "type": "image"},
    "GET image GET /image/file/mp3cover": {"id": "$upload"},
    "GET image GET /image/mfile/picture": {"uid": "$upload"},
    "GET image GET /image/mail/picture": {**MAIL, "uid": "$attachment"},
    "GET image GET /image/mail/trustedMail/picture": {"uid": "nothing"},
    "GET gdpr/dataexport GET /gdpr/dataexport/{id}": {"id": "$export", "number": 1},
    "POST gdpr/dataexport POST /gdpr/dataexport": {"deleteOldDataExport": "true"},
    **{f"GET export {name}": {"folder": "25", "columns": "501,502"} for name in ("CSV", "VCARD")},
    "GET export ICAL": {"folder": "21"},
    **{f"POST import {name}": {"folder": "25"} for name in ("CSV", "OUTLOOK_CSV", "VCARD")},
    "POST import ICAL": {"folder": "21"},
    **{f"GET messaging/account {name}": {"messagingService": _NEWS, "id": 1} for name in ("get", "delete")},
    "GET messaging/message all": {"columns": "id,subject", "folder": f"{_NEWS}://1/inbox"},
    "GET messaging/message get": {"id": "1", "folder": f"{_NEWS}://1/inbox"},
    "PUT messaging/message list": {"columns": "id,subject"},
    "PUT messaging/message perform": {"messageAction": "comment"},
    "GET messaging/service get": {"id": _NEWS},
    "GET oauth/services get": {"id": "com.openexchange.oauth.google"},
    "GET oauth/grants revoke": {"client": "c2FtcGxl"},
    "GET oauth/accounts init": {"serviceId": "com.openexchange.oauth.google"},
    "PUT oauth/accounts create": {"oauth_token": "$token", "uuid": "$uuid"},
    "GET oauth/accounts get": {"id": "$account"},
    **{f"PUT oauth/accounts {name}": {"id": "$account"} for name in ("delete", "update")},
    "PUT oauth/accounts reauthorize": {"id": "$account", "serviceId": "com.openexchange.oauth.google"},
    "GET halo/contact investigate": {
        "provider": "com.openexchange.halo.contacts", "columns": "1,20,500", "email1": "jane@example.com",
    },
    "PUT halo/contact investigate": {"provider": "com.openexchange.halo.contacts", "columns": "1,20,500"},
    "PUT find autocomplete": {"module": "mail"},
    "PUT find query": {"module": "mail"},
    "PUT rss PUT /rss": {"feedUrl": "https://news.example.org/feed"},
    **{f"{verb} saml {verb} /saml/{{tenant}}/{name}": {"tenant": "one"}
       for verb, name in (("POST", "acs"), ("GET", "init"), ("GET", "metadata"), ("GET", "sls"), ("POST", "sls"))},
    "GET share/redeem GET /share/redeem/token": {"token": "abc"},
}  # fmt: skip

_TERM = {"filter": ["=", {"field": "subject"}, "*"]}
_ADDRESSED = {"from": [["", "jane@example.com"]], "to": [["", "x@example.org"]], "subject": "s"}
_MESSAGE = {**_ADDRESSED, "attachments": [{"content_type": "text/plain", "content": "x"}], "sendtype": 0}
_FILE_BODY = {"file": {"folder_id": "30", "title": "x"}}
_MOMENT = {"value": "20240601T100000", "tzid": "Europe/Berlin"}
_NEW_EVENT = {"summary": "x", "startDate": _MOMENT, "endDate": _MOMENT}
_RULE = {"rulename": "y", "test": {"id": "true"}, "actioncmds": [{"id": "keep"}]}

BODIES: dict[str, Any] = {
    **{f"PUT mail {name}": [MAIL] for name in ("list", "delete")},
    **{f"PUT mail {name}": [INBOX] for name in ("clear", "expunge")},
    "PUT mail search": _TERM,
    "GET mail thread_references": '{"filter": ["=", {"field": "subject"}, "*"]}',
    "PUT mail update": {"set_flags": 32},
    "PUT mail copy": {"folder_id": "default0/Archive"},
    "PUT mail move_all": {"source": INBOX, "target": "default0/Archive"},
    "PUT mail new": INVITATION,
    "POST mail new": {"json_0": _MESSAGE},
    "PUT mail autosave": _MESSAGE,
    "PUT mail receipt_ack": MAIL,
    "PUT mail attachment": {"filename": "saved.txt"},
    "PUT mail export_PDF": {"folder_id": "30"},
    "PUT mail resolve_share_reference": {"reference": "abc"},
    "PUT mail/categories move": [{"id": "$mail", "folder_id": INBOX}],
    "PUT mail/categories train": {"from": ["x@example.org"]},
    "POST mail/compose POST /mail/compose": [],
    "PUT mail/compose PUT /mail/compose/{id}": {"subject": "s"},
    "PATCH mail/compose PATCH /mail/compose/{id}": {"subject": "s"},
    "POST mail/compose POST /mail/compose/{id}/referencedAttachment": {"JSON": {"origin": "drive", "id": "30/1"}},
    "POST mail/compose POST /mail/compose/{id}/send": {"JSON": {"to": [["", "x@example.org"]]}},
    **{f"PUT {module} {name}": _RULE for module in ("mailfilter", "mailfilter/v2") for name in ("new", "apply")},
    **{f"PUT {module} update": {**_RULE, "id": "$rule"} for module in ("mailfilter", "mailfilter/v2")},
    **{f"PUT {module} delete": {"id": "$rule"} for module in ("mailfilter", "mailfilter/v2")},
    **{f"PUT {module} reorder": ["$rule"] for module in ("mailfilter", "mailfilter/v2")},
    "PUT chronos all": {"folders": ["cal://0/21"]},
    "PUT chronos advancedSearch": {"filter": ["=", {"field": "summary"}, "*"]},
    "PUT chronos freeBusy": {"attendees": [{"entity": 3}]},
    "PUT chronos list": [{"id": "$event", "folder": "cal://0/21"}],
    "PUT chronos new": _NEW_EVENT,
    "POST chronos new": {"json_0": _NEW_EVENT},
    "PUT chronos update": {"event": {"summary": "y"}},
    "POST chronos update": {"json_0": {"event": {"summary": "y"}}},
    "PUT chronos updateAttendee": {"attendee": {"entity": 3, "partStat": "DECLINED"}},
    "PUT chronos changeOrganizer": {"organizer": {"entity": 4}},
    "PUT chronos forward": {"recipients": [{"email": "x@example.org"}]},
    "PUT chronos delete": {"events": [{"id": "$event", "folder": "cal://0/21"}]},
    "PUT chronos/alarm updateAlarms": [{"action": "DISPLAY", "trigger": {"duration": "PT0S"}}],
    "PUT chronos/account probe": {"title": "x"},
    "PUT chronos/availability set": {"availableTimes": []},
    **{
        f"PUT chronos/itip {name}": SOURCE
        for name in (
            "accept", "accept_and_ignore_conflicts", "accept_party_crasher", "analyze", "apply_change",
            "apply_create", "apply_proposal", "apply_remove", "apply_response", "decline",
            "decline_party_crasher", "delete", "ignore", "tentative", "update",
        )
    },
    "POST attachment attach": {"json_0": {"module": 7, "folder": 25, "attached": "$contact"}},
    **{f"PUT attachment {name}": ["$attachment"] for name in ("list", "detach", "zipDocuments")},
    "PUT infostore advancedSearch": {"filter": ["=", {"field": "title"}, "*"]},
    "PUT infostore search": {"pattern": "*"},
    **{f"PUT infostore {name}": [_ITEM] for name in ("delete", "list", "move", "zipdocuments")},
    "PUT infostore restore": [_ITEM],
    "PUT infostore detach": [1],
    "PUT infostore notify": {"entities": ["4"]},
    "PUT infostore new": _FILE_BODY,
    "PUT infostore copy": {"folder_id": "31"},
    "PUT infostore update": _FILE_BODY,
    "PUT infostore saveAs": [_FILE_BODY],
    **{f"POST infostore {name}": {"json": {"folder_id": "30", "title": "x"}} for name in ("new", "copy", "update")},
    **{f"PUT export {name}": [{"id": "$contact", "folder_id": "25"}] for name in ("CSV", "VCARD")},
    "PUT export ICAL": [{"id": "1001", "folder_id": "21"}],
    "PUT conversion convert": {
        "datasource": SOURCE, "datahandler": {"identifier": "com.openexchange.ical.json", "args": []},
    },
    "POST gdpr/dataexport POST /gdpr/dataexport": {"mail": {"enabled": True}},
    "PUT messaging/account new": {"messagingService": _NEWS, "displayName": "x", "configuration": {}},
    "PUT messaging/account update": {"id": 1, "displayName": "y"},
    "PUT messaging/message list": [[f"{_NEWS}://1/inbox", "1"]],
    "PUT messaging/message send": {"body": {"content": "x"}},
    "PUT oauth/accounts update": {"displayName": "y"},
    "PUT pns subscribe": {"transport": "websocket", "topics": "*"},
    "PUT pns unsubscribe": {"transport": "websocket"},
    "PUT halo/contact investigate": {"email1": "jane@example.com"},
    "PUT find autocomplete": {"prefix": "x"},
    "PUT find query": {"facets": [], "start": 0, "size": 2},
    "POST saml POST /saml/{tenant}/acs": {"SAMLResponse": "x"},
    "POST saml POST /saml/{tenant}/sls": {"SAMLResponse": "x", "RelayState": "y"},
    **{f"PUT share/management {name}": TARGET for name in ("getLink", "deleteLink", "updateLink")},
    "PUT share/management sendLink": {**TARGET, "recipients": [["", "x@example.org"]]},
    **{
        f"PUT share/management {name}": {"link": "https://other.example.com/share/1"}
        for name in ("analyze", "subscribe", "resubscribe", "unsubscribe")
    },
}  # fmt: skip

FILES: dict[str, dict[str, tuple[str, str, bytes]]] = {
    "POST mail import": {"file": ("m.eml", "message/rfc822", INVITATION)},
    **{
        f"POST mail/compose POST /mail/compose/{{id}}/{name}": {"file": FILE}
        for name in ("attachments", "attachments/{attachmentId}")
    },
    "POST attachment attach": {"file_0": FILE},
    **{f"POST infostore {name}": {"file": FILE} for name in ("new", "copy", "update")},
    **{f"POST chronos {name}": {"file_0": FILE} for name in ("new", "update")},
    "POST file new": {"file": PICTURE},
    "POST import CSV": {"file": ("c.csv", "text/csv", b'"Given name";"Sur name"\n"A";"B"\n')},
    "POST import OUTLOOK_CSV": {"file": ("c.csv", "text/csv", b"First Name,Last Name\nG\xfcnther,B\n")},
    "POST import VCARD": {
        "file": ("c.vcf", "text/x-vcard", b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:x\r\nEND:VCARD\r\n")
    },
    "POST import ICAL": {"file": ("c.ics", "text/calendar", CALENDAR)},
}

REFUSED: dict[str, str] = {
    "GET chronos getAttachment": "CAL-4043",
    "GET image GET /image/contact/picture": "404",
    "GET image GET /image/mail/trustedMail/picture": "404",
    "GET image GET /image/user/picture": "404",
    "GET halo/contact/picture GET /halo/contact/picture": "404",
}
"""The operations that can't succeed in so short a time, with the code or status of their refusal."""

LOOSE: dict[str, str] = {
    "PUT mail expunge": "the document has an array without an envelope",
    "PUT mail autosave": "the document says an array of arrays, and describes an identifier",
    "GET infostore move": "the document says a string, and describes an array",
}
"""The operations that the document contradicts itself about, so that the shape is not compared."""

for _label in {**PARAMETERS, **BODIES, **FILES, **LOOSE, **REFUSED}:
    CASES.setdefault(
        _label,
        Case(
            params=PARAMETERS.get(_label, {}),
            body=BODIES.get(_label),
            files=FILES.get(_label, {}),
            loose=LOOSE.get(_label, ""),
            refused=REFUSED.get(_label, ""),
        ),
    )
