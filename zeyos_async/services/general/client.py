"""The client of one endpoint of the General API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import attrs
from yarl import URL

from ...auth import AuthBackend
from ...auth.kmd import KmdLogin, KmdToken
from ...errors import ConfigurationError, InvalidArgument, ServerError
from ...session import Channel, Limits, Retry, Session, Timeout
from ...session.login import run_flow
from ...wire import Request, Response, Safety, public_url
from .answers import checker
from .model import Model
from .wire import JSON_HEADERS, Layout, Wire

if TYPE_CHECKING:
    from ...auth import Credential
    from ...session import Hooks

__all__ = ["GeneralApi"]


class GeneralApi:
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
        self._endpoint = _endpoint(endpoint)
        self._auth = attrs.evolve(auth, layout=layout) if isinstance(auth, KmdLogin) else auth
        self._session = session or Session(limits=limits)
        self._owns_session = session is None
        expired = auth.expired if isinstance(auth, KmdLogin | KmdToken) else None
        self._channel: Channel = self._session.bind(
            self._endpoint,
            self._auth,
            timeout=timeout,
            retry=retry,
            limits=limits,
            hooks=hooks,
            check=checker(expired),
        )
        self._wire = Wire(self._channel, self._endpoint, layout)
        self._models: dict[str, Model] = {}

    @property
    def endpoint(self) -> URL:
        """The endpoint's URL."""
        return self._endpoint

    @property
    def session(self) -> Session:
        """The session that sends this client's requests."""
        return self._session

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close what this client opened. A shared session stays open."""
        if self._owns_session:
            await self._session.aclose()

    def __repr__(self) -> str:
        return f"<GeneralApi {public_url(self._endpoint)}>"

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
        safety = _safety(safe)
        return await self._wire.ask(
            self._wire.request(action, fields or {}, model=model, safety=safety, sent=fields)
        )

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | Sequence[tuple[str, str]] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        safe: bool | Safety | None = None,
    ) -> Response:
        """Send a request of one's own, with retries and errors; a JSON object gets the credential.

        Args:
            method: HTTP method.
            path: Below the endpoint; ``""`` is the endpoint itself.
            query: Query parameters.
            json: Values for a JSON body.
            headers: More headers.
            safe: Whether it may be sent again; by default GET and HEAD may, all else may not.

        Returns:
            The response, which is no error.

        Raises:
            ApiError: The server answered with an error.
        """
        method = method.upper()
        parts = [part for part in path.strip("/").split("/") if part]
        if "://" in path or any(part in (".", "..") for part in parts):
            raise InvalidArgument(f"request() takes a path below the endpoint, not {path!r}")
        url = self._endpoint.joinpath(*parts) if parts else self._endpoint
        import msgspec

        return await self._channel.send(
            Request(
                method=method,
                url=url.with_query(query) if query else url,
                headers={**JSON_HEADERS, **(headers or {})},
                body=None if json is None else msgspec.json.encode(json),
                safety=Safety.READ if safe is None and method in ("GET", "HEAD") else _safety(safe),
                operation=f"request.{method.lower()}",
                sent=json,
            )
        )


def _safety(safe: bool | Safety | None) -> Safety:
    if isinstance(safe, Safety):
        return safe
    return Safety.READ if safe else Safety.ONCE


def _endpoint(value: str | URL) -> URL:
    try:
        url = URL(value)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{value!r} is not a URL: {error}") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigurationError(f"the URL of an endpoint is needed, not {str(value)!r}")
    if url.user or url.password:
        raise ConfigurationError("a URL must not hold credentials; give them as auth=…")
    return url.with_fragment(None)
