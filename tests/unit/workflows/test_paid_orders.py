"""What `shopify-order-to-xero` decides about an order, without any server."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.unit.workflows.orders import NOON, make_order, make_refund, make_transaction, money
from zixly_core.connection_settings import PaidOrders
from zixly_core.stores.effects import SourceState
from zixly_core.workflows.paid_orders import (
    NotBooked,
    Plan,
    contact_properties,
    email_of,
    judged,
    number_of,
    order_from_json,
    order_to_json,
    party_of,
    state_of,
    takings_of,
)

pytestmark = pytest.mark.unit
BRISBANE = ZoneInfo("Australia/Brisbane")
INVOICE = {"id": "8694c9c5-7097-4449-a708-b8c1982921a4", "number": "SH-1001"}


@pytest.mark.parametrize("status", ["PAID", "PARTIALLY_REFUNDED", "REFUNDED"])
def test_an_order_whose_money_came_in_is_booked_whatever_went_back(status: str) -> None:
    assert judged(make_order(financial_status=status), None) is Plan.BOOK


@pytest.mark.parametrize("status", ["PENDING", "AUTHORIZED", "PARTIALLY_PAID", "EXPIRED", ""])
def test_an_order_that_is_not_paid_is_skipped(status: str) -> None:
    assert judged(make_order(financial_status=status), None) is NotBooked.OPEN


def test_a_test_order_and_a_free_one_are_skipped() -> None:
    assert judged(make_order(is_test=True), None) is NotBooked.TEST
    assert judged(make_order(total=money("0")), None) is NotBooked.FREE


def test_an_order_that_was_cancelled_unpaid_is_skipped_unless_it_has_an_invoice() -> None:
    cancelled = make_order(financial_status="VOIDED", cancelled_at=NOON, transactions=())
    assert judged(cancelled, None) is NotBooked.CANCELLED
    assert judged(cancelled, state_of(make_order(), invoice=INVOICE)) is Plan.VOID
    assert judged(cancelled, state_of(make_order(), invoice=None)) is NotBooked.CANCELLED


def test_an_order_that_is_cancelled_before_shopify_says_voided_is_judged_alike() -> None:
    cancelled = make_order(financial_status="PENDING", cancelled_at=NOON, transactions=())
    assert judged(cancelled, state_of(make_order(), invoice=INVOICE)) is Plan.VOID


def test_an_order_that_did_not_change_for_the_books_is_skipped() -> None:
    seen = state_of(make_order(), invoice=INVOICE)
    later = datetime(2026, 11, 23, tzinfo=UTC)
    assert judged(make_order(updated_at=later, email="new@example.test"), seen) is NotBooked.KNOWN


@pytest.mark.parametrize(
    "changed",
    [
        make_order(financial_status="PARTIALLY_REFUNDED", refunds=(make_refund(amount="5"),)),
        make_order(transactions=(make_transaction(1), make_transaction(2))),
        make_order(transactions=(make_transaction(status="FAILURE"),)),
        make_order(total=money("120.00")),
    ],
)
def test_a_change_of_money_is_acted_on(changed: object) -> None:
    assert judged(changed, state_of(make_order(), invoice=INVOICE)) is Plan.BOOK  # type: ignore[arg-type]  # all are orders


def test_what_is_remembered_survives_as_json() -> None:
    state = state_of(make_order(), invoice=INVOICE)
    kept = SourceState(state.version, json.loads(json.dumps(dict(state.state))))
    assert judged(make_order(), kept) is NotBooked.KNOWN


def test_a_checkpoint_holds_an_order_without_loss() -> None:
    order = make_order(refunds=(make_refund(),), cancelled_at=NOON)
    assert order_from_json(json.loads(json.dumps(order_to_json(order)))) == order


def test_a_repr_shows_nothing_personal() -> None:
    shown = repr(make_order()).lower()
    assert [word for word in ("ada", "lovelace", "board 1") if word in shown] == []


def test_a_number_is_the_orders_name_behind_the_prefix() -> None:
    assert number_of(make_order(), PaidOrders()) == "SH-1001"
    assert number_of(make_order(name='AU"1001\\'), PaidOrders(number_prefix="X/")) == "X/AU1001"


def test_an_address_is_the_orders_own_else_the_customers_in_lower_case() -> None:
    order = make_order()
    assert email_of(order) == "ada@example.test"
    assert email_of(replace(order, email=None)) == "ada@example.test"
    assert email_of(replace(order, email="none", customer=None)) is None


def test_a_guest_without_name_and_address_is_known_by_the_order() -> None:
    party = party_of(make_order(email=None, customer=None), key="shopify:shop:order:5550001")
    assert (party.name, party.email, party.source_key) == ("Shopify order #1001", None, "shopify:shop:order:5550001")
    assert party_of(make_order(customer=None), key="k").name == "ada@example.test"
    assert party_of(make_order(), key="k").name == "Ada Lovelace"


def test_empty_fields_do_not_clear_what_hubspot_knows() -> None:
    settings = PaidOrders(contact_properties={"firstname": "first_name", "phone": "phone"})
    assert contact_properties(make_order(), settings) == {"firstname": "Ada"}
    assert contact_properties(make_order(phone="0400 000 000"), settings) == {"firstname": "Ada", "phone": "0400 000 000"}


def test_only_money_that_came_in_is_taken_oldest_first() -> None:
    order = make_order(
        transactions=(
            replace(make_transaction(3, kind="CAPTURE"), processed_at=datetime(2026, 11, 23, tzinfo=UTC)),
            make_transaction(2),
            make_transaction(4, kind="AUTHORIZATION"),
            make_transaction(5, status="FAILURE"),
            make_transaction(6, kind="REFUND"),
            make_transaction(7, amount="0"),
        )
    )
    assert [one.transaction_id for one in takings_of(order, zone=BRISBANE)] == ["2", "3"]


def test_money_is_dated_where_the_client_company_is() -> None:
    late = replace(make_transaction(), processed_at=datetime(2026, 11, 22, 20, tzinfo=UTC))
    (taken,) = takings_of(make_order(transactions=(late,)), zone=BRISBANE)
    assert taken.date.isoformat() == "2026-11-23"


def test_two_captures_of_one_authorisation_have_references_of_their_own() -> None:
    both = tuple(replace(make_transaction(number, kind="CAPTURE"), authorization="pay-1") for number in (1, 2))
    references = [one.reference for one in takings_of(make_order(transactions=both), zone=BRISBANE)]
    assert references == ["shopify_payments pay-1 1", "shopify_payments pay-1 2"]
