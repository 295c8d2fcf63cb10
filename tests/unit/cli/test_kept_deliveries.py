"""`zixly deliveries reverify`, before anything is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx2
import orjson
import pytest

from zixly_cli.bridge_api import BridgeApi
from zixly_cli.kept_deliveries import delivery_table, in_words, verified_again
from zixly_cli.moments import moment_from
from zixly_core.errors import SettingsError

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("30m", NOW - timedelta(minutes=30)),
        ("2h", NOW - timedelta(hours=2)),
        ("7d", NOW - timedelta(days=7)),
        ("2026-11-21", datetime(2026, 11, 21, tzinfo=UTC)),
        ("2026-11-21T20:00:00+10:00", datetime(2026, 11, 21, 10, 0, tzinfo=UTC)),
    ],
)
def test_a_moment_may_be_told_as_time_ago_or_as_a_date(text: str, moment: datetime) -> None:
    assert moment_from(text, now=NOW) == moment


@pytest.mark.parametrize("text", ["", "h", "yesterday", "2 hours", "-3h"])
def test_what_is_no_moment_is_said_in_one_sentence(text: str) -> None:
    with pytest.raises(SettingsError, match="--since"):
        moment_from(text, now=NOW)


def page(examined: int, *, next_cursor: str | None) -> dict[str, object]:
    counts = {"examined": examined, "accepted": examined, "duplicates": 0, "jobs": examined, "refused": 0, "unreadable": 0}
    return {"remaining": 150, **counts, "by_system": {"xero": examined}, "next_cursor": next_cursor}


def test_pages_are_asked_for_until_there_is_no_other_and_are_added_up() -> None:
    pages = [page(100, next_cursor="a"), page(50, next_cursor="b"), page(0, next_cursor=None)]
    asked: list[dict[str, object]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(orjson.loads(request.content))
        return httpx2.Response(200, json=pages[len(asked) - 1])

    with BridgeApi("http://bridge", token="t", transport=httpx2.MockTransport(answer)) as api:
        totals = list(verified_again(api, system="xero", since=NOW, dry_run=True))
    assert [one["cursor"] for one in asked] == [None, "a", "b"]
    assert {one["since"] for one in asked} == {"2026-11-22T10:00:00+00:00"}
    assert [total["examined"] for total in totals] == [100, 150, 150]
    assert totals[-1]["remaining"] == 150
    assert in_words(totals[-1], dry_run=True).startswith("150 examined: 150 would be accepted")


def test_a_delivery_that_became_another_says_so() -> None:
    row = {
        "id": "d-1",
        "system": "xero",
        "path": "xero",
        "received_at": "2026-11-22T20:00:00+10:00",
        "verdict": "rejected",
        "reason": "invalid_signature",
        "status": 401,
        "event_count": 0,
        "accepted_as": "d-2",
    }
    cells = [next(iter(column.cells)) for column in delivery_table([row]).columns]
    assert [str(cell) for cell in cells][:5] == ["2026-11-22 10:00:00", "d-1", "xero", "xero", "rejected, now d-2"]
