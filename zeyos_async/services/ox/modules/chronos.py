"""``chronos``, the calendar: queries over a period, conflicts, series, and answers to invitations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

import attrs

from ....errors import FailedWrite
from ...base.query import Query
from .._generated.chronos import Chronos as GeneratedChronos
from .._generated.records_chronos import (
    Attendee,
    ChronosCalendarResult,
    ChronosNeedsActionResponseData,
    EventData,
    MultipleEventData,
)
from ..answers import Envelope
from ..operation import PreparedCall, Rows, Updates, custom_operation
from ..values import instant_from_wire
from ._arguments import drop_none, sort_arguments, to_folder_list
from ._event_answers import EventConflict, add_timestamps, merge_folders, raise_conflicts
from ._list_backend import ListingCalls, ListingRequest, make_query
from ._operations import checked_operation, generated_operation
from ._searches import Condition, compile_term, search_operation
from ._source import OxSource
from .recurrence import Recurrence

if TYPE_CHECKING:
    from .chronos_itip import ChronosItip

__all__ = ["Chronos", "EventConflict"]

# The occurrences of a series share its ID.
_KEY = ("folder", "id", "recurrenceId")
_Moment = date | str
"""A moment of a period: an aware ``datetime``, a day (``date``), or text such as ``20260131T120000Z``."""
_Scheduling = Literal["all", "none", "internal-only", "external-only"]


class Chronos(GeneratedChronos):
    """``chronos``: its operations, with queries over a period, searches, series and answers to invitations.

    Where a write names ``check_conflicts=True`` and there are conflicts, ``EventConflict`` is raised.
    """

    new = checked_operation(GeneratedChronos.new, raise_conflicts)
    update = checked_operation(GeneratedChronos.update, raise_conflicts)
    move = checked_operation(GeneratedChronos.move, raise_conflicts)
    update_attendee = checked_operation(GeneratedChronos.update_attendee, raise_conflicts)
    change_organizer = checked_operation(GeneratedChronos.change_organizer, raise_conflicts)
    new_with_attachments = checked_operation(GeneratedChronos.new_with_attachments, raise_conflicts)
    update_with_attachments = checked_operation(GeneratedChronos.update_with_attachments, raise_conflicts)

    @property
    def itip(self) -> ChronosItip:
        """The operations of ``chronos_itip``; the same object as ``chronos_itip`` of the client."""
        module: ChronosItip = self._caller.module("chronos_itip")
        return module

    # -- reading -----------------------------------------------------------------------------------

    def query(
        self,
        *,
        start: _Moment,
        end: _Moment,
        folder: str | None = None,
        folders: Iterable[str] | None = None,
        expand: bool | None = None,
    ) -> Query[EventData]:
        """Return a query over the events of a period: ``async for event in ox.chronos.query(start=…, end=…)``.

        Args:
            start: Where the period begins.
            end: Where it ends, itself not in it.
            folder: The calendar; the user's own ones if none is given.
            folders: Several calendars.
            expand: Whether series are given as their occurrences.
        """
        calendars = to_folder_list(folder, folders)
        period = {"range_start": start, "range_end": end}

        def find(request: ListingRequest) -> PreparedCall[Rows[EventData]]:
            options: Any = drop_none(
                {**period, "fields": request.columns, "expand": expand, **sort_arguments(request)}
            )
            if request.term is not None:
                body = drop_none({"filter": request.term, "folders": calendars})
                return _merge_events(self.advanced_search.prepare(body, **options))
            if calendars is not None and len(calendars) > 1:
                return _merge_events(self.all_of_folders.prepare(calendars, **options))
            return self.all.prepare(folder=None if calendars is None else calendars[0], **options)

        finding = ListingCalls(find=find, key=_KEY, dialect="chronos")
        return make_query(self._caller, EventData, finding)

    def where(
        self,
        *conditions: Condition,
        start: _Moment,
        end: _Moment,
        folder: str | None = None,
        folders: Iterable[str] | None = None,
        expand: bool | None = None,
    ) -> Query[EventData]:
        """Return a query over the events of a period for which all these conditions hold.

        Args:
            *conditions: Conditions made with ``F``, or their text form: ``F.summary.contains("plan")``.
            start: Where the period begins.
            end: Where it ends, itself not in it.
            folder: The calendar; all of them if none is given.
            folders: Several calendars.
            expand: Whether series are given as their occurrences.

        Raises:
            UnknownField: Events can't be searched by such a field.
            UnsupportedFilter: A search can't say this.
        """
        query = self.query(start=start, end=end, folder=folder, folders=folders, expand=expand)
        return query.where(*conditions)

    @search_operation
    def search(
        self,
        criteria: Condition,
        /,
        *,
        start: _Moment,
        end: _Moment,
        folder: str | None = None,
        folders: Iterable[str] | None = None,
        fields: Sequence[str] | None = None,
        sort: str | None = None,
        order: Literal["asc", "desc"] | None = None,
        expand: bool | None = None,
        extended_entities: bool | None = None,
    ) -> PreparedCall[Rows[EventData]]:
        """Return the events of a period that a search finds.

        Args:
            criteria: A condition, ``F.summary == "Plan*"`` without wildcards or ``F.summary.startswith("Plan")``, or
                its text form.
            start: Where the period begins.
            end: Where it ends, itself not in it.
            folder: The calendar; all of them if none is given.
            folders: Several calendars.
            fields: What is read of the events; all if left out.
            sort: The field to sort by.
            order: Up or down.
            expand: Whether series are given as their occurrences.
            extended_entities: Whether attendees of the server come with their contact, resource or group.
        """
        body = drop_none(
            {"filter": compile_term(criteria, "chronos"), "folders": to_folder_list(folder, folders)}
        )
        return _merge_events(
            self.advanced_search.prepare(
                body,
                range_start=start,
                range_end=end,
                fields=fields,
                sort=sort,
                order=order,
                expand=expand,
                extended_entities=extended_entities,
            )
        )

    async def occurrences(self, event: EventData, /, *, start: _Moment, end: _Moment) -> Rows[EventData]:
        """Return the occurrences of a series in a period, changed ones among them; each has its ``recurrenceId``.

        Args:
            event: The series, or any of its occurrences.
            start: Where the period begins.
            end: Where it ends, itself not in it.
        """
        series = event.seriesId or event.id
        events = await self.all(folder=event.folder, range_start=start, range_end=end, expand=True)
        return Rows(
            (item for item in events if series in (item.seriesId, item.id)), timestamp=events.timestamp
        )

    def source(
        self, *, folder: str, start: _Moment, end: _Moment, expand: bool | None = None
    ) -> OxSource[EventData]:
        """Return the events of a calendar in a period for exports and syncs, with what changed and was deleted."""

        async def updates(since: datetime) -> Updates[EventData]:
            return await self.updates(
                folder=folder, since=since, range_start=start, range_end=end, expand=expand
            )

        return OxSource(query=self.query(start=start, end=end, folder=folder, expand=expand), updates=updates)

    @custom_operation
    def needs_action(  # pyright: ignore[reportIncompatibleVariableOverride] - it takes less
        self,
        *,
        range_start: _Moment,
        range_end: _Moment,
        include_delegates: bool = False,
        fields: Sequence[str] | None = None,
        order: Literal["asc", "desc"] | None = None,
        sort: str | None = None,
        extended_entities: bool | None = None,
    ) -> PreparedCall[Rows[ChronosNeedsActionResponseData]]:
        """Return the events of a period that wait for an answer, by the attendee who has to answer.

        Args:
            range_start: Where the period begins.
            range_end: Where it ends, itself not in it.
            include_delegates: Whether those for whom one may answer are listed too.
            fields: What is read of the events; all if left out.
            order: Up or down.
            sort: The field to sort by.
            extended_entities: Whether attendees of the server come with their contact, resource or group.
        """
        prepared = generated_operation(self, GeneratedChronos.needs_action).prepare(
            range_start=range_start,
            range_end=range_end,
            include_delegates=include_delegates,
            fields=fields,
            order=order,
            sort=sort,
            extended_entities=extended_entities,
        )
        return attrs.evolve(prepared, read=lambda envelope: add_timestamps(prepared.read(envelope)))

    # -- writing -----------------------------------------------------------------------------------

    async def create(
        self,
        event: EventData | Mapping[str, Any],
        /,
        *,
        folder: str,
        check_conflicts: bool | None = None,
        scheduling: _Scheduling | None = None,
    ) -> EventData:
        """Create an event; ``new`` with the event itself as the result.

        Args:
            event: Its fields: ``{"summary": "Plan", "startDate": datetime(…, tzinfo=ZoneInfo(…)), "endDate": …}``.
                Two days (``date``) make an event of whole days, of which the last is not in it; ``"rrule"`` a series,
                as text or as a ``Recurrence``.
            folder: The calendar.
            check_conflicts: Whether the event is refused if it conflicts with others.
            scheduling: Who is told of it.

        Returns:
            The event, as the server has it.

        Raises:
            EventConflict: It conflicts with others, which were to be looked for.
        """
        fields = _event_fields(event)
        result = await self.new(fields, folder=folder, check_conflicts=check_conflicts, scheduling=scheduling)
        if not result.created:
            text = "chronos.create: the server took the event, and told of none that it stored"
            raise FailedWrite(text, operation="chronos.create", sent=fields)
        return result.created[0]

    async def change(
        self,
        event: EventData,
        changes: Mapping[str, Any],
        /,
        *,
        this_and_future: bool = False,
        check_conflicts: bool | None = None,
        scheduling: _Scheduling | None = None,
    ) -> EventData:
        """Change an event, or the occurrence of a series; ``update`` with the event itself as the result.

        Args:
            event: The event, as it was read; of an occurrence with its ``recurrenceId`` only this one changes.
            changes: The fields to change; ``None`` deletes a value.
            this_and_future: Whether the later occurrences change, too.
            check_conflicts: Whether the change is refused if the event then conflicts with others.
            scheduling: Who is told of it.

        Returns:
            The event, as the server has it. An occurrence that was one of a series becomes an event of its own.

        Raises:
            EventConflict: It conflicts with others, which were to be looked for.
            OxConflict: Somebody changed it since it was read.
        """
        fields = _event_fields(changes)
        result = await self.update(
            event,
            fields,
            recurrence_range="THISANDFUTURE" if this_and_future else None,
            check_conflicts=check_conflicts,
            scheduling=scheduling,
        )
        return await self._find_written_event(event, result)

    async def answer(
        self,
        event: EventData,
        answer: Literal["ACCEPTED", "DECLINED", "TENTATIVE"],
        /,
        *,
        attendee: Attendee | int | str,
        comment: str | None = None,
        check_conflicts: bool | None = None,
    ) -> EventData:
        """Answer an invitation, of the event or of one occurrence.

        Args:
            event: The event, as it was read.
            answer: Whether the attendee takes part.
            attendee: Who answers: the user's ID on this server, a mail address, or one of ``event.attendees``.
            comment: What the organizer is told.
            check_conflicts: Whether the answer is refused if the event conflicts with others.

        Returns:
            The event, as the server has it.

        Raises:
            EventConflict: It conflicts with others, which were to be looked for.
        """
        body: Any = {"attendee": {**_to_attendee(attendee), "partStat": answer}}
        if comment is not None:
            body["attendee"]["comment"] = comment
        result = await self.update_attendee(event, body, check_conflicts=check_conflicts)
        return await self._find_written_event(event, result)

    async def _find_written_event(self, event: EventData, result: ChronosCalendarResult) -> EventData:
        """Return the event that a write was about; for an occurrence that became an event of its own, that one."""
        written: list[EventData] = [*(result.created or ()), *(result.updated or ())]
        if not written:  # nothing in the period that the server tells of
            current: EventData = await self.get(event)
            return current
        return next((item for item in written if item.recurrenceId == event.recurrenceId), written[0])


def _merge_events(prepared: PreparedCall[Rows[MultipleEventData]]) -> PreparedCall[Rows[EventData]]:
    def read(envelope: Envelope) -> Rows[EventData]:
        return merge_folders(prepared.read(envelope), instant_from_wire(envelope.timestamp))

    whole: Any = prepared
    return attrs.evolve(whole, read=read)


def _event_fields(event: EventData | Mapping[str, Any]) -> Any:
    """Return what is sent of an event, with its recurrence rules as text."""
    if isinstance(event, EventData):
        return event
    return {name: str(value) if isinstance(value, Recurrence) else value for name, value in event.items()}


def _to_attendee(who: Attendee | int | str) -> dict[str, Any]:
    if isinstance(who, Attendee):
        named = {"entity": who.entity, "uri": who.uri, "email": who.email}
        return drop_none(named)
    if isinstance(who, str):
        address = who.removeprefix("mailto:")
        return {"uri": f"mailto:{address}", "email": address}
    return {"entity": who}
