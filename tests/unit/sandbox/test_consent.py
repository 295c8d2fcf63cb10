from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.support.sandbox import XERO, SandboxCaller
from zixly_sandbox.constants import APP, DEMO, SECOND
from zixly_sandbox.tokens import challenge_of

BACK = "https://bridge.example.test/connect/back?tenant=demo"
VERIFIER = "v" * 64
PAGES = {"xero": "/xero/login/identity/connect/authorize", "hubspot": "/hubspot/oauth/authorize"}
BOTH = [("account", DEMO.organisation), ("account", SECOND.organisation)]


async def consent(caller: SandboxCaller, system: str, *more: tuple[str, str]) -> httpx2.Response:
    query = [
        ("response_type", "code"),
        ("client_id", APP.client_id),
        ("redirect_uri", BACK),
        ("state", "s 1"),
        ("scope", "offline_access x"),
    ]
    return await caller.http.get(PAGES[system], params=[*query, *more])


def sent_back(answer: httpx2.Response) -> dict[str, str]:
    """What the app is told."""
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(BACK)
    return dict(httpx2.URL(answer.headers["location"]).params)


async def redeemed(caller: SandboxCaller, code: str, **more: str) -> httpx2.Response:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, **more}
    return await caller.http.post("/xero/identity/connect/token", data=form, auth=(APP.client_id, APP.client_secret))


async def connections(caller: SandboxCaller, access_token: str, query: str = "") -> list[dict[str, Any]]:
    answer = await caller.http.get(f"/xero/connections{query}", headers={"Authorization": f"Bearer {access_token}"})
    found: list[dict[str, Any]] = answer.json()
    return found


@pytest.mark.parametrize(("system", "kind"), [("xero", "checkbox"), ("hubspot", "radio")])
async def test_a_person_is_asked_and_keeps_what_the_app_asked_with(caller: SandboxCaller, system: str, kind: str) -> None:
    page = await consent(caller, system)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.text.count(f'type="{kind}"') == 2
    assert 'name="state" value="s 1"' in page.text
    assert "Approve" in page.text


@pytest.mark.parametrize("system", ["xero", "hubspot"])
async def test_text_of_the_app_cannot_become_part_of_the_page(caller: SandboxCaller, system: str) -> None:
    page = await consent(caller, system, ("nonce", '"><script>alert(1)</script>'))
    assert "<script>" not in page.text


@pytest.mark.parametrize("system", ["xero", "hubspot"])
async def test_a_person_may_say_no(caller: SandboxCaller, system: str) -> None:
    told = sent_back(await consent(caller, system, ("decision", "deny")))
    assert (told["error"], told["state"], told["tenant"]) == ("access_denied", "s 1", "demo")
    assert "code" not in told


@pytest.mark.parametrize("system", ["xero", "hubspot"])
async def test_only_our_app_may_ask_and_only_for_accounts_that_there_are(caller: SandboxCaller, system: str) -> None:
    assert (await consent(caller, system, ("client_id", "other"))).status_code == 400
    assert (await consent(caller, system, ("account", "other"))).status_code == 400
    assert (await consent(caller, system, ("redirect_uri", "javascript:alert(1)"), ("auto", "1"))).status_code == 400


async def test_one_portal_is_picked_at_a_time(caller: SandboxCaller) -> None:
    assert (await consent(caller, "hubspot", ("account", DEMO.portal), ("account", SECOND.portal))).status_code == 400


async def test_pkce_demands_the_right_verifier_and_takes_no_plain_challenge(caller: SandboxCaller) -> None:
    proof = [("code_challenge", challenge_of(VERIFIER)), ("code_challenge_method", "S256"), ("auto", "1")]
    codes = [sent_back(await consent(caller, "xero", *proof))["code"] for _ in range(3)]
    assert (await redeemed(caller, codes[0], code_verifier="w" * 64)).json() == {"error": "invalid_grant"}
    assert (await redeemed(caller, codes[1])).json() == {"error": "invalid_grant"}
    assert (await redeemed(caller, codes[2], code_verifier=VERIFIER)).status_code == 200
    plain = await consent(caller, "xero", ("code_challenge", VERIFIER), ("code_challenge_method", "plain"), ("auto", "1"))
    assert sent_back(plain)["error"] == "invalid_request"


async def test_a_code_is_good_for_five_minutes(caller: SandboxCaller) -> None:
    code = sent_back(await consent(caller, "xero", ("auto", "1")))["code"]
    caller.clock.advance(301)
    assert (await redeemed(caller, code)).json() == {"error": "invalid_grant"}


async def test_without_offline_access_there_is_no_refresh_token(caller: SandboxCaller) -> None:
    code = sent_back(await consent(caller, "xero", ("scope", "accounting.invoices"), ("auto", "1")))["code"]
    answer = (await redeemed(caller, code)).json()
    assert (answer["scope"], "refresh_token" in answer) == ("accounting.invoices", False)


async def test_one_authorisation_reaches_several_organisations_with_one_refresh_token(caller: SandboxCaller) -> None:
    code = sent_back(await consent(caller, "xero", *BOTH, ("decision", "approve")))["code"]
    first = (await redeemed(caller, code)).json()
    found = await connections(caller, first["access_token"])
    assert [item["tenantId"] for item in found] == [DEMO.organisation, SECOND.organisation]
    assert not {item["id"] for item in found} & {DEMO.organisation, SECOND.organisation}
    second = (await caller.xero_pair(first["refresh_token"])).json()
    for organisation in (DEMO.organisation, SECOND.organisation):
        headers = {"Authorization": f"Bearer {second['access_token']}", "xero-tenant-id": organisation}
        assert (await caller.http.get(f"{XERO}/Organisation", headers=headers)).json()["Organisations"][0]["OrganisationID"] == organisation
    caller.clock.advance(1801)
    assert (await caller.xero_pair(first["refresh_token"])).json() == {"error": "invalid_grant"}


async def test_what_one_authorisation_connected_can_be_asked_for(caller: SandboxCaller) -> None:
    code = sent_back(await consent(caller, "xero", *BOTH))["code"]
    token = (await redeemed(caller, code)).json()["access_token"]
    event = (await connections(caller, token))[0]["authEventId"]
    assert len(await connections(caller, token, f"?authEventId={event}")) == 2
    assert await connections(caller, token, f"?authEventId={SECOND.organisation}") == []


async def test_a_connection_that_is_deleted_leaves_the_others(caller: SandboxCaller) -> None:
    code = sent_back(await consent(caller, "xero", *BOTH))["code"]
    token = (await redeemed(caller, code)).json()["access_token"]
    gone = (await connections(caller, token))[0]
    bearer = {"Authorization": f"Bearer {token}"}
    assert (await caller.http.delete(f"/xero/connections/{gone['tenantId']}", headers=bearer)).status_code == 404
    assert (await caller.http.delete(f"/xero/connections/{gone['id']}", headers=bearer)).status_code == 204
    assert [item["tenantId"] for item in await connections(caller, token)] == [SECOND.organisation]
    refused = await caller.http.get(f"{XERO}/Organisation", headers={**bearer, "xero-tenant-id": DEMO.organisation})
    assert refused.status_code == 403


async def test_a_portal_tells_its_id_with_the_tokens(caller: SandboxCaller) -> None:
    code = sent_back(await consent(caller, "hubspot", ("account", SECOND.portal)))["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    proof = {"client_id": APP.client_id, "client_secret": APP.client_secret}
    answer = (await caller.http.post("/hubspot/oauth/2026-09/token", data={**form, **proof})).json()
    assert (answer["hub_id"], answer["scopes"]) == (int(SECOND.portal), ["offline_access", "x"])
