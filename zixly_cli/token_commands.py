"""The commands under `zixly token`."""

from __future__ import annotations

from typing import Annotated

import typer

from zixly_cli.deliveries_commands import bridge
from zixly_cli.options import AsJson, Client, Staff
from zixly_cli.output import console_for_people, print_json, print_list

app = typer.Typer(help="Tokens with which programs call the API: make, list, revoke them.", no_args_is_help=True)
console = console_for_people()


@app.command(epilog="Example: zixly token ls --tenant demo")
def ls(tenant: Client = None, as_json: AsJson = False) -> None:
    """List tokens, those that ended too."""
    from zixly_cli.machine_tokens import token_table

    with bridge() as api:
        found = api.get("/api/tokens", tenant=tenant)["tokens"]
    print_list(console, found, table=token_table, nothing="no tokens", as_json=as_json)


@app.command(epilog="Example: zixly token make 'order desk' --tenant demo --role EDITOR --scope jobs:write --days 30")
def make(
    name: Annotated[str, typer.Argument(help="What the token is for.", metavar="NAME")],
    *,
    role: Annotated[str, typer.Option(help="VIEWER, EDITOR or ADMIN: the least that its program needs.")],
    scope: Annotated[list[str], typer.Option(help="jobs:read, jobs:write, read or all; may be repeated.")],
    tenant: Client = None,
    staff: Staff = False,
    payloads: Annotated[bool, typer.Option("--payloads", help="A VIEWER's token that sees payloads.")] = False,
    days: Annotated[int, typer.Option(min=1, max=365, help="How long it lasts.")] = 90,
    as_json: AsJson = False,
) -> None:
    """Make a token. It is shown once: keep it where the program's secrets are."""
    from zixly_cli.people import place_of

    wanted = {
        "name": name,
        "tenant": place_of(tenant, is_staff=staff),
        "role": role.upper(),
        "scopes": scope,
        "sees_payloads": payloads,
        "days": days,
    }
    with bridge() as api:
        made = api.post("/api/tokens", wanted)
    if as_json:
        print_json(made)
        return
    console.print(made["token"], soft_wrap=True)
    console.print(f"shown once; it ends {made['expires_at'][:10]}, and earlier by `zixly token revoke {made['id']}`", soft_wrap=True)


@app.command(epilog="Example: zixly token revoke 01a2053d-334d-7f47-92d7-5203fa2f9480")
def revoke(
    token: Annotated[str, typer.Argument(help="A token's id, as `zixly token ls` shows it.", metavar="ID")], as_json: AsJson = False
) -> None:
    """End a token at once, and those that were made with it."""
    from urllib.parse import quote

    with bridge() as api:
        done = api.answered("DELETE", f"/api/tokens/{quote(token, safe='')}")
    if as_json:
        print_json(done)
    else:
        console.print(f"{done['tokens_ended']} tokens ended")
