"""What the books of an organisation allow: its currency, accounts and tax rates, which mappings are validated against
(developer.xero.com/documentation/api/accounting/organisation , .../accounts , .../taxrates)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from zixly_core.systems.xero.fields import money_of, object_of, optional_text, text_of


@dataclass(frozen=True)
class Organisation:
    """`timezone` is Xero's own word for it, such as `EAUSTRALIASTANDARDTIME`; `short_code` leads deep links to this organisation."""

    id: str
    name: str
    base_currency: str
    timezone: str
    country: str
    short_code: str


@dataclass(frozen=True)
class Account:
    """An account of the chart. `takes_payments`: payments can be booked to it. Bank accounts may have no code."""

    id: str
    code: str
    name: str
    type: str
    status: str
    tax_type: str
    currency: str
    takes_payments: bool


@dataclass(frozen=True)
class TaxRate:
    """A tax rate; `tax_type` is what lines name it by. `rate` is in percent."""

    tax_type: str
    name: str
    status: str
    rate: Decimal
    applies_to_revenue: bool


def organisation_from(item: object) -> Organisation:
    """One element of `Organisations`. Raises `Permanent` (`unexpected_answer`)."""
    source = object_of(item, what="an organisation")
    return Organisation(
        id=optional_text(source, "OrganisationID").lower(),
        name=text_of(source, "Name"),
        base_currency=text_of(source, "BaseCurrency"),
        timezone=optional_text(source, "Timezone"),
        country=optional_text(source, "CountryCode"),
        short_code=optional_text(source, "ShortCode"),
    )


def account_from(item: object) -> Account:
    """One element of `Accounts`. Raises `Permanent`."""
    source = object_of(item, what="an account")
    return Account(
        id=text_of(source, "AccountID").lower(),
        code=optional_text(source, "Code"),
        name=optional_text(source, "Name"),
        type=optional_text(source, "Type"),
        status=optional_text(source, "Status"),
        tax_type=optional_text(source, "TaxType"),
        currency=optional_text(source, "CurrencyCode"),
        takes_payments=source.get("Type") == "BANK" or source.get("EnablePaymentsToAccount") is True,
    )


def tax_rate_from(item: object) -> TaxRate:
    """One element of `TaxRates`. Raises `Permanent`."""
    source = object_of(item, what="a tax rate")
    return TaxRate(
        tax_type=text_of(source, "TaxType"),
        name=optional_text(source, "Name"),
        status=optional_text(source, "Status"),
        rate=money_of(source, "EffectiveRate"),
        applies_to_revenue=source.get("CanApplyToRevenue") is True,
    )
