"""What signs something for us: no byte can be changed, no older form of a signature passes, and any claim is read or refused."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.support.deliveries import recorded_one
from tests.unit.openid.signing import CLIENT_ID, EC, ISSUER, NOW, RSA, Published, id_claims, logout_claims, signed
from webhook_bridge.same_site import form_token
from zixly_core.errors import InvalidSignature, MalformedPayload, Rejected
from zixly_core.metrics_access import may_scrape
from zixly_core.openid.logout import checked_logout_token
from zixly_core.openid.tokens import TokenRefused, checked_id_token
from zixly_core.signatures import hmac_base64, hmac_hex, is_signed_by_any
from zixly_core.system import IncomingRequest
from zixly_core.systems import SYSTEMS
from zixly_core.systems.hubspot.receive import DECODED, signed_url
from zixly_core.systems.shopify.oauth import check_callback, shop_of

pytestmark = pytest.mark.unit
SECRET = "a client secret"
HUBSPOT = SYSTEMS["hubspot"].profile
TEMPLATE = recorded_one("hubspot", "02-batch-of-three-utf8").request()
KEYS = Published(RSA, EC)
SHOP = "demo.myshopify.com"
# Bodies and addresses as HubSpot may sign them: it decodes twelve characters of the address.
bodies = st.binary(max_size=200)
tails = st.lists(st.sampled_from([*"abc/?=&%+-.:@!$'()*,;", *DECODED, "%2f", "%25"]), max_size=12).map("".join)
urls = tails.map("https://zixly.example/webhook/hubspot{}".format)
changes = st.tuples(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


def delivery(*, url: str, body: bytes, **headers: str) -> IncomingRequest:
    return replace(TEMPLATE, url=url, body=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def signed_delivery(url: str, body: bytes, *, at: datetime | None = None) -> IncomingRequest:
    """As HubSpot signs with version 3: it decodes what stands in its table, and signs that."""
    timestamp = str(int((at or TEMPLATE.received_at).timestamp() * 1000))
    decoded = url
    for code, character in DECODED.items():
        decoded = decoded.replace(code, character).replace(code.lower(), character)
    signature = hmac_base64(SECRET.encode(), b"POST" + decoded.encode() + body + timestamp.encode())
    return delivery(url=url, body=body, x_hubspot_signature_v3=signature, x_hubspot_request_timestamp=timestamp)


def changed(data: bytes, change: tuple[int, int]) -> bytes:
    position, mask = change
    found = bytearray(data)
    found[position % len(found)] ^= mask
    return bytes(found)


@given(url=urls, body=bodies)
def test_what_hubspot_signs_passes_whatever_stands_in_its_address(url: str, body: bytes) -> None:
    HUBSPOT.verify(signed_delivery(url, body), secrets=["another", SECRET])


@given(url=urls, body=bodies, seconds=st.floats(-300, 300))
def test_hubspots_signature_holds_for_five_minutes_and_not_a_millisecond_longer(url: str, body: bytes, seconds: float) -> None:
    HUBSPOT.verify(signed_delivery(url, body, at=TEMPLATE.received_at + timedelta(seconds=seconds * 0.999)), secrets=[SECRET])
    off = timedelta(minutes=5, milliseconds=1) if seconds >= 0 else -timedelta(minutes=5, milliseconds=1)
    with pytest.raises(Rejected):
        HUBSPOT.verify(signed_delivery(url, body, at=TEMPLATE.received_at + off), secrets=[SECRET])


@given(url=urls, body=bodies, change=changes, part=st.sampled_from(["method", "url", "body", "timestamp", "signature"]))
def test_no_byte_of_what_hubspot_signed_can_be_changed(url: str, body: bytes, change: tuple[int, int], part: str) -> None:
    good = signed_delivery(url, body)
    match part:
        case "body":
            other = replace(good, body=changed(body, change) if body else b"x")
        case "url":
            other = replace(good, url=changed(url.encode(), change).decode("latin-1"))
            assume(signed_url(other.url) != signed_url(url))
        case "method":
            other = replace(good, method=changed(b"POST", change).decode("latin-1"))
        case _:
            name = "x-hubspot-request-timestamp" if part == "timestamp" else "x-hubspot-signature-v3"
            other = replace(good, headers={**good.headers, name: changed(good.headers[name].encode(), change).decode("latin-1")})
    with pytest.raises(Rejected):
        HUBSPOT.verify(other, secrets=[SECRET])


@given(url=urls, body=bodies, version=st.sampled_from(["v1", "v2"]), change=st.none() | changes)
def test_hubspots_older_signatures_never_pass_however_right_they_are(
    url: str, body: bytes, version: str, change: tuple[int, int] | None
) -> None:
    """Version 1 is over secret and body, 2 over secret, method, address and body; neither has a time, so a copy would pass for ever."""
    signed_part = body if version == "v1" else b"POST" + url.encode() + body
    signature = hashlib.sha256(SECRET.encode() + signed_part).hexdigest()
    given_one = signature if change is None else changed(signature.encode(), change).decode("latin-1")
    beside = {"x_hubspot_signature_version": version, "x_hubspot_request_timestamp": str(int(TEMPLATE.received_at.timestamp() * 1000))}
    with pytest.raises(InvalidSignature) as refused:
        HUBSPOT.verify(delivery(url=url, body=body, x_hubspot_signature=given_one, **beside), secrets=[SECRET])
    assert refused.value.reason == "signature_version"
    as_newest = delivery(url=url, body=body, x_hubspot_signature_v3=given_one, **beside)
    with pytest.raises(InvalidSignature):
        HUBSPOT.verify(as_newest, secrets=[SECRET])


def test_an_address_is_decoded_once() -> None:
    assert signed_url("https://x.example/?a=%253A%3a%41") == "https://x.example/?a=%253A:%41"


callback_values = st.dictionaries(st.sampled_from(["code", "host", "state", "timestamp", "more"]), st.text(max_size=20), max_size=5)


def callback(values: dict[str, str]) -> list[tuple[str, str]]:
    """The query of Shopify's answer, as it is read from the address."""
    fields = sorted({**values, "shop": SHOP}.items())
    signature = hmac_hex(SECRET.encode(), urlencode(fields, errors="replace").encode())
    return parse_qsl(urlencode([*fields, ("hmac", signature)], errors="replace"), keep_blank_values=True)


@given(values=callback_values, name=st.sampled_from(["code", "host", "state", "shop", "hmac"]), data=st.data())
def test_no_character_of_shopifys_answer_can_be_changed(values: dict[str, str], name: str, data: st.DataObject) -> None:
    good = callback(values)
    check_callback(good, secrets=[SECRET], account=SHOP)
    other = data.draw(st.text(max_size=20).filter(lambda text: text != dict(good).get(name)))
    with_other = [(key, value) for key, value in good if key != name] + [(name, other)]
    with pytest.raises(InvalidSignature):
        check_callback(with_other, secrets=[SECRET], account=SHOP)
    with pytest.raises(InvalidSignature):
        check_callback(good, secrets=[SECRET], account="other.myshopify.com")


@given(values=callback_values, name=st.sampled_from(["code", "state", "shop", "hmac"]), doubled=st.text(max_size=10), first=st.booleans())
def test_nothing_can_be_named_twice_in_shopifys_answer(values: dict[str, str], name: str, doubled: str, *, first: bool) -> None:
    good = callback({"code": "c", "state": "s", **values})
    assume(doubled != dict(good)[name])
    more = [(name, doubled), *good] if first else [*good, (name, doubled)]
    if name == "hmac" and first:
        return  # it is not signed, and the last one counts
    with pytest.raises(InvalidSignature):
        check_callback(more, secrets=[SECRET], account=SHOP)


@given(text=st.text(max_size=60) | st.from_regex(r"(https://)?[a-z0-9.-]{1,30}(\.myshopify\.com)?/?", fullmatch=True))
@example(text="demo.myshopify.com.evil.example")
@example(text="evil.example/demo.myshopify.com")
@example(text="demo.myshopify.com@evil.example")
def test_a_shop_that_somebody_types_is_one_of_shopifys(text: str) -> None:
    with suppress(MalformedPayload):
        shop = shop_of(text)
        assert shop.endswith(".myshopify.com")
        assert shop.isascii()
        assert set(shop) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
        assert shop.count(".") == 2
        assert shop_of(shop) == shop


@given(given_one=st.text(st.characters(exclude_categories=["Cs"]), max_size=60), key=st.binary(max_size=20), message=bodies)
def test_no_text_is_a_signature_but_the_one(given_one: str, key: bytes, message: bytes) -> None:
    expected = [hmac_base64(key, message), hmac_hex(key, message)]
    assert is_signed_by_any(given_one, expected) == (given_one in expected)
    assert all(is_signed_by_any(one, expected) for one in expected)
    assert not is_signed_by_any(given_one, [])


@given(header=st.none() | st.text(st.characters(max_codepoint=255), max_size=40), token=st.text("abcXYZ019-_", min_size=1, max_size=20))
def test_nobody_scrapes_but_with_the_whole_token(header: str | None, token: str) -> None:
    assert may_scrape(f"Bearer {token}", token=token)
    assert not may_scrape(f"Bearer {token}{token}", token=token)
    assert not may_scrape(header, token=token) or (header is not None and header.split()[1:] == [token])


@given(sessions=st.tuples(*[st.text("abcXYZ019-_", max_size=8)] * 2))
def test_a_form_belongs_to_one_session(sessions: tuple[str, str]) -> None:
    assert (form_token(sessions[0]) == form_token(sessions[1])) == (sessions[0] == sessions[1])


claims = st.dictionaries(
    st.sampled_from("iss aud sub sid iat exp nbf jti nonce azp email email_verified events auth_time".split()), json_values, max_size=4
)


@given(told=claims)
@example(told={"iat": 2**70})
@example(told={"iat": -(2**70)})
@example(told={"iat": -1e300})
@example(told={"iat": 0.5})
@example(told={"iat": True})
@example(told={"exp": -(2**70)})
@example(told={"aud": []})
def test_any_claims_that_a_provider_signs_are_read_or_refused(told: dict[str, object]) -> None:
    """A provider that went mad, or was taken over, must not be an unexpected error of ours."""
    with suppress(TokenRefused):
        checked_logout_token(signed(logout_claims(**told)), KEYS, issuer=ISSUER, client_id=CLIENT_ID, now=NOW)
    with suppress(TokenRefused):
        checked_id_token(signed(id_claims(**told)), KEYS, issuer=ISSUER, client_id=CLIENT_ID, nonce=str(id_claims()["nonce"]), now=NOW)


@given(nonce=st.text(max_size=40))
def test_an_identity_that_was_not_asked_for_in_this_way_is_refused(nonce: str) -> None:
    assume(nonce != id_claims()["nonce"])
    with pytest.raises(TokenRefused):
        checked_id_token(signed(id_claims()), KEYS, issuer=ISSUER, client_id=CLIENT_ID, nonce=nonce, now=NOW)
