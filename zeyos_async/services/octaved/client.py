"""The client of one Octaved Flow installation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from yarl import URL

from ...addresses import add_segments
from ...auth import AuthBackend
from ...errors import InvalidArgument, suggest
from ...session import Limits, Retry, Session, Timeout
from ...wire import Request
from ..base.client import ApiClient, service_url
from ._generated import RECORDS, FlowResources, record_class
from .paths import Paths
from .resources import BaseResource, BillingResource, CustomerResource, FlowResource, together
from .tables import FlowRecord
from .wire import Route, batches, id_of, json_of, unusable

if TYPE_CHECKING:
    from ...session import Hooks

__all__ = ["Octaved"]

_CLASSES: Final[dict[str, type[BaseResource[Any]]]] = {
    "customers": CustomerResource,
    "billings": BillingResource,
}


class Octaved(ApiClient, FlowResources):
    """A client of Octaved Flow: an attribute for each resource, and what is asked of nodes of any kind.

    Creating one sends nothing. Close it with ``async with`` or ``aclose()``.

    Args:
        base_url: Where the API is; the document names no address.
        auth: How to prove who you are: ``ApiKey("X-Api-Key", "…")``, with the header of your installation.
        session: A session to share between clients; it is not closed with this client.
        timeout: Seconds for a call, waits and retries included, or a ``Timeout``.
        retry: What is tried again, and how often.
        limits: How much runs at once.
        hooks: Called on requests, responses, retries and log-ins.
        paths: Where the routes are, if they are not where their names say.

    Raises:
        ConfigurationError: The URL can't be one.
    """

    def __init__(
        self,
        base_url: str | URL,
        *,
        auth: AuthBackend | None = None,
        session: Session | None = None,
        timeout: Timeout | float | None = None,
        retry: Retry | None = None,
        limits: Limits | None = None,
        hooks: Sequence[Hooks] = (),
        paths: Paths | None = None,
    ) -> None:
        super().__init__(
            service_url(base_url, what="the API", example="https://flow.example.com/api/v1"),
            auth=auth,
            session=session,
            timeout=timeout,
            retry=retry,
            limits=limits,
            hooks=hooks,
        )
        self._paths = paths or Paths()

    def resource(self, name: str) -> BaseResource[Any]:
        """A resource by its name: ``"work_packages"``.

        Raises:
            InvalidArgument: There is no such resource; the closest names are in the message.
        """
        if name not in RECORDS:
            raise InvalidArgument(f"Octaved Flow has no resource {name!r}.{suggest(name, RECORDS)}")
        kind = _CLASSES.get(name, FlowResource)
        return kind(self._channel, self._base, self._paths, record_class(name))

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
        """Who is responsible for nodes in the end, inheritance and groups resolved.

        Without any option these are the responsible users and those of any project role.

        Args:
            nodes: The nodes, or their IDs.
            responsible: Whether the responsible users are included.
            project_manager: Whether the project managers are included.
            any_project_role: Whether users of any project role are included.
            role_id: A project role whose users are included.

        Returns:
            ID of the node → IDs of the users, as far as the server knows the nodes.
        """
        flags = {
            "responsible": responsible,
            "projectManager": project_manager,
            "anyProjectRole": any_project_role,
        }
        options = [(name, "1") for name, wanted in flags.items() if wanted]
        options += [("roleId", id_of(role_id))] if role_id is not None else []
        found: dict[str, list[str]] = {}
        for answer in await self._of_nodes("responsible_users", nodes, options):
            found |= answer or {}  # an empty object may come as []
        return found

    async def planning_dates(self, nodes: Iterable[FlowRecord | str], /) -> list[dict[str, Any]]:
        """The planning dates of nodes, as the server gives them: the document does not describe them.

        Args:
            nodes: The nodes, or their IDs.
        """
        answers = await self._of_nodes("planning_dates", nodes, [])
        return [date for answer in answers for date in answer]

    async def _archive(self, node: FlowRecord | str, archive: str) -> None:
        path = self._paths.archive.replace("{nodeId}", id_of(node)).replace("{archive}", archive)
        route = Route(self._base, "nodes")
        action = "archive" if archive == "1" else "unarchive"
        await self._channel.send(route.send(self._paths.archive_method, action, *path.split("/")))

    async def _of_nodes(
        self, name: str, nodes: Iterable[FlowRecord | str], options: list[tuple[str, str]]
    ) -> list[Any]:
        route = Route(add_segments(self._base, *getattr(self._paths, name).split("/")), name)
        ids = [id_of(node) for node in nodes] if not isinstance(nodes, str) else nodes
        wanted = list if name == "planning_dates" else (dict, list)
        queries = list(batches(route.url, ids))
        return await together(
            self._answer(route.get("get", query=[*query, *options]), wanted) for query in queries
        )

    async def _answer(self, request: Request, wanted: type | tuple[type, ...]) -> Any:
        response = await self._channel.send(request)
        value = json_of(request, response)
        if not isinstance(value, wanted):
            raise unusable(request, response, f"the answer is {response.text!r:.80}")
        return value
