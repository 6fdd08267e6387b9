"""Sessions of Open-Xchange that exist already: one that is resumed by its cookies, and one that is used as it is."""

from __future__ import annotations

import attrs

from ...secrets import Secret
from ...wire import Response
from ..base import AuthContext, Flow, fingerprint, to_secret
from ..credential import Credential
from .base import Cookies, OxSessionBackend, to_cookies, trace_id
from .session_state import SessionState

__all__ = ["OxAutologin", "OxSession"]


def _to_session_id(value: str | Secret) -> Secret:
    return to_secret(value, "session")


@attrs.frozen(kw_only=True)
class OxAutologin(OxSessionBackend):
    """A log-in that resumes a session that stays signed in, by its cookies.

    Args:
        cookies: Name → value of the cookies of that log-in.
        client: The client's name at that log-in.
        user_agent: The ``User-Agent`` at that log-in.
        auth_id: What traces the log-in through the server's logs; a random one each time if left out.
        second_factor: Answers the challenge of a second factor, where the user has one.
        factor: The ID, name or kind of the device to use for it.
        token_store: Where the session is kept between programs.

    Raises:
        ConfigurationError: An argument is of the wrong type.
        InvalidArgument: A cookie can't be sent.
    """

    cookies: Cookies = attrs.field(kw_only=False, converter=to_cookies)
    auth_id: str | None = None

    @property
    def identity(self) -> str:
        """The client and the cookies."""
        return f"ox:autologin:{self.client}:{':'.join(fingerprint(value) for _, value in self.cookies)}"

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Flow:
        """Log in; raises as :meth:`OxLogin.obtain` does."""
        if rejected is None:
            state = SessionState("", _plain(self.cookies))
        else:  # the server may have replaced the cookies since they were given
            state = attrs.evolve(SessionState.from_credential(rejected), session="")
        query = {"client": self.client, "authId": trace_id(self.auth_id)}
        request = self.login_request(context, "autologin", query, None)
        response: Response = yield self.with_state(state, request)
        return (
            yield from self.open_session(
                context, request, response, *state.secrets, state=state, is_renewal=rejected is not None
            )
        )


@attrs.frozen(kw_only=True)
class OxSession(OxSessionBackend):
    """A session that was opened elsewhere. When it is lost, that is raised.

    Args:
        session: The session's ID.
        cookies: Name → value of its cookies.
        user_agent: The ``User-Agent`` that it was opened with.

    Raises:
        ConfigurationError: An argument is empty or of the wrong type.
    """

    session: Secret = attrs.field(kw_only=False, converter=_to_session_id)
    cookies: Cookies = attrs.field(kw_only=False, converter=to_cookies)

    @property
    def identity(self) -> str:
        """The session."""
        return f"ox:session:{fingerprint(self.session)}"

    @property
    def hint(self) -> str:
        """Advice for the case that the session does not count."""
        return (
            "The session has ended, or its cookies or its User-Agent are not those that it was opened with: "
            "open another one"
        )

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Credential:
        """Return the session; there is no other."""
        return rejected or SessionState(self.session.reveal(), _plain(self.cookies)).to_credential()


def _plain(cookies: Cookies) -> dict[str, str]:
    return {name: value.reveal() for name, value in cookies}
