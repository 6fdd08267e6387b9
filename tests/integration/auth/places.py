"""Files with the tokens of one sign-in, as the tests of renewals use them."""

from __future__ import annotations

import asyncio
import json
import time

from zeyos_async import Zeyos
from zeyos_async.auth import FileStore, OAuth2
from zeyos_async.policy import Retry
from zeyos_async.services.zeyos.profiles import ProfileStore


class Place:
    """A file with the tokens of one sign-in, as a store of ours or as the vendor's tool writes it."""

    def __init__(self, kind, folder, instance):
        self.kind, self.instance = kind, instance
        self.folder = folder / "place"
        self.folder.mkdir(mode=0o700)
        self.path = self.folder / "tokens.json"
        self.credentials = instance.emulator.credentials

    @property
    def store(self):
        if self.kind == "file":
            return FileStore(self.path)
        return ProfileStore(self.path, "prod" if self.kind == "registry" else None)

    @property
    def auth(self):
        return OAuth2(self.credentials.client_id, self.credentials.appsecret, token_store=self.store)

    @property
    def key(self):
        return self.auth.store_key(self.client.base_url)

    @property
    def client(self):
        return Zeyos(self.instance.url, auth=self.auth, retry=Retry(attempts=1))

    def text(self, access, refresh, expires_at):
        """Return the text of the file with these tokens."""
        if self.kind == "file":
            values = {"secret": access, "refresh": refresh, "expires_at": expires_at, "info": {}}
            return json.dumps({"version": 1, "credentials": {self.key: values}})
        values = {
            "baseUrl": self.instance.url,
            "clientId": self.credentials.client_id,
            "clientSecret": self.credentials.appsecret,
            "accessToken": access,
            "refreshToken": refresh,
            "expiresAt": expires_at,
        }
        return json.dumps({"profiles": {"prod": values}} if self.kind == "registry" else values)

    def write(self, text):
        """Write the file in place, as the vendor's tool does, and copies that are put back."""
        self.path.write_text(text)
        self.path.chmod(0o600)

    async def begin(self, *, expired=True):
        """Put a pair into the file, and return the file's text."""
        access, refresh = self.instance.pair(expired=expired)
        text = self.text(access, refresh, int(time.time()) + (-10 if expired else 3000))
        self.write(text)
        return text

    async def call(self):
        """Make a call with a fresh session, as a new program does."""
        async with self.client as client:
            return await client.accounts.exists(1)

    async def tokens(self):
        """Return what the file says, whatever is known besides."""
        return await asyncio.to_thread(self.store._read, self.key)
