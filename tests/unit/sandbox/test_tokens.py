from __future__ import annotations

from tests.support.sandbox import HUBSPOT, XERO, SandboxCaller
from zixly_sandbox.constants import APP, DEMO, SECOND

MINUTE = 60
DAY = 86_400


async def test_a_refresh_gives_a_new_refresh_token(caller: SandboxCaller) -> None:
    first = (await caller.xero_pair()).json()
    second = (await caller.xero_pair(first["refresh_token"])).json()
    assert first["expires_in"] == 1800
    assert len({DEMO.xero_refresh, first["refresh_token"], second["refresh_token"]}) == 3


async def test_an_exchanged_refresh_token_still_works_for_thirty_minutes_and_no_longer(caller: SandboxCaller) -> None:
    old = (await caller.xero_pair()).json()["refresh_token"]
    await caller.xero_pair(old)
    caller.clock.advance(29 * MINUTE)
    assert (await caller.xero_pair(old)).status_code == 200
    caller.clock.advance(2 * MINUTE)
    refused = await caller.xero_pair(old)
    assert (refused.status_code, refused.json()) == (400, {"error": "invalid_grant"})


async def test_a_refresh_token_dies_after_sixty_days_without_use(caller: SandboxCaller) -> None:
    token = (await caller.xero_pair()).json()["refresh_token"]
    caller.clock.advance(60 * DAY + 1)
    assert (await caller.xero_pair(token)).json() == {"error": "invalid_grant"}


async def test_tokens_stay_good_when_the_sandbox_is_started_again(caller: SandboxCaller) -> None:
    pair = (await caller.xero_pair()).json()
    pair = (await caller.xero_pair(pair["refresh_token"])).json()
    again = SandboxCaller()
    async with again.http:
        headers = {"Authorization": f"Bearer {pair['access_token']}", "xero-tenant-id": DEMO.organisation}
        assert (await again.http.get(f"{XERO}/Organisation", headers=headers)).status_code == 200
        renewed = await again.xero_pair(pair["refresh_token"])
        assert renewed.status_code == 200
        assert (await again.xero_pair(renewed.json()["refresh_token"])).status_code == 200


async def test_a_text_that_only_looks_like_a_token_is_refused(caller: SandboxCaller) -> None:
    token = (await caller.xero_pair()).json()["refresh_token"]
    for wrong in ("nonsense", token[:-2] + "xx", "a.b.c", "é.é.é"):
        assert (await caller.xero_pair(wrong)).json() == {"error": "invalid_grant"}


async def test_an_access_token_ends_after_thirty_minutes(caller: SandboxCaller) -> None:
    headers = await caller.xero_headers()
    caller.clock.advance(30 * MINUTE)
    assert (await caller.http.get(f"{XERO}/Invoices", headers=headers)).status_code == 401


async def test_expired_tokens_are_refused_until_they_are_renewed(caller: SandboxCaller) -> None:
    headers = await caller.hubspot_headers()
    await caller.admin("POST", "/tokens/expire", {"system": "hubspot", "account": DEMO.portal})
    assert (await caller.http.get(f"{HUBSPOT}/contacts", headers=headers)).status_code == 401
    assert (await caller.http.get(f"{HUBSPOT}/contacts", headers=await caller.hubspot_headers())).status_code == 200


async def test_another_organisation_is_forbidden(caller: SandboxCaller) -> None:
    headers = {**await caller.xero_headers(), "xero-tenant-id": SECOND.organisation}
    assert (await caller.http.get(f"{XERO}/Invoices", headers=headers)).status_code == 403


async def test_the_wrong_app_gets_no_token(caller: SandboxCaller) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": DEMO.xero_refresh}
    answer = await caller.http.post("/xero/identity/connect/token", data=form, auth=(APP.client_id, "guess"))
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})


async def test_a_revoked_hubspot_connection_says_bad_refresh_token(caller: SandboxCaller) -> None:
    headers = await caller.hubspot_headers()
    await caller.admin("POST", "/tokens/revoke", {"system": "hubspot", "account": DEMO.portal})
    answer = await caller.hubspot_pair()
    assert (answer.status_code, answer.json()["error"], answer.json()["status"]) == (400, "invalid_grant", "BAD_REFRESH_TOKEN")
    assert (await caller.http.get(f"{HUBSPOT}/contacts", headers=headers)).status_code == 401


async def test_hubspot_keeps_its_refresh_token(caller: SandboxCaller) -> None:
    answer = (await caller.hubspot_pair()).json()
    assert (answer["refresh_token"], answer["expires_in"], answer["hub_id"]) == (DEMO.hubspot_refresh, 1800, int(DEMO.portal))


async def test_an_authorization_code_works_once(caller: SandboxCaller) -> None:
    query = {"client_id": APP.client_id, "redirect_uri": "http://app.test/back", "state": "s", "account": SECOND.organisation}
    answer = await caller.http.get("/xero/identity/connect/authorize", params=query)
    back = dict(answer.next_request.url.params) if answer.next_request else {}
    form = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": "http://app.test/back"}
    proof = (APP.client_id, APP.client_secret)
    first = await caller.http.post("/xero/identity/connect/token", data=form, auth=proof)
    again = await caller.http.post("/xero/identity/connect/token", data=form, auth=proof)
    assert (back["state"], first.status_code, again.json()) == ("s", 200, {"error": "invalid_grant"})
    bearer = {"Authorization": f"Bearer {first.json()['access_token']}"}
    connections = (await caller.http.get("/xero/connections", headers=bearer)).json()
    assert [item["tenantId"] for item in connections] == [SECOND.organisation]
