"""``import``, ``export`` and ``conversion``: contacts, events and tasks in the formats of other programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from ...answers import Answer
from ..envelope import build_error_fields
from ..events.view import events_of, given_event
from ..folder_objects import ObjectKind
from ..folder_tree import default_folder_id, find_usable_folder, find_visible_folder
from ..handlers import OxCall, OxReply, handles
from ..listing import read_objects
from ..mails.access import given_mail
from ..refusals import OxError, bad_value, missing_value
from ..state import Row
from ..transfer.csv_contacts import read_csv, write_csv
from ..transfer.ical import read_calendar, write_calendar
from ..transfer.vcard import read_vcards, write_vcards
from .chronos_writes import store_event
from .contacts import KINDS, MODEL
from .tasks import KIND as TASKS

__all__: list[str] = []

_CONTACTS: Final = KINDS["contacts"]
_PREFIX: Final = "com.openexchange.mail.conversion."


def _upload(call: OxCall) -> bytes:
    files = call.files or call.parts
    if not files:
        raise missing_value("file")
    return files[0].content


def _read(call: OxCall, read: Callable[[bytes], Any]) -> Any:
    try:
        return read(_upload(call))
    except (ValueError, LookupError) as error:
        raise OxError("I_E-1100", f"the file can't be imported: {error}", params=(error,)) from error


def _imported(call: OxCall, rows: Iterable[Row], store: Callable[[Row], Row]) -> list[Row]:
    """What was stored, in the order of the file; an error in place of what could not be."""
    made = []
    for row in rows:
        try:
            made.append(store(row))
        except OxError as error:
            made.append(build_error_fields(error, call.server_options, call.request.number))
    return made


def _as_sent(call: OxCall, values: Row) -> Row:
    """Instants as a client would send them: by the zone of the call."""
    times = [name for name in ("start_time", "end_time") if name in values and not values.get("full_time")]
    return {**values, **{name: call.shift.to_wire(values[name]) for name in times}}


def _store(call: OxCall, kind: ObjectKind, folder: str) -> Callable[[Row], Row]:
    def store(values: Row) -> Row:
        row = kind.create(call, {**_as_sent(call, values), "folder_id": folder})
        return {
            "id": row["id"],
            "folder_id": row["folder_id"],
            "last_modified": call.shift.to_wire(row["last_modified"]),
        }

    return store


@handles("import", "CSV", "OUTLOOK_CSV", "VCARD")
def _import_contacts(call: OxCall) -> OxReply:
    folder = find_usable_folder(call, call.text_param("folder"), "contacts", right="folder")["id"]
    if call.operation.action == "VCARD":
        rows = _read(call, read_vcards)
    else:
        outlook = call.operation.action == "OUTLOOK_CSV"
        charset = call.text_param("charset") or ("cp1252" if outlook else "utf-8")
        rows = _read(call, lambda content: read_csv(content, charset=charset, outlook=outlook))
    return OxReply(
        data=_imported(call, rows, _store(call, _CONTACTS, folder)), timestamp=call.state.last_stamp
    )


@handles("import", "ICAL")
def _import_calendar(call: OxCall) -> OxReply:
    folder = find_visible_folder(call, call.text_param("folder"))
    if folder["module"] not in ("calendar", "tasks"):
        raise bad_value("folder", folder["id"], f"it is for {folder['module']}")
    find_usable_folder(call, folder["id"], folder["module"], right="folder")
    events, tasks = _read(call, read_calendar)
    if folder["module"] == "tasks":
        made = _imported(call, tasks, _store(call, TASKS, folder["id"]))
    else:
        made = _imported(call, events, lambda data: _store_event(call, folder["id"], data))
    return OxReply(data=made, timestamp=call.state.last_stamp)


def _store_event(call: OxCall, folder: str, data: Row) -> Row:
    if call.flag_param("ignoreUIDs"):
        data = {name: value for name, value in data.items() if name != "uid"}
    event = store_event(call, folder, data)
    return {"id": event.id, "folder_id": event.folder, "last_modified": event.stamp}


def _file(content: bytes, kind: str, filename: str) -> OxReply:
    disposition = f'attachment; filename="{filename}"'
    headers = {"Content-Type": f"{kind}; charset=UTF-8", "Content-Disposition": disposition}
    return OxReply(answer=Answer(headers=headers, body=content))


def _contacts(call: OxCall) -> list[Row]:
    """The contacts of a folder, or those of a body; distribution lists only if they are asked for."""
    if call.operation.method == "PUT":
        return [
            _CONTACTS.find(call, one["id"], one["folder_id"])
            for one in read_objects(call.body, "id", "folder_id")
        ]
    folder = call.text_param("folder") or default_folder_id(call.state, call.user, "contacts")
    rows = _CONTACTS.rows_in(call, folder)
    lists = str(call.params.get("export_dlists", "false")).lower() == "true"
    return [row for row in rows if lists or not row.get("mark_as_distributionlist")]


@handles("export", "CSV")
def _export_csv(call: OxCall) -> OxReply:
    names = (
        [column.name for column in MODEL.parse_columns(call.text_param("columns"))]
        if call.text_param("columns")
        else []
    )
    return _file(write_csv(_contacts(call), names), "text/csv", "contacts.csv")


@handles("export", "VCARD")
def _export_vcards(call: OxCall) -> OxReply:
    return _file(write_vcards(_contacts(call)), "text/x-vcard", "contacts.vcf")


@handles("export", "ICAL")
def _export_calendar(call: OxCall) -> OxReply:
    if call.operation.method == "PUT":
        events, tasks = _picked(call)
    elif find_visible_folder(call, call.text_param("folder"))["module"] == "tasks":
        events, tasks = [], TASKS.rows_in(call, call.text_param("folder"))
    else:
        events, tasks = [event.single() for event in events_of(call, call.text_param("folder"))], []
    return _file(write_calendar(events, tasks), "text/calendar", "calendar.ics")


def _picked(call: OxCall) -> tuple[list[Row], list[Row]]:
    events, tasks = [], []
    for one in read_objects(call.body, "id", "folder_id"):
        key, folder = str(one["id"]), str(one["folder_id"])
        if find_visible_folder(call, folder)["module"] == "tasks":
            tasks.append(TASKS.find(call, key, folder))
        else:
            events.append(given_event(call, key, folder).single())
    return events, tasks


@handles("conversion", "convert")
def _convert(call: OxCall) -> OxReply:
    """Make contacts or events of a part of a message, or show a calendar part as events."""
    body = call.body_object()
    source, handler = body.get("datasource"), body.get("datahandler")
    if not isinstance(source, dict) or not isinstance(handler, dict):
        raise missing_value("datasource" if not isinstance(source, dict) else "datahandler")
    content = _source(call, _arguments(source))
    folder = _arguments(handler).get("com.openexchange.groupware.contact.folder") or _arguments(handler).get(
        "com.openexchange.groupware.calendar.folder"
    )
    try:
        return OxReply(data=_converted(call, str(handler.get("identifier") or ""), content, folder))
    except ValueError as error:
        raise OxError("CNV-0006", f"the part can't be converted: {error}") from error


def _arguments(given: Mapping[str, Any]) -> Row:
    """Arguments come as an array of objects with one pair each, or as fields."""
    pairs = given.get("args")
    if not isinstance(pairs, list):
        return dict(given)
    return {name: value for one in pairs for name, value in one.items()}


def _source(call: OxCall, given: Mapping[str, Any]) -> bytes:
    folder, key = given.get(f"{_PREFIX}fullname"), given.get(f"{_PREFIX}mailid")
    if not folder or not key:
        raise missing_value(f"{_PREFIX}mailid")
    mail = given_mail(call, str(folder), str(key))
    wanted = str(given.get(f"{_PREFIX}sequenceid") or "")
    for part in mail.parts:
        if part.id == wanted:
            return part.content
    raise OxError("CNV-0005", f"mail {mail.id} has no part {wanted}")


def _converted(call: OxCall, handler: str, content: bytes, folder: Any) -> Any:
    if handler == "com.openexchange.contact":
        target = str(folder or default_folder_id(call.state, call.user, "contacts"))
        rows = _imported(call, read_vcards(content), _store(call, _CONTACTS, target))
        return [{"id": row.get("id"), "folder_id": row.get("folder_id")} for row in rows]
    events, _ = read_calendar(content)
    if handler == "com.openexchange.ical":
        target = str(folder or default_folder_id(call.state, call.user, "calendar"))
        return _imported(call, events, lambda data: _store_event(call, target, data))
    if handler == "com.openexchange.ical.json":
        return events
    raise bad_value("identifier", handler, "there is no such handler")
