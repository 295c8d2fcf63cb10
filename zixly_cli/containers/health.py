"""`python -m zixly_cli.containers.health http://127.0.0.1:3000/health`: what a container is asked whether it does its work.

It runs every few seconds in every container, so it imports next to nothing. `grpc://PORT` asks a code server.
"""

from __future__ import annotations

import sys
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 5.0
# Short of a server error, whoever answers is at work: metrics may ask for a token that this question does not bear.
FIRST_FAILURE = 500


def main(arguments: list[str]) -> int:
    """0 when it answers, 1 when not, as Docker wants it."""
    if len(arguments) != 1:
        sys.stderr.write("One address is needed, such as http://127.0.0.1:3000/health or grpc://127.0.0.1:3003\n")
        return 1
    return 0 if answers(arguments[0]) else 1


def answers(url: str) -> bool:
    parts = urlsplit(url)
    if parts.hostname is None or parts.port is None:
        return False
    if parts.scheme == "grpc":
        from zixly_cli.stack.code_server_health import is_serving  # noqa: PLC0415 - slow to import, and only one container asks

        return is_serving(parts.port, timeout_seconds=TIMEOUT_SECONDS)
    return http_answers(parts.hostname, parts.port, path=parts.path)


def http_answers(host: str, port: int, *, path: str) -> bool:
    connection = HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < FIRST_FAILURE
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
