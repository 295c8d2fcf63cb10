"""`asana-task-to-hubspot` compared: each completed task that belongs to a deal or contact has its note there.

Only that the note is there is looked at: people may write on in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from zixly_core.changed_records import CompletedTasks
from zixly_core.changes import Window
from zixly_core.connection_settings import AsanaSettings, settings_in
from zixly_core.drifts import SourceRecord
from zixly_core.operations import NOTE_CREATE
from zixly_core.reconciling.comparison import Compared, Sides, beginning_of, id_in, made_lately
from zixly_core.stores.compared import WrittenTarget
from zixly_core.stores.connections import partner_of_connection
from zixly_core.stores.effects import SourceState
from zixly_core.stores.subscriptions import subscriptions_of
from zixly_core.systems.asana.tasks import Task
from zixly_core.workflows.completed_tasks import link_of_task, reason_to_skip

SOURCE = "asana:task:"


class TaskComparison:
    """Tasks of one workspace beside the notes of one portal."""

    is_ordered = False

    def __init__(self, sides: Sides) -> None:
        self._sides = sides
        self._settings = settings_in(AsanaSettings, sides.source.settings, connection_id=sides.source.id).completed_tasks
        portal = partner_of_connection(sides.database, sides.source, system="hubspot")
        self._portal = portal.external_id
        self._asana = sides.clients.asana(sides.source)
        self._hubspot = sides.clients.hubspot(portal)
        self.beginnings = (beginning_of(NOTE_CREATE, account=f"hubspot:{portal.external_id}", source=SOURCE),)

    def changed(self, window: Window) -> Iterator[Sequence[SourceRecord]]:
        known = subscriptions_of(self._sides.database, tenant_id=self._sides.tenant_id, connection_id=self._sides.source.id)
        projects = [one.resource for one in known if one.resource]
        for page in CompletedTasks(self._asana, projects).changed(window):
            yield self._records(self._asana.tasks_by_ids([one.record_id for one in page]))

    def compare(self, targets: Sequence[WrittenTarget]) -> Compared:
        made = made_lately(targets, now=datetime.now(UTC))
        there = self._hubspot.notes_by_ids([one.id for one in made]) if made else {}
        gone = [one for one in made if one.id not in there]
        if not gone:
            return Compared()
        tasks = self._asana.tasks_by_ids([id_in(one.source_key) for one in gone])
        # Of a task that was completed several times the last one counts, and none of a task that is open again.
        now_told = {SOURCE + task.gid: task.completed_at.isoformat() for task in tasks.values() if task.completed and task.completed_at}
        return Compared([one.is_gone(note=one.id) for one in gone if now_told.get(one.source_key) == one.part])

    def _records(self, tasks: Mapping[str, Task]) -> list[SourceRecord]:
        seen = self._sides.seen([SOURCE + gid for gid in tasks])
        return [SourceRecord(SOURCE + gid, gid, task.modified_at, is_due=self._is_due(task, seen)) for gid, task in tasks.items()]

    def _is_due(self, task: Task, seen: Mapping[str, SourceState]) -> bool:
        link = link_of_task(task, self._settings)
        return reason_to_skip(task, link, seen=seen.get(SOURCE + task.gid), portal=self._portal) is None
