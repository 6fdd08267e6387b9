"""``import``, ``export`` and ``conversion``: contacts, events and tasks in the formats of other programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from ...answers import Answer
from ..envelope import build_error_fields
from ..events.view import find_event, visible_events
from ..folder_objects import ObjectKind
from ..folder_tree import default_folder_id, find_usable_folder, find_visible_folder
from ..handlers import OxCall, OxReply, handles
from ..listing import read_objects
from ..mails.access import find_mail
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


def _read_upload(call: OxCall) -> bytes:
    files = call.files or call.parts
    if not files:
        raise missing_value("file")
    return files[0].content


def _parse_upload(call: OxCall, read: Callable[[bytes], Any]) -> Any:
    try:
        return read(_read_upload(call))
    except (ValueError, LookupError) as error:
        raise OxError("I_E-1100", f"the file can't be imported: {error}", params=(error,)) from error


def _store_rows(call: OxCall, rows: Iterable[Row], store: Callable[[Row], Row]) -> list[Row]:
    """Store rows, and return the results in the order of the file; an error in place of a failed row."""
    results = []
    for row in rows:
        try:
            results.append(store(row))
        except OxError as error:
            results.append(build_error_fields(error, call.server_options, call.request.number))
    return results


def _shift_times(call: OxCall, values: Row) -> Row:
    """Return values with instants as a client would send them: by the zone of the call."""
    # ``create`` reads instants in the zone of the call, and files have them in UTC.
    times = [name for name in ("start_time", "end_time") if name in values and not values.get("full_time")]
    return {**values, **{name: call.shift.to_wire(values[name]) for name in times}}


def _build_store(call: OxCall, kind: ObjectKind, folder: str) -> Callable[[Row], Row]:
    def store(values: Row) -> Row:
        row = kind.create(call, {**_shift_times(call, values), "folder_id": folder})
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
        rows = _parse_upload(call, read_vcards)
    else:
        outlook = call.operation.action == "OUTLOOK_CSV"
        # Outlook writes the code page of Windows, whatever the language.
        charset = call.text_param("charset") or ("cp1252" if outlook else "utf-8")
        rows = _parse_upload(call, lambda content: read_csv(content, charset=charset, outlook=outlook))
    return OxReply(
        data=_store_rows(call, rows, _build_store(call, _CONTACTS, folder)), timestamp=call.state.last_stamp
    )


@handles("import", "ICAL")
def _import_calendar(call: OxCall) -> OxReply:
    folder = find_visible_folder(call, call.text_param("folder"))
    if folder["module"] not in ("calendar", "tasks"):
        raise bad_value("folder", folder["id"], f"it is for {folder['module']}")
    find_usable_folder(call, folder["id"], folder["module"], right="folder")
    events, tasks = _parse_upload(call, read_calendar)
    if folder["module"] == "tasks":
        results = _store_rows(call, tasks, _build_store(call, TASKS, folder["id"]))
    else:
        results = _store_rows(call, events, lambda data: _store_imported_event(call, folder["id"], data))
    return OxReply(data=results, timestamp=call.state.last_stamp)


def _store_imported_event(call: OxCall, folder: str, data: Row) -> Row:
    if call.flag_param("ignoreUIDs"):
        data = {name: value for name, value in data.items() if name != "uid"}
    event = store_event(call, folder, data)
    return {"id": event.id, "folder_id": event.folder, "last_modified": event.stamp}


def _build_download(content: bytes, kind: str, filename: str) -> OxReply:
    disposition = f'attachment; filename="{filename}"'
    headers = {"Content-Type": f"{kind}; charset=UTF-8", "Content-Disposition": disposition}
    return OxReply(answer=Answer(headers=headers, body=content))


def _select_contacts(call: OxCall) -> list[Row]:
    """Return the contacts of a folder, or those of a body; distribution lists only if the call wants them."""
    if call.operation.method == "PUT":
        return [
            _CONTACTS.find(call, reference["id"], reference["folder_id"])
            for reference in read_objects(call.body, "id", "folder_id")
        ]
    folder = call.text_param("folder") or default_folder_id(call.state, call.user, "contacts")
    rows = _CONTACTS.rows_in(call, folder)
    with_lists = str(call.params.get("export_dlists", "false")).lower() == "true"
    return [row for row in rows if with_lists or not row.get("mark_as_distributionlist")]


@handles("export", "CSV")
def _export_csv(call: OxCall) -> OxReply:
    names = (
        [column.name for column in MODEL.parse_columns(call.text_param("columns"))]
        if call.text_param("columns")
        else []
    )
    return _build_download(write_csv(_select_contacts(call), names), "text/csv", "contacts.csv")


@handles("export", "VCARD")
def _export_vcards(call: OxCall) -> OxReply:
    return _build_download(write_vcards(_select_contacts(call)), "text/x-vcard", "contacts.vcf")


@handles("export", "ICAL")
def _export_calendar(call: OxCall) -> OxReply:
    if call.operation.method == "PUT":
        events, tasks = _select_objects(call)
    elif find_visible_folder(call, call.text_param("folder"))["module"] == "tasks":
        events, tasks = [], TASKS.rows_in(call, call.text_param("folder"))
    else:
        events, tasks = [event.copy_data() for event in visible_events(call, call.text_param("folder"))], []
    return _build_download(write_calendar(events, tasks), "text/calendar", "calendar.ics")


def _select_objects(call: OxCall) -> tuple[list[Row], list[Row]]:
    events, tasks = [], []
    for reference in read_objects(call.body, "id", "folder_id"):
        key, folder = str(reference["id"]), str(reference["folder_id"])
        if find_visible_folder(call, folder)["module"] == "tasks":
            tasks.append(TASKS.find(call, key, folder))
        else:
            events.append(find_event(call, key, folder).copy_data())
    return events, tasks


@handles("conversion", "convert")
def _convert(call: OxCall) -> OxReply:
    """Make contacts or events of a part of a message, or show a calendar part as events."""
    body = call.body_object()
    source, handler = body.get("datasource"), body.get("datahandler")
    if not isinstance(source, dict) or not isinstance(handler, dict):
        raise missing_value("datasource" if not isinstance(source, dict) else "datahandler")
    content = _read_source(call, _read_arguments(source))
    folder = _read_arguments(handler).get("com.openexchange.groupware.contact.folder") or _read_arguments(
        handler
    ).get("com.openexchange.groupware.calendar.folder")
    try:
        return OxReply(data=_convert_part(call, str(handler.get("identifier") or ""), content, folder))
    except ValueError as error:
        raise OxError("CNV-0006", f"the part can't be converted: {error}") from error


def _read_arguments(described: Mapping[str, Any]) -> Row:
    """Return arguments, which come as an array of objects with one pair each, or as fields."""
    pairs = described.get("args")
    if not isinstance(pairs, list):
        return dict(described)
    return {name: value for pair in pairs for name, value in pair.items()}


def _read_source(call: OxCall, arguments: Mapping[str, Any]) -> bytes:
    folder, key = arguments.get(f"{_PREFIX}fullname"), arguments.get(f"{_PREFIX}mailid")
    if not folder or not key:
        raise missing_value(f"{_PREFIX}mailid")
    mail = find_mail(call, str(folder), str(key))
    part_id = str(arguments.get(f"{_PREFIX}sequenceid") or "")
    for part in mail.parts:
        if part.id == part_id:
            return part.content
    raise OxError("CNV-0005", f"mail {mail.id} has no part {part_id}")


def _convert_part(call: OxCall, handler: str, content: bytes, folder: Any) -> Any:
    if handler == "com.openexchange.contact":
        target = str(folder or default_folder_id(call.state, call.user, "contacts"))
        rows = _store_rows(call, read_vcards(content), _build_store(call, _CONTACTS, target))
        return [{"id": row.get("id"), "folder_id": row.get("folder_id")} for row in rows]
    events, _ = read_calendar(content)
    if handler == "com.openexchange.ical":
        target = str(folder or default_folder_id(call.state, call.user, "calendar"))
        return _store_rows(call, events, lambda data: _store_imported_event(call, target, data))
    if handler == "com.openexchange.ical.json":
        return events
    raise bad_value("identifier", handler, "there is no such handler")
