"""Calls about projects, users, workspaces, teams and custom fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from zixly_sandbox.asana.answers import Refused, data, unknown
from zixly_sandbox.asana.desk import Visit
from zixly_sandbox.asana.documents import (
    field_document,
    project_document,
    team_document,
    whole_user,
    workspace_document,
)
from zixly_sandbox.asana.inputs import (
    body_data,
    checked,
    day_value,
    flag_value,
    one,
    page,
    project_of,
    same_workspace,
    text_value,
    user_value,
)
from zixly_sandbox.asana.workspace import Project, Workspace
from zixly_sandbox.http import Answer, Call

READERS: Mapping[str, Callable[[Workspace, Any], Any]] = {
    "name": text_value,
    "notes": text_value,
    "due_on": day_value,
    "archived": flag_value,
    "owner": user_value,
}
FLAGS = {"true": True, "false": False}


def list_projects(call: Call, visit: Visit) -> Answer:
    """Oldest first. The workspace is the token's, whether it is named or not."""
    workspace, archived = visit.workspace, call.query.get("archived")
    named = call.params.get("workspace") or call.query.get("workspace")
    if named is not None:
        same_workspace(workspace, named)
    if archived is not None and archived not in FLAGS:
        raise Refused(f"archived: Value is not a boolean: {archived}")
    found = [project for project in workspace.projects.values() if archived is None or project.archived is FLAGS[archived]]
    if (team := call.query.get("team")) is not None:
        found = [project for project in found if project.team == team]
    return page(call, found, lambda project: project_document(workspace, project))


def get_project(call: Call, visit: Visit) -> Answer:
    return one(call, project_document(visit.workspace, project_of(visit.workspace, call.params["project"])))


def create_project(call: Call, visit: Visit) -> Answer:
    """An organisation wants a team as well."""
    values = {**body_data(call)}
    workspace, rest = visit.workspace, dict(values)
    team, home = rest.pop("team", None) or call.params.get("team"), rest.pop("workspace", None) or call.params.get("workspace")
    if home is None and team is None:
        raise Refused("You should specify one of workspace, team")
    if home is not None:
        same_workspace(workspace, home)
    if team is not None and team != workspace.team:
        raise unknown("team", str(team))
    wanted = checked(rest, READERS, workspace)
    if not wanted.get("name"):
        raise Refused("name: Missing input")
    now = visit.desk.clock.milliseconds()
    project = Project(workspace.next_gid(), wanted["name"], now, now, team=team or workspace.team, owner=workspace.me.gid)
    for name in ("notes", "due_on", "archived", "owner"):
        if name in wanted:
            setattr(project, name, wanted[name])
    visit.person.add_project(project)
    visit.record("CREATE", "project", project.gid, values)
    return one(call, project_document(workspace, project), status=201)


def update_project(call: Call, visit: Visit) -> Answer:
    project, values = project_of(visit.workspace, call.params["project"]), body_data(call)
    visit.person.change_project(project, checked(values, READERS, visit.workspace))
    visit.record("UPDATE", "project", project.gid, values)
    return one(call, project_document(visit.workspace, project))


def delete_project(call: Call, visit: Visit) -> Answer:
    project = project_of(visit.workspace, call.params["project"])
    visit.person.remove_project(project)
    visit.record("DELETE", "project", project.gid, {})
    return data({})


def get_user(call: Call, visit: Visit) -> Answer:
    """`me` is who authorised the app."""
    key = call.params["user"]
    user = visit.workspace.users.get(visit.workspace.me.gid if key == "me" else key)
    if user is None:
        raise unknown("user", key)
    return one(call, whole_user(visit.workspace, user))


def list_users(call: Call, visit: Visit) -> Answer:
    return page(call, list(visit.workspace.users.values()), lambda user: whole_user(visit.workspace, user))


def list_workspaces(call: Call, visit: Visit) -> Answer:
    return page(call, [visit.workspace], workspace_document)


def get_workspace(call: Call, visit: Visit) -> Answer:
    same_workspace(visit.workspace, call.params["workspace"])
    return one(call, workspace_document(visit.workspace))


def list_teams(call: Call, visit: Visit) -> Answer:
    same_workspace(visit.workspace, call.params["workspace"])
    return page(call, [visit.workspace], team_document)


def list_custom_fields(call: Call, visit: Visit) -> Answer:
    same_workspace(visit.workspace, call.params["workspace"])
    return page(call, list(visit.workspace.fields.values()), field_document)
