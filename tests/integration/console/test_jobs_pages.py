"""The list of jobs and one job's page: whose jobs are seen, what is hidden, what may be done, and that they follow what happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from psycopg.types.json import Jsonb

from tests.integration.console.conftest import Console, Person
from webhook_bridge.same_site import form_token
from zixly_core.access import Role
from zixly_core.ids import new_id

EVIL = "<script>alert(1)</script>"
SAFE = "&lt;script&gt;alert(1)&lt;/script&gt;"


def told_job(console: Console) -> UUID:
    """A job whose every free word is a script."""
    step = {"step": "look", "message": EVIL, "at": "2026-11-27T00:00:00Z"}
    columns = {"execution_log": Jsonb([step]), "result": Jsonb({"name": EVIL}), "error_message": EVIL, "error_reason": "refused"}
    return console.ledger.add_jobs(1, record=EVIL, status="FAILED", dead_letter=True, **columns)[0]


def test_a_tenants_person_sees_his_tenants_jobs_and_no_others(console: Console) -> None:
    other = console.ledger.add_tenant("other")
    mine, strange = console.ledger.add_jobs(1)[0], console.ledger.add_jobs(1, tenant=other)[0]
    person, staff = console.person(Role.ADMIN, console.ledger.tenant), console.person(Role.VIEWER)
    seen = person.see("/console/jobs")
    assert f"/console/jobs/{mine}" in seen
    assert str(strange) not in seen
    assert str(strange) not in person.see("/console/jobs?record=&status=QUEUED")
    assert person.http.get(f"/console/jobs/{strange}").status_code == 404
    assert person.press(f"/console/jobs/{strange}/cancel").status_code == 404
    assert console.ledger.job(strange)["status"] == "QUEUED"
    assert f"/console/jobs/{strange}" in staff.see("/console/jobs?tenant=other")


def test_filters_and_pages_lead_through_the_whole_list(console: Console) -> None:
    failed = console.ledger.add_jobs(1, status="FAILED", error_reason="record_gone")[0]
    console.ledger.add_jobs(60)
    person = console.person(Role.VIEWER)
    only = person.see("/console/jobs?status=FAILED&reason=record_gone&workflow=&origin=")
    assert only.count("<tr>\n<td") == 1
    assert str(failed) in only
    first = person.see("/console/jobs")
    older = first.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert (first.count("<tr>\n<td"), person.see(older).count("<tr>\n<td")) == (50, 11)
    assert "No job fits" in person.see("/console/jobs?workflow=none")


def test_what_others_wrote_is_shown_as_text(console: Console) -> None:
    job = told_job(console)
    person = console.person(Role.ADMIN, name=EVIL)
    for path in ("/console/jobs", f"/console/jobs/{job}", "/console/jobs?record=%3Cscript%3Ealert(1)%3C/script%3E"):
        seen = person.see(path)
        assert EVIL not in seen
        assert SAFE in seen


def test_payloads_are_hidden_from_a_viewer_to_whom_they_are_not_granted(console: Console) -> None:
    columns = {
        "result": Jsonb({"name": "Riverside"}),
        "execution_log": Jsonb([{"step": "look", "message": "Riverside", "at": "2026-11-27T00:00:00Z"}]),
    }
    job = console.ledger.add_jobs(1, status="COMPLETED", **columns)[0]
    plain, trusted = (console.person(Role.VIEWER, console.ledger.tenant, sees_payloads=granted) for granted in (False, True))
    assert "Riverside" not in plain.see(f"/console/jobs/{job}")
    assert "takes a role that sees payloads" in plain.see(f"/console/jobs/{job}")
    assert trusted.see(f"/console/jobs/{job}").count("Riverside") == 2


def test_actions_are_offered_to_whom_they_are_allowed(console: Console) -> None:
    failed, queued = console.ledger.add_jobs(1, status="FAILED")[0], console.ledger.add_jobs(1)[0]
    viewer, editor = (console.person(role, console.ledger.tenant) for role in (Role.VIEWER, Role.EDITOR))
    assert form_token(editor.session) in editor.see(f"/console/jobs/{queued}")
    assert "Retry" not in viewer.see(f"/console/jobs/{failed}")
    assert "Cancel" not in viewer.see(f"/console/jobs/{queued}")
    assert "Retry" in editor.see(f"/console/jobs/{failed}")
    assert "Yes, cancel" in editor.see(f"/console/jobs/{queued}")
    assert viewer.press(f"/console/jobs/{failed}/retry").status_code == 403
    assert console.ledger.job(failed)["status"] == "FAILED"


def test_actions_change_are_told_and_are_audited(console: Console) -> None:
    failed, queued, urgent = console.ledger.add_jobs(1, status="FAILED")[0], *console.ledger.add_jobs(2)
    editor = console.person(Role.EDITOR, console.ledger.tenant)
    before = new_id()
    for job, verb, fields, words in (
        (failed, "retry", {}, "It is tried again"),
        (queued, "cancel", {}, "It is cancelled."),
        (urgent, "priority", {"priority": "high"}, "Its priority is high now."),
    ):
        answer = editor.press(f"/console/jobs/{job}/{verb}", **fields)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/console/jobs/{job}")
        assert words in editor.see(f"/console/jobs/{job}")
        assert words not in editor.see(f"/console/jobs/{job}"), "told once"
    states = [console.ledger.job(job)["status"] for job in (failed, queued, urgent)]
    assert (states, console.ledger.job(urgent)["priority"]) == (["QUEUED", "CANCELLED", "QUEUED"], 0)
    lines = console.ledger.owner.execute(
        "select action, actor, subject from zixly.audit_log where id > %s order by id", (before,)
    ).fetchall()
    told = [(line["action"], line["actor"], line["subject"]) for line in lines]
    actor = f"user:{editor.id}"
    assert told == [("job.retry", actor, str(failed)), ("job.cancel", actor, str(queued)), ("priority.0", actor, str(urgent))]


def test_what_cannot_be_done_any_more_says_so_and_changes_nothing(console: Console) -> None:
    job = console.ledger.add_jobs(1, status="COMPLETED")[0]
    editor = console.person(Role.EDITOR)
    for verb, fields, status in (("retry", {}, 409), ("cancel", {}, 409), ("priority", {"priority": "high"}, 409), ("priority", {}, 400)):
        answer = editor.press(f"/console/jobs/{job}/{verb}", **fields)
        assert (verb, answer.status_code) == (verb, status)
        assert "<h1>" in answer.text
    assert editor.http.post(f"/console/jobs/{job}/retry", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert editor.http.post(f"/console/jobs/{job}/retry", headers={"sec-fetch-site": "same-origin"}).status_code == 403, "no form of ours"
    assert console.ledger.job(job)["status"] == "COMPLETED"


@contextmanager
def stream(person: Person, path: str) -> Iterator[Iterator[str]]:
    """The events of a stream, each whole."""

    def events(parts: Iterator[str]) -> Iterator[str]:
        text = ""
        for part in parts:
            text += part
            while "\n\n" in text:
                event, _, text = text.partition("\n\n")
                yield event

    with person.http.stream("GET", path) as answer:
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        yield events(answer.iter_text())


def test_a_list_follows_what_happens_until_its_owner_is_signed_out(console: Console) -> None:
    other = console.ledger.add_tenant("other")
    person = console.person(Role.VIEWER, console.ledger.tenant)
    with stream(person, "/console/jobs/stream?status=QUEUED") as events:
        assert "No job fits" in next(events)
        strange, mine = console.ledger.add_jobs(1, tenant=other)[0], console.ledger.add_jobs(1)[0]
        change = next(events)
        assert str(mine) in change
        assert str(strange) not in change
        console.end_sessions(person)
        assert next(events) == "event: end\ndata: signed out: load the page again"
        assert next(events, "over") == "over"


def test_a_jobs_page_follows_it_to_its_end(console: Console) -> None:
    job = console.ledger.add_jobs(1)[0]
    person = console.person(Role.VIEWER)
    assert f'data-live="/console/jobs/{job}/stream"' in person.see(f"/console/jobs/{job}")
    with stream(person, f"/console/jobs/{job}/stream") as events:
        assert "QUEUED" in next(events)
        console.ledger.owner.execute("update zixly.workflow_jobs set status = 'COMPLETED', completed_at = now() where id = %s", (job,))
        assert "Ended COMPLETED" in next(events)
        assert next(events) == "event: end\ndata: ended"
    assert "data-live=" not in person.see(f"/console/jobs/{job}")
