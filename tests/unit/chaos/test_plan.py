"""The plan is the seed's: the same for the same seed, and with everything in it that the suite speaks of."""

from __future__ import annotations

from collections import Counter

import pytest

from chaos.fault_kinds import FaultKind
from chaos.faults import ACTS
from chaos.plan import CHANGES_END_AT, FIRST_FAULT_AT, LONG_SECONDS, TENANTS, Step, plan_of
from chaos.scale import Scale

SCALE = Scale(seed=7, minutes=10, deliveries=10_000)
KINDS = tuple(FaultKind)


def test_the_same_seed_gives_the_same_plan_and_another_seed_another() -> None:
    assert plan_of(SCALE, available=KINDS) == plan_of(SCALE, available=KINDS)
    assert plan_of(SCALE, available=KINDS) != plan_of(Scale(seed=8, minutes=10, deliveries=10_000), available=KINDS)


@pytest.mark.parametrize("deliveries", [300, 10_000])
def test_there_are_exactly_as_many_posts_as_asked_for(deliveries: int) -> None:
    assert plan_of(Scale(seed=1, minutes=2, deliveries=deliveries), available=KINDS).deliveries == deliveries


def test_the_stream_has_repetitions_disorder_bursts_and_all_tenants() -> None:
    plan = plan_of(SCALE, available=KINDS)
    assert {one.tenant for one in plan.happenings} == set(range(TENANTS))
    assert {one.step for one in plan.happenings} == set(Step)
    assert sum(len(one.posts) > 1 for one in plan.happenings) > 1_000
    assert sum(one.posts[0] > 1 for one in plan.happenings) > 1_000
    by_second = Counter(int(one.at + one.posts[0]) for one in plan.happenings)
    assert max(by_second.values()) > 5 * plan.deliveries / SCALE.seconds


def test_every_invoice_is_paid_after_what_was_paid_of_it_before() -> None:
    plan = plan_of(SCALE, available=KINDS)
    paid = {(one.tenant, one.records): one.at for one in plan.happenings if one.step is Step.PAY}
    assert len(paid) == plan.invoices * TENANTS
    assert all(one.at < paid[one.tenant, one.records] for one in plan.happenings if one.step is Step.PART_PAY)


def test_every_kind_of_fault_comes_as_often_as_the_others_and_has_something_that_it_does() -> None:
    counts = Counter(one.kind for one in plan_of(SCALE, available=KINDS).faults)
    assert set(counts) == set(FaultKind) == set(ACTS)
    assert max(counts.values()) - min(counts.values()) <= 1


@pytest.mark.parametrize("seed", range(20))
def test_a_short_run_does_each_kind_of_fault_and_those_that_last_long_early(seed: int) -> None:
    faults = plan_of(Scale(seed=seed, minutes=2, deliveries=800), available=KINDS).faults
    assert Counter(one.kind for one in faults) == Counter(KINDS)
    assert [one.at for one in faults] == sorted(one.at for one in faults)
    assert faults[0].at >= FIRST_FAULT_AT
    assert faults[-1].at < 120 * CHANGES_END_AT
    assert all(one.at < 65 for one in faults if one.seconds > LONG_SECONDS)


def test_a_machine_that_cannot_do_a_fault_is_spared_it_and_a_run_may_have_none() -> None:
    kinds = tuple(kind for kind in KINDS if kind is not FaultKind.DISK_FULL)
    assert FaultKind.DISK_FULL not in {one.kind for one in plan_of(SCALE, available=kinds).faults}
    assert plan_of(Scale(seed=7, minutes=10, deliveries=10_000, has_faults=False), available=KINDS).faults == ()
