"""The commands under `zixly jobs`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from zixly_cli.deliveries_commands import bridge
from zixly_cli.options import AsJson
from zixly_cli.output import console_for_people, print_json

app = typer.Typer(help="Look at jobs; retry those that failed, cancel those that have not ended.", no_args_is_help=True)
console = console_for_people()

Jobs = Annotated[list[str], typer.Argument(help="Jobs, as `zixly jobs ls` names them.", metavar="ID...")]


@app.command(name="ls", epilog="Example: zixly jobs ls --tenant demo --status FAILED --reason record_gone")
def list_(
    *,
    tenant: Annotated[str | None, typer.Option(help="Only those of this client.")] = None,
    workflow: Annotated[str | None, typer.Option(help="Only those of this workflow, such as xero-invoice-to-hubspot.")] = None,
    status: Annotated[str | None, typer.Option(help="QUEUED, RUNNING, COMPLETED, FAILED or CANCELLED.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only those that failed for this reason.")] = None,
    origin: Annotated[str | None, typer.Option(help="event, backfill, reconciliation, replay, follow-up or manual.")] = None,
    made_by: Annotated[str | None, typer.Option(help="Only those of this replay, backfill, reconciliation or recovery.")] = None,
    record: Annotated[str | None, typer.Option(help="Only those about this record, by its key.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    from zixly_cli.jobs_view import job_table, listed

    wanted = {"tenant": tenant, "workflow": workflow, "reason": reason, "origin": origin, "made_by": made_by, "record": record}
    with bridge() as api:
        found = listed(api, limit=limit, status=status.upper() if status else None, **wanted)
    if as_json:
        print_json(found)
    else:
        console.print(job_table(found, now=datetime.now(UTC)) if found else "no jobs")


@app.command(epilog="Example: zixly jobs show 01a2053d-334d-7f47-92d7-5203fa2f9480")
def show(job: Annotated[str, typer.Argument(help="A job, as `zixly jobs ls` names it.", metavar="ID")], as_json: AsJson = False) -> None:
    """Show one job with its story: attempts, steps, records, effects, run."""
    from zixly_cli.jobs_view import job_line, job_path, story_of
    from zixly_cli.run_workflow import show_job

    with bridge() as api:
        found = api.get(job_path(job))
    if as_json:
        print_json(found)
        return
    console.print(job_line(found), soft_wrap=True)
    for line in story_of(found):
        console.print(line, soft_wrap=True)
    if found["result"] and "would_write" in found["result"]:
        show_job(found, console)


@app.command(epilog="Example: zixly jobs retry 01a2053d-334d-7f47-92d7-5203fa2f9480")
def retry(jobs: Jobs) -> None:
    """Try jobs that ended FAILED once more, each from its last checkpoint. `zixly replay` makes new jobs instead, also of many."""
    change_each(jobs, verb="retry")


@app.command(epilog="Example: zixly jobs cancel 01a2053d-334d-7f47-92d7-5203fa2f9480")
def cancel(jobs: Jobs) -> None:
    """Cancel jobs. One that runs stops between its steps."""
    change_each(jobs, verb="cancel")


def change_each(jobs: list[str], *, verb: str) -> None:
    """One line for each job; the first that cannot be changed ends the command, with what the bridge says about it."""
    from urllib.parse import quote

    with bridge() as api:
        for job in jobs:
            changed = api.post(f"/api/jobs/{quote(job, safe='')}/{verb}")
            console.print(f"job {changed['id']} is {changed['status']}")
