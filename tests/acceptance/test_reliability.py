"""One stack under a stream of deliveries: every process is replaced, a backup is taken, everything is destroyed, and comes back.

The verdict is the fault suite's (chaos/checks.py): what the sender knows and what the vendors have, against the ledger's rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from chaos import checks
from chaos.driver import Done
from chaos.evidence import Change, Evidence
from chaos.faults import Scene
from chaos.ground import Ground
from chaos.kept import keep_what_broke
from chaos.plan import Plan
from chaos.scale import Scale
from chaos.session import Outcome, Say, run
from chaos.vendors import Vendors
from chaos.witness import evidence_of, open_jobs
from tests.support.busy import longest
from tests.support.disaster import destroy, our_processes, restore
from tests.support.ending import Ended, told_to_end
from tests.support.stack import StackUnderTest, patience, stack_in_a_temporary_folder
from zixly_cli.seed import TENANTS
from zixly_cli.stack.probes import code_server_answers, postgres_answers, valkey_answers

pytestmark = pytest.mark.timeout(900)

SCALE = Scale(seed=1, minutes=0.6, deliveries=300, has_faults=False)
# What was received after the backup is gone with it; that vendors deliver it again is their part.
ABOUT_RECEIVED_ROWS = ("acknowledged deliveries are kept", "acknowledged events were given jobs, once")
SUCCESS = "exit status 0"
VANISHED_SQL = "select job_id from zixly.job_attempts where outcome = 'vanished'"
JOBS_SQL = "select count(*) as jobs from zixly.workflow_jobs where status = 'COMPLETED'"


@dataclass
class Story:
    """What happened so far."""

    stack: StackUnderTest
    backup: Path
    ended: list[Ended] = field(default_factory=list)
    jobs_in_backup: int = 0
    outcome: Outcome | None = None

    @property
    def ground(self) -> Ground:
        return Ground(self.stack.plan)

    async def replace_everything(self, plan: Plan, scene: Scene, *, began: float, say: Say) -> list[Done]:
        """One process after the other is told to end, and comes back by itself; in the middle of it, a backup."""
        del plan, scene, began, say
        await asyncio.sleep(3)
        for name in our_processes(self.stack):
            self.ended.append(await asyncio.to_thread(told_to_end, self.ground, name))
            await asyncio.to_thread(self.wait_until_it_serves, name)
            if name == "bridge":
                await asyncio.to_thread(self.take_backup)
        return []

    def wait_until_it_serves(self, name: str) -> None:
        """It runs before it serves, and what the next one would say of that is none of its own faults."""
        urls = self.stack.plan.urls
        probes = {
            "postgres": postgres_answers(urls.owner),
            "valkey": valkey_answers(urls.queue),
            "code": code_server_answers(self.stack.settings.code_port),
        }
        if name in probes:
            self.stack.wait_until(lambda: probes[name](0), seconds=60, words=f"{name} serves again")

    def take_backup(self) -> None:
        self.jobs_in_backup = self.stack.wait_until(self.completed_jobs, seconds=60, words="a job is done before the backup")
        done = self.stack.zixly("backup", str(self.backup))
        assert done.returncode == 0, done.stderr + done.stdout

    def completed_jobs(self) -> int:
        return int(self.stack.rows(JOBS_SQL)[0]["jobs"])


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with stack_in_a_temporary_folder() as stack:
        stack.up()
        yield Story(stack, tmp_path_factory.mktemp("reliability") / "backup")


def breaches(story: Story, evidence: Evidence, *, without: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """What was found, by check. The stack is gone when somebody reads of it, so its logs and rows are kept."""
    found = {name: some for name, some in checks.judged(evidence).items() if some and name not in without}
    keep_what_broke(story.ground, [one for some in found.values() for one in some], name="replaced", say=print)
    return {name: [one.text for one in some] for name, some in found.items()}


def test_every_process_is_replaced_under_load_and_nothing_is_lost_or_doubled(story: Story) -> None:
    story.outcome = asyncio.run(run(SCALE, story.ground, say=print, breaking=story.replace_everything))
    assert [one.name for one in story.ended] == our_processes(story.stack)
    assert breaches(story, story.outcome.evidence) == {}
    assert len(story.outcome.evidence.contact_writes) > 20, "there was work to lose"
    assert story.stack.rows(VANISHED_SQL) == [], "whoever is told to end gives its jobs back"


def test_each_process_ended_by_itself_in_time_with_success_and_without_a_complaint(story: Story) -> None:
    """In the test above. Nobody had to kill it, no exit status looks like a crash, and no line of its log like a fault."""
    assert story.ended, "it goes on from the test above"
    assert {one.name: one.status for one in story.ended if one.status != SUCCESS} == {}
    assert {one.name: one.complaints for one in story.ended if one.complaints} == {}
    assert {one.name: one.seconds for one in story.ended if one.seconds > longest(one.allowed_seconds)} == {}


def test_after_everything_was_lost_the_backup_and_a_comparison_bring_it_back_and_nothing_is_done_again(story: Story) -> None:
    """The backup is the one that was taken in the middle of the test above: what was done since is forgotten by our rows, and stands at
    the vendors."""
    before = story.outcome
    assert before is not None, "it goes on from the test above"
    assert 0 < story.jobs_in_backup < story.completed_jobs(), "jobs were done before the backup and after it"
    destroy(story.stack)
    unheard = asyncio.run(paid_unheard(story.stack))
    restore(story.stack, story.backup)
    for tenant in TENANTS:
        done = story.stack.zixly(
            "reconcile", "run", "--tenant", tenant.slug, "--full", "--days", "2", "--settle", "0", "--wait", patience()
        )
        assert done.returncode == 0, done.stderr + done.stdout
    story.stack.wait_until(lambda: open_jobs(story.stack.plan.urls.owner) == 0, seconds=150, words="all jobs have ended")
    after = asyncio.run(evidence_after(story, before, changes=[*before.evidence.changes, *unheard]))
    assert breaches(story, after, without=ABOUT_RECEIVED_ROWS) == {}
    assert len(after.contact_writes) > len(before.evidence.contact_writes), "what nobody had told of is there"


async def paid_unheard(stack: StackUnderTest) -> Sequence[Change]:
    """A payment at each tenant while there is nobody who could hear of it."""
    vendors = Vendors(stack.plan.urls.sandbox)
    for client in vendors.clients:
        one = {"organisation": client.tenant.organisation, "invoices": 1, "customers": 1, "paid_percent": 0}
        one |= {"only_sales": True, "only_known": True}
        made = await vendors.ask("POST", "/seed", one)
        await vendors.pay(client, made["invoice_ids"][0], in_part=False)
    await vendors.close()
    return vendors.changes


async def evidence_after(story: Story, before: Outcome, *, changes: list[Change]) -> Evidence:
    """Every change counts as told of: whoever compares needs nobody to tell."""
    vendors, urls = Vendors(story.stack.plan.urls.sandbox), story.stack.plan.urls
    vendors.changes = changes
    journal = replace(before.journal, told={(one.account, one.number, one.standing) for one in changes})
    managers = [story.ground.manager_pid()]
    try:
        return await evidence_of(journal, vendors, owner_url=urls.owner, bridge_url=urls.bridge, managers=managers)
    finally:
        await vendors.close()
