"""What holds for every page of the console."""

from __future__ import annotations

import re

from tests.integration.console.conftest import HTML, Console
from zixly_core.access import Role


def test_a_browser_without_a_session_is_led_to_the_sign_in_and_comes_back(console: Console) -> None:
    answer = console.bridge.http.get("/console/jobs?status=FAILED", headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (303, "/auth/sign-in?next=%2Fconsole%2Fjobs%3Fstatus%3DFAILED")


def test_a_program_without_a_token_gets_the_problem_as_from_the_api(console: Console) -> None:
    answer = console.bridge.http.get("/console/jobs")
    assert (answer.status_code, answer.json()["reason"]) == (401, "not_signed_in")


def test_the_way_to_the_bridge_leads_to_the_console(console: Console) -> None:
    answer = console.bridge.http.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")


def test_a_page_says_who_looks_at_it_and_as_what(console: Console) -> None:
    seen = console.person(Role.EDITOR, console.ledger.tenant, name="Ann <i>Example</i>").see("/console/jobs")
    assert "Ann &lt;i&gt;Example&lt;/i&gt;" in seen
    assert "EDITOR of demo" in seen
    assert "Sign out" in seen


def test_nothing_runs_but_our_own_files_and_browsers_keep_those(console: Console) -> None:
    person = console.person(Role.VIEWER)
    answer = person.http.get("/console/jobs")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert re.search(r"<script(?! src=)|<style|\son\w+=|style=", answer.text) is None
    files = re.findall(r'(?:src|href)="(/console/assets/[^"]+)"', answer.text)
    assert len(files) >= 3
    for file in files:
        served = console.bridge.http.get(file)
        assert (served.status_code, served.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    assert console.bridge.http.get("/console/assets/console.css").status_code == 404


def test_errors_are_pages_that_say_what_to_do_next(console: Console) -> None:
    person = console.person(Role.VIEWER)
    for path, status, words in (
        ("/console/nothing", 404, "There is no such thing here"),
        ("/console/jobs?status=x", 422, "A value does not fit"),
        ("/console/jobs?cursor=x", 400, "cursor is not one of ours"),
        ("/console/jobs?record=%00", 422, "A value does not fit"),
    ):
        answer = person.http.get(path)
        assert answer.status_code == status, path
        assert words in answer.text
        assert answer.text.count("<h1>") == 1


def test_whoever_is_a_member_of_nothing_is_told_whom_to_ask(console: Console) -> None:
    person = console.person(Role.VIEWER, console.ledger.tenant)
    console.ledger.owner.execute("delete from zixly.memberships where user_id = %s", (person.id,))
    answer = person.http.get("/console/jobs")
    assert answer.status_code == 403
    assert "ask an administrator" in answer.text


def test_somebody_of_several_tenants_chooses_one_and_goes_on_there(console: Console) -> None:
    other = console.ledger.add_tenant("other")
    person = console.person(Role.VIEWER, console.ledger.tenant, other)
    assert "VIEWER of demo" in person.see("/console/jobs")
    assert "VIEWER of other" in person.see("/console/jobs?tenant=other")
    assert "VIEWER of other" in person.see("/console/jobs")
    assert person.http.get("/console/jobs?tenant=third").status_code == 403
