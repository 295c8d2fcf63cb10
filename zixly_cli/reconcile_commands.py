"""The commands under `zixly reconcile`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from zixly_cli.deliveries_commands import bridge
from zixly_cli.options import AsJson
from zixly_cli.output import console_for_people, print_json

app = typer.Typer(help="Compare sources with targets and with our jobs; see what drifted, and repair it.", no_args_is_help=True)
console = console_for_people()

Workflow = Annotated[str | None, typer.Argument(help="Such as xero-invoice-to-hubspot; all that the client has if left out.")]
Id = Annotated[str, typer.Argument(help="A reconciliation, as `zixly reconcile ls` names it.", metavar="ID")]


@app.command(epilog="Example: zixly reconcile run xero-invoice-to-hubspot --tenant demo --full")
def run(
    workflow: Workflow = None,
    *,
    tenant: Annotated[str, typer.Option(help="The client.")],
    full: Annotated[bool, typer.Option("--full", help="Read the last days again, and not only what changed since the last time.")] = False,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How far back --full reads.")] = 30,
    dry: Annotated[bool, typer.Option("--dry-run", help="Only tell: make no jobs for events that never came.")] = False,
    settle: Annotated[int, typer.Option(min=0, help="What changed in the last seconds is left for the next time.")] = 300,
    wait: Annotated[int, typer.Option(min=0, help="Wait at most so many seconds for the end; 0: do not wait.")] = 600,
    as_json: AsJson = False,
) -> None:
    """Compare now, and tell what differs. The nightly one does the same by itself."""
    from zixly_cli.reconciliations import ended, show_report

    asked = {"tenant": tenant, "workflow": workflow, "full": full, "days": days, "dry": dry, "settle_seconds": settle}
    with bridge() as api:
        begun = api.post("/api/reconciliations", asked)["reconciliations"]
        reports = ended(api, [one["id"] for one in begun], wait_seconds=wait)
    if as_json:
        print_json(reports)
        return
    for report in reports:
        show_report(report, console, now=datetime.now(UTC))


@app.command(name="ls", epilog="Example: zixly reconcile ls --tenant demo")
def list_(
    tenant: Annotated[str | None, typer.Option(help="Only those of this client.")] = None,
    workflow: Annotated[str | None, typer.Option(help="Only those of this workflow.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List reconciliations, newest first, with what they found."""
    from zixly_cli.reconciliations import reconciliation_table

    with bridge() as api:
        found = api.get("/api/reconciliations", tenant=tenant, workflow=workflow, limit=limit)["reconciliations"]
    if as_json:
        print_json(found)
    else:
        console.print(reconciliation_table(found, now=datetime.now(UTC)) if found else "no reconciliations")


@app.command(epilog="Example: zixly reconcile show 01a2053d-334d-7f47-92d7-5203fa2f9480")
def show(reconciliation: Id, as_json: AsJson = False) -> None:
    """Show the report of one: counts, and examples with what source and target say."""
    from zixly_cli.reconciliations import report_path, show_report

    with bridge() as api:
        report = api.get(report_path(reconciliation))
    if as_json:
        print_json(report)
    else:
        show_report(report, console, now=datetime.now(UTC))


@app.command(epilog="Example: zixly reconcile repair 01a2053d-334d-7f47-92d7-5203fa2f9480 --kind field_drift")
def repair(
    reconciliation: Id,
    drifts: Annotated[list[str] | None, typer.Option("--drift", help="Only this drift; may be given again.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only missing_event, field_drift or missing_target.")] = None,
) -> None:
    """Repair what a reconciliation found and is still open, each drift once. What was made and is gone is made again: look first."""
    from zixly_cli.reconciliations import report_path

    with bridge() as api:
        done = api.post(f"{report_path(reconciliation)}/repair", {"drift_ids": drifts or None, "kind": kind})
    console.print(f"{done['jobs']} under repair; `zixly reconcile show {reconciliation}` tells how that goes")


@app.command(epilog="Example: zixly reconcile accept 01a2053d-334d-7f47-92d7-5203fa2f9480")
def accept(drift: Annotated[str, typer.Argument(help="A drift, as `zixly reconcile show` names it.", metavar="ID")]) -> None:
    """Leave a drift as it is; it is told again only when its values change."""
    from urllib.parse import quote

    with bridge() as api:
        standing = api.post(f"/api/drifts/{quote(drift, safe='')}/accept")
    console.print(f"drift {standing['id']} is {standing['status']}")
