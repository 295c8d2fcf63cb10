"""`trading-sweep` by callback: the service posts the result to a URL that works once; whoever posts nonsense there is not believed."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx2
import orjson
import pytest
from psycopg.types.json import Jsonb
from pydantic import SecretStr

from tests.integration.bridge.running import RunningBridge, eventually, settings_for, start_bridge
from tests.integration.workflows.conftest import Stage
from tests.integration.workflows.sweeps import WANTED, SweepStage
from zixly_core.job import JobStatus
from zixly_core.secret_box import SecretBox
from zixly_core.settings import read_settings
from zixly_core.signatures import hmac_base64
from zixly_core.systems.callbacks.receive import account_of
from zixly_sandbox.sweeps.callbacks import post_until_taken

TOKEN = "a-token-that-nobody-can-guess-0123456789"
KEY = b"k" * 24


@pytest.fixture
def bridge(stage: Stage, sweeps: SweepStage, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningBridge]:
    """A bridge whose sender has a secret, and whose address the runs know."""
    secret = f"whsec_{b64encode(KEY).decode()}"
    box = SecretBox.from_settings(read_settings())
    sweeps.ledger.owner.execute(
        "update zixly.connections set external_id = %s where id = %s",
        (account_of(f"/webhook/trading-sweep/{TOKEN}"), sweeps.connection_id),
    )
    sweeps.ledger.owner.execute(
        "insert into zixly.signing_secrets (id, connection_id, ciphertext) values (%s, %s, %s)",
        (sweeps.connection_id, sweeps.connection_id, box.seal(secret.encode(), context=str(sweeps.connection_id))),
    )
    running = start_bridge(settings_for(stage.database, secrets_key=SecretStr(read_settings().required("secrets_key"))))
    monkeypatch.setenv("ZIXLY_BRIDGE_PUBLIC_URL", str(running.http.base_url).rstrip("/"))
    yield running
    running.stop()


@pytest.fixture
def sweeps(stage: Stage) -> SweepStage:
    return SweepStage(stage)


def requested(bridge: RunningBridge, **changes: Any) -> UUID:
    """The job of a signed request."""
    body, now = orjson.dumps({**WANTED, "callback": True, **changes}), str(int(datetime.now(UTC).timestamp()))
    signature = hmac_base64(KEY, f"msg-1.{now}.".encode() + body)
    headers = {
        "content-type": "application/json",
        "webhook-id": "msg-1",
        "webhook-timestamp": now,
        "webhook-signature": f"v1,{signature}",
    }
    answers: list[httpx2.Response] = []

    def taken() -> bool:
        """A bridge that has just started on a busy machine may answer 503 first, after which a sender tries again."""
        answers.append(bridge.http.post(f"/webhook/trading-sweep/{TOKEN}", content=body, headers=headers))
        return answers[-1].status_code != httpx2.codes.SERVICE_UNAVAILABLE

    eventually(taken)
    answer = answers[-1]
    assert answer.status_code == 202, answer.text
    (job_id,) = answer.json()["job_ids"]
    return UUID(job_id)


def call_back(sweeps: SweepStage) -> None:
    """The service posts its report until it is taken."""

    async def post() -> None:
        async with httpx2.AsyncClient() as client:
            await post_until_taken(sweeps.only_sweep(), sweeps.desk, client)

    sweeps.finish()
    asyncio.run(post())


def url_given(sweeps: SweepStage) -> str:
    """Where the service was told to post."""
    url = sweeps.only_sweep().wish.callback_url
    assert url is not None
    return url


def test_a_signed_request_becomes_a_kept_result_by_callback_without_asking_for_it(sweeps: SweepStage, bridge: RunningBridge) -> None:
    job_id = requested(bridge)
    sweeps.run()
    assert sweeps.status(job_id) is JobStatus.RUNNING
    call_back(sweeps)
    assert bridge.queues["callbacks"].queued_ids() == {job_id}
    asked = sweeps.stage.sandbox.calls()
    run = sweeps.run()
    assert run.is_success, sweeps.stage.failure_text(run)
    job = sweeps.job(job_id)
    assert (job["status"], job["attempts"], job["result"]["pairs"]) == (JobStatus.COMPLETED, 1, 28)
    assert sweeps.stage.sandbox.calls() == asked, "everything was in the callback"


def test_the_callbacks_url_works_once(sweeps: SweepStage, bridge: RunningBridge) -> None:
    job_id = requested(bridge)
    sweeps.run()
    call_back(sweeps)
    before = sweeps.job(job_id)["wake_event_id"]
    again = httpx2.post(url_given(sweeps), json={"status": "finished"})
    assert again.status_code in {200, 202}
    assert sweeps.job(job_id)["wake_event_id"] == before
    assert len(sweeps.hand_over()) == 1
    assert sweeps.hand_over() == []


@pytest.mark.parametrize(
    "report",
    [
        {"surprise": True},
        {"job_id": "sw_of_somebody_else", "status": "finished", "error": None, "result": None},
        {"job_id": "sw_of_somebody_else", "status": "failed", "error": "x", "result": None},
    ],
)
def test_a_callback_that_tells_nothing_usable_leads_to_asking_the_service(
    sweeps: SweepStage, bridge: RunningBridge, report: dict[str, Any]
) -> None:
    job_id = requested(bridge)
    sweeps.run()
    assert httpx2.post(url_given(sweeps), json=report).status_code in {200, 202}
    sweeps.run()
    assert sweeps.status(job_id) is JobStatus.RUNNING, "the service says that it is not finished"
    sweeps.finish()
    sweeps.look()
    sweeps.run()
    assert sweeps.outcomes(job_id) == [(1, "completed")]


def test_a_callback_about_a_failed_sweep_ends_the_job(sweeps: SweepStage, bridge: RunningBridge) -> None:
    job_id = requested(bridge)
    sweeps.run()
    sweeps.only_sweep().failure = "no_prices"
    call_back(sweeps)
    sweeps.run()
    assert sweeps.job(job_id)["error_reason"] == "sweep_failed"


def test_a_callback_for_a_job_that_was_cancelled_changes_nothing(sweeps: SweepStage, bridge: RunningBridge) -> None:
    job_id = requested(bridge)
    sweeps.run()
    sweeps.ledger.owner.execute(
        "update zixly.workflow_jobs set status = 'CANCELLED', waiting_until = null, completed_at = now() where id = %s", (job_id,)
    )
    call_back(sweeps)
    assert sweeps.status(job_id) is JobStatus.CANCELLED
    assert sweeps.hand_over() == []


def test_a_sender_whose_connection_says_so_gets_callbacks_without_asking_for_them(sweeps: SweepStage, bridge: RunningBridge) -> None:
    sweeps.ledger.owner.execute(
        "update zixly.connections set settings = %s where id = %s", (Jsonb({"sweeps": {"callback": True}}), sweeps.connection_id)
    )
    requested(bridge, callback=False)
    sweeps.run()
    assert "/webhook/callbacks/" in url_given(sweeps)


def test_without_a_callback_the_job_is_polled_as_ever(sweeps: SweepStage, bridge: RunningBridge) -> None:
    job_id = requested(bridge)
    sweeps.run()
    sweeps.finish()
    assert sweeps.look().woken == {"callbacks": [job_id]}
    sweeps.run()
    assert sweeps.status(job_id) is JobStatus.COMPLETED
