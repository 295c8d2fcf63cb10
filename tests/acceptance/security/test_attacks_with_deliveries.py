"""Deliveries that nobody's system sent, and more requests than anybody may ask."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import httpx2
import pytest

from tests.acceptance.security.conftest import EDITOR, FEW, Site
from tests.support.scraping import samples_in
from zixly_cli.signed_delivery import SignedDelivery
from zixly_core.metrics import RATES_UNAVAILABLE

TRIES = 5
COUNT_SQL = "select count(*) as jobs from zixly.workflow_jobs"


def sent(http: httpx2.Client, made: SignedDelivery, *, path: str | None = None, body: bytes | None = None, **headers: str) -> int:
    answer = http.post(f"/webhook/{path or made.path}", content=made.body if body is None else body, headers={**made.headers, **headers})
    return answer.status_code


def test_no_forged_old_or_altered_delivery_makes_a_job(site: Site) -> None:
    jobs = site.stack.rows(COUNT_SQL)[0]["jobs"]
    with site.nobody() as http:
        for system in ("xero", "hubspot", "shopify", "asana", "callbacks"):
            good = site.delivery(system)
            token = good.path.rpartition("/")[2]
            key = {"asana": f"{token} guess", "callbacks": f"{token} {'guess' * 8}"}.get(system, "guess")
            assert sent(http, site.delivery(system, key=key)) == 401, system
            assert sent(http, good, body=good.body.replace(b'"', b' "', 1)) == 401, system
            bare = SignedDelivery(good.path, {"content-type": "application/json"}, good.body)
            assert sent(http, bare) in {401, 404}, system
            assert sent(http, bare, **{"X-Forwarded-For": "127.0.0.1", "X-Zixly-User": "admin"}) in {401, 404}, system
        for system, old in (("hubspot", timedelta(minutes=10)), ("callbacks", timedelta(minutes=10)), ("hubspot", -timedelta(minutes=10))):
            assert sent(http, site.delivery(system, at=datetime.now(UTC) - old)) == 401, system
        assert sent(http, site.delivery("hubspot", public_url="https://evil.example")) == 401, "signed for another address"
        assert sent(http, site.delivery("callbacks"), path="callbacks/unknown-path") in {401, 404}
        assert sent(http, site.delivery("xero"), path="shopify") == 401
    assert site.stack.rows(COUNT_SQL)[0]["jobs"] == jobs


def test_a_delivery_that_was_recorded_and_is_sent_again_does_nothing_twice(site: Site) -> None:
    made = site.delivery("hubspot")
    with site.nobody() as http:
        assert sent(http, made) == 200
        jobs = site.stack.rows(COUNT_SQL)[0]["jobs"]
        assert {sent(http, made) for _ in range(5)} == {200}
    assert site.stack.rows(COUNT_SQL)[0]["jobs"] == jobs


def test_whoever_floods_is_refused_and_his_vendor_beside_him_is_not(site: Site) -> None:

    def flooded() -> tuple[list[int], int, int]:
        with site.nobody() as flood:
            answers = [flood.post("/webhook/xero", content=b"{}").status_code for _ in range(FEW + 5)]
            spoofed = flood.post("/webhook/xero", content=b"{}", headers={"X-Forwarded-For": "192.0.2.1", "X-Real-IP": "192.0.2.1"})
            return answers, spoofed.status_code, sent(flood, site.delivery("xero"))

    answers, spoofed, signed = while_counted_together(site, flooded)
    assert answers[0] == 401
    assert set(answers[FEW:]) == {429}
    assert spoofed == 429, "an address that he only claims does not help him"
    assert signed == 200, "a signed one, from the same address"


T = TypeVar("T")


def while_counted_together(site: Site, attack: Callable[[], T]) -> T:
    """What an attack came to in which every request was counted where all are. A process that waits for that longer than a quarter of a
    second, as on a machine that is busy, counts by itself for a while: that is promised too, and tried elsewhere."""
    for _ in range(TRIES):
        before = counted_apart(site)
        found = attack()
        if counted_apart(site) == before:
            return found
    pytest.fail("the store of the limits is too slow again and again")


def counted_apart(site: Site) -> float:
    """How many requests were."""
    page = httpx2.get(f"{site.stack.plan.urls.bridge}/metrics", timeout=30, trust_env=False).raise_for_status().text
    return sum(value for (name, _), value in samples_in(page).items() if name == RATES_UNAVAILABLE.name)


def test_guessing_tokens_and_signing_in_again_and_again_is_refused(site: Site) -> None:
    def guessed() -> list[int]:
        with site.nobody() as http:
            return [http.get("/api/jobs", headers={"authorization": f"Bearer guess-{n}"}).status_code for n in range(62)]

    def signing_in() -> list[httpx2.Response]:
        with site.nobody() as http:
            return [http.get("/auth/sign-in") for _ in range(12)]

    guesses = while_counted_together(site, guessed)
    assert (guesses[0], guesses[-1]) == (401, 429)
    tries = while_counted_together(site, signing_in)
    assert (tries[0].status_code, tries[-1].status_code) == (303, 429)
    assert int(tries[-1].headers["retry-after"]) > 0
    with site.person(EDITOR) as http:
        assert http.get("/api/jobs").status_code == 200
