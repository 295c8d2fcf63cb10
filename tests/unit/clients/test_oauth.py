"""What is asked of the vendors' OAuth endpoints, and what their answers mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import orjson
import pytest
from pydantic import SecretStr

from tests.unit.clients.vendor import Vendor, answered
from zixly_core.accounts import Account
from zixly_core.errors import Disconnected, InvalidSignature, MalformedPayload, Permanent, Transient
from zixly_core.oauth import Granted, OAuthApp, TokenExchange
from zixly_core.settings import Settings
from zixly_core.signatures import hmac_hex
from zixly_core.systems.asana.oauth import asana_accounts, asana_app
from zixly_core.systems.hubspot.oauth import hubspot_accounts, hubspot_app
from zixly_core.systems.shopify.oauth import check_callback, shop_of, shopify_accounts, shopify_app
from zixly_core.systems.xero.oauth import xero_accounts, xero_app
from zixly_core.token_store import TokenSet

RECORDED = Path(__file__).parents[2] / "payloads" / "shopify" / "requests"
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SHOP = "example-test.myshopify.com"
SECRET = "test-shopify-client-secret-000000000001"
BACK = "https://bridge.test/connect/x/callback"
GRANTED = Granted(TokenSet("access-1", "refresh-1", NOW), {})
APPS = {"xero": xero_app, "hubspot": hubspot_app, "shopify": shopify_app, "asana": asana_app}


def settings() -> Settings:
    values: dict[str, object] = {f"{name}_client_id": "test-client-id" for name in APPS}
    values |= {f"{name}_client_secret": SecretStr(SECRET) for name in APPS}
    return Settings(**values)  # type: ignore[arg-type]


def pair(**more: object) -> httpx2.Response:
    return answered({"access_token": "access-1", "refresh_token": "refresh-1", "expires_in": 3600, **more})


@pytest.mark.parametrize(
    ("system", "address", "scope", "has_challenge"),
    [
        ("xero", "https://login.xero.com/identity/connect/authorize", "offline_access accounting.invoices", True),
        ("hubspot", "https://app.hubspot.com/oauth/authorize", "oauth crm.objects.contacts.read", False),
        ("shopify", f"https://{SHOP}/admin/oauth/authorize", "read_orders,read_customers", False),
        ("asana", "https://app.asana.com/-/oauth_authorize", "projects:read projects:write", True),
    ],
)
def test_the_way_to_the_consent_page(system: str, address: str, scope: str, has_challenge: bool) -> None:
    app = APPS[system](settings())
    assert app.uses_pkce is has_challenge
    verifier = "v" * 43 if has_challenge else None
    url = TokenExchange(Vendor([]).http, app).consent_url(account=SHOP, redirect_uri=BACK, state="the-state", verifier=verifier)
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert url.partition("?")[0] == address
    assert query["scope"].startswith(scope)
    assert (query["state"], query["redirect_uri"], query["response_type"]) == ("the-state", BACK, "code")
    assert query.get("code_challenge_method") == ("S256" if has_challenge else None)
    assert "v" * 43 not in url
    assert SECRET not in url


def test_a_code_is_exchanged_with_its_verifier_and_redirect_address() -> None:
    vendor = Vendor([pair(hub_id=62515)])
    exchange = TokenExchange(vendor.http, asana_app(settings()))
    granted = exchange.redeemed("the-code", account="", redirect_uri=BACK, verifier="the-verifier", now=NOW)
    form = {name: values[0] for name, values in parse_qs(vendor.requests[0].content.decode()).items()}
    assert form == {
        "grant_type": "authorization_code",
        "code": "the-code",
        "redirect_uri": BACK,
        "code_verifier": "the-verifier",
        "client_id": "test-client-id",
        "client_secret": SECRET,
    }
    assert granted.tokens == TokenSet("access-1", "refresh-1", NOW + timedelta(hours=1))
    assert granted.answer["hub_id"] == 62515


def test_a_shops_code_is_exchanged_for_an_expiring_token_at_the_shop_itself() -> None:
    vendor = Vendor([pair()])
    TokenExchange(vendor.http, shopify_app(settings())).redeemed("the-code", account=SHOP, redirect_uri=BACK, verifier=None, now=NOW)
    assert str(vendor.requests[0].url) == f"https://{SHOP}/admin/oauth/access_token"
    assert vendor.body()["expiring"] == "1"


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("oauth-refresh-offline-token", TokenSet(None, "shprt-test-refresh-token", None)),
        ("oauth-client-credentials", TokenSet("ended", None, NOW, is_app_own=True)),
    ],
)
def test_shopifys_tokens_are_renewed_as_its_own_client_does(name: str, tokens: TokenSet) -> None:
    recorded = orjson.loads((RECORDED / f"{name}.json").read_bytes())
    vendor = Vendor([pair()])
    TokenExchange(vendor.http, shopify_app(settings())).refreshed(tokens, account=recorded["host"], now=NOW)
    (request,) = vendor.requests
    assert (request.method, request.url.host, request.url.path) == ("POST", recorded["host"], recorded["path"])
    assert {header: request.headers[header] for header in recorded["headers"]} == recorded["headers"]
    assert vendor.body() == recorded["body"]


def test_an_apps_own_token_stays_one_and_has_no_refresh_token() -> None:
    vendor = Vendor([answered({"access_token": "access-2", "scope": "read_orders", "expires_in": 86_399})])
    tokens = TokenExchange(vendor.http, shopify_app(settings())).refreshed(TokenSet("a", None, NOW, is_app_own=True), account=SHOP, now=NOW)
    assert tokens == TokenSet("access-2", None, NOW + timedelta(seconds=86_399), is_app_own=True)


def test_asana_keeps_the_refresh_token_that_its_answer_leaves_out() -> None:
    vendor = Vendor([answered({"access_token": "access-2", "expires_in": 3600, "data": {"gid": "1"}})])
    tokens = TokenExchange(vendor.http, asana_app(settings())).refreshed(TokenSet("a", "stays", NOW), account="1", now=NOW)
    assert tokens.refresh_token == "stays"


def app_with(secret: str, reread: str) -> OAuthApp:
    url = "https://vendor.test/token"
    return OAuthApp("xero", url, "app", secret, "client_secret_post", reread_secret=lambda: reread)


def test_a_client_secret_that_was_rotated_is_looked_up_and_the_exchange_goes_on() -> None:
    vendor = Vendor([answered({"error": "invalid_client"}, status=401), pair()])
    tokens = TokenExchange(vendor.http, app_with("old", "new")).refreshed(TokenSet(None, "r", None), account="", now=NOW)
    assert tokens.access_token == "access-1"
    assert [parse_qs(request.content.decode())["client_secret"] for request in vendor.requests] == [["old"], ["new"]]


def test_a_client_secret_that_stays_refused_is_asked_for_once_and_told() -> None:
    vendor = Vendor([answered({"error": "invalid_client"}, status=401)])
    with pytest.raises(Permanent) as failure:
        TokenExchange(vendor.http, app_with("old", "old")).refreshed(TokenSet(None, "r", None), account="", now=NOW)
    assert failure.value.reason == "app_refused"
    assert "old" not in str(failure.value)


def test_a_code_that_is_dead_is_not_taken_for_a_failure_of_ours() -> None:
    vendor = Vendor([answered({"error": "invalid_grant"}, status=400)])
    with pytest.raises(Disconnected):
        TokenExchange(vendor.http, asana_app(settings())).redeemed("c", account="", redirect_uri=BACK, verifier=None, now=NOW)


def test_organisations_are_listed_and_a_practice_is_left_out() -> None:
    rows = [
        {"tenantId": "org-1", "tenantType": "ORGANISATION", "tenantName": "Müller & 田中"},
        {"tenantId": "practice", "tenantType": "PRACTICE", "tenantName": "HQ"},
        {"tenantId": "org-2", "tenantType": "ORGANISATION", "tenantName": None},
    ]
    vendor = Vendor([answered(rows)])
    accounts = xero_accounts(vendor.http, settings(), GRANTED, account="")
    assert accounts == [Account("org-1", "Müller & 田中"), Account("org-2", "org-2")]
    assert vendor.requests[0].headers["authorization"] == "Bearer access-1"


def test_workspaces_are_listed_page_by_page() -> None:
    first = {"data": [{"gid": "1", "name": "One"}], "next_page": {"offset": "more"}}
    vendor = Vendor([answered(first), answered({"data": [{"gid": "2", "name": "Two"}], "next_page": None})])
    accounts = asana_accounts(vendor.http, settings(), GRANTED, account="")
    assert accounts == [Account("1", "One"), Account("2", "Two")]
    assert vendor.requests[1].url.params["offset"] == "more"


def test_a_shop_that_answers_under_another_name_is_refused() -> None:
    vendor = Vendor([answered({"data": {"shop": {"name": "Other", "myshopifyDomain": "other.myshopify.com"}}})])
    with pytest.raises(Permanent) as failure:
        shopify_accounts(vendor.http, settings(), GRANTED, account=SHOP)
    assert failure.value.reason == "unexpected_answer"


@pytest.mark.parametrize("answer", [{}, {"hub_id": None}, {"hub_id": "drop table"}])
def test_a_token_answer_that_names_no_portal_is_refused(answer: dict[str, object]) -> None:
    with pytest.raises(Permanent):
        hubspot_accounts(Vendor([]).http, settings(), Granted(GRANTED.tokens, answer), account="")


@pytest.mark.parametrize("body", [{}, [{}], [1], {"data": []}, "text"])
def test_a_list_of_accounts_of_another_form_is_an_error_and_not_an_empty_list(body: object) -> None:
    with pytest.raises(Permanent):
        xero_accounts(Vendor([answered(body)]).http, settings(), GRANTED, account="")


def test_an_answer_that_is_a_gateways_page_is_tried_again_by_the_person() -> None:
    page = httpx2.Response(200, content=b"<html>", headers={"content-type": "text/html"})
    with pytest.raises(Transient):
        xero_accounts(Vendor([page]).http, settings(), GRANTED, account="")


@pytest.mark.parametrize(
    ("typed", "shop"),
    [
        ("zixly-demo", "zixly-demo.myshopify.com"),
        (" Zixly-Demo.MyShopify.com ", "zixly-demo.myshopify.com"),
        ("https://zixly-demo.myshopify.com/", "zixly-demo.myshopify.com"),
    ],
)
def test_a_shop_is_taken_as_people_write_it(typed: str, shop: str) -> None:
    assert shop_of(typed) == shop


@pytest.mark.parametrize(
    "typed",
    ["", "-a", "a.example", "evil.example/a.myshopify.com", "a.myshopify.com.evil.example", "a.myshopify.com/admin", "a@b.myshopify.com"],
)
def test_what_is_no_shop_is_refused(typed: str) -> None:
    with pytest.raises(MalformedPayload):
        shop_of(typed)


def signed_callback(secret: str = SECRET, **more: str) -> list[tuple[str, str]]:
    values = {"code": "c", "shop": SHOP, "state": "s", "timestamp": "1795341600", **more}
    message = urlencode(sorted(values.items()))
    return [*values.items(), ("hmac", hmac_hex(secret.encode(), message.encode()))]


def test_a_callback_that_shopify_signed_is_taken_with_either_secret() -> None:
    check_callback(signed_callback(), secrets=["newer", SECRET], account=SHOP)
    check_callback(signed_callback(host="YWRtaW4=/x y"), secrets=[SECRET], account=SHOP)


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        (signed_callback("another"), "callback_not_signed"),
        (signed_callback()[:-1], "callback_not_signed"),
        ([*signed_callback(), ("added", "1")], "callback_not_signed"),
        (signed_callback(shop="other.myshopify.com"), "other_account"),
    ],
)
def test_a_callback_that_is_not_shopifys_or_about_another_shop_is_refused(parameters: list[tuple[str, str]], reason: str) -> None:
    with pytest.raises(InvalidSignature) as failure:
        check_callback(parameters, secrets=[SECRET], account=SHOP)
    assert failure.value.reason == reason
