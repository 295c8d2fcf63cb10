"""What a long haul came to, for people and for programs."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
from rich.table import Table

from benchmarks.machine import description
from chaos import report
from chaos.growth import Growth, Kind, Point, growth_of
from chaos.haul_picture import picture_of
from chaos.page import STYLE, section, table
from chaos.samples import Sample
from chaos.scale import Scale
from chaos.session import Outcome

COLUMNS = {
    "figure": "figure",
    "of": "of",
    "first": "first",
    "median": "median after the warm-up",
    "last": "last",
    "grew": "grew since",
    "surely": "surely",
    "an_hour": "in an hour",
    "allowed": "may grow",
}


@dataclass(frozen=True)
class Haul:
    """One run."""

    scale: Scale
    outcome: Outcome
    samples: Sequence[Sample]

    def points(self) -> dict[tuple[Kind, str], list[Point]]:
        found: dict[tuple[Kind, str], list[Point]] = defaultdict(list)
        for sample in self.samples:
            for key, value in sample.values.items():
                found[key].append((sample.at, value))
        return found

    def growths(self) -> list[Growth]:
        found = [growth_of(kind, name, points) for (kind, name), points in self.points().items()]
        order = list(Kind)
        return sorted((one for one in found if one is not None), key=lambda one: (order.index(one.kind), one.name))


def troubles_of(haul: Haul) -> list[str]:
    """What grew too much, what was not seen at all, and every breach of a promise."""
    grown = [one for one in haul.growths() if one.is_too_much]
    words = [f"{one.kind} of {one.name} grew by {one.surely:.1f} at least, {one.allowed:.1f} would be allowed" for one in grown]
    seen = {one.kind for one in haul.growths()}
    missing = [kind for kind in (Kind.MEMORY, Kind.FILES, Kind.CONNECTIONS, Kind.WAITING) if kind not in seen]
    words += [f"{kind} was seen too seldom" for kind in missing]
    return words + [one.text for one in report.troubles_of(haul.outcome)]


def last_line(haul: Haul) -> str:
    judged = [one for one in haul.growths() if one.allowed is not None]
    return f"{report.last_line(haul.outcome)}; of {len(judged)} figures {sum(one.is_too_much for one in judged)} grew too much"


def row_of(one: Growth) -> dict[str, Any]:
    allowed = "any" if one.allowed is None else f"{rounded(one.allowed):g}"
    figures = {name: rounded(getattr(one, name)) for name in ("first", "median", "last", "grew", "surely", "an_hour")}
    return {"figure": one.kind.value, "of": one.name, **figures, "allowed": allowed, "is_too_much": one.is_too_much}


def rounded(value: float) -> float:
    return round(value, 2 if abs(value) < 10 else 1)


def document_of(haul: Haul, *, now: datetime) -> dict[str, Any]:
    outcome = haul.outcome
    return {
        "result": last_line(haul),
        "minutes": haul.scale.minutes,
        "deliveries": outcome.plan.deliveries,
        "deliveries_a_second": round(outcome.plan.deliveries / haul.scale.seconds, 1),
        "acknowledged": len(outcome.journal.acknowledged_at),
        "jobs": len(outcome.evidence.jobs),
        "samples": len(haul.samples),
        "drain_seconds": round(outcome.drain_seconds, 1),
        "measured_at": now.isoformat(timespec="seconds"),
        "load_for_each_core": round(os.getloadavg()[2] / (os.cpu_count() or 1), 1),
        "growth": [row_of(one) for one in haul.growths()],
        "troubles": [{"trouble": words} for words in troubles_of(haul)],
        "version": version("zixly"),
        "machine": description(),
    }


def write_report(haul: Haul, *, folder: Path = report.FOLDER) -> None:
    document = document_of(haul, now=datetime.now(UTC))
    picture = picture_of(haul.points(), seconds=haul.scale.seconds)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "long-haul.json").write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    (folder / "long-haul.svg").write_text(picture)
    (folder / "long-haul.html").write_text(page_of(document, picture=picture))


def page_of(document: dict[str, Any], *, picture: str) -> str:
    is_good, machine = not document["troubles"], document["machine"]
    words = f"{machine['cores']} cores ({machine['cpu']}), {machine['memory_gb']} GB, {machine['system']}, Python {machine['python']}"
    load = f"{document['deliveries_a_second']:g} deliveries a second, {document['acknowledged']:,} acknowledged, {document['jobs']:,} jobs"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Long haul</title><style>{STYLE}</style></head><body>
<h1>{document["minutes"]:g} minutes at twice the steady load</h1>
<p class="result {"good" if is_good else "bad"}">{escape(document["result"])}</p>
<p>{escape(load)}; version {escape(document["version"])}, on {escape(words)}, measured {escape(document["measured_at"])}
with a load of {document["load_for_each_core"]:g} for each core.</p>
<figure>{picture}</figure>
{section("Troubles", document["troubles"], {"trouble": "what"})}
<h2>What grew</h2>
<p>{document["samples"]} looks; the first third is warm-up. Growth is by Theil and Sen's slope,
<em>surely</em> by its lower end with 99 % confidence.</p>
{table(document["growth"], COLUMNS)}
</body></html>
"""


def table_of(haul: Haul) -> Table:
    shown = Table(title="What grew", title_justify="left")
    for title in COLUMNS.values():
        shown.add_column(title)
    for row in (row_of(one) for one in haul.growths()):
        style = "bold red" if row["is_too_much"] else None
        shown.add_row(*(str(row[name]) for name in COLUMNS), style=style)
    for words in troubles_of(haul):
        shown.add_row(words, *[""] * (len(COLUMNS) - 1))
    return shown
