from __future__ import annotations

import pytest
from starlette.types import Scope

from webhook_bridge.client_address import TrustedProxies, source_of
from zixly_core.errors import SettingsError


def scope(socket: str | None, *forwarded: str) -> Scope:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return {"type": "http", "client": (socket, 1234) if socket is not None else None, "headers": headers}


@pytest.mark.parametrize(
    ("trusted", "socket", "forwarded", "client"),
    [
        ("", "203.0.113.9", (), "203.0.113.9"),
        ("", "127.0.0.1", ("198.51.100.7",), "127.0.0.1"),
        ("10.0.0.0/8", "203.0.113.9", ("198.51.100.7",), "203.0.113.9"),
        ("10.0.0.0/8", "10.0.0.1", ("198.51.100.7",), "198.51.100.7"),
        ("10.0.0.0/8", "10.0.0.1", (), "10.0.0.1"),
        # What the sender wrote himself stands on the left, however many headers he makes of it.
        ("10.0.0.0/8", "10.0.0.1", ("1.2.3.4, 198.51.100.7",), "198.51.100.7"),
        ("10.0.0.0/8", "10.0.0.1", ("10.0.0.9", "198.51.100.7"), "198.51.100.7"),
        ("10.0.0.0/8", "10.0.0.1", ("198.51.100.7, 10.0.0.2",), "198.51.100.7"),
        ("10.0.0.0/8", "10.0.0.1", ("10.0.0.3, 10.0.0.2",), "10.0.0.3"),
        ("10.0.0.0/8", "10.0.0.1", ("nonsense",), "10.0.0.1"),
        ("10.0.0.1, ::1", "::1", ("198.51.100.7:4711",), "198.51.100.7"),
        ("::1", "::1", ("[2001:db8::7]:443",), "2001:db8::7"),
        ("10.0.0.0/8", "::ffff:10.0.0.1", ("198.51.100.7",), "198.51.100.7"),
        ("", None, ("198.51.100.7",), ""),
        ("10.0.0.0/8", "testclient", ("198.51.100.7",), "testclient"),
    ],
)
def test_only_our_own_proxies_are_believed(trusted: str, socket: str | None, forwarded: tuple[str, ...], client: str) -> None:
    assert TrustedProxies.of(trusted).client(scope(socket, *forwarded)) == client


@pytest.mark.parametrize("setting", ["10.0.0.1/8", "everybody", "10.0.0.0/8,,nonsense"])
def test_a_wrong_list_of_proxies_stops_the_start(setting: str) -> None:
    with pytest.raises(SettingsError, match="ZIXLY_TRUSTED_PROXIES"):
        TrustedProxies.of(setting)


def test_a_customers_network_of_ipv6_is_one_source() -> None:
    assert source_of("2001:db8:1:2::1") == source_of("2001:db8:1:2:ffff::9") != source_of("2001:db8:1:3::1")
    assert source_of("203.0.113.9") != source_of("203.0.113.10")
    assert source_of("::ffff:203.0.113.9") == "203.0.113.9"
