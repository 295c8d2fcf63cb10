"""What an organisation was set up with: accounts, tax rates, items, currencies. The same for all of a country."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Account:
    """An account of the chart. Bank accounts, and others that are enabled for it, take payments."""

    code: str
    name: str
    type: str
    account_class: str
    tax_type: str
    takes_payments: bool = False
    system: str = ""
    status: str = "ACTIVE"

    @property
    def is_bank(self) -> bool:
        return self.type == "BANK"

    @property
    def takes_lines(self) -> bool:
        """Whether lines of invoices can name it."""
        return self.status == "ACTIVE" and not self.is_bank and self.system not in {"DEBTORS", "CREDITORS", "GST"}


@dataclass(frozen=True)
class TaxRate:
    """A kind of tax with its share in percent."""

    type: str
    name: str
    percent: float
    on_sales: bool
    on_purchases: bool


@dataclass(frozen=True)
class Item:
    """Something that is sold; the price in ten-thousandths."""

    code: str
    name: str
    price: int
    account: str


@dataclass(frozen=True)
class Chart:
    """All of it, by code or type."""

    accounts: Mapping[str, Account]
    tax_rates: Mapping[str, TaxRate]
    items: Mapping[str, Item]
    currencies: Mapping[str, str]


CURRENCIES = {
    "AUD": "Australian Dollar",
    "NZD": "New Zealand Dollar",
    "USD": "United States Dollar",
    "EUR": "Euro",
    "GBP": "British Pound",
    "JPY": "Japanese Yen",
}
ITEMS = (
    Item("CARE-PLAN", "Website care plan, 1 month", 4_150_000, "200"),
    Item("CONSULT", "Consulting, 1 hour", 1_800_000, "200"),
    Item("SEO", "SEO package", 4_500_000, "200"),
)
# OUTPUT2 and INPUT2 are New Zealand's; recorded requests use them with the demo organisation too.
TAX_RATES = (
    TaxRate("OUTPUT", "GST on Income", 10, on_sales=True, on_purchases=False),
    TaxRate("INPUT", "GST on Expenses", 10, on_sales=False, on_purchases=True),
    TaxRate("OUTPUT2", "15% GST on Income", 15, on_sales=True, on_purchases=False),
    TaxRate("INPUT2", "15% GST on Expenses", 15, on_sales=False, on_purchases=True),
    TaxRate("EXEMPTOUTPUT", "GST Free Income", 0, on_sales=True, on_purchases=False),
    TaxRate("EXEMPTEXPORT", "GST Free Exports", 0, on_sales=True, on_purchases=False),
    TaxRate("EXEMPTEXPENSES", "GST Free Expenses", 0, on_sales=False, on_purchases=True),
    TaxRate("BASEXCLUDED", "BAS Excluded", 0, on_sales=True, on_purchases=True),
    TaxRate("NONE", "No Tax", 0, on_sales=True, on_purchases=True),
)
SALES_TAX = {"AU": "OUTPUT", "NZ": "OUTPUT2"}
PURCHASES_TAX = {"AU": "INPUT", "NZ": "INPUT2"}


def chart_of(country: str) -> Chart:
    return Chart(
        accounts={item.code: item for item in accounts(sales=SALES_TAX[country], purchases=PURCHASES_TAX[country])},
        tax_rates={item.type: item for item in TAX_RATES},
        items={item.code: item for item in ITEMS},
        currencies=CURRENCIES,
    )


def accounts(*, sales: str, purchases: str) -> tuple[Account, ...]:
    """Those of Xero's demo company that matter to invoices and payments, and a clearing account for the shop."""
    return (
        Account("090", "Business Bank Account", "BANK", "ASSET", "NONE", takes_payments=True),
        Account("091", "Business Savings Account", "BANK", "ASSET", "NONE", takes_payments=True),
        Account("200", "Sales", "REVENUE", "REVENUE", sales),
        Account("210", "Shipping Income", "REVENUE", "REVENUE", sales),
        Account("260", "Other Revenue", "REVENUE", "REVENUE", sales),
        Account("310", "Cost of Goods Sold", "DIRECTCOSTS", "EXPENSE", purchases),
        Account("400", "Advertising", "EXPENSE", "EXPENSE", purchases),
        Account("404", "Bank Fees", "EXPENSE", "EXPENSE", "NONE"),
        Account("499", "Old Sales", "REVENUE", "REVENUE", sales, status="ARCHIVED"),
        Account("606", "Shop Clearing", "CURRENT", "ASSET", "NONE", takes_payments=True),
        Account("610", "Accounts Receivable", "CURRENT", "ASSET", "NONE", system="DEBTORS"),
        Account("800", "Accounts Payable", "CURRLIAB", "LIABILITY", "NONE", system="CREDITORS"),
        Account("820", "GST", "CURRLIAB", "LIABILITY", "NONE", system="GST"),
    )
