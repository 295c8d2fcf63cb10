"""`zixly pause` and `zixly priority`: what is asked of the bridge, and when a pause ends."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import httpx2
import pytest

from zixly_cli.bridge_api import BridgeApi
from zixly_cli.pauses import begun, chosen, ended, ending_of, moment_of
from zixly_core.errors import SettingsError

pytestmark = pytest.mark.unit
BRISBANE = timezone(timedelta(hours=10))
NOW = datetime(2026, 11, 27, 22, 15, 30, tzinfo=BRISBANE)


def bridge(answer: dict[str, object], asked: list[tuple[str, str, object]]) -> BridgeApi:
    def handle(request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content) if request.content else None
        asked.append((request.method, request.url.raw_path.decode(), body))
        return httpx2.Response(200, json=answer)

    return BridgeApi("http://bridge.test", token=None, transport=httpx2.MockTransport(handle))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("06:00", datetime(2026, 11, 28, 6, 0, tzinfo=BRISBANE)),
        ("23:30", datetime(2026, 11, 27, 23, 30, tzinfo=BRISBANE)),
        ("2h", NOW + timedelta(hours=2)),
        ("45m", NOW + timedelta(minutes=45)),
        ("2026-12-01T08:00", datetime(2026, 12, 1, 8, 0, tzinfo=BRISBANE)),
        ("2026-12-01T08:00+00:00", datetime.fromisoformat("2026-12-01T08:00+00:00")),
    ],
)
def test_the_end_of_a_pause_is_said_as_people_say_it(text: str, moment: datetime) -> None:
    assert moment_of(text, now=NOW) == moment


@pytest.mark.parametrize("text", ["soon", "25:00", "2026-11-27T10:00", ""])
def test_what_is_no_moment_or_is_over_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(SettingsError, match="--until"):
        moment_of(text, now=NOW)


def test_a_pause_is_begun_and_ended_by_kind_and_name() -> None:
    asked: list[tuple[str, str, object]] = []
    with bridge({"resumed": True, "pauses": []}, asked) as api:
        begun(api, "tenant", "demo", reason="moves its books", until=NOW)
        assert ended(api, "connection", "an id/with a slash")
    assert asked == [
        ("POST", "/api/pauses", {"what": "tenant", "name": "demo", "reason": "moves its books", "until": NOW.isoformat()}),
        ("DELETE", "/api/pauses?what=connection&name=an+id%2Fwith+a+slash", None),
    ]


def test_a_pause_without_a_name_is_refused() -> None:
    with bridge({}, []) as api, pytest.raises(SettingsError, match="Name the tenant"):
        begun(api, "tenant", None, reason=None, until=None)


def test_priorities_are_chosen_for_workflows_tenants_and_jobs() -> None:
    asked: list[tuple[str, str, object]] = []
    with bridge({"waiting_jobs": 3}, asked) as api:
        assert chosen(api, "workflow", "xero-invoice-to-hubspot", priority="high", tenant="demo") == 3
        assert chosen(api, "tenant", "demo", priority=None, tenant=None) == 3
        assert chosen(api, "job", "01a2", priority="low", tenant=None) == 3
    assert asked == [
        ("PUT", "/api/priorities/workflows/xero-invoice-to-hubspot?tenant=demo", {"priority": "high"}),
        ("PUT", "/api/priorities/tenants/demo", {"priority": None}),
        ("POST", "/api/jobs/01a2/priority", {"priority": "low"}),
    ]


@pytest.mark.parametrize(("what", "priority", "tenant"), [("system", "high", None), ("job", None, None), ("tenant", "high", "demo")])
def test_what_has_no_priority_is_refused(what: str, priority: str | None, tenant: str | None) -> None:
    with bridge({}, []) as api, pytest.raises(SettingsError):
        chosen(api, what, "x", priority=priority, tenant=tenant)


def test_the_list_says_how_each_pause_ends() -> None:
    row = {"kind": "system", "name": "xero", "source": "switch", "until": None}
    assert ending_of(row, now=NOW) == "switch the sensor dispatch_xero on"
    assert ending_of({**row, "source": "person"}, now=NOW) == "zixly resume system xero"
    assert ending_of({**row, "source": "person", "until": (NOW + timedelta(hours=3)).isoformat()}, now=NOW) == "in 3 h"
