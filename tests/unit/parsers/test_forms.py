"""What a browser sends to the console and to Dagster's UI, and what a person fills into the form of a run there."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

import pytest
from dagster import Failure
from fastapi.exceptions import RequestValidationError
from hypothesis import example, given
from hypothesis import strategies as st

from webhook_bridge.connect_pages import uuid_in
from webhook_bridge.console.filled import back_to
from webhook_bridge.console.holding_page import end_in
from webhook_bridge.console.job_page import priority_in
from webhook_bridge.console.people_page import place_in
from webhook_bridge.console.replays_pages import QUESTIONS, asked_in
from webhook_bridge.console.settings_form import settings_in
from webhook_bridge.cursors import cursor_of, page_from
from zixly_cli.connect import parsed
from zixly_core.errors import MalformedPayload, Rejected, SettingsError
from zixly_dagster.instance.ui_writes import UNREADABLE, documents_in, mutations_in
from zixly_dagster.jobs.replay import id_in, moment_in

pytestmark = pytest.mark.unit
texts = st.text(max_size=40)
FIELDS = [*QUESTIONS, "job_id", "priority", "at", "reason", "payload", "until", "back"]
forms = st.dictionaries(st.sampled_from(FIELDS) | texts, texts, max_size=5)


@given(form=forms)
def test_any_form_is_taken_or_refused(form: dict[str, str]) -> None:
    for read in (priority_in, place_in, asked_in):
        with suppress(Rejected, RequestValidationError):
            read(form)


@given(text=texts | st.datetimes().map(str) | st.uuids().map(str))
def test_any_field_is_taken_or_refused(text: str) -> None:
    for read in (end_in, uuid_in, settings_in):
        with suppress(Rejected, RequestValidationError):
            read(text)
    for told in (id_in, moment_in):
        with suppress(Failure):
            told("from", text)
    with suppress(SettingsError):
        parsed(text)


@given(back=texts.map("/console/{}".format) | texts)
@example(back="/console/../../evil")
@example(back="//evil.example/console/")
def test_a_form_leads_back_to_a_page_of_the_console(back: str) -> None:
    place = back_to({"back": back}, default="/console")
    assert place.startswith("/console")
    assert ".." not in place


@given(at=st.datetimes(timezones=st.timezones(), allow_imaginary=False), one=st.uuids())
def test_a_cursor_is_read_as_it_was_made(at: datetime, one: UUID) -> None:
    after = page_from(limit=1, cursor=cursor_of(at, one)).after
    assert after is not None
    # Instants: of an hour that comes twice Python finds no two zones equal.
    assert (after[0].astimezone(UTC), after[1]) == (at.astimezone(UTC), one)


@given(text=st.text() | st.text("QUJDRA==|-_", max_size=90))
def test_any_cursor_is_read_or_refused(text: str) -> None:
    with suppress(MalformedPayload):
        page_from(limit=1, cursor=text)


kinds = st.sampled_from(["mutation", "mutation M", "query"])
selections = st.recursive(st.just("{id}"), lambda inner: inner.map("{{a {}}}".format), max_leaves=3)


@given(name=st.sampled_from(["launchRun", "terminateRun", "x"]), inner=selections, kind=kinds)
def test_a_change_is_found_however_it_is_asked_for(name: str, inner: str, kind: str) -> None:
    """In a query string, a body of JSON, a list of them, or the body itself."""
    document = f"{kind} {{ {name} {inner} }}"
    wanted = [] if kind == "query" else [name]
    for body in (json.dumps({"query": document}).encode(), json.dumps([{"query": document}]).encode(), document.encode()):
        assert [found for text in documents_in(b"", body) for found in mutations_in(text)] == wanted


@given(query=st.binary(max_size=40), body=st.binary(max_size=80) | st.text('{}[]"mutation a:query,', max_size=60).map(str.encode))
@example(query=b"", body=b"[" * 100_000)
@example(query=b"", body=b"mutation" + b"{a" * 9_000)
@example(query=b"", body=b'{"query": 1}')
def test_any_request_to_the_ui_asks_for_changes_or_none(query: bytes, body: bytes) -> None:
    found = [name for text in documents_in(query, body) for name in mutations_in(text)]
    assert all(isinstance(name, str) for name in found)


def test_a_document_that_is_too_deep_to_be_read_counts_as_a_change() -> None:
    """Nobody who may only look gets it past us, and nobody makes us fail with it."""
    assert mutations_in("mutation " + "{a" * 9_000 + "}" * 9_000) == [UNREADABLE]
