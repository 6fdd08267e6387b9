"""The General API's backends: a log-in by name and password, or a token (``kmd``) that exists already.

The token travels in the JSON body of each call, beside the access type and the language.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs
import msgspec
from yarl import URL

from ...errors import ConfigurationError, NotAuthenticated, ServerError, error_class
from ...json_text import decode_json
from ...secrets import Secret, redact
from ...wire import Request, Response, Safety, public_url
from ..base import AuthBackend, AuthContext, Flow, to_secret
from ..credential import Credential

if TYPE_CHECKING:
    from ..stores.base import TokenStore

__all__ = [
    "DOCUMENTED_CODES",
    "ActionRequest",
    "KmdBackend",
    "KmdLogin",
    "KmdToken",
    "LearnedCodes",
    "Status",
    "read_status",
]

DOCUMENTED_CODES: Final = frozenset({0, 101, 102, 103, 113})
"""Success, no input, wrong access type, missing ids, wrong fields: none of them is about the token."""

_JSON: Final = {"Content-Type": "application/json", "Accept": "application/json"}
_MAX_MESSAGE: Final = 300
_MAX_ENDED: Final = 100
_WHITESPACE: Final = re.compile(r"\s+")


class Status(msgspec.Struct, frozen=True):
    """The status fields of an answer of the General API; its ``data`` is not read.

    Attributes:
        status: ``"Success"`` or ``"Error"``.
        statuscode: 0 is success.
        msg: What the server says about it.
    """

    status: str = ""
    statuscode: int = -1
    msg: str = ""

    @property
    def ok(self) -> bool:
        """Whether the call did what it should."""
        return self.statuscode == 0 and self.status.lower() != "error"

    @property
    def message(self) -> str:
        """The server's message, on one line and of bounded length."""
        return _WHITESPACE.sub(" ", self.msg).strip()[:_MAX_MESSAGE]


# Not strict: the code is read where it comes as text, too.
_STATUS: Final = msgspec.json.Decoder(Status, strict=False)


def read_status(response: Response) -> Status | None:
    """Read the status of an answer; ``None`` if it is no answer of this API."""
    try:
        status = decode_json(response.body, _STATUS)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return status if status.status or status.statuscode >= 0 else None


@attrs.define(eq=False)
class LearnedCodes:
    """The meanings that the status codes of one endpoint turned out to have, where the document does not explain them.

    Attributes:
        expired: Codes that a fresh token did away with.
        refusals: Codes that a fresh token met as well: no log-in helps against them.
        ended: Tokens (as hashes) and the codes with which reads were refused that had them; the last ones.
    """

    expired: set[int] = attrs.field(factory=set)
    refusals: set[int] = attrs.field(factory=set)
    ended: deque[tuple[int, int]] = attrs.field(factory=lambda: deque(maxlen=_MAX_ENDED))

    def learn_expired(self, code: int) -> None:
        """Record that a code means the end of the token."""
        self.expired.add(code)
        self.refusals.discard(code)

    def learn_refusal(self, code: int) -> None:
        """Record that a code has nothing to do with the token."""
        self.refusals.add(code)
        self.expired.discard(code)


@attrs.frozen(kw_only=True)
class ActionRequest(Request):
    """A request of an action, which remembers the unknown codes that its attempts met.

    Attributes:
        met: The codes of the answers after which the token was replaced, in order.
        tokens: The tokens (as hashes) that its attempts were sent with, in order.
        probed: The code that a write met and this read asks about, or ``None``.
        renews: Whether a code of the answer may lead to a new log-in.
    """

    met: list[int] = attrs.field(factory=list, eq=False, repr=False)
    tokens: list[int] = attrs.field(factory=list, eq=False, repr=False)
    probed: int | None = None
    renews: bool = True


def _check_number(value: int | None) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise ConfigurationError(f"access_type= and lang= are whole numbers from 0, not {value!r}.")
    return value


def _to_codes(value: Collection[int] | None) -> frozenset[int]:
    return frozenset(value or ())


def _check_access_type(value: int) -> int:
    if value is None:
        raise ConfigurationError("access_type= is needed: the number that the server knows this way in by.")
    _check_number(value)
    return value


def _to_name(value: str) -> str:
    return to_secret(value, "kname").reveal()


def _to_password(value: str | Secret) -> Secret:
    return to_secret(value, "kpass")


def _to_token(value: str | Secret) -> Secret:
    return to_secret(value, "kmd")


def _to_key(value: str | Secret | None) -> Secret | None:
    return None if value is None else to_secret(value, "key")


@attrs.frozen(kw_only=True)
class KmdBackend(AuthBackend):
    """The common part of both backends: where the token goes, and how a refusal of it is recognised."""

    access_type: int | None = attrs.field(default=None, converter=_check_number)
    lang: int | None = attrs.field(default=None, converter=_check_number)
    key: Secret | None = attrs.field(default=None, converter=_to_key)
    expired: frozenset[int] = attrs.field(default=frozenset(), converter=_to_codes)
    refusals: frozenset[int] = attrs.field(default=frozenset(), converter=_to_codes)
    learned: LearnedCodes = attrs.field(factory=LearnedCodes, init=False, eq=False, repr=False)

    def means_expired(self, code: int) -> bool:
        """Return whether a code is known to mean that the token is over its time."""
        return code in self.expired or (
            code in self.learned.expired and code not in self.refusals and code not in DOCUMENTED_CODES
        )

    def is_unknown(self, code: int) -> bool:
        """Return whether nobody knows yet what a code means."""
        known_codes = DOCUMENTED_CODES | self.refusals | self.learned.refusals
        return code >= 0 and code not in known_codes and not self.means_expired(code)

    def ends_token(self, request: Request, code: int) -> bool:
        """Return whether a code tells for sure that the token of a write is over its time.

        That a code is learned does not: it may have been met by a read while the server was busy, and this write may
        be stored. A read with the same token has to have met it, and a fresh one to have done away with it.
        """
        if code in self.expired:
            return True
        tokens = request.tokens[-1:] if isinstance(request, ActionRequest) else []
        return self.means_expired(code) and any((token, code) in self.learned.ended for token in tokens)

    def apply(self, request: Request, credential: Credential) -> Request:
        """Return the request with the token in its JSON object; a body that is none stays as it is."""
        body = _parse_object(request.content)
        if body is None:
            return request
        if isinstance(request, ActionRequest):
            request.tokens.append(hash(credential.secret.reveal()))
        # The body's own values win: a call may ask for another language.
        fields = {**self.common_fields(), **body, "kmd": credential.secret.reveal()}
        return attrs.evolve(request, body=json.dumps(fields).encode())

    def common_fields(self) -> dict[str, Any]:
        """Return the fields that each call carries besides the token."""
        values = {"accessType": self.access_type, "lang": self.lang}
        fields = {name: value for name, value in values.items() if value is not None}
        return fields if self.key is None else {**fields, "key": self.key.reveal()}

    def rejected(self, request: Request, response: Response) -> bool:
        """Return whether the answer means that the token has expired, or may mean it and only reads.

        The code for that is not documented. So an unknown code costs a read one log-in; what follows tells what
        the code means (see ``services.general.actions``). A write is never sent again for an unknown code, and one
        that must be done once only if it is sure that the server looked at nothing but its token.
        """
        status = read_status(response)
        if response.status == 401 or status is None or status.ok or response.status >= 500:
            return response.status == 401
        code = status.statuscode
        is_unknown = self.is_unknown(code)
        if isinstance(request, ActionRequest) and (
            not request.renews or (request.probed not in (None, code) and is_unknown)
        ):
            return False
        if request.safety is Safety.ONCE:
            is_rejected = self.ends_token(request, code)
        else:
            is_rejected = self.means_expired(code) or (is_unknown and request.safety is Safety.READ)
        if is_rejected and isinstance(request, ActionRequest):
            request.met.append(code)
            if request.safety is Safety.READ:
                self.learned.ended.extend((token, code) for token in request.tokens[-1:])
        return is_rejected


def _parse_object(body: bytes | None) -> dict[str, Any] | None:
    try:
        value = json.loads(body) if body else None
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


@attrs.frozen(kw_only=True)
class KmdLogin(KmdBackend):
    """A backend that logs in with the action ``auth`` and sends the ``kmd`` that it gets.

    A token that is not accepted any more is replaced by a fresh log-in, once for each call.

    Args:
        kname: The user's name.
        kpass: The password.
        access_type: The user's ``accessType``; each call carries it.
        longlife: Whether to ask for a token that lives long.
        lang: The language of texts, as the server counts them; the server's own if left out.
        key: The ``key`` that some servers ask for with each call.
        expired: The status codes that mean "log in again", where they are known; others are learned.
        refusals: The status codes that are plain refusals: no log-in is tried for them.
        layout: ``"single"`` posts to the endpoint itself, ``"paths"`` to ``…/auth/auth``; a client sets it.
        endpoint: The endpoint as it was written, with a slash at its end if it has one; a client sets it.
        token_store: Where the token is kept between programs.

    Raises:
        ConfigurationError: An argument is empty or of the wrong type.
    """

    kname: str = attrs.field(kw_only=False, converter=_to_name)
    kpass: Secret = attrs.field(kw_only=False, converter=_to_password)
    access_type: int = attrs.field(converter=_check_access_type)
    longlife: bool = False
    layout: Literal["single", "paths"] = "single"
    endpoint: URL | None = None
    token_store: TokenStore | None = None

    @property
    def identity(self) -> str:
        """The user and the access type."""
        return f"kmd:{self.kname}:{self.access_type}"

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Flow:
        """Log in.

        Raises:
            NotAuthenticated: The server refuses name and password.
            ServerError: The answer makes no sense; the endpoint may be wrong.
        """
        request = self._request(context)
        response: Response = yield request
        status = read_status(response)
        if status is None or not status.ok:
            raise self._refusal(request, response, status)
        return _read_credential(request, response)

    def _request(self, context: AuthContext) -> Request:
        body = {**self.common_fields(), "kname": self.kname, "kpass": self.kpass.reveal()}
        if self.longlife:
            body["longlife"] = 1
        has_paths = self.layout == "paths"
        return Request(
            method="POST",
            url=context.url("auth/auth") if has_paths else self.endpoint or context.base_url,
            headers=_JSON,
            body=json.dumps(body if has_paths else {"action": "auth", **body}).encode(),
            safety=Safety.REPEATABLE,
            operation="auth",
        )

    def _refusal(self, request: Request, response: Response, status: Status | None) -> Exception:
        details: dict[str, Any] = {
            "status": response.status,
            "method": request.method,
            "url": public_url(request.url),
        }
        if status is None:
            # With status 200 it is the page of something else, which a new log-in would not change.
            error_type = ServerError if response.ok else error_class(response.status)
            text = f"the answer to the log-in of {self.kname!r} is none of the General API. Is the endpoint right?"
            return error_type(text, **details)
        reason = redact(status.message, self.kpass, self.key) or "no reason given"
        text = f"the log-in of {self.kname!r} was refused: {reason}. Check kname, kpass and access_type"
        error = NotAuthenticated(text, code=str(status.statuscode), **details)
        error.hint = ""  # the message says it already
        return error


def _read_credential(request: Request, response: Response) -> Credential:
    try:
        token = response.json()["data"]["kmd"]
    except (ValueError, LookupError, TypeError):
        token = None
    if isinstance(token, str) and token:
        return Credential(secret=token)
    raise ServerError(
        "the answer to the log-in holds no kmd",
        status=response.status,
        method=request.method,
        url=public_url(request.url),
    )


@attrs.frozen(kw_only=True)
class KmdToken(KmdBackend):
    """A backend that sends a ``kmd`` that was obtained elsewhere.

    Args:
        kmd: The token.
        access_type: The user's ``accessType``, which servers expect with each call.
        lang: The language of texts.
        key: The ``key`` that some servers ask for.
        expired: The status codes that mean that the token is over its time, where they are known.
        refusals: The status codes that are plain refusals, and say nothing about the token.

    Raises:
        ConfigurationError: An argument is empty or of the wrong type.
    """

    kmd: Secret = attrs.field(kw_only=False, converter=_to_token)

    @property
    def hint(self) -> str:
        """Advice for a token that is not accepted."""
        return "The kmd is over its time or unknown: get another, or let KmdLogin(…) do it"

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Credential:
        """Return the token."""
        return Credential(secret=self.kmd)
