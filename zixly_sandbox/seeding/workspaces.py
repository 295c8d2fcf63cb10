"""The workspaces' data: a project of onboarding tasks, each of which says which deal or contact it belongs to."""

from __future__ import annotations

from random import Random

import orjson

from zixly_sandbox import constants
from zixly_sandbox.asana.workspace import CustomField, External, Project, Task, User, Workspace
from zixly_sandbox.constants import DEMO, Client

DAY_MS = 86_400_000
# The text field in which people write the HubSpot record that a task is about: `deal:17812345601`.
FIELD = "HubSpot record"
STEPS = ("Kick-off call", "Collect access data", "Set up the invoice template", "Import contacts", "Schulung planen", "引き継ぎ", "Go live")


def seeded_workspace(client: Client, *, random: Random, now: int) -> Workspace:
    """A client's workspace."""
    is_demo = client == DEMO
    robin = User("1201111111111111" if is_demo else "1201111111111112", "Robin Keller", f"robin@{client.slug}.example.test")
    workspace = Workspace(client.workspace, name=client.name, user=robin, team=f"120000000000{'1001' if is_demo else '1002'}")
    field = CustomField(f"120444444444440{1 if is_demo else 2}", FIELD)
    workspace.fields[field.gid] = field
    project = Project(client.project, "Onboarding", now - 60 * DAY_MS, now - DAY_MS, team=workspace.team, owner=robin.gid)
    workspace.keep_project(project)
    if is_demo:
        workspace.keep_task(known_task(project, robin, field=field, now=now))
    add_tasks(workspace, project, steps=STEPS, random=random, now=now)
    return workspace


def known_task(project: Project, user: User, *, field: CustomField, now: int) -> Task:
    """The task that the recorded deliveries name; it belongs to the demo's deal."""
    task = Task(constants.TASK, "Onboard Analytical Engines", now - 10 * DAY_MS, now - DAY_MS, projects=[project.gid])
    task.notes, task.assignee, task.due_on = f"Deal {constants.DEAL}", user.gid, "2026-12-01"
    task.values[field.gid] = f"deal:{constants.DEAL}"
    task.external = External(f"hubspot-deal-{constants.DEAL}", orjson.dumps({"deal": int(constants.DEAL)}).decode())
    return task


def add_tasks(workspace: Workspace, project: Project, *, steps: tuple[str, ...], random: Random, now: int) -> list[Task]:
    """A task for each step; some are about Ada's or Grace's contact, some about nothing that we know."""
    field = next(iter(workspace.fields))
    made: list[Task] = []
    for step in steps:
        at = now - random.randrange(1, 50) * DAY_MS
        task = Task(workspace.next_gid(), step, at, at, projects=[project.gid], assignee=workspace.me.gid)
        contact = random.choice((constants.ADA_IN_HUBSPOT, constants.GRACE_IN_HUBSPOT, None))
        if contact is not None:
            task.values[field] = f"contact:{contact}"
        workspace.keep_task(task)
        made.append(task)
    return made
