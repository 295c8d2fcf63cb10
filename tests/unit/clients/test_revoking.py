"""Authorisations are ended at the vendors that have a call for it; for others it is said what a person has to do."""

from __future__ import annotations

from urllib.parse import parse_qs

import httpx2
import pytest
from pydantic import SecretStr

from zixly_core.revoking import BY_HAND, revoke
from zixly_core.settings import Settings
from zixly_core.token_store import TokenSet

TOKENS = TokenSet("access", "refresh-1", None)


def settings() -> Settings:
    return Settings(
        xero_client_id="id",
        xero_client_secret=SecretStr("secret"),  # type: ignore[arg-type]
        asana_client_id="id",
        asana_client_secret=SecretStr("secret"),  # type: ignore[arg-type]
    )


def revoked(system: str, *, status: int = 200, tokens: TokenSet = TOKENS) -> tuple[str | None, list[httpx2.Request]]:
    sent: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return httpx2.Response(status)

    with httpx2.Client(transport=httpx2.MockTransport(answer)) as http:
        return revoke(http, settings(), system=system, tokens=tokens), sent


def form_of(request: httpx2.Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.content.decode()).items()}


def test_xero_is_asked_with_the_apps_credentials_in_the_header() -> None:
    left, (request,) = revoked("xero")
    assert left is None
    assert str(request.url) == "https://identity.xero.com/connect/revocation"
    assert request.headers["authorization"].startswith("Basic ")
    assert form_of(request) == {"token": "refresh-1"}


def test_asana_is_asked_with_the_apps_credentials_in_the_form() -> None:
    left, (request,) = revoked("asana")
    assert left is None
    assert str(request.url) == "https://app.asana.com/-/oauth_revoke"
    assert form_of(request) == {"client_id": "id", "client_secret": "secret", "token": "refresh-1"}


@pytest.mark.parametrize("system", ["hubspot", "shopify"])
def test_vendors_without_a_call_are_left_to_a_person(system: str) -> None:
    assert revoked(system) == (BY_HAND[system], [])


@pytest.mark.parametrize(("system", "status"), [("xero", 400), ("asana", 503)])
def test_a_call_that_failed_is_left_to_a_person_and_says_why(system: str, status: int) -> None:
    left, _ = revoked(system, status=status)
    assert left is not None
    assert left.startswith(BY_HAND[system])
    assert "refresh-1" not in left


def test_tokens_without_a_refresh_token_are_left_to_a_person() -> None:
    assert revoked("xero", tokens=TokenSet("access", None, None)) == (BY_HAND["xero"], [])
