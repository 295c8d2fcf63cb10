"""Intent to receive (developer.xero.com/documentation/webhooks/configuring-your-server): before a webhook is switched on,
the endpoint gets several empty deliveries, some signed wrongly. Right ones want 200, an empty body, no cookies; wrong ones 401;
all within 5 seconds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random

import httpx2

from zixly_sandbox.webhooks.message import body_of, entropy, headers_for, wrongly_signed
from zixly_sandbox.webhooks.outbox import post

RIGHT, WRONG = 3, 3


@dataclass(frozen=True)
class Probe:
    """One empty delivery and what came back; `fault` is empty when the answer was as demanded."""

    signed_right: bool
    outcome: str
    milliseconds: float
    fault: str


@dataclass(frozen=True)
class Verdict:
    """Whether the endpoint may be switched on."""

    passed: bool
    probes: tuple[Probe, ...]


async def intent_to_receive(client: httpx2.AsyncClient, *, url: str, key: str, random: Random, seconds: float) -> Verdict:
    """Probe the endpoint, right and wrong ones mixed."""
    order = [True] * RIGHT + [False] * WRONG
    random.shuffle(order)
    probes = [await probe(client, url=url, key=key, random=random, signed_right=right, seconds=seconds) for right in order]
    return Verdict(all(not item.fault for item in probes), tuple(probes))


async def probe(client: httpx2.AsyncClient, *, url: str, key: str, random: Random, signed_right: bool, seconds: float) -> Probe:
    body = body_of((), first_sequence=0, entropy=entropy(random))
    headers = headers_for(body, key=key)
    started = asyncio.get_running_loop().time()
    answer = await post(client, url, body=body, headers=headers if signed_right else wrongly_signed(headers), seconds=seconds)
    elapsed = round((asyncio.get_running_loop().time() - started) * 1000, 1)
    if isinstance(answer, str):
        return Probe(signed_right, answer, elapsed, fault="no answer in time")
    return Probe(signed_right, str(answer.status_code), elapsed, fault=fault_of(answer, signed_right=signed_right))


def fault_of(answer: httpx2.Response, *, signed_right: bool) -> str:
    """What is wrong with the answer, in words; empty when nothing is."""
    wanted = 200 if signed_right else 401
    if answer.status_code != wanted:
        return f"answered {answer.status_code} instead of {wanted}"
    if signed_right and answer.content:
        return "the body is not empty"
    if "set-cookie" in answer.headers:
        return "the answer sets a cookie"
    return ""
