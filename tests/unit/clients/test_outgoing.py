from __future__ import annotations

from ipaddress import ip_address

import pytest

from zixly_core.addresses import Reach, reach_of
from zixly_core.errors import SettingsError
from zixly_core.outgoing import INSIDE, VENDOR_URLS, NotReachable, Outgoing, Place, to_the_public, to_vendors
from zixly_core.settings import Settings


def production(**settings: str) -> Settings:
    return Settings.model_validate({"environment": "production", **settings})


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        ("93.184.215.14", Reach.PUBLIC),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", Reach.PUBLIC),
        ("10.1.2.3", Reach.PRIVATE),
        ("172.31.255.255", Reach.PRIVATE),
        ("192.168.0.1", Reach.PRIVATE),
        ("100.64.0.1", Reach.PRIVATE),
        ("fd12:3456::1", Reach.PRIVATE),
        ("127.0.0.1", Reach.LOOPBACK),
        ("127.255.0.9", Reach.LOOPBACK),
        ("::1", Reach.LOOPBACK),
        ("::ffff:127.0.0.1", Reach.LOOPBACK),
        ("::ffff:10.0.0.1", Reach.PRIVATE),
        ("64:ff9b::7f00:1", Reach.LOOPBACK),
        ("64:ff9b::a9fe:a9fe", Reach.FORBIDDEN),
        ("64:ff9b::5db8:d70e", Reach.PUBLIC),
        ("64:ff9b:1::a00:1", Reach.FORBIDDEN),
        ("2002:7f00:1::", Reach.LOOPBACK),
        ("2001:0:5ef5:79fb::", Reach.FORBIDDEN),
        ("::7f00:1", Reach.FORBIDDEN),
        ("::ffff:0:7f00:1", Reach.FORBIDDEN),
        ("169.254.169.254", Reach.FORBIDDEN),
        ("fe80::1", Reach.FORBIDDEN),
        ("fec0::1", Reach.FORBIDDEN),
        ("fd00:ec2::254", Reach.FORBIDDEN),
        ("100.100.100.200", Reach.FORBIDDEN),
        ("168.63.129.16", Reach.FORBIDDEN),
        ("224.0.0.1", Reach.FORBIDDEN),
        ("ff02::1", Reach.FORBIDDEN),
        ("0.0.0.0", Reach.FORBIDDEN),  # noqa: S104 - an address to be refused
        ("::", Reach.FORBIDDEN),
        ("255.255.255.255", Reach.FORBIDDEN),
        ("240.0.0.1", Reach.FORBIDDEN),
        ("192.0.2.1", Reach.FORBIDDEN),
        ("198.18.0.1", Reach.FORBIDDEN),
        ("2001:db8::1", Reach.FORBIDDEN),
    ],
)
def test_an_address_is_known_by_where_its_packets_end_up(address: str, reach: Reach) -> None:
    assert reach_of(ip_address(address)) is reach


@pytest.mark.parametrize(
    "url",
    [
        "https://api.xero.com/api.xro/2.0/Invoices",
        "https://API.xero.com./connections",
        "https://identity.xero.com/connect/token",
        "https://api.hubapi.com/crm",
        "https://app.asana.com/api/1.0",
        "https://zixly-demo.myshopify.com/admin",
    ],
)
def test_the_vendors_are_called(url: str) -> None:
    to_vendors(production()).check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "http://api.xero.com/",
        "https://api.xero.com:8443/",
        "https://api.xero.com.evil.example/",
        "https://myshopify.com/",
        "https://evilmyshopify.com/",
        "https://api.xero.com@evil.example/",
        "https://evil.example\\@api.xero.com/",
        "https://user:password@api.xero.com/",
        "ftp://api.xero.com/",
        "file:///etc/passwd",
        "https:///nowhere",
        "nonsense",
        "https://[::1",
        "http://127.0.0.1:3900/xero",
        "http://169.254.169.254/latest/meta-data",
    ],
)
def test_nothing_else_is_called_with_a_vendors_token(url: str) -> None:
    with pytest.raises(NotReachable):
        to_vendors(production()).check_url(url)


def test_the_sandbox_is_called_locally_and_in_production_it_is_not() -> None:
    url = "http://127.0.0.1:3900/xero/api.xro/2.0"
    to_vendors(Settings()).check_url(url)
    for settings in (production(), production(xero_api_url=url)):
        with pytest.raises(NotReachable):
            to_vendors(settings).check_url(url)


def test_the_operator_names_hosts_of_his_own_network() -> None:
    policy = to_vendors(production(outgoing_hosts="sweeps.internal:8443, *.corp.example, 10.0.0.5"))
    for url in ("http://sweeps.internal:8443/", "https://a.corp.example/", "http://10.0.0.5:8080/"):
        policy.check_url(url)
    policy.check_addresses([ip_address("10.9.9.9")], host="sweeps.internal", port=8443)
    for url in ("http://sweeps.internal/", "https://corp.example/", "http://10.0.0.6/"):
        with pytest.raises(NotReachable):
            policy.check_url(url)


def test_even_a_named_host_does_not_lead_to_the_clouds_metadata() -> None:
    policy = to_vendors(production(outgoing_hosts="169.254.169.254, sweeps.internal"))
    with pytest.raises(NotReachable):
        policy.check_url("http://169.254.169.254/latest/meta-data")
    with pytest.raises(NotReachable):
        policy.check_addresses([ip_address("169.254.169.254")], host="sweeps.internal", port=80)


@pytest.mark.parametrize("setting", ["*", "https://a.example", "a.example/path", "user@a.example", "a.example:port", "*."])
def test_a_wrong_list_of_hosts_stops_the_start(setting: str) -> None:
    with pytest.raises(SettingsError, match="ZIXLY_OUTGOING_HOSTS"):
        to_vendors(production(outgoing_hosts=setting))


def test_peoples_urls_go_to_the_public_internet_by_https() -> None:
    policy = to_the_public(production())
    policy.check_url("https://hooks.example.com/a")
    policy.check_addresses([ip_address("93.184.215.14")], host="hooks.example.com", port=443)
    for url in ("http://hooks.example.com/a", "https://hooks.example.com:5432/", "https://10.0.0.1/", "https://[::ffff:10.0.0.1]/"):
        with pytest.raises(NotReachable):
            policy.check_url(url)


def test_the_sign_in_provider_is_on_this_machine_only_locally() -> None:
    url = "http://127.0.0.1:3005/keys"
    to_the_public(Settings(oidc_issuer="http://127.0.0.1:3005")).check_url(url)
    with pytest.raises(NotReachable):
        to_the_public(production(oidc_issuer="http://127.0.0.1:3005")).check_url(url)
    to_the_public(production(oidc_issuer="https://login.example.com/")).check_url("https://keys.example.net/jwks")


def test_one_bad_address_among_good_ones_is_enough_to_refuse() -> None:
    addresses = [ip_address("93.184.215.14"), ip_address("10.0.0.1")]
    with pytest.raises(NotReachable):
        to_the_public(production()).check_addresses(addresses, host="hooks.example.com", port=443)


def test_a_refusal_does_not_repeat_the_url() -> None:
    with pytest.raises(NotReachable) as refused:
        to_the_public(production()).check_url("http://10.0.0.1/services/T000/secret")
    assert "secret" not in str(refused.value)


def test_every_setting_with_a_vendors_address_is_known_to_the_policy() -> None:
    """Those that only browsers are sent to are not called."""
    for_browsers = {"xero_login_url", "hubspot_authorize_url", "xero_app_url", "hubspot_app_url", "shopify_admin_url", "asana_app_url"}
    systems = ("xero_", "hubspot_", "shopify_", "asana_", "sweeps_")
    named = {name for name in Settings.model_fields if name.startswith(systems) and name.endswith("_url")}
    assert named - for_browsers == set(VENDOR_URLS)


def test_the_first_place_that_fits_decides() -> None:
    policy = Outgoing((Place("a.example", None, INSIDE), Place("*.example", 443, frozenset({Reach.PUBLIC}))))
    assert policy.reaches("A.example.", 80) == INSIDE
    assert policy.reaches("b.example", 443) == {Reach.PUBLIC}
    assert policy.reaches("b.example", 80) == frozenset()
