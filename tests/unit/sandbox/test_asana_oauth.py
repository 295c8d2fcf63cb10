from __future__ import annotations

from urllib.parse import parse_qsl

import httpx2
import pytest

from tests.support.sandbox import ASANA, SandboxCaller
from zixly_sandbox.constants import APP, DEMO, SECOND
from zixly_sandbox.tokens import challenge_of

PROOF = {"client_id": APP.client_id, "client_secret": APP.client_secret}
BACK = "http://app.test/back"
VERIFIER = "v" * 64


async def token(caller: SandboxCaller, **form: str) -> httpx2.Response:
    return await caller.http.post("/asana/-/oauth_token", data={**PROOF, **form})


async def callback(caller: SandboxCaller, **query: str) -> dict[str, str]:
    asked = {"client_id": APP.client_id, "redirect_uri": BACK, "response_type": "code", "state": "s", "auto": "1", **query}
    answer = await caller.http.get("/asana/-/oauth_authorize", params=asked)
    assert answer.status_code == 302, answer.text
    return dict(parse_qsl(answer.headers["location"].partition("?")[2]))


async def test_the_refresh_token_comes_with_the_code_only_and_is_used_again_and_again(caller: SandboxCaller) -> None:
    code = (await callback(caller))["code"]
    first = (await token(caller, grant_type="authorization_code", code=code, redirect_uri=BACK)).json()
    assert (first["expires_in"], first["data"]["name"]) == (3600, "Robin Keller")
    for _ in range(3):
        again = await token(caller, grant_type="refresh_token", refresh_token=first["refresh_token"])
        assert again.status_code == 200
        assert "refresh_token" not in again.json()


async def test_a_code_with_a_challenge_needs_its_verifier(caller: SandboxCaller) -> None:
    for verifier, status in (("wrong" * 20, 400), (VERIFIER, 200)):
        back = await callback(caller, code_challenge=challenge_of(VERIFIER), code_challenge_method="S256")
        form = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": BACK, "code_verifier": verifier}
        assert (await token(caller, **form)).status_code == status


async def test_the_workspace_that_was_picked_is_the_one_that_is_reached(caller: SandboxCaller) -> None:
    code = (await callback(caller, account=SECOND.workspace))["code"]
    pair = (await token(caller, grant_type="authorization_code", code=code, redirect_uri=BACK)).json()
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    found = (await caller.http.get(f"{ASANA}/workspaces", headers=headers)).json()["data"]
    assert [item["gid"] for item in found] == [SECOND.workspace]


async def test_a_plain_challenge_and_a_no_come_back_as_errors(caller: SandboxCaller) -> None:
    assert (await callback(caller, code_challenge="x", code_challenge_method="plain"))["error"] == "invalid_request"
    assert (await callback(caller, decision="deny", auto="0"))["error"] == "access_denied"


async def test_a_revoked_token_ends_access_at_once(caller: SandboxCaller) -> None:
    headers = await caller.asana_headers()
    answer = await caller.http.post("/asana/-/oauth_revoke", data={**PROOF, "token": DEMO.asana_refresh})
    assert (answer.status_code, answer.json()) == (200, {})
    assert (await caller.http.get(f"{ASANA}/users/me", headers=headers)).status_code == 401
    refused = await token(caller, grant_type="refresh_token", refresh_token=DEMO.asana_refresh)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


async def test_an_access_token_ends_after_an_hour(caller: SandboxCaller) -> None:
    headers = await caller.asana_headers()
    caller.clock.advance(3600)
    answer = await caller.http.get(f"{ASANA}/users/me", headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (401, "Not Authorized")


@pytest.mark.parametrize("form", [{"grant_type": "password"}, {"grant_type": "refresh_token"}, {}])
async def test_a_request_that_makes_no_sense_is_refused(caller: SandboxCaller, form: dict[str, str]) -> None:
    assert (await token(caller, **form)).status_code == 400
