"""Where a credential may go, by the address alone."""

from __future__ import annotations

import pytest
from yarl import URL

from zeyos_async import GeneralApi, Octaved, OpenXchange, Session, Zeyos
from zeyos_async.auth import ApiKey, BearerToken, KmdToken, NoAuth, OAuth2, OxOAuth
from zeyos_async.auth.origins import check_credential_address, is_loopback, is_set
from zeyos_async.errors import ConfigurationError
from zeyos_async.transport.memory import MemoryTransport

CLIENTS = [
    (Zeyos, BearerToken("s3cret")),
    (OpenXchange, OxOAuth("s3cret")),
    (Octaved, ApiKey("X-Api-Key", "s3cret")),
    (GeneralApi, KmdToken("s3cret", access_type=1)),
]
OPEN = "http://intranet.example/demo"


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    for name in ("ZEYOS_ALLOW_HTTP", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("LocalHost", True),
        ("api.localhost", True),
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("[::1]", True),
        ("[0:0:0:0:0:0:0:1]", True),
        ("localhost.example.com", False),
        ("notlocalhost", False),
        (".localhost", False),
        ("localhost.", False),
        ("127.0.0.1.example.com", False),
        ("127.1", False),
        ("2130706433", False),
        ("0.0.0.0", False),
        ("128.0.0.1", False),
        ("10.0.0.1", False),
        ("[::ffff:127.0.0.1]", False),
        ("[::2]", False),
        ("[::]", False),
    ],
)
def test_this_machine_is_told_by_its_name(host, local):
    """Nothing is looked up, and what a resolver might take for this machine does not count."""
    assert is_loopback(URL(f"http://{host}:8080/x")) is local


@pytest.mark.parametrize(("client_type", "auth"), CLIENTS)
def test_no_client_sends_a_credential_over_http(client_type, auth, monkeypatch):
    """The constructor refuses, and says what permits it; the option and the variable do."""
    with pytest.raises(
        ConfigurationError, match=r"allow_http=True.*--allow-http.*ZEYOS_ALLOW_HTTP"
    ) as caught:
        client_type(OPEN, auth=auth)
    assert "s3cret" not in str(caught.value)
    for address in ("https://intranet.example/demo", "http://localhost:1/demo", "http://127.0.0.1/demo"):
        client_type(address, auth=auth)
    client_type(OPEN, auth=auth, allow_http=True)
    client_type(OPEN)
    client_type(OPEN, auth=NoAuth())
    monkeypatch.setenv("ZEYOS_ALLOW_HTTP", "1")
    client_type(OPEN, auth=auth)
    with pytest.raises(ConfigurationError, match="has no TLS"):
        client_type(OPEN, auth=auth, allow_http=False)


@pytest.mark.parametrize(("client_type", "auth"), CLIENTS)
def test_a_proxy_is_another_machine(client_type, auth, monkeypatch):
    """What it is asked to fetch from "localhost" passes through it, and is no less readable there."""
    local = "http://localhost:8080/demo"
    with pytest.raises(ConfigurationError, match="through a proxy"):
        client_type(local, auth=auth, session=Session(proxy="http://127.0.0.1:3128"))
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    client_type(local, auth=auth)
    with pytest.raises(ConfigurationError, match="through a proxy"):
        client_type(local, auth=auth, session=Session(trust_env=True))
    monkeypatch.setenv("no_proxy", "localhost")
    client_type(local, auth=auth, session=Session(trust_env=True))


@pytest.mark.parametrize(("client_type", "auth"), CLIENTS)
def test_a_transport_of_ones_own_is_exempt(client_type, auth):
    """Only it knows where its bytes go."""
    client_type(OPEN, auth=auth, session=Session(transport=MemoryTransport(lambda request: None)))


@pytest.mark.parametrize("value", ["true", 1, "False", 0])
def test_only_truth_values_permit_http(value):
    """A text that says no is true for Python."""
    with pytest.raises(ConfigurationError, match="allow_http="):
        Zeyos(OPEN, auth=BearerToken("t"), allow_http=value)


async def test_a_log_in_at_another_host_is_judged_by_itself():
    """The client's own address is fine, and the one that the backend asks is not."""

    class Elsewhere(NoAuth):
        def obtain(self, context, rejected):
            from zeyos_async.wire import Request

            yield Request(method="POST", url=URL("http://login.invalid/token"), body=b"s3cret")
            raise AssertionError("it was sent")

    async with Zeyos("https://cloud.example/demo", auth=Elsewhere()) as zeyos:
        with pytest.raises(ConfigurationError, match=r"http://login\.invalid"):
            await zeyos.accounts.exists(1)


@pytest.mark.parametrize(
    "auth",
    [
        BearerToken("t", bound_to=URL("https://a.example/demo")),
        OAuth2("app", refresh_token="r", bound_to=URL("https://a.example/demo")),
    ],
)
def test_a_stored_credential_goes_to_no_other_origin(auth):
    """Though the address is given explicitly."""
    Zeyos("https://a.example/demo", auth=auth)
    Zeyos("https://a.example:443/demo", auth=auth)
    for other in ("https://b.example/demo", "http://a.example/demo", "https://a.example:8443/demo"):
        with pytest.raises(ConfigurationError, match=r"is for https://a\.example/demo"):
            Zeyos(other, auth=auth, allow_http=True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, False), ("", False), ("0", False), ("no", False), ("1", True), ("yes", True), ("?", True)],
)
def test_variables_that_forbid(value, expected):
    """What is not a plain no forbids: a typing error must not permit."""
    assert is_set({} if value is None else {"X": value}, "X") is expected


@pytest.mark.parametrize("value", ["0", "no", "maybe", ""])
def test_a_variable_that_permits_says_so_plainly(value, monkeypatch):
    """Anything else permits nothing."""
    monkeypatch.setenv("ZEYOS_ALLOW_HTTP", value)
    with pytest.raises(ConfigurationError):
        check_credential_address(URL(OPEN))
