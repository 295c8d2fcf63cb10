"""A thousand connections that are slow in every way: honest senders are served, and what the crowd holds is bounded and given back."""

from __future__ import annotations

import time

import pytest

from tests.integration.bridge.running import eventually
from tests.integration.hostile.conftest import USUAL_FILES, Target
from tests.integration.hostile.crowd import Crowd, Manner
from tests.integration.hostile.honest import honest_sender

pytestmark = pytest.mark.integration
MANY = 1_000
MOST_MEGABYTES = 150
# Beside the connections: those to Postgres and the queue, and the honest one.
FEW_FILES = 30
ROUNDS, PAUSE_SECONDS = 10, 0.3


def test_a_thousand_slow_connections_hinder_no_honest_sender(target: Target) -> None:
    files, megabytes = target.process.num_fds(), target.megabytes
    with Crowd(target.port) as crowd, honest_sender(target.address) as honest:
        crowd.come(MANY)
        for _ in range(ROUNDS):
            crowd.go_on()
            time.sleep(PAUSE_SECONDS)
        assert not crowd.ended
        assert MANY < target.process.num_fds() < files + MANY + FEW_FILES
        assert target.process.num_fds() > USUAL_FILES
        eventually(lambda: has_ended(crowd), seconds=30)
    honest.say(f"{MANY} slow connections, {target.megabytes - megabytes:.0f} MB more")
    honest.was_served()
    assert target.megabytes - megabytes < MOST_MEGABYTES
    eventually(lambda: target.process.num_fds() < files + FEW_FILES, seconds=10)


def has_ended(crowd: Crowd) -> bool:
    """All but those that are kept open for another request."""
    crowd.go_on()
    time.sleep(PAUSE_SECONDS)
    return {manner for manner, _ in crowd.opened} == {Manner.KEPT}
