"""`python -m zixly_dagster.instance.webserver`: Dagster's UI, with the gateway's user on what is launched and changes written down.

The stock application inside, so that an upgrade of Dagster is an upgrade of the UI; around it `UiGuard`. `--read-only` is the one for
viewers, to which the gateway sends them (deploy/gateway/README.md).
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from functools import partial

import structlog
import uvicorn
from dagster import DagsterInstance

from zixly_core.errors import ZixlyError
from zixly_core.logs import configure_logs
from zixly_core.process import shared_database
from zixly_core.settings import Settings, read_settings
from zixly_core.stores.audit import note
from zixly_dagster.instance.ui_context import SignedInProcess
from zixly_dagster.instance.ui_guard import AskedWrite, UiGuard
from zixly_dagster.instance.webserver_names import DagsterWebserver, workspace_of

KEEP_ALIVE_SECONDS = 75  # longer than the gateway keeps a connection, so that it is never us who hang up first
STOP_SECONDS = 3
UNKNOWN = "dagster-ui"

log = structlog.get_logger()


def main() -> int:
    """Serve until told to stop. 2 when a setting is wrong."""
    arguments = arguments_of(sys.argv[1:])
    try:
        settings = read_settings()
        configure_logs(log_format=settings.log_format, level=settings.log_level, process="webserver")
        settings.required("dagster_database_url")
    except ZixlyError as error:
        sys.stderr.write(f"webserver: {error}\n")
        return 2
    serve(arguments, settings)
    return 0


def arguments_of(given: list[str]) -> argparse.Namespace:
    """The few options that we use, named as Dagster names them."""
    parser = argparse.ArgumentParser(prog="zixly_dagster.instance.webserver", description="Dagster's UI behind the gateway.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=3002)
    parser.add_argument("--path-prefix", type=path_prefix, default="", help="such as /dagster")
    parser.add_argument("--read-only", action="store_true", help="for viewers: every change is refused")
    parser.add_argument("--workspace", default=os.environ.get("ZIXLY_WORKSPACE", "workspace.yaml"))
    return parser.parse_args(given)


def path_prefix(text: str) -> str:
    if text and (not text.startswith("/") or text.endswith("/")):
        raise argparse.ArgumentTypeError("begins with a slash and ends without one")
    return text


def serve(arguments: argparse.Namespace, settings: Settings) -> None:
    """Dagster's own application, guarded. Bound to the address given and to nothing else."""
    target = workspace_of(arguments.workspace)
    with (
        DagsterInstance.get() as instance,
        SignedInProcess(instance, target, is_read_only=arguments.read_only, trusts_gateway=settings.trust_gateway) as context,
    ):
        guarded = UiGuard(
            DagsterWebserver(context, arguments.path_prefix).create_asgi_app(),
            prefix=arguments.path_prefix,
            is_read_only=arguments.read_only,
            trusts_gateway=settings.trust_gateway,
            note=partial(write_down, settings),
        )
        # When all is answered uvicorn raises the signal once more: by default that would end us as if we had been killed.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        log.info("webserver_ready", port=arguments.port, prefix=arguments.path_prefix, read_only=arguments.read_only)
        uvicorn.run(
            guarded,
            host=arguments.host,
            port=arguments.port,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            log_config=None,
            log_level="warning",
            timeout_graceful_shutdown=STOP_SECONDS,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )


def write_down(settings: Settings, asked: AskedWrite) -> None:
    """Into the audit log, where this process knows the platform's database. The log line has it in any case."""
    if settings.database_url_dispatch is None:
        return
    action = "dagster_ui.refused" if asked.is_refused else "dagster_ui.change"
    actor = asked.user.id if asked.user else UNKNOWN
    try:
        with shared_database(settings.required("database_url_dispatch"), name="dispatch").transaction() as connection:
            note(connection, actor=actor, action=action, subject=" ".join(asked.changes)[:200])
    except ZixlyError as error:
        log.exception("ui_write_not_noted", exc_info=error)


if __name__ == "__main__":
    sys.exit(main())
