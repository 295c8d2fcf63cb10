"""Stories that once broke a promise, told again by name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.model.machine import Life
from tests.integration.model.vendor import Fate
from tests.integration.model.world import World
from zixly_core.replays import ReplayMode

pytestmark = pytest.mark.integration


@pytest.fixture
def life(world: World) -> Iterator[Life]:
    """Ends as every story ends: what is left goes on by itself, and every promise is asked for."""
    told = Life()
    yield told
    told.teardown()


def written_unheard(life: Life, *, record: int) -> int:
    """A record changes, its state arrives at the vendor, the answer is lost, and a person cancels the job. Its place in the list."""
    life.deliver(tenant=0, record=record, answered=True, told=True)
    life.dispatch(death=None, is_launched=True)
    life.work(which=0, step="all", renews=True, fates=[Fate.FAILS_AFTER], death=None)
    life.settle(which=0, waits=False, death=None)
    life.workers.clear()
    place = next(place for place, job in enumerate(life.promises.jobs()) if job["status"] == "QUEUED")
    life.cancel(which=place)
    return place


def written_states(life: Life) -> list[int]:
    (states,) = life.vendor.versions.values()
    return [states.index(state) for state in states]


def test_an_older_state_is_not_sent_again_over_a_newer_one_of_which_nobody_heard(life: Life) -> None:
    """Two invoices of one customer: both answers lost, both jobs cancelled, the older one replayed."""
    older = written_unheard(life, record=0)
    written_unheard(life, record=1)
    assert written_states(life) == [0, 1]
    life.replay(which=older, mode=ReplayMode.START)
    life.dispatch(death=None, is_launched=True)
    life.work(which=0, step="all", renews=True, fates=[], death=None)
    life.settle(which=0, waits=False, death=None)
    assert written_states(life) == [0, 1]
    assert [job["status"] for job in life.promises.jobs()] == ["CANCELLED", "CANCELLED", "COMPLETED"]


def test_a_newer_state_that_was_lost_on_its_way_does_not_hold_an_older_one_back(life: Life) -> None:
    """The newer one was asked for and never arrived: what is replayed is written, or its job had ended well with nothing done."""
    life.deliver(tenant=0, record=1, answered=True, told=True)
    life.deliver(tenant=0, record=0, answered=True, told=True)
    life.dispatch(death=None, is_launched=True)
    life.work(which=0, step="all", renews=True, fates=[Fate.FAILS_BEFORE], death=None)
    life.settle(which=0, waits=False, death=None)
    life.workers.clear()
    for place in (0, 1):
        life.cancel(which=place)
    life.replay(which=0, mode=ReplayMode.START)
    life.dispatch(death=None, is_launched=True)
    life.work(which=0, step="all", renews=True, fates=[], death=None)
    life.settle(which=0, waits=False, death=None)
    assert written_states(life) == [0]
