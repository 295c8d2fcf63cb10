"""Each check of the fault suite passes on what is right and names what is wrong: a check that cannot fail proves nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from chaos.checks import CHECKS, judged
from chaos.evidence import Change, ContactWrite, Creation, Evidence, Sent, StoredEvent, StoredJob, Wanted
from chaos.findings import Trouble

PART_PAID = Change("demo", "62515", "ada@example.test", "INV-1", "PART_PAID", at=1_000, told=True)
PAID = replace(PART_PAID, standing="PAID", at=2_000)
WROTE_PART = ContactWrite("62515", "901", "INV-1", "PART_PAID")
WROTE_PAID = replace(WROTE_PART, standing="PAID")
EVENT = StoredEvent("e1", "sha-1", "invoice-1", "jobs", ("xero-invoice-to-hubspot",))
DRAFT = Creation("xero", "org", "invoice", "HS-7", count=1)

RIGHT = Evidence(
    sent=[Sent("sha-1", "xero", ("invoice-1",), acknowledged=True), Sent("sha-2", "xero", ("invoice-2",), acknowledged=False)],
    stored={"sha-1": 3},
    events=[EVENT],
    jobs=[StoredJob("j1", "xero-invoice-to-hubspot", "demo", "invoice-1", "COMPLETED")],
    changes=[PART_PAID, PAID],
    contact_writes=[WROTE_PART, WROTE_PAID],
    contacts={("62515", "ada@example.test"): WROTE_PAID},
    creations=[DRAFT],
    wanted=[Wanted("xero", "org", "invoice", "HS-7")],
    owners={("hubspot", "62515"): "demo", ("hubspot", "62516"): "second", ("xero", "org"): "demo"},
    marks=[("hubspot", "62515", "demo")],
    unaccounted=0,
    managers=[17, 17],
)
WRONG = {
    "an acknowledged delivery is in no row": (replace(RIGHT, stored={}), Trouble.LOST),
    "an acknowledged event was given no job": (replace(RIGHT, events=[replace(EVENT, outcome="duplicate")]), Trouble.LOST),
    "a repetition was given jobs again": (replace(RIGHT, events=[EVENT, replace(EVENT, id="e2")]), Trouble.DOUBLED),
    "an event's job is gone": (replace(RIGHT, events=[replace(EVENT, workflows=())]), Trouble.LOST),
    "an event has two jobs of a workflow": (replace(RIGHT, events=[replace(EVENT, workflows=EVENT.workflows * 2)]), Trouble.DOUBLED),
    "a job is still running": (replace(RIGHT, jobs=[replace(RIGHT.jobs[0], status="RUNNING")]), Trouble.LOST),
    "a record was created twice": (replace(RIGHT, creations=[replace(DRAFT, count=2)]), Trouble.DOUBLED),
    "a record was created under two names": (replace(RIGHT, creations=[DRAFT, replace(DRAFT, key="HS-7 again")]), Trouble.DOUBLED),
    "a record was never created": (replace(RIGHT, creations=[]), Trouble.LOST),
    "a state was written twice": (replace(RIGHT, contact_writes=[WROTE_PART, WROTE_PAID, WROTE_PAID]), Trouble.DOUBLED),
    "an older state was written last": (replace(RIGHT, contact_writes=[WROTE_PAID, WROTE_PART]), Trouble.OUTDATED),
    "a contact shows an older state": (replace(RIGHT, contacts={("62515", "ada@example.test"): WROTE_PART}), Trouble.OUTDATED),
    "a contact was never told": (
        replace(RIGHT, contacts={("62515", "ada@example.test"): ContactWrite("62515", "901", "", "")}),
        Trouble.LOST,
    ),
    "a write landed at another tenant": (replace(RIGHT, marks=[("hubspot", "62516", "demo")]), Trouble.MISPLACED),
    "a contact was told of another tenant's invoice": (
        replace(RIGHT, contact_writes=[*RIGHT.contact_writes, replace(WROTE_PAID, account="62516")]),
        Trouble.MISPLACED,
    ),
    "a contact was told of an invoice that was made for another tenant": (
        replace(RIGHT, contact_writes=[*RIGHT.contact_writes, ContactWrite("62516", "902", DRAFT.key, "PAID")]),
        Trouble.MISPLACED,
    ),
    "the ledger does not balance": (replace(RIGHT, unaccounted=2), Trouble.UNACCOUNTED),
    "nobody knows whether the ledger balances": (replace(RIGHT, unaccounted=None), Trouble.UNACCOUNTED),
    "the process manager was started again": (replace(RIGHT, managers=[17, 18]), Trouble.BY_HAND),
}


def test_nothing_is_found_where_everything_is_right() -> None:
    assert [finding for found in judged(RIGHT).values() for finding in found] == []


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found_and_named(name: str) -> None:
    evidence, trouble = WRONG[name]
    assert trouble in {finding.trouble for found in judged(evidence).values() for finding in found}


def test_every_check_has_something_that_it_finds() -> None:
    failing = Counter(check for evidence, _ in WRONG.values() for check, found in judged(evidence).items() if found)
    assert set(failing) == set(CHECKS)


def test_what_was_not_acknowledged_may_be_missing_and_a_late_state_that_nobody_was_told_of_may_be_unknown() -> None:
    untold = replace(PAID, number="INV-2", at=3_000, told=False)
    assert all(not found for found in judged(replace(RIGHT, changes=[*RIGHT.changes, untold])).values())


def test_of_two_changes_of_the_same_moment_a_contact_may_show_either() -> None:
    together = [replace(PAID, number="INV-2"), PAID, PART_PAID]
    for written in (WROTE_PAID, replace(WROTE_PAID, number="INV-2")):
        shown = replace(RIGHT, changes=together, contacts={("62515", "ada@example.test"): written}, contact_writes=[written])
        assert judged(shown)["the newest version won on every record"] == []
    older = replace(RIGHT, changes=together, contacts={("62515", "ada@example.test"): WROTE_PART})
    assert [one.trouble for one in judged(older)["the newest version won on every record"]] == [Trouble.OUTDATED]


def test_a_reconciliation_may_tell_of_an_invoice_that_was_made_of_an_order() -> None:
    """Seed 2, over a full hour: nobody tells of those, so that the hourly comparison is the first to see that they are paid."""
    told = [*RIGHT.contact_writes, replace(WROTE_PAID, contact_id="902", number=DRAFT.key)]
    assert all(not found for found in judged(replace(RIGHT, contact_writes=told)).values())
