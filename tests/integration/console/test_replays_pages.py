"""Replays, searches and backfills: looked at first, then done; watched, and stopped."""

from __future__ import annotations

import re

from tests.integration.console.conftest import Console
from tests.integration.console.things import add_delivery
from tests.support.ledger import WORKFLOW
from zixly_core.access import Role

REPLAYS, SEARCHES, BACKFILLS = "/console/replays", "/console/searches", "/console/backfills"


def hidden_of(page: str) -> dict[str, str]:
    """The hidden fields of the form that makes a replay, but for the session's."""
    form = page.partition('aria-label="Replay them"')[2].partition("</form>")[0]
    found = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
    found.pop("form_token")
    return found


def test_jobs_are_counted_first_and_then_replayed_once_however_often_the_form_is_sent(console: Console) -> None:
    console.ledger.add_jobs(3, status="FAILED", error_reason="refused")
    console.ledger.add_jobs(1, status="FAILED", error_reason="other")
    editor = console.person(Role.EDITOR, console.ledger.tenant)
    page = editor.see(f"{REPLAYS}/new?status=FAILED&reason=refused")
    assert "Replay 3 jobs" in page
    assert console.ledger.owner.execute("select count(*) as n from zixly.replays").fetchall() == [{"n": 0}], "only counted"
    first = editor.press(REPLAYS, mode="CHECKPOINT", dry_run="false", rate_per_minute="", **hidden_of(page))
    second = editor.press(REPLAYS, mode="CHECKPOINT", dry_run="false", rate_per_minute="", **hidden_of(page))
    assert (first.status_code, second.headers["location"]) == (303, first.headers["location"])
    answer = editor.http.get(first.headers["location"])
    assert ("Replay of 3 jobs" in answer.text, answer.headers["refresh"]) == (True, "10")
    assert console.ledger.owner.execute("select count(*) as n from zixly.workflow_jobs where origin = 'replay'").fetchall() == [{"n": 3}]
    stopped = editor.press(f"{first.headers['location']}/stop")
    assert stopped.status_code == 303
    seen = editor.http.get(stopped.headers["location"])
    assert ("3 jobs that nobody worked on were cancelled" in seen.text, "refresh" in seen.headers) == (True, False)


def test_a_viewer_sees_replays_and_makes_none_and_a_stranger_sees_nothing(console: Console) -> None:
    (job,) = console.ledger.add_jobs(1, status="FAILED")
    editor = console.person(Role.EDITOR, console.ledger.tenant)
    made = editor.press(REPLAYS, job_id=str(job)).headers["location"]
    viewer = console.person(Role.VIEWER, console.ledger.tenant)
    assert made in viewer.see(REPLAYS)
    assert ">Stop<" not in viewer.see(made)
    assert {viewer.http.get(f"{REPLAYS}/new").status_code, viewer.press(REPLAYS, job_id=str(job)).status_code} == {403}
    stranger = console.person(Role.ADMIN, console.ledger.add_tenant("other"))
    assert made not in stranger.see(REPLAYS)
    assert {stranger.http.get(made).status_code, stranger.press(f"{made}/stop").status_code} == {404}


def test_a_form_that_says_nothing_or_nonsense_is_told_what_is_missing(console: Console) -> None:
    editor = console.person(Role.EDITOR)
    for fields in (
        {"tenant": "demo"},
        {"tenant": "demo", "status": "ASLEEP"},
        {"tenant": "demo", "status": "FAILED", "rate_per_minute": "-1"},
    ):
        answer = editor.press(REPLAYS, **fields)
        assert (answer.status_code, "A value does not fit" in answer.text) == (422, True), fields
    assert editor.http.get(f"{REPLAYS}/new?tenant=demo&search_id=x").status_code == 422


def test_events_are_found_by_a_value_that_no_address_and_no_log_keeps_and_their_jobs_are_replayed(console: Console) -> None:
    delivery = add_delivery(console.ledger, body=b'{"sku": "LAMP-1"}', records=("inv-1",))
    editor = console.person(Role.EDITOR)
    done = editor.press(SEARCHES, tenant="demo", path="$.sku", value="LAMP-1")
    assert (done.status_code, "LAMP-1" in done.headers["location"]) == (303, False), done.text
    seen = editor.see(done.headers["location"])
    assert (f"/console/deliveries/{delivery}" in seen, "1 events found" in seen) == (True, True)
    assert "LAMP-1" not in str(console.ledger.owner.execute("select * from zixly.audit_log").fetchall())
    assert "search_id=" in seen
    viewer = console.person(Role.VIEWER)
    assert viewer.http.get(SEARCHES).status_code == 403
    assert viewer.http.get(done.headers["location"]).status_code == 403
    assert "No event of this tenant" in editor.see(editor.press(SEARCHES, tenant="demo", path="$.sku", value="x").headers["location"])


def test_a_backfill_is_asked_for_watched_and_stopped(console: Console) -> None:
    editor = console.person(Role.EDITOR, console.ledger.tenant)
    made = editor.press(BACKFILLS, workflow=WORKFLOW, first_day="2026-11-01", last_day="2026-11-02", dry_run="true", connection_id="")
    assert made.status_code == 303, made.text
    place = made.headers["location"]
    assert "0 of 2 days are read" in editor.see(place)
    assert place in console.person(Role.VIEWER, console.ledger.tenant).see(BACKFILLS)
    hidden = console.person(Role.VIEWER, console.ledger.tenant).see(place)
    assert ("it takes a role that sees payloads" in hidden, ">Stop<" in hidden) == (True, False)
    assert "No further day is read" in editor.see(editor.press(f"{place}/stop").headers["location"])
    assert editor.press(f"{place}/stop").status_code == 409
    assert editor.press(BACKFILLS, workflow=WORKFLOW, first_day="soon", last_day="2026-11-02").status_code == 422
    assert console.person(Role.ADMIN, console.ledger.add_tenant("other")).http.get(place).status_code == 404
