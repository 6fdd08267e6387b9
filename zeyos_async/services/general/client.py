"""The client of one endpoint of the General API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
from yarl import URL

from ...addresses import parse_base_url
from ...auth import AuthBackend
from ...auth.general.login import KmdLogin, KmdToken
from ...errors import ConfigurationError, InvalidArgument, ServerError
from ...session import Limits, Retry, Session, Timeout
from ...session.credentials import run_flow
from ...wire import Safety
from ..base.client import ApiClient
from .answers import checker
from .model import Model
from .wire import Layout, Wire

if TYPE_CHECKING:
    from ...auth import Credential
    from ...session import Hooks

__all__ = ["GeneralApi"]


class GeneralApi(ApiClient):
    """A client of one endpoint. Creating one sends nothing. Close it with ``async with`` or ``aclose()``.

    Args:
        endpoint: The customer's own address of the API; there is no default.
        auth: ``KmdLogin`` or ``KmdToken``; ``None`` for servers that ask nothing.
        session: A session to share between clients; it is not closed with this client.
        timeout: Seconds for a call, waits and retries included, or a ``Timeout``.
        retry: What is tried again, and how often.
        limits: How much runs at once.
        hooks: Called on requests, responses, retries and log-ins.
        layout: ``"single"`` where everything is posted to the endpoint itself, ``"paths"`` where the
            addresses below it name model and action.

    Raises:
        ConfigurationError: The endpoint can't be one.
    """

    def __init__(
        self,
        endpoint: str | URL,
        *,
        auth: AuthBackend | None = None,
        session: Session | None = None,
        timeout: Timeout | float | None = None,
        retry: Retry | None = None,
        limits: Limits | None = None,
        hooks: Sequence[Hooks] = (),
        layout: Layout = "single",
    ) -> None:
        if layout not in ("single", "paths"):
            raise ConfigurationError(f"layout= is 'single' or 'paths', not {layout!r}.")
        url = _endpoint(endpoint)
        self._auth = auth
        if isinstance(auth, KmdLogin):
            self._auth = attrs.evolve(auth, layout=layout, endpoint=url)
        super().__init__(
            url,
            auth=self._auth,
            session=session,
            timeout=timeout,
            retry=retry,
            limits=limits,
            hooks=hooks,
            check=checker(auth.expired if isinstance(auth, KmdLogin | KmdToken) else None),
        )
        self._wire = Wire(self._channel, url, layout)
        self._models: dict[str, Model] = {}

    @property
    def endpoint(self) -> URL:
        """The endpoint's URL."""
        return self._base

    def model(self, name: str) -> Model:
        """A model by its name; whether there is one, the server knows (see ``rights``).

        Raises:
            InvalidArgument: It is no name.
        """
        if not isinstance(name, str) or not name:
            raise InvalidArgument(f"a model has a name, not {name!r}")
        if name not in self._models:
            self._models[name] = Model(self._wire, name)
        return self._models[name]

    async def auth(self) -> Credential:
        """Log in now, rather than with the first call.

        Returns:
            The credential, whose secret is the ``kmd``.

        Raises:
            ConfigurationError: The client has no ``auth=``.
            NotAuthenticated: The server refuses.
        """
        if self._auth is None:
            raise ConfigurationError("this client has no auth= to log in with")
        from ...auth import AuthContext, Credential

        flow = self._auth.obtain(AuthContext(base_url=self._channel.base_url), None)
        got = flow if isinstance(flow, Credential) else await run_flow(flow, self._channel.exchange)
        self._channel.adopt(got)
        return got

    async def rights(self) -> dict[str, tuple[str, ...]]:
        """What the user may do: model → actions."""
        data = await self.call("rights", safe=True)
        try:
            return {item["model"]: tuple(item["actions"]) for item in data}
        except (TypeError, LookupError):
            raise ServerError(f"rights were asked for, and {data!r:.80} came") from None

    async def info(self) -> Any:
        """What the server says of itself, as it comes; servers of the layout ``"paths"`` have it."""
        return await self.call("info", safe=True)

    async def call(
        self,
        action: str,
        *,
        model: str = "",
        safe: bool | Safety | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> Any:
        """Any action, such as those that ``rights`` names and this client has no method for.

        Args:
            action: The action's name.
            model: The model's name, for actions of a model.
            safe: ``True`` for what changes nothing and may be sent again; by default it may not.
            fields: The action's own fields.

        Returns:
            The answer's ``data``.
        """
        safety = self._safety("POST", "", safe)
        request = self._wire.request(action, fields or {}, model=model, safety=safety, sent=fields)
        return await self._wire.ask(request, lambda data: data)

    def _url(self, path: str) -> URL:
        """The URL below the endpoint; an empty path is the endpoint itself."""
        return self._base if isinstance(path, str) and not path.strip("/") else super()._url(path)


def _endpoint(value: str | URL) -> URL:
    """The endpoint as it was written: a slash at its end may be part of it."""
    return parse_base_url(value, what="an endpoint", example="https://www.example.com/api")
