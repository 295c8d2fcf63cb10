from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.deliveries import asana_event, asana_headers, recorded_one
from zixly_core.errors import StoreUnavailable
from zixly_core.ids import new_id
from zixly_core.intake import prepared, sealed
from zixly_core.prepared import Prepared, Verdict
from zixly_core.routing import Route, RoutingTable, Wanted
from zixly_core.subscriptions import Subscription, SubscriptionKind, SubscriptionStatus, address_of
from zixly_core.system import IncomingRequest
from zixly_core.systems import SYSTEMS

TOKEN, SECRET = "wh_7f3a91", "hook-secret"
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
TENANT, CONNECTION = new_id(), new_id()
HANDSHAKE = recorded_one("asana", "01-handshake")
PENDING, ACTIVE, GONE = SubscriptionStatus


def routing_with(subscription: Subscription) -> RoutingTable:
    return RoutingTable(
        routes={("asana", address_of(TOKEN)): Route(CONNECTION, TENANT, "1200000000000001", subscription)},
        triggers={"asana:task.changed:completed": [Wanted("tasks", "asana", 1)]},
    )


def path_that_is(status: SubscriptionStatus, *, kind: SubscriptionKind = SubscriptionKind.HANDSHAKE, **values: object) -> Subscription:
    return replace(Subscription(id=new_id(), kind=kind, status=status), **values)  # type: ignore[arg-type]


def decided(request: IncomingRequest, subscription: Subscription, *, secrets: tuple[str, ...] = ()) -> Prepared:
    return prepared(request, system=SYSTEMS["asana"], secrets=secrets, routing=routing_with(subscription))


def delivery_of(*events: dict[str, object]) -> Prepared:
    body = json.dumps({"events": events}).encode()
    request = IncomingRequest("POST", f"http://x/webhook/asana/{TOKEN}", asana_headers(body, secret=SECRET), body, NOW)
    return decided(request, path_that_is(ACTIVE), secrets=(SECRET,))


def test_a_handshake_that_is_awaited_is_taken_and_echoed() -> None:
    taken = decided(HANDSHAKE.request(), path_that_is(PENDING))
    assert taken.fixed_verdict is Verdict.HANDSHAKE
    assert taken.answer.status == 200
    assert dict(taken.answer.headers) == HANDSHAKE.response_headers
    assert taken.offer is not None
    assert taken.offer.secret == HANDSHAKE.secret


@pytest.mark.parametrize("body", [b"", b"{}", b"anything"])
def test_the_body_of_a_handshake_does_not_matter(body: bytes) -> None:
    assert decided(replace(HANDSHAKE.request(), body=body), path_that_is(PENDING)).offer is not None


@pytest.mark.parametrize(
    ("subscription", "secrets"),
    [
        (path_that_is(PENDING), (SECRET,)),
        (path_that_is(ACTIVE), (SECRET,)),
        (path_that_is(ACTIVE), (HANDSHAKE.secret,)),
        (path_that_is(GONE), ()),
        (path_that_is(PENDING, kind=SubscriptionKind.SIGNED), ()),
        (path_that_is(PENDING, expires_at=HANDSHAKE.received_at - timedelta(seconds=1)), ()),
    ],
    ids=["has a secret", "is over", "has this very secret", "gone", "another kind of path", "too late"],
)
def test_any_other_handshake_is_refused_and_offers_nothing(subscription: Subscription, secrets: tuple[str, ...]) -> None:
    refused = decided(HANDSHAKE.request(), subscription, secrets=secrets)
    assert (refused.fixed_verdict, refused.answer.status, refused.offer) == (Verdict.REJECTED, 401, None)
    assert "x-hook-secret" not in {name.lower() for name in refused.answer.headers}


def test_a_handshake_on_a_path_that_nobody_made_is_refused() -> None:
    assert prepared(HANDSHAKE.request(), system=SYSTEMS["asana"], secrets=(), routing=RoutingTable()).reason == "handshake_refused"


def test_a_secret_that_cannot_be_sealed_is_not_taken() -> None:
    with pytest.raises(StoreUnavailable):
        sealed(decided(HANDSHAKE.request(), path_that_is(PENDING)), None)


def test_a_heartbeat_is_a_handshake_without_events() -> None:
    assert (delivery_of().fixed_verdict, delivery_of().events) == (Verdict.HANDSHAKE, ())


def test_an_event_is_its_workspaces_and_makes_its_jobs() -> None:
    (one,) = delivery_of(asana_event()).events
    assert (one.event.kind, one.event.record_key) == ("task.changed:completed", "asana:task:1202222222222201")
    assert (one.event.external_id, [job.route.tenant_id for job in one.jobs]) == ("1200000000000001", [TENANT])
    assert one.stored_key.startswith("1200000000000001:")
    assert TOKEN not in one.stored_key


@pytest.mark.parametrize(
    ("overrides", "kind"),
    [
        ({"action": "added", "change": None}, "task.added"),
        ({"action": "deleted", "change": None, "user": None}, "task.deleted"),
        ({"resource": {"gid": "1", "resource_type": "story"}, "parent": {"gid": "2", "resource_type": "task"}, "action": "added",
          "change": None}, "story.added"),
        ({"change": {"field": "due_on", "action": "changed"}}, "task.changed:due_on"),
    ],
)  # fmt: skip
def test_what_comes_up_from_subtasks_and_comments_is_an_event_too(overrides: dict[str, object], kind: str) -> None:
    (one,) = delivery_of(asana_event(**overrides)).events
    assert one.event.kind == kind


def test_an_event_is_known_by_all_its_fields_in_any_order() -> None:
    (first,), (again,) = delivery_of(asana_event()).events, delivery_of(dict(reversed(asana_event().items()))).events
    assert first.stored_key == again.stored_key


@pytest.mark.parametrize(
    "change", [{"created_at": "2026-11-22T09:59:12.346Z"}, {"user": None}, {"parent": {"gid": "1", "resource_type": "project"}}]
)
def test_events_that_differ_in_anything_are_different_events(change: dict[str, object]) -> None:
    (first,), (other,) = delivery_of(asana_event()).events, delivery_of(asana_event(**change)).events
    assert first.stored_key != other.stored_key
