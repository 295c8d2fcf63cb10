"""One stack under a stream of deliveries, of which every process is replaced.

The verdict is the fault suite's (chaos/checks.py): what the sender knows and what the vendors have, against the ledger's rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from chaos import checks
from chaos.driver import Done
from chaos.evidence import Evidence
from chaos.faults import Scene
from chaos.ground import Ground
from chaos.plan import Plan
from chaos.scale import Scale
from chaos.session import Say, run
from tests.support.stack import StackUnderTest, stack_in_a_temporary_folder
from zixly_cli.control import start_process, stop_process

pytestmark = pytest.mark.timeout(900)

SCALE = Scale(seed=1, minutes=0.6, deliveries=300, has_faults=False)
# The vendors are outside, and go on whatever happens to us.
OUTSIDE = ("sandbox",)
VANISHED_SQL = "select job_id from zixly.job_attempts where outcome = 'vanished'"


@dataclass
class Story:
    """What happened so far."""

    stack: StackUnderTest
    replaced: list[str] = field(default_factory=list)

    @property
    def ground(self) -> Ground:
        return Ground(self.stack.plan)

    def ours(self) -> list[str]:
        return [name for name in self.stack.plan.names if name not in OUTSIDE]

    async def replace_everything(self, plan: Plan, scene: Scene, *, began: float, say: Say) -> list[Done]:
        """One process after the other is told to end, and started again when it has."""
        del plan, scene, began, say
        await asyncio.sleep(3)
        for name in self.ours():
            await asyncio.to_thread(self.restart, name)
        return []

    def restart(self, name: str) -> None:
        stop_process(self.stack.settings, name)
        start_process(self.stack.settings, name)
        self.replaced.append(name)


@pytest.fixture
def story() -> Iterator[Story]:
    with stack_in_a_temporary_folder() as stack:
        stack.up()
        yield Story(stack)


def breaches(evidence: Evidence) -> dict[str, list[str]]:
    found = checks.judged(evidence)
    return {name: [one.text for one in some] for name, some in found.items() if some}


def test_every_process_is_replaced_under_load_and_nothing_is_lost_or_doubled(story: Story) -> None:
    outcome = asyncio.run(run(SCALE, story.ground, say=print, breaking=story.replace_everything))
    assert story.replaced == story.ours()
    assert breaches(outcome.evidence) == {}
    assert len(outcome.evidence.contact_writes) > 20, "there was work to lose"
    assert story.stack.rows(VANISHED_SQL) == [], "whoever is told to end gives its jobs back"
