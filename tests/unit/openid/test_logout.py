"""Which words of a provider end sessions (OpenID Connect Back-Channel Logout 1.0, section 2.6)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.openid.signing import ANOTHERS, CLIENT_ID, EC, ISSUER, NOW, RSA, Published, id_claims, logout_claims, signed
from zixly_core.openid.logout import SignedOut, checked_logout_token
from zixly_core.openid.tokens import TokenRefused, checked_access_token, checked_id_token

KEYS = Published(RSA, EC)
SECONDS = int(NOW.timestamp())


def told(text: str) -> SignedOut:
    return checked_logout_token(text, KEYS, issuer=ISSUER, client_id=CLIENT_ID, now=NOW)


@pytest.mark.parametrize("typ", ["logout+jwt", "JWT", None])
def test_it_says_whose_session_is_over_and_since_when(typ: str | None) -> None:
    found = told(signed(logout_claims(), typ=typ))
    assert (found.issuer, found.subject, found.sid, found.at) == (ISSUER, "ada", "s1", NOW)
    assert told(signed(logout_claims(sid=None), typ=typ)).sid is None
    assert told(signed(logout_claims(sub=None), typ=typ)).subject is None


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no event": ({"events": None}, "not_a_logout_token"),
    "another event": ({"events": {"http://schemas.openid.net/event/other": {}}}, "not_a_logout_token"),
    "an event that is no object": ({"events": {"http://schemas.openid.net/event/backchannel-logout": 1}}, "not_a_logout_token"),
    "a nonce": ({"nonce": "n"}, "not_a_logout_token"),
    "nobody": ({"sub": None, "sid": None}, "not_a_logout_token"),
    "nobody who is a text": ({"sub": 1, "sid": ["s1"]}, "not_a_logout_token"),
    "another issuer": ({"iss": "https://evil.example"}, "wrong_issuer"),
    "another client": ({"aud": "another"}, "wrong_audience"),
    "no id": ({"jti": None}, "missing_claim"),
    "no time": ({"iat": None}, "missing_claim"),
    "from tomorrow": ({"iat": SECONDS + 86_400}, "not_yet_valid"),
    "over": ({"exp": SECONDS - 60}, "expired"),
    "an old one that is sent again": ({"iat": SECONDS - 600, "exp": None}, "expired"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_any_other_token_ends_nothing(kind: str) -> None:
    changes, reason = REFUSED[kind]
    with pytest.raises(TokenRefused) as refused:
        told(signed(logout_claims(**changes)))
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "text", [signed(id_claims()), signed(logout_claims(), typ="at+jwt"), signed(logout_claims(), key=ANOTHERS), "a.b.c", ""]
)
def test_neither_do_tokens_of_other_kinds_and_forged_ones(text: str) -> None:
    with pytest.raises(TokenRefused):
        told(text)


def test_and_it_is_good_for_nothing_else() -> None:
    text = signed(logout_claims(), typ="logout+jwt")
    with pytest.raises(TokenRefused):
        checked_access_token(text, KEYS, issuer=ISSUER, audience=CLIENT_ID, now=NOW)
    with pytest.raises(TokenRefused):
        checked_id_token(text, KEYS, issuer=ISSUER, client_id=CLIENT_ID, nonce="n", now=NOW)
