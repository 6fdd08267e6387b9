"""``addressbooks``, with queries, searches by conditions and distribution lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from .._generated.addressbooks import Addressbooks as Documented
from .._generated.records_contacts import ContactData
from ..operation import Prepared, Rows
from ._contacts import ContactQueries
from ._search import Condition, searching
from ._shared import folder_list, without_nothing

__all__ = ["Addressbooks"]


class Addressbooks(ContactQueries, Documented):
    """``addressbooks``: its operations, with queries, searches by conditions and distribution lists."""

    _module = "addressbooks"

    @searching
    def search(
        self,
        what: Condition,
        /,
        *,
        folder: str | None = None,
        folders: Iterable[str] | None = None,
        columns: Sequence[str | int] | None = None,
        sort: str | int | None = None,
        order: Literal["asc", "desc"] | None = None,
        collation: Literal["gbk", "gb2312"] | None = None,
    ) -> Prepared[Rows[ContactData]]:
        """The contacts that a search finds.

        Args:
            what: A condition, ``(F.last_name == "Doe") & F.email1.is_not_null()``, or its text form.
            folder: The folder to search; all of them if none is given.
            folders: Several folders.
            columns: What is read of the contacts.
            sort: The column to sort by.
            order: Up or down.
            collation: How Chinese text is sorted.
        """
        found: Any = without_nothing({"filter": self._term(what), "folders": folder_list(folder, folders)})
        return self.advanced_search.prepare(
            found, columns=columns, sort=sort, order=order, collation=collation
        )
