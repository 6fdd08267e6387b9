"""An emulated instance, and an application of it that signs in by OAuth 2.0."""

from __future__ import annotations

import re
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass

import pytest

from zeyos_async.auth import OAuth2
from zeyos_async.testing import ZeyosEmulator, emulate_zeyos


@dataclass
class Instance:
    """The emulator, and what a test needs to sign in to it."""

    emulator: ZeyosEmulator

    @property
    def url(self):
        return self.emulator.url

    @property
    def refreshes(self):
        return self.emulator.journal.counts["refresh"]

    @property
    def token_requests(self):
        return sum(entry.path.endswith("/oauth2/v1/token") for entry in self.emulator.journal.requests)

    def pair(self, *, expired=False):
        """An access token and its refresh token, given out now."""
        user, now = self.emulator.credentials, self.emulator.clock.now()
        give = self.emulator.tokens.give
        options = {"application": user.application, "client": user.client_id}
        access = give("access", user, expires=now + (-1 if expired else 3600), **options)
        refresh = give("refresh", user, expires=now + 8_640_000, **options)
        access.partner, refresh.partner = refresh.text, access.text
        return access.text, refresh.text

    def oauth(self, **changes):
        """The application, with a fresh refresh token unless told otherwise."""
        user = self.emulator.credentials
        if "refresh_token" not in changes:
            changes["refresh_token"] = self.pair()[1]
        return OAuth2(user.client_id, user.appsecret, **changes)

    def browse(self, address, *, name=None, password=None):
        """Do what a user does in the browser: sign in, and be sent back. Blocks; the page that is shown."""
        user = self.emulator.credentials
        form = urllib.parse.urlencode({"name": name or user.name, "password": password or user.password})
        with urllib.request.urlopen(address, timeout=10) as page:
            request = urllib.request.Request(page.url, data=form.encode())
        with urllib.request.urlopen(request, timeout=10) as page:
            return re.sub("<[^>]+>", " ", page.read().decode()).strip()


@pytest.fixture
async def instance():
    async with emulate_zeyos(rows={"accounts": 3}, seed=int(time.time())) as emulator:
        yield Instance(emulator)
