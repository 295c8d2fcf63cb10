from __future__ import annotations

import pytest

from zixly_dagster.instance.workers_app import PRIORITY_STEPS, priority_of, workers_app
from zixly_dagster.workflow import PRIORITIES


def test_every_priority_of_live_work_is_served_before_bulk_work() -> None:
    live = [priority_of(one, is_live=True) for one in PRIORITIES]
    assert live == sorted(live)
    assert max(live) < min(priority_of(one, is_live=False) for one in PRIORITIES)


@pytest.mark.parametrize("tag", [None, "", "urgent"])
def test_a_run_without_a_priority_we_know_is_not_served_first(tag: str | None) -> None:
    """On Redis 0 is first, and 0 is what an untagged message would get."""
    assert priority_of(tag, is_live=True) == priority_of("low", is_live=True)


def test_the_broker_keeps_a_list_for_each_priority() -> None:
    used = {priority_of(one, is_live=live) for one in PRIORITIES for live in (True, False)}
    assert used == set(PRIORITY_STEPS)


def test_results_are_kept_nowhere_and_messages_hold_no_pickles() -> None:
    app = workers_app("redis://127.0.0.1:1/0")
    assert app.conf.result_backend is None
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_acks_late is False
    app.close()
