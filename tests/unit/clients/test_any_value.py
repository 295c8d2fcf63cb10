"""Whatever stands where a time or an amount is expected: it is read or refused, and never an exception that is not ours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zixly_cli.moments import moment_from
from zixly_core.errors import Permanent, SettingsError
from zixly_core.systems.asana import fields as asana
from zixly_core.systems.hubspot.objects import CrmRecord
from zixly_core.systems.shopify import fields as shopify
from zixly_core.systems.xero import fields as xero

pytestmark = pytest.mark.unit
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
zones = st.sampled_from([UTC, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Pago_Pago"), None])
times = (
    st.text(max_size=30)
    | st.datetimes(timezones=zones).map(datetime.isoformat)
    | st.integers().map(str)
    | st.integers().map("/Date({}+0000)/".format)
    | st.tuples(st.integers(min_value=0), st.sampled_from("mhdx")).map(lambda two: f"{two[0]}{two[1]}")
)
values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.lists(st.integers(), max_size=2)
MOMENTS: dict[str, Callable[[str], datetime | None]] = {
    "asana": lambda text: asana.moment_of({"at": text}, "at"),
    "hubspot": lambda text: CrmRecord("1", {"at": text}, updated_at=NOW).moment("at"),
    "shopify": lambda text: shopify.moment_of({"at": text}, "at"),
    "xero": xero.instant_from,
    "the command line": lambda text: moment_from(text, now=NOW),
}
AMOUNTS: dict[str, Callable[[Any], Decimal]] = {
    "shopify": lambda value: shopify.money_of({"total": {"shopMoney": {"amount": value}}}, "total"),
    "xero": lambda value: xero.money_of({"total": value}, "total"),
}


@pytest.mark.parametrize("where", MOMENTS)
@given(text=times)
@example(text="0001-01-01T00:00:00+14:00")
@example(text="9999-12-31T23:59:59-11:00")
@example(text="99999999999d")
@example(text="²d")
@example(text="")
def test_a_time_is_a_moment_with_its_zone_or_refused(where: str, text: str) -> None:
    try:
        at = MOMENTS[where](text)
    except (Permanent, SettingsError):
        return
    assert at is None or at.utcoffset() is not None


@pytest.mark.parametrize("where", AMOUNTS)
@given(value=values)
@example(value=float("nan"))
@example(value=float("inf"))
@example(value="NaN")
@example(value=True)
def test_an_amount_is_finite_or_refused(where: str, value: object) -> None:
    try:
        amount = AMOUNTS[where](value)
    except Permanent:
        return
    assert amount.is_finite()


@given(number=st.integers(0, 10_000), unit=st.sampled_from("mhd"))
def test_what_a_person_calls_so_long_ago_is_so_long_ago(number: int, unit: str) -> None:
    length = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[unit]
    assert moment_from(f"{number}{unit}", now=NOW) == NOW - number * length
