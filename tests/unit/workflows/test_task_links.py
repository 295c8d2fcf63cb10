"""Which record of HubSpot a task of Asana belongs to."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zixly_core.connection_settings import CompletedTasks
from zixly_core.workflows.task_links import Link, external_data_of, link_of

pytestmark = pytest.mark.unit
SETTINGS = CompletedTasks()


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("17812345601", Link("deal", "17812345601")),
        ("deal:17812345601", Link("deal", "17812345601")),
        ("Contact: 901", Link("contact", "901")),
        ("contact #901", Link("contact", "901")),
        ("https://app.hubspot.com/contacts/62515/record/0-3/17812345601", Link("deal", "17812345601", "62515")),
        ("https://app-eu1.hubspot.com/contacts/62515/record/0-3/17812345601?eschref=x", Link("deal", "17812345601", "62515")),
        ("https://app.hubspot.com/contacts/62515/deal/17812345601/", Link("deal", "17812345601", "62515")),
        ("https://app.hubspot.com/contacts/62515/record/0-1/901", Link("contact", "901", "62515")),
        ("the deal with Ada", None),
        ("https://example.test/deals", None),
        ("123456789012345678901", None),
        ("", None),
    ],
)
def test_a_field_holds_an_id_or_the_address_of_a_page(text: str, link: Link | None) -> None:
    assert link_of(external_data=None, custom_fields={"HubSpot record": text}, settings=SETTINGS) == link


def test_what_we_wrote_comes_before_what_a_person_wrote() -> None:
    ours = external_data_of("deal", "3", portal="62515")
    assert link_of(external_data=ours, custom_fields={"HubSpot record": "1"}, settings=SETTINGS) == Link("deal", "3", "62515")


def test_the_field_is_set_per_connection() -> None:
    settings = CompletedTasks(record_field="Geschäft")
    assert link_of(external_data=None, custom_fields={"Geschäft": "5"}, settings=settings) == Link("deal", "5")
    assert link_of(external_data=None, custom_fields={"HubSpot record": "5"}, settings=settings) is None


@given(st.sampled_from(["deal", "contact"]), st.from_regex(r"[0-9]{1,20}", fullmatch=True))
def test_what_we_write_we_read(record_type: Literal["deal", "contact"], record_id: str) -> None:
    data = external_data_of(record_type, record_id, portal="62515")
    assert link_of(external_data=data, custom_fields={}, settings=SETTINGS) == Link(record_type, record_id, "62515")


@given(st.text() | st.from_regex(r'\{"zixly": ?\{"hubspot": ?.*\}\}', fullmatch=True))
def test_what_others_wrote_is_no_link_and_no_error(data: str) -> None:
    link = link_of(external_data=data, custom_fields={}, settings=SETTINGS)
    assert link is None or link.type in {"deal", "contact"}
