"""Asana's webhooks: one that Asana deleted is made again with a path and a secret of its own, one that fails is told of in time. It
deletes a webhook after 24 hours without a success (developers.asana.com/docs/webhooks-guide)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from zixly_core.stores.connections import ConfiguredConnection
from zixly_core.stores.database import Database
from zixly_core.stores.subscriptions import KnownSubscription, subscriptions_of
from zixly_core.stores.watching import Trouble
from zixly_core.stores.wishes import wish_again
from zixly_core.subscribing import Webhooks, subscribe
from zixly_core.subscriptions import SubscriptionKind, SubscriptionStatus
from zixly_core.systems.asana.webhooks import Webhook
from zixly_core.vendor_subscriptions import Loss, SubscriptionsSeen

MADE = frozenset({"made", "found"})


class Workspace(Webhooks, Protocol):
    """What is needed of a workspace's client."""

    def delete_webhook(self, gid: str) -> None: ...


def workspace_subscriptions(
    database: Database,
    workspace: Workspace,
    connection: ConfiguredConnection,
    *,
    public_url: str,
    endpoint_answers: Callable[[], bool],
    watched_until: datetime | None,
    lost_before: frozenset[str],
) -> SubscriptionsSeen:
    """Look at a workspace's webhooks, and make those again that are gone; a path that Asana never confirmed is none. `lost_before` names
    resources whose webhooks earlier checks found gone: their wishes are tried again by others. Raises what the client raises."""
    ours = [
        one
        for one in subscriptions_of(database, tenant_id=connection.tenant_id, connection_id=connection.id)
        if one.kind == SubscriptionKind.HANDSHAKE and one.status == SubscriptionStatus.ACTIVE and one.external_id is not None
    ]
    there = {webhook.gid: webhook for webhook in workspace.webhooks()} if ours else {}
    gone = [one for one in ours if not is_alive(there.get(one.external_id or ""))]
    losses = [
        Loss(
            since=watched_until or one.created_at,
            is_mended=made_again(database, workspace, connection, one, dead=there.get(one.external_id or ""), public_url=public_url),
            resource=one.resource,
        )
        for one in gone
    ]
    still_lost = lost_before - {one.resource or "" for one in ours}
    losses += [Loss(since=None, is_mended=False, resource=one) for one in sorted(still_lost)]
    failing = [webhook for one in ours if is_failing(webhook := there.get(one.external_id or ""))]
    troubles = troubles_of(connection, losses, [one for one in failing if one is not None], endpoint_answers=endpoint_answers)
    return SubscriptionsSeen(losses=tuple(losses), made=sum(loss.is_mended for loss in losses), troubles=troubles)


def is_alive(webhook: Webhook | None) -> bool:
    return webhook is not None and webhook.is_active


def is_failing(webhook: Webhook | None) -> bool:
    """Whether Asana's last try failed, or it has named the time at which it deletes the webhook."""
    if webhook is None or not webhook.is_active:
        return False
    failed, succeeded = webhook.last_failure_at, webhook.last_success_at
    return webhook.deleted_at is not None or (failed is not None and (succeeded is None or failed > succeeded))


def made_again(
    database: Database,
    workspace: Workspace,
    connection: ConfiguredConnection,
    lost: KnownSubscription,
    *,
    dead: Webhook | None,
    public_url: str,
) -> bool:
    """Whether there is a new webhook in the lost one's place. What could not be made now stays wished for, and is tried again."""
    if dead is not None:
        workspace.delete_webhook(dead.gid)
    wish_id = wish_again(database, connection, lost)

    outcome = subscribe(database, lambda connection_id: workspace, tenant_id=connection.tenant_id, wish_id=wish_id, public_url=public_url)
    return outcome in MADE


def troubles_of(
    connection: ConfiguredConnection, losses: Sequence[Loss], failing: Sequence[Webhook], *, endpoint_answers: Callable[[], bool]
) -> dict[Trouble, str]:
    lost = sorted(loss.resource or "" for loss in losses if not loss.is_mended)
    if not lost and not failing:
        return {}
    bridge = "The bridge answers at its public address" if endpoint_answers() else "The bridge does not answer at ZIXLY_BRIDGE_PUBLIC_URL"
    troubles: dict[Trouble, str] = {}
    if lost:
        text = f"Asana has deleted the webhooks of {connection.name} on {', '.join(lost)} and does not make them again now."
        troubles[Trouble.LOST] = f"{text} {bridge}. It is tried again every minute and what changes is read every hour."
    if failing:
        ends = min((one.deleted_at for one in failing if one.deleted_at is not None), default=None)
        when = f"at {ends:%Y-%m-%d %H:%M} UTC" if ends else "24 hours after the last success"
        text = f"Asana cannot deliver to {len(failing)} of our webhooks of {connection.name} and deletes them {when}."
        troubles[Trouble.FAILING] = f"{text} {bridge}. See that it can be reached from outside."
    return troubles
