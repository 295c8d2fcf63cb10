"""How stories are told: the same ones each time, or as many new ones as there is time for."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.integration.model.machine import Life
from tests.integration.model.promises import BROKEN
from tests.support.full import IS_FULL

STORIES, STEPS = (2_000, 80) if IS_FULL else (30, 40)


def tell_stories() -> None:
    """A full run makes up new ones, and shortens the one that breaks a promise to what it takes."""
    is_same = {"derandomize": True, "phases": [Phase.generate]}
    is_new = {"phases": [Phase.generate, Phase.shrink], "print_blob": True}
    told = settings(stories(STORIES, STEPS), **(is_new if IS_FULL else is_same))
    run_state_machine_as_test(Life, settings=told)


def tell_until_one_breaks() -> list[str]:
    """The same stories, until a promise is broken; which ones were. Nothing is shortened."""
    BROKEN.clear()
    told = settings(stories(60, STEPS), derandomize=True, phases=[Phase.generate], report_multiple_bugs=False)
    with suppress(Exception):
        run_state_machine_as_test(Life, settings=told)
    return list(BROKEN)


def stories(many: int, steps: int) -> settings:
    return settings(max_examples=many, stateful_step_count=steps, database=None, deadline=None, suppress_health_check=list(HealthCheck))
