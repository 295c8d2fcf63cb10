"""Pictures of what was found, one for each question: bars with the goal as a mark. Plain SVG, for light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from benchmarks.report import RESULTS, Figures

WIDTH, LEFT, RIGHT, TOP, STEP, BAR = 760, 300, 150, 54, 34, 18
STYLE = """
svg{font:13px system-ui,sans-serif;color-scheme:light dark;--ink:#222;--soft:#6e7781;--ours:#1f6feb;--beside:#8c959f;--goal:#cf222e}
@media (prefers-color-scheme:dark){svg{--ink:#ddd;--soft:#8b949e;--ours:#58a6ff;--beside:#6e7681;--goal:#ff7b72}}
text{fill:var(--ink)} .soft{fill:var(--soft)} .ours{fill:var(--ours)} .beside{fill:var(--beside)}
.goal{stroke:var(--goal);stroke-width:2;stroke-dasharray:4 3} .goal-text{fill:var(--goal)}
"""


@dataclass(frozen=True)
class Bar:
    """One bar. `goal_of`: the goal of ours is drawn through it, as so many times this figure, or by itself (an empty name)."""

    label: str
    key: str
    is_ours: bool = True
    goal: float | None = None
    goal_of: str = ""


@dataclass(frozen=True)
class Plot:
    """One question's picture."""

    title: str
    unit: str
    bars: tuple[Bar, ...]


# File name -> picture.
PLOTS: Mapping[str, Plot] = {
    "ingest": Plot(
        "Deliveries a second, each committed to disk before its answer",
        "a second",
        (
            Bar("Zixly", "ingest_per_s"),
            Bar("Express, bare driver (goal: 2 x)", "express_pg_ingest_per_s", is_ours=False, goal=2, goal_of="express_pg_ingest_per_s"),
            Bar("Express, Prisma (goal: 4 x)", "express_ingest_per_s", is_ours=False, goal=4, goal_of="express_ingest_per_s"),
        ),
    ),
    "ingest-cpu": Plot(
        "CPU of receiver and servers for each delivery",
        "ms",
        (
            Bar("Zixly", "ingest_cpu_ms"),
            Bar("Express, bare driver", "express_pg_ingest_cpu_ms", is_ours=False),
            Bar("Express, Prisma", "express_ingest_cpu_ms", is_ours=False),
        ),
    ),
    "burst": Plot(
        "Jobs a minute in a burst of 10,000 deliveries",
        "a minute",
        (
            Bar("Zixly", "jobs_per_minute_burst", goal=15_000),
            Bar(
                "Express, bare driver (goal: 1.5 x)",
                "express_pg_jobs_per_minute",
                is_ours=False,
                goal=1.5,
                goal_of="express_pg_jobs_per_minute",
            ),
            Bar("Express, Prisma", "express_prisma_jobs_per_minute", is_ours=False),
        ),
    ),
    "runs": Plot(
        "Runs a minute, one job each",
        "a minute",
        (
            Bar("Zixly", "runs_per_minute"),
            Bar("stock Dagster (goal: 15 x)", "stock_runs_per_minute", is_ours=False, goal=15, goal_of="stock_runs_per_minute"),
        ),
    ),
    "latency": Plot(
        "Seconds from sent to first op",
        "s",
        (
            Bar("1 a second: median", "first_op_p50_s", goal=0.2),
            Bar("1 a second: 95 of 100", "first_op_p95_s", goal=1.0),
            Bar("10 a second: median", "first_op_10_p50_s", goal=0.2),
            Bar("10 a second: 95 of 100", "first_op_10_p95_s", goal=1.0),
        ),
    ),
    "idle": Plot(
        "Memory of the idle stack",
        "MB",
        (Bar("before any load", "idle_memory_mb", goal=1200), Bar("after all jobs", "idle_memory_after_mb")),
    ),
    "scale-out": Plot(
        "Jobs with more worker hosts, vendors that take their time (one host = 1)",
        "x",
        (Bar("2 hosts", "scale_out_2", goal=1.8), Bar("3 hosts", "scale_out_3", goal=2.6)),
    ),
}


def write_plots(figures: Figures, folder: Path = RESULTS.parent) -> None:
    """Each picture that has a bar; one that has none is left as it was."""
    for name, plot in PLOTS.items():
        if any(figures[bar.key] is not None for bar in plot.bars):
            (folder / f"{name}.svg").write_text(picture_of(plot, figures))


def picture_of(plot: Plot, figures: Figures) -> str:
    """As an SVG document."""
    goals = [goal_of(bar, figures) for bar in plot.bars]
    values = [figures[bar.key] for bar in plot.bars]
    most = max([value for value in (*values, *goals) if value is not None], default=1.0) or 1.0
    height = TOP + STEP * len(plot.bars) + 26
    rows: list[str] = []
    for number, (bar, value, goal) in enumerate(zip(plot.bars, values, goals, strict=True)):
        rows += row(bar, top=TOP + number * STEP, value=value, unit=plot.unit, goal=goal, most=most)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(plot.title)}">',
            f"<style>{STYLE}</style>",
            f'<text x="16" y="26" font-size="16" font-weight="600">{escape(plot.title)}</text>',
            *rows,
            "</svg>\n",
        ]
    )


def goal_of(bar: Bar, figures: Figures) -> float | None:
    """Where ours should be; None without a goal, or without what it is a multiple of."""
    if bar.goal is None or not bar.goal_of:
        return bar.goal
    base = figures[bar.goal_of]
    return None if base is None else bar.goal * base


def row(bar: Bar, *, top: float, value: float | None, unit: str, goal: float | None, most: float) -> Sequence[str]:
    """A label, a bar, what it says, and a mark where it should end."""
    text = "not measured" if value is None else f"{shown(value)} {unit}"
    length = 0.0 if value is None else width_of(value, most)
    parts = [
        f'<text x="{LEFT - 12}" y="{top + 14}" text-anchor="end">{escape(bar.label)}</text>',
        f'<rect class="{"ours" if bar.is_ours else "beside"}" x="{LEFT}" y="{top}" width="{length}" height="{BAR}" rx="2"/>',
    ]
    end = length
    if goal is not None:
        x = LEFT + width_of(goal, most)
        parts.append(f'<line class="goal" x1="{x}" y1="{top - 5}" x2="{x}" y2="{top + BAR + 5}"><title>goal: {shown(goal)}</title></line>')
        end = max(end, width_of(goal, most))
    parts.append(f'<text x="{LEFT + end + 8}" y="{top + 14}">{escape(text)}</text>')
    return parts


def width_of(value: float, most: float) -> float:
    return round((WIDTH - LEFT - RIGHT) * value / most, 1)


def shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
