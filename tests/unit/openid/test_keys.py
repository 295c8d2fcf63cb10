from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from zixly_core.errors import Transient
from zixly_core.openid.keys import FRESH_SECONDS, PAUSE_SECONDS, STALE_SECONDS, UNKNOWN_EVERY_SECONDS, ProviderKeys, signing_keys


def ec(kid: str) -> Key:
    return ECKey.generate_key("P-256", {"kid": kid})


class Publisher:
    """A provider's key set, its clock, and how often it was asked."""

    def __init__(self, *kids: str) -> None:
        self.kids = kids
        self.asked = 0
        self.now = 1_000.0
        self.is_away = False
        self.keys = ProviderKeys(self.fetch, clock=lambda: self.now)

    def fetch(self) -> Mapping[str, Any]:
        self.asked += 1
        if self.is_away:
            raise Transient("away")
        return {"keys": [ec(kid).as_dict(private=False) for kid in self.kids]}

    def knows(self, kid: str | None) -> bool:
        return self.keys.key(kid) is not None


def test_keys_are_fetched_when_they_are_needed_and_kept() -> None:
    provider = Publisher("one", "two")
    assert provider.asked == 0
    assert all(provider.knows(kid) for kid in ("one", "two", "one"))
    assert provider.asked == 1


def test_a_new_key_is_found_at_once() -> None:
    provider = Publisher("one")
    assert provider.knows("one")
    provider.kids = ("two",)
    provider.now += 1
    assert provider.knows("two")
    assert not provider.knows("one"), "it was withdrawn"


def test_made_up_key_names_make_us_ask_once_a_minute() -> None:
    provider = Publisher("one")
    provider.knows("one")
    for number in range(50):
        provider.now += 0.5
        assert not provider.knows(f"made-up-{number}")
    assert provider.asked == 2
    provider.now += UNKNOWN_EVERY_SECONDS
    provider.knows("made-up")
    assert provider.asked == 3


def test_a_withdrawn_key_is_trusted_for_an_hour_at_most() -> None:
    provider = Publisher("one")
    assert provider.knows("one")
    provider.kids = ("two",)
    provider.now += FRESH_SECONDS
    assert not provider.knows("one")


def test_while_the_provider_is_away_known_keys_go_on_for_a_day() -> None:
    provider = Publisher("one")
    assert provider.knows("one")
    provider.is_away = True
    provider.now += STALE_SECONDS - 1
    assert provider.knows("one")
    provider.now += 1
    with pytest.raises(Transient):
        provider.knows("one")


def test_a_provider_that_is_away_is_not_asked_by_every_request() -> None:
    provider = Publisher("one")
    provider.is_away = True
    for _ in range(10):
        provider.now += 0.1
        with pytest.raises(Transient):
            provider.knows("one")
    assert provider.asked == 1
    provider.is_away = False
    provider.now += PAUSE_SECONDS
    assert provider.knows("one")


def test_a_token_that_names_no_key_is_the_only_ones() -> None:
    assert Publisher("one").knows(None)
    assert not Publisher("one", "two").knows(None)


def test_only_keys_that_may_have_signed_a_token_are_taken() -> None:
    secret = OctKey.generate_key(256, {"kid": "secret"}).as_dict()
    encryption = ECKey.generate_key("P-256", {"kid": "encryption", "use": "enc"}).as_dict(private=False)
    with pytest.warns(UserWarning, match="2048"):
        weak = RSAKey.generate_key(1024, {"kid": "weak"}).as_dict(private=False)
    for_secrets = OKPKey.generate_key("X25519", {"kid": "x25519"}).as_dict(private=False)
    rare = OKPKey.generate_key("Ed448", {"kid": "ed448"}).as_dict(private=False)
    entries = [
        secret,
        encryption,
        weak,
        for_secrets,
        rare,
        {"kty": "new", "kid": "new"},
        {"kty": "RSA", "kid": "broken"},
        "none",
        ec("good").as_dict(),
    ]
    found = signing_keys({"keys": entries})
    assert list(found) == ["good"]
    assert not found["good"].is_private
    assert signing_keys({"keys": "none"}) == {} == signing_keys({})
