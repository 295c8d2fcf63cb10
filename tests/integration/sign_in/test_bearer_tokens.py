"""Access tokens that a provider which we did not write made for our API."""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from tests.integration.sign_in.conftest import Place
from tests.integration.sign_in.people import invite
from tests.integration.sign_in.provider.running import CLIENT_ID, CLIENT_SECRET, missing, must_run, rotate_keys
from tests.support.ledger import TestLedger

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(missing() is not None and not must_run(), reason=str(missing())),
]


def tokens(place: Place, *, login: str = "ada") -> dict[str, Any]:
    """What a program of this person gets of the provider: an ID token, and an access token for our API."""
    verifier = secrets.token_urlsafe(48)
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    redirect_uri, resource = f"{place.url}/auth/callback", "https://api.zixly.example"
    asked = {
        "client_id": CLIENT_ID,
        "response_type": "code",
        "scope": "openid",
        "redirect_uri": redirect_uri,
        "resource": resource,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    back = place.browser().consent(f"{place.issuer}/auth?{urlencode(asked)}", login=login)
    form = {"grant_type": "authorization_code", "code": parse_qs(urlsplit(back).query)["code"][0], "redirect_uri": redirect_uri}
    answer = httpx2.post(f"{place.issuer}/token", data=form | {"code_verifier": verifier}, auth=(CLIENT_ID, CLIENT_SECRET))
    answer.raise_for_status()
    document: dict[str, Any] = answer.json()
    return document


def asked(place: Place, token: str, path: str = "/auth/me") -> httpx2.Response:
    return place.bridge.http.get(path, headers={"authorization": f"Bearer {token}"})


def test_a_program_asks_as_the_person_that_signed_in(place: Place, ledger: TestLedger) -> None:
    user_id = invite(ledger, "ada@zixly.example")
    token = tokens(place)["access_token"]
    unknown = asked(place, token)
    assert (unknown.status_code, unknown.json()["reason"]) == (403, "not_invited")
    place.browser().sign_in("ada")
    me = asked(place, token).json()
    assert (me["user_id"], me["proof"]) == (str(user_id), "provider_token")
    assert asked(place, token, "/api/jobs").status_code == 200
    ledger.owner.execute("delete from zixly.memberships where user_id = %s", (user_id,))
    assert asked(place, token, "/api/jobs").status_code == 403


def test_an_id_token_opens_no_api(place: Place, ledger: TestLedger) -> None:
    invite(ledger, "ada@zixly.example")
    place.browser().sign_in("ada")
    refused = asked(place, tokens(place)["id_token"])
    assert (refused.status_code, refused.json()["reason"]) == (401, "wrong_audience")
    assert refused.headers["www-authenticate"] == "Bearer"


def test_after_the_providers_keys_changed_new_tokens_are_taken_and_old_ones_are_not(place: Place, ledger: TestLedger) -> None:
    invite(ledger, "ada@zixly.example")
    place.browser().sign_in("ada")
    old = tokens(place)["access_token"]
    assert asked(place, old).status_code == 200
    rotate_keys(place.issuer)
    assert asked(place, tokens(place)["access_token"]).status_code == 200
    refused = asked(place, old)
    assert (refused.status_code, refused.json()["reason"]) == (401, "unknown_key")


def test_a_token_that_was_touched_is_refused(place: Place, ledger: TestLedger) -> None:
    invite(ledger, "ada@zixly.example")
    place.browser().sign_in("ada")
    head, payload, signature = tokens(place)["access_token"].split(".")
    refused = asked(place, f"{head}.{payload}.{signature[::-1]}")
    assert (refused.status_code, refused.json()["reason"]) == (401, "bad_signature")
