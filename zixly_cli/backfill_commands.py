"""`zixly backfill`: have a workflow do for the past what it would have done at the webhooks, and watch it."""

from __future__ import annotations

from typing import Annotated

import typer

from zixly_cli.default_command import WithDefaultCommand
from zixly_cli.deliveries_commands import bridge
from zixly_cli.options import AsJson
from zixly_cli.output import console_for_people, print_json

app = typer.Typer(
    cls=WithDefaultCommand,
    help="Do for the past what the webhook would have done: WORKFLOW --tenant --from --to, or one of the commands.",
    no_args_is_help=True,
    epilog="Example: zixly backfill xero-invoice-to-hubspot --tenant demo --from 2026-11-01 --to 2026-11-20 --dry-run",
)
console = console_for_people()

Id = Annotated[str, typer.Argument(help="A backfill, as `zixly backfill ls` names it.", metavar="ID")]


@app.command(
    hidden=True, epilog="Example: zixly backfill xero-invoice-to-hubspot --tenant demo --from 2026-11-01 --to 2026-11-20 --dry-run"
)
def start(
    *,
    workflow: Annotated[str, typer.Argument(help="Such as xero-invoice-to-hubspot.", metavar="WORKFLOW")],
    tenant: Annotated[str, typer.Option(help="The client's short name.")],
    first: Annotated[str, typer.Option("--from", help="The first day, by the client's clock, such as 2026-11-01.", metavar="DAY")],
    last: Annotated[str, typer.Option("--to", help="The last day, included.", metavar="DAY")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell: how many records, and differences of the first ones.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Stay and show the progress until it ends.")] = False,
    connection: Annotated[str | None, typer.Option(help="The account, where the client has several.", metavar="ID")] = None,
    as_json: AsJson = False,
) -> None:
    """Begin a backfill. A record counts to the day of its last change; repeating a backfill changes nothing."""
    from zixly_cli.backfills import day_from, followed, new_backfill

    wanted = {"first_day": day_from(first, option="--from"), "last_day": day_from(last, option="--to")}
    with bridge() as api:
        made = new_backfill(api, {**wanted, "workflow": workflow, "tenant": tenant, "dry_run": dry_run, "connection_id": connection})
        if not as_json:
            console.print(f"backfill {made['id']}")
        if follow or dry_run:
            made = followed(api, made["id"], console=None if as_json else console)
    end(made, as_json=as_json, is_followed=follow or dry_run)


@app.command(name="ls", epilog="Example: zixly backfill ls --tenant demo")
def list_(
    tenant: Annotated[str | None, typer.Option(help="Only those of this client.")] = None,
    status: Annotated[str | None, typer.Option(help="WANTED, RUNNING, STOPPED, DONE or FAILED.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List backfills, newest first."""
    from zixly_cli.backfills import backfill_table

    with bridge() as api:
        found = api.get("/api/backfills", tenant=tenant, status=status.upper() if status else None, limit=limit)["backfills"]
    if as_json:
        print_json(found)
    else:
        console.print(backfill_table(found) if found else "no backfills")


@app.command(epilog="Example: zixly backfill show 01a2053d-334d-7f47-92d7-5203fa2f9480 --follow")
def show(
    backfill: Id,
    follow: Annotated[bool, typer.Option("--follow", help="Stay and show the progress until it ends.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one backfill: its days, its progress, the time left; of a dry run, what it would write."""
    from zixly_cli.backfills import followed, one

    with bridge() as api:
        found = followed(api, backfill, console=None if as_json else console) if follow else one(api, backfill)
    end(found, as_json=as_json, is_followed=follow)


@app.command(epilog="Example: zixly backfill stop 01a2053d-334d-7f47-92d7-5203fa2f9480")
def stop(backfill: Id) -> None:
    """Stop a backfill: no further day is read, and jobs that no run has in hand are cancelled."""
    from zixly_cli.backfills import stopped

    with bridge() as api:
        done = stopped(api, backfill)
    console.print(f"backfill {done['id']} is stopped; {done['jobs_cancelled']} waiting jobs were cancelled")


def end(found: dict[str, object], *, as_json: bool, is_followed: bool) -> None:
    """Print it. The exit status is 1 when it was followed to an end that is not good."""
    from zixly_cli.backfills import show_backfill

    if as_json:
        print_json(found)
    else:
        show_backfill(found, console)
    if is_followed and (found["status"] != "DONE" or (found["jobs_failed"] and not found["dry_run"])):
        raise typer.Exit(1)
