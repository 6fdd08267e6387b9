"""``contacts``, with queries, searches by conditions and distribution lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from ....errors import InvalidArgument
from .._generated.contacts import Contacts as Documented
from .._generated.records_contacts import ContactData, ContactSearchBody
from ..operation import Prepared, Rows
from ._contacts import ContactQueries
from ._search import Condition, searching
from ._shared import documented, folder_list, without_nothing

__all__ = ["Contacts"]


class Contacts(ContactQueries, Documented):
    """``contacts``: its operations, with queries, searches by conditions and distribution lists."""

    _module = "contacts"

    @searching
    def search(  # pyright: ignore[reportIncompatibleVariableOverride] - it takes more
        self,
        what: Condition | Mapping[str, Any] | ContactSearchBody,
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
            what: A condition, ``(F.last_name == "Doe") & F.email1.is_not_null()`` or its text form, which is searched
                for by ``advancedSearch``; or the body of the document's ``search``: ``{"pattern": "D*"}``.
            folder: The folder to search; all of them if none is given.
            folders: Several folders.
            columns: What is read of the contacts.
            sort: The column to sort by.
            order: Up or down.
            collation: How Chinese text is sorted.
        """
        asked = folder_list(folder, folders)
        if isinstance(what, Mapping | ContactSearchBody):
            if asked is not None:
                raise InvalidArgument("contacts.search: such a body names its folders itself, as its folder")
            body: Any = what
            return documented(self, Documented.search).prepare(
                body, columns=columns, sort=sort, order=order, collation=collation
            )
        found: Any = without_nothing({"filter": self._term(what), "folders": asked})
        return self.advanced_search.prepare(
            found, columns=columns, sort=sort, order=order, collation=collation
        )
