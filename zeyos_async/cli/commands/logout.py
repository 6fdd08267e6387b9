"""``logout``: have the server forget the tokens, and forget them here."""

from __future__ import annotations

import os
from typing import Any, Final

import click

from ...auth import BearerToken, Credential, OAuth2
from ...errors import NotAuthenticated, ZeyosAsyncError
from ...services.zeyos.client import Zeyos
from ...services.zeyos.credential_files import check_writable
from ...services.zeyos.profiles import Profile, look_for_profile
from ..async_runner import run_async, verbose_option
from ..connect import describe_store
from ..options import PROFILE
from ..output import note
from ..profile_files import to_token_values, write_set

__all__ = ["command"]

_TIMEOUT: Final = 30.0
"""Seconds for the server: nobody waits longer for a sign-out, which is done here in any case."""


@click.command("logout")
@click.option("--profile", type=PROFILE, metavar="NAME", help="Which; by default the one in use.")
@verbose_option
def command(*, profile: str | None) -> None:
    """Have the server forget the tokens of a sign-in, and remove them here.

    The address and the application are kept, so that the next login needs no options.
    """
    stored = look_for_profile(profile)
    if stored is None or stored.credential is None:
        reason = f": there are no tokens in {describe_store(stored.store)}" if stored is not None else ""
        note(f"You are not signed in{reason}.")
    else:
        check_writable(stored.store.path)
        # In this order: a revocation needs the tokens. They go from here even if it fails.
        problem = run_async(_revoke(stored, stored.credential))
        write_set(stored.store, to_token_values(None))
        note(f"Signed out of {stored.base_url}. The tokens are gone from {describe_store(stored.store)}.")
        if problem:
            note(f"Warning: the server was not told, and takes them until they expire: {problem}")
    if os.environ.get("ZEYOS_TOKEN"):
        note("Mind that ZEYOS_TOKEN is set, and is used by the commands that follow.")


async def _revoke(profile: Profile, tokens: Credential) -> str:
    """Have the server forget the tokens, and return what went wrong with that, or ``""``."""
    options: dict[str, Any] = {"timeout": _TIMEOUT, "allow_http": profile.allow_http or None}
    try:
        if tokens.refresh is not None and profile.client_id:
            oauth = OAuth2(profile.client_id, profile.client_secret, token_store=profile.store)
            async with Zeyos(profile.base_url, auth=oauth, **options) as zeyos:
                await oauth.revoke(zeyos)
        else:
            async with Zeyos(profile.base_url, auth=BearerToken(tokens.secret), **options) as zeyos:
                await _end_session(zeyos)
    except ZeyosAsyncError as error:
        return str(error)
    return ""


async def _end_session(zeyos: Zeyos) -> None:
    try:
        await zeyos.request("GET", "/auth/v1/logout", safe=True)
    except NotAuthenticated:
        return  # it does not know the token any more, which is what this is for
