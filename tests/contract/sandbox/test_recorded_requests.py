from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.support.sandbox import SandboxCaller
from zixly_sandbox.constants import DEMO

PAYLOADS = Path(__file__).parents[2] / "payloads"
# They name another app, another team, or a target that would have to answer a handshake; the unit tests make such calls.
OF_OTHERS = {"oauth-client-credentials", "oauth-refresh-offline-token", "create-project", "create-webhook"}
RECORDED = sorted(path for path in PAYLOADS.glob("*/requests/*.json") if path.stem not in OF_OTHERS)
OF_THE_CALLER = {"authorization", "xero-tenant-id", "x-shopify-access-token"}
PREFIXES = {"shopify": f"/shopify/{DEMO.shop}"}


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
async def test_what_the_official_clients_send_is_accepted(caller: SandboxCaller, path: Path) -> None:
    recorded = read(path)
    system = path.parts[-3]
    kept = {name: value for name, value in recorded["headers"].items() if name.lower() not in OF_THE_CALLER}
    headers = {**kept, **await own_headers(caller, system)}
    query = f"?{recorded['raw_query']}" if recorded["raw_query"] else ""
    body = orjson.dumps(recorded["body"]) if recorded["body"] is not None else None
    address = f"{PREFIXES.get(system, f'/{system}')}{recorded['path']}{query}"
    answer = await caller.http.request(recorded["method"], address, content=body, headers=headers)
    assert answer.status_code in {200, 201}, answer.text
    assert answer.json()
    assert "errors" not in answer.json()


async def own_headers(caller: SandboxCaller, system: str) -> dict[str, str]:
    """A fresh token in the place of the recorded one."""
    makers = {
        "xero": caller.xero_headers,
        "hubspot": caller.hubspot_headers,
        "shopify": caller.shopify_headers,
        "asana": caller.asana_headers,
    }
    return await makers[system]()


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(path.read_bytes())
    return found


def test_there_are_recorded_requests_of_all_vendors() -> None:
    assert {path.parts[-3] for path in RECORDED} == {"xero", "hubspot", "shopify", "asana"}
