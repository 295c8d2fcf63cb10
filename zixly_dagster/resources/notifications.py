"""Notifications of a finished batch: off unless the connection's settings ask for them; sent to one configured webhook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2
import structlog
from dagster import ConfigurableResource

from zixly_core.http_client import new_client
from zixly_core.outgoing import to_vendors
from zixly_core.stores.connections import connection_settings
from zixly_dagster.resources.batch import BatchWork

log = structlog.get_logger()
TIMEOUT_SECONDS = 5


class NotificationsResource(ConfigurableResource[None]):
    """Posts one line of JSON per batch to ZIXLY_NOTIFY_WEBHOOK_URL, in the form that Slack's incoming webhooks take
    (docs.slack.dev/messaging/sending-messages-using-incoming-webhooks), with counts and ids only."""

    def notify_if_wanted(self, work: BatchWork, batch: Mapping[str, Any], *, completed: int, failed: int) -> bool:
        """Announce the batch if the connection's setting `notify` says so. A failed announcement is logged and fails nothing."""
        url = work.settings.notify_webhook_url
        if url is None or not connection_settings(work.database, work.run, batch["connection_id"]).get("notify"):
            return False
        text = f"{batch['workflow']}: {completed} jobs completed, {failed} failed (batch {batch['id']}, run {work.run.run_id})"
        try:
            with new_client(to_vendors(work.settings)) as client:
                client.post(url.get_secret_value(), json={"text": text}, timeout=TIMEOUT_SECONDS).raise_for_status()
        except httpx2.HTTPError as error:
            log.warning("notification_failed", batch_id=str(batch["id"]), error_type=type(error).__name__)
            return False
        return True
