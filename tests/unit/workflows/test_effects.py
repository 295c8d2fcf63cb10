"""Effect keys and folding, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zixly_core.effects import TargetWrite, folded, order_of
from zixly_core.job import ClaimedJob

pytestmark = pytest.mark.unit
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def write(number: int = 1, *, target: str = "901", second: int = 0, occurred: int = 0, value: str = "PAID") -> TargetWrite:
    key = f"xero:INVOICE:{number}"
    job = ClaimedJob(
        id=UUID(int=number),
        tenant_id=UUID(int=7),
        connection_id=UUID(int=8),
        record_key=key,
        record_id=str(number),
        occurred_at=NOON + timedelta(seconds=occurred),
        attempts=1,
        fence=1,
        started_at=NOON,
    )
    return TargetWrite(
        job=job,
        system="hubspot",
        operation="hubspot.contact.update",
        target_id=target,
        target_key=f"hubspot:62515:contact:{target}",
        source_key=key,
        source_version=NOON + timedelta(seconds=second),
        content={"status": value, "number": str(number)},
    )


WRITES = st.lists(
    st.builds(
        lambda number, target, second: write(number, target=str(target), second=second),
        st.integers(1, 10**6),
        st.integers(1, 4),
        st.integers(0, 3),
    ),
    max_size=25,
    unique_by=lambda one: one.job.id,
)


def test_the_same_state_written_to_the_same_record_is_the_same_effect_whoever_does_it() -> None:
    first = write()
    again = replace(first, job=replace(first.job, id=UUID(int=99), attempts=3, fence=9))
    assert again.effect_key == first.effect_key


def test_the_order_of_properties_makes_no_difference() -> None:
    first = write()
    turned = replace(first, content=dict(reversed(list(first.content.items()))))
    assert turned.effect_key == first.effect_key


def test_target_state_and_content_each_make_another_effect() -> None:
    keys = {one.effect_key for one in (write(), write(target="902"), write(second=1), write(value="VOIDED"), write(2))}
    assert len(keys) == 5


def test_an_effect_key_shows_no_content() -> None:
    assert "secret@person" not in write(value="secret@person").effect_key
    assert "secret@person" not in repr(write(value="secret@person"))


@given(WRITES)
def test_folding_loses_no_write_and_doubles_none(writes: list[TargetWrite]) -> None:
    plan = folded(writes)
    told = [one.job.id for one in plan.leading] + [one.job.id for one, _ in plan.needless]
    assert sorted(told) == sorted(one.job.id for one in writes)


@given(WRITES)
def test_each_target_is_written_once_by_its_newest_state(writes: list[TargetWrite]) -> None:
    plan = folded(writes)
    targets = [one.target_key for one in plan.leading]
    assert sorted(targets) == sorted({one.target_key for one in writes})
    for one, leader in plan.needless:
        assert leader in plan.leading
        assert leader.target_key == one.target_key
        assert leader.source_version >= one.source_version


@given(WRITES, st.randoms(use_true_random=False))
def test_the_order_in_which_writes_come_does_not_decide(writes: list[TargetWrite], random: object) -> None:
    shuffled = list(writes)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' own random.Random
    assert {one.job.id for one in folded(writes).leading} == {one.job.id for one in folded(shuffled).leading}


def test_of_equally_new_states_the_later_event_leads() -> None:
    early, late = write(1, occurred=0), write(2, occurred=5)
    assert folded([late, early]).leading == [late]
    assert order_of(late) > order_of(early)
