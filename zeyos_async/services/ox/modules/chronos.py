"""``chronos``, the calendar: queries over a period, conflicts, series, and answers to invitations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

import attrs

from ....errors import FailedWrite
from ...base.query import Query
from .._generated.chronos import Chronos as Documented
from .._generated.records_chronos import (
    Attendee,
    ChronosCalendarResult,
    ChronosNeedsActionResponseData,
    EventData,
    MultipleEventData,
)
from ..answers import Envelope
from ..operation import Prepared, Rows, Updates, preparing
from ..values import moment
from ._events import EventConflict, flat, of_delegates, unconflicted
from ._listing import Finding, ListCall, query_of
from ._search import Condition, searching, term_of
from ._shared import documented, folder_list, reading, sorting, without_nothing
from ._source import OxSource
from .recurrence import Recurrence

if TYPE_CHECKING:
    from .chronos_itip import ChronosItip

__all__ = ["Chronos", "EventConflict"]

_KEY = ("folder", "id", "recurrenceId")
_Moment = date | str
"""A moment of a period: an aware ``datetime``, a day (``date``), or text such as ``20260131T120000Z``."""
_Scheduling = Literal["all", "none", "internal-only", "external-only"]


class Chronos(Documented):
    """``chronos``: its operations, with queries over a period, searches, series and answers to invitations.

    Where a write names ``check_conflicts=True`` and there are conflicts, ``EventConflict`` is raised.
    """

    new = reading(Documented.new, unconflicted)
    update = reading(Documented.update, unconflicted)
    move = reading(Documented.move, unconflicted)
    update_attendee = reading(Documented.update_attendee, unconflicted)
    change_organizer = reading(Documented.change_organizer, unconflicted)
    new_with_attachments = reading(Documented.new_with_attachments, unconflicted)
    update_with_attachments = reading(Documented.update_with_attachments, unconflicted)

    @property
    def itip(self) -> ChronosItip:
        """The operations of ``chronos_itip``; the same object as ``chronos_itip`` of the client."""
        found: ChronosItip = self._caller.module("chronos_itip")
        return found

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
        """The events of a period, as a query: ``async for event in ox.chronos.query(start=…, end=…)``.

        Args:
            start: Where the period begins.
            end: Where it ends, itself not in it.
            folder: The calendar; the user's own ones if none is given.
            folders: Several calendars.
            expand: Whether series are given as their occurrences.
        """
        among = folder_list(folder, folders)
        period = {"range_start": start, "range_end": end}

        def find(asked: ListCall) -> Prepared[Rows[EventData]]:
            options: Any = without_nothing(
                {**period, "fields": asked.columns, "expand": expand, **sorting(asked)}
            )
            if asked.term is not None:
                body = without_nothing({"filter": asked.term, "folders": among})
                return _flat(self.advanced_search.prepare(body, **options))
            if among is not None and len(among) > 1:
                return _flat(self.all_of_folders.prepare(among, **options))
            return self.all.prepare(folder=None if among is None else among[0], **options)

        finding = Finding(find=find, key=_KEY, dialect="chronos")
        return query_of(self._caller, EventData, finding)

    def where(
        self,
        *conditions: Condition,
        start: _Moment,
        end: _Moment,
        folder: str | None = None,
        folders: Iterable[str] | None = None,
        expand: bool | None = None,
    ) -> Query[EventData]:
        """The events of a period for which all these conditions hold.

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
        found = self.query(start=start, end=end, folder=folder, folders=folders, expand=expand)
        return found.where(*conditions)  # type: ignore[arg-type]

    @searching
    def search(
        self,
        what: Condition,
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
    ) -> Prepared[Rows[EventData]]:
        """The events of a period that a search finds.

        Args:
            what: A condition, ``F.summary == "Plan*"`` without wildcards or ``F.summary.startswith("Plan")``, or
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
        body = without_nothing({"filter": term_of(what, "chronos"), "folders": folder_list(folder, folders)})
        return _flat(
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
        """The occurrences of a series in a period, changed ones among them; each has its ``recurrenceId``.

        Args:
            event: The series, or any of its occurrences.
            start: Where the period begins.
            end: Where it ends, itself not in it.
        """
        series = event.seriesId or event.id
        found = await self.all(folder=event.folder, range_start=start, range_end=end, expand=True)
        return Rows((each for each in found if series in (each.seriesId, each.id)), timestamp=found.timestamp)

    def source(
        self, *, folder: str, start: _Moment, end: _Moment, expand: bool | None = None
    ) -> OxSource[EventData]:
        """The events of a calendar in a period for exports and syncs, with what changed and was deleted."""

        async def updates(since: datetime) -> Updates[EventData]:
            return await self.updates(
                folder=folder, since=since, range_start=start, range_end=end, expand=expand
            )

        return OxSource(query=self.query(start=start, end=end, folder=folder, expand=expand), updates=updates)

    @preparing
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
    ) -> Prepared[Rows[ChronosNeedsActionResponseData]]:
        """The events of a period that wait for an answer, by whom they wait for.

        Args:
            range_start: Where the period begins.
            range_end: Where it ends, itself not in it.
            include_delegates: Whether those for whom one may answer are listed too.
            fields: What is read of the events; all if left out.
            order: Up or down.
            sort: The field to sort by.
            extended_entities: Whether attendees of the server come with their contact, resource or group.
        """
        prepared = documented(self, Documented.needs_action).prepare(
            range_start=range_start,
            range_end=range_end,
            include_delegates=include_delegates,
            fields=fields,
            order=order,
            sort=sort,
            extended_entities=extended_entities,
        )
        return attrs.evolve(prepared, read=lambda envelope: of_delegates(prepared.read(envelope)))

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
        fields = _fields(event)
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
        fields = _fields(changes)
        result = await self.update(
            event,
            fields,
            recurrence_range="THISANDFUTURE" if this_and_future else None,
            check_conflicts=check_conflicts,
            scheduling=scheduling,
        )
        return await self._written(event, result)

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
        body: Any = {"attendee": {**_attendee(attendee), "partStat": answer}}
        if comment is not None:
            body["attendee"]["comment"] = comment
        result = await self.update_attendee(event, body, check_conflicts=check_conflicts)
        return await self._written(event, result)

    async def _written(self, event: EventData, result: ChronosCalendarResult) -> EventData:
        """The event that a write was about; of an occurrence that became one of its own, the new event."""
        told: list[EventData] = [*(result.created or ()), *(result.updated or ())]
        if not told:  # nothing in the period that the server tells of
            found: EventData = await self.get(event)
            return found
        return next((each for each in told if each.recurrenceId == event.recurrenceId), told[0])


def _flat(prepared: Prepared[Rows[MultipleEventData]]) -> Prepared[Rows[EventData]]:
    def read(envelope: Envelope) -> Rows[EventData]:
        return flat(prepared.read(envelope), moment(envelope.timestamp))

    whole: Any = prepared
    return attrs.evolve(whole, read=read)


def _fields(event: EventData | Mapping[str, Any]) -> Any:
    """What is sent of an event; recurrence rules as text."""
    if isinstance(event, EventData):
        return event
    return {name: str(value) if isinstance(value, Recurrence) else value for name, value in event.items()}


def _attendee(who: Attendee | int | str) -> dict[str, Any]:
    if isinstance(who, Attendee):
        named = {"entity": who.entity, "uri": who.uri, "email": who.email}
        return without_nothing(named)
    if isinstance(who, str):
        address = who.removeprefix("mailto:")
        return {"uri": f"mailto:{address}", "email": address}
    return {"entity": who}
