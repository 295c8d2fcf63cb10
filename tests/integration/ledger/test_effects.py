"""Effects: intended before, done after, each once, and never an older state over a newer one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.ledger import TestLedger
from zixly_core.effects import EffectState, NewerWrite, TargetWrite, WriteOutcome, Written, creation
from zixly_core.errors import BudgetSpent
from zixly_core.ids import new_id
from zixly_core.job import ClaimedJob, Failed, failure_from
from zixly_core.stores.claims import RunIdentity
from zixly_core.stores.effects import SourceState, intend, save_source_states, source_states, write_guarded
from zixly_core.stores.newer_writes import Overtaken

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def write_of(job: ClaimedJob, *, target: str = "901", version: datetime = NOON, value: str = "PAID") -> TargetWrite:
    return TargetWrite(
        job=job,
        system="hubspot",
        operation="hubspot.contact.update",
        target_id=target,
        target_key=f"hubspot:62515:contact:{target}",
        source_key=job.record_key,
        source_version=version,
        content={"xero_last_invoice_status": value},
    )


def state_of(ledger: TestLedger, run: RunIdentity, write: TargetWrite) -> EffectState:
    return intend(ledger.runs, run, [write])[write.effect_key].state


class Vendor:
    """Counts what reaches it."""

    def __init__(self) -> None:
        self.writes: list[TargetWrite] = []

    def __call__(self, writes: Sequence[TargetWrite]) -> Mapping[str, WriteOutcome]:
        self.writes += writes
        return {write.effect_key: Written({"contact_id": write.target_id}) for write in writes}


def test_an_effect_is_new_then_intended_then_done(ledger: TestLedger) -> None:
    run, (job,) = ledger.claimed(1)
    write, vendor = write_of(job), Vendor()
    assert state_of(ledger, run, write) is EffectState.NEW
    assert state_of(ledger, run, write) is EffectState.INTENDED
    write_guarded(ledger.runs, run, [write], perform=vendor)
    assert state_of(ledger, run, write) is EffectState.DONE


def test_another_state_or_another_content_is_another_effect(ledger: TestLedger) -> None:
    _, (job,) = ledger.claimed(1)
    keys = {
        write_of(job).effect_key,
        write_of(job, version=NOON + timedelta(seconds=1)).effect_key,
        write_of(job, value="VOIDED").effect_key,
        write_of(job, target="902").effect_key,
    }
    assert len(keys) == 4


def test_an_older_state_never_overwrites_a_newer_one(ledger: TestLedger) -> None:
    run, (newer, older) = ledger.claimed(2)
    vendor = Vendor()
    write_guarded(ledger.runs, run, [write_of(newer, version=NOON)], perform=vendor)
    late = write_of(older, version=NOON - timedelta(minutes=1))
    guarded = write_guarded(ledger.runs, run, [late], perform=vendor)
    assert guarded.stale == (late,)
    assert len(vendor.writes) == 1


def test_a_write_that_came_too_late_does_not_stay_intended(ledger: TestLedger) -> None:
    run, (newer, older) = ledger.claimed(2)
    write_guarded(ledger.runs, run, [write_of(newer, version=NOON)], perform=Vendor())
    late = write_of(older, version=NOON - timedelta(minutes=1))
    intend(ledger.runs, run, [late])
    write_guarded(ledger.runs, run, [late], perform=Vendor())
    row = ledger.owner.execute("select state from zixly.effects where effect_key = %s", (late.effect_key,)).fetchone()
    assert row == {"state": "DROPPED"}
    assert state_of(ledger, run, late) is EffectState.NEW


def test_an_older_state_waits_while_a_newer_write_is_under_way_that_may_have_arrived(ledger: TestLedger) -> None:
    """A run died between its call and its commit; another invoice of the same customer came in between and was written over it."""
    run, (newer, older) = ledger.claimed(2)
    vendor, begun = Vendor(), write_of(newer, version=NOON)
    intend(ledger.runs, run, [begun])
    late = write_of(older, version=NOON - timedelta(minutes=1))
    guarded = write_guarded(ledger.runs, run, [late], perform=vendor)
    waits = guarded.outcomes[late.effect_key]
    assert isinstance(waits, Failed)
    assert (waits.reason, waits.parks) == ("newer_write_pending", True)
    assert vendor.writes == []
    ledger.owner.execute("update zixly.workflow_jobs set status = 'FAILED' where id = %s", (newer.id,))
    write_guarded(ledger.runs, run, [late], perform=vendor)
    assert vendor.writes == [late], "a newer one that failed for good is waited for no longer"


def test_a_run_that_lost_its_lease_does_not_reach_the_vendor(ledger: TestLedger) -> None:
    run, (job,) = ledger.claimed(1)
    vendor, write = Vendor(), write_of(job)
    ledger.lapse_leases()
    guarded = write_guarded(ledger.runs, run, [write], perform=vendor)
    assert vendor.writes == []
    assert guarded.lost == (write,)


def test_a_failed_write_stays_intended_and_leaves_the_version_alone(ledger: TestLedger) -> None:
    run, (job,) = ledger.claimed(1)
    write = write_of(job)
    intend(ledger.runs, run, [write])
    failed = Failed("http_500", "HubSpot answered 500", permanent=False)
    write_guarded(ledger.runs, run, [write], perform=lambda writes: {one.effect_key: failed for one in writes})
    assert state_of(ledger, run, write) is EffectState.INTENDED
    older = write_of(job, version=NOON - timedelta(hours=1))
    assert write_guarded(ledger.runs, run, [older], perform=Vendor()).stale == ()


def test_a_crash_in_the_call_leaves_the_effect_intended(ledger: TestLedger) -> None:
    run, (job,) = ledger.claimed(1)
    write = write_of(job)
    intend(ledger.runs, run, [write])

    def crash(writes: Sequence[TargetWrite]) -> Mapping[str, WriteOutcome]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_guarded(ledger.runs, run, [write], perform=crash)
    assert state_of(ledger, run, write) is EffectState.INTENDED


def test_an_older_source_state_never_replaces_a_newer_one(ledger: TestLedger) -> None:
    run, (job,) = ledger.claimed(1)
    paid, draft = SourceState(NOON, {"status": "PAID"}), SourceState(NOON - timedelta(hours=1), {"status": "AUTHORISED"})
    for state in (paid, draft):
        save_source_states(ledger.runs, run, workflow="w", states={job.record_key: state})
    assert source_states(ledger.runs, run, workflow="w", keys=[job.record_key]) == {job.record_key: paid}


def note_of(job: ClaimedJob, *, part: str = "") -> TargetWrite:
    return creation(
        job,
        system="hubspot",
        account="62515",
        operation="hubspot.note.create",
        source_key="asana:task:7",
        content={"body": "done"},
        part=part,
    )


def test_a_record_is_created_once_whatever_becomes_of_its_content(ledger: TestLedger) -> None:
    run, (first, second) = ledger.claimed(2)
    vendor = Vendor()
    intend(ledger.runs, run, [note_of(first)])
    write_guarded(ledger.runs, run, [note_of(first)], perform=vendor)
    again = replace(note_of(second), content={"body": "done again"})
    known = intend(ledger.runs, run, [again])[again.effect_key]
    assert (known.state, known.result) == (EffectState.DONE, {"contact_id": ""})
    guarded = write_guarded(ledger.runs, run, [again], perform=vendor)
    assert guarded.outcomes == {again.effect_key: Written({"contact_id": ""}, changed=False, by_other=True)}
    assert len(vendor.writes) == 1


def test_several_records_of_one_source_are_told_apart_by_their_part(ledger: TestLedger) -> None:
    run, (job,) = ledger.claimed(1)
    vendor, parts = Vendor(), [note_of(job, part=str(number)) for number in range(3)]
    intend(ledger.runs, run, parts)
    guarded = write_guarded(ledger.runs, run, parts, perform=vendor)
    assert set(guarded.outcomes) == {part.effect_key for part in parts}
    assert len({part.vendor_key for part in parts}) == 3


def test_a_try_that_may_still_arrive_is_not_repeated_before_its_time(ledger: TestLedger) -> None:
    run, (job,) = ledger.claimed(1)
    write = note_of(job)
    intend(ledger.runs, run, [write])
    wait = intend(ledger.runs, run, [write], settles_in=timedelta(seconds=60))[write.effect_key].wait
    assert timedelta(seconds=50) < wait <= timedelta(seconds=60)
    ledger.owner.execute("update zixly.effects set tried_at = tried_at - interval '61 seconds'")
    assert not intend(ledger.runs, run, [write], settles_in=timedelta(seconds=60))[write.effect_key].wait
    again = intend(ledger.runs, run, [write], settles_in=timedelta(seconds=60))[write.effect_key]
    assert again.wait, "the try that was allowed is a try itself"


def test_looking_again_does_not_put_off_the_next_try(ledger: TestLedger) -> None:
    run, (job,) = ledger.claimed(1)
    write = note_of(job)
    intend(ledger.runs, run, [write])
    ledger.owner.execute("update zixly.effects set tried_at = tried_at - interval '40 seconds'")
    first, second = (intend(ledger.runs, run, [write], settles_in=timedelta(seconds=60))[write.effect_key].wait for _ in range(2))
    assert second <= first < timedelta(seconds=21)


def test_a_write_that_was_refused_for_good_is_forgotten_as_a_try(ledger: TestLedger) -> None:
    run, (job,) = ledger.claimed(1)
    write = note_of(job)
    intend(ledger.runs, run, [write])
    refused = Failed("refused", "HubSpot refused it", permanent=True, was_sent=False)
    write_guarded(ledger.runs, run, [write], perform=lambda writes: {one.effect_key: refused for one in writes})
    assert state_of(ledger, run, write) is EffectState.NEW


def test_a_write_that_never_left_is_not_waited_for(ledger: TestLedger) -> None:
    """A spent budget sends nothing: the next try may go at once."""
    run, (job,) = ledger.claimed(1)
    write = note_of(job)
    intend(ledger.runs, run, [write])
    spent = failure_from(BudgetSpent("Asana's calls are used up.", retry_after=timedelta(seconds=20)))
    write_guarded(ledger.runs, run, [write], perform=lambda writes: {one.effect_key: spent for one in writes})
    again = intend(ledger.runs, run, [write], settles_in=timedelta(seconds=60))[write.effect_key]
    assert (again.state, again.wait) == (EffectState.NEW, timedelta())


def unheard_newer(ledger: TestLedger) -> tuple[RunIdentity, TargetWrite, TargetWrite]:
    """A newer write that was begun by a job that has ended since, and an older one."""
    run, (newer, older) = ledger.claimed(2)
    begun, late = write_of(newer, version=NOON, value="VOIDED"), write_of(older, version=NOON - timedelta(minutes=1))
    intend(ledger.runs, run, [begun])
    intend(ledger.runs, run, [late])
    ledger.owner.execute("update zixly.workflow_jobs set status = 'CANCELLED' where id = %s", (newer.id,))
    return run, begun, late


@pytest.mark.parametrize(("now", "sent"), [("VOIDED", 0), ("DRAFT", 1), (None, 1)])
def test_an_older_state_is_not_written_where_the_target_holds_a_newer_one_that_nobody_heard_of(
    ledger: TestLedger, now: str | None, sent: int
) -> None:
    run, begun, late = unheard_newer(ledger)
    vendor = Vendor()

    def look(writes: Sequence[TargetWrite], newer: Mapping[str, Sequence[NewerWrite]]) -> Overtaken:
        assert list(writes) == [late]
        (one,) = newer[late.effect_key]
        assert one.fields == ("xero_last_invoice_status",)
        is_there = one.is_shown_by({"xero_last_invoice_status": now, "another": "1"}, of=late)
        return Overtaken(frozenset({late.effect_key} if is_there else ()))

    guarded = write_guarded(ledger.runs, run, [late], perform=vendor, look=look)
    assert len(vendor.writes) == sent
    assert guarded.stale == (() if sent else (late,))
    assert state_of(ledger, run, begun) is EffectState.INTENDED, "of the newer one its own job has to find out"


def test_a_write_whose_target_could_not_be_looked_at_is_not_sent(ledger: TestLedger) -> None:
    run, _, late = unheard_newer(ledger)
    vendor, away = Vendor(), Failed("http_500", "The vendor answered 500.", permanent=False)
    guarded = write_guarded(
        ledger.runs, run, [late], perform=vendor, look=lambda writes, newer: Overtaken(failures={late.effect_key: away})
    )
    assert (vendor.writes, guarded.outcomes) == ([], {late.effect_key: away})
    assert state_of(ledger, run, late) is EffectState.INTENDED


def test_fields_of_a_write_that_are_not_known_any_more_are_taken_to_be_those_of_the_other(ledger: TestLedger) -> None:
    """Effects that were begun before fields were kept."""
    run, _, late = unheard_newer(ledger)
    ledger.owner.execute("update zixly.effects set result = null")
    seen: list[bool] = []

    def look(writes: Sequence[TargetWrite], newer: Mapping[str, Sequence[NewerWrite]]) -> Overtaken:
        seen.extend(one.is_shown_by({"xero_last_invoice_status": "VOIDED"}, of=late) for one in newer[late.effect_key])
        return Overtaken()

    write_guarded(ledger.runs, run, [late], perform=Vendor(), look=look)
    assert seen == [True]


@pytest.mark.parametrize(("version", "state"), [("-1 hour", EffectState.INTENDED), ("+1 hour", EffectState.NEW)])
def test_after_a_restore_only_states_from_before_it_may_have_been_written(ledger: TestLedger, version: str, state: EffectState) -> None:
    run, (job,) = ledger.claimed(1)
    ledger.owner.execute("insert into zixly.restores (id, taken_at) values (%s, now() - interval '2 hours')", (new_id(),))
    (row,) = ledger.owner.execute("select now() + %s::interval as at", (version,)).fetchall()
    assert state_of(ledger, run, write_of(job, version=row["at"])) is state


def test_after_a_restore_a_write_waits_for_jobs_that_have_not_looked_for_theirs(ledger: TestLedger) -> None:
    run, (job,) = ledger.claimed(1)
    (other,) = ledger.add_jobs(1)
    ledger.owner.execute("insert into zixly.restores (id, taken_at) values (%s, now() - interval '2 hours')", (new_id(),))
    ledger.compare()
    write = write_of(job, version=NOON)
    assert intend(ledger.runs, run, [write])[write.effect_key].wait > timedelta()
    ledger.owner.execute("update zixly.workflow_jobs set status = 'CANCELLED' where id = %s", (other,))
    assert intend(ledger.runs, run, [write])[write.effect_key].wait == timedelta()


def test_after_a_restore_a_write_waits_for_a_comparison_that_began_after_it(ledger: TestLedger) -> None:
    run, (job,) = ledger.claimed(1)
    ledger.compare()
    ledger.owner.execute("insert into zixly.restores (id, taken_at) values (%s, now() - interval '2 hours')", (new_id(),))
    write = write_of(job, version=NOON)
    assert intend(ledger.runs, run, [write])[write.effect_key].wait > timedelta()
    ledger.compare()
    assert intend(ledger.runs, run, [write])[write.effect_key].wait == timedelta()


def test_after_a_restore_nobody_waits_for_ever_for_jobs_that_keep_coming(ledger: TestLedger) -> None:
    run, (job,) = ledger.claimed(1)
    ledger.add_jobs(1)
    ledger.owner.execute("insert into zixly.restores (id, taken_at) values (%s, now() - interval '2 hours')", (new_id(),))
    write = write_of(job, version=NOON)
    intend(ledger.runs, run, [write])
    ledger.owner.execute("update zixly.effects set intended_at = intended_at - interval '16 minutes'")
    assert intend(ledger.runs, run, [write])[write.effect_key].wait == timedelta()
