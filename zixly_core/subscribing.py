"""Make a webhook at a vendor that calls its path while our call is still open: the path exists before the vendor is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol
from urllib.parse import urlsplit
from uuid import UUID

import structlog

from zixly_core.errors import Permanent, ZixlyError
from zixly_core.stores.database import Database
from zixly_core.stores.subscriptions import confirm_subscription
from zixly_core.stores.wishes import Wish, new_path, refused, take_wish, try_later
from zixly_core.subscriptions import token_digest
from zixly_core.systems.asana.webhooks import COMPLETIONS, Webhook, WebhookFilter

RETRY = timedelta(minutes=1)
# Asana refuses to make a webhook whose path does not answer its handshake, and a bridge that is down is up again soon; an account
# that is connected again has its wishes fulfilled.
MAY_MEND = frozenset({"refused", "reconnect_needed"})

log = structlog.get_logger(__name__)


class Webhooks(Protocol):
    """What is needed of a vendor's client."""

    def create_webhook(self, resource: str, target: str, filters: Sequence[WebhookFilter] = ()) -> Webhook: ...

    def webhooks(self, workspace: str | None = None, *, resource: str | None = None) -> list[Webhook]: ...


class ClientOf(Protocol):
    """How the client of a connection is had; raises our errors."""

    def __call__(self, connection_id: UUID) -> Webhooks: ...


def subscribe(database: Database, client_of: ClientOf, *, tenant_id: UUID, wish_id: UUID, public_url: str) -> str:
    """Fulfil one wish; a word for what came of it: `made`, `found`, `later`, `refused` or `nothing`.

    A try that was cut off may have made the webhook: it is looked for by its path before another is made.
    """
    wish = take_wish(database, tenant_id=tenant_id, wish_id=wish_id)
    if wish is None:
        return "nothing"
    try:
        client = client_of(wish.connection_id)
        found = earlier(client, wish)
        if found is None:
            token = new_path(database, tenant_id=tenant_id, wish_id=wish.id)
            target = f"{public_url.rstrip('/')}/webhook/{wish.system}/{token}"
            webhook = client.create_webhook(wish.resource, target, [COMPLETIONS])
        else:
            webhook = found
    except ZixlyError as error:
        return failed(database, wish, error, tenant_id=tenant_id)
    confirm_subscription(database, tenant_id=tenant_id, subscription_id=wish.id, external_id=webhook.gid)
    log.info("webhook_made", system=wish.system, subscription_id=str(wish.id), connection_id=str(wish.connection_id))
    return "made" if found is None else "found"


def earlier(client: Webhooks, wish: Wish) -> Webhook | None:
    """The webhook that an earlier try made without our hearing of it."""
    if wish.token_sha256 is None:
        return None
    known = client.webhooks(resource=wish.resource)
    return next((one for one in known if one.is_active and token_digest(last_part(one.target)) == wish.token_sha256), None)


def last_part(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]


def failed(database: Database, wish: Wish, error: ZixlyError, *, tenant_id: UUID) -> str:
    log.warning("webhook_not_made", system=wish.system, subscription_id=str(wish.id), reason=error.reason)
    if isinstance(error, Permanent) and error.reason not in MAY_MEND:
        refused(database, tenant_id=tenant_id, wish_id=wish.id, reason=error.reason)
        return "refused"
    try_later(database, tenant_id=tenant_id, wish_id=wish.id, wait=RETRY, reason=error.reason)
    return "later"
