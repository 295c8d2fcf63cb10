"""The load: signed Xero deliveries, one invoice each, at once or at a fixed rate.

At a rate of one a second each second has one delivery, at a random moment of it. Sent exactly a second apart they would run in step
with whatever looks once a second, and the figures would tell only where in the step the first one fell.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import httpx2

from benchmarks.bench_stack import BenchStack
from benchmarks.errors import NotMeasured
from zixly_cli.deliveries import xero_delivery
from zixly_cli.seed import DEMO

TIMEOUT_SECONDS = 30.0
# Both instances get the same moments.
SEED = 1


def send_all(
    stack: BenchStack, invoices: Sequence[str], *, per_second: float | None = None, account: str = DEMO.organisation
) -> dict[str, float]:
    """When each invoice's delivery was sent, in seconds since 1970. Raises `NotMeasured` when one is not answered with success."""
    return asyncio.run(send_each(stack, invoices, per_second=per_second, account=account))


async def send_each(stack: BenchStack, invoices: Sequence[str], *, per_second: float | None, account: str) -> dict[str, float]:
    """An open loop: each delivery goes out at its own time, whether or not the ones before it were answered."""
    key = stack.plan.user_variables["ZIXLY_XERO_WEBHOOK_KEYS"]
    began = time.time()
    times = {invoice: began + after for invoice, after in zip(invoices, moments(len(invoices), per_second=per_second), strict=True)}
    async with httpx2.AsyncClient(base_url=stack.plan.urls.bridge, timeout=TIMEOUT_SECONDS, trust_env=False) as client:
        await asyncio.gather(*(send_at(client, invoice, at=at, key=key, account=account) for invoice, at in times.items()))
    return times


def moments(count: int, *, per_second: float | None) -> list[float]:
    """Seconds from the beginning at which to send: one random moment in each interval of the rate, or all at once."""
    if per_second is None:
        return [0.0] * count
    chance = random.Random(SEED)  # noqa: S311  # the same moments each time are the purpose
    return [(number + chance.random()) / per_second for number in range(count)]


async def send_at(client: httpx2.AsyncClient, invoice: str, *, at: float, key: str, account: str) -> None:
    """The time that counts is `at`, not when the generator got round to it: a late generator makes figures worse, never better."""
    await asyncio.sleep(max(at - time.time(), 0))
    delivery = xero_delivery([invoice], account=account, key=key, now=datetime.now(UTC))
    try:
        answer = await client.post(f"/webhook/{delivery.path}", content=delivery.body, headers=dict(delivery.headers))
        answer.raise_for_status()
    except httpx2.HTTPError as error:
        raise NotMeasured(f"The bridge did not take a delivery ({error})") from error
