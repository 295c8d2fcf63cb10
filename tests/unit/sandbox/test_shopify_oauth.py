from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import httpx2
import pytest

from tests.support.sandbox import SandboxCaller
from zixly_core.signatures import hmac_hex
from zixly_sandbox.constants import APP, DEMO, SECOND

OAUTH = f"/shopify/{DEMO.shop}/admin/oauth"
PROOF = {"client_id": APP.client_id, "client_secret": APP.client_secret}
BACK = "http://app.test/back"
DAY = 86_400


async def token(caller: SandboxCaller, shop: str = DEMO.shop, **form: str) -> httpx2.Response:
    return await caller.http.post(f"/shopify/{shop}/admin/oauth/access_token", json={**PROOF, **form})


async def refreshed(caller: SandboxCaller, text: str) -> httpx2.Response:
    return await token(caller, grant_type="refresh_token", refresh_token=text)


async def callback(caller: SandboxCaller, **query: str) -> dict[str, str]:
    asked = {"client_id": APP.client_id, "redirect_uri": BACK, "scope": "read_orders", "state": "s 1", **query}
    answer = await caller.http.get(f"{OAUTH}/authorize", params=asked)
    assert answer.status_code == 302, answer.text
    return dict(parse_qsl(answer.headers["location"].partition("?")[2]))


async def works(caller: SandboxCaller, pair: dict[str, Any]) -> bool:
    headers = {"X-Shopify-Access-Token": pair["access_token"]}
    answer = await caller.http.post(f"/shopify/{DEMO.shop}/admin/api/2026-10/graphql.json", json={"query": "{shop{id}}"}, headers=headers)
    return answer.status_code == 200


async def test_the_old_refresh_token_works_until_the_new_one_is_used(caller: SandboxCaller) -> None:
    """shopify.dev/changelog/more-resilient-refreshes-for-expiring-offline-access-tokens"""
    first = (await refreshed(caller, DEMO.shopify_refresh)).json()
    assert (first["expires_in"], first["refresh_token_expires_in"]) == (3600, 90 * DAY)
    lost = (await refreshed(caller, first["refresh_token"])).json()  # the answer never arrived
    retried = await refreshed(caller, first["refresh_token"])
    assert retried.status_code == 200
    assert retried.json()["refresh_token"] != lost["refresh_token"]
    assert (await refreshed(caller, retried.json()["refresh_token"])).status_code == 200
    refused = await refreshed(caller, first["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


async def test_the_old_refresh_token_ends_after_thirty_days_even_if_the_new_one_is_never_used(caller: SandboxCaller) -> None:
    first = (await refreshed(caller, DEMO.shopify_refresh)).json()["refresh_token"]
    await refreshed(caller, first)
    caller.clock.advance(29 * DAY)
    assert (await refreshed(caller, first)).status_code == 200
    caller.clock.advance(2 * DAY)
    assert (await refreshed(caller, first)).json()["error"] == "invalid_grant"


async def test_a_refresh_token_dies_after_ninety_days_without_use(caller: SandboxCaller) -> None:
    text = (await refreshed(caller, DEMO.shopify_refresh)).json()["refresh_token"]
    caller.clock.advance(90 * DAY + 1)
    assert (await refreshed(caller, text)).json()["error"] == "invalid_grant"


async def test_client_credentials_give_a_token_for_a_day_and_nothing_to_refresh(caller: SandboxCaller) -> None:
    pair = (await token(caller, grant_type="client_credentials")).json()
    assert (pair["expires_in"], "refresh_token" in pair) == (86_399, False)
    caller.clock.advance(DAY - 1)
    assert await works(caller, pair)
    caller.clock.advance(2)
    assert not await works(caller, pair)


async def test_a_code_gives_an_expiring_or_a_lasting_token_once(caller: SandboxCaller) -> None:
    expiring = (await token(caller, code=(await callback(caller, auto="1"))["code"], expiring="1")).json()
    code = (await callback(caller, auto="1"))["code"]
    lasting = (await token(caller, code=code)).json()
    assert (await token(caller, code=code)).status_code == 400
    assert set(lasting) == {"access_token", "scope"}
    caller.clock.advance(3600)
    assert [await works(caller, pair) for pair in (expiring, lasting)] == [False, True]
    assert (await refreshed(caller, expiring["refresh_token"])).status_code == 200


async def test_the_way_back_is_signed_over_all_its_other_fields(caller: SandboxCaller) -> None:
    query = await callback(caller, auto="1")
    given = query.pop("hmac")
    assert (query["shop"], query["state"], query["timestamp"]) == (DEMO.shop, "s 1", "1795341600")
    text = "&".join(f"{name}={query[name]}" for name in sorted(query))
    assert given == hmac_hex(APP.client_secret.encode(), text.encode())


async def test_a_person_is_asked_and_may_say_no(caller: SandboxCaller) -> None:
    asked = {"client_id": APP.client_id, "redirect_uri": BACK, "state": "s"}
    page = await caller.http.get(f"{OAUTH}/authorize", params=asked)
    assert (page.status_code, "Approve" in page.text) == (200, True)
    assert (await callback(caller, decision="deny"))["error"] == "access_denied"


async def test_a_code_of_one_shop_gives_no_token_at_another(caller: SandboxCaller) -> None:
    code = (await callback(caller, auto="1"))["code"]
    assert (await token(caller, shop=SECOND.shop, code=code)).status_code == 400


@pytest.mark.parametrize("form", [{"grant_type": "nonsense"}, {"grant_type": "refresh_token"}, {}])
async def test_a_request_that_makes_no_sense_is_refused(caller: SandboxCaller, form: dict[str, str]) -> None:
    assert (await token(caller, **form)).status_code == 400


async def test_the_wrong_app_gets_no_token(caller: SandboxCaller) -> None:
    answer = await caller.http.post(f"{OAUTH}/access_token", json={**PROOF, "client_secret": "guess", "grant_type": "client_credentials"})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_tokens_are_ended_and_given_anew_on_request(caller: SandboxCaller) -> None:
    pair = (await refreshed(caller, DEMO.shopify_refresh)).json()
    await caller.admin("POST", "/tokens/expire", {"system": "shopify", "account": DEMO.shop})
    assert not await works(caller, pair)
    await caller.admin("POST", "/tokens/revoke", {"system": "shopify", "account": DEMO.shop})
    assert (await refreshed(caller, pair["refresh_token"])).status_code == 400
    fresh = await caller.admin("POST", "/tokens/authorise", {"system": "shopify", "account": DEMO.shop})
    assert await works(caller, fresh)
