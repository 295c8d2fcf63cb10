from __future__ import annotations

from typing import Any

import httpx2
import pytest

from zixly_core.errors import Permanent, SettingsError, Transient
from zixly_core.openid.provider import Client, Provider
from zixly_core.openid.setting_up import provider_from
from zixly_core.settings import Settings

ISSUER = "https://login.example.com"
GOOD = {name: f"{ISSUER}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")} | {"issuer": ISSUER}


def provider(document: dict[str, Any] | None, *, issuer: str = ISSUER, is_production: bool = True) -> Provider:
    def answer(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(503) if document is None else httpx2.Response(200, json=document)

    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    return Provider(Client(issuer, "zixly"), lambda: http, is_production=is_production)


def settings(**values: Any) -> Settings:
    return Settings(**({"oidc_client_id": "zixly"} | values))


def test_without_an_issuer_there_is_no_provider() -> None:
    assert provider_from(Settings(), httpx2.Client) is None


@pytest.mark.parametrize(
    ("values", "variable"),
    [
        ({"oidc_issuer": "http://127.0.0.1:3900/oidc", "environment": "production"}, "ZIXLY_OIDC_ISSUER"),
        ({"oidc_issuer": "https://localhost/oidc", "environment": "production"}, "ZIXLY_OIDC_ISSUER"),
        (
            {"oidc_issuer": "https://sandbox.example/oidc", "sandbox_url": "https://sandbox.example", "environment": "production"},
            "ZIXLY_OIDC_ISSUER",
        ),
        ({"oidc_issuer": "http://login.example.com"}, "ZIXLY_OIDC_ISSUER"),
        ({"oidc_issuer": "login.example.com"}, "ZIXLY_OIDC_ISSUER"),
        ({"oidc_issuer": ISSUER, "oidc_client_id": None}, "ZIXLY_OIDC_CLIENT_ID"),
    ],
)
def test_an_unsafe_provider_stops_the_start_with_the_variables_name(values: dict[str, Any], variable: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        provider_from(settings(**values), httpx2.Client)


def test_the_sandboxs_provider_is_for_development() -> None:
    assert provider_from(settings(oidc_issuer="http://127.0.0.1:3900/oidc"), httpx2.Client) is not None
    with pytest.raises(Permanent, match="sandbox"):
        provider(GOOD | {"zixly_sandbox": True}).discovery()
    assert provider(GOOD | {"zixly_sandbox": True}, is_production=False).discovery()


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint"])
def test_an_address_without_tls_is_refused(name: str) -> None:
    with pytest.raises(Permanent, match="TLS"):
        provider(GOOD | {name: f"http://login.example.com/{name}"}, is_production=False).discovery()
    with pytest.raises(Permanent, match="TLS"):
        provider(GOOD | {name: f"http://127.0.0.1/{name}"}).discovery()


def test_a_provider_of_another_name_is_refused() -> None:
    with pytest.raises(Permanent, match="another name"):
        provider(GOOD | {"issuer": f"{ISSUER}/"}).discovery()
    with pytest.raises(Permanent, match="no discovery document"):
        provider({"issuer": ISSUER}).discovery()


def test_a_provider_that_is_away_is_nobodys_mistake() -> None:
    with pytest.raises(Transient):
        provider(None).discovery()


def test_the_browser_is_sent_with_state_nonce_and_a_hashed_challenge() -> None:
    url = httpx2.URL(
        provider(GOOD).sign_in_url(state="s", nonce="n", verifier="v" * 43, redirect_uri="https://zixly.example/auth/callback")
    )
    sent = dict(url.params)
    assert sent.pop("code_challenge") not in {"", "v" * 43}
    assert sent == {
        "response_type": "code",
        "client_id": "zixly",
        "redirect_uri": "https://zixly.example/auth/callback",
        "scope": "openid email profile",
        "state": "s",
        "nonce": "n",
        "code_challenge_method": "S256",
    }
