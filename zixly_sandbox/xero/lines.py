"""The lines of an invoice or credit note in a request (developer.xero.com/documentation/api/accounting/invoices, line items)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

from zixly_sandbox.http import Call
from zixly_sandbox.xero.chart import Chart, Item
from zixly_sandbox.xero.elements import Element, Invalid
from zixly_sandbox.xero.entries import Line, LineAmountTypes
from zixly_sandbox.xero.money import cents_of, is_number, line_cents, price_of, tax_on

AMOUNT_TYPES = {"Exclusive", "Inclusive", "NoTax"}


@dataclass(frozen=True)
class LineRules:
    """What lines are read with."""

    chart: Chart
    places: int
    """Of unit prices."""
    is_sale: bool
    amount_types: LineAmountTypes


def places_of(call: Call) -> int:
    """`unitdp=4` asks for four places."""
    return 4 if call.query.get("unitdp") == "4" else 2


def amount_types_of(element: Element, default: LineAmountTypes) -> LineAmountTypes:
    found = element.get("LineAmountTypes") or default
    if found not in AMOUNT_TYPES:
        raise Invalid(f"LineAmountTypes {found} is not valid")
    return cast("LineAmountTypes", found)


def lines_of(element: Element, rules: LineRules) -> tuple[Line, ...]:
    """Raises `Invalid`."""
    items = element.get("LineItems")
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise Invalid("One or more line items must be specified")
    return tuple(line_of(item, rules) for item in items)


def line_of(sent: dict[str, Any], rules: LineRules) -> Line:
    """One line; what it leaves out comes from its item and its account."""
    item = item_of(sent, rules)
    description = sent.get("Description") or (item.name if item else "")
    if not description:
        raise Invalid("Description must be specified")
    quantity, discount = sent.get("Quantity", 1), sent.get("DiscountRate")
    price = priced(sent, quantity, item=item, rules=rules)
    if discount is not None and (not is_number(discount) or not 0 <= discount <= 100 or not rules.is_sale):
        raise Invalid("The DiscountRate must be a percentage and is for sales only")
    cents = line_cents(quantity, price, discount_percent=discount)
    check_line_amount(sent, cents)
    account = account_of(sent, item=item, rules=rules)
    tax_type = tax_type_of(sent, account, rules=rules)
    return Line(
        id=str(uuid4()),
        description=str(description),
        quantity=float(quantity),
        price=price,
        account=account,
        tax_type=tax_type,
        tax_cents=tax_of(sent, cents, tax_type, rules=rules),
        cents=cents,
        item=item.code if item else "",
        discount_percent=discount,
    )


def item_of(sent: dict[str, Any], rules: LineRules) -> Item | None:
    code = sent.get("ItemCode")
    if not code:
        return None
    if code not in rules.chart.items:
        raise Invalid(f"Item code '{code}' is not valid")
    return rules.chart.items[code]


def priced(sent: dict[str, Any], quantity: object, *, item: Item | None, rules: LineRules) -> int:
    """The price of one unit; an amount of the line without a price is divided by the quantity."""
    price = sent.get("UnitAmount")
    if price is None and item is not None:
        return item.price
    if price is None and is_number(sent.get("LineAmount")) and is_number(quantity) and quantity:
        price = sent["LineAmount"] / cast("float", quantity)
    price = 0 if price is None else price
    if not is_number(quantity) or not is_number(price):
        raise Invalid("Quantity and unit amount must be numbers")
    return price_of(price, places=rules.places)


def check_line_amount(sent: dict[str, Any], cents: int) -> None:
    given = sent.get("LineAmount")
    if given is not None and (not is_number(given) or cents_of(given) != cents):
        raise Invalid(f"The line total {given} does not match the expected line total {cents / 100:.2f}")


def account_of(sent: dict[str, Any], *, item: Item | None, rules: LineRules) -> str:
    """Empty where none is named: a draft may do without."""
    code = str(sent.get("AccountCode") or (item.account if item else ""))
    account = rules.chart.accounts.get(code)
    if code and (account is None or not account.takes_lines):
        raise Invalid(f"Account code '{code}' is not a valid code for this document.")
    return code


def tax_type_of(sent: dict[str, Any], account: str, *, rules: LineRules) -> str:
    """The line's own, else its account's; none on a document without tax."""
    default = rules.chart.accounts[account].tax_type if account and rules.amount_types != "NoTax" else "NONE"
    found = str(sent.get("TaxType") or default)
    rate = rules.chart.tax_rates.get(found)
    if rate is None or not (rate.on_sales if rules.is_sale else rate.on_purchases):
        raise Invalid(f"The TaxType code '{found}' does not exist or cannot be used for this type of transaction.")
    return found


def tax_of(sent: dict[str, Any], cents: int, tax_type: str, *, rules: LineRules) -> int:
    """The caller's own figure, else what follows from the rate."""
    if rules.amount_types == "NoTax":
        return 0
    if is_number(sent.get("TaxAmount")):
        return cents_of(sent["TaxAmount"])
    return tax_on(cents, rules.chart.tax_rates[tax_type].percent, is_included=rules.amount_types == "Inclusive")
