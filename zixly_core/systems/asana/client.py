"""Asana's API for one workspace: everything that the workflows call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from urllib.parse import quote

from zixly_core.errors import RecordGone
from zixly_core.systems.asana.batches import read_action, records_in
from zixly_core.systems.asana.calls import ACTIONS_PER_CALL, AsanaCalls
from zixly_core.systems.asana.fields import gid_of, object_of
from zixly_core.systems.asana.projects import PROJECT_FIELDS, NewProject, Project, project_fields, project_from
from zixly_core.systems.asana.tasks import TASK_FIELDS, NewTask, Task, task_fields, task_from
from zixly_core.systems.asana.webhooks import SECRET, WEBHOOK_FIELDS, Webhook, WebhookFilter, filter_fields, webhook_from
from zixly_core.vendor_api import counted


class AsanaClient(AsanaCalls):
    """One workspace's tasks and projects. Safe to share between threads. All methods raise `Transient` and `Permanent`."""

    def tasks_by_ids(self, gids: Iterable[str]) -> dict[str, Task]:
        """The tasks with these gids, by gid, ten a call. Those that are gone, or that may not be seen, are missing."""
        wanted = iter([gid for gid in dict.fromkeys(gids) if gid.isascii() and gid.isdecimal()])
        tasks: dict[str, Task] = {}
        while some := list(islice(wanted, ACTIONS_PER_CALL)):
            operation = f"read {counted(some, 'tasks')}"
            body = {"data": {"actions": [read_action(f"/tasks/{gid}", fields=TASK_FIELDS) for gid in some]}}
            answer = self._api.post("/batch", operation=operation, body=body, is_read=True)
            found = records_in(self._data(answer, operation=operation)["data"], asked=some, operation=operation)
            tasks.update({task.gid: task for task in map(task_from, found)})
        return tasks

    def task_by_external(self, external_gid: str) -> Task | None:
        """The task that an app made with this external gid; None where there is none. For apps connected by OAuth only. Up to date
        at once, unlike a search."""
        try:
            found = self._get(
                f"/tasks/{quote(f'external:{external_gid}', safe='')}", fields=TASK_FIELDS, operation="look for a task of ours"
            )
        except RecordGone:
            return None
        return task_from(found)

    def tasks_changed_since(self, project_gid: str, since: datetime) -> Iterator[Task]:
        """The tasks of a project that changed at `since` or later, in no particular order."""
        moment = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        params = [("project", project_gid), ("modified_since", moment)]
        operation = f"list changed tasks of project {project_gid}"
        return map(task_from, self._pages("/tasks", params, fields=TASK_FIELDS, operation=operation))

    def create_task(self, task: NewTask) -> Task:
        """Create a task. Asana has no idempotency key: after an error without an answer look with `task_by_external` before creating
        again."""
        operation = f"create a task in project {task.project_gid}"
        return task_from(self._post("/tasks", task_fields(task), fields=TASK_FIELDS, operation=operation)["data"])

    def add_comment(self, task_gid: str, text: str) -> str:
        """Comment on a task; the gid of the comment. Raises `RecordGone` when there is no such task."""
        operation = f"comment on task {task_gid}"
        found = self._post(f"/tasks/{quote(task_gid, safe='')}/stories", {"text": text}, operation=operation)["data"]
        return gid_of(object_of(found, what="a comment"))

    def projects(self, *, archived: bool | None = None) -> Iterator[Project]:
        """The projects of the workspace, the newest last; `archived` chooses one kind. A listing is up to date at once."""
        chosen = [] if archived is None else [("archived", str(archived).lower())]
        params = [("workspace", self._workspace), *chosen]
        found = map(project_from, self._pages("/projects", params, fields=PROJECT_FIELDS, operation="list the projects"))
        return iter(sorted(found, key=lambda project: (project.created_at, project.gid)))

    def create_project(self, project: NewProject) -> Project:
        """Create a project. After an error without an answer look with `projects` for what marks it before creating again."""
        found = self._post("/projects", project_fields(project), fields=PROJECT_FIELDS, operation="create a project")["data"]
        return project_from(found)

    def create_webhook(self, resource: str, target: str, filters: Sequence[WebhookFilter] = ()) -> Webhook:
        """Make a webhook on a project or another record. While this call is open Asana shakes hands with the target, which somebody
        else has to answer; without that it is refused. The answer tells the secret."""
        data: dict[str, object] = {"resource": resource, "target": target, "filters": [filter_fields(one) for one in filters]}
        document = self._post("/webhooks", data, operation=f"make a webhook on {resource}")
        return webhook_from(document["data"], secret=document.get(SECRET))

    def webhooks(self, workspace: str | None = None, *, resource: str | None = None) -> list[Webhook]:
        """The webhooks that this app made in the workspace, or on one of its records. Asana deletes those that fail for 24 h."""
        params = [("workspace", workspace or self._workspace), *([("resource", resource)] if resource else [])]
        return [webhook_from(one) for one in self._pages("/webhooks", params, fields=WEBHOOK_FIELDS, operation="list the webhooks")]

    def delete_webhook(self, gid: str) -> None:
        """Delete a webhook; one that is gone already is no error."""
        try:
            self._api.delete(f"/webhooks/{quote(gid, safe='')}", operation=f"delete webhook {gid}")
        except RecordGone:
            return
