from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from webhook_bridge.console.chart import chart_of
from webhook_bridge.console.verdict import verdict_of
from zixly_core.stores.ledger_balance import Balance
from zixly_core.stores.overview import Amiss, EndedInHour, Overview
from zixly_core.stores.pipeline_counts import OpenJobs

NOTHING = Amiss(0, 0, 0, 0, 0, 0, 0, 0)
WELL = Overview(open_jobs=[OpenJobs("xero", "QUEUED", "due", 5, 1.0)], ended=[], amiss=NOTHING)
NOW = datetime(2026, 11, 28, 10, 30, tzinfo=UTC)


def sentence(found: Overview, *unreachable: str) -> str:
    return verdict_of(found, unreachable=unreachable).sentence


def test_where_nothing_is_amiss_all_is_well() -> None:
    assert sentence(WELL) == "All is well."


def test_what_is_worst_stands_first() -> None:
    lost = OpenJobs("xero", "QUEUED", "unaccounted", 2, 9.0)
    late = OpenJobs("xero", "QUEUED", "due", 1, 130.0)
    found = Overview([late, lost], [], replace(NOTHING, dead_letters=1, disconnected=3, paused=1))
    told = verdict_of(found, unreachable=["queue-xero"])
    assert told.sentence == "Not well: 2 jobs are unaccounted for, and 4 more."
    assert [one.words for one in told.troubles] == [
        "2 jobs are unaccounted for",
        "queue-xero cannot be reached",
        "a job has been due for 2 min 10 s, and nothing takes it",
        "1 job has failed for good",
        "3 accounts are disconnected",
        "1 pause holds jobs back",
    ]


def test_a_ledger_that_does_not_add_up_or_that_nobody_compares_is_worse_than_anything() -> None:
    found = replace(WELL, amiss=replace(NOTHING, dead_letters=1))
    told = verdict_of(found, unreachable=[], balance=Balance(events=1, jobs=2, age_seconds=601.0))
    assert [one.words for one in told.troubles] == [
        "3 rows of the ledger do not add up",
        "no sensor has compared the ledger for 10 min 1 s",
        "1 job has failed for good",
    ]
    for age in (None, 50.0):
        assert verdict_of(WELL, unreachable=[], balance=Balance(0, 0, age)).sentence == "All is well."


def test_what_somebody_holds_back_is_not_wrong() -> None:
    told = verdict_of(replace(WELL, amiss=replace(NOTHING, paused=2, switched_off=1)), unreachable=[])
    assert (told.sentence, told.tone) == ("Well, but held: 1 system's sensor is switched off.", "wait")


def test_the_chart_holds_each_of_the_last_24_hours_and_no_other() -> None:
    hour = NOW.replace(minute=0)
    ended = [EndedInHour(hour, "xero", 90, 0), EndedInHour(hour, "asana", 10, 0), EndedInHour(hour - timedelta(hours=23), "xero", 0, 1)]
    chart = chart_of([*ended, EndedInHour(hour - timedelta(hours=24), "xero", 7, 7)], now=NOW)
    assert (len(chart.bars), chart.most, chart.completed, chart.failed) == (24, 100, 100, 1)
    first, last = chart.bars[0], chart.bars[-1]
    assert (last.completed_height, last.failed_height) == (chart.height, 0)
    assert first.failed_height >= 3, "one failure is seen beside a hundred that went well"
    assert first.x == 0
    assert last.x + last.width <= chart.width


def test_a_day_without_jobs_is_drawn_too() -> None:
    assert {bar.completed_height for bar in chart_of([], now=NOW).bars} == {0}
