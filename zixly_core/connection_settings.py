"""What people set about a connection: which partner accounts its workflows write to, and how fields, stages, accounts and tax
types map. Checked when it is saved; what was saved before a rule changed is checked again when it is used.

The defaults suit the sandbox and an Australian organisation as Xero sets it up: account 200 is Sales, 090 the bank account,
OUTPUT the tax type "GST on Income", EXEMPTOUTPUT "GST Free Income"
(developer.xero.com/documentation/api/accounting/types#taxtypes).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from zixly_core.errors import Permanent, Rejected
from zixly_core.workflows.paid_invoices import FIELDS

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
AccountCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9./-]{1,10}$")]
TaxType = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2,50}$")]
NumberPrefix = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9/#_-]{1,20}$")]
PropertyName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,99}$")]

PLACEHOLDER = re.compile(r"\{(\w*)\}")


class InvalidSettings(Rejected):
    """What somebody wants to set about a connection cannot work; the message names the field and the rule."""


def known_field(name: str) -> str:
    if name not in FIELDS:
        raise ValueError(f"there is no such field of an invoice; there are {', '.join(sorted(FIELDS))}")
    return name


def template_of(*names: str) -> AfterValidator:
    """A text whose placeholders `{name}` are among these."""

    def check(text: str) -> str:
        unknown = sorted(set(PLACEHOLDER.findall(text)) - set(names))
        if unknown or text.count("{") != len(PLACEHOLDER.findall(text)) or text.count("{") != text.count("}"):
            raise ValueError(f"its placeholders can be {', '.join(f'{{{name}}}' for name in names)}")
        return text

    return AfterValidator(check)


def filled(template: str, values: Mapping[str, str]) -> str:
    """The text with its placeholders filled; nothing else in it is special."""
    return PLACEHOLDER.sub(lambda found: values[found.group(1)], template)


InvoiceField = Annotated[str, AfterValidator(known_field)]
DealText = Annotated[Text, template_of("deal", "deal_id", "company", "contact")]
TaskText = Annotated[Text, template_of("task", "completed_on", "completed_by", "link")]


class Part(BaseModel):
    """A group of settings. Unknown names are refused: they would be typing mistakes that nobody notices."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Reconciling(Part):
    """What the nightly comparison may do by itself."""

    repair: bool = Field(
        default=False, description="Write differing fields again at night, without asking. Events that never came are always worked on."
    )


class Shared(Part):
    """What every connection has."""

    reconciliation: Reconciling = Reconciling()
    notify: bool = Field(default=False, description="Tell ZIXLY_NOTIFY_WEBHOOK_URL about each run.")


class InvoiceLines(Part):
    """How lines are booked in Xero."""

    account_code: AccountCode = Field(default="200", description="The revenue account.")
    tax_type: TaxType = Field(default="OUTPUT", description="Of lines that bear tax.")
    exempt_tax_type: TaxType = Field(default="EXEMPTOUTPUT", description="Of lines without tax.")


class TaskTemplate(Part):
    """A task of the project that a won deal gets."""

    name: DealText
    notes: Annotated[str, StringConstraints(max_length=10_000), template_of("deal", "deal_id", "company", "contact")] = ""
    due_in_days: int | None = Field(default=None, ge=0, le=3650)


class ProjectTemplate(Part):
    """The project in Asana that a won deal gets."""

    name: DealText = "{deal}"
    team: Annotated[str, StringConstraints(pattern=r"^\d{1,30}$")] | None = Field(
        default=None, description="Gid of the team; an Asana organisation demands one, a workspace has none."
    )
    tasks: tuple[TaskTemplate, ...] = Field(
        default=(
            TaskTemplate(name="Kick-off with {contact}", due_in_days=2),
            TaskTemplate(name="Set up {deal}", due_in_days=7),
            TaskTemplate(name="Hand over to {company}", due_in_days=30),
        ),
        max_length=50,
    )


class WonDeals(InvoiceLines):
    """`hubspot-deal-to-xero`."""

    won_stages: tuple[Text, ...] = Field(
        default=(), description="Ids of the stages that count as won; none: those that HubSpot marks as won."
    )
    line_amount_types: Literal["Exclusive", "Inclusive", "NoTax"] = "Exclusive"
    due_in_days: int = Field(default=14, ge=0, le=365)
    number_prefix: NumberPrefix = Field(default="HS-", description="Invoice numbers are this and the deal's id.")
    reference: DealText = "{deal}"
    project: ProjectTemplate | None = Field(default=ProjectTemplate(), description="null: no project is made.")


class PaidOrders(InvoiceLines):
    """`shopify-order-to-xero`."""

    payment_account_code: AccountCode = Field(default="090", description="The account that payments and refunds go through.")
    shipping_account_code: AccountCode | None = Field(default=None, description="null: the account of the other lines.")
    number_prefix: NumberPrefix = Field(default="SH-", description="Invoice numbers are this and the order's number.")
    contact_properties: Mapping[PropertyName, Literal["first_name", "last_name", "phone"]] = Field(
        default={"firstname": "first_name", "lastname": "last_name"},
        description="Which properties of the HubSpot contact get which fields of the customer.",
    )


class CompletedTasks(Part):
    """`asana-task-to-hubspot`."""

    record_field: Text = Field(
        default="HubSpot record",
        description="The custom field that names a deal or contact: the address of its page, `deal:ID`, `contact:ID`, or a deal's id.",
    )
    note: TaskText = "Task completed: {task} ({completed_on}). {link}"


class Sweeps(Part):
    """`trading-sweep`."""

    callback: bool = Field(default=False, description="The service is asked to call back; it is polled all the same.")


class XeroSettings(Shared):
    hubspot_connection: UUID | None = Field(default=None, description="Only needed where the tenant has several.")
    mapping: Mapping[PropertyName, InvoiceField] | None = Field(
        default=None, description="Which property of the contact gets which field of the invoice."
    )
    missing_contact: Literal["skip", "fail"] = "skip"
    document: bool = Field(default=False, description="Keep the PDF of each paid invoice.")


class HubSpotSettings(Shared):
    xero_connection: UUID | None = None
    asana_connection: UUID | None = None
    won_deals: WonDeals = WonDeals()


class ShopifySettings(Shared):
    xero_connection: UUID | None = None
    hubspot_connection: UUID | None = None
    paid_orders: PaidOrders = PaidOrders()
    webhooks: Literal["app", "api"] = Field(
        default="app",
        description="Where the shop's webhooks are declared: in the app's configuration, or made by us and made again when they are lost.",
    )


class AsanaSettings(Shared):
    hubspot_connection: UUID | None = None
    calls_per_minute: int | None = Field(default=None, ge=1, description="The plan's limit: 1,500 in paid plans; 150 when left out.")
    completed_tasks: CompletedTasks = CompletedTasks()


class CallbacksSettings(Shared):
    sweeps: Sweeps = Sweeps()


MODELS: Mapping[str, type[Shared]] = {
    "xero": XeroSettings,
    "hubspot": HubSpotSettings,
    "shopify": ShopifySettings,
    "asana": AsanaSettings,
    "callbacks": CallbacksSettings,
}

SettingsT = TypeVar("SettingsT", bound=Shared)


def validated(system: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as they are saved: what was given, checked, nothing added. Raises `InvalidSettings`."""
    model = MODELS.get(system)
    if model is None:
        raise InvalidSettings(f"Connections of {system!r} have no settings.", reason="settings_invalid")
    try:
        return model.model_validate(settings).model_dump(mode="json", exclude_unset=True)
    except ValidationError as error:
        raise InvalidSettings(sentence_of(error), reason="settings_invalid") from None


def settings_in(model: type[SettingsT], settings: Mapping[str, Any], *, connection_id: UUID) -> SettingsT:
    """The saved settings with their defaults. Raises `Permanent` naming what is wrong: a person has to mend it."""
    try:
        return model.model_validate(settings)
    except ValidationError as error:
        text = f"The settings of connection {connection_id} cannot be used. {sentence_of(error)}"
        raise Permanent(text, reason="settings_invalid") from None


def sentence_of(error: ValidationError) -> str:
    """Each mistake by the name of its field; never the value, which may be anything."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return " ".join(
        f"{'.'.join(str(part) for part in one['loc']) or 'settings'}: {one['msg'].removeprefix('Value error, ')}." for one in found[:5]
    )
