"""Queries over contacts and distribution lists, which both modules of contacts have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import attrs

from ....errors import InvalidArgument
from ...base.query import Query
from .._generated.records_contacts import ContactData
from ..operation import Module, PreparedCall, Rows, Updates
from ._arguments import drop_none, to_folder_list
from ._distribution_lists import Member, add_members, remove_members, to_members
from ._list_backend import ListingCalls, ListingRequest, make_query
from ._searches import Condition, compile_term
from ._source import OxSource

if TYPE_CHECKING:
    from .._generated.contacts import Contacts as GeneratedContacts

__all__ = ["ContactQueries"]


_ALL: Final = ["not", ["isNull", {"field": "id"}]]
"""The search term for everything: a search needs one."""


class ContactQueries(Module):
    """The base of both modules of contacts, beyond the documented calls."""

    _module: str

    @property
    def _calls(self) -> GeneratedContacts:
        """The documented calls; both modules have them."""
        return cast("GeneratedContacts", self)

    def query(self, *, folder: str | None = None, folders: Iterable[str] | None = None) -> Query[ContactData]:
        """Return a query over all contacts of a folder: ``async for contact in ox.contacts.query(folder="25")``.

        Args:
            folder: The folder.
            folders: Several folders. Without any, a condition searches all folders.
        """
        return make_query(self._caller, ContactData, self._listing_calls(to_folder_list(folder, folders)))

    def where(
        self, *conditions: Condition, folder: str | None = None, folders: Iterable[str] | None = None
    ) -> Query[ContactData]:
        """Return a query over the contacts for which all conditions hold: ``where(F.last_name.startswith("M"))``.

        Args:
            *conditions: Conditions made with ``F``, or their text form.
            folder: The folder to search.
            folders: Several folders. Without any, all folders are searched.

        Raises:
            UnknownField: Contacts have no such field.
            UnsupportedFilter: A search can't say this.
        """
        return self.query(folder=folder, folders=folders).where(*conditions)

    def source(self, *, folder: str) -> OxSource[ContactData]:
        """Return the contacts of a folder for exports and syncs, with what changed and what was deleted."""

        async def updates(since: datetime) -> Updates[ContactData]:
            return await self._calls.updates(folder=folder, since=since)

        return OxSource(query=self.query(folder=folder), updates=updates)

    def _listing_calls(self, folders: Sequence[str] | None) -> ListingCalls:
        return ListingCalls(find=self._listing_call(folders), read=self._read_contacts, dialect=self._module)

    def _listing_call(
        self, folders: Sequence[str] | None
    ) -> Callable[[ListingRequest], PreparedCall[Rows[ContactData]]]:
        def find(request: ListingRequest) -> PreparedCall[Rows[ContactData]]:
            options = drop_none({"columns": request.columns, "sort": request.sort, "order": request.order})
            if request.term is None and folders is None:
                raise InvalidArgument(
                    f"{self._module}: all contacts of which folder? Give folder=, or a condition"
                )
            if request.term is None and folders is not None and len(folders) == 1:
                return self._calls.all.prepare(folder=folders[0], **options)
            body: Any = drop_none({"filter": request.term or _ALL, "folders": folders})
            return self._calls.advanced_search.prepare(body, **options)

        return find

    def _read_contacts(
        self, keys: Sequence[Any], columns: tuple[str, ...] | None
    ) -> PreparedCall[Rows[ContactData]]:
        return self._calls.list.prepare(keys, columns=columns)

    def _compile_term(self, criteria: Condition) -> list[Any]:
        return compile_term(criteria, attrs.evolve(ContactData.__schema__.entity, name=self._module))

    # -- distribution lists ------------------------------------------------------------------------

    async def new_list(
        self, name: str, members: Iterable[Member], /, *, folder: str, address: Literal[1, 2, 3] = 1
    ) -> ContactData:
        """Create a distribution list.

        Args:
            name: What people call it.
            members: Contacts, which it then follows, and addresses such as ``"Jane Doe <jane@example.com>"``.
            folder: Where it is stored.
            address: Which address of the contacts: 1, 2 or 3.

        Returns:
            The list, as the server has it.
        """
        fields: Any = {
            "folder_id": folder,
            "display_name": name,
            "mark_as_distributionlist": True,
            "distribution_list": to_members(members, address=address),
        }
        created = await self._calls.new(fields)
        return await self._calls.get(id=created.id, folder=folder)

    async def add_members(
        self, to: ContactData, members: Member | Iterable[Member], /, *, address: Literal[1, 2, 3] = 1
    ) -> ContactData:
        """Put members on a distribution list; who is on it already stays on it once.

        Args:
            to: The list, as it was read.
            members: Who; see ``new_list``.
            address: Which address of the contacts.

        Returns:
            The list, as the server has it.

        Raises:
            OxConflict: Somebody changed the list since it was read.
        """
        return await self._save_members(
            to, add_members(to.distribution_list, to_members(members, address=address))
        )

    async def remove_members(
        self, of: ContactData, members: Member | Iterable[Member], /, *, address: Literal[1, 2, 3] = 1
    ) -> ContactData:
        """Take members off a distribution list; who is not on it makes no difference.

        Args:
            of: The list, as it was read.
            members: Who; see ``new_list``.
            address: Which address of the contacts.

        Returns:
            The list, as the server has it.

        Raises:
            OxConflict: Somebody changed the list since it was read.
        """
        return await self._save_members(
            of, remove_members(of.distribution_list, to_members(members, address=address))
        )

    async def _save_members(self, record: ContactData, members: list[Any]) -> ContactData:
        if not record.mark_as_distributionlist:
            raise InvalidArgument(
                f"the contact {record.id!r} is no distribution list, or mark_as_distributionlist was not read: "
                "get() it first"
            )
        await self._calls.update(record, {"distribution_list": members})
        return await self._calls.get(record)
