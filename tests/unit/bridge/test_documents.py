"""The pages that list what there is, compared with what there is; and the API's description of itself."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from webhook_bridge.app import create_app, parts_from
from zixly_core.metrics import METRICS
from zixly_core.settings import Settings
from zixly_core.systems import SYSTEMS

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    url = SecretStr("postgresql://nobody@127.0.0.1:1/none")
    settings = Settings(database_url_intake=url, database_url_api=url, database_url_metrics=url, queue_url=SecretStr("memory://"))
    return create_app(settings, replace(parts_from(settings), queues={})).openapi()


def operations(openapi: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, one) for path, methods in openapi["paths"].items() for method, one in methods.items()]


def test_the_page_of_metrics_lists_each_with_its_labels_and_no_other() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]*) \|", (DOCS / "metrics.md").read_text(), re.MULTILINE)
    listed = {name: (kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    assert listed == {metric.name: (metric.kind.value, metric.labels) for metric in METRICS}


def test_metrics_have_a_meaning_a_unit_and_ordered_buckets() -> None:
    for metric in METRICS:
        assert metric.help.endswith(".")
        assert list(metric.buckets) == sorted(metric.buckets)
        assert metric.kind != "counter" or metric.name.endswith("_total")
        assert bool(metric.buckets) == (metric.kind == "histogram")


def test_the_page_of_the_api_lists_each_route(openapi: dict[str, Any]) -> None:
    page = (DOCS / "api.md").read_text()
    assert [path for path, method, _ in operations(openapi) if f"`{method.upper()} {path}`" not in page] == []


def test_every_path_of_every_system_is_served(openapi: dict[str, Any]) -> None:
    assert {f"/webhook/{path}" for system in SYSTEMS.values() for path in system.paths} <= set(openapi["paths"])


def test_every_route_says_what_it_does_and_what_it_answers(openapi: dict[str, Any]) -> None:
    for path, method, one in operations(openapi):
        assert one.get("description"), f"{method} {path} has no description"
        assert one["operationId"]
        assert all(answer["description"] for answer in one["responses"].values())
        for parameter in one.get("parameters", []):
            if parameter["in"] == "query":
                assert parameter["description"] or parameter["schema"].get("description")


def test_operation_ids_are_unique(openapi: dict[str, Any]) -> None:
    ids = [one["operationId"] for _, _, one in operations(openapi)]
    assert len(ids) == len(set(ids))


def test_what_is_answered_before_a_route_is_asked_is_described_too(openapi: dict[str, Any]) -> None:
    """Generated requests were refused with statuses that no description named."""
    guarded = [(method, one["responses"]) for path, method, one in operations(openapi) if path.startswith("/api/")]
    assert len(guarded) > 80
    for method, answers in guarded:
        assert {"401", "403", "429"} <= set(answers)
        assert method == "get" or {"400", "408", "413"} <= set(answers)


def test_who_needs_nobody_to_be_known_is_refused_to_nobody(openapi: dict[str, Any]) -> None:
    assert set(openapi["paths"]["/health"]["get"]["responses"]) == {"200"}
