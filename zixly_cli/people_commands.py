"""The commands under `zixly people`."""

from __future__ import annotations

from typing import Annotated

import typer

from zixly_cli.deliveries_commands import bridge
from zixly_cli.options import AsJson, Client, Staff
from zixly_cli.output import console_for_people, print_json, print_list

app = typer.Typer(help="Who may use the platform: invite people, give them roles, remove them.", no_args_is_help=True)
console = console_for_people()

Address = Annotated[str, typer.Argument(help="The address by which the sign-in provider knows the person.", metavar="EMAIL")]
RoleName = Annotated[str, typer.Option("--role", help="VIEWER, EDITOR or ADMIN.")]


@app.command(epilog="Example: zixly people ls --tenant demo")
def ls(tenant: Client = None, as_json: AsJson = False) -> None:
    """List people with their roles."""
    from zixly_cli.people import people_table

    with bridge() as api:
        found = api.get("/api/people", tenant=tenant)["people"]
    print_list(console, found, table=people_table, nothing="no people", as_json=as_json)


@app.command(epilog='Example: zixly people add ada@example.com --name "Ada Byron" --role ADMIN --staff')
def add(
    email: Address,
    *,
    name: Annotated[str, typer.Option(help="What people call the person.")],
    role: RoleName = "VIEWER",
    tenant: Client = None,
    staff: Staff = False,
    payloads: Annotated[bool, typer.Option("--payloads", help="A VIEWER who may see payloads.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make somebody a member of a client, or of the agency. Whoever signs in with the address has the role; nothing is sent there."""
    from zixly_cli.people import people_table, place_of

    place = place_of(tenant, is_staff=staff)
    with bridge() as api:
        wanted = {"email": email, "name": name, "tenant": place, "role": role.upper(), "sees_payloads": payloads}
        person = api.post("/api/people", wanted)
    if as_json:
        print_json(person)
    else:
        console.print(people_table([person]))


@app.command(epilog="Example: zixly people role ada@example.com EDITOR --tenant demo")
def role(
    email: Address,
    role: Annotated[str, typer.Argument(help="VIEWER, EDITOR or ADMIN.", metavar="ROLE")],
    *,
    tenant: Client = None,
    staff: Staff = False,
    as_json: AsJson = False,
) -> None:
    """Change a role; it holds for the person's next request. A lesser one ends the tokens that the person made there."""
    from zixly_cli.people import changed, place_of

    with bridge() as api:
        tell(changed(api, email, {"role": role.upper()}, place=place_of(tenant, is_staff=staff)), as_json=as_json)


@app.command(epilog="Example: zixly people grant ada@example.com --tenant demo")
def grant(
    email: Address,
    *,
    tenant: Client = None,
    staff: Staff = False,
    payloads: Annotated[bool, typer.Option("--payloads/--no-payloads", help="Let a VIEWER see payloads, or not any more.")] = True,
    as_json: AsJson = False,
) -> None:
    """Let a VIEWER see payloads, or end that."""
    from zixly_cli.people import changed, place_of

    with bridge() as api:
        tell(changed(api, email, {"sees_payloads": payloads}, place=place_of(tenant, is_staff=staff)), as_json=as_json)


@app.command(epilog="Example: zixly people remove ada@example.com --tenant demo")
def remove(email: Address, *, tenant: Client = None, staff: Staff = False, as_json: AsJson = False) -> None:
    """End a membership, or without --tenant and --staff all of them. The tokens that the person made there end too."""
    from zixly_cli.people import removed

    with bridge() as api:
        done = removed(api, email, tenant=tenant, is_staff=staff)
    if as_json:
        print_json(done)
    else:
        console.print(f"{email} is removed; {done['tokens_ended']} tokens ended")


def tell(changed: dict[str, object], *, as_json: bool) -> None:
    from zixly_cli.people import people_table

    if as_json:
        print_json(changed)
        return
    person = changed["person"]
    console.print(people_table([person] if isinstance(person, dict) else []))
    if changed["tokens_ended"]:
        console.print(f"{changed['tokens_ended']} tokens ended")
