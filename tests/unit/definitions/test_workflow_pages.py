"""Every workflow has a page that tells what it does now: its drawing, its triggers, its settings."""

from __future__ import annotations

from base64 import b64decode
from html import escape
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from pydantic import BaseModel

from tests.support.definitions import dagster_without_warnings
from zixly_core.connection_settings import CompletedTasks, InvoiceLines, PaidOrders, Sweeps, WonDeals, XeroSettings

with dagster_without_warnings():
    from docs.make_drawings import drawings
    from zixly_dagster.drawing import NAMES, bands_of
    from zixly_dagster.workflows import WORKFLOWS

pytestmark = pytest.mark.unit
PAGES = Path(__file__).parents[3] / "docs" / "workflows"
SETTINGS: dict[str, tuple[str, type[BaseModel]]] = {
    "xero-invoice-to-hubspot": ("", XeroSettings),
    "hubspot-deal-to-xero": ("won_deals.", WonDeals),
    "shopify-order-to-xero": ("paid_orders.", PaidOrders),
    "asana-task-to-hubspot": ("completed_tasks.", CompletedTasks),
    "trading-sweep": ("sweeps.", Sweeps),
}


def page_of(name: str) -> str:
    return (PAGES / f"{name}.md").read_text()


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_a_workflow_has_a_page_with_its_drawing_and_triggers(name: str) -> None:
    page = page_of(name)
    assert f"]({name}.svg)" in page
    assert [trigger for trigger in WORKFLOWS[name].triggers if f"`{trigger}`" not in page] == []
    assert f"[{name}]({name}.md)" in (PAGES / "README.md").read_text()


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_a_drawing_shows_the_job_as_it_is(name: str) -> None:
    with dagster_without_warnings():
        assert (PAGES / f"{name}.svg").read_text() == drawings()[f"{name}.svg"], "run docs/make_drawings.py"


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_a_page_lists_every_setting(name: str) -> None:
    prefix, model = SETTINGS[name]
    page = page_of(name)
    assert [field for field in model.model_fields if f"`{prefix}{field}`" not in page] == []


def test_settings_of_lines_are_shared_by_what_books_lines() -> None:
    assert set(InvoiceLines.model_fields) < set(WonDeals.model_fields) & set(PaidOrders.model_fields)


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_the_jobs_page_in_dagster_shows_a_drawing_with_every_system_in_its_order(name: str) -> None:
    with dagster_without_warnings():
        job = WORKFLOWS[name].job
    description = job.description or ""
    svg = b64decode(description.partition("base64,")[2].partition(")")[0]).decode()
    ET.fromstring(svg)  # noqa: S314 - of our own making
    bands = bands_of(job)
    assert bands
    places = [svg.index(f">{NAMES[band.kind]}<", svg.index("</title>")) for band in bands if band.kind]
    assert min(places) >= 0
    assert all(escape(line) in svg for band in bands for line in band.lines)
    assert job.metadata["triggers"].value == (", ".join(WORKFLOWS[name].triggers) or "only other workflows and people")
