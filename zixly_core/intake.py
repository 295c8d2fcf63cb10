"""Accept a delivery: verify, read, route. What is to be written is decided here; `stores/intake.py` writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from zixly_core.errors import InvalidSignature, Rejected, StoreUnavailable
from zixly_core.ids import new_id
from zixly_core.kept_requests import Box, packed, plain_headers
from zixly_core.prepared import NewJob, Offer, Prepared, RoutedEvent, Verdict
from zixly_core.routing import Route, RoutingTable
from zixly_core.subscriptions import Subscription, SubscriptionKind, SubscriptionStatus
from zixly_core.system import Answer, Handshake, IncomingRequest, ParsedEvent, Reading, System

UNSUPPORTED = Answer(status=415)


def prepared(request: IncomingRequest, *, system: System, secrets: Sequence[str], routing: RoutingTable) -> Prepared:
    """Decide about one request. Never raises for what a sender can do: a refused request is a delivery with its reason."""
    if not takes_content_type(system, request.headers):
        return rejected(request, system=system.name, reason="content_type", answer=UNSUPPORTED)
    owner = system.profile.secret_owner(request)
    sender = routing.route_of(system.name, owner) if owner is not None else None
    try:
        handshake = system.profile.handshake(request)
        if handshake is not None:
            return shaken(request, handshake, system=system, sender=sender, has_secret=bool(secrets))
        reading = proved(request, system=system, sender=sender, secrets=secrets)
    except Rejected as error:
        return rejected(request, system=system.name, reason=error.reason, answer=system.profile.rejection(error))
    return Prepared(
        id=request.id,
        request=request,
        system=system.name,
        path=request.path,
        received_at=request.received_at,
        headers=plain_headers(request.headers),
        body=request.body,
        answer=reading.answer,
        events=tuple(routed(event, system=system.name, routing=routing) for event in reading.events),
        fixed_verdict=Verdict.HANDSHAKE if reading.is_handshake else None,
        subscription=sender.subscription if sender else None,
        numbers=reading.numbers,
    )


def takes_content_type(system: System, headers: Mapping[str, str]) -> bool:
    """Whether the system takes what the request claims to be; parameters such as the charset do not matter."""
    given = headers.get("content-type", "").partition(";")[0].strip().lower()
    return not system.content_types or given in system.content_types


def proved(request: IncomingRequest, *, system: System, sender: Route | None, secrets: Sequence[str]) -> Reading:
    """The events of a request that is proved, by its signature or by its path alone. Raises `Rejected`."""
    subscription = sender.subscription if sender else None
    if subscription is not None:
        check_open(subscription, request)
    if subscription is not None and subscription.kind is SubscriptionKind.ONCE:
        return system.profile.read_unsigned(request)
    system.profile.verify(request, secrets=secrets)
    return system.profile.read(request)


def check_open(subscription: Subscription, request: IncomingRequest) -> None:
    """Raises `InvalidSignature` for a path that takes nothing more."""
    if not subscription.takes_requests(now=request.received_at):
        raise InvalidSignature("This path takes nothing more: it ended, or its time is over.", reason="path_closed")


def shaken(request: IncomingRequest, handshake: Handshake, *, system: System, sender: Route | None, has_secret: bool) -> Prepared:
    """A handshake: taken while the path waits for one, once. Raises `InvalidSignature` for any other, whatever it offers."""
    subscription = sender.subscription if sender else None
    is_awaited = (
        subscription is not None
        and subscription.kind is SubscriptionKind.HANDSHAKE
        and subscription.status is SubscriptionStatus.PENDING
        and not has_secret
    )
    refused = InvalidSignature("No handshake is expected on this path.", reason="handshake_refused")
    if sender is None or subscription is None or not is_awaited:
        raise refused
    check_open(subscription, request)
    return Prepared(
        id=request.id,
        request=request,
        system=system.name,
        path=request.path,
        received_at=request.received_at,
        headers=plain_headers(request.headers),
        body=request.body,
        answer=handshake.answer,
        fixed_verdict=Verdict.HANDSHAKE,
        subscription=subscription,
        offer=Offer(subscription.id, sender.connection_id, handshake.secret, system.profile.rejection(refused)),
    )


def rejected(request: IncomingRequest, *, system: str, reason: str, answer: Answer) -> Prepared:
    """A delivery that is refused and kept for the record, to be verified again when a secret is mended."""
    return Prepared(
        id=request.id,
        request=request,
        system=system,
        path=request.path,
        received_at=request.received_at,
        headers={},
        body=request.body,
        answer=answer,
        fixed_verdict=Verdict.REJECTED,
        reason=reason,
    )


def sealed(delivery: Prepared, box: Box | None) -> Prepared:
    """The delivery with what nobody may read in the database sealed: a request that is refused, and the secret of a handshake.
    Without a box a refused request is noted without its body. Raises `StoreUnavailable` for a secret that could not be kept."""
    may_be_refused = delivery.fixed_verdict is Verdict.REJECTED or delivery.offer is not None
    if may_be_refused and box is not None:
        delivery = replace(delivery, sealed=box.seal(packed(delivery.request), context=str(delivery.id)))
    if delivery.offer is None:
        return delivery
    if box is None:
        text = "A handshake brought a secret, and there is no key to seal it with; set ZIXLY_SECRETS_KEY or ZIXLY_SECRETS_KEY_FILE."
        raise StoreUnavailable(text, reason="secret_key_missing")
    secret = box.seal(delivery.offer.secret.encode(), context=str(delivery.offer.subscription_id))
    return replace(delivery, offer=replace(delivery.offer, sealed=secret))


def routed(event: ParsedEvent, *, system: str, routing: RoutingTable) -> RoutedEvent:
    """The event with its tenant and, for each enabled workflow that wants it, a job to be; or the job that waits for it.

    What came by a vendor's path is the account's: the same event by two webhooks of one account is one event.
    """
    sender = routing.route_of(system, event.external_id)
    if sender is not None and sender.subscription is not None and sender.subscription.job_id is not None:
        return RoutedEvent(id=new_id(), event=event, route=sender, jobs=(), wakes=sender.subscription.job_id)
    route = routing.subject_route(system, event)
    if route is None:
        return RoutedEvent(id=new_id(), event=event, route=None, jobs=())
    if route.is_vendors_path:
        event = replace(event, external_id=route.external_id)
    wanted = routing.wanted_by(system, event.kind, route.tenant_id)
    return RoutedEvent(id=new_id(), event=event, route=route, jobs=tuple(NewJob(new_id(), one, route) for one in wanted))
