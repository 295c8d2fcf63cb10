"""Somebody who may set an address, or owns the names behind one, tries to make this platform call what only it can reach (SSRF).

Each try is made against a real server on this machine that notes whether anybody came.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import httpcore2
import httpx2
import pytest

from zixly_core.errors import Permanent
from zixly_core.guarded_transport import AddressRefused, GuardedBackend, GuardedTransport, resolved
from zixly_core.http_client import LIMITS, new_client
from zixly_core.notifications.outcome import Ending
from zixly_core.notifications.slack import send_to_slack
from zixly_core.outgoing import INSIDE, PUBLIC_ONLY, Outgoing, Place, Reach, to_vendors
from zixly_core.settings import Settings
from zixly_core.systems.sweeps.client import SweepsClient

pytestmark = pytest.mark.integration
PUBLIC = "93.184.215.14"


@dataclass
class Listener:
    """Answers every connection with one text, and counts them."""

    family: socket.AddressFamily
    host: str
    answer: bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\nsecret"
    visits: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socket = socket.create_server((self.host, 0), family=self.family)
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                visitor, _ = self._socket.accept()
                with visitor:
                    visitor.settimeout(5)
                    self.visits.append(visitor.recv(4096))
                    visitor.sendall(self.answer)

    def close(self) -> None:
        self._socket.close()


Listen = Callable[..., Listener]


@pytest.fixture
def listen() -> Iterator[Listen]:
    opened: list[Listener] = []

    def listening(host: str = "127.0.0.1", **values: bytes) -> Listener:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        opened.append(Listener(family, host, **values))
        return opened[-1]

    yield listening
    for one in opened:
        one.close()


class AnyPublicPort(Outgoing):
    """The policy for people's URLs, on every port: so that it is the address that is refused and not the port."""

    def reaches(self, host: str, port: int) -> frozenset[Reach]:
        return PUBLIC_ONLY


def client(outgoing: Outgoing, *, resolve: Callable[[str, int], Sequence[str]] = resolved) -> httpx2.Client:
    return httpx2.Client(transport=GuardedTransport(outgoing, limits=LIMITS, resolve=resolve), timeout=5)


def test_the_server_is_there_to_be_reached(listen: Listen) -> None:
    """Without this, the tests below would pass with a server that nobody can reach."""
    server = listen()
    with client(Outgoing((Place("127.0.0.1", server.port, INSIDE),))) as http:
        assert http.get(f"http://127.0.0.1:{server.port}/").text == "secret"
    assert len(server.visits) == 1


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "127.0.0.1.",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "localhost",
        "LOCALHOST.",
        "0",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "public.example@127.0.0.1",
        "①②⑦.⓪.⓪.①",
    ],
)
def test_this_machine_is_not_reached_however_it_is_written(listen: Listen, host: str) -> None:
    server = listen()
    with client(AnyPublicPort()) as http, pytest.raises((AddressRefused, httpx2.ConnectError, httpx2.InvalidURL)):
        http.get(f"https://{host}:{server.port}/")
    assert server.visits == []


@pytest.mark.parametrize("host", ["[::1]", "[0:0:0:0:0:0:0:1]", "ip6-loopback", "[::1%25lo]"])
def test_nor_over_ipv6(listen: Listen, host: str) -> None:
    try:
        server = listen("::1")
    except OSError:
        pytest.skip("This machine has no IPv6")
    with client(AnyPublicPort()) as http, pytest.raises((AddressRefused, httpx2.ConnectError, httpx2.InvalidURL)):
        http.get(f"https://{host}:{server.port}/")
    assert server.visits == []


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1", "::ffff:169.254.169.254"])
def test_a_name_that_leads_inside_is_not_followed(listen: Listen, address: str) -> None:
    server = listen()
    for found in ([address], [PUBLIC, address]):
        with client(AnyPublicPort(), resolve=lambda _host, _port, found=found: found) as http, pytest.raises(AddressRefused):
            http.get(f"https://rebound.example:{server.port}/")
    assert server.visits == []


class Visits(httpcore2.NetworkBackend):
    """In place of the network: notes to which addresses a connection would be opened, and opens none."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        self.addresses.append(host)
        raise httpcore2.ConnectError("not opened")


def test_a_name_that_changes_after_it_was_checked_leads_nowhere_else(listen: Listen) -> None:
    """DNS rebinding: the first look-up gives a public address, every later one this machine's."""
    server, looked_up, network = listen(), [0], Visits()

    def rebinding(_host: str, _port: int) -> list[str]:
        looked_up[0] += 1
        return [PUBLIC] if looked_up[0] == 1 else ["127.0.0.1"]

    backend = GuardedBackend(AnyPublicPort(), resolve=rebinding, backend=network)
    with pytest.raises(httpcore2.ConnectError):
        backend.connect_tcp("rebound.example", server.port)
    assert (looked_up, network.addresses) == ([1], [PUBLIC])
    with pytest.raises(httpcore2.UnsupportedProtocol):
        backend.connect_tcp("rebound.example", server.port)
    assert (looked_up, network.addresses, server.visits) == ([2], [PUBLIC], [])


def test_every_request_that_opens_a_connection_is_checked(listen: Listen) -> None:
    """The pool of the base class has been put in place of, under the name that it has in this version."""
    server, answers = listen(), iter([["127.0.0.1"], ["10.0.0.1"]])
    policy = Outgoing((Place("here.example", server.port, frozenset({Reach.LOOPBACK})),))
    with client(policy, resolve=lambda _host, _port: next(answers)) as http:
        assert http.get(f"http://here.example:{server.port}/").text == "secret"
        with pytest.raises(AddressRefused):
            http.get(f"http://here.example:{server.port}/")
    (visit,) = server.visits
    assert f"Host: here.example:{server.port}".encode() in visit  # the name is kept where the server looks for it


def test_a_redirect_is_checked_at_each_hop(listen: Listen) -> None:
    inside = listen()
    location = f"location: http://127.0.0.1:{inside.port}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode()
    outside = listen(answer=b"HTTP/1.1 302 Found\r\n" + location)
    with client(Outgoing((Place("127.0.0.1", outside.port, INSIDE),))) as http:
        assert http.get(f"http://127.0.0.1:{outside.port}/").status_code == 302
        with pytest.raises(AddressRefused):
            http.get(f"http://127.0.0.1:{outside.port}/", follow_redirects=True)
    assert (len(outside.visits), inside.visits) == (2, [])


def test_a_proxy_in_the_environment_does_not_lead_round_the_policy(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = listen()
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    with new_client(to_vendors(Settings(environment="production"))) as http, pytest.raises(AddressRefused):
        http.get("https://evil.example/")
    assert proxy.visits == []


def test_a_service_of_the_settings_on_this_machine_is_not_called_in_production(listen: Listen) -> None:
    server = listen()
    url = f"http://127.0.0.1:{server.port}/sweeps"
    with new_client(to_vendors(Settings(environment="production", sweeps_api_url=url))) as http:
        with pytest.raises(Permanent) as refused:
            SweepsClient(http, base_url=url).states(["a-sweep"])
        assert (refused.value.reason, server.visits) == ("bad_url", [])
    named = Settings(environment="production", sweeps_api_url=url, outgoing_hosts=f"127.0.0.1:{server.port}")
    with new_client(to_vendors(named)) as http:
        assert http.get(url).text == "secret"


def test_a_slack_address_that_leads_inside_ends_the_message_at_once(listen: Listen) -> None:
    server = listen()
    with client(AnyPublicPort(), resolve=lambda _host, _port: ["127.0.0.1"]) as http:
        outcome = send_to_slack({"text": "hello"}, f"https://hooks.slack.com:{server.port}/services/T0/B0/secret", http)
    assert (outcome.ending, outcome.reason, server.visits) == (Ending.REFUSED, "slack_address_not_allowed", [])


@pytest.mark.parametrize("path", ["/var/run/docker.sock", "/tmp/postgres"])
def test_no_socket_of_this_machine_is_called(path: str) -> None:
    with pytest.raises(httpcore2.UnsupportedProtocol):
        GuardedBackend(AnyPublicPort()).connect_unix_socket(path)
