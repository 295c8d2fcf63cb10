"""The report of a long haul, as programs, people and the console read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from chaos.growth import Kind
from chaos.haul_report import Haul, document_of, last_line, troubles_of, write_report
from chaos.samples import Sample
from chaos.scale import Scale
from tests.unit.chaos.test_report import outcome_of
from webhook_bridge.console.reports import report_of

SCALE = Scale(seed=1, minutes=10, deliveries=12_000, has_faults=False)


def haul_with(*, leak_mb: float) -> Haul:
    """A worker of 200 MB that grows by so much over the run."""
    samples = []
    for at in range(5, 600, 5):
        worker = {(Kind.MEMORY, "worker-1"): 200 + leak_mb * at / 600, (Kind.FILES, "worker-1"): 40.0}
        stores = {(Kind.CONNECTIONS, "zixly"): 30.0, (Kind.WAITING, "jobs"): 12.0, (Kind.SIZE, "zixly.events"): at / 10}
        samples.append(Sample(float(at), {**worker, **stores}))
    return Haul(SCALE, replace(outcome_of(), faults=[]), samples)


def test_a_run_without_growth_has_no_trouble_and_says_what_it_looked_at() -> None:
    haul = haul_with(leak_mb=0)
    assert troubles_of(haul) == []
    assert last_line(haul) == "unaccounted 0, doubled 0, lost 0; of 4 figures 0 grew too much"


def test_a_leak_is_named_with_what_would_be_allowed() -> None:
    (words,) = troubles_of(haul_with(leak_mb=90))
    assert words.startswith("memory, MB (PSS) of worker-1 grew by ")
    assert words.endswith(" would be allowed")


def test_a_run_that_was_not_looked_at_proves_nothing() -> None:
    assert len(troubles_of(replace(haul_with(leak_mb=0), samples=[]))) == 4


def test_the_report_is_three_files_and_the_console_can_show_it(tmp_path: Path) -> None:
    haul = haul_with(leak_mb=90)
    write_report(haul, folder=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"long-haul.json", "long-haul.svg", "long-haul.html"}
    page = (tmp_path / "long-haul.html").read_text()
    assert "worker-1" in page
    assert "<svg" in page
    assert report_of(tmp_path / "long-haul.json") is not None
    document = document_of(haul, now=datetime(2026, 11, 28, tzinfo=UTC))
    assert (document["samples"], document["minutes"]) == (len(haul.samples), 10)
