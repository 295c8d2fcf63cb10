"""The commands under `zixly watch`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from zixly_cli.deliveries_commands import bridge
from zixly_cli.options import AsJson
from zixly_cli.output import console_for_people, print_json

app = typer.Typer(help="See whether webhooks still come, and what was missed and made good.", no_args_is_help=True)
console = console_for_people()

Tenant = Annotated[str | None, typer.Option(help="Only this client's.")]
System = Annotated[str | None, typer.Option(help="Only this system's, such as xero.")]


@app.command(name="ls", epilog="Example: zixly watch ls --tenant demo")
def list_(tenant: Tenant = None, system: System = None, as_json: AsJson = False) -> None:
    """List connections with what the last look at their webhooks came to."""
    from zixly_cli.watching import watched, watched_table

    with bridge() as api:
        rows = watched(api, tenant=tenant, system=system)
    if as_json:
        print_json(rows)
    else:
        console.print(watched_table(rows, now=datetime.now(UTC)) if rows else "no connections to vendors with webhooks")


@app.command(epilog="Example: zixly watch run --tenant demo --system shopify")
def run(
    tenant: Tenant = None,
    system: System = None,
    wait: Annotated[int, typer.Option(min=0, help="Wait at most so many seconds for the end; 0: do not wait.")] = 120,
    as_json: AsJson = False,
) -> None:
    """Look at webhooks now: subscribe again what a vendor deleted, read what was missed, and have it done.

    The exit status is 1 while a webhook is lost, silent or failing, or a vendor could not be asked.
    """
    from zixly_cli.watching import IN_ORDER, looked_at, watched_table

    with bridge() as api:
        rows = looked_at(api, tenant=tenant, system=system, wait_seconds=wait)
    if as_json:
        print_json(rows)
    else:
        console.print(watched_table(rows, now=datetime.now(UTC)) if rows else "no connections to vendors with webhooks")
    raise typer.Exit(0 if wait == 0 or all(row["watch_state"] in IN_ORDER for row in rows) else 1)


@app.command(epilog="Example: zixly watch holes --open")
def holes(
    tenant: Tenant = None,
    system: System = None,
    only_open: Annotated[bool, typer.Option("--open", help="Only those that are not made good.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List times for which events were missing, the latest first, with what was made good."""
    from zixly_cli.watching import hole_table

    with bridge() as api:
        status = "OPEN" if only_open else None
        found = api.get("/api/holes", tenant=tenant, system=system, status=status, limit=limit)["holes"]
    if as_json:
        print_json(found)
    else:
        console.print(hole_table(found, now=datetime.now(UTC)) if found else "no holes")
