"""What the sensor asks for: a run for each channel and try, before all other work, told nothing but ids."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from zixly_core.stores.outbox import DueChannel, Filled
from zixly_dagster.sensors.notifications import request_for, summary_of
from zixly_dagster.workflow import LANE_TAG, PRIORITY_TAG, TENANT_ID_TAG

pytestmark = pytest.mark.unit

AT = datetime(2026, 11, 27, 20, tzinfo=UTC)
CHANNEL = DueChannel(channel_id=UUID(int=1), tenant_id=UUID(int=2), first=UUID(int=3), attempts=0)


def test_a_channel_is_asked_for_once_while_its_run_is_under_way() -> None:
    assert request_for(CHANNEL, now=AT).run_key == request_for(CHANNEL, now=AT + timedelta(seconds=55)).run_key


@pytest.mark.parametrize(
    ("channel", "later"),
    [
        (replace(CHANNEL, attempts=1), 0),
        (replace(CHANNEL, first=UUID(int=4)), 0),
        (CHANNEL, 60),  # the run was lost
    ],
)
def test_another_try_is_another_run(channel: DueChannel, later: int) -> None:
    assert request_for(channel, now=AT + timedelta(seconds=later)).run_key != request_for(CHANNEL, now=AT).run_key


def test_the_run_passes_the_queue_and_knows_ids_alone() -> None:
    request = request_for(CHANNEL, now=AT)
    assert request.run_config == {
        "ops": {"send_due_messages": {"config": {"channel_id": str(CHANNEL.channel_id), "tenant_id": str(CHANNEL.tenant_id)}}}
    }
    assert (request.tags[LANE_TAG], request.tags[PRIORITY_TAG], request.tags[TENANT_ID_TAG]) == ("live", "high", str(CHANNEL.tenant_id))
    assert request_for(replace(CHANNEL, tenant_id=None), now=AT).tags[TENANT_ID_TAG] == "agency"


def test_a_tick_without_news_says_so_in_words() -> None:
    assert summary_of(Filled()) == "Nothing happened that anybody is to be told of now."
    assert summary_of(Filled(transitions=2, lines=3, digests=1)) == "2 changes of issues heard; 3 messages and 1 digests wait a moment."
