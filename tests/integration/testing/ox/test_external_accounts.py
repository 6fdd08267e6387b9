"""``oauth/*`` and ``messaging/*``: accounts at other services, and messages there."""

from __future__ import annotations

from typing import Any


async def test_oauth_accounts_need_the_token_of_the_consent(wire: Any) -> None:
    """Need the token that the consent gave."""
    params = {"displayName": "x", "scopes": "drive"}
    pending = (
        await wire.get("oauth/accounts", "init", serviceId="com.openexchange.oauth.dropbox", **params)
    ).data
    wrong = await wire.put("oauth/accounts", "create", oauth_token="no", uuid=pending["uuid"], **params)
    assert wrong.json["category"] == 1
    pending = (
        await wire.get("oauth/accounts", "init", serviceId="com.openexchange.oauth.dropbox", **params)
    ).data
    account = (
        await wire.put(
            "oauth/accounts", "create", oauth_token=pending["token"], uuid=pending["uuid"], **params
        )
    ).data
    await wire.put("oauth/accounts", "update", {"displayName": "y"}, id=account["id"])
    assert [listed["displayName"] for listed in (await wire.get("oauth/accounts", "all")).data] == ["y"]
    assert (await wire.put("oauth/accounts", "delete", id=account["id"])).data is True
    assert (await wire.get("oauth/accounts", "get", id=account["id"])).json["category"] == 1
    (grant,) = (await wire.get("oauth/grants", "all")).data
    await wire.get("oauth/grants", "revoke", client=grant["client"]["id"])
    assert (await wire.get("oauth/grants", "all")).data == []


async def test_messages_of_messaging_services(wire: Any) -> None:
    """By named columns; reading marks them, unless it is a peek."""
    folder = "com.openexchange.messaging.rss://1/inbox"
    rows = (await wire.get("messaging/message", "all", folder=folder, columns="id,subject,cc")).data
    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert (await wire.put("messaging/message", "list", [[folder, "2"]], columns="subject")).data == [
        [rows[1][1]]
    ]
    flags = [(await wire.get("messaging/message", "get", folder=folder, id="1", peek=peek)).data["flags"]
             for peek in ("true", "false")]  # fmt: skip
    assert flags == [0, 32]
    assert (await wire.get("messaging/message", "all", folder=folder, columns="1")).json["category"] == 1
