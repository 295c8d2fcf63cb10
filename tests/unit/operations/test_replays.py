"""The words about replays: rate, ids, how long it takes yet; and paths into payloads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from zixly_core.edited_payloads import check_edited
from zixly_core.errors import MalformedPayload
from zixly_core.ids import new_id
from zixly_core.job import JobStatus
from zixly_core.payload_paths import path_from, plain_number, wanted_value
from zixly_core.replays import JobChoice, NotReplayable, Progress, ReplayMode, ReplayStatus, WantedReplay

pytestmark = pytest.mark.unit
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def test_the_rate_spreads_the_jobs_over_time() -> None:
    wanted = WantedReplay(new_id(), new_id(), JobChoice(), rate_per_minute=600)
    assert [wanted.due_in(place) for place in (0, 1, 599, 600)] == [
        timedelta(),
        timedelta(milliseconds=100),
        timedelta(seconds=59.9),
        timedelta(minutes=1),
    ]
    assert WantedReplay(new_id(), new_id(), JobChoice()).due_in(9_999) == timedelta()


def test_a_replay_gives_each_origin_one_job_whoever_asks_how_often() -> None:
    replay, origin = new_id(), new_id()
    first, again = (WantedReplay(replay, new_id(), JobChoice()) for _ in range(2))
    assert first.job_id_for(origin) == again.job_id_for(origin)
    assert first.job_id_for(origin) != first.job_id_for(new_id())


def test_an_edit_is_known_by_its_content() -> None:
    def ending(payload: dict[str, int]) -> str:
        return WantedReplay(new_id(), new_id(), JobChoice(), mode=ReplayMode.EDITED, payload=payload).ending

    assert ending({"a": 1, "b": 2}) == ending({"b": 2, "a": 1}) != ending({"a": 1, "b": 3})
    assert WantedReplay(new_id(), new_id(), JobChoice()).ending == ""


def test_the_choice_is_told_in_ids_and_words() -> None:
    one, search = new_id(), new_id()
    assert JobChoice(job_ids=[one]).as_json() == {"job": str(one)}
    assert JobChoice(job_ids=[one, search], search_id=search).as_json() == {"jobs": 2, "search": str(search)}


@pytest.mark.parametrize(
    ("progress", "status", "seconds"),
    [
        (Progress({JobStatus.QUEUED: 10}), ReplayStatus.RUNNING, None),
        (Progress({JobStatus.QUEUED: 10}, last_due_at=NOW + timedelta(seconds=90)), ReplayStatus.RUNNING, 90),
        (
            Progress({JobStatus.QUEUED: 30, JobStatus.COMPLETED: 60}, first_begun_at=NOW - timedelta(seconds=60), last_due_at=NOW),
            ReplayStatus.RUNNING,
            30,
        ),
        (Progress({JobStatus.COMPLETED: 3, JobStatus.FAILED: 1}), ReplayStatus.DONE, 0),
        (Progress({JobStatus.RUNNING: 1, JobStatus.CANCELLED: 3}, is_stopped=True), ReplayStatus.STOPPED, None),
        (Progress({}), ReplayStatus.DONE, 0),
    ],
)
def test_how_long_it_takes_yet_follows_from_the_pace_and_the_last_due_time(
    progress: Progress, status: ReplayStatus, seconds: float | None
) -> None:
    assert progress.status is status
    assert progress.remaining_seconds(NOW) == seconds


@pytest.mark.parametrize(
    ("text", "indexed"),
    [
        ("$", "$"),
        ("$.id", "$.id"),
        ("$.line_items[*].sku", "$.line_items[].sku"),
        ("$.line_items[12].sku", "$.line_items[].sku"),
        ("$['a name'].ünï", "$.a name.ünï"),
        ("$[0][*]", "$[][]"),
    ],
)
def test_paths_are_read_and_written_again(text: str, indexed: str) -> None:
    path = path_from(text)
    assert path.indexed == indexed
    assert str(path) == text


@pytest.mark.parametrize("text", ["", "id", "$id", "$.", "$..id", "$.a[", "$.a[-1]", "$.a['b'", "$.a[?(@.b)]", "$." + "a" * 600])
def test_what_is_no_path_is_refused_with_the_way_to_write_one(text: str) -> None:
    with pytest.raises(MalformedPayload, match=r"\$\.names\[\*\]\.name"):
        path_from(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("10", "10"),
        ("10.0", "10"),
        ("1e1", "10"),
        ("-0.0", "0"),
        ("007", "7"),
        ("1e-5", "0.00001"),
        ("123456789012345678901234567890123", "123456789012345678901234567890123"),
        ("1e999999", None),
        ("NaN", None),
        ("١٢", None),
        ("", None),
        ("1_000", None),
    ],
)
def test_numbers_are_compared_by_what_they_are_worth(text: str, plain: str | None) -> None:
    assert plain_number(text) == plain


def test_a_value_fits_a_text_a_number_and_a_word() -> None:
    for value, payload in (("10", b'{"a":10.0}'), ("10.00", b'{"a":"10.00"}'), ("true", b'{"a":true}'), ("null", b'{"a":null}')):
        assert wanted_value("$.a", value).is_in(payload)
    for value, payload in (("10", b'{"a":"10.0"}'), ("1", b'{"a":true}'), ("", b'{"a":null}'), ("x", b"no json")):
        assert not wanted_value("$.a", value).is_in(payload)


def test_a_payload_is_edited_only_where_a_workflow_reads_it() -> None:
    with pytest.raises(NotReplayable, match=r"zixly run hubspot-deal-to-xero RECORD"):
        check_edited("hubspot-deal-to-xero", {})
    with pytest.raises(NotReplayable, match="privacy law"):
        check_edited("shopify-privacy", {})
    with pytest.raises(MalformedPayload, match="ticker"):
        check_edited("trading-sweep", {})
