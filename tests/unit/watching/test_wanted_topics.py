from __future__ import annotations

from zixly_core.watching_shopify import wanted_topics
from zixly_dagster.workflows import WORKFLOWS


def test_topics_follow_from_triggers_without_those_that_only_the_apps_configuration_may_name() -> None:
    triggers = [trigger for workflow in WORKFLOWS.values() for trigger in workflow.triggers]
    assert wanted_topics(triggers) == ["orders/cancelled", "orders/paid", "orders/updated", "refunds/create"]


def test_only_shopifys_triggers_count_and_each_topic_once() -> None:
    triggers = ["xero:INVOICE.UPDATE", "shopify:orders.paid", "shopify:orders.paid", "shopify:customers.redact"]
    assert wanted_topics(triggers) == ["orders/paid"]
