"""What `hubspot-deal-to-xero` decides about a deal, without any server."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zixly_core.connection_settings import ProjectTemplate, TaskTemplate, WonDeals
from zixly_core.errors import Permanent
from zixly_core.systems.hubspot.companies import Company
from zixly_core.systems.hubspot.contacts import Contact
from zixly_core.systems.hubspot.deals import Deal
from zixly_core.systems.hubspot.line_items import LineItem
from zixly_core.systems.hubspot.pipelines import Stage
from zixly_core.workflows.drafts import draft_from_json, draft_to_json
from zixly_core.workflows.won_deals import (
    WonDeal,
    draft_of,
    is_won,
    party_of,
    project_from_json,
    project_of,
    project_to_json,
)

pytestmark = pytest.mark.unit
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = date(2026, 11, 25)
BRISBANE, AUCKLAND, LOS_ANGELES = ZoneInfo("Australia/Brisbane"), ZoneInfo("Pacific/Auckland"), ZoneInfo("America/Los_Angeles")

DEAL = Deal(
    id="17812345601",
    name="Onboarding",
    stage="closedwon",
    pipeline="default",
    amount=Decimal("1250.00"),
    currency="AUD",
    closed_on=None,
    is_won=None,
    owner_id=None,
    updated_at=NOON,
    properties={"closedate": "2026-11-22T20:30:00Z"},
)
COMPANY = Company("951", "Analytical Engines Pty Ltd", "engines.example.test", NOON, {})
ADA = Contact("901", {"email": "ada@example.test", "firstname": "Ada", "lastname": "Lovelace"}, NOON)
LINE = LineItem("1", "Onboarding", "ONB", Decimal(2), Decimal("100.00"), Decimal(0), None, {})
WON = WonDeal(DEAL, COMPANY, ADA, [LINE], account="62515")
STAGES = {
    "closedwon": Stage("closedwon", "default", "Closed won", is_won=True, is_closed=True),
    "7100013": Stage("7100013", "7100001", "Signed", is_won=True, is_closed=True),
    "lost": Stage("lost", "default", "Closed lost", is_won=False, is_closed=True),
}
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@pytest.mark.parametrize(
    ("deal", "settings", "won"),
    [
        (DEAL, WonDeals(), True),
        (replace(DEAL, stage="7100013"), WonDeals(), True),
        (replace(DEAL, stage="lost"), WonDeals(), False),
        (replace(DEAL, stage="a stage of a pipeline that is gone"), WonDeals(), False),
        (replace(DEAL, stage="lost", is_won=True), WonDeals(), True),
        (replace(DEAL, is_won=False), WonDeals(), False),
        (DEAL, WonDeals(won_stages=("signed",)), False),
        (replace(DEAL, stage="signed", is_won=False), WonDeals(won_stages=("signed",)), True),
    ],
)
def test_a_deal_is_won_by_the_stages_that_are_set_else_by_what_hubspot_says(deal: Deal, settings: WonDeals, won: bool) -> None:
    assert is_won(deal, stages=STAGES, settings=settings) is won


def test_the_company_comes_before_the_contact() -> None:
    assert party_of(WON).name == "Analytical Engines Pty Ltd"
    assert party_of(replace(WON, company=None)).name == "Ada Lovelace"
    assert party_of(replace(WON, company=None, contact=Contact("9", {"email": "only@example.test"}, NOON))).name == "only@example.test"


@pytest.mark.parametrize("contact", [None, Contact("9", {}, NOON)])
def test_a_deal_for_nobody_is_refused(contact: Contact | None) -> None:
    with pytest.raises(Permanent, match="17812345601") as refused:
        party_of(replace(WON, company=None, contact=contact))
    assert refused.value.reason == "deal_without_customer"


@pytest.mark.parametrize(
    ("zone", "day"),
    [(BRISBANE, date(2026, 11, 23)), (AUCKLAND, date(2026, 11, 23)), (LOS_ANGELES, date(2026, 11, 22))],
)
def test_a_deal_is_closed_on_the_day_that_it_is_where_the_client_is(zone: ZoneInfo, day: date) -> None:
    draft = draft_of(WON, WonDeals(due_in_days=14), zone=zone, today=TODAY)
    assert (draft.date, draft.due_date) == (day, day + timedelta(days=14))


def test_without_a_closing_day_the_events_day_counts() -> None:
    draft = draft_of(replace(WON, deal=replace(DEAL, properties={})), WonDeals(due_in_days=30), zone=BRISBANE, today=TODAY)
    assert (draft.date, draft.due_date) == (TODAY, date(2026, 12, 25))


def test_each_line_item_is_a_line_with_its_discounts() -> None:
    lines = [LINE, replace(LINE, discount=Decimal("10.00")), replace(LINE, discount_percent=Decimal("12.5"))]
    draft = draft_of(replace(WON, lines=lines), WonDeals(), zone=BRISBANE, today=TODAY)
    assert [(line.quantity, line.unit_amount, line.discount_rate) for line in draft.lines] == [
        (Decimal(2), Decimal("100.00"), None),
        (Decimal(2), Decimal("90.00"), None),
        (Decimal(2), Decimal("100.00"), Decimal("12.5")),
    ]


def test_a_deal_without_line_items_is_one_line_of_its_amount() -> None:
    draft = draft_of(replace(WON, lines=[]), WonDeals(line_amount_types="NoTax"), zone=BRISBANE, today=TODAY)
    (line,) = draft.lines
    assert (line.description, line.unit_amount, line.tax_type) == ("Onboarding", Decimal("1250.00"), None)


def test_a_deal_without_amount_is_refused() -> None:
    with pytest.raises(Permanent) as refused:
        draft_of(replace(WON, lines=[], deal=replace(DEAL, amount=None)), WonDeals(), zone=BRISBANE, today=TODAY)
    assert refused.value.reason == "deal_without_amount"


@given(texts, texts, st.sampled_from(["AUD", "NZD", "JPY", None]))
def test_a_checkpoint_holds_a_draft_without_loss_in_any_script_and_currency(name: str, item: str, currency: str | None) -> None:
    won = replace(WON, deal=replace(DEAL, name=name, currency=currency), lines=[replace(LINE, name=item)])
    draft = draft_of(won, WonDeals(), zone=BRISBANE, today=TODAY)
    assert draft_from_json(json.loads(json.dumps(draft_to_json(draft)))) == draft


def test_a_project_is_the_template_with_its_placeholders_filled_and_its_days_counted() -> None:
    template = ProjectTemplate(name="{deal} for {company}", tasks=(TaskTemplate(name="Call {contact}", notes="{deal_id}", due_in_days=3),))
    plan = project_of(WON, template, start=TODAY)
    assert (plan.name, plan.due_on) == ("Onboarding for Analytical Engines Pty Ltd", date(2026, 11, 28))
    assert [(task.name, task.notes) for task in plan.tasks] == [("Call Ada Lovelace", "17812345601")]
    assert project_from_json(json.loads(json.dumps(project_to_json(plan)))) == plan


@given(texts)
def test_a_name_that_looks_like_a_placeholder_is_text(name: str) -> None:
    won = replace(WON, deal=replace(DEAL, name="{contact}" + name))
    assert project_of(won, ProjectTemplate(tasks=()), start=TODAY).name == "{contact}" + name
