"""``login``: every way to begin, resume and end a session."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from ...answers import Answer
from ..handlers import Call, Reply, handles
from ..refusals import (
    CONFIGURATION,
    PERMISSION_DENIED,
    TRY_AGAIN,
    OxError,
    PageRefusal,
    missing,
    session_lost,
)
from ..requests import truth
from ..sessions import OxSession
from ..state import OxUser

_UI = "/appsuite/"


def _field(call: Call, name: str) -> str:
    """A field of the form.

    Raises:
        OxError: It is missing.
    """
    value = (call.body or {}).get(name)
    if not value:
        raise missing(name)
    return str(value)


def _checked(call: Call, name_field: str) -> OxUser:
    """The user whose name and password the form has.

    Raises:
        OxError: ``LGI-0006``.
    """
    name, password = _field(call, name_field), _field(call, "password")
    user = call.state.user_named(name)
    if user is None or user.password != password:
        raise OxError(
            "LGI-0006", "The user name or password is incorrect.", category=PERMISSION_DENIED, status=403
        )
    return user


def _begin(call: Call, user: OxUser) -> OxSession:
    form: dict[str, str] = call.body or {}
    stays = truth(form.get("staySignedIn", "")) or truth(form.get("autologin", ""))
    return call.sessions.begin(
        user, call.incoming, call.server_options, client=form.get("client", ""), stays=stays
    )


def _described(session: OxSession) -> dict[str, Any]:
    user = session.user
    fields = {
        "session": session.id,
        "user": user.name,
        "user_id": user.id,
        "context_id": user.context,
        "locale": user.locale,
    }
    return fields | ({"requires_multifactor": True} if session.pending else {})


@handles("login", "login", "anonymous")
def _login(call: Call) -> Reply:
    """The session at the top level, not in ``data``; the guest of a share is the last user."""
    if call.operation.action == "anonymous":
        user = list(call.state.users.values())[-1]
    else:
        user = _checked(call, "name")
    session = _begin(call, user)
    return Reply(top=_described(session), cookies=call.sessions.cookies(session, call.incoming))


@handles("login", "formlogin")
def _form_login(call: Call) -> Reply:
    session = _begin(call, _checked(call, "login"))
    user = session.user
    parts = {"session": session.id, "user": user.name, "user_id": user.id, "language": user.locale}
    place = f"{(call.body or {}).get('uiWebPath') or _UI}#{urlencode(parts)}"
    cookies = call.sessions.cookies(session, call.incoming)
    return Reply(raw=Answer(status=302, headers={"Location": place}), cookies=cookies)


@handles("login", "tokenLogin")
def _token_login(call: Call) -> Reply:
    form: dict[str, str] = call.body or {}
    client_token = _field(call, "clientToken")
    session = _begin(call, _checked(call, "login"))
    token = call.state.token()
    call.sessions.transfers[token] = (session, client_token)
    call.sessions.end(session)
    user = session.user
    jsession = f"{call.state.token()[:24]}.OX0"
    if not truth(form.get("jsonResponse", "")):
        place = f"{form.get('uiWebPath') or _UI}#{urlencode({'serverToken': token})}"
        return Reply(raw=Answer(status=302, headers={"Location": place}))
    fields = {"serverToken": token, "jsessionid": jsession, "user": user.name, "user_id": user.id}
    return Reply(top={**fields, "url": _UI, "context_id": user.context})


@handles("login", "tokens")
def _tokens(call: Call) -> Reply:
    """The session of a token log-in, in ``data`` for once."""
    found = call.sessions.transfers.pop(_field(call, "serverToken"), None)
    if found is None:
        raise OxError("SES-0210", "there is no such server token", category=TRY_AGAIN, status=403)
    session, client_token = found
    if client_token != _field(call, "clientToken"):
        raise OxError("SES-0211", "this is not the client's token", category=TRY_AGAIN, status=403)
    session.client = _field(call, "client")
    session.user_agent = call.incoming.headers.get("User-Agent", "")
    call.sessions.open[session.id] = session
    return Reply(data=_described(session), cookies=call.sessions.cookies(session, call.incoming))


@handles("token", "acquireToken")
def _acquire(call: Call) -> Reply:
    if call.session is None:
        raise session_lost("a token of OAuth is no session")
    token = call.state.token()
    call.sessions.transfers[token] = (call.session, "")
    return Reply(data={"token": token})


@handles("login", "redeemToken")
def _redeem(call: Call) -> Reply:
    found = call.sessions.transfers.pop(_field(call, "token"), None)
    _field(call, "secret")
    if found is None:
        raise OxError("SES-0210", "there is no such token", category=TRY_AGAIN, status=403)
    client = _field(call, "client")
    session = call.sessions.begin(found[0].user, call.incoming, call.server_options, client=client)
    return Reply(top=_described(session), cookies=call.sessions.cookies(session, call.incoming))


@handles("login", "autologin")
def _autologin(call: Call) -> Reply:
    if not call.server_options.autologin:
        raise OxError("SVL-0015", "autologin is switched off", category=CONFIGURATION, status=403)
    client = call.text("client") or str((call.body or {}).get("client", ""))
    session = call.sessions.by_cookies(call.incoming, call.server_options, client=client)
    if session is None:
        raise OxError("SVL-0003", "there is no session to resume", category=PERMISSION_DENIED, status=403)
    return Reply(top=_described(session), cookies=call.sessions.cookies(session, call.incoming))


def _session(call: Call) -> OxSession:
    if call.session is None:
        raise session_lost("no session")
    return call.session


@handles("login", "store")
def _store(call: Call) -> Reply:
    """Does nothing since 7.10.3, and says that it is deprecated."""
    return Reply(raw=Answer(status=200, headers={"Deprecation": "true"}))


@handles("login", "refreshSecret")
def _refresh(call: Call) -> Reply:
    session = _session(call)
    session.secret = call.state.token()
    return Reply(cookies=call.sessions.cookies(session, call.incoming))


@handles("login", "changeip")
def _change_ip(call: Call) -> Reply:
    _session(call).ip = call.text("clientIP")
    return Reply(data="1")


@handles("login", "redirect")
def _redirect(call: Call) -> Reply:
    """Switched off by default, as on the real server."""
    if not call.server_options.redirect:
        raise PageRefusal(400, "this is switched off")
    found = call.sessions.transfers.pop(call.text("random"), None)
    if found is None:
        raise PageRefusal(403, "there is no such log-in")
    place = f"{call.text('uiWebPath') or _UI}#{urlencode({'session': found[0].id})}"
    return Reply(raw=Answer(status=302, headers={"Location": place}))


@handles("login", "logout")
@handles("logout", "GET /logout")
def _logout(call: Call) -> Reply:
    """An empty answer, or an error page: never JSON."""
    key = call.extra.get("session") or call.params.get("session")
    if not key:
        raise PageRefusal(400, "the session is missing")
    try:
        session = call.sessions.find(key, call.incoming, call.server_options)
    except OxError as error:
        raise PageRefusal(403, error.text) from error
    call.sessions.end(session)
    cookies = call.sessions.forget_cookies(session, call.incoming)
    return Reply(raw=Answer(status=200), cookies=cookies)


@handles("login", "samlLogin")
def _saml_login(call: Call) -> Reply:
    found = call.sessions.transfers.pop(call.text("token"), None)
    if found is None:
        raise PageRefusal(403, "there is no such token")
    place = f"{call.text('loginPath') or _UI}#{urlencode({'session': found[0].id})}"
    cookies = call.sessions.cookies(found[0], call.incoming)
    return Reply(raw=Answer(status=302, headers={"Location": place}), cookies=cookies)


@handles("login", "samlLogout")
def _saml_logout(call: Call) -> Reply:
    session = _session(call)
    call.sessions.end(session)
    cookies = call.sessions.forget_cookies(session, call.incoming)
    return Reply(raw=Answer(status=302, headers={"Location": _UI}), cookies=cookies)
