"""``profile``: the stored sets of credentials, and which of them is in use."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import click

from ...errors import ConfigurationError
from ...services.zeyos.client import Zeyos
from ..async_runner import verbose_option
from ..connect import ConnectionOptions, find_address, read_secret, same_instance, shorten_path
from ..options import PROFILE
from ..output import examples, json_text, note, write_utf8
from ..profile_files import (
    TOKEN_FIELDS,
    ProfileRegistry,
    ProfileSummary,
    check_name,
    nearest_pin,
    pin_profile,
    write_set,
)
from ..tables import print_table
from ..value_format import clean_text

__all__ = ["command"]


@click.group(
    "profile",
    epilog=examples(
        "zeyos-async profile add prod --url https://cloud.zeyos.com/acme --client-id my_application",
        "zeyos-async login --profile prod",
        "zeyos-async profile use prod --local",
    ),
)
def command() -> None:
    """Keep several sign-ins by name, and switch between them.

    They are those of the vendor's command line tool, in ~/.config/zeyos/profiles.json.
    """


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@verbose_option
def list_(*, as_json: bool) -> None:
    """List the profiles, without any secret."""
    registry = ProfileRegistry.of_user()
    entries = registry.entries()
    if as_json:
        write_utf8(json_text([_to_json_values(entry) for entry in entries]))
        return
    rows = [
        ["*" if entry.active else "", clean_text(entry.name), clean_text(entry.url), _describe_tokens(entry)]
        for entry in entries
    ]
    print_table(["active", "profile", "url", "tokens"], rows, uncut=[0, 1])
    if not entries:
        note(f"no profiles in {shorten_path(registry.path)}; `zeyos-async login` makes one")


@command.command("add")
@click.argument("name")
@click.option("--url", metavar="URL", required=True, help="The instance: https://cloud.zeyos.com/demo.")
@click.option("--instance", metavar="NAME", help="The instance's name, where the URL lacks it.")
@click.option("--client-id", metavar="ID", help="The application's identifier.")
@click.option("--client-secret-file", metavar="FILE", help="A file with the application's secret.")
@click.option(
    "--allow-http",
    is_flag=True,
    help="Let its credential go over http:// to another machine, for everyone to read.",
)
@verbose_option
def add(
    *,
    name: str,
    url: str,
    instance: str | None,
    client_id: str | None,
    client_secret_file: str | None,
    allow_http: bool,
) -> None:
    """Make a profile, or change one. Tokens come into it by login."""
    registry = ProfileRegistry.of_user()
    before = registry.entry(check_name(name))
    base_url = _resolve_url(url, instance)
    values: dict[str, str | bool | None] = {"baseUrl": base_url}
    if allow_http or (before is not None and not same_instance(before.url, base_url)):
        values["allowHttp"] = allow_http or None  # it was for the address of before
    # What is not given stays as it is, in a profile that exists.
    if client_id:
        values["clientId"] = client_id
    if client_secret_file:
        values["clientSecret"] = read_secret(client_secret_file, "the application's secret")
    if before is not None and not _keeps_tokens(before, base_url, client_id):
        values |= dict.fromkeys(TOKEN_FIELDS)  # they are for another instance, or another application
    write_set(registry.store(name), values)
    note(f"The profile {name!r} is for {base_url}. Sign in with `zeyos-async login --profile {name}`.")


@command.command("use")
@click.argument("name", type=PROFILE)
@click.option("--local", is_flag=True, help="In this folder and below it only.")
@verbose_option
def use(*, name: str, local: bool) -> None:
    """Make a profile the one that is used if nobody names one."""
    registry = ProfileRegistry.of_user()
    entry = registry.require(name)
    if local:
        note(f"{shorten_path(pin_profile(name))} names {name!r}: it is used in this folder and below it.")
        return
    registry.activate(name)
    note(f"The profile {name!r} is active: {entry.url}")


@command.command("remove")
@click.argument("name", type=PROFILE)
@verbose_option
def remove(*, name: str) -> None:
    """Remove a profile, with the tokens in it."""
    registry = ProfileRegistry.of_user()
    entry = registry.require(name)
    registry.remove(name)
    note(f"The profile {name!r} is removed{', and none is active now' if entry.active else ''}.")
    if entry.has_token or entry.refreshes:
        note("The server was not told, and takes its tokens until they expire; logout does both.")
    pin = nearest_pin(name)
    if pin is not None:
        note(f"Mind that {shorten_path(pin)} still names it.")


def _resolve_url(url: str, instance: str | None) -> str:
    """Return the URL of the instance as the client writes it.

    Raises:
        ConfigurationError: It does not name an instance.
    """
    named = find_address(ConnectionOptions(url=url, instance=instance), {})
    if named is None:
        raise ConfigurationError("--url is empty; it is the instance, such as https://cloud.zeyos.com/demo")
    return str(Zeyos(named[0]).base_url)


def _keeps_tokens(before: ProfileSummary, url: str, client_id: str | None) -> bool:
    """Return whether the tokens of a profile are good for what it becomes."""
    return same_instance(before.url, url) and client_id in (None, before.client_id)


def _describe_tokens(entry: ProfileSummary) -> str:
    """Return which tokens there are, for people."""
    if entry.refreshes:
        return "refreshed when they expire"
    if not entry.has_token:
        return "none"
    if entry.expires_at is None:
        return "an access token"
    try:
        end = (
            datetime.fromtimestamp(entry.expires_at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        )
    except (ValueError, OverflowError, OSError):  # later than any date
        return "an access token"
    return f"{'expired' if entry.expires_at <= time.time() else 'an access token until'} {end}"


def _to_json_values(entry: ProfileSummary) -> dict[str, object]:
    expires = entry.expires_at
    return {
        "name": entry.name,
        "active": entry.active,
        "url": entry.url,
        "client_id": entry.client_id or None,
        "signed_in": entry.refreshes or (entry.has_token and (expires is None or expires > time.time())),
        "refreshes": entry.refreshes,
        "expires_at": None if expires is None else int(expires),
    }
