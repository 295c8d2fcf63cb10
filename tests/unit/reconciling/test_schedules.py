"""Nights come once: across both changes of the clocks, in every zone of the list, by Dagster's own reckoning."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from dagster import RunRequest, SkipReason, build_schedule_context
from dagster._utils.schedules import schedule_execution_time_iterator

from tests.support.definitions import dagster_without_warnings

with dagster_without_warnings():
    from zixly_dagster.resources.dispatchers import DispatchersResource
    from zixly_dagster.schedules import reconciliations
    from zixly_dagster.schedules.reconciliations import EVERY_NIGHT, ZONES, at_night, reconciliation_schedules, requests

    SCHEDULES = dict(zip(ZONES, reconciliation_schedules(), strict=False))

pytestmark = pytest.mark.unit
ID = UUID("00000000-0000-4000-8000-000000000001")
OTHER = UUID("00000000-0000-4000-8000-000000000002")
YEARS = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))


def ticks(zone: str, begin: datetime, end: datetime) -> list[datetime]:
    """The moments at which Dagster's scheduler launches: it asks the same iterator."""
    assert (SCHEDULES[zone].cron_schedule, SCHEDULES[zone].execution_timezone) == (EVERY_NIGHT, zone)
    moments = schedule_execution_time_iterator(begin.timestamp(), EVERY_NIGHT, zone)
    return [at.astimezone(UTC) for at in takewhile(lambda at: at < end, moments)]


@pytest.mark.parametrize("zone", ZONES)
def test_every_local_day_of_two_years_has_one_tick_at_ten_past_four(zone: str) -> None:
    local = [tick.astimezone(ZoneInfo(zone)) for tick in ticks(zone, *YEARS)]
    assert {(at.hour, at.minute) for at in local} == {(4, 10)}
    days = Counter(at.date() for at in local)
    first, last = min(days), max(days)
    assert [days[first + timedelta(days=number)] for number in range((last - first).days + 1)] == [1] * len(days)
    assert len(days) >= 729


# The last and the first days of daylight saving in 2026 and 2027 (timeanddate.com), and what a night is long.
CHANGES = [
    ("Australia/Sydney", date(2026, 4, 5), timedelta(hours=25)),
    ("Australia/Sydney", date(2026, 10, 4), timedelta(hours=23)),
    ("Australia/Adelaide", date(2026, 4, 5), timedelta(hours=25)),
    ("Australia/Adelaide", date(2026, 10, 4), timedelta(hours=23)),
    ("Australia/Lord_Howe", date(2026, 4, 5), timedelta(hours=24, minutes=30)),
    ("Australia/Lord_Howe", date(2026, 10, 4), timedelta(hours=23, minutes=30)),
    ("Pacific/Auckland", date(2026, 4, 5), timedelta(hours=25)),
    ("Pacific/Auckland", date(2026, 9, 27), timedelta(hours=23)),
    ("Pacific/Chatham", date(2026, 9, 27), timedelta(hours=23)),
    ("Australia/Brisbane", date(2026, 10, 4), timedelta(hours=24)),
]


@pytest.mark.parametrize(("zone", "day", "length"), CHANGES, ids=str)
def test_the_night_in_which_the_clocks_change_comes_once_and_is_longer_or_shorter(zone: str, day: date, length: timedelta) -> None:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone))
    before, on_it, after = ticks(zone, noon - timedelta(days=2), noon + timedelta(days=1))[-3:]
    assert [one.astimezone(ZoneInfo(zone)).date() for one in (before, on_it, after)] == [
        day - timedelta(days=1),
        day,
        day + timedelta(days=1),
    ]
    assert on_it - before == length
    assert after - on_it == timedelta(hours=24)


def test_a_tick_asks_for_one_run_for_each_tenant_of_the_zone_by_its_own_date(monkeypatch: pytest.MonkeyPatch) -> None:
    tenants = [(ID, "sydney", "Australia/Sydney"), (OTHER, "perth", "Australia/Perth")]
    monkeypatch.setattr(reconciliations, "tenants_in", lambda _: tenants)
    monkeypatch.setattr("zixly_dagster.resources.dispatchers.DispatchersResource.dispatch", lambda _: None)
    at = datetime(2026, 10, 4, 4, 10, tzinfo=ZoneInfo("Australia/Sydney"))
    with dagster_without_warnings():
        context = build_schedule_context(scheduled_execution_time=at.astimezone(UTC), resources={"dispatchers": DispatchersResource()})
        data = SCHEDULES["Australia/Sydney"].evaluate_tick(context)
    (request,) = data.run_requests or []
    assert request.run_key == f"{ID}:2026-10-04"
    assert request.run_config == {"ops": {"compare_records": {"config": {"tenant": "sydney", "night": "2026-10-04"}}}}


def test_tenants_of_any_other_zone_are_served_in_their_own_fourth_hour_once_a_day() -> None:
    zones = ["Asia/Kolkata", "Europe/London", "America/New_York", "Pacific/Apia", "No/Such_Zone"]
    tenants = [(UUID(int=number), name, name) for number, name in enumerate(zones)]
    nights: Counter[tuple[str, date]] = Counter()
    hour = datetime(2026, 1, 1, 0, 10, tzinfo=UTC)
    for number in range(366 * 24):
        nights.update((tenant[1], night) for tenant, night in at_night(tenants, now=hour + timedelta(hours=number)))
    assert set(nights.values()) == {1}
    assert all(sum(1 for one, _ in nights if one == name) in (365, 366) for name in zones)


def test_zones_of_the_list_are_left_to_their_own_schedules() -> None:
    at = datetime(2026, 6, 1, 4, 10, tzinfo=ZoneInfo("Australia/Sydney"))
    assert at_night([(ID, "sydney", "Australia/Sydney")], now=at) == []


def test_a_night_without_tenants_says_so() -> None:
    (skip,) = requests([])
    assert isinstance(skip, SkipReason)
    (one,) = requests([((ID, "demo", "UTC"), date(2026, 11, 27))])
    assert isinstance(one, RunRequest)


def test_there_is_a_schedule_for_each_zone_and_one_for_the_rest() -> None:
    with dagster_without_warnings():
        made = reconciliation_schedules()
    assert len({one.name for one in made}) == len(made) == len(ZONES) + 1
    assert {one.execution_timezone for one in made} == set(ZONES)
