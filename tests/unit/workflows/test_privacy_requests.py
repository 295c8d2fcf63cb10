"""What a request of privacy law is about, without a database."""

from __future__ import annotations

import re
from typing import Any

import pytest

from zixly_core.errors import Permanent
from zixly_core.workflows.privacy import Demand, PrivacyRequest, request_from, request_from_json, request_to_json

pytestmark = pytest.mark.unit
SHOP = "zixly-demo.myshopify.com"
BODY: dict[str, Any] = {
    "shop_id": 954889,
    "shop_domain": SHOP,
    "customer": {"id": 191167, "email": "ann@example.test", "phone": "555-625-1199"},
}


def test_a_request_names_the_customer_and_the_orders_by_their_records() -> None:
    request = request_from("customers.redact", SHOP, {**BODY, "orders_to_redact": [299938, 280263, 299938]})
    assert request.subject == f"shopify:{SHOP}:customer:191167"
    assert request.record_keys == (
        f"shopify:{SHOP}:customer:191167",
        f"shopify:{SHOP}:order:299938",
        f"shopify:{SHOP}:order:280263",
    )


def test_a_data_request_lists_its_orders_under_another_name() -> None:
    request = request_from("customers.data_request", SHOP, {**BODY, "orders_requested": [1], "data_request": {"id": 9999}})
    assert (request.demand, request.order_ids) == (Demand.TELL, ("1",))


def test_a_shop_that_is_to_be_forgotten_has_no_single_records() -> None:
    request = request_from("shop.redact", SHOP, {"shop_id": 954889, "shop_domain": SHOP})
    assert (request.subject, request.record_keys, request.address_pattern) == (f"shopify:{SHOP}", (), None)


@pytest.mark.parametrize("body", [{}, {"customer": None}, {"customer": {"id": None}, "orders_to_redact": []}, {"orders_to_redact": "1"}])
def test_a_request_about_nobody_is_refused_for_good(body: dict[str, Any]) -> None:
    with pytest.raises(Permanent) as raised:
        request_from("customers.redact", SHOP, body)
    assert raised.value.reason == "subject_missing"


def test_an_event_of_another_kind_is_refused_for_good() -> None:
    with pytest.raises(Permanent) as raised:
        request_from("orders.paid", SHOP, BODY)
    assert raised.value.reason == "unknown_request"


def test_what_stays_of_a_request_holds_no_address() -> None:
    request = request_from("customers.redact", SHOP, {**BODY, "orders_to_redact": [1]})
    kept = request_to_json(request)
    assert "ann@" not in f"{kept} {request!r}"
    assert request_from_json(kept, email="ann@example.test") == request


def as_python(pattern: str) -> re.Pattern[str]:
    """The pattern with Postgres' names of character classes replaced by Python's."""
    return re.compile(pattern.replace("[:alnum:]", "a-z0-9"), re.IGNORECASE)


@pytest.mark.parametrize("text", ["ann@example.test", '{"email":"Ann@Example.test"}', "to ann@example.test.", "email:ann@example.test/x"])
def test_an_address_is_found_where_it_stands_alone(text: str) -> None:
    pattern = PrivacyRequest(Demand.TELL, SHOP, email="ann@example.test").address_pattern
    assert pattern is not None
    assert as_python(pattern).search(text)


@pytest.mark.parametrize(
    "text", ["joann@example.test", "ann@example.test.au", "ann@exampleXtest", "ann@example.tests", "a.ann@example.test"]
)
def test_an_address_is_not_found_inside_another(text: str) -> None:
    pattern = PrivacyRequest(Demand.TELL, SHOP, email="ann@example.test").address_pattern
    assert pattern is not None
    assert not as_python(pattern).search(text)


@pytest.mark.parametrize("email", ["", "@", "nobody"])
def test_what_is_no_address_is_not_looked_for(email: str) -> None:
    body = {"customer": {"id": 1, "email": email}}
    assert request_from("customers.redact", SHOP, body).address_pattern is None
