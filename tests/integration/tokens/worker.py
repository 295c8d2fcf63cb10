"""A process that wants a connection's access token in many threads at once; prints what each got, one JSON value a line.

`python -m tests.integration.tokens.worker`, with its arguments as a JSON object on standard input.
"""

from __future__ import annotations

import sys
import threading
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson

from tests.integration.tokens.kept import keeper_over
from zixly_core.errors import ConnectionBusy, ZixlyError
from zixly_core.stores.tokens import BUSY_WAIT
from zixly_core.token_store import Connection
from zixly_core.tokens import TokenKeeper


def main(arguments: dict[str, Any]) -> None:
    patience = timedelta(seconds=arguments["patience_seconds"])
    keeper = keeper_over(arguments["database_url"], arguments["token_url"], patience=patience)
    connection = Connection(UUID(arguments["id"]), UUID(arguments["tenant_id"]), "xero", arguments["external_id"])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    got: list[str] = []
    threads = [threading.Thread(target=ask, args=(keeper, connection, got)) for _ in range(arguments["threads"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.stdout.write("".join(f"{one}\n" for one in got))


def ask(keeper: TokenKeeper, connection: Connection, got: list[str]) -> None:
    """As a job does: a busy connection parks it, and it comes again."""
    while True:
        try:
            got.append(keeper.current(connection))
        except ConnectionBusy as error:
            time.sleep((error.retry_after or BUSY_WAIT).total_seconds())
        except ZixlyError as error:
            got.append(f"{type(error).__name__}:{error.reason}")
            return
        else:
            return


if __name__ == "__main__":
    main(orjson.loads(sys.stdin.readline()))
