"""The sweep service's callbacks: when a sweep is over, its report is posted to the URL that came with the request."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import Callable
from uuid import uuid4

import httpx2
import orjson
import structlog

from zixly_core.signatures import hmac_base64
from zixly_sandbox.sweeps.desk import Sweep, SweepsDesk

# How often it is seen whether a sweep is over.
LOOK_SECONDS = 0.05

logger = structlog.get_logger()


async def post_callbacks(desk: Callable[[], SweepsDesk], client: httpx2.AsyncClient) -> None:
    """Post until cancelled. `desk` gives the service of the moment."""
    tasks: set[asyncio.Task[None]] = set()
    try:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            present = desk()
            for one in present.to_call_back():
                task = asyncio.create_task(post_until_taken(one, present, client))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
    finally:
        for task in tasks:
            task.cancel()


async def post_until_taken(one: Sweep, desk: SweepsDesk, client: httpx2.AsyncClient) -> None:
    """A few tries; whoever misses them all can still ask."""
    body = orjson.dumps({**desk.state_of(one), "result": desk.result_of(one)})
    for _ in range(desk.rules.callback_tries):
        if await post_once(one, body, now=desk.clock.seconds(), client=client):
            return
        await asyncio.sleep(desk.rules.callback_pause_seconds)
    logger.warning("sandbox_callback_given_up", sweep_id=one.id)


async def post_once(one: Sweep, body: bytes, *, now: float, client: httpx2.AsyncClient) -> bool:
    """Whether it was taken."""
    headers = {"Content-Type": "application/json", **signature_of(one, body, now=now)}
    try:
        answer = await client.post(one.wish.callback_url or "", content=body, headers=headers)
    except (httpx2.HTTPError, httpx2.InvalidURL):
        return False
    return answer.is_success


def signature_of(one: Sweep, body: bytes, *, now: float) -> dict[str, str]:
    """By the convention Standard Webhooks (www.standardwebhooks.com), where the caller gave a secret; else the URL is the secret."""
    secret = one.wish.callback_secret
    if secret is None:
        return {}
    number, timestamp = f"msg_{uuid4().hex}", str(int(now))
    key = b64decode(secret.removeprefix("whsec_"))
    signature = hmac_base64(key, f"{number}.{timestamp}.".encode() + body)
    return {"webhook-id": number, "webhook-timestamp": timestamp, "webhook-signature": f"v1,{signature}"}
