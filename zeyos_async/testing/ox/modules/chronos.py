"""``chronos``: what reads events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from ..envelope import build_error_fields
from ..events.changes import recurrence_of
from ..events.event_times import parse_when, read_recurrence_id
from ..events.participants import as_attendee, attendee_of, completed, recipient, same_person
from ..events.store import Event
from ..events.view import (
    Range,
    arranged,
    calendar,
    events_of,
    expanded,
    folder_row,
    given_event,
    outside,
    range_of,
    show,
)
from ..files.access import file_answer
from ..folder_tree import visible_folders
from ..handlers import OxCall, OxReply, handles
from ..listing import read_objects
from ..mails.access import zipped
from ..refusals import OxError, bad_value, not_found
from ..search_terms import SearchGrammar, SearchOperand, SearchTerm, compile_filter

__all__: list[str] = []

_RANGED: Final = frozenset({"=", "<", ">"})
_EXACT: Final = frozenset({"="})
_GRAMMAR: Final = SearchGrammar(
    fields={
        **dict.fromkeys(["timestamp", "created", "lastModified"], _RANGED),
        **dict.fromkeys(
            [
                "filename", "sequence", "createdBy", "modifiedBy", "calendarUser", "summary", "location",
                "description", "categories", "class", "color", "transp", "seriesId", "rrule", "recurrenceId",
                "recurrenceDates", "changeExceptionDates", "deleteExceptionDates", "status", "url", "organizer",
                "comment", "attendees", "uid",
            ],
            _EXACT,
        ),
    },
    code="CAL-4003",
)  # fmt: skip


def _newest(call: OxCall, events: Iterable[Event]) -> int:
    return max((event.stamp for event in events), default=call.state.last_stamp)


@handles("chronos", "all", method="GET")
def _all(call: OxCall) -> OxReply:
    folder = call.text_param("folder")
    events = events_of(call, folder)
    return OxReply(data=arranged(call, events, range_of(call), folder), timestamp=_newest(call, events))


@handles("chronos", "all", method="PUT")
def _all_of_folders(call: OxCall) -> OxReply:
    folders = call.body_object().get("folders")
    if not isinstance(folders, list):
        raise bad_value("folders", folders, "it is an array of ids")
    return OxReply(
        data=[_by_folder(call, str(folder), None) for folder in folders], timestamp=call.state.last_stamp
    )


def _by_folder(call: OxCall, folder: str, term: SearchTerm | None) -> dict[str, Any]:
    """The events of one folder, or the error that there is with it."""
    try:
        events = [event for event in events_of(call, folder) if term is None or term(partial(_values, event))]
    except OxError as error:
        return {
            "folder": folder,
            "error": build_error_fields(error, call.server_options, call.request.number),
        }
    shown = arranged(call, events, range_of(call), folder)
    return {"folder": folder, "events": shown, "timestamp": _newest(call, events)}


@handles("chronos", "advancedSearch")
def _advanced_search(call: OxCall) -> OxReply:
    body = call.body_object()
    term = compile_filter(body, _GRAMMAR)
    folders = body.get("folders")
    if folders is not None and not isinstance(folders, list):
        raise bad_value("folders", folders, "it is an array of ids")
    if folders is None:
        rows = (row for row in visible_folders(call) if row["module"] == "calendar")
        folders = [outside(row["id"]) for row in rows]
    found = [_by_folder(call, str(folder), term) for folder in folders]
    return OxReply(
        data=[one for one in found if "error" in one or one["events"]], timestamp=call.state.last_stamp
    )


def _values(event: Event, operand: SearchOperand) -> Iterable[Any]:
    value = event.data.get(operand.name)
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, Mapping):
            yield from (one.get("entity"), one.get("email"), one.get("uri"), one.get("cn"))
        else:
            yield one


@handles("chronos", "get")
def _get(call: OxCall) -> OxReply:
    event, folder = (
        given_event(call, call.text_param("id"), call.text_param("folder")),
        call.text_param("folder"),
    )
    data = (
        given_recurrence(call, event, call.text_param("recurrenceId"))
        if call.text_param("recurrenceId")
        else event.single()
    )
    return OxReply(data=show(call, data, folder), timestamp=event.stamp)


def given_recurrence(call: OxCall, event: Event, key: str) -> dict[str, Any]:
    """One recurrence of a series: the stored one if it was changed on its own, or the one that the rule makes.

    Raises:
        OxError: There is none (``CAL-4042``).
    """
    if event.rule is None:
        return event.single()
    at = recurrence_of(event, key)
    for exception in calendar(call.state).exceptions(event):
        if read_recurrence_id(exception.data["recurrenceId"]).instant() == at.instant():
            return exception.single()
    return event.recurrence(at)


@handles("chronos", "list")
def _list(call: OxCall) -> OxReply:
    made = []
    for one in read_objects(call.body, "id", "folder"):
        try:
            event = given_event(call, str(one["id"]), str(one["folder"]))
        except OxError:
            continue
        key = one.get("recurrenceId")
        made.append(
            show(call, given_recurrence(call, event, key) if key else event.single(), str(one["folder"]))
        )
    return OxReply(data=made, timestamp=call.state.last_stamp)


@handles("chronos", "updates")
def _updates(call: OxCall) -> OxReply:
    folder, since = call.text_param("folder"), call.number_param("timestamp")
    events = [event for event in events_of(call, folder) if event.stamp > since]
    gone = calendar(call.state).gone(folder_row(call, folder), since)
    return OxReply(
        data={
            "newAndModified": arranged(call, events, range_of(call), folder),
            "deleted": [show(call, data, folder) for data in gone],
        },
        timestamp=call.state.last_stamp,
    )


@handles("chronos", "resolve")
def _resolve(call: OxCall) -> OxReply:
    key = call.text_param("id")
    store = calendar(call.state)
    visible = events_of(call)
    found = [event for event in [*store.by_uid(key), store.find(key)] if event in visible]
    for event in found:
        if event is not None and call.params.get("sequence", event.data.get("sequence", 0)) == event.data.get(
            "sequence", 0
        ):
            return OxReply(data=show(call, event.single()), timestamp=event.stamp)
    return OxReply(data={})


@handles("chronos", "getRecurrence")
def _get_recurrence(call: OxCall) -> OxReply:
    event, folder = (
        given_event(call, call.text_param("id"), call.text_param("folder")),
        call.text_param("folder"),
    )
    store = calendar(call.state)
    if event.data.get("recurrenceId"):
        master, one = store.find(str(event.data.get("seriesId"))), event.single()
    else:
        master, one = event, given_recurrence(call, event, call.text_param("recurrenceId"))
    overridden = one["id"] != (master.id if master else "")
    moved = (
        overridden
        and parse_when(one["startDate"]).instant() != read_recurrence_id(one["recurrenceId"]).instant()
    )
    data = {"overridden": overridden, "rescheduled": moved, "recurrenceEvent": show(call, one, folder)}
    if master is not None:
        data["masterEvent"] = show(call, master.single(), folder)
    return OxReply(data=data, timestamp=event.stamp)


@handles("chronos", "needsAction")
def _needs_action(call: OxCall) -> OxReply:
    within, mine = range_of(call), as_attendee(call.user, "NEEDS-ACTION")
    waiting = []
    for event in events_of(call):
        attendee = attendee_of(event.data, call.user)
        if attendee is not None and attendee.get("partStat") == "NEEDS-ACTION":
            waiting.append(event)
    return OxReply(data=[{"attendee": mine, "events": arranged(call, waiting, within)}])


@handles("chronos", "freeBusy")
def _free_busy(call: OxCall) -> OxReply:
    within = range_of(call, "from", "until")
    attendees = read_objects(call.body_object().get("attendees"), of="attendees")
    return OxReply(data=[_busy(call, attendee, within) for attendee in attendees])


def _busy(call: OxCall, attendee: Mapping[str, Any], within: Range) -> dict[str, Any]:
    person = completed(call.state, attendee)
    busy = []
    for event in calendar(call.state).events():
        if event.data.get("uid") == call.params.get("maskUid", "") or not _takes_part(event, person):
            continue
        busy += [_busy_time(call, data) for data in expanded(event, within, expand=True)]
    busy.sort(key=lambda one: one["startTime"])
    if call.flag_param("merge"):
        busy = _merged(busy)
    return {"attendee": person, "freeBusyTime": busy}


def _takes_part(event: Event, person: Mapping[str, Any]) -> bool:
    people = event.data.get("attendees") or [event.data.get("createdBy") or {}]
    return any(same_person(one, person) and one.get("partStat") != "DECLINED" for one in people)


def _busy_time(call: OxCall, data: Mapping[str, Any]) -> dict[str, Any]:
    start, end = parse_when(data["startDate"]), parse_when(data.get("endDate") or data["startDate"])
    free = data.get("transp") == "TRANSPARENT"
    tentative = data.get("status") == "TENTATIVE"
    kind = "FREE" if free else "BUSY-TENTATIVE" if tentative else "BUSY"
    return {
        "startTime": int(start.instant(call.user.zone).timestamp() * 1000),
        "endTime": int(end.instant(call.user.zone).timestamp() * 1000),
        "fbType": kind,
        "event": show(call, data),
    }


def _merged(busy: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Times that touch, as one; without the events."""
    made: list[dict[str, Any]] = []
    for one in busy:
        if one["fbType"] == "FREE":
            continue
        if made and one["startTime"] <= made[-1]["endTime"]:
            made[-1]["endTime"] = max(made[-1]["endTime"], one["endTime"])
        else:
            made.append({name: one[name] for name in ("startTime", "endTime", "fbType")})
    return made


@handles("chronos", "getAttachment")
def _get_attachment(call: OxCall) -> OxReply:
    event = given_event(call, call.text_param("id"), call.text_param("folder"))
    name, kind, content = _file(event, call.text_param("managedId"))
    etag = f"chronos-{call.number_param('managedId')}"
    return OxReply(answer=file_answer(call, content, filename=name, mimetype=kind, etag=etag))


def _file(event: Event, key: Any) -> tuple[str, str, bytes]:
    for number, file in event.files.items():
        if str(number) == str(key):
            return file
    raise not_found("CAL-4043", f"attachment {key} of event {event.id}")


@handles("chronos", "zipAttachments")
def _zip_attachments(call: OxCall) -> OxReply:
    event = given_event(call, call.text_param("id"), call.text_param("folder"))
    files = [_file(event, key) for key in call.body_array()]
    return OxReply(answer=zipped([(name, content) for name, _, content in files], "attachments.zip"))


@handles("chronos", "forward")
def _forward(call: OxCall) -> OxReply:
    given_event(call, call.text_param("id"), call.text_param("folder"))
    recipients = call.body_object().get("recipients") or []
    return OxReply(data=[{"status": "SENT", "recipient": recipient(call.state, one)} for one in recipients])


@handles("chronos/account", "probe")
def _probe(call: OxCall) -> OxReply:
    return OxReply(data={"title": "Calendar", **call.body_object()})


@handles("chronos/availability", "get")
def _get_availability(call: OxCall) -> OxReply:
    return OxReply(data=list(call.module_state(_availability)), timestamp=call.state.last_stamp)


@handles("chronos/availability", "set")
def _set_availability(call: OxCall) -> OxReply:
    times = call.body_object().get("availableTimes") or []
    kept = call.module_state(_availability)
    kept[:] = [{"id": number, "user": call.user.id, **one} for number, one in enumerate(times, 1)]
    return OxReply(bare_json={})


def _availability(state: Any, user: Any) -> list[dict[str, Any]]:
    """When somebody is available; nothing was said so far."""
    return []
