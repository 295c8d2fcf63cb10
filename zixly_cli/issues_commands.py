"""The commands under `zixly issues`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from zixly_cli.deliveries_commands import System, bridge
from zixly_cli.options import AsJson
from zixly_cli.output import console_for_people, print_json

app = typer.Typer(help="Failures by cause: look at them, take them on, replay all jobs of one.")
console = console_for_people()

Issue = Annotated[str, typer.Argument(help="An issue, as `zixly issues ls` names it.", metavar="ID")]
Note = Annotated[str | None, typer.Option(help="For whoever looks next.")]
Tenant = Annotated[str | None, typer.Option(help="Only those of this client.")]


@app.callback(invoke_without_command=True)
def unsettled(context: typer.Context) -> None:
    """List what waits for somebody, unless a command follows."""
    if context.invoked_subcommand is None:
        list_()


@app.command(name="ls", epilog="Example: zixly issues ls --tenant demo --status RESOLVED")
def list_(
    *,
    tenant: Tenant = None,
    system: System = None,
    status: Annotated[str | None, typer.Option(help="OPEN, ACKNOWLEDGED, RESOLVED or IGNORED.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Resolved and ignored ones too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the issues that wait for somebody, the latest seen first."""
    from zixly_cli.issues_view import issue_table, listed

    with bridge() as api:
        found = listed(api, tenant=tenant, system=system, status=status, everything=everything, limit=limit)
    if as_json:
        print_json(found)
    else:
        console.print(issue_table(found, now=datetime.now(UTC)) if found else "no issues")


@app.command(epilog="Example: zixly issues show 01a2053d-334d-7f47-92d7-5203fa2f9480")
def show(issue: Issue, as_json: AsJson = False) -> None:
    """Show one issue: what became of it, some of its jobs, earlier ones of the same cause, what to do."""
    from zixly_cli.issues_view import issue_path, story_of

    with bridge() as api:
        found = api.get(issue_path(issue))
    if as_json:
        print_json(found)
        return
    for line in story_of(found):
        console.print(line, soft_wrap=True)


@app.command(epilog="Example: zixly issues ack 01a2053d-334d-7f47-92d7-5203fa2f9480 --owner mia --note 'asked the client'")
def ack(
    issue: Issue, owner: Annotated[str | None, typer.Option(help="Who takes it on; you, unless told.")] = None, note: Note = None
) -> None:
    """Take an issue on, or give it to somebody."""
    change(issue, "acknowledge", owner=owner, note=note)


@app.command(epilog="Example: zixly issues resolve 01a2053d-334d-7f47-92d7-5203fa2f9480 --note 'done by hand in Xero'")
def resolve(issue: Issue, note: Note = None) -> None:
    """End an issue whose jobs need no replay. Most end by themselves, when a replay succeeds."""
    change(issue, "resolve", note=note)


@app.command(epilog="Example: zixly issues ignore 01a2053d-334d-7f47-92d7-5203fa2f9480 --note 'test records of the client'")
def ignore(issue: Issue, note: Note = None) -> None:
    """Count an issue on, and tell nobody about it."""
    change(issue, "ignore", note=note)


@app.command(epilog="Example: zixly issues reopen 01a2053d-334d-7f47-92d7-5203fa2f9480")
def reopen(issue: Issue, note: Note = None) -> None:
    """Open an issue again that was resolved or ignored."""
    change(issue, "reopen", note=note)


@app.command(epilog="Example: zixly issues replay 01a2053d-334d-7f47-92d7-5203fa2f9480 --rate 60")
def replay(
    issue: Issue,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what the jobs would write.")] = False,
    from_start: Annotated[bool, typer.Option("--from-start", help="From the first step, not from where each was.")] = False,
    rate: Annotated[int | None, typer.Option(min=1, max=60_000, help="How many become due a minute; 600 unless told.")] = None,
    as_json: AsJson = False,
) -> None:
    """Replay what is left of an issue; it ends by itself when all of it succeeded."""
    from zixly_cli.issues_view import issue_path

    with bridge() as api:
        made = api.post(issue_path(issue, verb="replay"), {"dry_run": dry_run, "from_start": from_start, "rate_per_minute": rate})
    if as_json:
        print_json(made)
        return
    rest = f"; {made['left']} are left for another replay" if made["left"] else ""
    console.print(f"replay {made['replay_id']} has {made['jobs']} jobs{rest}")


def change(issue: str, verb: str, **fields: str | None) -> None:
    from zixly_cli.issues_view import issue_path

    with bridge() as api:
        changed = api.post(issue_path(issue, verb=verb), fields)
    owner = f", owner: {changed['owner']}" if changed["owner"] else ""
    console.print(f"issue {changed['id']} is {changed['status']}{owner}")
