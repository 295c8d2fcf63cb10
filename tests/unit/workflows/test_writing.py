"""What is known of a write after it failed decides whether it may be sent again unseen: these are the rules, without any server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from zixly_core.effects import EffectState, Intent, TargetWrite, WriteOutcome, Written, creation
from zixly_core.errors import BudgetSpent, Permanent, Transient, ZixlyError
from zixly_core.ids import new_id
from zixly_core.job import ClaimedJob, Failed
from zixly_dagster.ops.writing import VendorWrites, performed
from zixly_dagster.resources.batch import BatchWork

pytestmark = pytest.mark.unit
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SPENT = BudgetSpent("Used up.", retry_after=timedelta(seconds=20))
LOST = Transient("The connection failed.", reason="connection_failed")
REFUSED = Permanent("Refused.", reason="refused")


def write(number: int) -> TargetWrite:
    ids = (new_id(), new_id(), new_id())
    job = ClaimedJob(*ids, record_key=f"r{number}", record_id=f"{number}", occurred_at=NOON, attempts=1, fence=1, started_at=NOON)
    return creation(job, system="asana", account="1", operation="asana.task.create", source_key=f"r{number}", content={})


def outcomes(
    writes: Sequence[TargetWrite],
    *,
    doubtful: bool = False,
    look: ZixlyError | None = None,
    send: ZixlyError | dict[str, WriteOutcome] | None = None,
) -> list[WriteOutcome]:
    def looked(some: Sequence[TargetWrite]) -> dict[str, Any]:
        if look is not None:
            raise look
        return {}

    def sent(some: Sequence[TargetWrite]) -> dict[str, WriteOutcome]:
        if isinstance(send, ZixlyError):
            raise send
        return send or {one.effect_key: Written({"id": "1"}) for one in some}

    how = VendorWrites(connection_id=new_id(), size=10, look=looked, send=sent)
    state = EffectState.INTENDED if doubtful else EffectState.NEW
    work = cast("BatchWork", SimpleNamespace())
    found = performed(work, writes, how, intents={one.effect_key: Intent(state) for one in writes})
    return [found[one.effect_key] for one in writes]


def was_sent(outcome: WriteOutcome) -> bool:
    assert isinstance(outcome, Failed)
    return outcome.was_sent


@pytest.mark.parametrize("error", [SPENT, REFUSED])
def test_one_write_that_never_left_or_was_refused_may_go_again_unseen(error: ZixlyError) -> None:
    assert [was_sent(one) for one in outcomes([write(1)], send=error)] == [False]


def test_one_write_whose_answer_was_lost_may_not() -> None:
    assert [was_sent(one) for one in outcomes([write(1)], send=LOST)] == [True]


@pytest.mark.parametrize("error", [SPENT, REFUSED, LOST])
def test_of_several_writes_some_may_have_gone_before_the_call_that_failed(error: ZixlyError) -> None:
    assert [was_sent(one) for one in outcomes([write(1), write(2)], send=error)] == [True, True]


@pytest.mark.parametrize("error", [SPENT, REFUSED, LOST])
def test_a_write_that_could_not_be_looked_for_stays_in_doubt(error: ZixlyError) -> None:
    """An earlier try may have arrived; that the budget is spent now, or the look refused, says nothing about it."""
    assert [was_sent(one) for one in outcomes([write(1)], doubtful=True, look=error)] == [True]


def test_an_element_that_the_vendor_refused_is_not_in_doubt_and_its_neighbour_is_done() -> None:
    good, bad = write(1), write(2)
    refused = Failed("refused", "Refused.", permanent=True)
    found = outcomes([good, bad], send={good.effect_key: Written({"id": "1"}), bad.effect_key: refused})
    assert isinstance(found[0], Written)
    assert not was_sent(found[1])
