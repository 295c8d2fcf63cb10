"""A real bridge among hostile senders: it stays up, its memory stays bounded, and whoever means well is served all the while."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

import pytest

from tests.integration.hostile.conftest import Target
from tests.integration.hostile.honest import honest_sender
from tests.integration.hostile.requests import Hostile, hostile
from tests.support.busy import longest

pytestmark = pytest.mark.integration
# What all of it may cost, buffers and all.
MOST_MEGABYTES = 150
AT_ONCE_SECONDS = 3.0


def test_what_no_library_would_send_is_refused_at_once_and_costs_little(target: Target) -> None:
    before = target.megabytes
    answers: dict[str, tuple[int, float]] = {}
    with honest_sender(target.address) as honest:
        while not (answers and honest.has_sent_enough):
            for one in hostile():
                began = time.monotonic()
                status = answered(target.port, one)
                answers[one.name] = status, time.monotonic() - began
                print(f"{one.name}: {status}, {1_000 * answers[one.name][1]:.0f} ms")
                assert target.process.is_running()
    honest.say(f"hostile requests, {target.megabytes - before:.0f} MB more")
    honest.was_served()
    assert {one.name: answers[one.name][0] for one in hostile() if answers[one.name][0] not in one.answers} == {}
    assert {name: seconds for name, (_, seconds) in answers.items() if seconds > longest(AT_ONCE_SECONDS)} == {}
    assert target.megabytes - before < MOST_MEGABYTES


def answered(port: int, one: Hostile) -> int:
    """The status of the first answer; 0 where the connection ended without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        with suppress(OSError):  # it was refused before the end
            connection.sendall(one.raw)
        try:
            said = connection.recv(65_536)
        except ConnectionError:
            return 0
    return int(said.split(b" ", 2)[1]) if said.startswith(b"HTTP/1.1 ") else 0
