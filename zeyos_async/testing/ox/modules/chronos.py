"""``chronos``: the actions that read events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from ..envelope import build_error_fields
from ..events.changes import find_recurrence
from ..events.event_times import parse_event_time, parse_recurrence_id
from ..events.participants import (
    build_attendee,
    complete_attendee,
    complete_calendar_user,
    find_attendee,
    is_same_person,
)
from ..events.store import StoredEvent
from ..events.view import (
    TimeRange,
    arrange_events,
    calendar_of,
    check_calendar_folder,
    expand_event,
    find_event,
    read_range,
    show_event,
    to_composite_id,
    visible_events,
)
from ..files.access import answer_file
from ..folder_tree import visible_folders
from ..handlers import OxCall, OxReply, handles
from ..listing import read_objects
from ..mails.access import build_zip
from ..refusals import OxError, bad_value, not_found
from ..search_terms import SearchGrammar, SearchOperand, SearchTerm, compile_filter

__all__: list[str] = []

_RANGE_OPERATORS: Final = frozenset({"=", "<", ">"})
_EXACT_OPERATOR: Final = frozenset({"="})
_GRAMMAR: Final = SearchGrammar(
    fields={
        **dict.fromkeys(["timestamp", "created", "lastModified"], _RANGE_OPERATORS),
        **dict.fromkeys(
            [
                "filename", "sequence", "createdBy", "modifiedBy", "calendarUser", "summary", "location",
                "description", "categories", "class", "color", "transp", "seriesId", "rrule", "recurrenceId",
                "recurrenceDates", "changeExceptionDates", "deleteExceptionDates", "status", "url", "organizer",
                "comment", "attendees", "uid",
            ],
            _EXACT_OPERATOR,
        ),
    },
    code="CAL-4003",
)  # fmt: skip


def _newest_stamp(call: OxCall, events: Iterable[StoredEvent]) -> int:
    return max((event.stamp for event in events), default=call.state.last_stamp)


@handles("chronos", "all", method="GET")
def _all(call: OxCall) -> OxReply:
    folder = call.text_param("folder")
    events = visible_events(call, folder)
    return OxReply(
        data=arrange_events(call, events, read_range(call), folder), timestamp=_newest_stamp(call, events)
    )


@handles("chronos", "all", method="PUT")
def _all_of_folders(call: OxCall) -> OxReply:
    folders = call.body_object().get("folders")
    if not isinstance(folders, list):
        raise bad_value("folders", folders, "it is an array of ids")
    return OxReply(
        data=[_search_folder(call, str(folder), None) for folder in folders], timestamp=call.state.last_stamp
    )


def _search_folder(call: OxCall, folder: str, term: SearchTerm | None) -> dict[str, Any]:
    """Return the events of one folder, or the error that there is with it."""
    try:
        events = [
            event for event in visible_events(call, folder) if term is None or term(partial(_values, event))
        ]
    except OxError as error:
        return {
            "folder": folder,
            "error": build_error_fields(error, call.server_options, call.request.number),
        }
    shown_events = arrange_events(call, events, read_range(call), folder)
    return {"folder": folder, "events": shown_events, "timestamp": _newest_stamp(call, events)}


@handles("chronos", "advancedSearch")
def _advanced_search(call: OxCall) -> OxReply:
    body = call.body_object()
    term = compile_filter(body, _GRAMMAR)
    folders = body.get("folders")
    if folders is not None and not isinstance(folders, list):
        raise bad_value("folders", folders, "it is an array of ids")
    if folders is None:
        rows = (row for row in visible_folders(call) if row["module"] == "calendar")
        folders = [to_composite_id(row["id"]) for row in rows]
    results = [_search_folder(call, str(folder), term) for folder in folders]
    return OxReply(
        data=[result for result in results if "error" in result or result["events"]],
        timestamp=call.state.last_stamp,
    )


def _values(event: StoredEvent, operand: SearchOperand) -> Iterable[Any]:
    value = event.data.get(operand.name)
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Mapping):
            yield from (item.get("entity"), item.get("email"), item.get("uri"), item.get("cn"))
        else:
            yield item


@handles("chronos", "get")
def _get(call: OxCall) -> OxReply:
    event, folder = (
        find_event(call, call.text_param("id"), call.text_param("folder")),
        call.text_param("folder"),
    )
    data = (
        find_recurrence_data(call, event, call.text_param("recurrenceId"))
        if call.text_param("recurrenceId")
        else event.copy_data()
    )
    return OxReply(data=show_event(call, data, folder), timestamp=event.stamp)


def find_recurrence_data(call: OxCall, event: StoredEvent, key: str) -> dict[str, Any]:
    """Return a recurrence of a series: the stored exception, or the one that the rule makes.

    Raises:
        OxError: There is none (``CAL-4042``).
    """
    if event.rule is None:
        return event.copy_data()
    start = find_recurrence(event, key)
    for exception in calendar_of(call.state).exceptions(event):
        if parse_recurrence_id(exception.data["recurrenceId"]).to_instant() == start.to_instant():
            return exception.copy_data()
    return event.build_recurrence(start)


@handles("chronos", "list")
def _list(call: OxCall) -> OxReply:
    shown_events = []
    for item in read_objects(call.body, "id", "folder"):
        try:
            event = find_event(call, str(item["id"]), str(item["folder"]))
        except OxError:
            continue
        key = item.get("recurrenceId")
        shown_events.append(
            show_event(
                call,
                find_recurrence_data(call, event, key) if key else event.copy_data(),
                str(item["folder"]),
            )
        )
    return OxReply(data=shown_events, timestamp=call.state.last_stamp)


@handles("chronos", "updates")
def _updates(call: OxCall) -> OxReply:
    folder, since = call.text_param("folder"), call.number_param("timestamp")
    events = [event for event in visible_events(call, folder) if event.stamp > since]
    deleted = calendar_of(call.state).deleted_events(check_calendar_folder(call, folder), since)
    return OxReply(
        data={
            "newAndModified": arrange_events(call, events, read_range(call), folder),
            "deleted": [show_event(call, data, folder) for data in deleted],
        },
        timestamp=call.state.last_stamp,
    )


@handles("chronos", "resolve")
def _resolve(call: OxCall) -> OxReply:
    key = call.text_param("id")
    store = calendar_of(call.state)
    visible = visible_events(call)
    candidates = [event for event in [*store.find_by_uid(key), store.find(key)] if event in visible]
    for event in candidates:
        if event is not None and call.params.get("sequence", event.data.get("sequence", 0)) == event.data.get(
            "sequence", 0
        ):
            return OxReply(data=show_event(call, event.copy_data()), timestamp=event.stamp)
    return OxReply(data={})


@handles("chronos", "getRecurrence")
def _get_recurrence(call: OxCall) -> OxReply:
    event, folder = (
        find_event(call, call.text_param("id"), call.text_param("folder")),
        call.text_param("folder"),
    )
    store = calendar_of(call.state)
    if event.data.get("recurrenceId"):
        master, recurrence = store.find(str(event.data.get("seriesId"))), event.copy_data()
    else:
        master, recurrence = event, find_recurrence_data(call, event, call.text_param("recurrenceId"))
    is_overridden = recurrence["id"] != (master.id if master else "")
    is_rescheduled = (
        is_overridden
        and parse_event_time(recurrence["startDate"]).to_instant()
        != parse_recurrence_id(recurrence["recurrenceId"]).to_instant()
    )
    data = {
        "overridden": is_overridden,
        "rescheduled": is_rescheduled,
        "recurrenceEvent": show_event(call, recurrence, folder),
    }
    if master is not None:
        data["masterEvent"] = show_event(call, master.copy_data(), folder)
    return OxReply(data=data, timestamp=event.stamp)


@handles("chronos", "needsAction")
def _needs_action(call: OxCall) -> OxReply:
    within, own_attendee = read_range(call), build_attendee(call.user, "NEEDS-ACTION")
    waiting = []
    for event in visible_events(call):
        attendee = find_attendee(event.data, call.user)
        if attendee is not None and attendee.get("partStat") == "NEEDS-ACTION":
            waiting.append(event)
    return OxReply(data=[{"attendee": own_attendee, "events": arrange_events(call, waiting, within)}])


@handles("chronos", "freeBusy")
def _free_busy(call: OxCall) -> OxReply:
    within = read_range(call, "from", "until")
    attendees = read_objects(call.body_object().get("attendees"), of="attendees")
    return OxReply(data=[_free_busy_of(call, attendee, within) for attendee in attendees])


def _free_busy_of(call: OxCall, attendee: Mapping[str, Any], within: TimeRange) -> dict[str, Any]:
    person = complete_attendee(call.state, attendee)
    busy = []
    for event in calendar_of(call.state).events():
        if event.data.get("uid") == call.params.get("maskUid", "") or not _takes_part(event, person):
            continue
        busy += [_build_busy_time(call, data) for data in expand_event(event, within, expand=True)]
    busy.sort(key=lambda busy_time: busy_time["startTime"])
    if call.flag_param("merge"):
        busy = _merge_times(busy)
    return {"attendee": person, "freeBusyTime": busy}


def _takes_part(event: StoredEvent, person: Mapping[str, Any]) -> bool:
    people = event.data.get("attendees") or [event.data.get("createdBy") or {}]
    return any(
        is_same_person(attendee, person) and attendee.get("partStat") != "DECLINED" for attendee in people
    )


def _build_busy_time(call: OxCall, data: Mapping[str, Any]) -> dict[str, Any]:
    start, end = (
        parse_event_time(data["startDate"]),
        parse_event_time(data.get("endDate") or data["startDate"]),
    )
    is_free = data.get("transp") == "TRANSPARENT"
    is_tentative = data.get("status") == "TENTATIVE"
    kind = "FREE" if is_free else "BUSY-TENTATIVE" if is_tentative else "BUSY"
    return {
        "startTime": int(start.to_instant(call.user.zone).timestamp() * 1000),
        "endTime": int(end.to_instant(call.user.zone).timestamp() * 1000),
        "fbType": kind,
        "event": show_event(call, data),
    }


def _merge_times(busy: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return times that touch as one, without the events."""
    merged: list[dict[str, Any]] = []
    for busy_time in busy:
        if busy_time["fbType"] == "FREE":
            continue
        if merged and busy_time["startTime"] <= merged[-1]["endTime"]:
            merged[-1]["endTime"] = max(merged[-1]["endTime"], busy_time["endTime"])
        else:
            merged.append({name: busy_time[name] for name in ("startTime", "endTime", "fbType")})
    return merged


@handles("chronos", "getAttachment")
def _get_attachment(call: OxCall) -> OxReply:
    event = find_event(call, call.text_param("id"), call.text_param("folder"))
    name, kind, content = _find_file(event, call.text_param("managedId"))
    etag = f"chronos-{call.number_param('managedId')}"
    return OxReply(answer=answer_file(call, content, filename=name, mimetype=kind, etag=etag))


def _find_file(event: StoredEvent, key: Any) -> tuple[str, str, bytes]:
    for number, file in event.files.items():
        if str(number) == str(key):
            return file
    raise not_found("CAL-4043", f"attachment {key} of event {event.id}")


@handles("chronos", "zipAttachments")
def _zip_attachments(call: OxCall) -> OxReply:
    event = find_event(call, call.text_param("id"), call.text_param("folder"))
    files = [_find_file(event, key) for key in call.body_array()]
    return OxReply(answer=build_zip([(name, content) for name, _, content in files], "attachments.zip"))


@handles("chronos", "forward")
def _forward(call: OxCall) -> OxReply:
    find_event(call, call.text_param("id"), call.text_param("folder"))
    recipients = call.body_object().get("recipients") or []
    return OxReply(
        data=[
            {"status": "SENT", "recipient": complete_calendar_user(call.state, recipient)}
            for recipient in recipients
        ]
    )


@handles("chronos/account", "probe")
def _probe(call: OxCall) -> OxReply:
    return OxReply(data={"title": "Calendar", **call.body_object()})


@handles("chronos/availability", "get")
def _get_availability(call: OxCall) -> OxReply:
    return OxReply(data=list(call.module_state(_available_times)), timestamp=call.state.last_stamp)


@handles("chronos/availability", "set")
def _set_availability(call: OxCall) -> OxReply:
    times = call.body_object().get("availableTimes") or []
    stored = call.module_state(_available_times)
    stored[:] = [
        {"id": number, "user": call.user.id, **available} for number, available in enumerate(times, 1)
    ]
    return OxReply(bare_json={})


def _available_times(state: Any, user: Any) -> list[dict[str, Any]]:
    """Create the times at which somebody is available: none so far."""
    return []
