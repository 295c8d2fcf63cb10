"""`python -m zixly_dagster.instance.code_server -h 127.0.0.1 -p 3003 -n 32`: Dagster's code server with our definitions and our logs.

The dispatch sensors run in it; started as `dagster api grpc` their lines would be in structlog's default form, and their spans nowhere.
Told to end it answers what it is at, hands nothing over any more, and does not wait for those who only wait for something to do.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from types import FrameType
from typing import NoReturn

from zixly_core.ending import begin_ending, is_ending
from zixly_core.errors import ZixlyError
from zixly_core.observing import observe
from zixly_core.settings import read_settings
from zixly_core.tracing import stop_recording
from zixly_dagster.instance.private_names import leave_loggers_to_us

DEFINITIONS = "zixly_dagster.definitions"


def main(arguments: list[str]) -> int:
    try:
        settings = read_settings()
        settings.required("dagster_database_url")
        observe(settings, process="code")
    except ZixlyError as error:
        sys.stderr.write(f"code: {error}\n")
        return 2
    leave_loggers_to_us()
    sys.argv = ["dagster", "api", "grpc", "-m", DEFINITIONS, *arguments]
    signal.signal(signal.SIGINT, end)  # Dagster puts on SIGTERM whatever it finds here
    try:
        runpy.run_module("dagster", run_name="__main__")
    finally:
        if is_ending():
            leave()
    return 0


def end(number: int, frame: FrameType | None) -> NoReturn:
    begin_ending()
    signal.default_int_handler(number, frame)


def leave() -> NoReturn:
    """At once. Dagster has waited for its answers (`DAGSTER_GRPC_SHUTDOWN_GRACE_PERIOD`); sensors that wait for something to do would
    hold up an orderly end for as long as they may wait, and whoever told us to end kills by then."""
    stop_recording()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
