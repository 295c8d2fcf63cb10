"""`/_sandbox/shopify`: what merchants and customers do in a shop. Each change sends the webhooks that tell of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from zixly_sandbox.sandbox import Sandbox
from zixly_sandbox.seeding.shops import GOODS, add_orders, add_shoppers, goods, order_of
from zixly_sandbox.shopify.bodies import customer_body, refund_body
from zixly_sandbox.shopify.changes import CannotBeDone, Merchant
from zixly_sandbox.shopify.desk import ShopAccount
from zixly_sandbox.shopify.order_body import order_body
from zixly_sandbox.shopify.records import Customer, Line, Order
from zixly_sandbox.shopify.shop import Shop, ShopState

T = TypeVar("T")


class NewLine(BaseModel):
    """A line; `price` is for one piece, tax included unless the order says otherwise."""

    title: str
    sku: str | None = None
    quantity: int = Field(default=1, ge=1, le=10_000)
    price: float = Field(ge=0, le=1_000_000)


class NewOrder(BaseModel):
    """An order. What is left out is made up; an unknown e-mail address makes a new customer."""

    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    lines: list[NewLine] | None = None
    currency: str | None = Field(default=None, min_length=3, max_length=3)
    presentment_currency: str | None = Field(default=None, min_length=3, max_length=3)
    presentment_rate: float = Field(default=1, gt=0)
    discount_percent: int = Field(default=0, ge=0, le=99)
    with_shipping: bool = True
    taxes_included: bool = True
    is_paid: bool = True
    count: int = Field(default=1, ge=1, le=10_000)


class RefundOf(BaseModel):
    """What to give back: pieces of lines by the lines' ids, an amount, or, with neither, all that is left."""

    quantities: dict[int, int] | None = None
    amount: float | None = Field(default=None, gt=0)
    with_shipping: bool = False
    note: str | None = None
    restock: bool = False


class Cancel(BaseModel):
    """Whether the money goes back too."""

    reason: Literal["customer", "fraud", "inventory", "declined", "other"] = "customer"
    refund: bool = True


class OrderChange(BaseModel):
    """New values; what is left out stays."""

    email: str | None = None
    note: str | None = None
    tags: list[str] | None = None


class NewCustomer(BaseModel):
    """A customer."""

    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None


class SeedShop(BaseModel):
    """More customers and orders; no webhook tells of them."""

    customers: int = Field(default=0, ge=0, le=100_000)
    orders: int = Field(default=0, ge=0, le=500_000)
    paid_percent: int = Field(default=90, ge=0, le=100)


class ShopChange(BaseModel):
    """What the Admin API answers for the shop from now on."""

    state: ShopState


def shopify_router(sandbox: Sandbox) -> APIRouter:
    router = APIRouter(prefix="/shopify/{shop}", tags=["shopify"])
    add_shop_calls(router, sandbox)
    add_order_calls(router, sandbox)
    add_customer_calls(router, sandbox)
    return router


def add_shop_calls(router: APIRouter, sandbox: Sandbox) -> None:
    @router.get("")
    async def shop(shop: str) -> dict[str, Any]:
        """Sizes and points of the shop, and the webhooks made through the API."""
        return shop_overview(sandbox, account_of(sandbox, shop))

    @router.patch("")
    async def change_shop(shop: str, body: ShopChange) -> dict[str, str]:
        """Freeze, lock or close the shop, or open it again."""
        found = account_of(sandbox, shop).shop
        found.state = body.state
        return {"state": found.state}

    @router.post("/seed")
    async def seed(shop: str, body: SeedShop) -> dict[str, Any]:
        """More customers and orders; answers `order_ids`."""
        found = account_of(sandbox, shop).shop
        now, domain = sandbox.clock.milliseconds(), f"{found.domain.partition('.')[0]}.example.test"
        people = add_shoppers(found, count=body.customers, random=sandbox.random, now=now, domain=domain)
        everyone = people or list(found.customers.values())
        orders = add_orders(found, everyone, count=body.orders, random=sandbox.random, now=now, paid_percent=body.paid_percent)
        return {"customer_ids": [item.id for item in people], "order_ids": [item.id for item in orders]}

    @router.post("/uninstall")
    async def uninstall(shop: str) -> dict[str, int]:
        """A merchant removes the app: webhook app/uninstalled, and all tokens end."""
        found = account_of(sandbox, shop)
        Merchant(found, sandbox.clock).uninstall()
        return {"grants": sandbox.shopify.tokens.revoke(found.shop.domain)}

    @router.post("/redact", status_code=202)
    async def redact_shop(shop: str) -> dict[str, str]:
        """Webhook shop/redact, which the real one sends 48 hours after the app was uninstalled."""
        Merchant(account_of(sandbox, shop), sandbox.clock).redact_shop()
        return {"sent": "shop/redact"}


def add_order_calls(router: APIRouter, sandbox: Sandbox) -> None:
    @router.post("/orders", status_code=201)
    async def place(shop: str, body: NewOrder) -> dict[str, Any]:
        """Customers order: webhooks orders/create, orders/paid, orders/updated. Answers the last order, and `order_ids`."""
        merchant = Merchant(account_of(sandbox, shop), sandbox.clock)
        made = [placed(sandbox, merchant, body) for _ in range(body.count)]
        return {**order_body(merchant.shop, made[-1]), "order_ids": [order.id for order in made]}

    @router.get("/orders/{order}")
    async def order(shop: str, order: int) -> dict[str, Any]:
        """The order in the form that webhooks have, without counting as a call."""
        found = account_of(sandbox, shop).shop
        return order_body(found, order_in(found, order))

    @router.post("/orders/{order}/pay")
    async def pay(shop: str, order: int) -> dict[str, Any]:
        """What is owed is paid: webhooks orders/paid, orders/updated."""
        merchant, found = merchant_and_order(sandbox, shop, order)
        allowed(lambda: merchant.pay(found))
        return order_body(merchant.shop, found)

    @router.post("/orders/{order}/refund")
    async def refund(shop: str, order: int, body: RefundOf) -> dict[str, Any]:
        """Give money back: webhooks refunds/create, orders/updated. Answers the refund."""
        merchant, found = merchant_and_order(sandbox, shop, order)
        cents = round(body.amount * 100) if body.amount is not None else None
        made = allowed(
            lambda: merchant.refund(
                found, quantities=body.quantities, amount=cents, shipping=body.with_shipping, note=body.note, restock=body.restock
            )
        )
        return refund_body(merchant.shop, made)

    @router.post("/orders/{order}/cancel")
    async def cancel(shop: str, order: int, body: Cancel) -> dict[str, Any]:
        """Cancel, with the money back or not: webhooks orders/cancelled, orders/updated, and refunds/create."""
        merchant, found = merchant_and_order(sandbox, shop, order)
        allowed(lambda: merchant.cancel(found, reason=body.reason, refund=body.refund))
        return order_body(merchant.shop, found)

    @router.patch("/orders/{order}")
    async def change(shop: str, order: int, body: OrderChange) -> dict[str, Any]:
        """Change an order: webhook orders/updated."""
        merchant, found = merchant_and_order(sandbox, shop, order)
        merchant.change(found, email=body.email, note=body.note, tags=body.tags)
        return order_body(merchant.shop, found)

    @router.delete("/orders/{order}", status_code=204)
    async def remove(shop: str, order: int) -> None:
        """Make the order disappear; no webhook tells of it."""
        found = account_of(sandbox, shop).shop
        found.remove_order(order_in(found, order))


def add_customer_calls(router: APIRouter, sandbox: Sandbox) -> None:
    @router.post("/customers", status_code=201)
    async def new_customer(shop: str, body: NewCustomer) -> dict[str, Any]:
        """A new customer: webhook customers/create."""
        merchant = Merchant(account_of(sandbox, shop), sandbox.clock)
        made = person_of(merchant.shop, body, now=sandbox.clock.milliseconds())
        merchant.keep_customer(made, is_new=True)
        return customer_body(merchant.shop, made)

    @router.patch("/customers/{customer}")
    async def change_customer(shop: str, customer: int, body: NewCustomer) -> dict[str, Any]:
        """Change a customer: webhook customers/update."""
        merchant = Merchant(account_of(sandbox, shop), sandbox.clock)
        found = customer_in(merchant.shop, customer)
        for name, value in body.model_dump(exclude_none=True).items():
            setattr(found, name, value)
        merchant.keep_customer(found, is_new=False)
        return customer_body(merchant.shop, found)

    @router.post("/customers/{customer}/data-request", status_code=202)
    async def data_request(shop: str, customer: int) -> dict[str, str]:
        """A customer wants to know what is kept: webhook customers/data_request."""
        merchant = Merchant(account_of(sandbox, shop), sandbox.clock)
        merchant.ask_for_data(customer_in(merchant.shop, customer))
        return {"sent": "customers/data_request"}

    @router.post("/customers/{customer}/redact", status_code=202)
    async def redact(shop: str, customer: int) -> dict[str, str]:
        """A customer's data is to be erased: webhook customers/redact."""
        merchant = Merchant(account_of(sandbox, shop), sandbox.clock)
        merchant.redact(customer_in(merchant.shop, customer))
        return {"sent": "customers/redact"}


def account_of(sandbox: Sandbox, shop: str) -> ShopAccount:
    found = sandbox.shopify.shops.get(shop.lower())
    if found is None:
        raise HTTPException(404, f"There is no shop {shop}.")
    return found


def order_in(shop: Shop, number: int) -> Order:
    found = shop.orders.get(number)
    if found is None:
        raise HTTPException(404, f"There is no order {number}.")
    return found


def customer_in(shop: Shop, number: int) -> Customer:
    found = shop.customers.get(number)
    if found is None:
        raise HTTPException(404, f"There is no customer {number}.")
    return found


def merchant_and_order(sandbox: Sandbox, shop: str, number: int) -> tuple[Merchant, Order]:
    account = account_of(sandbox, shop)
    return Merchant(account, sandbox.clock), order_in(account.shop, number)


def allowed(act: Callable[[], T]) -> T:
    """409 for what the order's state does not allow."""
    try:
        return act()
    except CannotBeDone as error:
        raise HTTPException(409, str(error)) from error


def placed(sandbox: Sandbox, merchant: Merchant, body: NewOrder) -> Order:
    shop, now = merchant.shop, sandbox.clock.milliseconds()
    customer = shop.customer_by_email(body.email) if body.email else sandbox.random.choice(list(shop.customers.values()))
    if customer is None:
        who = NewCustomer(email=body.email, first_name=body.first_name, last_name=body.last_name)
        customer = person_of(shop, who, now=now)
        merchant.keep_customer(customer, is_new=True)
    order = order_of(
        shop,
        customer,
        lines_of(sandbox, shop, body.lines),
        at=now,
        currency=body.currency,
        discount_percent=body.discount_percent,
        shipping=0 if body.with_shipping else None,
        taxes_included=body.taxes_included,
    )
    order.presentment_currency, order.presentment_rate = body.presentment_currency or "", body.presentment_rate
    merchant.place(order, is_paid=body.is_paid)
    return order


def lines_of(sandbox: Sandbox, shop: Shop, lines: list[NewLine] | None) -> list[Line]:
    if lines is None:
        return [goods(shop, sandbox.random.randrange(len(GOODS)), sandbox.random.randrange(1, 4))]
    return [shop.new_line(line.title, sku=line.sku, quantity=line.quantity, price=round(line.price * 100)) for line in lines]


def person_of(shop: Shop, body: NewCustomer, *, now: int) -> Customer:
    return Customer(shop.next_customer_id(), body.email, body.first_name, body.last_name, now, now, phone=body.phone, country=shop.country)


def shop_overview(sandbox: Sandbox, account: ShopAccount) -> dict[str, Any]:
    rules = sandbox.rules.shopify
    points = account.bucket.available(sandbox.clock.seconds(), size=rules.bucket_points, restore=rules.restore_per_second)
    made = [{"id": item.id, "topic": item.topic, "uri": item.uri} for item in account.hooks.api_subscriptions()]
    return {
        "domain": account.shop.domain,
        "state": account.shop.state,
        "customers": len(account.shop.customers),
        "orders": len(account.shop.orders),
        "points": points,
        "subscriptions": made,
    }
