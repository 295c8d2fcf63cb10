"""The sweep service, as the ops and the sensor that looks at waiting jobs see it."""

from __future__ import annotations

from dagster import ConfigurableResource

from zixly_core.http_client import ProcessClient
from zixly_core.settings import settings_now
from zixly_core.systems.sweeps.client import SweepsClient

_http = ProcessClient()


class SweepsResource(ConfigurableResource[None]):
    """Gives a client for the service at ZIXLY_SWEEPS_API_URL; HTTP connections are shared by all runs of a worker."""

    def client(self) -> SweepsClient:
        """The client; do not keep it across a fork."""
        return SweepsClient(_http.current(), base_url=settings_now().sweeps_api_url)
