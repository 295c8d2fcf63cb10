from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.support.sandbox import SandboxCaller

PAYLOADS = Path(__file__).parents[2] / "payloads"
RECORDED = sorted(PAYLOADS.glob("*/requests/*.json"))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
async def test_what_the_official_clients_send_is_accepted(caller: SandboxCaller, path: Path) -> None:
    recorded = read(path)
    system = path.parts[-3]
    headers = {**recorded["headers"], **await (caller.xero_headers() if system == "xero" else caller.hubspot_headers())}
    query = f"?{recorded['raw_query']}" if recorded["raw_query"] else ""
    body = orjson.dumps(recorded["body"]) if recorded["body"] is not None else None
    answer = await caller.http.request(recorded["method"], f"/{system}{recorded['path']}{query}", content=body, headers=headers)
    assert answer.status_code in {200, 201}, answer.text
    assert answer.json()


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(path.read_bytes())
    return found


def test_there_are_recorded_requests_of_both_vendors() -> None:
    assert {path.parts[-3] for path in RECORDED} == {"xero", "hubspot"}
