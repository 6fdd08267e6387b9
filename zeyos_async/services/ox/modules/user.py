"""``user``, with queries and searches by text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ...base.query import Query
from .._generated.records_users import UserData, UserSearchBody
from .._generated.user import User as Documented
from ..operation import Prepared, Rows, preparing
from ._listing import Finding, ListCall, query_of
from ._search import pattern_body
from ._shared import documented, sorting
from ._source import OxSource

__all__ = ["User"]


class User(Documented):
    """``user``: its operations, with queries and searches by text."""

    def query(self) -> Query[UserData]:
        """All users, as a query: ``async for user in ox.user.query()``."""

        def find(asked: ListCall) -> Prepared[Rows[UserData]]:
            return self.all.prepare(columns=asked.columns, **sorting(asked))

        return query_of(self._caller, UserData, Finding(find=find, key=("id",)))

    def source(self) -> OxSource[UserData]:
        """All users for exports and syncs. The server does not tell which of them changed."""
        return OxSource(query=self.query(), updates=None)

    @preparing
    def search(  # pyright: ignore[reportIncompatibleVariableOverride] - it takes more
        self,
        what: str | Mapping[str, Any] | UserSearchBody,
        /,
        *,
        columns: Sequence[str | int] | None = None,
        sort: str | int | None = None,
        order: Literal["asc", "desc"] | None = None,
    ) -> Prepared[Rows[UserData]]:
        """The users that a search finds.

        Args:
            what: A pattern, in which ``*`` is any text and ``?`` any character; or the body of the search.
            columns: What is read of the users.
            sort: The column to sort by.
            order: Up or down.
        """
        body = pattern_body("user", what)
        return documented(self, Documented.search).prepare(body, columns=columns, sort=sort, order=order)
