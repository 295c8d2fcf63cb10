"""The commands under `zixly audit`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from zixly_cli.deliveries_commands import bridge
from zixly_cli.output import console_for_people, print_json

app = typer.Typer(help="See who did or saw what, when, and from where.", no_args_is_help=True)
console = console_for_people()

Tenant = Annotated[str | None, typer.Option(help="Only this client's.")]
Actor = Annotated[str | None, typer.Option(help="Only of this person, token or part, as the log names it.")]
Action = Annotated[str | None, typer.Option(help="Only this, such as job.retry, or job for everything done with jobs.")]
Subject = Annotated[str | None, typer.Option(help="Only what was done with this: an id or a short name.")]
Since = Annotated[datetime | None, typer.Option(help="Not before this moment, of this machine's time zone.")]
Until = Annotated[datetime | None, typer.Option(help="Before this moment.")]


@app.command(epilog="Example: zixly audit ls --action replay --since 2026-11-01")
def ls(
    *,
    tenant: Tenant = None,
    actor: Actor = None,
    action: Action = None,
    subject: Subject = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False,
) -> None:
    """List what was done and looked at, the latest first."""
    from zixly_cli.audit import audit_table

    wanted = question(tenant=tenant, actor=actor, action=action, subject=subject, since=since, until=until)
    with bridge() as api:
        found = api.get("/api/audit", limit=limit, **wanted)["entries"]
    if as_json:
        print_json(found)
    else:
        console.print(audit_table(found) if found else "nothing")


@app.command(epilog="Example: zixly audit export --to november.csv --since 2026-11-01 --until 2026-12-01")
def export(
    *,
    to: Annotated[Path, typer.Option(help="The file to write, .csv or .json (one object a line); it must not be there yet.")],
    tenant: Tenant = None,
    actor: Actor = None,
    action: Action = None,
    subject: Subject = None,
    since: Since = None,
    until: Until = None,
) -> None:
    """Hand the log out as a file. That you did is a line of the log, too."""
    wanted = question(tenant=tenant, actor=actor, action=action, subject=subject, since=since, until=until)
    kind = "json" if to.suffix in {".json", ".jsonl", ".ndjson"} else "csv"
    with bridge() as api:
        api.download("/api/audit/export", to, method="GET", params={"format": kind, **wanted})
    console.print(f"the log is in {to}", soft_wrap=True)


def question(*, since: datetime | None, until: datetime | None, **words: str | None) -> dict[str, Any]:
    """The parameters that are meant; moments with this machine's time zone."""
    moments = {"since": since, "until": until}
    asked = {name: moment.astimezone().isoformat() for name, moment in moments.items() if moment is not None}
    return asked | {name: word for name, word in words.items() if word is not None}
