"""``user``, with queries and searches by text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ...base.query import Query
from .._generated.records_users import UserData, UserSearchBody
from .._generated.user import User as GeneratedUser
from ..operation import PreparedCall, Rows, custom_operation
from ._arguments import sort_arguments
from ._list_backend import ListingCalls, ListingRequest, make_query
from ._operations import generated_operation
from ._searches import build_pattern_body
from ._source import OxSource

__all__ = ["User"]


class User(GeneratedUser):
    """``user``: its operations, with queries and searches by text."""

    def query(self) -> Query[UserData]:
        """Return a query over all users: ``async for user in ox.user.query()``."""

        def find(request: ListingRequest) -> PreparedCall[Rows[UserData]]:
            return self.all.prepare(columns=request.columns, **sort_arguments(request))

        return make_query(self._caller, UserData, ListingCalls(find=find, key=("id",)))

    def source(self) -> OxSource[UserData]:
        """Return all users for exports and syncs. The server does not tell which of them changed."""
        return OxSource(query=self.query(), updates=None)

    @custom_operation
    def search(  # pyright: ignore[reportIncompatibleVariableOverride] - it takes more
        self,
        criteria: str | Mapping[str, Any] | UserSearchBody,
        /,
        *,
        columns: Sequence[str | int] | None = None,
        sort: str | int | None = None,
        order: Literal["asc", "desc"] | None = None,
    ) -> PreparedCall[Rows[UserData]]:
        """Return the users that a search finds.

        Args:
            criteria: A pattern, in which ``*`` is any text and ``?`` any character; or the body of the search.
            columns: What is read of the users.
            sort: The column to sort by.
            order: Up or down.
        """
        body = build_pattern_body("user", criteria)
        return generated_operation(self, GeneratedUser.search).prepare(
            body, columns=columns, sort=sort, order=order
        )
