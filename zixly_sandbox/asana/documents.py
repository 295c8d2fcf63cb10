"""Records as the API shows them: compact in lists, whole when asked for by id, cut to `opt_fields` where those are given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from zixly_sandbox.asana.workspace import CustomField, Project, Story, Task, User, Workspace
from zixly_sandbox.clock import iso_milliseconds

Document = dict[str, Any]

SITE = "https://app.asana.com"
COMPACT = ("gid", "resource_type", "resource_subtype", "name")
# What a story's short form has beside the ids.
COMPACT_STORY = ("created_at", "created_by", "type", "text")


def instant(at: int | None) -> str | None:
    return iso_milliseconds(at) if at is not None else None


def shown(document: Document, fields: Sequence[str] | None, *, whole: bool) -> Document:
    """A record as the caller wants it. Without `fields`: the whole with its partners short, or the short form."""
    if fields is None:
        return {name: short(value) for name, value in document.items()} if whole else short(document)
    found: Document = {"gid": document["gid"]}
    for name, rest in grouped(fields).items():
        if name in document:
            found[name] = part(document[name], rest)
    return found


def grouped(fields: Iterable[str]) -> dict[str, list[str]]:
    """`["assignee.name", "name"]` as `{"assignee": ["name"], "name": []}`. `this.` before a name means the record itself."""
    found: dict[str, list[str]] = {}
    for field in fields:
        head, _, rest = field.strip().removeprefix("this.").partition(".")
        found.setdefault(head, [])
        if rest:
            found[head].append(rest)
    return found


def part(value: Any, fields: Sequence[str]) -> Any:
    """A field's value; of a partner what is named, or its short form."""
    if isinstance(value, list):
        return [part(item, fields) for item in value]
    if not isinstance(value, dict):
        return value
    if not fields:
        return short(value)
    if "gid" in value:
        return shown(value, fields, whole=True)
    return {name: part(value.get(name), rest) for name, rest in grouped(fields).items()}


def short(value: Any) -> Any:
    if isinstance(value, list):
        return [short(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("resource_type") == "custom_field" or "gid" not in value:
        return {name: short(item) for name, item in value.items()}
    if "resource_type" not in value:
        return value
    names = (*COMPACT, *COMPACT_STORY) if value["resource_type"] == "story" else COMPACT
    return {name: short(value[name]) for name in names if name in value}


def user_document(workspace: Workspace, gid: str | None) -> Document | None:
    user = workspace.users.get(gid or "")
    return whole_user(workspace, user) if user else None


def whole_user(workspace: Workspace, user: User) -> Document:
    here = {"gid": workspace.gid, "resource_type": "workspace", "name": workspace.name}
    return {"gid": user.gid, "resource_type": "user", "name": user.name, "email": user.email, "photo": None, "workspaces": [here]}


def workspace_document(workspace: Workspace) -> Document:
    domains = [workspace.me.email.partition("@")[2]]
    return {
        "gid": workspace.gid,
        "resource_type": "workspace",
        "name": workspace.name,
        "is_organization": True,
        "email_domains": domains,
    }


def team_document(workspace: Workspace) -> Document:
    return {"gid": workspace.team, "resource_type": "team", "name": "Delivery"}


def project_document(workspace: Workspace, project: Project) -> Document:
    return {
        "gid": project.gid,
        "resource_type": "project",
        "name": project.name,
        "notes": project.notes,
        "archived": project.archived,
        "color": None,
        "completed": False,
        "completed_at": None,
        "created_at": instant(project.created_at),
        "modified_at": instant(project.modified_at),
        "current_status": None,
        "default_view": "list",
        "due_on": project.due_on,
        "start_on": None,
        "members": [whole_user(workspace, workspace.me)],
        "followers": [whole_user(workspace, workspace.me)],
        "owner": user_document(workspace, project.owner),
        "permalink_url": f"{SITE}/0/{project.gid}",
        "public": True,
        "team": team_document(workspace),
        "workspace": workspace_document(workspace),
    }


def task_document(workspace: Workspace, task: Task) -> Document:
    projects = [project_document(workspace, workspace.projects[gid]) for gid in task.projects if gid in workspace.projects]
    above = workspace.tasks.get(task.parent) if task.parent else None
    return {
        "gid": task.gid,
        "resource_type": "task",
        "resource_subtype": "default_task",
        "name": task.name,
        "notes": task.notes,
        "assignee": user_document(workspace, task.assignee),
        "assignee_status": "upcoming",
        "completed": task.completed,
        "completed_at": instant(task.completed_at),
        "completed_by": user_document(workspace, task.completed_by),
        "created_at": instant(task.created_at),
        "modified_at": instant(task.modified_at),
        "due_at": None,
        "due_on": task.due_on,
        "start_on": None,
        **({"external": {"gid": task.external.gid, "data": task.external.data}} if task.external else {}),
        "custom_fields": [value_document(field, task) for field in workspace.fields.values()],
        "followers": [whole_user(workspace, workspace.me)],
        "hearted": False,
        "hearts": [],
        "liked": False,
        "likes": [],
        "num_hearts": 0,
        "num_likes": 0,
        "memberships": [membership(project) for project in projects],
        "num_subtasks": len(workspace.subtasks(task)),
        "parent": task_reference(above) if above else None,
        "permalink_url": f"{SITE}/0/{task.projects[0] if task.projects else 0}/{task.gid}",
        "projects": projects,
        "tags": [],
        "workspace": workspace_document(workspace),
    }


def task_reference(task: Task) -> Document:
    return {"gid": task.gid, "resource_type": "task", "resource_subtype": "default_task", "name": task.name}


def membership(project: Document) -> Document:
    section = {"gid": f"{project['gid']}9", "resource_type": "section", "name": "Untitled section"}
    return {"project": project, "section": section}


def field_document(field: CustomField) -> Document:
    return {"gid": field.gid, "resource_type": "custom_field", "resource_subtype": "text", "type": "text", "name": field.name}


def value_document(field: CustomField, task: Task) -> Document:
    text = task.values.get(field.gid)
    return {**field_document(field), "enabled": True, "text_value": text, "display_value": text}


def story_document(workspace: Workspace, story: Story) -> Document:
    task = workspace.tasks.get(story.task)
    return {
        "gid": story.gid,
        "resource_type": "story",
        "resource_subtype": story.subtype,
        "type": story.kind,
        "text": story.text,
        "created_at": instant(story.created_at),
        "created_by": user_document(workspace, story.created_by),
        "is_edited": False,
        "is_pinned": False,
        "hearted": False,
        "liked": False,
        "num_hearts": 0,
        "num_likes": 0,
        "source": "api",
        "target": task_reference(task) if task else None,
    }
