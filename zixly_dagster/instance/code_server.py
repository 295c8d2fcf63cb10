"""`python -m zixly_dagster.instance.code_server -h 127.0.0.1 -p 3003 -n 32`: Dagster's code server with our definitions and our logs.

The dispatch sensors run in it; started as `dagster api grpc` their lines would be in structlog's default form, and their spans nowhere.
"""

from __future__ import annotations

import runpy
import sys

from zixly_core.errors import ZixlyError
from zixly_core.observing import observe
from zixly_core.settings import read_settings
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
    runpy.run_module("dagster", run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
