"""Whatever somebody writes where an address is expected: it is one, or refused in one sentence of ours that does not repeat it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_address
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from webhook_bridge.client_address import TrustedProxies, address_in, source_of
from webhook_bridge.same_site import named_origins, origin_of
from zixly_cli.gateway import TEMPLATE, GatewaySettings, read_gateway_settings, rendered
from zixly_cli.settings import StackSettings
from zixly_core.addresses import Reach, literal, reach_of, unwrapped
from zixly_core.broker import client_of
from zixly_core.errors import SettingsError
from zixly_core.objects import open_object_store
from zixly_core.observing import headers_of, traces_url
from zixly_core.openid.places import allowed_place
from zixly_core.outgoing import NotReachable, Outgoing
from zixly_core.queues import open_queue
from zixly_core.rates.redis_windows import open_from_url as open_rates
from zixly_core.secret_references import SecretReference
from zixly_core.settings import Settings, read_settings

pytestmark = pytest.mark.unit
MARKER = "pa55word"
SCHEMES = "http https redis rediss valkey unix memory sqs s3 file secretsmanager postgres postgresql ftp".split()
# What means something in an address, and what is like it.
pieces = st.text(st.sampled_from("a0.:/@?#[]%&=+-_ \\\t\n\0é") | st.characters(exclude_categories=["Cs"]), max_size=30)
addresses = st.one_of(
    pieces,
    st.builds("{}://{}".format, st.sampled_from(SCHEMES), pieces),
    st.builds("{}://user:{}{}@{}/{}".format, st.sampled_from(SCHEMES), st.just(MARKER), pieces, pieces, pieces),
)
OPENERS: dict[str, Callable[[str], object]] = {
    "queue": lambda url: open_queue(url, name="xero", visibility=timedelta(seconds=30)),
    "objects": lambda url: open_object_store(url, client=object()),
    "limits": open_rates,
    "broker": client_of,
    "traces": traces_url,
}


@pytest.mark.parametrize("what", OPENERS)
@given(text=addresses)
@example(text="redis://[")
@example(text=f"redis://:{MARKER}/x@host:6379/0")
@example(text=f"redis://:{MARKER}#@host:6379/0")
@example(text=f"http://user:{MARKER}@[::1/")
@example(text=f"file://{MARKER}[/objects")
@example(text="secretsmanager://[")
def test_an_address_in_a_setting_is_used_or_refused_without_its_password(what: str, text: str) -> None:
    try:
        OPENERS[what](text)
    except SettingsError as error:
        assert MARKER not in str(error)  # noqa: PT017 - most texts are refused


@pytest.mark.parametrize("option", ["endpoint=nonsense", "region=no_where"])
def test_a_wrong_option_of_an_address_of_aws_is_refused(option: str) -> None:
    with pytest.raises(SettingsError, match="endpoint=http://HOST:PORT"):
        open_object_store(f"s3://bucket?region=eu-west-1&{option}")


@given(text=addresses)
def test_names_of_origins_and_proxies_are_taken_or_refused(text: str) -> None:
    for read in (named_origins, TrustedProxies.of):
        with suppress(SettingsError):
            read(text)


@given(values=st.dictionaries(st.sampled_from(sorted(Settings.model_fields)), addresses, max_size=4))
@example(values={"broker_url": f"nonsense://:{MARKER}@host"})
@example(values={"broker_url": f"redis://:{MARKER}/x@host:6379/1"})
def test_settings_are_read_or_refused_without_the_value(values: dict[str, str]) -> None:
    variables = {f"ZIXLY_{name.upper()}": value for name, value in values.items() if "\0" not in value}
    try:
        with mock.patch.dict(os.environ, variables):
            read_settings()
    except SettingsError as error:
        assert str(error).startswith("ZIXLY_")  # noqa: PT017
        assert MARKER not in str(error)  # noqa: PT017


def test_a_password_that_spoils_the_address_of_the_workers_queue_stops_the_start() -> None:
    """The driver tells it as a wrong port, in clear, wherever it is asked for a connection."""
    with mock.patch.dict(os.environ, {"ZIXLY_BROKER_URL": f"redis://:{MARKER}/x@host:6379/1"}), pytest.raises(SettingsError) as refused:
        read_settings()
    assert "ZIXLY_BROKER_URL is wrong" in str(refused.value)
    assert MARKER not in str(refused.value)


@given(values=st.dictionaries(st.sampled_from(sorted(GatewaySettings.model_fields)), addresses, max_size=3))
def test_nothing_that_is_set_for_the_gateway_ends_a_directive_of_its_configuration(values: dict[str, str]) -> None:
    try:
        settings = read_gateway_settings({f"ZIXLY_{name.upper()}": value for name, value in values.items()}, StackSettings())
        text = rendered(settings, TEMPLATE.read_text())
    except SettingsError:
        return
    plain = rendered(read_gateway_settings({}, StackSettings()), TEMPLATE.read_text())
    with_lines_of_their_own = {"gateway_load_balancer", "gateway_bridge_authority", "gateway_bridge_certificate"}
    own = with_lines_of_their_own & {name for name, value in values.items() if value}
    assert own or [text.count(mark) for mark in ";{}\n"] == [plain.count(mark) for mark in ";{}\n"]


@given(header=st.text(st.characters(max_codepoint=255), max_size=60))
def test_headers_for_a_collector_are_pairs_or_refused(header: str) -> None:
    with suppress(SettingsError):
        found = headers_of(Settings(otlp_headers=SecretStr(header)))
        assert all(name and value is not None for name, value in found.items())


@given(text=addresses)
def test_a_reference_to_a_secret_is_one_or_refused(text: str) -> None:
    with suppress(SettingsError):
        assert SecretReference.of(f"secretsmanager://{text}").name


@given(url=addresses)
@example(url="http://169.254.169.254/latest")
@example(url="https://2130706433/")
@example(url="https://[::ffff:127.0.0.1]/")
def test_a_url_that_a_person_gives_leads_to_the_public_internet_or_nowhere(url: str) -> None:
    public = Outgoing(elsewhere=frozenset({Reach.PUBLIC}))
    try:
        public.check_url(url)
    except NotReachable:
        return
    assert url.lower().startswith("https://")


@given(address=st.ip_addresses())
def test_an_address_leads_where_the_one_inside_it_leads_and_never_to_the_public_when_it_is_not_global(address: object) -> None:
    given_one = ip_address(str(address))
    assert reach_of(given_one) == reach_of(unwrapped(given_one))
    assert reach_of(given_one) is not Reach.PUBLIC or unwrapped(given_one).is_global
    assert literal(str(given_one)) == given_one


@given(text=pieces | st.ip_addresses().map(str) | st.ip_addresses(v=6).map("[{}]:80".format))
def test_what_a_proxy_says_of_an_address_is_one_or_nothing(text: str) -> None:
    found = address_in(text)
    assert found is None or address_in(str(found)) == found
    assert source_of(source_of(text)) or not text.strip()


@given(peer=st.ip_addresses().map(str), said=st.lists(pieces | st.ip_addresses().map(str), max_size=4))
def test_nobody_is_believed_who_is_no_proxy_of_ours(peer: str, said: list[str]) -> None:
    headers = [(b"x-forwarded-for", one.encode("latin-1", errors="replace")) for one in said]
    scope = {"type": "http", "client": (peer, 1), "headers": headers}
    assert address_in(TrustedProxies.of("").client(scope)) == address_in(peer)


@given(wanted=addresses | pieces.map("/{}".format))
@example(wanted="//evil.example")
@example(wanted="/\\evil.example")
def test_a_browser_is_sent_to_our_own_pages_only(wanted: str) -> None:
    ours = "https://zixly.example"
    place = allowed_place(wanted, origins={origin_of(ours) + ":443"}, default="/auth/me")
    assert place == "/auth/me" or (place[:1] == "/" and place[1:2] not in {"/", "\\"}) or place.startswith(ours)


@given(text=addresses)
def test_an_origin_is_in_its_one_form_or_none(text: str) -> None:
    origin = origin_of(text)
    assert origin == "" or origin_of(origin) == origin
