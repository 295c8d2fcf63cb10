"""What people and apps do in a workspace, and the events that tell of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from zixly_sandbox.asana.events import Event, Reference, project_reference, story_reference, task_reference
from zixly_sandbox.asana.workspace import External, Project, Story, Task, Workspace
from zixly_sandbox.clock import Clock


class Person:
    """Acts in one workspace. `tell` hears of each event."""

    def __init__(self, workspace: Workspace, *, clock: Clock, tell: Callable[[Event], None], user: str) -> None:
        self._workspace = workspace
        self._clock = clock
        self._tell = tell
        self._user = user

    @property
    def now(self) -> int:
        return self._clock.milliseconds()

    def add_project(self, project: Project) -> None:
        self._workspace.keep_project(project)
        self._send("added", project_reference(project.gid), heard_by=(project.gid, self._workspace.gid), parent=None)

    def change_project(self, project: Project, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            setattr(project, name, value)
            change = {"field": name, "action": "changed"}
            self._send("changed", project_reference(project.gid), heard_by=(project.gid, self._workspace.gid), parent=None, change=change)
        project.modified_at = self.now

    def remove_project(self, project: Project) -> None:
        self._workspace.projects.pop(project.gid)
        self._send("deleted", project_reference(project.gid), heard_by=(project.gid, self._workspace.gid), parent=None)

    def add_task(self, task: Task) -> None:
        """A new task, once for each project it is in, or as a part of another."""
        self._workspace.keep_task(task)
        parents = [project_reference(gid) for gid in task.projects]
        if task.parent is not None:
            parents.append(task_reference(self._workspace.tasks[task.parent]))
        if not parents:
            self._task_event("added", task)
        for parent in parents:
            self._task_event("added", task, parent=parent)

    def change_task(self, task: Task, values: Mapping[str, Any]) -> None:
        """Set what differs; each field has an event of its own. `completed` comes without its value."""
        for name, value in values.items():
            if name == "completed":
                self._complete(task, is_done=bool(value))
            elif name == "custom_fields":
                self._set_fields(task, value)
            elif name == "external":
                self._set_external(task, value)
            elif getattr(task, name) != value:
                setattr(task, name, value)
                partner = {"gid": value, "resource_type": "user"} if name == "assignee" and value else None
                self._task_changed(task, name, new_value=partner)

    def remove_task(self, task: Task) -> None:
        for part in self._workspace.subtasks(task):
            self.remove_task(part)
        heard_by = frozenset(self._workspace.upwards(task))
        self._workspace.remove_task(task)
        self._send("deleted", task_reference(task), heard_by=tuple(heard_by), parent=None)

    def restore_task(self, task: Task) -> None:
        self._workspace.keep_task(task)
        self._task_event("undeleted", task)

    def add_to_project(self, task: Task, project: str) -> None:
        if project not in task.projects:
            self._workspace.put_in_project(task, project)
            self._touch(task)
            self._task_event("added", task, parent=project_reference(project))

    def take_from_project(self, task: Task, project: str) -> None:
        if project in task.projects:
            heard_by = tuple(self._workspace.upwards(task))
            self._workspace.take_out_of_project(task, project)
            self._touch(task)
            self._send("removed", task_reference(task), heard_by=heard_by, parent=project_reference(project))

    def comment(self, task: Task, text: str) -> Story:
        return self._add_story(task, text, subtype="comment_added")

    def _complete(self, task: Task, *, is_done: bool) -> None:
        if task.completed == is_done:
            return
        task.completed = is_done
        task.completed_at, task.completed_by = (self.now, self._user) if is_done else (None, None)
        self._task_changed(task, "completed")
        words = ("marked this task complete", "marked_complete") if is_done else ("marked this task incomplete", "marked_incomplete")
        self._add_story(task, words[0], subtype=words[1])

    def _set_fields(self, task: Task, values: Mapping[str, str | None]) -> None:
        for gid, value in values.items():
            if value is None:
                task.values.pop(gid, None)
            else:
                task.values[gid] = value
            field = {"gid": gid, "resource_type": "custom_field", "resource_subtype": "text"}
            self._task_changed(task, "custom_fields", new_value=field)

    def _set_external(self, task: Task, value: External | None) -> None:
        self._workspace.forget_external(task)
        task.external = value
        self._workspace.index_external(task)
        self._touch(task)

    def _add_story(self, task: Task, text: str, *, subtype: str) -> Story:
        story = Story(self._workspace.next_gid(), task.gid, text, subtype, self.now, self._user)
        self._workspace.keep_story(story)
        self._touch(task)
        heard_by = (story.gid, *self._workspace.upwards(task))
        self._send("added", story_reference(story), heard_by=heard_by, parent=task_reference(task))
        return story

    def _task_changed(self, task: Task, field: str, *, new_value: Reference | None = None) -> None:
        self._touch(task)
        change: dict[str, Any] = {"field": field, "action": "changed"}
        if new_value is not None:
            change["new_value"] = new_value
        self._task_event("changed", task, change=change)

    def _task_event(self, action: str, task: Task, *, parent: Reference | None = None, change: Mapping[str, Any] | None = None) -> None:
        self._send(action, task_reference(task), heard_by=tuple(self._workspace.upwards(task)), parent=parent, change=change)

    def _send(
        self,
        action: str,
        resource: Reference,
        *,
        heard_by: tuple[str, ...],
        parent: Reference | None,
        change: Mapping[str, Any] | None = None,
    ) -> None:
        self._tell(Event(action, resource, parent, change, self._user, self.now, frozenset(heard_by)))

    def _touch(self, task: Task) -> None:
        task.modified_at = max(task.modified_at + 1, self.now)
