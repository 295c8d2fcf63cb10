"""Take a safeguard away, and the model finds a story in which a promise is broken: it is the safeguard that keeps it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest

from tests.integration.model.machine import LAPSES, Life
from tests.integration.model.telling import tell_until_one_breaks
from tests.integration.model.test_stories import written_unheard
from tests.integration.model.vendor import Fate, Vendor
from tests.integration.model.world import World
from zixly_core.effects import EffectState, Intent
from zixly_core.replays import ReplayMode
from zixly_core.stores import claims, effects, handover, intake
from zixly_core.stores import settle as settling
from zixly_core.stores.newer_writes import Overtaken
from zixly_core.stores.owners import NOT_IN_HAND
from zixly_core.stores.sweep import Swept
from zixly_dagster.ops import writing

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]
Patch = pytest.MonkeyPatch
NOTHING_SWEPT = Swept(taken_back=(), released_batches=(), to_announce={})


def no_unique_key(patch: Patch, world: World) -> None:
    """Every event counts as new."""
    patch.setattr(intake, "NEW_KEYS_SQL", "select event_id from unnest(%s::text[], %s::text[], %s::uuid[]) as t (system, key, event_id)")


def no_version(patch: Patch, world: World) -> None:
    """Whatever state comes last is written."""
    began = datetime(2000, 1, 1, tzinfo=UTC)
    locked = effects.locked_versions
    patch.setattr(effects, "locked_versions", lambda connection, writes: dict.fromkeys(locked(connection, writes), began))
    patch.setattr(effects, "behind_newer", lambda connection, writes, look: Overtaken())


def no_order(patch: Patch, world: World) -> None:
    """A record that a run has in hand is given to the next."""
    patch.setattr(handover, "DUE_SQL", handover.DUE_SQL.replace(NOT_IN_HAND, "true"))


def no_fence(patch: Patch, world: World) -> None:
    """Whoever once had a job may write about it."""
    patch.setattr(claims, "HELD_FOR_UPDATE_SQL", without_fence(claims.HELD_FOR_UPDATE_SQL))
    patch.setattr(settling, "ENDS_SQL", without_fence(settling.ENDS_SQL))


def without_fence(query: str) -> str:
    for condition, instead in (
        (" and j.fence = t.fence", ""),
        ("j.run_id = %s", "%s::text is not null"),
        (" and j.lease_until > now()", ""),
    ):
        query = query.replace(condition, instead)
    return query


def no_effect_key(patch: Patch, world: World) -> None:
    """Every write counts as new."""
    intents = writing.intend
    new = Intent(EffectState.NEW)
    patch.setattr(writing, "intend", lambda *args, **rest: dict.fromkeys(intents(*args, **rest), new))
    patch.setattr(effects, "created_meanwhile", lambda connection, writes: {})


def no_sweep(patch: Patch, world: World) -> None:
    patch.setattr("tests.integration.model.world.sweep", lambda database, limits: NOTHING_SWEPT)


def no_commit_before_the_answer(patch: Patch, world: World) -> None:
    """A sender is answered, and then the bridge dies before its commit."""
    receive = World.receive

    def answered(self: World, request: Any, *, dies_before_commit: bool = False) -> Any:
        return receive(self, request) if not dies_before_commit else Answered()

    patch.setattr(World, "receive", answered)


def no_row_level_security(patch: Patch, world: World) -> None:
    for table in ("workflow_jobs", "batches"):
        world.owner.execute(f"alter table zixly.{table} no force row level security; alter table zixly.{table} disable row level security")


class Answered:
    """An answer with nothing behind it."""

    job_ids = ("made up",)
    to_wake: Mapping[str, Any] = MappingProxyType({})


SAFEGUARDS: dict[str, tuple[Callable[[Patch, World], None], str]] = {
    "the unique key": (no_unique_key, "an event has more than one job"),
    # Which of two it breaks first hangs on the order of ids: over a newer one, an older one's own look does not find it either.
    "the stored version": (no_version, "an older state was written over a newer one|an effect arrived twice"),
    "the order of a record": (no_order, "a record is in two hands"),
    "the lease fence": (no_fence, "a run settled what it had lost"),
    "the effect key": (no_effect_key, "twice"),
    "the sweep": (no_sweep, "a job was left lying"),
    "the commit before the answer": (no_commit_before_the_answer, "an acknowledged event has no job"),
    "row-level security": (no_row_level_security, "another tenant"),
}


@pytest.mark.parametrize("name", SAFEGUARDS)
def test_without_a_safeguard_the_model_finds_a_broken_promise(name: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    take_away, promise = SAFEGUARDS[name]
    take_away(monkeypatch, world)
    broken = tell_until_one_breaks()
    assert broken, "no story breaks a promise"
    assert re.search(promise, broken[0])


# Three more are needed so seldom that it takes many stories, or none of CI's comes to it; for these there is one each.


def no_look(patch: Patch) -> None:
    """What an earlier try may have written is not looked for."""
    patch.setattr(Vendor, "look", lambda self, writes: {})


def no_wait(patch: Patch) -> None:
    """What got no answer is sent again although it may be on its way."""
    patch.setattr("tests.integration.model.worker.SETTLES_IN", timedelta())


def no_look_for_the_newer(patch: Patch) -> None:
    """An older state is sent again although a newer one may have arrived already."""
    patch.setattr(effects, "behind_newer", lambda connection, writes, look: Overtaken())


def a_creation_becomes(life: Life, fate: Fate) -> None:
    """A record's state is written, and the note about it meets this."""
    life.deliver(tenant=0, record=0, answered=True, told=True)
    life.dispatch(death=None, is_launched=True)
    life.work(which=0, step="all", renews=True, fates=[Fate.ANSWERED, fate], death=None)
    life.settle(which=0, waits=False, death=None)


def a_creation_is_on_its_way(life: Life) -> None:
    """The vendor takes it when the job has long been tried again."""
    a_creation_becomes(life, Fate.ON_ITS_WAY)
    life.go_on([], LAPSES[0], [], None, settles=True)
    life.go_on([], LAPSES[0], [], None, settles=True)


def the_answer_to_a_creation_is_lost(life: Life) -> None:
    a_creation_becomes(life, Fate.FAILS_AFTER)
    life.go_on([], LAPSES[1], [], None, settles=True)


def an_older_state_is_replayed(life: Life) -> None:
    """Of two records with one target, whose answers were both lost."""
    older = written_unheard(life, record=0)
    written_unheard(life, record=1)
    life.replay(which=older, mode=ReplayMode.START)
    life.go_on([], LAPSES[0], [], None, settles=True)


TOLD: dict[str, tuple[Callable[[Patch], None], Callable[[Life], None], str]] = {
    "the look before a write": (no_look, the_answer_to_a_creation_is_lost, "a record was made twice"),
    "the wait for a write on its way": (no_wait, a_creation_is_on_its_way, "a record was made twice"),
    "the look for a newer write": (no_look_for_the_newer, an_older_state_is_replayed, "an effect arrived twice"),
}


@pytest.mark.parametrize("name", TOLD)
@pytest.mark.usefixtures("world")
def test_a_story_breaks_a_promise_only_without_its_safeguard(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    take_away, tell, promise = TOLD[name]
    tell_to_the_end(tell)
    take_away(monkeypatch)
    with pytest.raises(AssertionError, match=promise):
        tell_to_the_end(tell)


def tell_to_the_end(tell: Callable[[Life], None]) -> None:
    life = Life()
    tell(life)
    life.teardown()
