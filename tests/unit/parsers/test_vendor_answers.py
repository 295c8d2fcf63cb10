"""Whatever a vendor answers, each part of it is read or refused by an error of ours: a field may hold anything, or be missing.

The fields are the words of the module that reads them, so that a new field is tried without being named here.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zixly_core.errors import Permanent, ZixlyError
from zixly_core.systems.asana.batches import response_from
from zixly_core.systems.hubspot.associations import after_in, association_from

pytestmark = pytest.mark.unit
SYSTEMS = "zixly_core.systems"
READERS = """
asana.batches.records_in asana.batches.data_in asana.batches.response_from asana.calls.offset_in asana.fields.name_in
asana.projects.project_from asana.tasks.task_from asana.webhooks.webhook_from
hubspot.associations.pages_in hubspot.associations.association_from hubspot.associations.after_in hubspot.companies.company_from
hubspot.contacts.contact_from hubspot.deals.deal_from hubspot.line_items.line_item_from hubspot.notes.note_from
hubspot.objects.record_from hubspot.pipelines.stages_in hubspot.pipelines.stage_from hubspot.pipelines.objects_in
shopify.graphql.failure_in shopify.limits.mapping_in shopify.orders.order_from shopify.orders.customer_from shopify.orders.line_from
shopify.orders.transaction_from shopify.orders.change_from shopify.orders.lines_in shopify.refunds.refund_from
shopify.refunds.refund_line_from shopify.shop.shop_from shopify.shop.subscription_from shopify.shop.topic_from
xero.contacts.contact_from xero.credit_notes.credit_note_from xero.credit_notes.allocation_from
xero.fields.instant_from xero.invoices.invoice_from xero.organisation.organisation_from xero.organisation.account_from
xero.organisation.tax_rate_from xero.payments.payment_from
""".split()
# What stands in such fields when all is well, among what does not.
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        ["PAID", "ACCREC", "12.50", "2026-11-22T10:04:05Z", "/Date(1795341845160+0000)/", "gid://shopify/Order/1", "NaN", "901"]
    )
)


@dataclass(frozen=True)
class Reader:
    """A function that reads part of an answer; it is given something for what else it wants to know."""

    name: str

    @property
    def module(self) -> ModuleType:
        return import_module(f"{SYSTEMS}.{self.name}".rpartition(".")[0])

    @property
    def function(self) -> Callable[..., object]:
        found: Callable[..., object] = getattr(self.module, self.name.rpartition(".")[2])
        return found

    @property
    def parameters(self) -> list[inspect.Parameter]:
        return list(inspect.signature(self.function).parameters.values())

    def read(self, item: object) -> object:
        more = [one for one in self.parameters[1:] if one.default is inspect.Parameter.empty]
        positional = [one.name for one in more if one.kind is not inspect.Parameter.KEYWORD_ONLY]
        named = {one.name: one.name for one in more if one.kind is inspect.Parameter.KEYWORD_ONLY}
        return self.function(item, *positional, **named)

    def words(self) -> list[str]:
        """The texts in its module that may be names of fields."""
        nodes = ast.walk(ast.parse(inspect.getsource(self.module)))
        found = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        return sorted(word for word in found if word.replace("_", "").isalnum() and len(word) < 40) or ["id"]


@cache
def items_for(name: str) -> st.SearchStrategy[Any]:
    """What such a function may be given."""
    reader = Reader(name)
    fields, takes = st.sampled_from(reader.words()), str(reader.parameters[0].annotation)
    if takes == "str":
        return st.text(max_size=20)
    items = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(fields, inner, max_size=8), max_leaves=12)
    whole = st.dictionaries(fields, items, max_size=10)
    return whole if "Mapping" in takes else whole | items


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=25)
@given(data=st.data())
def test_any_answer_is_read_or_refused(name: str, data: st.DataObject) -> None:
    with suppress(ZixlyError):
        Reader(name).read(data.draw(items_for(name)))


@pytest.mark.parametrize("strange", [[], {}, None, "", 1.5])
def test_a_target_that_is_no_id_is_an_unexpected_answer(strange: object) -> None:
    """A list there had been an unexpected error of the whole job."""
    with pytest.raises(Permanent) as refused:
        association_from({"toObjectId": strange})
    assert refused.value.reason == "unexpected_answer"
    assert after_in({"paging": {"next": {"after": strange}}}) is None


def test_a_word_of_its_status_that_no_header_can_hold_is_none() -> None:
    """Asana's batch answers name headers of their own; one beyond ASCII had been an unexpected error."""
    answer = response_from({"headers": {"Retry-After": "\x80"}, "body": None}, status=429)
    assert "retry-after" not in answer.headers
