"""Do the saved settings of a connection fit what its vendors have? Accounts and tax types in the books, stages, properties.

The form of settings is checked while they are saved (connection_settings.py); whether an account exists only the vendor knows, and
only workers may ask it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol

from zixly_core.connection_settings import HubSpotSettings, InvoiceLines, PaidOrders, ShopifySettings, WonDeals, XeroSettings
from zixly_core.systems.hubspot.pipelines import Stage
from zixly_core.systems.xero.organisation import Account, TaxRate
from zixly_core.workflows.paid_invoices import DEFAULT_MAPPING

ACTIVE = "ACTIVE"


class Books(Protocol):
    """What is asked of an organisation in Xero."""

    def accounts(self) -> list[Account]: ...

    def tax_rates(self) -> list[TaxRate]: ...


class Portal(Protocol):
    """What is asked of a portal in HubSpot."""

    def deal_stages(self) -> dict[str, Stage]: ...

    def missing_properties(self, object_type: str, names: Sequence[str]) -> list[str]: ...


BooksOf = Callable[[], Books | None]
PortalOf = Callable[[], Portal | None]
"""The partner account; None where the tenant has none, and then there is nothing to compare with."""


def deal_problems(settings: HubSpotSettings, portal: Portal, books: Books | None) -> list[str]:
    """Of `hubspot-deal-to-xero`: stages in the portal, accounts and tax types in the books."""
    deals: WonDeals = settings.won_deals
    problems = [*unknown("won_deals.won_stages", deals.won_stages, among=portal.deal_stages(), what="stages of deals")]
    return problems + (line_problems("won_deals", deals, books) if books is not None else [])


def order_problems(settings: ShopifySettings, books: Books | None, portal: Portal | None) -> list[str]:
    """Of `shopify-order-to-xero`: accounts and tax types in the books, properties of contacts in the portal."""
    orders: PaidOrders = settings.paid_orders
    problems = property_problems("paid_orders.contact_properties", orders.contact_properties, portal)
    return problems + (line_problems("paid_orders", orders, books) if books is not None else [])


def invoice_problems(settings: XeroSettings, portal: Portal | None) -> list[str]:
    """Of `xero-invoice-to-hubspot`: properties of contacts in the portal."""
    return property_problems("mapping", settings.mapping or DEFAULT_MAPPING, portal)


def line_problems(group: str, lines: WonDeals | PaidOrders, books: Books) -> list[str]:
    accounts = {one.code: one for one in books.accounts() if one.status == ACTIVE and one.code}
    rates = {one.tax_type for one in books.tax_rates() if one.status == ACTIVE}
    codes = {f"{group}.account_code": lines.account_code}
    if isinstance(lines, PaidOrders):
        codes |= {f"{group}.payment_account_code": lines.payment_account_code}
        codes |= {f"{group}.shipping_account_code": lines.shipping_account_code} if lines.shipping_account_code else {}
    problems = [problem for name, code in codes.items() for problem in unknown(name, [code], among=accounts, what="accounts")]
    for name, tax_type in tax_types(group, lines).items():
        problems += unknown(name, [tax_type], among=rates, what="tax types")
    if isinstance(lines, PaidOrders):
        problems += payment_problems(group, accounts.get(lines.payment_account_code))
    return problems


def tax_types(group: str, lines: InvoiceLines) -> dict[str, str]:
    return {f"{group}.tax_type": lines.tax_type, f"{group}.exempt_tax_type": lines.exempt_tax_type}


def payment_problems(group: str, account: Account | None) -> list[str]:
    if account is None or account.takes_payments or account.type == "BANK":
        return []
    return [f"{group}.payment_account_code: payments cannot be booked to account {account.code} in Xero."]


def property_problems(name: str, properties: Iterable[str], portal: Portal | None) -> list[str]:
    missing = portal.missing_properties("contacts", sorted(properties)) if portal is not None else []
    return [f"{name}: HubSpot's contacts have no property {one}." for one in missing]


def unknown(name: str, given: Iterable[str], *, among: Collection[str], what: str) -> list[str]:
    """A sentence for each value that the vendor does not have; it is a word of a closed form, so it may be told."""
    return [f"{name}: there is no {one} among the {what}." for one in given if one not in among]
