"""What was found: a table for people, one JSON line, and `results/latest.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson
from rich.table import Table

from benchmarks.figures import ratio

RESULTS = Path(__file__).resolve().parent / "results" / "latest.json"
Figures = Mapping[str, float | None]

# Every figure that the results name. What no question of this version measures is null there, as is what failed.
KEYS = tuple(
    """
    ingest_per_s express_ingest_per_s ingest_ratio_to_express ingest_ratio_to_express_pg ingest_p99_ms_at_5x
    jobs_per_minute_burst express_jobs_per_minute jobs_ratio_to_express runs_per_minute stock_runs_per_minute runs_ratio_to_stock
    first_op_p50_s first_op_p95_s completed_p50_s completed_p95_s
    stock_first_op_p50_s stock_first_op_p95_s stock_completed_p50_s stock_completed_p95_s
    single_completed_p50_s stock_single_completed_p50_s single_first_op_p50_s stock_single_first_op_p50_s
    worker_utilisation growth_ratio idle_memory_mb idle_processes
    budget_backfill_minutes budget_refused_calls budget_xero_utilisation budget_live_p95_s budget_live_longest_s
    """.split()
)


@dataclass(frozen=True)
class Line:
    """One line of the table: a figure, the baseline's, and the goal (DESIGN.md, section 8)."""

    what: str
    key: str
    unit: str
    stock: str | None = None
    goal: str = ""


LINES = (
    Line("runs a minute, one job each", "runs_per_minute", "", stock="stock_runs_per_minute"),
    Line("  as a multiple of the stock launcher", "runs_ratio_to_stock", "x", goal="15 x"),
    Line("sent to first op, 1 a second, median", "first_op_p50_s", "s", stock="stock_first_op_p50_s", goal="0.2 s"),
    Line("sent to first op, 1 a second, 95 of 100", "first_op_p95_s", "s", stock="stock_first_op_p95_s", goal="1 s"),
    Line("sent to completed, 1 a second, median", "completed_p50_s", "s", stock="stock_completed_p50_s"),
    Line("sent to completed, 1 a second, 95 of 100", "completed_p95_s", "s", stock="stock_completed_p95_s"),
    Line("sent to first op, one at a time, median", "single_first_op_p50_s", "s", stock="stock_single_first_op_p50_s"),
    Line("sent to completed, one at a time, median", "single_completed_p50_s", "s", stock="stock_single_completed_p50_s"),
    Line("memory of the idle stack", "idle_memory_mb", "MB", goal="below 1200 MB"),
    Line("processes of the idle stack", "idle_processes", ""),
    Line("backfill of 10,000 invoices at 60 calls/min", "budget_backfill_minutes", "min"),
    Line("  calls refused with 429", "budget_refused_calls", "", goal="1"),
    Line("  of Xero's minutes used", "budget_xero_utilisation", "", goal="0.8"),
    Line("  live events beside it, 95 of 100", "budget_live_p95_s", "s", goal="10 s"),
    Line("  live events beside it, longest", "budget_live_longest_s", "s"),
)


def all_figures(measured: Figures) -> dict[str, float | None]:
    """Every key, with the ratios that follow; null for what was not measured. Raises `KeyError` for a figure that has no key."""
    for name in measured:
        if name not in KEYS:
            raise KeyError(f"The figure {name} is not in KEYS, so nobody would see it")
    figures: dict[str, float | None] = {key: rounded(measured.get(key)) for key in KEYS}
    figures["runs_ratio_to_stock"] = rounded(ratio(measured.get("runs_per_minute"), measured.get("stock_runs_per_minute")))
    return figures


def rounded(value: float | None) -> float | None:
    """Three decimals: milliseconds for times, more than any rate is worth."""
    return None if value is None else round(value, 3)


def document_of(
    figures: Figures, *, machine: Mapping[str, object], measured_at: str, is_quick: bool, problems: list[str]
) -> dict[str, object]:
    return {"measured_at": measured_at, "quick": is_quick, **figures, "not_measured_because": problems, "machine": dict(machine)}


def write_results(document: Mapping[str, object], path: Path = RESULTS) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def json_line(document: Mapping[str, object]) -> str:
    return orjson.dumps(document).decode()


def table_of(figures: Figures) -> Table:
    """Only the figures that the questions of this version can give; a dash for those that did not come."""
    table = Table(title="Measured", title_justify="left")
    table.add_column("what", no_wrap=True)
    for column in ("Zixly", "stock Dagster", "goal"):
        table.add_column(column, justify="right", no_wrap=True)
    for line in LINES:
        stock = "" if line.stock is None else cell(figures[line.stock], unit=line.unit)
        table.add_row(line.what, cell(figures[line.key], unit=line.unit), stock, line.goal)
    return table


def cell(value: float | None, *, unit: str) -> str:
    if value is None:
        return "–"
    number = f"{value:.2f}" if unit == "s" else f"{value:.1f}" if unit == "x" or value % 1 else f"{value:.0f}"
    return f"{number} {unit}".rstrip()
