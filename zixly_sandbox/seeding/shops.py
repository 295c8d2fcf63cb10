"""The shops' data: what the demo relies on, and customers with orders in any number."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from zixly_sandbox import constants
from zixly_sandbox.constants import DEMO, Client
from zixly_sandbox.seeding.people import person
from zixly_sandbox.shopify.changes import receive_payment
from zixly_sandbox.shopify.records import Customer, Line, Order
from zixly_sandbox.shopify.shop import Shop

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
# Title, stock keeping unit, price in cents.
GOODS = (
    ("Surfboard wax", "WAX-001", 1_295),
    ("Rash vest, long sleeve", "VEST-L", 5_990),
    ("Koffie & thé — 250 g", "COF-250", 1_850),
    ("サーフボード", "BOARD-6", 64_900),
    ("Leash 6'", None, 3_450),
)
SHIPPING = (("Standard", 995), ("Express", 1_990))
# Of a hundred orders so many are unpaid, discounted, sent without shipping, ordered without an account or address.
UNPAID, DISCOUNTED, WITHOUT_SHIPPING, GUESTS = 10, 20, 15, 3
# The rates of the countries' sales tax; prices hold it already.
TAX = {"AU": ("GST", 10), "NZ": ("GST", 15)}
# The small set that every start has. Older orders than these days would be invisible to the app.
CUSTOMERS, ORDERS, DAYS = 12, 30, 50


def seeded_shop(client: Client, *, random: Random, now: int) -> Shop:
    """A client's shop."""
    zone = "Australia/Brisbane" if client.country == "AU" else "Pacific/Auckland"
    shop = Shop(
        client.shop,
        number=548_380_000 + CUSTOMERS * int(client == DEMO),
        name=client.name,
        country=client.country,
        currency=client.currency,
        zone=zone,
        created_at=now - 400 * DAY_MS,
    )
    if client == DEMO:
        add_known(shop, now=now)
    people = add_shoppers(shop, count=CUSTOMERS, random=random, now=now, domain=f"{client.slug}.example.test")
    add_orders(shop, people, count=ORDERS, random=random, now=now)
    return shop


def add_known(shop: Shop, *, now: int) -> None:
    """Ada and Grace, whom HubSpot knows; Ada's paid order, Grace's unpaid one with a discount, and a paid one in US dollars."""
    ada = Customer(7_012_345_600_001, constants.ADA_EMAIL, "Ada", "Lovelace", now - 90 * DAY_MS, now - HOUR_MS, phone="+61755550100")
    grace = Customer(7_012_345_600_002, constants.GRACE_EMAIL, "Grace", "Hopper", now - 90 * DAY_MS, now - HOUR_MS)
    bjoerk = Customer(7_012_345_678_901, "bjoerk@example.test", "Björk", "Guðmundsdóttir", now - 30 * DAY_MS, now - DAY_MS)
    for customer in (ada, grace, bjoerk):
        shop.keep_customer(customer)
    first = order_of(shop, ada, [goods(shop, 1, 2), goods(shop, 0, 1)], at=now - HOUR_MS, key=constants.ORDER)
    second = order_of(shop, grace, [goods(shop, 3, 1), goods(shop, 2, 3)], at=now - 2 * HOUR_MS, discount_percent=10)
    third = order_of(shop, bjoerk, [goods(shop, 4, 2)], at=now - DAY_MS, currency="USD")
    for order in (first, second, third):
        shop.keep_order(order)
    for order in (first, third):
        receive_payment(shop, order, at=order.created_at)


def add_shoppers(shop: Shop, *, count: int, random: Random, now: int, domain: str) -> list[Customer]:
    made: list[Customer] = []
    start = len(shop.customers)
    for number in range(start, start + count):
        who = person(random, number, domain=domain)
        at = now - random.randrange(DAYS * DAY_MS)
        customer = Customer(shop.next_customer_id(), who.email, who.first_name, who.last_name, at, at, country=shop.country)
        shop.keep_customer(customer)
        made.append(customer)
    return made


def add_orders(
    shop: Shop, people: Sequence[Customer], *, count: int, random: Random, now: int, paid_percent: int | None = None
) -> list[Order]:
    """Orders of the last weeks. Most are paid; `paid_percent` says how many else."""
    made: list[Order] = []
    paid = 100 - UNPAID if paid_percent is None else paid_percent
    for _ in range(count):
        at = now - random.randrange(DAYS * DAY_MS)
        lines = [goods(shop, random.randrange(len(GOODS)), random.randrange(1, 4)) for _ in range(random.randrange(1, 4))]
        who = None if random.randrange(100) < GUESTS else random.choice(people)
        discount = 10 if random.randrange(100) < DISCOUNTED else 0
        shipping = None if random.randrange(100) < WITHOUT_SHIPPING else random.randrange(len(SHIPPING))
        order = order_of(shop, who, lines, at=at, discount_percent=discount, shipping=shipping)
        shop.keep_order(order)
        if random.randrange(100) < paid:
            receive_payment(shop, order, at=at)
        made.append(order)
    return made


def goods(shop: Shop, number: int, quantity: int) -> Line:
    title, sku, price = GOODS[number]
    return shop.new_line(title, sku=sku, quantity=quantity, price=price)


def order_of(
    shop: Shop,
    customer: Customer | None,
    lines: list[Line],
    *,
    at: int,
    key: int | None = None,
    currency: str | None = None,
    discount_percent: int = 0,
    shipping: int | None = 0,
    taxes_included: bool = True,
) -> Order:
    """An unpaid order with the country's tax on every line and on shipping."""
    title, percent = TAX[shop.country]
    for line in lines:
        line.discount = round(line.total * discount_percent / 100)
        line.tax = tax_in(line.discounted, percent, included=taxes_included)
    order = Order(
        id=key or shop.next_order_id(),
        number=shop.next_number(),
        customer=customer,
        email=customer.email if customer else None,
        currency=currency or shop.currency,
        lines=lines,
        created_at=at,
        updated_at=at,
        taxes_included=taxes_included,
        tax_title=title,
        tax_rate=percent / 100,
        discount_code=f"SAVE{discount_percent}" if discount_percent else None,
    )
    if shipping is not None:
        name, price = SHIPPING[shipping]
        order.shipping = shop.new_shipping(name, price=price, tax=tax_in(price, percent, included=taxes_included))
    return order


def tax_in(cents: int, percent: int, *, included: bool) -> int:
    """The tax inside an amount, or on top of it."""
    return round(cents * percent / (100 + percent)) if included else round(cents * percent / 100)
