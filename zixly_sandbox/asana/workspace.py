"""What a workspace holds. Times are Unix milliseconds, ids are texts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class User:
    gid: str
    name: str
    email: str


@dataclass(slots=True)
class CustomField:
    """A text field of the workspace's tasks."""

    gid: str
    name: str


@dataclass(slots=True)
class External:
    """What the app keeps at a task; only the app sees it."""

    gid: str | None
    data: str | None


@dataclass(slots=True)
class Project:
    gid: str
    name: str
    created_at: int
    modified_at: int
    notes: str = ""
    team: str | None = None
    due_on: str | None = None
    archived: bool = False
    owner: str | None = None


@dataclass(slots=True)
class Task:
    gid: str
    name: str
    created_at: int
    modified_at: int
    notes: str = ""
    completed: bool = False
    completed_at: int | None = None
    completed_by: str | None = None
    assignee: str | None = None
    due_on: str | None = None
    parent: str | None = None
    projects: list[str] = field(default_factory=list)
    external: External | None = None
    values: dict[str, str] = field(default_factory=dict)
    """Custom field -> text."""


@dataclass(slots=True)
class Story:
    """A comment, or what the system notes."""

    gid: str
    task: str
    text: str
    subtype: str
    created_at: int
    created_by: str | None

    @property
    def kind(self) -> str:
        return "comment" if self.subtype == "comment_added" else "system"


class Workspace:
    """All of one workspace."""

    def __init__(self, gid: str, *, name: str, user: User, team: str) -> None:
        self.gid = gid
        self.name = name
        self.team = team
        self.me = user
        self.users = {user.gid: user}
        self.fields: dict[str, CustomField] = {}
        self.projects: dict[str, Project] = {}
        self.tasks: dict[str, Task] = {}
        self.deleted: dict[str, Task] = {}
        self.stories: dict[str, Story] = {}
        self._stories_of: dict[str, list[Story]] = {}
        self._tasks_of: dict[str, dict[str, Task]] = {}
        self._subtasks_of: dict[str, list[str]] = {}
        self._by_external: dict[str, Task] = {}
        self._gids = itertools.count(int(gid) + 9_000_000_000_001)

    def next_gid(self) -> str:
        return str(next(self._gids))

    def keep_project(self, project: Project) -> None:
        self.projects[project.gid] = project

    def keep_task(self, task: Task) -> None:
        self.tasks[task.gid] = task
        self.deleted.pop(task.gid, None)
        for project in task.projects:
            self._tasks_of.setdefault(project, {})[task.gid] = task
        if task.parent:
            self._subtasks_of.setdefault(task.parent, []).append(task.gid)
        self.index_external(task)

    def index_external(self, task: Task) -> None:
        """The first task with an external id is found by it."""
        if task.external is not None and task.external.gid:
            self._by_external.setdefault(task.external.gid, task)

    def forget_external(self, task: Task) -> None:
        if task.external is not None and task.external.gid and self._by_external.get(task.external.gid) is task:
            del self._by_external[task.external.gid]

    def put_in_project(self, task: Task, project: str) -> None:
        task.projects.append(project)
        self._tasks_of.setdefault(project, {})[task.gid] = task

    def take_out_of_project(self, task: Task, project: str) -> None:
        task.projects.remove(project)
        self._tasks_of.get(project, {}).pop(task.gid, None)

    def remove_task(self, task: Task) -> None:
        """Into the bin: no call finds it any more."""
        self.forget_external(task)
        self.tasks.pop(task.gid, None)
        self.deleted[task.gid] = task
        for project in task.projects:
            self._tasks_of.get(project, {}).pop(task.gid, None)
        if task.parent and task.gid in self._subtasks_of.get(task.parent, []):
            self._subtasks_of[task.parent].remove(task.gid)

    def find_task(self, key: str) -> Task | None:
        """By gid, or as `external:{gid}`."""
        if key.startswith("external:"):
            return self._by_external.get(key.removeprefix("external:"))
        return self.tasks.get(key)

    def tasks_in(self, project: str) -> list[Task]:
        return list(self._tasks_of.get(project, {}).values())

    def subtasks(self, task: Task) -> list[Task]:
        return [self.tasks[gid] for gid in self._subtasks_of.get(task.gid, [])]

    def keep_story(self, story: Story) -> None:
        self.stories[story.gid] = story
        self._stories_of.setdefault(story.task, []).append(story)

    def stories_of(self, task: Task) -> list[Story]:
        return self._stories_of.get(task.gid, [])

    def upwards(self, task: Task) -> Iterator[str]:
        """The resources that hear of the task: itself, its projects, and the same for the task it is a part of."""
        yield task.gid
        yield from task.projects
        above = self.tasks.get(task.parent) if task.parent else None
        if above is not None:
            yield from self.upwards(above)
