"""What was found: a table for people, one JSON line, and `results/latest.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson
from rich.table import Table

from benchmarks.figures import ratio
from benchmarks.goals import Goal

RESULTS = Path(__file__).resolve().parent / "results" / "latest.json"
Figures = Mapping[str, float | None]

# Every figure that the results name. What no question of this version measures is null there, as is what failed.
KEYS = tuple(
    """
    ingest_per_s express_ingest_per_s express_pg_ingest_per_s ingest_ratio_to_express ingest_ratio_to_express_pg
    ingest_cpu_ms express_ingest_cpu_ms express_pg_ingest_cpu_ms ingest_p50_ms_at_5x ingest_p99_ms_at_5x
    flood_seconds flood_per_s flood_memory_max_mb flood_memory_mb_per_minute
    jobs_per_minute_burst express_jobs_per_minute express_pg_jobs_per_minute express_prisma_jobs_per_minute jobs_ratio_to_express
    burst_cpu_ms memory_growth_mb runs_per_minute stock_runs_per_minute runs_ratio_to_stock
    first_op_p50_s first_op_p95_s completed_p50_s completed_p95_s
    run_cpu_ms run_daemon_cpu_ms run_commits run_log_kb
    first_op_10_p50_s first_op_10_p95_s completed_10_p50_s completed_10_p95_s
    stock_first_op_p50_s stock_first_op_p95_s stock_completed_p50_s stock_completed_p95_s
    single_completed_p50_s stock_single_completed_p50_s single_first_op_p50_s stock_single_first_op_p50_s
    worker_utilisation growth_ratio idle_memory_mb idle_processes idle_memory_after_mb
    scale_out_jobs_per_minute scale_out_2 scale_out_3
    fairness_p99_alone_s fairness_p99_beside_s fairness_ratio
    growth_ingest_ratio growth_jobs_ratio growth_runs_ratio growth_first_op_ratio growth_due_ratio
    budget_backfill_minutes budget_refused_calls budget_xero_utilisation budget_live_p95_s budget_live_longest_s
    """.split()
)


@dataclass(frozen=True)
class Line:
    """One line of the table: a figure, the same of what stands beside it (`beside`), and the goal."""

    what: str
    key: str
    unit: str
    beside: str | None = None
    goal: Goal | None = None


LINES = (
    Line("deliveries a second, each committed first", "ingest_per_s", "", beside="express_ingest_per_s"),
    Line("  as a multiple of Express with Prisma", "ingest_ratio_to_express", "x", goal=Goal.least(4)),
    Line("  as a multiple of Express, bare driver", "ingest_ratio_to_express_pg", "x", goal=Goal.least(2)),
    Line("  server CPU for each", "ingest_cpu_ms", "ms", beside="express_ingest_cpu_ms"),
    Line("  99 of 100, at five times the steady load", "ingest_p99_ms_at_5x", "ms", goal=Goal.most(250)),
    Line("flood: deliveries a second", "flood_per_s", ""),
    Line("  memory of the bridge, highest", "flood_memory_max_mb", "MB"),
    Line("  growth of it in a minute", "flood_memory_mb_per_minute", "MB"),
    Line("jobs a minute in a burst of 10,000", "jobs_per_minute_burst", "", beside="express_jobs_per_minute", goal=Goal.least(15_000)),
    Line("  as a multiple of the faster Express", "jobs_ratio_to_express", "x", goal=Goal.least(1.5)),
    Line("  slots of the workers that were busy", "worker_utilisation", "", goal=Goal.least(0.8)),
    Line("  CPU of the platform for each job", "burst_cpu_ms", "ms"),
    Line("  memory of the platform after 10,000 more", "memory_growth_mb", "MB"),
    Line("runs a minute, one job each", "runs_per_minute", "", beside="stock_runs_per_minute"),
    Line("  as a multiple of the stock launcher", "runs_ratio_to_stock", "x", goal=Goal.least(15)),
    Line("  CPU of a run, in all processes", "run_cpu_ms", "ms"),
    Line("  of it the daemon and the code server", "run_daemon_cpu_ms", "ms"),
    Line("sent to first op, 1 a second, median", "first_op_p50_s", "s", beside="stock_first_op_p50_s", goal=Goal.most(0.2)),
    Line("sent to first op, 1 a second, 95 of 100", "first_op_p95_s", "s", beside="stock_first_op_p95_s", goal=Goal.most(1)),
    Line("sent to completed, 1 a second, median", "completed_p50_s", "s", beside="stock_completed_p50_s"),
    Line("sent to completed, 1 a second, 95 of 100", "completed_p95_s", "s", beside="stock_completed_p95_s"),
    Line("sent to first op, 10 a second, median", "first_op_10_p50_s", "s", goal=Goal.most(0.2)),
    Line("sent to first op, 10 a second, 95 of 100", "first_op_10_p95_s", "s", goal=Goal.most(1)),
    Line("sent to completed, 10 a second, median", "completed_10_p50_s", "s"),
    Line("sent to completed, 10 a second, 95 of 100", "completed_10_p95_s", "s"),
    Line("sent to first op, one at a time, median", "single_first_op_p50_s", "s", beside="stock_single_first_op_p50_s"),
    Line("sent to completed, one at a time, median", "single_completed_p50_s", "s", beside="stock_single_completed_p50_s"),
    Line("another tenant's p99, 5 a second", "fairness_p99_beside_s", "s"),
    Line("  beside 10,000 waiting jobs, relative", "fairness_ratio", "x", goal=Goal.most(2)),
    Line("with 1,000,000 jobs, the worst of these", "growth_ratio", "x", goal=Goal.most(1.2)),
    Line("  deliveries a second, slower by", "growth_ingest_ratio", "x"),
    Line("  jobs a minute, slower by", "growth_jobs_ratio", "x"),
    Line("  runs a minute, slower by", "growth_runs_ratio", "x"),
    Line("  sent to first op, 95 of 100, longer by", "growth_first_op_ratio", "x"),
    Line("  looking for due jobs, longer by", "growth_due_ratio", "x"),
    Line("memory of the idle stack", "idle_memory_mb", "MB", goal=Goal.most(1200)),
    Line("  the same after all jobs", "idle_memory_after_mb", "MB"),
    Line("processes of the idle stack", "idle_processes", ""),
    Line("backfill of 10,000 invoices at 60 calls/min", "budget_backfill_minutes", "min"),
    Line("  calls refused with 429", "budget_refused_calls", "", goal=Goal.most(1)),
    Line("  of Xero's minutes used", "budget_xero_utilisation", "", goal=Goal.least(0.8)),
    Line("  live events beside it, 95 of 100", "budget_live_p95_s", "s", goal=Goal.most(10)),
    Line("  live events beside it, longest", "budget_live_longest_s", "s"),
    Line("jobs a minute, slow vendors, 1 worker host", "scale_out_jobs_per_minute", ""),
    Line("  with 2 hosts, as a multiple", "scale_out_2", "x", goal=Goal.least(1.8)),
    Line("  with 3 hosts, as a multiple", "scale_out_3", "x", goal=Goal.least(2.6)),
)
# Ratio -> what is divided by what.
RATIOS = {
    "ingest_ratio_to_express": ("ingest_per_s", "express_ingest_per_s"),
    "ingest_ratio_to_express_pg": ("ingest_per_s", "express_pg_ingest_per_s"),
    "jobs_ratio_to_express": ("jobs_per_minute_burst", "express_jobs_per_minute"),
    "runs_ratio_to_stock": ("runs_per_minute", "stock_runs_per_minute"),
}


def all_figures(measured: Figures) -> dict[str, float | None]:
    """Every key, with the ratios that follow; null for what was not measured. Raises `KeyError` for a figure that has no key."""
    for name in measured:
        if name not in KEYS:
            raise KeyError(f"The figure {name} is not in KEYS, so nobody would see it")
    figures: dict[str, float | None] = {key: rounded(measured.get(key)) for key in KEYS}
    figures |= {name: rounded(ratio(measured.get(ours), measured.get(theirs))) for name, (ours, theirs) in RATIOS.items()}
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
    for column in ("Zixly", "beside it", "goal", ""):
        table.add_column(column, justify="right", no_wrap=True)
    for line in LINES:
        beside = "" if line.beside is None else cell(figures[line.beside], unit=line.unit)
        table.add_row(line.what, cell(figures[line.key], unit=line.unit), beside, *goal_cells(line, figures[line.key]))
    return table


def goal_cells(line: Line, value: float | None) -> tuple[str, str]:
    """The goal, and whether it was met, or missed by how much."""
    if line.goal is None:
        return "", ""
    return f"{line.goal.word} {cell(line.goal.value, unit=line.unit)}", line.goal.verdict(value)


def cell(value: float | None, *, unit: str) -> str:
    if value is None:
        return "–"
    number = f"{value:.2f}" if unit in {"s", "ms"} else f"{value:.1f}" if unit == "x" or value % 1 else f"{value:.0f}"
    return f"{number} {unit}".rstrip()
