"""What failures have in common, in words without ids and names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from zixly_core.causes import DeadLetter, cause_of, failures_by_cause, title_of
from zixly_core.http_errors import failure_of
from zixly_core.ids import new_id
from zixly_core.job import failure_from, operation_in_words
from zixly_core.stores.issue_grouping import LookedInto
from zixly_dagster.sensors.issues import summary_of

pytestmark = pytest.mark.unit
TENANT, ACCOUNT = new_id(), new_id()
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def make_dead(**columns: Any) -> DeadLetter:
    values: dict[str, Any] = {
        "id": new_id(),
        "tenant_id": TENANT,
        "connection_id": ACCOUNT,
        "system": "xero",
        "workflow": "xero-invoice-to-hubspot",
        "reason": "refused",
        "failed_system": "hubspot",
        "failed_operation": "update contacts",
        "ended_at": NOON,
    }
    return DeadLetter(**{**values, **columns})


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ("read 2 invoices (8694c9c5, 0f5a and 3 more)", "read invoices"),
        ("find contacts by 3 addresses", "find contacts by addresses"),
        ("change invoice 8694c9c5-4f0e-4d3a to AUTHORISED", "change invoice to"),
        ("read the shop demo-shop.myshopify.com", "read the shop"),
        ("look for jo@example.com", "look for"),
        ("8694c9c5", None),
        ("read " * 40, ("read " * 40)[:60]),
    ],
)
def test_what_a_call_was_for_is_told_without_counts_ids_and_names(operation: str, words: str | None) -> None:
    assert operation_in_words(operation) == words


@pytest.mark.parametrize("failure", [httpx2.Response(422), httpx2.Response(503), httpx2.Response(429), httpx2.ReadTimeout("x")])
def test_every_failed_call_tells_its_system_and_what_it_was_for(failure: httpx2.Response | httpx2.HTTPError) -> None:
    told = failure_from(failure_of(failure, system="hubspot", operation="update 2 contacts (151, 152)"))
    assert (told.system, told.operation) == ("hubspot", "update contacts")


def test_a_failed_call_is_told_by_its_system_whatever_workflow_made_it() -> None:
    one, other = make_dead(), make_dead(workflow="asana-task-to-hubspot", system="asana")
    assert cause_of(one) == cause_of(other)
    assert title_of(one) == "Jobs fail when hubspot is asked to update contacts: refused."


def test_a_failure_of_the_jobs_own_account_is_about_that_account_and_others_are_about_none() -> None:
    assert cause_of(make_dead()).connection_id is None
    assert cause_of(make_dead(failed_system="xero")).connection_id == ACCOUNT


def test_a_failure_that_no_system_is_to_blame_for_is_told_by_its_workflow() -> None:
    dead = make_dead(failed_system=None, failed_operation=None, reason="contact_missing")
    cause = cause_of(dead)
    assert (cause.system, cause.operation, cause.connection_id) == ("xero", "xero-invoice-to-hubspot", None)
    assert title_of(dead) == "Jobs of xero-invoice-to-hubspot fail: contact missing."


def test_a_group_tells_when_it_began_and_when_it_was_seen_last() -> None:
    (group,) = failures_by_cause([make_dead(ended_at=NOON + timedelta(minutes=n)) for n in (3, 1, 2)])
    assert (group.last_at - group.first_at, len(group.jobs)) == (timedelta(minutes=2), 3)


def test_the_sensor_says_what_it_came_to() -> None:
    assert summary_of([LookedInto()]) == "No job has failed for good since the last look, and none was made good."
    looks = [LookedInto(ends=5, failures=3, opened=1), LookedInto(ends=2, resolved=1), LookedInto()]
    assert summary_of(looks) == "3 dead letters grouped; 1 issues opened, 1 resolved."
