"""Which contact in Xero a party is, without any server."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zixly_core.systems.xero.contacts import Contact
from zixly_core.workflows.customers import MAX_NAME, Party, chosen, name_to_create, party_from_json, party_to_json

pytestmark = pytest.mark.unit

PARTY = Party(key="hubspot:62515:company:7", name="Analytical Engines", email="ada@example.test")
SAME = Contact("b", "analytical engines ", "ada@example.test")
OTHER_NAME = Contact("a", "Ada Lovelace", "Ada@Example.test")
NO_EMAIL = Contact("c", "Analytical Engines", "")
SOMEBODY_ELSE = Contact("d", "Analytical Engines", "grace@example.test")

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


@pytest.mark.parametrize(
    ("by_email", "by_name", "wanted"),
    [
        ([OTHER_NAME, SAME], [], SAME),
        ([OTHER_NAME], [NO_EMAIL], OTHER_NAME),
        ([Contact("z", "Z", "ada@example.test"), OTHER_NAME], [], OTHER_NAME),
        ([], [NO_EMAIL], NO_EMAIL),
        ([], [SOMEBODY_ELSE], None),
        ([], [SOMEBODY_ELSE, NO_EMAIL], NO_EMAIL),
        ([], [], None),
    ],
)
def test_of_two_contacts_with_one_email_the_namesake_is_chosen_else_the_first_by_id(
    by_email: list[Contact], by_name: list[Contact], wanted: Contact | None
) -> None:
    assert chosen(PARTY, by_email=by_email, by_name=by_name) == wanted
    assert chosen(PARTY, by_email=by_email[::-1], by_name=by_name[::-1]) == wanted


def test_a_party_without_email_is_found_by_name() -> None:
    assert chosen(Party(PARTY.key, "Analytical Engines"), by_email=[], by_name=[SOMEBODY_ELSE]) == SOMEBODY_ELSE


def test_a_name_that_somebody_else_bears_gets_the_email_address() -> None:
    assert name_to_create(PARTY, by_name=[]) == "Analytical Engines"
    assert name_to_create(PARTY, by_name=[SOMEBODY_ELSE]) == "Analytical Engines (ada@example.test)"


@given(names, st.none() | st.emails(), st.booleans())
def test_a_name_to_create_is_never_empty_nor_too_long(name: str, email: str | None, is_taken: bool) -> None:
    party = Party("hubspot:1:contact:2", name, email)
    taken = [Contact("x", name.strip() or email or party.key, "other@example.test")] if is_taken else []
    made = name_to_create(party, by_name=taken)
    assert 0 < len(made) <= MAX_NAME
    if is_taken and email:
        assert made.endswith(f"({email})")


@given(names, st.none() | st.emails(), st.none() | names)
def test_a_checkpoint_holds_a_party_without_loss(name: str, email: str | None, first: str | None) -> None:
    party = Party("k", name, email, first, None)
    assert party_from_json(json.loads(json.dumps(party_to_json(party)))) == party


def test_two_records_with_one_email_are_one_customer() -> None:
    orders, deals = Party("shopify:s:customer:1", "Ada", "ADA@example.test"), Party("hubspot:1:contact:2", "Ada L.", "ada@example.test")
    assert orders.source_key == deals.source_key
    assert Party("hubspot:1:contact:2", "Ada").source_key == "hubspot:1:contact:2"
