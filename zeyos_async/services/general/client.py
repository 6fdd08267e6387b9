"""The client of the General API, for one endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack

import attrs
from yarl import URL

from ...auth import AuthBackend
from ...auth.general.login import KmdBackend, KmdLogin, KmdToken
from ...errors import ConfigurationError, InvalidArgument, ServerError, quote_value
from ...session.credentials import run_flow
from ...wire import Safety
from ..base.client import ApiClient, parse_base_url
from ..base.options import ClientOptions
from .actions import ActionCaller, Layout
from .model import Model
from .responses import ResponseCheck

if TYPE_CHECKING:
    from ...auth import Credential

__all__ = ["GeneralApi"]


class GeneralApi(ApiClient):
    """A client of one endpoint. Creating one sends nothing. Close it with ``async with`` or ``aclose()``.

    Args:
        endpoint: The API's address, which each customer has of their own; there is no default.
        auth: The way to log in, ``KmdLogin`` or ``KmdToken``; ``None`` for servers that ask nothing.
        layout: ``"single"`` where everything is posted to the endpoint itself, ``"paths"`` where the
            addresses below it name model and action.
        **options: The options that all clients take, see ``ClientOptions``: ``session``, ``timeout``, ``retry``,
            ``limits``, ``hooks``, ``allow_http``.

    Raises:
        ConfigurationError: The endpoint can't be one, or others could read a credential on its
            way there.
    """

    def __init__(
        self,
        endpoint: str | URL,
        *,
        auth: AuthBackend | None = None,
        layout: Layout = "single",
        **options: Unpack[ClientOptions],
    ) -> None:
        if layout not in ("single", "paths"):
            raise ConfigurationError(f"layout= is 'single' or 'paths', not {layout!r}.")
        url = _parse_endpoint(endpoint)
        self._auth = auth
        if isinstance(auth, KmdLogin):
            self._auth = attrs.evolve(auth, layout=layout, endpoint=url)
        check = ResponseCheck(KmdToken("none"))
        super().__init__(
            url,
            auth=self._auth,
            options=options,
            check=check,
        )
        # The one in use: clients of a session with equal backends share the first of them, and what it learned.
        backend = self._channel.backend if isinstance(self._channel.backend, KmdBackend) else None
        if backend is not None:
            check.backend = backend
        self._caller = ActionCaller(self._channel, url, layout, backend)
        self._models: dict[str, Model] = {}

    @property
    def endpoint(self) -> URL:
        """The endpoint's URL."""
        return self._base

    def model(self, name: str) -> Model:
        """Return a model by its name. Only the server knows whether there is one (see ``rights``).

        Raises:
            InvalidArgument: It is no name.
        """
        if not isinstance(name, str) or not name:
            raise InvalidArgument(f"a model has a name, not {quote_value(name)}")
        if name not in self._models:
            self._models[name] = Model(self._caller, name)
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
        credential = flow if isinstance(flow, Credential) else await run_flow(flow, self._channel.exchange)
        self._channel.adopt(credential)
        return credential

    async def rights(self) -> dict[str, tuple[str, ...]]:
        """Return the actions that the user may do, for each model."""
        data = await self.call("rights", safe=True)
        try:
            return {item["model"]: tuple(item["actions"]) for item in data}
        except (TypeError, LookupError):
            raise ServerError(f"rights were asked for, and {quote_value(data, 80)} came") from None

    async def info(self) -> Any:
        """Return the server's description of itself, as it comes; servers of the layout ``"paths"`` have it."""
        return await self.call("info", safe=True)

    async def call(
        self,
        action: str,
        *,
        model: str = "",
        safe: bool | Safety | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call any action, such as those that ``rights`` names and this client has no method for.

        Args:
            action: The action's name.
            model: The model's name, for actions of a model.
            safe: ``True`` if the action changes nothing and may be sent again; by default it may not.
            fields: The action's own fields.

        Returns:
            The response's ``data``.
        """
        safety = self._safety("POST", "", safe)
        request = self._caller.build_request(action, fields or {}, model=model, safety=safety, sent=fields)
        return await self._caller.call(request, lambda data: data)

    def _url(self, path: str) -> URL:
        """Return the URL of a path below the endpoint; an empty path is the endpoint itself."""
        return self._base if isinstance(path, str) and not path.strip("/") else super()._url(path)


def _parse_endpoint(value: str | URL) -> URL:
    """Check an endpoint and return it as it was written: a slash at its end, or a query, may be part of it."""
    parse_base_url(value, subject="an endpoint", example="https://www.example.com/api")
    return URL(value).with_fragment(None)
