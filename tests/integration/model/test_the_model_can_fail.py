"""Take a safeguard away, and the model finds a story in which a promise is broken: it is the safeguard that keeps it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest

from tests.integration.model.telling import tell_until_one_breaks
from tests.integration.model.world import World
from zixly_core.stores import effects, handover, intake
from zixly_core.stores.newer_writes import Overtaken
from zixly_core.stores.owners import NOT_IN_HAND
from zixly_core.stores.sweep import Swept

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
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
    "the stored version": (no_version, "an older state was written over a newer one"),
    "the order of a record": (no_order, "a record is in two hands"),
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
    assert promise in broken[0]
