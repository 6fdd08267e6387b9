"""The state of a session of Open-Xchange: its ID and its cookies, kept as one credential.

A session is an ID in the query of each request and cookies beside it. The cookies' names hold a hash of the
``User-Agent`` and the client's name, so that two sessions of one client have cookies of the same names: each
log-in has a jar of its own, and no jar is shared by the transport.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import attrs

from ...errors import ConfigurationError
from ...secrets import Secret
from ...wire import Response
from ..credential import Credential

__all__ = ["SessionState"]


@attrs.frozen
class SessionState:
    """The parts of a credential of Open-Xchange.

    Attributes:
        session: The session's ID.
        cookies: Name → value.
    """

    session: str = attrs.field(default="", repr=False)
    cookies: Mapping[str, str] = attrs.field(factory=dict, repr=lambda cookies: f"<{len(cookies)} cookies>")

    @classmethod
    def from_credential(cls, credential: Credential) -> SessionState:
        """Read the state that a credential was made of by :meth:`to_credential`.

        Raises:
            ConfigurationError: It is the credential of another backend.
        """
        state = cls._parse(credential.secret)
        if state is None:  # raised here, where the plain text is in no variable
            raise ConfigurationError("This credential is none of Open-Xchange's, and can't be used there.")
        return state

    @classmethod
    def _parse(cls, secret: Secret) -> SessionState | None:
        try:
            values = json.loads(secret.reveal())
            return cls(values["session"], values["cookies"])
        except (ValueError, LookupError, TypeError):
            return None

    def to_credential(self, **info: Any) -> Credential:
        """Return the credential: session and cookies are one secret, as neither is of use without the other."""
        values = {"session": self.session, "cookies": dict(self.cookies)}
        return Credential(secret=json.dumps(values), info=info)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Each secret text by itself, to be taken out of what a server repeats."""
        return (Secret(self.session), *map(Secret, self.cookies.values()))

    def cookie_header(self, others: str | None) -> dict[str, str]:
        """Return the header ``Cookie``, with those that a request has already; nothing if there are none."""
        own = [f"{name}={value}" for name, value in self.cookies.items()]
        line = "; ".join([*([others] if others else []), *own])
        return {"Cookie": line} if line else {}

    def with_cookies_of(self, response: Response) -> SessionState:
        """Return the state with the cookies that an answer sets, and without those that it removes."""
        lines = response.headers.getall("Set-Cookie", ())
        if not lines:
            return self
        cookies = dict(self.cookies)
        for line in lines:
            name, value = _parse_set_cookie(line)
            if value is not None:
                cookies[name] = value
            else:
                cookies.pop(name, None)
        return attrs.evolve(self, cookies=cookies)


def _parse_set_cookie(line: str) -> tuple[str, str | None]:
    """Return name and value of a cookie; no value if it is to be removed (RFC 6265, 5.2 and 5.3).

    ``http.cookies`` is no help: it drops lines with a blank or a quote in the value, which browsers take.
    """
    pair, *attributes = line.split(";")
    name, _, value = pair.partition("=")
    values = {
        key.strip().lower(): text.strip()
        for key, _, text in (attribute.partition("=") for attribute in attributes)
    }
    removed = not name.strip() or _is_expired(values.get("max-age"), values.get("expires"))
    return name.strip(), None if removed else value.strip()


def _is_expired(age: str | None, expires: str | None) -> bool:
    if age is not None and age.lstrip("-").isdigit():  # Max-Age counts more than Expires (RFC 6265, 5.3)
        return age.startswith("-") or not age.strip("0")  # int() refuses numbers of 5,000 digits
    if not expires:
        return False
    try:
        return parsedate_to_datetime(expires.replace("-", " ")).timestamp() <= time.time()
    except (ValueError, TypeError, IndexError, OverflowError):
        return False
