from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from tests.unit.openid.signing import (
    ANOTHERS,
    AUDIENCE,
    CLIENT_ID,
    EC,
    ED,
    ISSUER,
    NONCE,
    NOW,
    RSA,
    Published,
    access_claims,
    id_claims,
    signed,
    signed_by_public_key,
)
from zixly_core.openid.tokens import Claims, TokenRefused, checked_access_token, checked_id_token

KEYS = Published(RSA, EC, ED)
SECONDS = int(NOW.timestamp())


def id_token(text: str) -> Claims:
    return checked_id_token(text, KEYS, issuer=ISSUER, client_id=CLIENT_ID, nonce=NONCE, now=NOW)


def access_token(text: str) -> Claims:
    return checked_access_token(text, KEYS, issuer=ISSUER, audience=AUDIENCE, now=NOW)


def unsigned(claims: dict[str, Any], *, alg: str = "none") -> str:
    parts = ({"alg": alg, "kid": "rsa-1"}, claims)
    return ".".join([*(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts), ""])


def signed_as(claims: dict[str, Any], *, alg: str) -> str:
    """Signed well by RSA, and called something else."""
    _, payload, signature = signed(claims).split(".")
    head = urlsafe_b64encode(json.dumps({"alg": alg, "kid": "rsa-1"}).encode()).rstrip(b"=").decode()
    return f"{head}.{payload}.{signature}"


def damaged(text: str) -> str:
    head, payload, signature = text.split(".")
    return f"{head}.{payload}.{'A' * len(signature)}"


def with_other_claims(text: str) -> str:
    head, _, signature = text.split(".")
    payload = urlsafe_b64encode(json.dumps(access_claims(sub="admin")).encode()).rstrip(b"=").decode()
    return f"{head}.{payload}.{signature}"


@pytest.mark.parametrize(("key", "alg"), [(RSA, "RS256"), (RSA, "PS256"), (EC, "ES256"), (ED, "EdDSA"), (ED, "Ed25519")])
def test_good_tokens_are_taken(key: Any, alg: str) -> None:
    found = id_token(signed(id_claims(email="ada@example.com", email_verified=True), key=key, alg=alg))
    assert (found.subject, found.verified_email) == ("ada", "ada@example.com")
    assert access_token(signed(access_claims(aud=[AUDIENCE, "others"]), key=key, alg=alg, typ="at+jwt")).subject == "ada"


def test_clocks_may_differ_a_little() -> None:
    assert access_token(signed(access_claims(exp=SECONDS - 29, nbf=SECONDS + 29)))


REFUSED_BOTH = {
    "an algorithm of another kind of key": (lambda make: signed_as(make(), alg="EdDSA"), "malformed_token"),
    "unsigned": (lambda make: unsigned(make()), "wrong_algorithm"),
    "unsigned, spelt otherwise": (lambda make: unsigned(make(), alg="NoNe"), "wrong_algorithm"),
    "signed with the public key as a secret": (lambda make: signed_by_public_key(make()), "wrong_algorithm"),
    "another's key of the same name": (lambda make: signed(make(), key=ANOTHERS), "bad_signature"),
    "an unknown key": (lambda make: signed(make(), kid="rsa-2"), "unknown_key"),
    "no key named, where there are two": (lambda make: signed(make(), kid=None), "unknown_key"),
    "a key named that is for another algorithm": (lambda make: signed(make(), kid="ec-1"), "wrong_algorithm"),
    "a damaged signature": (lambda make: damaged(signed(make())), "bad_signature"),
    "another issuer": (lambda make: signed(make(iss="https://login.example.com.evil.example")), "wrong_issuer"),
    "no issuer": (lambda make: signed(make(iss=None)), "missing_claim"),
    "another audience": (lambda make: signed(make(aud="somebody-else")), "wrong_audience"),
    "other audiences": (lambda make: signed(make(aud=["one", "two"])), "wrong_audience"),
    "no audience": (lambda make: signed(make(aud=None)), "missing_claim"),
    "expired": (lambda make: signed(make(exp=SECONDS - 31)), "expired"),
    "never expires": (lambda make: signed(make(exp=None)), "missing_claim"),
    "an expiry that is no number": (lambda make: signed(make(exp="9999999999")), "expired or wrong"),
    "not valid yet": (lambda make: signed(make(nbf=SECONDS + 31)), "not_yet_valid"),
    "of tomorrow": (lambda make: signed(make(iat=SECONDS + 86_400)), "not_yet_valid"),
    "nobody's": (lambda make: signed(make(sub=None)), "missing_claim"),
    "an empty subject": (lambda make: signed(make(sub="")), "wrong_claim"),
    "no token": (lambda _make: "a.b", "malformed_token"),
    "a header that is no JSON": (lambda _make: "a.b.c", "malformed_token"),
    "a header that is no object": (lambda _make: "W10.b.c", "malformed_token"),
    "endless": (lambda make: signed(make(pad="x" * 9_000)), "malformed_token"),
}


@pytest.mark.parametrize("case", REFUSED_BOTH)
def test_what_is_wrong_with_a_token_is_refused_by_name(case: str) -> None:
    make, reason = REFUSED_BOTH[case]
    for check, claims in ((id_token, id_claims), (access_token, access_claims)):
        with pytest.raises(TokenRefused) as refused:
            check(make(claims))
        assert refused.value.reason in {reason, *(("expired", "wrong_claim") if reason == "expired or wrong" else ())}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"nonce": "another"}, "wrong_nonce"),
        ({"nonce": None}, "missing_claim"),
        ({"aud": [CLIENT_ID, "another"]}, "wrong_audience"),
        ({"aud": [CLIENT_ID, "another"], "azp": "another"}, "wrong_audience"),
        ({"azp": "another"}, "wrong_audience"),
        ({"iat": None}, "missing_claim"),
    ],
)
def test_an_id_token_is_this_sign_ins_and_this_clients(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(TokenRefused) as refused:
        id_token(signed(id_claims(**changes)))
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("claims", "typ"), [({"nonce": NONCE}, "JWT"), ({"at_hash": "x"}, "JWT"), ({}, "logout+jwt"), ({}, "dpop+jwt"), ({}, "id+jwt")]
)
def test_what_is_no_access_token_opens_no_api(claims: dict[str, Any], typ: str) -> None:
    """An ID token is shown to browsers, logs and strangers; were it good for the API, each of them could call it."""
    with pytest.raises(TokenRefused) as refused:
        access_token(signed(access_claims(**claims), typ=typ))
    assert refused.value.reason == "not_an_access_token"


def test_claims_cannot_be_put_under_a_signature_of_others() -> None:
    with pytest.raises(TokenRefused) as refused:
        access_token(with_other_claims(signed(access_claims())))
    assert refused.value.reason == "bad_signature"


@pytest.mark.parametrize("verified", [None, False, "true", 1, "yes"])
def test_an_address_counts_only_when_the_provider_says_a_plain_yes(verified: object) -> None:
    assert id_token(signed(id_claims(email="ada@example.com", email_verified=verified))).verified_email is None


def test_no_refusal_repeats_any_of_the_token() -> None:
    token = signed(access_claims(exp=SECONDS - 60, email="ada@example.com"))
    with pytest.raises(TokenRefused) as refused:
        access_token(token)
    assert not any(part in str(refused.value) for part in (*token.split("."), "ada"))
