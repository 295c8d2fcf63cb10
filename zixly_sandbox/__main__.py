"""`python -m zixly_sandbox`: serve, on 127.0.0.1 unless told otherwise."""

from __future__ import annotations

import sys

import uvicorn

from zixly_core.errors import SettingsError
from zixly_core.logs import configure_logs
from zixly_sandbox.app import create_app
from zixly_sandbox.protocol import DroppableProtocol
from zixly_sandbox.rules import Rules
from zixly_sandbox.settings import SandboxSettings, read_sandbox_settings

# Seconds that calls in progress get when the process is told to stop.
STOP_SECONDS = 3


def main() -> None:
    try:
        settings = read_sandbox_settings()
    except SettingsError as error:
        sys.exit(str(error))
    configure_logs(log_format=settings.log_format, level=settings.log_level, process="sandbox")
    server(settings).run()


def server(settings: SandboxSettings) -> uvicorn.Server:
    app = create_app(
        rules=Rules(latency_seconds=settings.sandbox_latency_seconds),
        seed=settings.sandbox_seed,
        target_url=settings.target_url,
        webhook_key=settings.signing_key,
        hubspot_url=settings.hubspot_url,
        hubspot_public_url=settings.hubspot_public_url,
        hubspot_secret=settings.hubspot_signing_secret,
        shopify_url=settings.shopify_url,
        shopify_secrets=(settings.shopify_signing_secret,),
        base_url=settings.base_url,
    )
    config = uvicorn.Config(
        app,
        host=settings.sandbox_host,
        port=settings.sandbox_port,
        http=DroppableProtocol,
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    return uvicorn.Server(config)


if __name__ == "__main__":
    main()
