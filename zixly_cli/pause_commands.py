"""`zixly pause`, `zixly resume` and the commands under `zixly priority`: what waits, and what goes first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from zixly_cli.deliveries_commands import bridge
from zixly_cli.options import AsJson
from zixly_cli.output import console_for_people, print_json

priority_app = typer.Typer(help="Choose which jobs go first: a workflow's, a client's, or one by hand.", no_args_is_help=True)
console = console_for_people()

What = Annotated[str | None, typer.Argument(help="tenant, system, workflow or connection.", metavar="WHAT")]
Name = Annotated[str | None, typer.Argument(help="A client's short name, a system, a workflow, or a connection's id.", metavar="NAME")]
OfWhat = Annotated[str, typer.Argument(help="workflow, tenant or job.", metavar="WHAT")]
Named = Annotated[str, typer.Argument(help="A workflow, a client's short name, or a job's id.", metavar="NAME")]
ForTenant = Annotated[str | None, typer.Option(help="Of a workflow: only this client's jobs.")]


def pause(
    what: What = None,
    name: Name = None,
    reason: Annotated[str | None, typer.Option(help="Why, for whoever looks next. No personal data.")] = None,
    until: Annotated[str | None, typer.Option(help="When it ends by itself: 06:00, 2h, 45m, or 2026-11-28T06:00+10:00.")] = None,
    as_json: AsJson = False,
) -> None:
    """Pause a client, a system, a workflow or a connection; without a name, list what is paused.

    Deliveries are received all the while. Jobs that run end; the others wait, in their order.
    """
    from zixly_cli.pauses import begun, listed, moment_of, pause_table

    now = datetime.now(UTC)
    with bridge() as api:
        if what is not None:
            begun(api, what, name, reason=reason, until=moment_of(until, now=now.astimezone()) if until else None)
        found = listed(api)
    if as_json:
        print_json(found)
    else:
        console.print(pause_table(found, now=now) if found else "nothing is paused")


def resume(
    what: Annotated[str, typer.Argument(help="tenant, system, workflow or connection.", metavar="WHAT")],
    name: Annotated[str, typer.Argument(help="As `zixly pause` lists it.", metavar="NAME")],
) -> None:
    """End a pause: what waited is worked off in its old order."""
    from zixly_cli.pauses import ended

    with bridge() as api:
        console.print(f"{what} {name} goes on" if ended(api, what, name) else f"{what} {name} was not paused")


@priority_app.command(name="list", epilog="Example: zixly priority list --json")
def priorities(as_json: AsJson = False) -> None:
    """List the priorities that people chose; where nobody did, each workflow's own holds."""
    from zixly_cli.pauses import priority_table

    with bridge() as api:
        found = api.get("/api/priorities")["priorities"]
    if as_json:
        print_json(found)
    else:
        console.print(priority_table(found) if found else "nobody chose any")


@priority_app.command(name="set", epilog="Example: zixly priority set workflow xero-invoice-to-hubspot high --tenant demo")
def set_(
    what: OfWhat,
    name: Named,
    priority: Annotated[str, typer.Argument(help="high, normal or low.", metavar="PRIORITY")],
    tenant: ForTenant = None,
) -> None:
    """Choose a priority; jobs that wait take it at once, and high ones overtake whatever waits."""
    from zixly_cli.pauses import chosen

    with bridge() as api:
        console.print(f"{chosen(api, what, name, priority=priority, tenant=tenant)} waiting jobs are {priority} now")


@priority_app.command(epilog="Example: zixly priority clear tenant demo")
def clear(
    what: Annotated[str, typer.Argument(help="workflow or tenant.", metavar="WHAT")],
    name: Annotated[str, typer.Argument(help="A workflow, or a client's short name.", metavar="NAME")],
    tenant: ForTenant = None,
) -> None:
    """Take a choice back: the next wider one holds, and in the end the workflow's own."""
    from zixly_cli.pauses import chosen

    with bridge() as api:
        console.print(f"{chosen(api, what, name, priority=None, tenant=tenant)} waiting jobs changed their priority")
