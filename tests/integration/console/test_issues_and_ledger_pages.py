"""Issues and the ledger: what is shown to whom, and what is done about it by whoever may."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

from tests.integration.console.conftest import Console
from tests.integration.console.things import EVIL, add_delivery, add_issue
from tests.support.ledger import WORKFLOW
from webhook_bridge.console.bars import bars_of
from zixly_core.access import Role

ISSUES = "/console/issues"


def test_issues_are_listed_by_status_each_tenant_its_own(console: Console) -> None:
    other = console.ledger.add_tenant("other")
    ours, resolved = add_issue(console.ledger), add_issue(console.ledger, status="RESOLVED")
    theirs = add_issue(console.ledger, tenant=other, title=EVIL)
    client, staff = console.person(Role.VIEWER, console.ledger.tenant), console.person(Role.VIEWER)
    assert (str(ours) in client.see(ISSUES), str(theirs) in client.see(ISSUES)) == (True, False)
    opened = staff.see(f"{ISSUES}?status=OPEN")
    assert [str(one) in opened for one in (ours, theirs, resolved)] == [True, True, False]
    assert EVIL not in opened
    assert client.http.get(f"{ISSUES}/{theirs}").status_code == 404
    assert "No issue fits" in staff.see(f"{ISSUES}?tenant=nobody")


def test_one_issue_tells_its_cause_its_failures_over_time_its_jobs_and_who_else_has_it(console: Console) -> None:
    other = console.ledger.add_tenant("other")
    issue, theirs = add_issue(console.ledger, jobs=3), add_issue(console.ledger, tenant=other)
    seen = console.person(Role.VIEWER).see(f"{ISSUES}/{issue}")
    for words in ("create a deal", "<rect ", "a-vendor-refuses-what-we-send", "3 jobs wait for a person", f"{ISSUES}/{theirs}"):
        assert words in seen, words
    assert seen.count('href="/console/jobs/') == 3
    assert EVIL not in seen
    own = console.person(Role.VIEWER, console.ledger.tenant).see(f"{ISSUES}/{issue}")
    assert (str(theirs) in own, "Take it on" in own) == (False, False), "neither another client's, nor buttons that a viewer may not use"


def test_an_editor_takes_an_issue_on_and_ends_it_and_each_is_noted(console: Console) -> None:
    issue = add_issue(console.ledger)
    editor = console.person(Role.EDITOR, console.ledger.tenant)
    for deed, status in (("acknowledge", "ACKNOWLEDGED"), ("ignore", "IGNORED"), ("reopen", "OPEN"), ("resolve", "RESOLVED")):
        done = editor.press(f"{ISSUES}/{issue}/{deed}", note=f"because of {deed}")
        assert (done.status_code, done.headers["location"]) == (303, f"{ISSUES}/{issue}")
        assert f">{status}<" in editor.see(f"{ISSUES}/{issue}")
    rows = console.ledger.owner.execute("select action, subject from zixly.audit_log order by at, id").fetchall()
    assert [(row["action"], row["subject"]) for row in rows] == [
        (f"issue.{deed}", str(issue)) for deed in ("acknowledge", "ignore", "reopen", "resolve")
    ]
    refused = console.person(Role.VIEWER, console.ledger.tenant).press(f"{ISSUES}/{issue}/reopen")
    assert refused.status_code == 403


def test_a_form_of_another_page_changes_nothing(console: Console) -> None:
    issue = add_issue(console.ledger)
    editor = console.person(Role.EDITOR)
    for headers in ({"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "cross-site"}):
        answer = editor.http.post(f"{ISSUES}/{issue}/resolve", data={"form_token": "made-up"}, headers=headers)
        assert answer.status_code == 403
    assert ">OPEN<" in editor.see(f"{ISSUES}/{issue}")


def test_what_is_left_of_an_issue_is_replayed(console: Console) -> None:
    console.ledger.owner.execute("update zixly.workflows set enabled = true where name = %s", (WORKFLOW,))
    issue = add_issue(console.ledger, jobs=2)
    editor = console.person(Role.EDITOR, console.ledger.tenant)
    done = editor.press(f"{ISSUES}/{issue}/replay")
    assert done.status_code == 303, done.text
    assert "2 jobs are done anew" in editor.see(done.headers["location"])
    again = editor.press(f"{ISSUES}/{issue}/replay")
    assert (again.status_code, "Nothing is left to replay" in again.text) == (409, True)


def test_the_highest_bar_fills_the_drawing_and_the_least_is_seen() -> None:
    assert [bar.height for bar in bars_of([0, 1, 1_000]).bars] == [0, 2, 48]
    assert bars_of([]).width > 0


def test_the_ledger_shows_a_lost_event_before_everything_else_and_leads_to_what_is_behind_a_figure(console: Console) -> None:
    add_delivery(console.ledger, records=("inv-1",))
    lost = add_delivery(console.ledger, records=("inv-2",), age=timedelta(hours=3))
    console.ledger.owner.execute(
        "delete from zixly.workflow_jobs where event_id in (select id from zixly.events where delivery_id = %s)", (lost,)
    )
    console.ledger.owner.execute("delete from zixly.events where delivery_id = %s", (lost,))
    seen = console.person(Role.VIEWER).see("/console/ledger")
    assert '<tr class="wrong">' in seen
    assert '<strong class="differs">1</strong>' in seen
    assert seen.index('<tr class="wrong">') < seen.index("<tr>", seen.index("Events received, of all tenants") + 200)
    link = seen.partition('href="/console/jobs?tenant=demo')[2].partition('"')[0].replace("&amp;", "&")
    assert "inv-1" in console.person(Role.VIEWER).see(f"/console/jobs?tenant=demo{link}")


def test_a_client_sees_his_own_ledger_only_and_no_count_of_all(console: Console) -> None:
    other = console.ledger.add_tenant("other")
    console.ledger.add_jobs(2, tenant=other)
    seen = console.person(Role.ADMIN, console.ledger.tenant).see("/console/ledger")
    assert "Nothing came and nothing was made" in seen
    assert "Unaccounted now" not in seen
    since = (datetime.now(UTC) - timedelta(days=90)).date()
    assert console.person(Role.VIEWER).http.get(f"/console/ledger?since={since}").status_code == 400


def test_a_list_is_taken_away_as_a_file_with_its_filters(console: Console) -> None:
    console.ledger.add_jobs(1, status="FAILED")
    console.ledger.add_jobs(2)
    person = console.person(Role.VIEWER, console.ledger.tenant)
    link = person.see("/console/jobs?status=FAILED").partition('href="/api/jobs/export?')[2].partition('"')[0].replace("&amp;", "&")
    answer = person.http.get(f"/api/jobs/export?{link}")
    assert answer.status_code == 200
    assert [row["status"] for row in csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))] == ["FAILED"]
