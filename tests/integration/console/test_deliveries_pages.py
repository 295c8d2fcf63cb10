"""Deliveries are found, and looked at; their bodies only by whoever may, which is noted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.integration.console.conftest import Console
from tests.integration.console.things import EVIL, add_delivery
from webhook_bridge.console.bodies import BodyForm, shown_body
from zixly_core.access import Role

PATH = "/console/deliveries"


def audited(console: Console) -> list[str]:
    return [row["action"] for row in console.ledger.owner.execute("select action from zixly.audit_log order by at, id").fetchall()]


def test_deliveries_are_found_by_what_came_of_them_record_tenant_time_and_any_id(console: Console) -> None:
    found = add_delivery(console.ledger, records=("inv-1",), age=timedelta(hours=2))
    other = add_delivery(console.ledger, verdict="rejected")
    staff = console.person(Role.VIEWER)
    job = console.ledger.owner.execute("select id from zixly.workflow_jobs").fetchall()[0]["id"]
    for question in (
        "record=inv-1",
        "record=xero:org:INVOICE:inv-1",
        "tenant=demo",
        "verdict=accepted",
        "tenant=demo&record=inv-1&system=xero",
    ):
        seen = staff.see(f"{PATH}?{question}")
        assert (str(found) in seen, str(other) in seen) == (True, False), question
    assert str(found) not in staff.see(f"{PATH}?since=2099-01-01T00:00")
    assert "No delivery fits" in staff.see(f"{PATH}?record=inv-2")
    led = staff.http.get(f"{PATH}?id={job}")
    assert (led.status_code, led.headers["location"]) == (303, f"{PATH}/{found}")
    assert staff.http.get(f"{PATH}?since=yesterday").status_code == 400


def test_one_delivery_tells_its_verdict_in_words_its_headers_and_the_jobs_of_its_events(console: Console) -> None:
    delivery = add_delivery(console.ledger, records=("inv-1", "inv-2"))
    jobs = [row["id"] for row in console.ledger.owner.execute("select id from zixly.workflow_jobs").fetchall()]
    seen = console.person(Role.VIEWER).see(f"{PATH}/{delivery}")
    assert "its events went on their way" in seen
    assert [job for job in jobs if f"/console/jobs/{job}" not in seen] == []
    assert "x-header" in seen
    assert EVIL not in seen
    assert audited(console) == []


def test_a_raw_body_is_shown_escaped_in_three_forms_and_each_look_is_noted(console: Console) -> None:
    delivery = add_delivery(console.ledger, body=b'{"a": "<script>alert(1)</script>"}')
    person = console.person(Role.VIEWER, sees_payloads=True)
    for form, words in (("json", "&#34;a&#34;: &#34;&lt;script&gt;"), ("text", "{&#34;a&#34;: "), ("hex", "000000  7b 22 61 22")):
        seen = person.see(f"{PATH}/{delivery}/body?as={form}")
        assert words in seen, form
        assert EVIL not in seen
    assert audited(console) == ["delivery.read_body"] * 3


def test_whoever_sees_no_payloads_sees_no_body_and_whoever_is_a_clients_no_delivery(console: Console) -> None:
    delivery = add_delivery(console.ledger, body=b"a-secret-word")
    viewer = console.person(Role.VIEWER)
    assert "it takes a role that sees payloads" in viewer.see(f"{PATH}/{delivery}")
    assert viewer.http.get(f"{PATH}/{delivery}/body").status_code == 403
    client = console.person(Role.ADMIN, console.ledger.tenant)
    for path in (PATH, f"{PATH}/{delivery}", f"{PATH}/{delivery}/body"):
        answer = client.http.get(path)
        assert (answer.status_code, "a-secret-word" in answer.text) == (403, False)
    assert PATH not in client.see("/console/jobs"), "what he may not open is not in the navigation"
    assert audited(console) == []


def test_rejected_ones_are_verified_again_by_an_editor_of_the_agency(console: Console) -> None:
    delivery = add_delivery(console.ledger, verdict="rejected")
    assert "Verify again" not in console.person(Role.VIEWER).see(f"{PATH}/{delivery}")
    editor = console.person(Role.EDITOR)
    assert "Verify again" in editor.see(f"{PATH}/{delivery}")
    done = editor.press(f"{PATH}/reverify", system="xero")
    assert (done.status_code, done.headers["location"]) == (303, f"{PATH}?verdict=rejected")
    assert "0 looked at" in editor.see(done.headers["location"])
    assert audited(console) == ["deliveries.reverify"]


@pytest.mark.parametrize(
    ("body", "form", "shown", "came_as"),
    [
        (b'{"a":1}', None, '{\n  "a": 1\n}', BodyForm.JSON),
        (b"not json", BodyForm.JSON, "not json", BodyForm.TEXT),
        (b"a\x00b\xe2\x80\xaec", BodyForm.TEXT, "a\ufffdb\ufffdc", BodyForm.TEXT),
        (b"AB\x00", BodyForm.HEX, f"000000  41 42 00{' ' * 40} AB.", BodyForm.HEX),
        (b"", None, "", BodyForm.TEXT),
    ],
)
def test_a_body_is_shown_in_the_form_that_is_wanted_as_far_as_it_can_be(
    body: bytes, form: BodyForm | None, shown: str, came_as: BodyForm
) -> None:
    found = shown_body(body, form)
    assert (found.text, found.form, found.size) == (shown, came_as, len(body))


def test_of_a_long_body_the_beginning_is_shown(console: Console) -> None:
    assert shown_body(b"x" * 300_000, None).is_cut
    delivery = add_delivery(console.ledger, body=b"x" * 300_000)
    assert "Only the beginning is shown" in console.person(Role.ADMIN).see(f"{PATH}/{delivery}/body")
