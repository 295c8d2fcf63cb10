"""Reading what an organisation was set up with: itself, its accounts, tax rates, items and currencies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from zixly_sandbox.http import Answer, Call
from zixly_sandbox.xero.answers import Refused, records, refusal
from zixly_sandbox.xero.books import Books
from zixly_sandbox.xero.chart import Account, Item, TaxRate
from zixly_sandbox.xero.dates import instant_text
from zixly_sandbox.xero.desk import Visit
from zixly_sandbox.xero.documents import organisation_document
from zixly_sandbox.xero.query import Field, Listing

# When the organisation was made, for what never changes.
MADE_AT = 1_700_000_000_000


@dataclass(frozen=True)
class Row:
    """Something of the chart as lists are made of it."""

    id: str
    entry: Any
    updated_at: int = MADE_AT


def organisation(_call: Call, visit: Visit) -> Answer:
    return records("Organisations", [organisation_document(visit.books)], now_ms=visit.desk.clock.milliseconds())


def list_accounts(call: Call, visit: Visit) -> Answer:
    fields: Mapping[str, Field] = {
        "Code": lambda row: row.entry.code,
        "Name": lambda row: row.entry.name,
        "Type": lambda row: row.entry.type,
        "Class": lambda row: row.entry.account_class,
        "Status": lambda row: row.entry.status,
        "EnablePaymentsToAccount": lambda row: row.entry.takes_payments,
    }
    return listed(call, visit, "Accounts", visit.books.chart.accounts, fields=fields, written=account_document)


def list_tax_rates(call: Call, visit: Visit) -> Answer:
    fields: Mapping[str, Field] = {"TaxType": lambda row: row.entry.type, "Name": lambda row: row.entry.name, "Status": lambda _: "ACTIVE"}
    return listed(call, visit, "TaxRates", visit.books.chart.tax_rates, fields=fields, written=tax_rate_document)


def list_items(call: Call, visit: Visit) -> Answer:
    fields: Mapping[str, Field] = {"Code": lambda row: row.entry.code, "Name": lambda row: row.entry.name}
    return listed(call, visit, "Items", visit.books.chart.items, fields=fields, written=item_document)


def list_currencies(call: Call, visit: Visit) -> Answer:
    fields: Mapping[str, Field] = {"Code": lambda row: row.id}
    return listed(call, visit, "Currencies", visit.books.chart.currencies, fields=fields, written=currency_document)


def listed(
    call: Call,
    visit: Visit,
    name: str,
    entries: Mapping[str, object],
    *,
    fields: Mapping[str, Field],
    written: Callable[[Row, Books], dict[str, Any]],
) -> Answer:
    """These lists have no pages."""
    try:
        found: list[Row] = Listing[Row](call, fields=fields).chosen(Row(key, entry) for key, entry in entries.items())
    except Refused as error:
        return refusal(error)
    return records(name, [written(row, visit.books) for row in found], now_ms=visit.desk.clock.milliseconds())


def account_document(row: Row, books: Books) -> dict[str, Any]:
    account: Account = row.entry
    bank = {"BankAccountNumber": "063000" + account.code, "BankAccountType": "BANK", "CurrencyCode": books.currency}
    return {
        "AccountID": books.account_id(account.code),
        "Code": account.code,
        "Name": account.name,
        "Type": account.type,
        "Class": account.account_class,
        "Status": account.status,
        "TaxType": account.tax_type,
        "EnablePaymentsToAccount": account.takes_payments,
        "ShowInExpenseClaims": False,
        "HasAttachments": False,
        "AddToWatchlist": False,
        "UpdatedDateUTC": instant_text(MADE_AT),
        **(bank if account.is_bank else {}),
        **({"SystemAccount": account.system} if account.system else {}),
    }


def tax_rate_document(row: Row, _books: Books) -> dict[str, Any]:
    rate: TaxRate = row.entry
    return {
        "Name": rate.name,
        "TaxType": rate.type,
        "TaxComponents": [{"Name": "GST", "Rate": rate.percent, "IsCompound": False, "IsNonRecoverable": False}],
        "Status": "ACTIVE",
        "CanApplyToAssets": True,
        "CanApplyToEquity": True,
        "CanApplyToExpenses": rate.on_purchases,
        "CanApplyToLiabilities": True,
        "CanApplyToRevenue": rate.on_sales,
        "DisplayTaxRate": rate.percent,
        "EffectiveRate": rate.percent,
    }


def item_document(row: Row, books: Books) -> dict[str, Any]:
    item: Item = row.entry
    tax_type = books.chart.accounts[item.account].tax_type
    return {
        "ItemID": books.item_id(item.code),
        "Code": item.code,
        "Name": item.name,
        "Description": item.name,
        "IsSold": True,
        "IsPurchased": False,
        "IsTrackedAsInventory": False,
        "SalesDetails": {"UnitPrice": item.price / 10_000, "AccountCode": item.account, "TaxType": tax_type},
        "UpdatedDateUTC": instant_text(MADE_AT),
    }


def currency_document(row: Row, _books: Books) -> dict[str, Any]:
    return {"Code": row.id, "Description": row.entry}
