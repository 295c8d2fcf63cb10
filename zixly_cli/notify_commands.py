"""The commands under `zixly notify`."""

from __future__ import annotations

from typing import Annotated

import orjson
import typer

from zixly_cli.deliveries_commands import bridge
from zixly_cli.options import AsJson
from zixly_cli.output import console_for_people

app = typer.Typer(help="Who is told of what by e-mail and Slack, and what was told.", no_args_is_help=True)
console = console_for_people()

ChannelId = Annotated[str, typer.Argument(help="A channel, as `zixly notify ls` names it.", metavar="ID")]
Wants = Annotated[
    str | None, typer.Option(help="What it is told of an issue: opened, reminder, resolved, separated by commas; or none.", metavar="WORDS")
]
Digest = Annotated[
    str | None, typer.Option(help="When the nightly digest comes, by the tenant's clock, such as 06:30; or none.", metavar="TIME")
]
Target = Annotated[
    str | None,
    typer.Option("--to", help="E-mail addresses, separated by commas; or Slack's webhook address, asked for if left out.", metavar="WHERE"),
]


@app.command(name="ls", epilog="Example: zixly notify ls --tenant demo")
def list_(
    tenant: Annotated[str | None, typer.Option(help="Only those of this client.")] = None,
    as_json: AsJson = False,
) -> None:
    """List channels: whom they tell, of what, and how well that works."""
    from zixly_cli.notify import channel_table

    with bridge() as api:
        channels = api.get("/api/notification-channels", tenant=tenant)["channels"]
    show(channels, channel_table(channels) if channels else "nobody is told of anything; `zixly notify add` changes that", as_json=as_json)


@app.command(epilog="Example: zixly notify add email 'night shift' --to ops@example.com --digest 06:30")
def add(
    kind: Annotated[str, typer.Argument(help="email or slack.")],
    name: Annotated[str, typer.Argument(help="What people call it.")],
    *,
    to: Target = None,
    tenant: Annotated[str | None, typer.Option(help="Told of this client only; without it of all, for the agency's staff.")] = None,
    wants: Wants = None,
    digest: Digest = None,
    as_json: AsJson = False,
) -> None:
    """Set a channel up. `zixly notify test ID` then shows whether messages get there."""
    from zixly_cli.notify import channel_table, fields_of

    target = to or typer.prompt("Address", hide_input=kind == "slack")
    fields = fields_of(target=target, wants=wants, digest=digest)
    with bridge() as api:
        made = api.post("/api/notification-channels", {"kind": kind, "name": name, "tenant": tenant, **fields})
    show(made, channel_table([made]), as_json=as_json)


@app.command(name="set", epilog="Example: zixly notify set 01a2... --wants opened,resolved --digest none --pause")
def set_(
    channel: ChannelId,
    *,
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    to: Target = None,
    wants: Wants = None,
    digest: Digest = None,
    pause: Annotated[bool | None, typer.Option("--pause/--resume", help="A paused channel gets nothing, later neither.")] = None,
    as_json: AsJson = False,
) -> None:
    """Change a channel; what is left out stays."""
    from zixly_cli.notify import channel_table, fields_of

    changes = fields_of(name=name, target=to, wants=wants, digest=digest, pause=pause)
    with bridge() as api:
        changed = api.answered("PATCH", f"/api/notification-channels/{channel}", json=changes)
    show(changed, channel_table([changed]), as_json=as_json)


@app.command(epilog="Example: zixly notify remove 01a2...")
def remove(channel: ChannelId) -> None:
    """Remove a channel and forget its address."""
    with bridge() as api:
        removed = api.answered("DELETE", f"/api/notification-channels/{channel}")
    console.print(f"channel {removed['name']} is removed; its address is forgotten")


@app.command(name="test", epilog="Example: zixly notify test 01a2...")
def try_(
    channel: ChannelId,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for the end.")] = 60,
    as_json: AsJson = False,
) -> None:
    """Send one message to a channel, the way that all go, and tell what became of it."""
    from zixly_cli.notify import told_end, tried

    with bridge() as api:
        line = tried(api, channel, wait_seconds=wait)
    show(line, told_end(line), as_json=as_json)
    raise typer.Exit(0 if line["status"] == "SENT" else 1)


@app.command(epilog="Example: zixly notify log --status FAILED")
def log(
    *,
    channel: Annotated[str | None, typer.Option(help="Only what this channel was told.")] = None,
    issue: Annotated[str | None, typer.Option(help="Only what was told of this issue.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Only about this client.")] = None,
    status: Annotated[str | None, typer.Option(help="PENDING, SENT, FAILED or DROPPED.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=500, help="How many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show what was told, is to be told, or was not and why; newest first."""
    from zixly_cli.notify import line_table

    with bridge() as api:
        found = api.get("/api/notifications", channel_id=channel, issue_id=issue, tenant=tenant, status=status, limit=limit)
    lines = found["notifications"]
    show(lines, line_table(lines) if lines else "nothing was told", as_json=as_json)


def show(document: object, words: object, *, as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    else:
        console.print(words)
