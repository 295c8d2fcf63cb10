"""The commands under `zixly connections`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import orjson
import typer

from zixly_cli.deliveries_commands import bridge
from zixly_cli.output import console_for_people

app = typer.Typer(help="Look at connected accounts, and set them up.")
console = console_for_people()


@app.callback(invoke_without_command=True)
def all_(context: typer.Context) -> None:
    """List all connections, unless a command follows."""
    if context.invoked_subcommand is None:
        list_()


@app.command(name="list", epilog="Example: zixly connections list --tenant demo")
def list_(
    tenant: Annotated[str | None, typer.Option(help="Only those of this client.")] = None,
    system: Annotated[str | None, typer.Option(help="Only those of this system, such as xero.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False,
) -> None:
    """List connections with their health: when the token ends, when it was last renewed."""
    from zixly_cli.connect import connection_table, listed

    with bridge() as api:
        rows = listed(api, tenant=tenant, system=system)
    if as_json:
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
    else:
        console.print(connection_table(rows, now=datetime.now(UTC)) if rows else "no connections")


@app.command(name="set", epilog="Example: zixly connections set 0b1c... document=true mapping.xero_last_paid_at=fully_paid_on")
def set_(
    connection: Annotated[str, typer.Argument(help="A connection, as `zixly connections list` names it.", metavar="ID")],
    fields: Annotated[list[str] | None, typer.Argument(help="Fields beside those it has.", metavar="NAME=VALUE...")] = None,
    document: Annotated[str | None, typer.Option("--json", help="The whole settings, as a JSON object.")] = None,
) -> None:
    """Set up a connection: its mappings and choices, checked before they are saved."""
    from zixly_cli.connect import with_settings

    with bridge() as api:
        saved = with_settings(api, connection, pairs=fields or [], document=document)
    typer.echo(orjson.dumps(saved["settings"], option=orjson.OPT_INDENT_2).decode())


@app.command(epilog="Example: zixly connections listen 0b1c... 1203333333333301")
def listen(
    connection: Annotated[str, typer.Argument(help="A connection to Asana, as `zixly connections list` names it.", metavar="ID")],
    resource: Annotated[str, typer.Argument(help="The gid of a project whose tasks are listened to.", metavar="GID")],
) -> None:
    """Have Asana tell of a project's tasks: a worker makes the webhook, which gets a path and a secret of its own."""
    from zixly_cli.connect import listening

    with bridge() as api:
        found = listening(api, connection, resource=resource)
    console.print(f"subscription {found['id']} is {found['status']}" + (f" ({found['external_id']})" if found["external_id"] else ""))
    raise typer.Exit(0 if found["status"] == "ACTIVE" else 1)
