"""The commands under `zixly sandbox` that steer the stand-ins themselves: data, faults, tokens, time, limits, deliveries."""

from __future__ import annotations

import math
from typing import Annotated, Any

import typer

from zixly_cli.options import AsJson
from zixly_cli.output import print_json
from zixly_cli.sandbox_commands import Tenant, account_of, app, console, sandbox, show
from zixly_core.errors import SettingsError

__all__ = ["app"]

faults_app = typer.Typer(help="Make vendor calls go wrong.", no_args_is_help=True)
tokens_app = typer.Typer(help="End tokens, or whole authorisations.", no_args_is_help=True)
app.add_typer(faults_app, name="faults")
app.add_typer(tokens_app, name="tokens")

System = Annotated[str, typer.Argument(help="xero, hubspot, shopify, asana, sweeps or slack.", metavar="SYSTEM")]


@app.command(epilog="Example: zixly sandbox state")
def state(as_json: AsJson = False) -> None:
    """Show accounts with their sizes, clock and webhooks."""
    with sandbox() as api:
        found = api.get("/state")
    accounts = {item["id"]: item for rows in found.values() if isinstance(rows, list) for item in rows}
    facts = {name: value for name, value in found.items() if name != "rules" and not isinstance(value, list)}
    show({**facts, **accounts}, as_json=as_json, whole=found)


@app.command(epilog="Example: zixly sandbox seed 10000 --customers 500")
def seed(
    invoices: Annotated[int, typer.Argument(min=0, max=500_000, help="How many more invoices.", metavar="N")],
    customers: Annotated[int, typer.Option(min=0, max=100_000, help="How many more customers to write them to.")] = 0,
    tenant: Tenant = "demo",
    as_json: AsJson = False,
) -> None:
    """Add invoices, and customers, to a tenant's organisation; no webhook tells of them."""
    wanted = {"organisation": account_of(tenant, "xero"), "invoices": invoices, "customers": customers}
    with sandbox() as api:
        made = api.post("/seed", wanted)
    show({"invoices": len(made["invoice_ids"])}, as_json=as_json, whole=made)


@faults_app.command(name="add", epilog="Example: zixly sandbox faults add xero 503 --pattern '*/Invoices' --count 3")
def add_fault(
    system: System,
    kind: Annotated[
        str, typer.Argument(help="slow, timeout, 400, 403, 429, 500, 503, disconnect_before, disconnect_after.", metavar="KIND")
    ],
    *,
    pattern: Annotated[str, typer.Option(help="A path or `METHOD path` with * for anything.")] = "*",
    seconds: Annotated[float, typer.Option(min=0, help="How slow, or how long to wait after a 429.")] = 1,
    probability: Annotated[float, typer.Option(min=0.001, max=1, help="Of how many calls.")] = 1,
    count: Annotated[int | None, typer.Option(min=1, help="How often; until it is cleared if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Let calls of a vendor go wrong."""
    rule = {"system": system, "kind": kind, "pattern": pattern, "seconds": seconds, "probability": probability, "count": count}
    with sandbox() as api:
        made = api.post("/faults", rule)
    show(made, as_json=as_json)


@faults_app.command(name="list", epilog="Example: zixly sandbox faults list")
def list_faults(as_json: AsJson = False) -> None:
    """Show the rules and how often each was used."""
    with sandbox() as api:
        show_rows(api.get("/faults"), ("id", "system", "pattern", "kind", "seconds", "probability", "left", "hits"), as_json=as_json)


@faults_app.command(name="clear", epilog="Example: zixly sandbox faults clear")
def clear_faults() -> None:
    """Let all go well again."""
    with sandbox() as api:
        api.delete("/faults")
    console.print("no faults")


@tokens_app.command(epilog="Example: zixly sandbox tokens expire xero")
def expire(
    system: System, tenant: Annotated[str | None, typer.Option(help="Whose; everybody's if left out.")] = None, as_json: AsJson = False
) -> None:
    """End access tokens now; refresh tokens stay good."""
    with sandbox() as api:
        show(api.post("/tokens/expire", {"system": system, "account": account_of(tenant, system) if tenant else None}), as_json=as_json)


@tokens_app.command(epilog="Example: zixly sandbox tokens revoke hubspot --tenant demo")
def revoke(system: System, tenant: Tenant = "demo", as_json: AsJson = False) -> None:
    """Disconnect an account as a person would: refresh tokens give `invalid_grant`."""
    with sandbox() as api:
        show(api.post("/tokens/revoke", {"system": system, "account": account_of(tenant, system)}), as_json=as_json)


@app.command(epilog="Example: zixly sandbox clock 1800")
def clock(
    seconds: Annotated[
        float | None, typer.Argument(min=0, help="Move forward by so many; only look if left out.", metavar="SECONDS")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the sandbox's time, or move it forward: tokens run out, limits refill, idempotency keys are forgotten."""
    with sandbox() as api:
        found = api.post("/clock", {"seconds": seconds}) if seconds is not None else {"now": api.get("/state")["now"]}
    show(found, as_json=as_json)


@app.command(epilog="Example: zixly sandbox rules xero.minute_calls=1000 latency_seconds=0.02")
def rules(
    change: Annotated[
        list[str] | None, typer.Argument(help="A new value, such as xero.minute_calls=1000.", metavar="[NAME=NUMBER]...")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show limits and times of the vendors, or change them."""
    with sandbox() as api:
        found = api.patch("/rules", changes_from(change)) if change else api.get("/state")["rules"]
    show(found, as_json=as_json)


@app.command(epilog="Example: zixly sandbox deliveries hubspot --state failed")
def deliveries(
    system: System,
    state: Annotated[str | None, typer.Option(help="Only those: pending, delivered, retrying or failed.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show what a vendor sent to the bridge and what came back, newest first."""
    from zixly_cli.sandbox_view import delivery_row

    with sandbox() as api:
        found = api.get(f"/webhooks/{system}/deliveries", state=state, limit=limit)
    if as_json:
        print_json(found)
    else:
        show_rows([delivery_row(item) for item in found["deliveries"]], ("id", "state", "what", "tries", "last"), as_json=False)


@app.command(epilog="Example: zixly sandbox objects --doubled")
def objects(
    system: Annotated[str | None, typer.Option(help="Only those of this system.")] = None,
    doubled: Annotated[bool, typer.Option("--doubled", help="Only what was created more than once.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what callers created, by natural key: proof that nothing was written twice."""
    with sandbox() as api:
        found = api.get("/objects", system=system, doubled=str(doubled).lower())
    if as_json:
        print_json(found)
    else:
        show_rows(found["objects"], ("system", "account", "object_type", "key", "count"), as_json=False)
        console.print(f"{found['created']} created, {found['doubled']} of them more than once")


def show_rows(rows: list[dict[str, Any]], columns: tuple[str, ...], *, as_json: bool) -> None:
    from zixly_cli.sandbox_view import rows_table

    if as_json:
        print_json(rows)
    else:
        console.print(rows_table(rows, columns) if rows else "none")


def changes_from(texts: list[str]) -> dict[str, Any]:
    """`xero.minute_calls=1000` as the nested object that the sandbox takes. Raises `SettingsError`."""
    found: dict[str, Any] = {}
    for text in texts:
        name, _, number = text.partition("=")
        put(found, name.split("."), finite(number, text=text), text=text)
    return found


def finite(number: str, *, text: str) -> float:
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise SettingsError(f"{text} is no rule with a number; write it like xero.minute_calls=1000")
    return value


def put(place: dict[str, Any], names: list[str], value: float, *, text: str) -> None:
    """One rule. Raises `SettingsError` where a group has the name of a rule, or a rule that of a group."""
    *groups, last = names
    for group in groups:
        inner = place.setdefault(group, {})
        if not isinstance(inner, dict):
            raise SettingsError(f"{text} cannot be taken together with the rules before it: {group} is one of them")
        place = inner
    if isinstance(place.get(last), dict):
        raise SettingsError(f"{text} cannot be taken together with the rules before it: {last} is a group of them")
    place[last] = value
