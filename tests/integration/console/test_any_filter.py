"""Whatever stands in the address of a page of the console: it filters, or is refused in words. The API's own filters are asked by
schemathesis (tests/integration/hostile/test_as_described.py)."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote, urlencode

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.integration.console.conftest import Console
from webhook_bridge.cursors import cursor_of
from zixly_core.access import Role

LISTS = "audit backfills connections deliveries holding issues jobs ledger people reconciliation reconciliation/drifts replays replays/new"
MORE = "searches tenants tokens notifications reports"
ONES = "jobs/{id} deliveries/{id} issues/{id} replays/{id} people/{id} tenants/{id} searches/{id}"
PLACES = f"{LISTS} {MORE} {ONES}".split()
NAMES = (
    "tenant workflow status record reason origin since until cursor system verdict actor action subject limit days page trace "
    "kind lane connection issue search path value where from to back said"
).split()
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
# What is nearly right gets further than what is not.
cursors = st.builds(cursor_of, st.datetimes(timezones=st.timezones()), st.uuids())
values = texts | st.datetimes().map(str) | st.datetimes(timezones=st.timezones()).map(datetime.isoformat) | cursors | st.integers().map(str)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    place=st.sampled_from(PLACES), given_ones=st.dictionaries(st.sampled_from(NAMES), values, max_size=3), one=texts | st.uuids().map(str)
)
@example(place="jobs", given_ones={"record": "\0"}, one="")
@example(place="deliveries", given_ones={"since": "0001-01-01T00:00:00+14:00"}, one="")
@example(place="audit", given_ones={"until": "9999-12-31T23:59:59-14:00"}, one="")
@example(place="tenants/{id}", given_ones={}, one="\0")
@example(place="ledger", given_ones={"days": "9" * 30}, one="")
def test_any_filter_of_any_page_is_answered(console: Console, place: str, given_ones: dict[str, str], one: str) -> None:
    person = console.people[0] if console.people else console.person(Role.ADMIN, sees_payloads=True)
    answer = person.http.get(f"/console/{place.format(id=quote(one, safe=''))}?{urlencode(given_ones)}")
    assert answer.status_code < 500, (place, given_ones, one)
