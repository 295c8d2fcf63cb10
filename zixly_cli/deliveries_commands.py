"""The commands under `zixly deliveries`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from zixly_cli.options import AsJson
from zixly_cli.output import console_for_people, print_json

if TYPE_CHECKING:
    from zixly_cli.bridge_api import BridgeApi

app = typer.Typer(help="Look at what came, and have rejected deliveries verified again.", no_args_is_help=True)
console = console_for_people()

System = Annotated[str | None, typer.Option(help="Only those of this system, such as hubspot.")]


@app.command(name="list", epilog="Example: zixly deliveries list --verdict rejected")
def list_(
    system: System = None,
    verdict: Annotated[str | None, typer.Option(help="accepted, duplicate, handshake, rejected or unroutable.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List deliveries, newest first."""
    from zixly_cli.kept_deliveries import delivery_table, listed

    with bridge() as api:
        found = listed(api, system=system, verdict=verdict, limit=limit)
    if as_json:
        print_json(found)
    else:
        console.print(delivery_table(found) if found else "no deliveries")


@app.command(epilog="Example: zixly deliveries show 01a2053d-334d-7f47-92d7-5203fa2f9480 --body")
def show(
    delivery: Annotated[str, typer.Argument(help="A delivery, as `zixly deliveries list` names it.", metavar="ID")],
    body: Annotated[bool, typer.Option("--body", help="With the raw body, which is written to the audit log.")] = False,
) -> None:
    """Show one delivery with its events and jobs, as JSON."""
    from zixly_cli.kept_deliveries import one

    with bridge() as api:
        print_json(one(api, delivery, body=body))


@app.command(epilog="Example: zixly deliveries reverify --system hubspot --since 2h --dry-run")
def reverify(
    system: System = None,
    since: Annotated[str | None, typer.Option(help="Only those that arrived since: 30m, 2h, 7d, or a date and time in UTC.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be accepted.")] = False,
    as_json: AsJson = False,
) -> None:
    """Verify rejected deliveries again after a secret was mended, and accept the good ones. Safe to repeat."""
    from zixly_cli.kept_deliveries import in_words, verified_again
    from zixly_cli.moments import moment_from

    begin = moment_from(since, now=datetime.now(UTC)) if since else None
    with bridge() as api, console.status("verifying") as progress:
        for total in verified_again(api, system=system, since=begin, dry_run=dry_run):
            progress.update(f"{total['examined']} of {total['remaining']} examined")
    if as_json:
        print_json(total)
    else:
        console.print(in_words(total, dry_run=dry_run))


def bridge() -> BridgeApi:
    """The bridge that the settings name."""
    from zixly_cli.bridge_api import bridge_of
    from zixly_cli.settings import read_stack_settings, user_variables

    variables = user_variables()
    return bridge_of(variables, port=read_stack_settings(variables).bridge_port)
