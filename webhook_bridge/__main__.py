"""`python -m webhook_bridge`: serve the bridge, in one process or several."""

from __future__ import annotations

import os
import resource
import signal
import sys
import tempfile

import structlog
import uvicorn

from webhook_bridge.app import close, parts_from
from webhook_bridge.scrape_machine import Watched
from webhook_bridge.transport import tls_options
from zixly_core.errors import SettingsError
from zixly_core.observing import observe
from zixly_core.settings import Settings, read_settings

STOP_SECONDS = 5
KEEP_ALIVE_SECONDS = 75  # longer than the usual proxy's 60, so that it is never us who hang up first
MAX_FILES = 65_536
MULTIPROCESS_DIR = "PROMETHEUS_MULTIPROC_DIR"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

log = structlog.get_logger()


def main() -> int:
    """Serve until told to stop. 2 when a setting is wrong."""
    try:
        settings = read_settings()
        check(settings)
    except SettingsError as error:
        sys.stderr.write(f"bridge: {error}\n")
        return 2
    if settings.bridge_workers == 1:
        serve(settings)
        return 0
    with tempfile.TemporaryDirectory(prefix="zixly-metrics-") as folder:
        os.environ[MULTIPROCESS_DIR] = folder
        serve(settings)
    return 0


def check(settings: Settings) -> None:
    """What this process cannot do without, before anything starts. Raises `SettingsError`."""
    Watched.of(settings)
    close(parts_from(settings))
    tls_options(settings)


def serve(settings: Settings) -> None:
    """uvicorn with uvloop and our bounds on httptools. No access log (the metrics and our own lines say it), no server header."""
    observe(settings, process="bridge")
    take_many_connections()
    # When all is answered uvicorn raises the signal once more: by default that would end us as if we had been killed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if settings.environment == "local" and settings.api_token is None and settings.bridge_host not in LOOPBACK:
        log.warning("api_is_open", host=settings.bridge_host, mend="set ZIXLY_API_TOKEN or ZIXLY_ENVIRONMENT=production")
    uvicorn.run(
        "webhook_bridge.serving:app",
        factory=True,
        host=settings.bridge_host,
        port=settings.bridge_port,
        workers=settings.bridge_workers,
        loop="uvloop",
        http="webhook_bridge.http_protocol:CarefulProtocol",
        ws="none",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # client_address.py reads them, for the proxies that are ours
        log_config=None,
        timeout_graceful_shutdown=STOP_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        **tls_options(settings),
    )


def take_many_connections() -> None:
    """Each is an open file, and at the 1,024 that most systems begin with, slow senders would soon shut out all others."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_FILES if hard == resource.RLIM_INFINITY else min(MAX_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    sys.exit(main())
