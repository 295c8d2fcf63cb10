"""The sandbox inside a test: an application with a clock that stands still, and calls to it with fresh tokens."""

from __future__ import annotations

from typing import Any

import httpx2
from fastapi import FastAPI

from zixly_sandbox.app import create_app
from zixly_sandbox.clock import Clock
from zixly_sandbox.constants import APP, DEMO, Client
from zixly_sandbox.sandbox import Sandbox

# 2026-11-22T10:00:00Z, when the recorded deliveries were received.
NOW = 1_795_341_600.0

XERO = "/xero/api.xro/2.0"
HUBSPOT = "/hubspot/crm/objects/2026-09"
ASANA = "/asana/api/1.0"


class SandboxCaller:
    """A client company's calls to a sandbox of its own."""

    def __init__(self, *, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self.clock = Clock(base=lambda: NOW)
        self.app: FastAPI = create_app(clock=self.clock, transport=transport)
        self.http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.app), base_url="http://sandbox.test")

    @property
    def sandbox(self) -> Sandbox:
        found = self.app.state.sandbox
        assert isinstance(found, Sandbox)
        return found

    async def xero_pair(self, refresh_token: str = DEMO.xero_refresh) -> httpx2.Response:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return await self.http.post("/xero/identity/connect/token", data=form, auth=(APP.client_id, APP.client_secret))

    async def hubspot_pair(self, refresh_token: str = DEMO.hubspot_refresh) -> httpx2.Response:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        proof = {"client_id": APP.client_id, "client_secret": APP.client_secret}
        return await self.http.post("/hubspot/oauth/2026-09/token", data={**form, **proof})

    async def xero_headers(self, client: Client = DEMO) -> dict[str, str]:
        pair = (await self.xero_pair(client.xero_refresh)).json()
        return {"Authorization": f"Bearer {pair['access_token']}", "xero-tenant-id": client.organisation}

    async def hubspot_headers(self, client: Client = DEMO) -> dict[str, str]:
        pair = (await self.hubspot_pair(client.hubspot_refresh)).json()
        return {"Authorization": f"Bearer {pair['access_token']}"}

    async def shopify_headers(self, client: Client = DEMO) -> dict[str, str]:
        form = {"client_id": APP.client_id, "client_secret": APP.client_secret}
        asked = {**form, "grant_type": "refresh_token", "refresh_token": client.shopify_refresh}
        pair = (await self.http.post(f"/shopify/{client.shop}/admin/oauth/access_token", json=asked)).json()
        return {"X-Shopify-Access-Token": pair["access_token"]}

    async def graphql(self, text: str, /, *, client: Client = DEMO, **variables: Any) -> dict[str, Any]:
        """What the Admin API answers, errors included."""
        body = {"query": text, "variables": variables}
        headers = await self.shopify_headers(client)
        answer = await self.http.post(f"/shopify/{client.shop}/admin/api/2026-10/graphql.json", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def asana_headers(self, client: Client = DEMO) -> dict[str, str]:
        form = {"client_id": APP.client_id, "client_secret": APP.client_secret}
        asked = {**form, "grant_type": "refresh_token", "refresh_token": client.asana_refresh}
        pair = (await self.http.post("/asana/-/oauth_token", data=asked)).json()
        return {"Authorization": f"Bearer {pair['access_token']}"}

    async def asana(self, method: str, path: str, data: Any = None, *, client: Client = DEMO) -> httpx2.Response:
        """A call to the API; `data` goes into the envelope."""
        body = {"data": data} if data is not None else None
        return await self.http.request(method, f"{ASANA}{path}", json=body, headers=await self.asana_headers(client))

    async def admin(self, method: str, path: str, body: Any = None) -> Any:
        """A call to the admin API that must succeed."""
        answer = await self.http.request(method, f"/_sandbox{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None
