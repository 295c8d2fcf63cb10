"""The commands under `zixly tenants`, which is also `zixly tenant`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from zixly_cli.deliveries_commands import bridge
from zixly_cli.options import AsJson
from zixly_cli.output import console_for_people, print_json

app = typer.Typer(help="Client companies: list, add and change them, hand their data out, erase them.", no_args_is_help=True)
console = console_for_people()

Slug = Annotated[str, typer.Argument(help="A client's short name, as `zixly tenants ls` shows it.", metavar="SLUG")]
Wait = Annotated[float, typer.Option(min=0, help="Seconds to wait until it is done.")]


@app.command(epilog="Example: zixly tenants ls")
def ls(as_json: AsJson = False) -> None:
    """List client companies."""
    from zixly_cli.tenants import tenant_table

    with bridge() as api:
        found = api.get("/api/tenants")["tenants"]
    if as_json:
        print_json(found)
    else:
        console.print(tenant_table(found) if found else "no clients")


@app.command(epilog="Example: zixly tenants show demo")
def show(slug: Slug, as_json: AsJson = False) -> None:
    """Show one client."""
    with bridge() as api:
        tell(api.get(f"/api/tenants/{slug}"), as_json=as_json)


@app.command(epilog='Example: zixly tenants add acme --name "Acme Pty Ltd" --time-zone Australia/Sydney')
def add(
    slug: Annotated[str, typer.Argument(help="Small letters, digits and hyphens; it never changes.", metavar="SLUG")],
    *,
    name: Annotated[str, typer.Option(help="What people call the client.")],
    time_zone: Annotated[str, typer.Option(help="Where its days begin and end.")] = "Australia/Brisbane",
    as_json: AsJson = False,
) -> None:
    """Add a client; connect its accounts next (`zixly connect`)."""
    with bridge() as api:
        tell(api.post("/api/tenants", {"slug": slug, "name": name, "time_zone": time_zone}), as_json=as_json)


@app.command(name="set", epilog="Example: zixly tenants set acme --time-zone Australia/Perth")
def set_(
    slug: Slug,
    *,
    name: Annotated[str | None, typer.Option(help="What people call the client.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="Where its days begin and end.")] = None,
    as_json: AsJson = False,
) -> None:
    """Change a client's name or time zone. To pause it: `zixly pause`."""
    wanted = {key: value for key, value in {"name": name, "time_zone": time_zone}.items() if value is not None}
    with bridge() as api:
        tell(api.answered("PATCH", f"/api/tenants/{slug}", json=wanted), as_json=as_json)


@app.command(epilog="Example: zixly tenant export acme --to acme.zip")
def export(
    slug: Slug,
    *,
    to: Annotated[Path, typer.Option(help="The zip to write; it must not be there yet.")],
    wait: Wait = 600,
) -> None:
    """Hand out everything that is held for a client: JSON lines for each table, and documents; no secrets."""
    from zixly_cli.tenants import exported

    with bridge() as api, console.status("a worker puts it together"):
        done = exported(api, slug, to, wait_seconds=wait)
    console.print(f"{sum(done['counts'].values())} rows of {len(done['counts'])} tables are in {to}", soft_wrap=True)


@app.command(epilog="Example: zixly tenant erase acme --yes acme")
def erase(
    slug: Slug,
    *,
    yes: Annotated[str | None, typer.Option("--yes", help="The short name again, instead of being asked.", metavar="SLUG")] = None,
    wait: Wait = 600,
) -> None:
    """Erase a client: stop its work, end its authorisations, remove tokens, payloads, people, documents. It cannot be undone."""
    from zixly_cli.tenants import erased
    from zixly_core.errors import SettingsError

    typed = yes if yes is not None else typer.prompt(f"Everything of {slug} is erased for ever. Type its short name to go on")
    if typed != slug:
        raise SettingsError(f"{typed} is not {slug}; nothing was changed")
    with bridge() as api, console.status("erasing"):
        tenant = erased(api, slug, wait_seconds=wait)
    console.print(f"{slug} is erased")
    for words in tenant["by_hand"]:
        console.print(f"still to do by hand: {words}", soft_wrap=True)


def tell(tenant: dict[str, Any], *, as_json: bool) -> None:
    from zixly_cli.tenants import tenant_table

    if as_json:
        print_json(tenant)
        return
    console.print(tenant_table([tenant]))
    for words in tenant["by_hand"]:
        console.print(f"still to do by hand: {words}", soft_wrap=True)
