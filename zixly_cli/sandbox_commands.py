"""The commands under `zixly sandbox`: do at the vendors' stand-ins what people do at the vendors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from zixly_cli.options import AsJson
from zixly_cli.output import console_for_people, print_json
from zixly_cli.settings import read_stack_settings, user_variables
from zixly_core.errors import SettingsError

if TYPE_CHECKING:
    from zixly_cli.sandbox_api import SandboxApi

app = typer.Typer(help="Act at the vendors' stand-ins: pay, win a deal, break things, look.", no_args_is_help=True)
order_app = typer.Typer(help="Orders of the shop.", no_args_is_help=True)
app.add_typer(order_app, name="order")
console = console_for_people()

# What tables show of an order or refund, and of a task.
ORDER_FACTS = ("id", "name", "order_id", "financial_status", "cancelled_at", "currency", "total_price", "created_at", "updated_at")
TASK_FACTS = ("gid", "name", "completed", "completed_at", "due_on", "permalink_url")

Tenant = Annotated[str, typer.Option(help="Whose accounts: demo or second.")]
OrderId = Annotated[str, typer.Argument(help="The order's number in the API, such as 5678901234567.", metavar="ORDER")]


@app.command(epilog="Example: zixly sandbox pay --count 20")
def pay(
    invoice: Annotated[
        list[str] | None, typer.Argument(help="Invoices by id; open ones are picked if left out.", metavar="[INVOICE]...")
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=100_000, help="How many open invoices, where none is named.")] = 1,
    amount: Annotated[
        float | None, typer.Option(min=0.01, help="Pay this much of each named invoice; more than is due is an overpayment.")
    ] = None,
    tenant: Tenant = "demo",
    as_json: AsJson = False,
) -> None:
    """Pay invoices in Xero; webhooks tell of it."""
    base = f"/xero/{account_of(tenant, 'xero')}"
    with sandbox() as api:
        if amount is not None:
            paid = [api.post(f"{base}/invoices/{key}/pay", {"amount": amount})["invoice"]["InvoiceID"] for key in invoice or []]
        else:
            paid = api.post(f"{base}/pay", {"invoice_ids": invoice} if invoice else {"count": count})["paid"]
    show({"paid": paid}, as_json=as_json)


@app.command(epilog="Example: zixly sandbox deal 17812345601")
def deal(
    key: Annotated[str, typer.Argument(help="The deal's id in HubSpot.", metavar="DEAL")],
    stage: Annotated[str | None, typer.Option(help="Another stage than the won one, by its id.")] = None,
    tenant: Tenant = "demo",
    as_json: AsJson = False,
) -> None:
    """Win a deal in HubSpot, or move it to a stage; webhooks tell of it."""
    with sandbox() as api:
        moved = api.post(f"/hubspot/{account_of(tenant, 'hubspot')}/deals/{key}/stage", {"stage": stage})
    values = moved["properties"]
    show(
        {"deal": moved["id"], **{name: values.get(name) for name in ("dealname", "pipeline", "dealstage", "amount")}},
        as_json=as_json,
        whole=moved,
    )


@app.command(epilog="Example: zixly sandbox task 1202222222222201")
def task(
    gid: Annotated[str, typer.Argument(help="The task's gid in Asana.", metavar="TASK")],
    tenant: Tenant = "demo",
    as_json: AsJson = False,
) -> None:
    """Complete a task in Asana; webhooks tell of it."""
    with sandbox() as api:
        done = api.post(f"/asana/{account_of(tenant, 'asana')}/tasks/{gid}/complete")
    show(facts_in(done, TASK_FACTS), as_json=as_json, whole=done)


@order_app.command(name="new", epilog="Example: zixly sandbox order new")
def new_order(tenant: Tenant = "demo", as_json: AsJson = False) -> None:
    """A customer orders; webhooks tell of it."""
    order_changed("", {}, tenant=tenant, as_json=as_json)


@order_app.command(name="paid", epilog="Example: zixly sandbox order paid 5678901234567")
def paid_order(order: OrderId, tenant: Tenant = "demo", as_json: AsJson = False) -> None:
    """The customer pays."""
    order_changed(f"/{order}/pay", {}, tenant=tenant, as_json=as_json)


@order_app.command(name="refund", epilog="Example: zixly sandbox order refund 5678901234567 --amount 10")
def refund_order(
    order: OrderId,
    amount: Annotated[float | None, typer.Option(min=0.01, help="Give so much back; all of it if left out.")] = None,
    tenant: Tenant = "demo",
    as_json: AsJson = False,
) -> None:
    """The shop gives money back."""
    order_changed(f"/{order}/refund", {"amount": amount} if amount else {}, tenant=tenant, as_json=as_json)


@order_app.command(name="cancel", epilog="Example: zixly sandbox order cancel 5678901234567")
def cancel_order(order: OrderId, tenant: Tenant = "demo", as_json: AsJson = False) -> None:
    """The shop cancels the order."""
    order_changed(f"/{order}/cancel", {}, tenant=tenant, as_json=as_json)


def order_changed(path: str, body: dict[str, object], *, tenant: str, as_json: bool) -> None:
    with sandbox() as api:
        answer = api.post(f"/shopify/{account_of(tenant, 'shopify')}/orders{path}", body)
    show(facts_in(answer, ORDER_FACTS), as_json=as_json, whole=answer)


def sandbox() -> SandboxApi:
    """The sandbox that the settings name."""
    from zixly_cli.sandbox_api import SandboxApi

    variables = user_variables()
    port = read_stack_settings(variables).sandbox_port
    return SandboxApi(variables.get("ZIXLY_SANDBOX_URL") or f"http://127.0.0.1:{port}")


def account_of(tenant: str, system: str) -> str:
    """The tenant's account at a vendor. Raises `SettingsError` for a tenant that the sandbox does not have."""
    from zixly_cli.seed import DEMO, SECOND

    found = next((item for item in (DEMO, SECOND) if item.slug == tenant), None)
    if found is None:
        raise SettingsError(f"The sandbox has no tenant {tenant}; there are {DEMO.slug} and {SECOND.slug}")
    return found.accounts[system]


def facts_in(document: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Those of the fields that the answer has."""
    return {name: document[name] for name in names if name in document}


def show(facts: dict[str, Any], *, as_json: bool, whole: object = None) -> None:
    """The facts as a table, or the whole answer as JSON."""
    from zixly_cli.sandbox_view import facts_table

    if as_json:
        print_json(facts if whole is None else whole)
    else:
        console.print(facts_table(facts))
