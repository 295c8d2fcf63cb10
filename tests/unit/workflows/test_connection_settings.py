"""What may be set about a connection: checked when it is saved, in words that name the field."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zixly_core.connection_settings import (
    MODELS,
    HubSpotSettings,
    InvalidSettings,
    ShopifySettings,
    filled,
    settings_in,
    validated,
)
from zixly_core.errors import Permanent
from zixly_core.systems import SYSTEMS

pytestmark = pytest.mark.unit
CONNECTION = UUID("7d2f0f0e-0000-4000-8000-000000000001")


@pytest.mark.parametrize("system", sorted(MODELS))
def test_no_settings_are_good_settings_and_nothing_is_added_to_them(system: str) -> None:
    assert validated(system, {}) == {}


def test_every_system_has_settings() -> None:
    assert set(SYSTEMS) <= set(MODELS)


@pytest.mark.parametrize(
    ("system", "settings", "words"),
    [
        ("hubspot", {"won_deals": {"account_code": "sales account"}}, "won_deals.account_code"),
        ("hubspot", {"won_deals": {"tax_type": "gst 10%"}}, "won_deals.tax_type"),
        ("hubspot", {"won_deals": {"reference": "{client}"}}, "won_deals.reference"),
        ("hubspot", {"won_deals": {"reference": "{deal"}}, "won_deals.reference"),
        ("hubspot", {"won_deals": {"project": {"tasks": [{"name": ""}]}}}, "won_deals.project.tasks.0.name"),
        ("hubspot", {"won_deals": {"due_in_days": -1}}, "won_deals.due_in_days"),
        ("hubspot", {"asana_connection": "mine"}, "asana_connection"),
        ("hubspot", {"won_deal": {}}, "won_deal"),
        ("shopify", {"paid_orders": {"number_prefix": "a prefix with blanks"}}, "paid_orders.number_prefix"),
        ("shopify", {"paid_orders": {"contact_properties": {"First Name": "first_name"}}}, "paid_orders.contact_properties"),
        ("xero", {"mapping": {"xero_status": "colour"}}, "mapping.xero_status"),
        ("xero", {"missing_contact": "invent"}, "missing_contact"),
        ("asana", {"completed_tasks": {"note": "{password}"}}, "completed_tasks.note"),
        ("nothing", {}, "nothing"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_the_name_of_its_field(system: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidSettings, match=words):
        validated(system, settings)


def test_a_refusal_does_not_repeat_the_value() -> None:
    with pytest.raises(InvalidSettings) as refused:
        validated("hubspot", {"won_deals": {"account_code": "planted marker"}})
    assert "planted" not in str(refused.value)


def test_what_is_saved_is_what_was_given() -> None:
    given_settings = {"won_deals": {"won_stages": ["1234"], "project": None}, "notify": True}
    assert validated("hubspot", given_settings) == given_settings


def test_what_was_saved_under_older_rules_fails_the_job_in_clear_words() -> None:
    with pytest.raises(Permanent, match=r"connection 7d2f0f0e.*won_deals.colour") as failed:
        settings_in(HubSpotSettings, {"won_deals": {"colour": "red"}}, connection_id=CONNECTION)
    assert failed.value.reason == "settings_invalid"


def test_defaults_fill_what_is_not_set() -> None:
    orders = settings_in(ShopifySettings, {"paid_orders": {"number_prefix": "WEB-"}}, connection_id=CONNECTION).paid_orders
    assert (orders.number_prefix, orders.account_code, orders.payment_account_code) == ("WEB-", "200", "090")


@given(st.text(max_size=50))
def test_a_value_in_a_template_is_never_read_as_a_template(value: str) -> None:
    assert filled("[{deal}]", {"deal": value}) == f"[{value}]"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)


@given(st.sampled_from(sorted(MODELS)), json_values)
def test_nothing_that_json_can_say_is_answered_otherwise_than_by_us(system: str, anything: Any) -> None:
    settings = anything if isinstance(anything, dict) else {"notify": anything}
    with suppress(InvalidSettings):
        assert set(validated(system, settings)) <= set(settings)
