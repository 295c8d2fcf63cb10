from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from tests.support.deliveries import recorded_one, xero_body, xero_event, xero_headers
from zixly_core.errors import Rejected
from zixly_core.ids import new_id
from zixly_core.intake import prepared, routed
from zixly_core.kept_requests import plain_headers
from zixly_core.prepared import Outcome, Prepared, RoutedEvent, Verdict, verdict_of
from zixly_core.routing import Route, RoutingTable, Wanted, routing_table
from zixly_core.system import IncomingRequest, ParsedEvent, Subject
from zixly_core.systems import SYSTEMS

TENANT, OTHER, CONNECTION, THEIRS = (new_id() for _ in range(4))
KEY = "a-key"
ROUTING = RoutingTable(
    routes={("xero", "org"): Route(CONNECTION, TENANT), ("callbacks", "sender"): Route(THEIRS, OTHER)},
    triggers={"xero:INVOICE.UPDATE": [Wanted("invoices", "xero", 1)], "callbacks:callback.done": [Wanted("invoices", "xero", 1)]},
)


def make_event(**overrides: object) -> ParsedEvent:
    values = {
        "dedupe_key": "key",
        "record_key": "xero:org:INVOICE:1",
        "category": "INVOICE",
        "type": "UPDATE",
        "external_id": "org",
        "record_id": "1",
        "occurred_at": datetime(2026, 11, 22, tzinfo=UTC),
        "payload": {},
        **overrides,
    }
    return ParsedEvent(**values)  # type: ignore[arg-type]


def prepared_xero(*events: dict[str, object], key: str = KEY) -> Prepared:
    body = xero_body(*events)
    request = IncomingRequest("POST", "http://bridge/webhook/xero", xero_headers(body, key=key), body, datetime.now(UTC))
    return prepared(request, system=SYSTEMS["xero"], secrets=[KEY], routing=ROUTING)


def test_an_event_makes_a_job_for_each_workflow_that_wants_it() -> None:
    (event,) = prepared_xero(xero_event("org")).events
    assert [(job.wanted.workflow, job.route.tenant_id) for job in event.jobs] == [("invoices", TENANT)]
    assert event.outcome_if_new is Outcome.JOBS


def test_an_event_that_no_workflow_wants_is_filtered() -> None:
    (event,) = prepared_xero(xero_event("org", eventCategory="QUOTE")).events
    assert event.outcome_if_new is Outcome.FILTERED


def test_an_event_of_a_stranger_is_unroutable() -> None:
    (event,) = prepared_xero(xero_event("nobody")).events
    assert event.outcome_if_new is Outcome.UNROUTABLE


def test_a_delivery_without_events_is_a_handshake() -> None:
    assert prepared_xero().fixed_verdict is Verdict.HANDSHAKE


def test_a_wrong_signature_is_a_delivery_with_its_reason() -> None:
    refused = prepared_xero(xero_event("org"), key="another key")
    assert (refused.fixed_verdict, refused.reason, refused.answer.status) == (Verdict.REJECTED, "invalid_signature", 401)
    assert refused.events == ()


def test_a_sender_cannot_ask_for_work_on_another_tenants_record() -> None:
    """Its own account is known and so is the record's, but they are not the same client's."""
    event = make_event(external_id="sender", category="callback", type="done", subject=Subject("xero", "org"))
    assert routed(event, system="callbacks", routing=ROUTING).outcome_if_new is Outcome.UNROUTABLE


def test_a_tenants_choice_about_a_workflow_counts() -> None:
    off = replace(ROUTING, choices={("invoices", TENANT): {"enabled": False, "priority": None}})
    assert routed(make_event(), system="xero", routing=off).outcome_if_new is Outcome.FILTERED
    urgent = replace(ROUTING, choices={("invoices", TENANT): {"enabled": True, "priority": 0}})
    assert [job.wanted.priority for job in routed(make_event(), system="xero", routing=urgent).jobs] == [0]


@pytest.mark.parametrize(("key", "stored"), [("org:INVOICE:1", "org:INVOICE:1"), ("msg_1", "org:msg_1"), ("organic:1", "org:organic:1")])
def test_a_dedupe_key_is_kept_within_the_account_that_sent_it(key: str, stored: str) -> None:
    assert RoutedEvent(new_id(), make_event(dedupe_key=key), None, ()).stored_key == stored


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        ([], Verdict.ACCEPTED),
        ([Outcome.DUPLICATE, Outcome.DUPLICATE], Verdict.DUPLICATE),
        ([Outcome.DUPLICATE, Outcome.JOBS], Verdict.ACCEPTED),
        ([Outcome.UNROUTABLE, Outcome.UNROUTABLE], Verdict.UNROUTABLE),
        ([Outcome.UNROUTABLE, Outcome.FILTERED], Verdict.ACCEPTED),
    ],
)
def test_the_verdict_on_a_delivery_follows_from_its_events(outcomes: list[Outcome], verdict: Verdict) -> None:
    assert verdict_of(outcomes) is verdict


def test_headers_that_sign_and_describe_are_kept_and_those_that_authorise_are_not() -> None:
    given = {"x-xero-signature": "s", "webhook-id": "m", "content-type": "j", "cookie": "c", "authorization": "a", "accept": "*"}
    assert plain_headers(given) == {"x-xero-signature": "s", "webhook-id": "m", "content-type": "j"}


@pytest.mark.parametrize("given", ["application/json", "Application/JSON; charset=utf-8"])
def test_a_content_type_is_compared_without_case_and_parameters(given: str) -> None:
    delivery = recorded_one("callbacks", "01-job-finished")
    request = replace(delivery.request(), headers={**delivery.request().headers, "content-type": given})
    routing = RoutingTable(routes={("callbacks", "sender"): Route(THEIRS, OTHER)})
    taken = prepared(request, system=SYSTEMS["callbacks"], secrets=[delivery.secret], routing=routing)
    assert taken.fixed_verdict is None


def test_a_token_in_a_path_is_kept_nowhere() -> None:
    delivery = recorded_one("callbacks", "01-job-finished")
    reading = SYSTEMS["callbacks"].profile.read(delivery.request())
    assert "3f0c2d3e" not in f"{reading.events[0].external_id} {reading.events[0].record_key}"


def test_a_disabled_workflow_triggers_nothing() -> None:
    row = {"name": "invoices", "system": "xero", "triggers": ["xero:INVOICE.UPDATE"], "priority": 1, "choices": {}}
    connection = {"id": CONNECTION, "tenant_id": TENANT, "system": "xero", "external_id": "org"}
    enabled = routing_table([connection], [row | {"enabled": True}], [])
    disabled = routing_table([connection], [row | {"enabled": False}], [])
    assert [one.workflow for one in enabled.wanted_by("xero", "INVOICE.UPDATE", TENANT)] == ["invoices"]
    assert disabled.wanted_by("xero", "INVOICE.UPDATE", TENANT) == []


def test_ids_are_version_seven_and_grow_with_time() -> None:
    first: UUID = new_id()
    assert (first.version, first.variant) == (7, "specified in RFC 4122")


def test_a_secret_that_is_not_base64_is_refused_and_not_raised_as_something_else() -> None:
    delivery = recorded_one("callbacks", "01-job-finished")
    with pytest.raises(Rejected, match="base64"):
        SYSTEMS["callbacks"].profile.verify(delivery.request(), secrets=["whsec_!!!"])
