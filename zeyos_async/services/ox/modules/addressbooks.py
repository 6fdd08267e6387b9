"""``addressbooks``, with queries, searches by conditions and distribution lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from .._generated.addressbooks import Addressbooks as GeneratedAddressbooks
from .._generated.records_contacts import ContactData
from ..operation import PreparedCall, Rows
from ._arguments import drop_none, to_folder_list
from ._contact_queries import ContactQueries
from ._searches import Condition, search_operation

__all__ = ["Addressbooks"]


class Addressbooks(ContactQueries, GeneratedAddressbooks):
    """``addressbooks``: its operations, with queries, searches by conditions and distribution lists."""

    _module = "addressbooks"

    @search_operation
    def search(
        self,
        criteria: Condition,
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
            criteria: A condition, ``(F.last_name == "Doe") & F.email1.is_not_null()``, or its text form.
            folder: The folder to search; all of them if none is given.
            folders: Several folders.
            columns: What is read of the contacts.
            sort: The column to sort by.
            order: Up or down.
            collation: How Chinese text is sorted.
        """
        body: Any = drop_none(
            {"filter": self._compile_term(criteria), "folders": to_folder_list(folder, folders)}
        )
        return self.advanced_search.prepare(
            body, columns=columns, sort=sort, order=order, collation=collation
        )
