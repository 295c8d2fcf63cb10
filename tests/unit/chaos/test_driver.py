"""A fault that finds nothing to befall is tried again while there may be something, and counts for nothing where it stays so."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import cast

import pytest

from chaos import driver
from chaos.driver import TRIES, drive
from chaos.fault_kinds import FaultKind
from chaos.faults import ACTS, CouldNotBeDone, Scene
from chaos.ground import NotBack
from chaos.plan import Happening, Plan, PlannedFault, Step

FAULT = PlannedFault(0.0, FaultKind.VENDOR_SLOW, seconds=0.0, choice=0.9)
NO_SCENE = cast("Scene", None)


def plan_with(fault: PlannedFault, *, last_at: float) -> Plan:
    return Plan(4, (Happening(last_at, Step.NOTHING, 0, (1,), (0.0,)),), (fault,))


@pytest.fixture
def choices(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The throws of each try. The act finds nobody until the throw is below a half."""
    seen: list[float] = []

    def act(scene: Scene, fault: PlannedFault) -> str:
        del scene
        seen.append(round(fault.choice, 3))
        if fault.choice >= 0.5:
            raise CouldNotBeDone("nobody called")
        return "done"

    monkeypatch.setitem(cast("dict[FaultKind, object]", ACTS), FAULT.kind, act)
    monkeypatch.setattr(driver, "PAUSE_SECONDS", 0.0)
    return seen


def driven(fault: PlannedFault, *, last_at: float) -> driver.Done:
    (done,) = asyncio.run(drive(plan_with(fault, last_at=last_at), NO_SCENE, began=time.monotonic(), say=lambda _: None))
    return done


def test_the_next_try_falls_elsewhere(choices: list[float]) -> None:
    assert driven(FAULT, last_at=60).was_done
    assert choices == [0.9, 0.4]


def test_what_cannot_be_done_at_all_is_told_and_counts_for_nothing(choices: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "fallen_elsewhere", lambda fault, *, tries: replace(fault, choice=0.9))
    done = driven(FAULT, last_at=60)
    assert (done.was_done, done.survived, len(choices)) == (False, True, TRIES)
    assert "nobody called" in done.words


def test_nothing_is_tried_again_after_the_last_change(choices: list[float]) -> None:
    assert not driven(FAULT, last_at=-1).was_done
    assert choices == [0.9]


def test_what_did_not_come_back_is_not_tried_again(choices: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    def act(scene: Scene, fault: PlannedFault) -> str:
        choices.append(fault.choice)
        raise NotBack("it did not come back")

    monkeypatch.setitem(cast("dict[FaultKind, object]", ACTS), FAULT.kind, act)
    assert not driven(FAULT, last_at=60).survived
    assert choices == [0.9]
