"""Calls about tasks and what hangs on them: subtasks, projects, stories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from zixly_sandbox.asana.answers import Refused, data, unknown
from zixly_sandbox.asana.desk import Visit
from zixly_sandbox.asana.documents import Document, story_document, task_document
from zixly_sandbox.asana.inputs import (
    body_data,
    checked,
    day_value,
    external_value,
    fields_value,
    flag_value,
    milliseconds,
    one,
    page,
    project_of,
    same_workspace,
    task_of,
    text_value,
    user_value,
)
from zixly_sandbox.asana.workspace import Task, Workspace
from zixly_sandbox.http import Answer, Call

READERS: Mapping[str, Callable[[Workspace, Any], Any]] = {
    "name": text_value,
    "notes": text_value,
    "completed": flag_value,
    "due_on": day_value,
    "assignee": user_value,
    "external": external_value,
    "custom_fields": fields_value,
}
NO_SUCH_LIST = "Must specify exactly one of project, tag, section, user task list, or assignee + workspace"


def shown_task(visit: Visit) -> Callable[[Task], Document]:
    return lambda task: task_document(visit.workspace, task)


def list_tasks(call: Call, visit: Visit) -> Answer:
    """Of a project, or of a person in the workspace; `modified_since` and `completed_since` narrow it."""
    project, assignee, workspace = (call.query.get(name) for name in ("project", "assignee", "workspace"))
    if (project is None) == (assignee is None) or (assignee is not None) != (workspace is not None):
        raise Refused(NO_SUCH_LIST)
    if project is not None:
        found = visit.workspace.tasks_in(project_of(visit.workspace, project).gid)
    else:
        same_workspace(visit.workspace, workspace)
        who = user_value(visit.workspace, assignee)
        found = [task for task in visit.workspace.tasks.values() if task.assignee == who]
    return page(call, narrowed(call, found), shown_task(visit))


def tasks_of_project(call: Call, visit: Visit) -> Answer:
    project = project_of(visit.workspace, call.params["project"])
    return page(call, narrowed(call, visit.workspace.tasks_in(project.gid)), shown_task(visit))


def narrowed(call: Call, tasks: list[Task]) -> list[Task]:
    modified, completed = call.query.get("modified_since"), call.query.get("completed_since")
    if modified is not None:
        since = milliseconds(modified, name="modified_since")
        tasks = [task for task in tasks if task.modified_at >= since]
    if completed == "now":
        tasks = [task for task in tasks if not task.completed]
    elif completed is not None:
        since = milliseconds(completed, name="completed_since")
        tasks = [task for task in tasks if not task.completed or (task.completed_at or 0) >= since]
    return tasks


def get_task(call: Call, visit: Visit) -> Answer:
    return one(call, task_document(visit.workspace, task_of(visit.workspace, call.params["task"])))


def create_task(call: Call, visit: Visit) -> Answer:
    """In projects, as a part of another task, or just in the workspace."""
    return created(call, visit, body_data(call))


def create_subtask(call: Call, visit: Visit) -> Answer:
    parent = task_of(visit.workspace, call.params["task"])
    return created(call, visit, {**body_data(call), "parent": parent.gid})


def created(call: Call, visit: Visit, values: dict[str, Any]) -> Answer:
    workspace, rest = visit.workspace, dict(values)
    projects = [project_of(workspace, str(gid)).gid for gid in rest.pop("projects", [])]
    parent = rest.pop("parent", None)
    home = rest.pop("workspace", None)
    if home is not None:
        same_workspace(workspace, home)
    if parent is not None:
        parent = task_of(workspace, str(parent)).gid
    if home is None and not projects and parent is None:
        raise Refused("You should specify one of workspace, parent, projects")
    wanted = checked(rest, READERS, workspace)
    now = visit.desk.clock.milliseconds()
    task = Task(workspace.next_gid(), wanted.get("name", ""), now, now, notes=wanted.get("notes", ""), parent=parent, projects=projects)
    task.due_on, task.assignee, task.external = wanted.get("due_on"), wanted.get("assignee"), wanted.get("external")
    task.values = {gid: text for gid, text in wanted.get("custom_fields", {}).items() if text is not None}
    visit.person.add_task(task)
    if wanted.get("completed"):
        visit.person.change_task(task, {"completed": True})
    visit.record("CREATE", "task", task.gid, values)
    return one(call, task_document(workspace, task), status=201)


def update_task(call: Call, visit: Visit) -> Answer:
    task, values = task_of(visit.workspace, call.params["task"]), body_data(call)
    visit.person.change_task(task, checked(values, READERS, visit.workspace))
    visit.record("UPDATE", "task", task.gid, values)
    return one(call, task_document(visit.workspace, task))


def delete_task(call: Call, visit: Visit) -> Answer:
    task = task_of(visit.workspace, call.params["task"])
    visit.person.remove_task(task)
    visit.record("DELETE", "task", task.gid, {})
    return data({})


def list_subtasks(call: Call, visit: Visit) -> Answer:
    task = task_of(visit.workspace, call.params["task"])
    return page(call, visit.workspace.subtasks(task), shown_task(visit))


def add_project(call: Call, visit: Visit) -> Answer:
    task = task_of(visit.workspace, call.params["task"])
    project = project_of(visit.workspace, str(body_data(call).get("project", "")))
    visit.person.add_to_project(task, project.gid)
    visit.record("UPDATE", "task", task.gid, {"add_project": project.gid})
    return data({})


def remove_project(call: Call, visit: Visit) -> Answer:
    task = task_of(visit.workspace, call.params["task"])
    project = project_of(visit.workspace, str(body_data(call).get("project", "")))
    visit.person.take_from_project(task, project.gid)
    visit.record("UPDATE", "task", task.gid, {"remove_project": project.gid})
    return data({})


def list_stories(call: Call, visit: Visit) -> Answer:
    task = task_of(visit.workspace, call.params["task"])
    return page(call, visit.workspace.stories_of(task), lambda story: story_document(visit.workspace, story))


def create_story(call: Call, visit: Visit) -> Answer:
    """A comment."""
    task, values = task_of(visit.workspace, call.params["task"]), body_data(call)
    wanted = checked(values, {"text": text_value}, visit.workspace)
    if not wanted.get("text"):
        raise Refused("text: Missing input")
    story = visit.person.comment(task, wanted["text"])
    visit.record("CREATE", "story", story.gid, {**values, "task": task.gid})
    return one(call, story_document(visit.workspace, story), status=201)


def get_story(call: Call, visit: Visit) -> Answer:
    story = visit.workspace.stories.get(call.params["story"])
    if story is None:
        raise unknown("story", call.params["story"])
    return one(call, story_document(visit.workspace, story))
