"""The client of one ZeyOS instance."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Self, Unpack

import attrs
from yarl import URL

from ...auth import AuthBackend, BearerToken, OAuth2, OAuth2Password
from ...auth.origins import REFRESH_FORBIDDERS, is_set, plain_http_allowed
from ...errors import (
    ApiError,
    ConfigurationError,
    Gone,
    InvalidArgument,
    NotAuthenticated,
    NotFound,
    PermissionDenied,
    ServerError,
    quote_value,
    suggest,
)
from ...secrets import Secret
from ...wire import Request, Response, Safety, public_url
from ..base.answers import is_error_object
from ..base.client import ApiClient, parse_base_url
from ..base.options import ClientOptions
from ._generated import ENTITIES, record_class
from ._generated.client_attributes import Entities
from .answers import check_answer
from .quirks import Quirks
from .readable import ReadableResource
from .writable import WritableResource

if TYPE_CHECKING:
    from ...auth import TokenStore

__all__ = ["Identity", "Zeyos"]

_API: Final = "api/v1"
_CLOUD: Final = "cloud.zeyos.com"
"""The vendor's own host, where every instance has a path of its own."""
_INSTANCE_APIS: Final = ("api", "auth", "oauth2")
"""First parts of absolute paths that are below the instance, not below ``/api/v1``."""
_IDENTITY_PATHS: Final = ("/oauth2/v1/userinfo", "/auth/v1/")
_WRITE_OPERATIONS: Final = frozenset({"create", "update", "delete"})


@attrs.frozen(kw_only=True)
class Identity:
    """The user and the application that a credential belongs to.

    Attributes:
        user: The user's ID.
        name: The user's log-in name.
        email: The user's system e-mail address.
        contact: The ID of the user's contact, or ``None``.
        application: The ID of the application that the token was issued to, or ``None``.
        language: The language, such as ``"en_US"``, or ``None``.
        extra: The other values of the server's response.
    """

    user: int
    name: str
    email: str | None = None
    contact: int | None = None
    application: int | None = None
    language: str | None = None
    extra: Mapping[str, Any] = attrs.field(factory=dict)


class Zeyos(ApiClient, Entities):
    """A client of one ZeyOS instance: an attribute for each entity, and a few calls of its own.

    Creating one sends nothing. Close it with ``async with`` or ``aclose()``. Paths of ``request()`` are below
    ``/api/v1``, such as ``"accounts/7"``; those that begin with ``/api/``, ``/auth/`` or ``/oauth2/`` are below the
    instance.

    Args:
        base_url: The instance: ``https://cloud.zeyos.com/demo``. With ``/api/v1`` behind it, too.
        auth: The way to log in; ``None`` for servers that ask nothing.
        quirks: The points that the documents leave open, where this instance differs from others.
        **options: The options that all clients take, see ``ClientOptions``: ``session``, ``timeout``, ``retry``,
            ``limits``, ``hooks``, ``allow_http``.

    Raises:
        ConfigurationError: The URL can't be that of an instance, or others could read a credential on its
            way there.
    """

    def __init__(
        self,
        base_url: str | URL,
        *,
        auth: AuthBackend | None = None,
        quirks: Quirks | None = None,
        **options: Unpack[ClientOptions],
    ) -> None:
        super().__init__(
            _instance_url(base_url),
            auth=auth,
            options=options,
            check=check_answer,
        )
        self._root = self._base / "api" / "v1"
        self._quirks = quirks
        self._resources: dict[str, ReadableResource[Any]] = {}
        self._by_oauth2 = isinstance(auth, (OAuth2, OAuth2Password))

    @classmethod
    def from_env(
        cls,
        environ: Mapping[str, str] | None = None,
        /,
        *,
        token_store: TokenStore | None = None,
        **options: Any,
    ) -> Self:
        """Return a client with the settings of environment variables.

        Reads ``ZEYOS_BASE_URL`` (default ``https://cloud.zeyos.com``), ``ZEYOS_INSTANCE``, ``ZEYOS_TOKEN``,
        ``ZEYOS_REFRESH_TOKEN``, ``ZEYOS_CLIENT_ID`` and ``ZEYOS_CLIENT_SECRET``. With a refresh token the
        client refreshes; as that token can be used once, give a ``token_store=`` that keeps its successors,
        or the program can't log in when it is started again.

        Args:
            environ: Another mapping than ``os.environ``.
            token_store: Keeps refreshed tokens between runs.
            **options: Passed on to the client.

        Raises:
            ConfigurationError: A variable is missing; the message says which.
        """
        env = os.environ if environ is None else environ
        base = env.get("ZEYOS_BASE_URL", "").strip() or "https://cloud.zeyos.com"
        instance = env.get("ZEYOS_INSTANCE", "").strip().strip("/")
        if not instance and not URL(base).path.strip("/"):
            raise ConfigurationError(
                "set ZEYOS_INSTANCE to the name of the instance, as in https://cloud.zeyos.com/NAME"
            )
        if "auth" not in options:
            options["auth"] = _auth_from_env(env, token_store)
        if plain_http_allowed(env):
            options.setdefault("allow_http", True)
        return cls(f"{base.rstrip('/')}/{instance}" if instance else base, **options)

    @classmethod
    def from_profile(cls, name: str | None = None, **options: Any) -> Self:
        """Return a client with the credentials of the vendor's command line tool.

        Takes the first of: the profile of this name, the one that ``ZEYOS_PROFILE`` names, the closest of
        ``.zeyos/profile`` (which names one) and ``.zeyos/auth.json`` in the current folder and those above it, the
        active profile of ``~/.config/zeyos/profiles.json``, ``~/.config/zeyos/credentials.json``. Refreshed
        tokens are written back to where they came from. These files are read at once.

        Args:
            name: A profile's name.
            **options: Passed on to the client. With an ``auth=`` of your own, ``name`` is needed: no file that
                happens to be near says where your credential goes.

        Raises:
            ConfigurationError: There is no such profile, or no token in it, or others could have written it; the
                message says what to do.
        """
        if options.get("auth") is not None and name is None:
            raise ConfigurationError(
                "from_profile(auth=…) would send your credential to the address of whichever profile is found; name "
                "the profile, or give the address to Zeyos(…)"
            )
        from .profiles import find_profile  # here, as few programs need it

        profile = find_profile(name)
        if "auth" not in options:
            options["auth"] = profile.auth()
        if profile.allow_http:
            options.setdefault("allow_http", True)
        return cls(profile.base_url, **options)

    def resource(self, name: str) -> ReadableResource[Any]:
        """Return the resource of an entity by its name: ``"accounts"``; for writable ones a ``WritableResource``.

        Raises:
            InvalidArgument: There is no such entity; the closest names are in the message.
        """
        if not isinstance(name, str):
            raise InvalidArgument(f"an entity has a name, not {quote_value(name)}")
        # One object each: what it learned of the server (fields, sizes of pages) would else be learned again.
        if name not in self._resources:
            record = record_class(name)
            is_writable = record.__entity__.operations >= _WRITE_OPERATIONS
            resource_class = WritableResource if is_writable else ReadableResource
            self._resources[name] = resource_class(self._channel, self._root, record, quirks=self._quirks)
        return self._resources[name]

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name not in ENTITIES:
                raise AttributeError(f"ZeyOS has no entity {name!r}.{suggest(name, ENTITIES)}")
            # Kept on the instance, so that the next access is an ordinary attribute.
            resource = self.__dict__[name] = self.resource(name)
            return resource

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *ENTITIES})

    async def config(self) -> dict[str, Any]:
        """Fetch the system's configuration, as far as users may see it."""
        return await self._get_object("config")

    async def settings(self) -> dict[str, Any]:
        """Fetch the settings of the application that the credential belongs to."""
        return await self._get_object("settings")

    async def whoami(self) -> Identity:
        """Return the user and the application that the credential belongs to.

        Asks the OAuth 2.0 API's user info and the authentication API; which of them first depends on the log-in.
        Either may refuse a token that the REST API takes, so that a refresh token is used only if that refuses too.
        """
        try:
            return await self._ask_who()
        except NotAuthenticated:
            before = self._channel.credential
            if not self._by_oauth2 or before is None:
                raise
            await self.request("GET", "config")
            if self._channel.credential == before:
                raise
        return await self._ask_who()

    async def _ask_who(self) -> Identity:
        """Ask both APIs in turn; the refusal of the first is raised if both refuse."""
        paths = _IDENTITY_PATHS if self._by_oauth2 else _IDENTITY_PATHS[::-1]
        refusal: ApiError | None = None
        for path in paths:
            request = Request(
                method="GET",
                url=self._url(path),
                headers={"Accept": "application/json"},
                safety=Safety.READ,
                operation="whoami",
                renews=not self._by_oauth2,
            )
            try:
                response = await self._channel.send(request)
            except (NotAuthenticated, PermissionDenied, NotFound, Gone) as error:
                refusal = refusal or error
            else:
                return _read_identity(_read_object(response, "who the credential belongs to"))
        assert refusal is not None  # there are two paths
        raise refusal

    def _root_of(self, path: str) -> URL:
        is_below_instance = path.startswith("/") and path.strip("/").split("/")[0] in _INSTANCE_APIS
        return self._base if is_below_instance else self._root

    def _only_reads(self, method: str, path: str) -> bool:
        # Lists are POSTs that change nothing: as ordinary POSTs they would not be sent again after a failure.
        is_list = method == "POST" and path.strip("/") in ENTITIES
        return is_list or super()._only_reads(method, path)

    async def _get_object(self, path: str) -> dict[str, Any]:
        return _read_object(await self.request("GET", path), path)


def _auth_from_env(env: Mapping[str, str], store: TokenStore | None) -> AuthBackend:
    """Return the auth backend for the tokens in the environment; a refresh token comes first."""
    token, refresh_token, client_id, client_secret = (
        _secret_from_env(env, f"ZEYOS_{name}")
        for name in ("TOKEN", "REFRESH_TOKEN", "CLIENT_ID", "CLIENT_SECRET")
    )
    if refresh_token is not None:
        if client_id is None:
            raise ConfigurationError(
                "ZEYOS_REFRESH_TOKEN is set: set ZEYOS_CLIENT_ID (and ZEYOS_CLIENT_SECRET) to the application "
                "that it was issued to, too"
            )
        return OAuth2(
            client_id.reveal(),
            client_secret,
            refresh_token=refresh_token,
            access_token=token,
            token_store=store,
            may_refresh=False if any(is_set(env, name) for name in REFRESH_FORBIDDERS) else None,
        )
    if token is None:
        raise ConfigurationError(
            "set ZEYOS_TOKEN to an access token (or ZEYOS_REFRESH_TOKEN and ZEYOS_CLIENT_ID), or pass auth=… to "
            "from_env()"
        )
    return BearerToken(token)


def _secret_from_env(env: Mapping[str, str], name: str) -> Secret | None:
    """Return a secret of the environment, or ``None``."""
    return Secret(env[name].strip()) if env.get(name, "").strip() else None


def _instance_url(value: str | URL) -> URL:
    """Return the instance's URL, without the API's path, query, credentials or a trailing slash."""
    url = parse_base_url(value, subject="an instance", example=f"https://{_CLOUD}/demo")
    path = url.path.rstrip("/")
    if not path and url.host == _CLOUD:
        raise ConfigurationError(f"{url} lacks the name of the instance, as in https://{_CLOUD}/demo")
    return url.with_path(path.removesuffix(f"/{_API}").rstrip("/") or "/", encoded=True)


def _read_object(response: Response, subject: str) -> dict[str, Any]:
    try:
        value = response.json()
    except ValueError:
        value = None
    if value == []:  # an empty object, as PHP writes it
        value = {}
    if response.status != 200 or not isinstance(value, dict) or is_error_object(value):
        raise ServerError(
            f"{subject} was asked for, and {quote_value(response.text, 80)} came",
            status=response.status,
            url=public_url(response.url),
        )
    return value


def _read_identity(values: dict[str, Any]) -> Identity:
    auth = values.get("auth") if isinstance(values.get("auth"), dict) else {}
    user = values.get("user", values.get("sub", (auth or {}).get("user")))
    try:
        number = int(str(user))
    except ValueError:
        raise ServerError(f"the server's answer does not say who the user is: {sorted(values)}") from None
    own_fields = {"auth", "user", "sub", "name", "preferred_username", "email", "contact"}
    return Identity(
        user=number,
        name=str(values.get("preferred_username") or values.get("name") or ""),
        email=values.get("email"),
        contact=values.get("contact"),
        application=(auth or {}).get("application"),
        language=(auth or {}).get("lang") or values.get("locale"),
        extra={key: value for key, value in values.items() if key not in own_fields},
    )
