"""`/_sandbox/asana`: what people do in a workspace, and its webhooks. Each change sends the events that tell of it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from zixly_sandbox.asana.changes import Person
from zixly_sandbox.asana.desk import Account
from zixly_sandbox.asana.documents import project_document, story_document, task_document
from zixly_sandbox.asana.workspace import External, Project, Task
from zixly_sandbox.sandbox import Sandbox
from zixly_sandbox.seeding.workspaces import STEPS, add_tasks


class NewTask(BaseModel):
    """A task in a project (the workspace's first one where it is left out)."""

    name: str = "Call back"
    notes: str = ""
    project: str | None = None
    parent: str | None = None
    external_gid: str | None = None
    external_data: str | None = None
    custom_fields: dict[str, str] = Field(default_factory=dict)
    """By the fields' names or ids."""
    count: int = Field(default=1, ge=1, le=10_000)


class TaskChange(BaseModel):
    """New values; what is left out stays."""

    name: str | None = None
    notes: str | None = None
    due_on: str | None = None
    custom_fields: dict[str, str] | None = None


class SeedTasks(BaseModel):
    """More tasks; no event tells of them."""

    tasks: int = Field(default=0, ge=0, le=100_000)


def asana_router(sandbox: Sandbox) -> APIRouter:
    router = APIRouter(prefix="/asana/{workspace}", tags=["asana"])
    add_looks(router, sandbox)
    add_changes(router, sandbox)
    return router


def add_looks(router: APIRouter, sandbox: Sandbox) -> None:
    @router.get("")
    async def workspace(workspace: str) -> dict[str, Any]:
        """Projects, sizes, custom fields and webhooks of the workspace."""
        account = account_of(sandbox, workspace)
        found = account.workspace
        return {
            "gid": found.gid,
            "projects": [{"gid": item.gid, "name": item.name, "tasks": len(found.tasks_in(item.gid))} for item in found.projects.values()],
            "custom_fields": [{"gid": item.gid, "name": item.name} for item in found.fields.values()],
            "tasks": len(found.tasks),
            "webhooks": [item.document() for item in account.hooks.found.values()],
        }

    @router.get("/tasks/{task}")
    async def task(workspace: str, task: str) -> dict[str, Any]:
        """The task with all its fields and stories, without counting as a call; also as `external:{gid}`."""
        found = account_of(sandbox, workspace).workspace
        one = task_in(account_of(sandbox, workspace), task)
        return {**task_document(found, one), "stories": [story_document(found, story) for story in found.stories_of(one)]}

    @router.get("/projects/{project}")
    async def project(workspace: str, project: str) -> dict[str, Any]:
        """The project and the names of its tasks, without counting as a call."""
        account = account_of(sandbox, workspace)
        found = project_in(account, project)
        return {**project_document(account.workspace, found), "tasks": [item.name for item in account.workspace.tasks_in(found.gid)]}


def add_changes(router: APIRouter, sandbox: Sandbox) -> None:
    @router.post("/seed")
    async def seed(workspace: str, body: SeedTasks) -> dict[str, Any]:
        """More tasks in the first project; answers `task_gids`."""
        account = account_of(sandbox, workspace)
        steps = tuple(f"{STEPS[number % len(STEPS)]} {number}" for number in range(body.tasks))
        now = sandbox.clock.milliseconds()
        made = add_tasks(account.workspace, first_project(account), steps=steps, random=sandbox.random, now=now)
        return {"task_gids": [item.gid for item in made]}

    @router.post("/tasks", status_code=201)
    async def create(workspace: str, body: NewTask) -> dict[str, Any]:
        """A person makes tasks; answers the last one, and `task_gids`."""
        account = account_of(sandbox, workspace)
        made = [new_task(sandbox, account, body) for _ in range(body.count)]
        return {**task_document(account.workspace, made[-1]), "task_gids": [task.gid for task in made]}

    @router.patch("/tasks/{task}")
    async def change(workspace: str, task: str, body: TaskChange) -> dict[str, Any]:
        """A person changes a task."""
        account = account_of(sandbox, workspace)
        found, values = task_in(account, task), body.model_dump(exclude_none=True)
        if body.custom_fields is not None:
            values["custom_fields"] = named_fields(account, body.custom_fields)
        person_of(sandbox, account).change_task(found, values)
        return task_document(account.workspace, found)

    @router.post("/tasks/{task}/complete")
    async def complete(workspace: str, task: str) -> dict[str, Any]:
        """A person completes a task: `completed` changed, without its value."""
        return completed(sandbox, workspace, task, is_done=True)

    @router.post("/tasks/{task}/reopen")
    async def reopen(workspace: str, task: str) -> dict[str, Any]:
        """A person opens a task again: the same event as when it was completed."""
        return completed(sandbox, workspace, task, is_done=False)

    @router.post("/tasks/{task}/comments", status_code=201)
    async def comment(workspace: str, task: str, text: str = "Done?") -> dict[str, Any]:
        """A person comments on a task."""
        account = account_of(sandbox, workspace)
        return story_document(account.workspace, person_of(sandbox, account).comment(task_in(account, task), text))

    @router.delete("/tasks/{task}", status_code=204)
    async def remove(workspace: str, task: str) -> None:
        """A person puts a task into the bin."""
        account = account_of(sandbox, workspace)
        person_of(sandbox, account).remove_task(task_in(account, task))

    @router.post("/tasks/{task}/restore")
    async def restore(workspace: str, task: str) -> dict[str, Any]:
        """A person takes a task out of the bin."""
        account = account_of(sandbox, workspace)
        found = account.workspace.deleted.get(task)
        if found is None:
            raise HTTPException(404, f"There is no deleted task {task}.")
        person_of(sandbox, account).restore_task(found)
        return task_document(account.workspace, found)


def account_of(sandbox: Sandbox, workspace: str) -> Account:
    found = sandbox.asana.accounts.get(workspace)
    if found is None:
        raise HTTPException(404, f"There is no workspace {workspace}.")
    return found


def person_of(sandbox: Sandbox, account: Account) -> Person:
    return account.person(sandbox.clock)


def task_in(account: Account, key: str) -> Task:
    found = account.workspace.find_task(key)
    if found is None:
        raise HTTPException(404, f"There is no task {key}.")
    return found


def project_in(account: Account, gid: str) -> Project:
    found = account.workspace.projects.get(gid)
    if found is None:
        raise HTTPException(404, f"There is no project {gid}.")
    return found


def first_project(account: Account) -> Project:
    return next(iter(account.workspace.projects.values()))


def named_fields(account: Account, values: dict[str, str]) -> dict[str, str]:
    """Values by the fields' ids."""
    known = {**{field.name: field.gid for field in account.workspace.fields.values()}, **{gid: gid for gid in account.workspace.fields}}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise HTTPException(422, f"There are no custom fields {unknown}.")
    return {known[name]: value for name, value in values.items()}


def new_task(sandbox: Sandbox, account: Account, body: NewTask) -> Task:
    now = sandbox.clock.milliseconds()
    projects = [project_in(account, body.project).gid if body.project else first_project(account).gid] if body.parent is None else []
    task = Task(account.workspace.next_gid(), body.name, now, now, notes=body.notes, projects=projects)
    task.parent = task_in(account, body.parent).gid if body.parent else None
    task.values = named_fields(account, body.custom_fields)
    if body.external_gid or body.external_data:
        task.external = External(body.external_gid, body.external_data)
    person_of(sandbox, account).add_task(task)
    return task


def completed(sandbox: Sandbox, workspace: str, key: str, *, is_done: bool) -> dict[str, Any]:
    account = account_of(sandbox, workspace)
    found = task_in(account, key)
    person_of(sandbox, account).change_task(found, {"completed": is_done})
    return task_document(account.workspace, found)
