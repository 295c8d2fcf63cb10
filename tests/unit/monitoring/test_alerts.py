"""The alerts' rules: well formed, tried, and each with words and a way out."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.prometheus import FOLDER, said_by
from tests.support.promql import faults_of
from zixly_core.runbooks import anchor

pytestmark = pytest.mark.unit
RUNBOOK = Path(__file__).parents[3] / "docs" / "operations.md"
# Those of which every bridge has its own, on purpose: which bridge cannot read is what is told.
OF_ONE_BRIDGE = {"ScrapeSourceUnreadable"}


@cache
def rules() -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


@cache
def cases() -> list[tuple[str, bool]]:
    """Which alert was tried, and whether it was expected to fire."""
    tests = [test for file in sorted((FOLDER / "tests").glob("*.yml")) for test in yaml.safe_load(file.read_text())["tests"]]
    return [(one["alertname"], bool(one["exp_alerts"])) for test in tests for one in test["alert_rule_test"]]


def test_prometheus_accepts_its_configuration_and_the_rules() -> None:
    said = said_by("promtool", "check", "config", "prometheus.yml")
    assert "SUCCESS" in said
    assert "WARNING" not in said


def test_every_alert_does_what_its_cases_say() -> None:
    files = sorted((FOLDER / "tests").glob("*.yml"))
    assert said_by("promtool", "test", "rules", *files).count("SUCCESS") == len(files)


def test_a_rule_that_were_different_would_be_noticed(tmp_path: Path) -> None:
    """The cases are worth nothing if they held for any rule."""
    (tmp_path / "tests").mkdir()
    changed = (FOLDER / "alerts.yml").read_text().replace("> 100\n", "> 101\n")
    (tmp_path / "alerts.yml").write_text(changed)
    case = tmp_path / "tests" / "jobs.yml"
    case.write_text((FOLDER / "tests" / "jobs.yml").read_text())
    with pytest.raises(AssertionError, match="QueueBacklog"):
        said_by("promtool", "test", "rules", case)


@pytest.mark.parametrize("fires", [True, False], ids=["fires", "is quiet"])
def test_every_alert_has_a_case_in_which_it(fires: bool) -> None:
    assert sorted({alert for alert, expected in cases() if expected is fires}) == sorted(rules())


def test_every_alert_has_a_severity_a_summary_a_description_and_a_time() -> None:
    for name, rule in rules().items():
        assert rule["labels"] == {"severity": rule["labels"]["severity"]}, name
        assert rule["labels"]["severity"] in {"critical", "warning"}, name
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}, name
        assert "{{" in rule["annotations"]["description"], f"{name}: the description tells no value"
        assert rule["for"], name


def test_every_alert_leads_to_a_section_of_the_runbook_that_is_there() -> None:
    headings = [anchor(heading) for heading in re.findall(r"^#{2,4} (.+)$", RUNBOOK.read_text(), re.MULTILINE)]
    for name, rule in rules().items():
        page, _, section = rule["annotations"]["runbook_url"].partition("#")
        assert (page, headings.count(section)) == ("docs/operations.md", 1), name


def test_the_runbooks_table_names_every_alert_with_its_section() -> None:
    rows = re.findall(r"^\| ([A-Z]\w+(?:, [A-Z]\w+)*) \| [^|]+ \| \[[^]]+\]\(#([^)]+)\) \|$", RUNBOOK.read_text(), re.MULTILINE)
    listed = {name: section for names, section in rows for name in names.split(", ")}
    assert listed == {name: rule["annotations"]["runbook_url"].partition("#")[2] for name, rule in rules().items()}


def test_every_metric_and_label_that_a_rule_asks_for_is_exported_and_none_is_counted_once_for_each_bridge() -> None:
    faults = {name: [one for one in faults_of(rule["expr"]) if name not in OF_ONE_BRIDGE] for name, rule in rules().items()}
    assert {name: found for name, found in faults.items() if found} == {}


def test_the_four_known_alerts_are_as_they_were_agreed() -> None:
    agreed = {"HighErrorRate": ("5m", "critical"), "QueueBacklog": ("10m", "warning"), "WorkerDown": ("2m", "critical")}
    agreed["SlowExecution"] = ("10m", "warning")
    assert {name: (rules()[name]["for"], rules()[name]["labels"]["severity"]) for name in agreed} == agreed


def test_no_alert_asks_for_what_only_newer_versions_know() -> None:
    """Debian's is 2.42: no names in quotes, no functions of later versions."""
    text = (FOLDER / "alerts.yml").read_text()
    assert re.findall(r"limitk|limit_ratio|sort_by_label|double_exponential|\{\s*\"", text) == []
