"""Companies and deals of a portal: open, won and lost ones, in both pipelines, with lines, in several currencies and scripts."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from zixly_sandbox.clock import iso_milliseconds
from zixly_sandbox.hubspot.owners import OWNERS
from zixly_sandbox.hubspot.portal import Portal
from zixly_sandbox.hubspot.stages import PIPELINES, Pipeline, Stage
from zixly_sandbox.hubspot.table import Record
from zixly_sandbox.seeding.people import COMPANIES, CURRENCIES

DAY_MS = 86_400_000
DEALS = 24
# Name, article number, unit price.
WORK = (
    ("Website relaunch", "WEB-RELAUNCH", "4800.00"),
    ("SEO package", "SEO", "450.00"),
    ("Care plan, 12 months", "CARE-PLAN", "1660.00"),
    ("Photo shoot", "PHOTO", "1200.00"),
    ("Übersetzung, je Seite", "TRANS", "95.50"),
    ("ブランド設計", "BRAND", "2350.00"),
)


def add_companies(portal: Portal, *, now: int, domain: str) -> list[Record]:
    """One for each name that customers' companies have."""
    table = portal.tables["companies"]
    return [
        portal.new_record(table, {"name": name, "domain": f"company{number}.{domain}", "country": "Australia"}, now=now, lag_ms=0)
        for number, name in enumerate(COMPANIES)
    ]


def add_deals(portal: Portal, companies: Sequence[Record], *, random: Random, now: int, count: int = DEALS) -> list[Record]:
    """Deals with one to three lines; most have a company, most a contact, a few neither."""
    contacts = list(portal.contacts.records)
    return [add_deal(portal, companies, contacts, random=random, now=now) for _ in range(count)]


def add_deal(portal: Portal, companies: Sequence[Record], contacts: Sequence[str], *, random: Random, now: int) -> Record:
    pipeline = random.choice(list(PIPELINES.values()))
    lines = [random_line(random) for _ in range(random.randrange(1, 4))]
    values = {
        **stage_values(pipeline, random.choice(pipeline.stages), now=now - random.randrange(90) * DAY_MS),
        "dealname": f"{lines[0]['name']} {random.randrange(100, 1000)}",
        "deal_currency_code": random.choice(CURRENCIES),
        "hubspot_owner_id": random.choice(OWNERS)[0],
    }
    deal = portal.new_record(portal.tables["deals"], values, now=now, lag_ms=0)
    for line in lines:
        add_line(portal, deal, {**line, "hs_line_item_currency_code": values["deal_currency_code"]}, now=now)
    if random.randrange(10):
        portal.associate(deal, "deals", with_type="contacts", ids=[random.choice(contacts)])
    if random.randrange(4):
        portal.associate(deal, "deals", with_type="companies", ids=[random.choice(companies).id])
    return deal


def stage_values(pipeline: Pipeline, stage: Stage, *, now: int) -> dict[str, str]:
    closed = {"closedate": iso_milliseconds(now)} if stage.is_closed else {}
    return {"pipeline": pipeline.id, "dealstage": stage.id, **closed}


def random_line(random: Random) -> dict[str, str]:
    name, number, price = random.choice(WORK)
    discount = {"hs_discount_percentage": "10"} if random.randrange(4) == 0 else {}
    return {"name": name, "hs_sku": number, "price": price, "quantity": str(random.randrange(1, 5)), **discount}


def add_line(portal: Portal, deal: Record, values: dict[str, str], *, now: int) -> Record:
    """A line of a deal; the deal's amount grows by it."""
    line = portal.new_record(portal.tables["line_items"], values, now=now, lag_ms=0)
    portal.associate(deal, "deals", with_type="line_items", ids=[line.id])
    amount = float(deal.properties.get("amount") or 0) + float(line.properties["amount"])
    portal.change(portal.tables["deals"], deal, {"amount": f"{amount:.2f}"}, now=now, lag_ms=0)
    return line
