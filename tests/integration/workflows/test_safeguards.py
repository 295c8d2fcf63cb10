"""Each safeguard is there for something: what the fault suite's checks find nothing against, they find broken without it.

Nothing in the product can be switched off: the tests take the safeguard away in their own process, or in their own database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest

from chaos.checks import judged
from chaos.evidence import Change, ContactWrite, Evidence, Sent, StoredJob
from chaos.findings import Trouble
from chaos.witness import EVENTS_SQL, JOBS_SQL, STORED_SQL, events_row
from tests.integration.bridge.running import XERO_KEY, settings_for, start_bridge
from tests.integration.workflows.conftest import Killed, Stage
from tests.support.deliveries import xero_body, xero_event, xero_headers
from tests.support.ledger import TestLedger
from zixly_core.effects import TargetWrite
from zixly_core.job import ClaimedJob
from zixly_core.stores import effects
from zixly_core.stores.claims import RunIdentity
from zixly_core.stores.database import Rows
from zixly_dagster.ops import update_contacts, writing
from zixly_dagster.resources import batch as batch_resource
from zixly_sandbox.constants import ADA_EMAIL, ADA_IN_HUBSPOT, DEMO, PAID_INVOICE

TakeAway = Callable[[pytest.MonkeyPatch], None]
Scenario = Callable[[Stage, pytest.MonkeyPatch], None]


def dies(*_: Any, **__: Any) -> Any:
    raise Killed


def a_worker_is_stopped_beyond_its_lease(stage: Stage, patch: pytest.MonkeyPatch) -> None:
    """It wakes up before its write, when another run has done the job. While it is stopped its heart does not beat."""
    patch.setattr(batch_resource, "keep_alive", lambda *_, **__: None)
    whole = writing.write_guarded
    woken: list[bool] = []

    def overtaken(*arguments: Any, **named: Any) -> Any:
        if not woken:
            woken.append(True)
            stage.vanish()
            stage.run_due()
        return whole(*arguments, **named)

    patch.setattr(writing, "write_guarded", overtaken)
    stage.run_invoices(PAID_INVOICE)
    assert woken


def a_worker_dies_between_a_write_and_its_note(stage: Stage, patch: pytest.MonkeyPatch) -> None:
    with patch.context() as dying:
        dying.setattr(effects, "keep_done", dies)
        stage.run_killed(stage.batch_of(PAID_INVOICE), dying)
    stage.vanish()
    stage.run_due()


def a_worker_dies_before_its_write(stage: Stage, patch: pytest.MonkeyPatch) -> None:
    with patch.context() as dying:
        dying.setattr(update_contacts, "carried_out", dies)
        stage.run_killed(stage.batch_of(PAID_INVOICE), dying)
    stage.vanish()
    if stage.rows("select from zixly.workflow_jobs where status = 'QUEUED'"):
        stage.run_due()


def without_the_fence(patch: pytest.MonkeyPatch) -> None:
    def all_of_them(_connection: Rows, _run: RunIdentity, jobs: Sequence[ClaimedJob]) -> set[UUID]:
        return {job.id for job in jobs}

    patch.setattr(effects, "still_held", all_of_them)


def without_the_effect_key(patch: pytest.MonkeyPatch) -> None:
    """Every attempt takes its write for another one."""
    known = TargetWrite.__dict__["effect_key"].func
    patch.setattr(TargetWrite, "effect_key", property(lambda write: f"{known(write)}/{write.job.fence}"))


def without_the_sweep(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(TestLedger, "sweep", lambda *_, **__: None)


CASES: dict[str, tuple[Scenario, TakeAway, Trouble]] = {
    "the lease's fence": (a_worker_is_stopped_beyond_its_lease, without_the_fence, Trouble.DOUBLED),
    "the effect key": (a_worker_dies_between_a_write_and_its_note, without_the_effect_key, Trouble.DOUBLED),
    "the sweep": (a_worker_dies_before_its_write, without_the_sweep, Trouble.LOST),
}


def troubles_of(evidence: Evidence) -> set[Trouble]:
    return {finding.trouble for found in judged(evidence).values() for finding in found}


def what_came_of(stage: Stage) -> Evidence:
    """The invoice was paid and told of: by the ledger's rows and the sandbox's records."""
    number = stage.sandbox.books.invoices[PAID_INVOICE].number
    told = [write for write in stage.sandbox.writes(ADA_IN_HUBSPOT) if "xero_last_invoice_number" in write.properties]
    shown = stage.sandbox.contact(ADA_IN_HUBSPOT)
    return Evidence(
        jobs=[StoredJob(**row) for row in stage.rows(JOBS_SQL)],
        changes=[Change("demo", DEMO.portal, ADA_EMAIL, number, "PAID", at=1, told=True)],
        contact_writes=[write_of(write.properties) for write in told],
        contacts={(DEMO.portal, ADA_EMAIL): write_of(shown)},
        managers=[1],
    )


def write_of(values: Any) -> ContactWrite:
    number, standing = values.get("xero_last_invoice_number") or "", values.get("xero_last_invoice_status") or ""
    return ContactWrite(DEMO.portal, ADA_IN_HUBSPOT, number, standing)


@pytest.mark.parametrize("safeguard", CASES)
def test_with_the_safeguard_nothing_is_found(stage: Stage, monkeypatch: pytest.MonkeyPatch, safeguard: str) -> None:
    happens, _, _ = CASES[safeguard]
    happens(stage, monkeypatch)
    assert troubles_of(what_came_of(stage)) == set()


@pytest.mark.parametrize("safeguard", CASES)
def test_without_the_safeguard_the_checks_find_it(stage: Stage, monkeypatch: pytest.MonkeyPatch, safeguard: str) -> None:
    happens, take_away, trouble = CASES[safeguard]
    take_away(monkeypatch)
    happens(stage, monkeypatch)
    assert trouble in troubles_of(what_came_of(stage))


@pytest.mark.parametrize(("has_key", "found"), [(True, set()), (False, {Trouble.DOUBLED})], ids=["with", "without"])
def test_without_the_unique_key_a_repeated_delivery_is_found_to_be_done_twice(stage: Stage, *, has_key: bool, found: set[Trouble]) -> None:
    if not has_key:
        stage.ledger.owner.execute("alter table zixly.dedupe_keys drop constraint dedupe_keys_pkey")
    body = xero_body(xero_event(DEMO.organisation, resourceId=PAID_INVOICE))
    bridge = start_bridge(settings_for(stage.database))
    try:
        answers = [bridge.http.post("/webhook/xero", content=body, headers=xero_headers(body, key=XERO_KEY)) for _ in range(2)]
    finally:
        bridge.stop()
    assert [answer.status_code for answer in answers] == [200, 200]
    digest = sha256(body).hexdigest()
    evidence = Evidence(
        sent=[Sent(digest, "xero", (PAID_INVOICE,), acknowledged=True)],
        stored={row["sha256"]: row["rows"] for row in stage.rows(STORED_SQL)},
        events=[events_row(row) for row in stage.rows(EVENTS_SQL)],
        managers=[1],
    )
    assert troubles_of(evidence) == found
