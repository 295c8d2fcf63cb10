"""What an operator does about dead letters: replay them all, from where they stopped. Nothing is restarted by it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx2

from zixly_cli.seed import TENANTS

TRIES = 10


async def replay_dead_letters(bridge_url: str, *, say: Callable[[str], None]) -> None:
    """One replay for each tenant, over whatever FAILED."""
    since = (datetime.now(UTC) - timedelta(hours=3)).isoformat()
    async with httpx2.AsyncClient(base_url=bridge_url, timeout=30, trust_env=False) as http:
        for tenant in TENANTS:
            for _ in range(TRIES):
                body = {"filter": {"tenant": tenant.slug, "status": "FAILED", "since": since}, "mode": "CHECKPOINT"}
                answer = await http.post("/api/replays", json=body)
                if answer.is_success or answer.status_code in {404, 409, 422}:
                    say(f"replay for {tenant.slug}: {answer.status_code} {answer.text[:200]}")
                    break
                await asyncio.sleep(2)
