"""``contacts``, with queries, searches by conditions and distribution lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from ....errors import InvalidArgument
from .._generated.contacts import Contacts as GeneratedContacts
from .._generated.records_contacts import ContactData, ContactSearchBody
from ..operation import PreparedCall, Rows
from ._arguments import drop_none, to_folder_list
from ._contact_queries import ContactQueries
from ._operations import generated_operation
from ._searches import Condition, search_operation

__all__ = ["Contacts"]


class Contacts(ContactQueries, GeneratedContacts):
    """``contacts``: its operations, with queries, searches by conditions and distribution lists."""

    _module = "contacts"

    @search_operation
    def search(  # pyright: ignore[reportIncompatibleVariableOverride] - it takes more
        self,
        criteria: Condition | Mapping[str, Any] | ContactSearchBody,
        /,
        *,
        folder: str | None = None,
        folders: Iterable[str] | None = None,
        columns: Sequence[str | int] | None = None,
        sort: str | int | None = None,
        order: Literal["asc", "desc"] | None = None,
        collation: Literal["gbk", "gb2312"] | None = None,
    ) -> PreparedCall[Rows[ContactData]]:
        """Return the contacts that a search finds.

        Args:
            criteria: A condition, ``(F.last_name == "Doe") & F.email1.is_not_null()`` or its text form, which is searched
                for by ``advancedSearch``; or the body of the document's ``search``: ``{"pattern": "D*"}``.
            folder: The folder to search; all of them if none is given.
            folders: Several folders.
            columns: What is read of the contacts.
            sort: The column to sort by.
            order: Up or down.
            collation: How Chinese text is sorted.
        """
        searched = to_folder_list(folder, folders)
        if isinstance(criteria, Mapping | ContactSearchBody):
            if searched is not None:
                raise InvalidArgument("contacts.search: such a body names its folders itself, as its folder")
            body: Any = criteria
            return generated_operation(self, GeneratedContacts.search).prepare(
                body, columns=columns, sort=sort, order=order, collation=collation
            )
        term_body: Any = drop_none({"filter": self._compile_term(criteria), "folders": searched})
        return self.advanced_search.prepare(
            term_body, columns=columns, sort=sort, order=order, collation=collation
        )
