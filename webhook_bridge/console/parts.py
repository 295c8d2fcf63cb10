"""What the console's pages are made of. app.py fills it in; a page takes what it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fastapi import Request

from webhook_bridge.jobs_api import Announce
from webhook_bridge.reverify import Reverifier
from webhook_bridge.signed_in import Caller
from zixly_core.connecting import Connecting
from zixly_core.kept_payloads import Objects
from zixly_core.notifications.facts import Places
from zixly_core.queue import Queue
from zixly_core.secret_box import SecretBox
from zixly_core.settings import Settings
from zixly_core.stores.database import Database


@dataclass(frozen=True)
class ConsoleParts:
    """The same parts as those of the API's routes."""

    settings: Settings
    api: Database
    """Seen as role `api`, through `scoped`: what a caller sees."""
    metrics: Database
    """Seen as role `metrics`, which counts over all tenants: for staff only."""
    queues: Mapping[str, Queue]
    box: SecretBox | None
    objects: Objects
    connecting: Connecting | None
    reverifier: Reverifier
    places: Places
    caller_of: Callable[[Request], Caller]
    """What every route depends on: who asks, held against the table of permissions, and counted."""
    still: Callable[[Request], Caller]
    """The same without counting, for a stream that asks again and again whether he still may."""
    announce: Announce
    """Tells the systems' queues of new jobs; to be called in the event loop."""

    @property
    def run_url(self) -> str:
        """Where Dagster shows runs."""
        return f"{self.settings.dagster_webserver_url.rstrip('/')}/runs"
