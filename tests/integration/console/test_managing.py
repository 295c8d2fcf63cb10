"""The pages on which accounts, clients, people and programs are looked after: who sees what, who may press what, what it comes to."""

from __future__ import annotations

import re
from uuid import UUID

import pytest

from tests.integration.bridge.visiting import Planted, plant
from tests.integration.console.conftest import Console, Person
from zixly_core.access import Role
from zixly_core.ids import new_id

OWN, STRANGE = "word-of-demo", "word-of-other"
HOSTILE = "<script>alert('x')</script>"
LISTS = (
    "/console/connections",
    "/console/connections/{connections}",
    "/console/tenants",
    "/console/tenants/{slug}",
    "/console/reconciliation",
    "/console/reconciliation/drifts?status=",
    "/console/reconciliation/{reconciliations}",
    "/console/holding",
    "/console/notifications",
)
ADMINS = ("/console/audit", "/console/people", "/console/people/{users}", "/console/tokens")
STAFF_ONLY = ("/console/reports", "/console/tenants/{slug}/erasure", "/console/tenants/{slug}/exports/{tenant_exports}")
# What somebody who may only look is refused, by its path and fields.
DEEDS = (
    ("/console/connections/connect", {"system": "xero"}),
    ("/console/connections/{connections}/reconnect", {}),
    ("/console/connections/{connections}/check", {}),
    ("/console/connections/{connections}/settings", {"settings": "{}"}),
    ("/console/tenants", {"slug": "new", "name": "New"}),
    ("/console/tenants/{slug}", {"name": "Changed"}),
    ("/console/tenants/{slug}/erasure", {"confirm": "demo"}),
    ("/console/tenants/{slug}/exports", {}),
    ("/console/reconciliation", {"tenant": "demo"}),
    ("/console/reconciliation/drifts/{drifts}/accept", {}),
    ("/console/reconciliation/drifts/{drifts}/repair", {}),
    ("/console/reconciliation/{reconciliations}/repair", {}),
    ("/console/holding/pause", {"what": "tenant", "name": "demo"}),
    ("/console/holding/resume", {"what": "tenant", "name": "demo"}),
    ("/console/holding/priority", {"tenant": "demo", "priority": "low"}),
    ("/console/people", {"email": "a@example.com", "name": "A", "role": "VIEWER"}),
    ("/console/people/{users}/remove", {}),
    ("/console/tokens", {"name": "t", "role": "VIEWER", "scope": "read"}),
    ("/console/tokens/{machine_tokens}/revoke", {}),
    ("/console/notifications/{notification_channels}/remove", {}),
)


def path_of(template: str, planted: Planted) -> str:
    return template.format(slug=planted.slug, **planted.ids)


def actions(console: Console) -> list[str]:
    return [row["action"] for row in console.ledger.owner.execute("select action from zixly.audit_log order by at, id")]


@pytest.fixture
def planted(console: Console) -> Planted:
    """Something in every table of two clients; the client that is looked at is `demo`."""
    plant(console.ledger, console.ledger.add_tenant("other"), slug="other", word=STRANGE)
    return plant(console.ledger, console.ledger.tenant, slug="demo", word=OWN)


def test_somebody_of_a_client_sees_its_own_and_nothing_of_others(console: Console, planted: Planted) -> None:
    viewer = console.person(Role.VIEWER, console.ledger.tenant)
    admin = console.person(Role.ADMIN, console.ledger.tenant)
    for template in LISTS:
        for person in (viewer, admin):
            seen = person.see(path_of(template, planted))
            assert STRANGE not in seen, template
            assert "other" not in re.findall(r">\s*other\s*<", seen), template
    for template in ADMINS:
        assert viewer.http.get(path_of(template, planted)).status_code == 403
        assert STRANGE not in admin.see(path_of(template, planted))
    for template in STAFF_ONLY:
        assert admin.http.get(path_of(template, planted)).status_code == 403, template


def test_staff_see_all_clients(console: Console, planted: Planted) -> None:
    staff = console.person(Role.ADMIN)
    for template in (*LISTS, *ADMINS, *STAFF_ONLY):
        assert "<h1>" in staff.see(path_of(template, planted))
    assert re.search(r"demo[\s\S]*other", staff.see("/console/tenants"))


def test_whoever_may_only_look_sees_no_buttons_and_is_refused_when_he_presses_them(console: Console, planted: Planted) -> None:
    viewer = console.person(Role.VIEWER)
    for template in LISTS:
        assert re.findall(r'<form[^>]*method="post"[^>]*action="(/console[^"]*)"', viewer.see(path_of(template, planted))) == [], template
    before = actions(console)
    for template, fields in DEEDS:
        answer = viewer.press(path_of(template, planted), **fields)
        assert answer.status_code == 403, template
        assert "Not yours to see or do" in answer.text
    assert actions(console) == before


def test_a_form_of_another_page_changes_nothing(console: Console) -> None:
    admin = console.person(Role.ADMIN)
    answer = admin.http.post(
        "/console/holding/pause", data={"what": "tenant", "name": "demo", "form_token": "0" * 64}, headers={"sec-fetch-site": "same-origin"}
    )
    assert answer.status_code == 403
    assert actions(console) == []


def test_what_people_and_vendors_named_is_shown_as_text(console: Console, planted: Planted) -> None:
    owner = console.ledger.owner
    owner.execute("update zixly.connections set name = %s, settings = jsonb_build_object('notify', %s::text)", (HOSTILE, HOSTILE))
    owner.execute("update zixly.tenants set name = %s where slug = 'demo'", (HOSTILE,))
    owner.execute("update zixly.users set name = %s where id = %s", (HOSTILE, planted.ids["users"]))
    owner.execute("update zixly.pauses set reason = %s", (HOSTILE,))
    owner.execute("update zixly.machine_tokens set name = %s", (HOSTILE,))
    owner.execute("update zixly.notification_channels set name = %s", (HOSTILE,))
    staff = console.person(Role.ADMIN)
    escaped = 0
    for template in (*LISTS, *ADMINS, *STAFF_ONLY[:2]):
        seen = staff.see(path_of(template, planted))
        assert "<script>alert" not in seen, template
        escaped += "&lt;script&gt;alert" in seen
    assert escaped >= 8


def test_a_viewer_without_payloads_sees_that_values_of_drifts_are_hidden(console: Console, planted: Planted) -> None:
    path = "/console/reconciliation/drifts?status="
    assert OWN in console.person(Role.EDITOR, console.ledger.tenant).see(path)
    seen = console.person(Role.VIEWER, console.ledger.tenant).see(path)
    assert f"{OWN} →" not in seen
    assert "hidden" in seen


def test_a_client_is_added_changed_paused_and_resumed(console: Console) -> None:
    staff = console.person(Role.ADMIN)
    made = staff.press("/console/tenants", name="New Client", slug="new-client", time_zone="Australia/Perth")
    assert (made.status_code, made.headers["location"]) == (303, "/console/tenants/new-client")
    staff.press("/console/tenants/new-client", name="Newer Client")
    staff.press("/console/holding/pause", what="tenant", name="new-client", reason="moves house", back="/console/tenants/new-client")
    seen = staff.see("/console/tenants/new-client")
    assert "Newer Client" in seen
    assert "Australia/Perth" in seen
    assert "moves house" in seen
    staff.press("/console/holding/resume", what="tenant", name="new-client")
    assert "moves house" not in staff.see("/console/holding")
    assert actions(console) == ["tenant.add", "tenant.set", "tenant.pause", "tenant.resume"]


def test_bad_input_says_what_is_wrong_and_changes_nothing(console: Console) -> None:
    staff = console.person(Role.ADMIN)
    for path, fields, status, words in (
        ("/console/tenants", {"name": "X", "slug": "Not A Slug"}, 422, "slug"),
        ("/console/tenants", {"name": "X", "slug": "x", "time_zone": "Mars/Base"}, 400, "no time zone"),
        ("/console/tenants", {"name": "X", "slug": "demo"}, 400, "There is a client demo already"),
        ("/console/holding/pause", {"what": "tenant", "name": "nobody"}, 404, "There is no tenant nobody"),
        ("/console/holding/pause", {"what": "tenant", "name": "demo", "until": "soon"}, 422, "until"),
        ("/console/holding/priority", {"priority": "low"}, 422, "name a workflow"),
        ("/console/people", {"email": "nobody", "name": "X", "role": "VIEWER"}, 422, "email"),
        ("/console/tokens", {"name": "t", "role": "VIEWER"}, 422, "scopes"),
        ("/console/connections/connect", {"system": "fax"}, 404, "fax"),
    ):
        answer = staff.press(path, **fields)
        assert answer.status_code == status, (path, answer.text)
        assert words in answer.text
    assert actions(console) == []


def test_a_page_sends_nobody_elsewhere_after_a_form(console: Console) -> None:
    staff = console.person(Role.ADMIN)
    for back in ("https://evil.example", "//evil.example", "/console/../evil", "/console/\\evil"):
        answer = staff.press("/console/holding/pause", what="tenant", name="demo", back=back)
        assert answer.headers["location"] == "/console/holding"


def test_erasing_takes_the_short_name_again(console: Console) -> None:
    staff = console.person(Role.ADMIN)
    assert "Type demo to confirm" in staff.see("/console/tenants/demo/erasure")
    assert staff.press("/console/tenants/demo/erasure", confirm="dem").status_code == 400
    assert actions(console) == []
    assert staff.press("/console/tenants/demo/erasure", confirm="demo").status_code == 303
    assert actions(console) == ["tenant.erase"]
    assert "being erased" in staff.see("/console/tenants/demo")


def test_an_export_is_asked_for_and_its_page_tells_how_far_it_is(console: Console) -> None:
    staff = console.person(Role.ADMIN)
    asked = staff.press("/console/tenants/demo/exports")
    assert "A worker puts it together" in staff.see(asked.headers["location"])


def test_settings_of_a_connection_are_checked_before_they_are_saved(console: Console) -> None:
    admin = console.person(Role.ADMIN, console.ledger.tenant)
    path = f"/console/connections/{console.ledger.tenant.xero}"
    for text, words in (('{"mispelled": 1}', "mispelled"), ("{", "no JSON"), ("[]", "JSON object")):
        answer = admin.press(f"{path}/settings", settings=text)
        assert answer.status_code == 400
        assert words in answer.text
        assert "Nothing was saved" in answer.text
    assert actions(console) == []
    assert admin.press(f"{path}/settings", settings='{"document": true}').status_code == 303
    assert "&#34;document&#34;: true" in admin.see(path)
    assert actions(console) == ["connection.settings"]


def test_a_connection_is_checked_and_authorised_again(console: Console) -> None:
    admin = console.person(Role.ADMIN, console.ledger.tenant)
    path = f"/console/connections/{console.ledger.tenant.hubspot}"
    assert admin.press(f"{path}/check").headers["location"] == path
    assert "A worker looks at its webhooks" in admin.see(path)
    asked = admin.press(f"{path}/reconnect")
    assert (asked.status_code, "/connect/hubspot?ticket=" in asked.headers["location"]) == (303, True)
    assert actions(console)[0] == "connection.check"
    stranger = console.person(Role.ADMIN, console.ledger.add_tenant("other"))
    for deed in ("", "/check", "/reconnect"):
        answer = stranger.http.get(path) if not deed else stranger.press(path + deed)
        assert answer.status_code in {400, 404}, deed


def test_a_drift_is_accepted_or_repaired_by_a_job(console: Console, planted: Planted) -> None:
    owner, editor = console.ledger.owner, console.person(Role.EDITOR, console.ledger.tenant)
    owner.execute("update zixly.drifts set status = 'OPEN', job_id = null, ended_at = null")
    path = f"/console/reconciliation/drifts/{planted.ids['drifts']}"
    assert f'action="{path}/accept"' in editor.see("/console/reconciliation/drifts")
    assert editor.press(f"{path}/accept").status_code == 303
    assert editor.press(f"{path}/accept").status_code == 409
    assert actions(console)[-1] == "drift.accept"
    (led_to,) = re.findall(r'<a href="([^"]*)">Show all', editor.see("/console/reconciliation/drifts"))
    assert "ACCEPTED</span>" in editor.see(led_to)


def test_a_priority_is_chosen_and_taken_back(console: Console) -> None:
    editor = console.person(Role.EDITOR, console.ledger.tenant)
    assert editor.press("/console/holding/priority", tenant="demo", priority="high").status_code == 303
    assert "high" in editor.see("/console/holding")
    assert editor.press("/console/holding/priority", workflow="xero-invoice-to-hubspot", priority="low").status_code == 403
    editor.press("/console/holding/priority", tenant="demo")
    assert "Nobody chose one" in editor.see("/console/holding")
    assert actions(console) == ["priority.0", "priority.default"]


def test_a_person_is_invited_changed_and_removed(console: Console) -> None:
    staff = console.person(Role.ADMIN)
    invited = staff.press("/console/people", email="Bo@Example.com", name="Bo", tenant="demo", role="VIEWER")
    page = invited.headers["location"]
    assert "bo@example.com" in staff.see(page)
    staff.press(f"{page}/change", at="demo", role="EDITOR")
    staff.press(f"{page}/give", tenant="", role="VIEWER", sees_payloads="yes")
    seen = staff.see(page)
    assert "demo: EDITOR" in seen
    assert "The agency, for all tenants: VIEWER" in seen
    staff.press(f"{page}/take", at="demo")
    staff.press(f"{page}/remove")
    assert staff.http.get(page).status_code == 404
    given, changed, taken = "membership.give", "membership.change", "membership.take"
    assert actions(console) == [given, changed, given, taken, taken, "person.forget"]


def test_the_last_administrator_stays(console: Console) -> None:
    staff = console.person(Role.ADMIN)
    answer = staff.press(f"/console/people/{staff.id}/remove")
    assert (answer.status_code, "last administrator" in answer.text) == (409, True)


def test_a_token_is_shown_once_works_and_is_revoked(console: Console) -> None:
    admin = console.person(Role.ADMIN, console.ledger.tenant)
    made = admin.press("/console/tokens", name="order desk", tenant="demo", role="VIEWER", scope="jobs:read", days="7")
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    token = re.search(r'<pre id="token">([^<]+)</pre>', made.text)
    assert token is not None
    secret = token.group(1)
    assert works(console, secret)
    listed = admin.see("/console/tokens")
    assert "order desk" in listed
    assert secret not in listed
    admin.press(revoke_of(listed))
    assert not works(console, secret)
    assert "revoked" in admin.see("/console/tokens")
    assert actions(console) == ["token.make", "token.revoke"]


def works(console: Console, token: str) -> bool:
    return console.bridge.http.get("/api/jobs", headers={"authorization": f"Bearer {token}"}).status_code == 200


def revoke_of(page: str) -> str:
    found = re.search(r'action="(/console/tokens/[^"]+/revoke)"', page)
    assert found is not None
    return found.group(1)


def test_nobody_makes_a_token_that_can_do_more_than_he(console: Console) -> None:
    admin = console.person(Role.ADMIN, console.ledger.tenant)
    answer = admin.press("/console/tokens", name="t", role="ADMIN", scope="all")
    assert (answer.status_code, "Name the tenant" in answer.text) == (403, True)


def test_a_channel_is_set_up_tested_held_and_removed(console: Console) -> None:
    admin = console.person(Role.ADMIN, console.ledger.tenant)
    fields = {"kind": "email", "name": "Duty", "target": "duty@example.com", "tenant": "demo", "wants_opened": "yes"}
    assert admin.press("/console/notifications", **fields).status_code == 303
    page = admin.see("/console/notifications")
    found = re.search(r'action="(/console/notifications/[^"]+)/test"', page)
    assert found is not None
    channel = found.group(1)
    admin.press(f"{channel}/test")
    admin.press(f"{channel}/hold", paused="yes")
    assert "paused" in admin.see("/console/notifications")
    admin.press(f"{channel}/hold", paused="no")
    admin.press(f"{channel}/remove")
    assert "duty@example.com" not in admin.see("/console/notifications")
    assert [one.removeprefix("notification_channel.") for one in actions(console)] == ["add", "test", "change", "change", "remove"]


def test_the_audit_log_is_filtered_by_who_what_and_when_and_handed_out(console: Console) -> None:
    staff = console.person(Role.ADMIN)
    staff.press("/console/holding/pause", what="tenant", name="demo")
    staff.press("/console/holding/resume", what="tenant", name="demo")
    assert shown_actions(staff, "") == ["tenant.resume", "tenant.pause"]
    assert shown_actions(staff, "?action=tenant.pause") == ["tenant.pause"]
    assert shown_actions(staff, f"?actor=user:{staff.id}&until=2020-01-01") == []
    assert staff.http.get("/console/audit?since=yesterday").status_code == 422
    found = re.search(r'href="(/api/audit/export[^"]+format=csv)"', staff.see("/console/audit?action=tenant.pause"))
    assert found is not None
    exported = staff.http.get(found.group(1).replace("&amp;", "&"))
    assert exported.status_code == 200
    assert [line.split(",")[4] for line in exported.text.splitlines()[1:]] == ["tenant.pause"]


def shown_actions(person: Person, query: str) -> list[str]:
    return re.findall(r'<a href="/console/audit\?action=[^"]*">([^<]+)</a>', person.see(f"/console/audit{query}"))


def test_pages_say_plainly_when_there_is_nothing(console: Console) -> None:
    empty = console.ledger.add_tenant("empty")
    console.ledger.owner.execute("delete from zixly.connections where tenant_id = %s", (empty.id,))
    person = console.person(Role.ADMIN, empty)
    for path, words in (
        ("/console/connections", "Nothing is connected yet"),
        ("/console/reconciliation", "Nothing was compared yet"),
        ("/console/reconciliation/drifts", "what was compared agrees"),
        ("/console/holding", "Nothing is paused"),
        ("/console/notifications", "Nobody is told of anything"),
        ("/console/tokens", "No program has a token"),
        ("/console/audit", "No line fits"),
    ):
        assert words in person.see(path), path


def test_what_is_not_there_is_a_page_that_says_so(console: Console) -> None:
    staff = console.person(Role.ADMIN)
    unknown: UUID = new_id()
    for path in (f"connections/{unknown}", "tenants/nobody", f"reconciliation/{unknown}", f"people/{unknown}"):
        answer = staff.http.get(f"/console/{path}")
        assert (answer.status_code, "There is no" in answer.text) == (404, True), path
