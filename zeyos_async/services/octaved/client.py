"""The client of Octaved Flow, for one installation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, Unpack

from yarl import URL

from ...auth import AuthBackend
from ...errors import InvalidArgument, quote_value, suggest
from ...urls import add_segments
from ...wire import Request
from ..base.answers import is_error_object
from ..base.client import ApiClient, parse_base_url
from ..base.options import ClientOptions
from ._generated import RECORDS, FlowResources, record_class
from .answers import check_answer
from .paths import Paths
from .requests import RequestBuilder, batch_ids, id_of
from .resources import BaseResource, BillingResource, CustomerResource, FlowResource, gather_or_cancel
from .responses import decode_json, unreadable_response
from .tables import FlowRecord

if TYPE_CHECKING:
    pass

__all__ = ["Octaved"]

_RESOURCE_CLASSES: Final[dict[str, type[BaseResource[Any]]]] = {
    "customers": CustomerResource,
    "billings": BillingResource,
}


class Octaved(ApiClient, FlowResources):
    """A client of Octaved Flow: an attribute for each resource, and calls about nodes of any kind.

    Creating one sends nothing. Close it with ``async with`` or ``aclose()``.

    Args:
        base_url: The API's address; the document names none.
        auth: The way to log in: ``ApiKey("X-Api-Key", "…")``, with the header of your installation.
        paths: The paths of the routes, if they differ from the routes' names.
        **options: The options that all clients take, see ``ClientOptions``: ``session``, ``timeout``, ``retry``,
            ``limits``, ``hooks``, ``allow_http``.

    Raises:
        ConfigurationError: The URL can't be one, or others could read a credential on its
            way there.
    """

    def __init__(
        self,
        base_url: str | URL,
        *,
        auth: AuthBackend | None = None,
        paths: Paths | None = None,
        **options: Unpack[ClientOptions],
    ) -> None:
        super().__init__(
            parse_base_url(base_url, subject="the API", example="https://flow.example.com/api/v1"),
            auth=auth,
            options=options,
            check=check_answer,
        )
        self._paths = paths or Paths()

    def resource(self, name: str) -> BaseResource[Any]:
        """Return a resource by its name: ``"work_packages"``.

        Raises:
            InvalidArgument: There is no such resource; the closest names are in the message.
        """
        if name not in RECORDS:
            raise InvalidArgument(f"Octaved Flow has no resource {name!r}.{suggest(name, RECORDS)}")
        resource_class = _RESOURCE_CLASSES.get(name, FlowResource)
        return resource_class(self._channel, self._base, self._paths, record_class(name))

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name not in RECORDS:
                raise AttributeError(f"Octaved Flow has no resource {name!r}.{suggest(name, RECORDS)}")
            # Kept on the instance, so that the next access is an ordinary attribute.
            resource = self.__dict__[name] = self.resource(name)
            return resource

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *RECORDS})

    async def archive(self, node: FlowRecord | str, /) -> None:
        """Archive a node and everything below it.

        Raises:
            NotFound: There is no such node.
            OutcomeUnknown: Sent, but the answer did not come.
        """
        await self._archive(node, "1")

    async def unarchive(self, node: FlowRecord | str, /) -> None:
        """Take a node and everything below it out of the archive; see ``archive``."""
        await self._archive(node, "0")

    async def responsible_users(
        self,
        nodes: Iterable[FlowRecord | str],
        /,
        *,
        responsible: bool = False,
        project_manager: bool = False,
        any_project_role: bool = False,
        role_id: str | None = None,
    ) -> dict[str, list[str]]:
        """Return the users who are responsible for nodes, with inheritance and groups resolved.

        Without any option these are the responsible users and those of any project role.

        Args:
            nodes: The nodes, or their IDs.
            responsible: Whether the responsible users are included.
            project_manager: Whether the project managers are included.
            any_project_role: Whether users of any project role are included.
            role_id: A project role whose users are included.

        Returns:
            ID of the node → IDs of the users, for the nodes that the server knows.
        """
        flags = {
            "responsible": responsible,
            "projectManager": project_manager,
            "anyProjectRole": any_project_role,
        }
        options = [(name, "1") for name, is_set in flags.items() if is_set]
        options += [("roleId", id_of(role_id))] if role_id is not None else []
        users: dict[str, list[str]] = {}
        for value in await self._fetch_of_nodes("responsible_users", nodes, options):
            users |= value or {}  # an empty object may come as []
        return users

    async def planning_dates(self, nodes: Iterable[FlowRecord | str], /) -> list[dict[str, Any]]:
        """Fetch the planning dates of nodes, as the server sends them: the document does not describe them.

        Args:
            nodes: The nodes, or their IDs.
        """
        values = await self._fetch_of_nodes("planning_dates", nodes, [])
        return [date for value in values for date in value]

    async def _archive(self, node: FlowRecord | str, archive: str) -> None:
        path = self._paths.archive.replace("{nodeId}", id_of(node)).replace("{archive}", archive)
        builder = RequestBuilder(self._base, "nodes")
        action = "archive" if archive == "1" else "unarchive"
        await self._channel.send(builder.build(self._paths.archive_method, action, *path.split("/")))

    async def _fetch_of_nodes(
        self, name: str, nodes: Iterable[FlowRecord | str], options: list[tuple[str, str]]
    ) -> list[Any]:
        builder = RequestBuilder(add_segments(self._base, *getattr(self._paths, name).split("/")), name)
        ids = [id_of(node) for node in nodes] if not isinstance(nodes, str) else nodes
        is_right = _is_list_of_objects if name == "planning_dates" else _is_users_by_node
        queries = list(batch_ids(builder.url, ids))
        return await gather_or_cancel(
            self._fetch_json(builder.build_get("get", query=[*query, *options]), is_right)
            for query in queries
        )

    async def _fetch_json(self, request: Request, is_right: Callable[[Any], bool]) -> Any:
        response = await self._channel.send(request)
        value = decode_json(request, response)
        if not is_right(value) or is_error_object(value):
            raise unreadable_response(request, response, f"the answer is {quote_value(response.text, 80)}")
        return value


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _is_users_by_node(value: Any) -> bool:
    if not isinstance(value, dict):
        return bool(value == [])  # an empty object, as PHP writes it
    return all(
        isinstance(users, list) and all(isinstance(user, str) for user in users) for users in value.values()
    )
