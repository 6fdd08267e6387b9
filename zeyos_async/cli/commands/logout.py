"""``logout``: have the server forget the tokens, and forget them here."""

from __future__ import annotations

import os

import click

from ...auth import BearerToken, Credential, OAuth2
from ...errors import NotAuthenticated, ZeyosAsyncError
from ...services.zeyos.client import Zeyos
from ...services.zeyos.profiles import Profile, look_for_profile
from ..async_runner import run_async, verbose_option
from ..connect import described
from ..options import PROFILE
from ..output import note
from ..profile_files import token_values, write_set

__all__ = ["command"]

_LONGEST: float = 30.0


@click.command("logout")
@click.option("--profile", type=PROFILE, metavar="NAME", help="Which; by default the one in use.")
@verbose_option
def command(*, profile: str | None) -> None:
    """Have the server forget the tokens of a sign-in, and remove them here.

    The address and the application are kept, so that the next login needs no options.
    """
    found = look_for_profile(profile)
    if found is None or found.credential is None:
        where = f": there are no tokens in {described(found.store)}" if found is not None else ""
        note(f"You are not signed in{where}.")
    else:
        trouble = run_async(_revoke(found, found.credential))
        write_set(found.store, token_values(None))
        note(f"Signed out of {found.base_url}. The tokens are gone from {described(found.store)}.")
        if trouble:
            note(f"Warning: the server was not told, and takes them until they expire: {trouble}")
    if os.environ.get("ZEYOS_TOKEN"):
        note("Mind that ZEYOS_TOKEN is set, and is used by the commands that follow.")


async def _revoke(found: Profile, tokens: Credential) -> str:
    """Have the server forget them; what went wrong with that, or ``""``."""
    try:
        if tokens.refresh is not None and found.client_id:
            oauth = OAuth2(found.client_id, found.client_secret, token_store=found.store)
            async with Zeyos(found.base_url, auth=oauth, timeout=_LONGEST) as zeyos:
                await oauth.revoke(zeyos)
        else:
            async with Zeyos(found.base_url, auth=BearerToken(tokens.secret), timeout=_LONGEST) as zeyos:
                await _end_session(zeyos)
    except ZeyosAsyncError as error:
        return str(error)
    return ""


async def _end_session(zeyos: Zeyos) -> None:
    try:
        await zeyos.request("GET", "/auth/v1/logout", safe=True)
    except NotAuthenticated:
        return  # it knows the token no more, which is what was wanted
