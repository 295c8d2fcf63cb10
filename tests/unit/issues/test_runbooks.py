"""Every reason leads to a section of the runbook, and every section is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from zixly_cli.settings import StackSettings
from zixly_core.http_errors import RULES, UNEXPECTED, VENDOR_DOWN
from zixly_core.metrics import METRICS
from zixly_core.runbooks import ANY_OTHER, REASONS, SECTIONS, anchor, runbook_of, section_of
from zixly_core.settings import Settings
from zixly_core.systems.xero.element_results import SENTENCES

pytestmark = pytest.mark.unit
PAGE = Path(__file__).parents[3] / "docs" / "operations.md"


def test_every_section_that_a_reason_leads_to_is_in_the_runbook() -> None:
    headings = re.findall(r"^#{2,4} (.+)$", PAGE.read_text(), re.MULTILINE)
    assert [one for one in (*REASONS, ANY_OTHER) if headings.count(one) != 1] == []


def test_no_reason_leads_to_two_sections() -> None:
    assert len(SECTIONS) == sum(map(len, REASONS.values()))


def test_whatever_a_vendor_answers_has_a_section_of_its_own() -> None:
    reasons = {rule.reason for rule in (*RULES.values(), VENDOR_DOWN, UNEXPECTED)} | {reason for _, reason, _ in SENTENCES}
    assert sorted(reasons - set(SECTIONS)) == []


def test_the_link_leads_to_the_heading() -> None:
    assert runbook_of("vendor_unavailable") == "docs/operations.md#a-vendor-fails-or-answers-strangely"
    assert runbook_of("no_such_reason", page="https://wiki.example/ops") == "https://wiki.example/ops#issues"
    assert section_of("vanished") == "Jobs that end their worker"


def test_every_setting_that_the_runbook_names_exists() -> None:
    known = {f"ZIXLY_{name.upper()}" for name in (*Settings.model_fields, *StackSettings.model_fields)}
    assert sorted(set(re.findall(r"ZIXLY_[A-Z_]+", PAGE.read_text())) - known) == []


def test_links_within_the_runbook_lead_somewhere() -> None:
    page = PAGE.read_text()
    headings = {anchor(heading) for heading in re.findall(r"^#{2,4} (.+)$", page, re.MULTILINE)}
    assert sorted(set(re.findall(r"\]\(#([^)]+)\)", page)) - headings) == []


def test_every_metric_that_the_runbook_names_exists() -> None:
    """Those named with labels or within an alert's condition."""
    named = re.findall(r"`([a-z_]+)(?:\{[^}`]*\}|_seconds| >)", PAGE.read_text())
    known = {metric.name.removesuffix("_seconds") for metric in METRICS}
    assert sorted({name.removesuffix("_seconds") for name in named} - known) == []


def test_every_machine_word_of_the_runbook_is_one_that_the_code_knows() -> None:
    """Reasons, sensors, jobs, columns: whatever was renamed is still looked for at night."""
    packages = ("zixly_core", "webhook_bridge", "zixly_dagster", "zixly_cli", "zixly_sandbox")
    code = "\n".join(file.read_text() for package in packages for file in (PAGE.parents[1] / package).rglob("*.py"))
    words = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", PAGE.read_text()))
    examples = {"backfill_xero_invoice_to_hubspot"}  # named after its workflow when it is made
    assert len(words) > 80
    assert sorted(word for word in words - examples if not re.search(rf"\b{word}\b", code)) == []
