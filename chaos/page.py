"""The report as a page that needs nothing else: no script, no font, no file beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

STYLE = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:76rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0} .good{color:#1a7f37} .bad{color:#cf222e}
@media (prefers-color-scheme:dark){.good{color:#56d364}.bad{color:#ff7b72}}
.result{font-size:1.25rem;font-weight:600;margin:.25rem 0 1rem}
figure{margin:1rem 0;overflow-x:auto} svg{width:100%;min-width:44rem;height:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #8884;vertical-align:top}
td.number,th.number{text-align:right;white-space:nowrap} .wide{overflow-x:auto}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:.5rem 1.5rem;margin:1rem 0}
dt{font-size:.85rem;opacity:.75} dd{margin:0;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
"""
FIGURES = {
    "minutes": "minutes of stream",
    "deliveries": "posts planned",
    "posts": "posts, tries included",
    "acknowledged": "acknowledged",
    "different_deliveries": "different deliveries",
    "events": "events",
    "jobs": "jobs",
    "contact_writes": "writes to contacts",
    "contacts_compared": "contacts compared",
    "records_created": "records created",
    "faults_done": "faults",
    "dead_letters": "dead letters, then replayed",
    "drain_seconds": "seconds to the last job",
    "load_for_each_core": "load for each core, 15 minutes",
    "measured_at": "measured",
}

FAULTS = {
    "fault": "fault",
    "done": "done",
    "survived": "survived",
    "median_seconds": "median s",
    "longest_seconds": "longest s",
    "example": "one of them",
}


def page_of(document: Mapping[str, Any], *, picture: str) -> str:
    """The document, with the picture in it."""
    is_good = not document["breaches"]
    figures = "".join(f"<div><dt>{escape(title)}</dt><dd>{shown(document[name])}</dd></div>" for name, title in FIGURES.items())
    machine = document["machine"]
    words = f"{machine['cores']} cores ({machine['cpu']}), {machine['memory_gb']} GB, {machine['system']}, Python {machine['python']}"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Reliability, seed {document["seed"]}</title><style>{STYLE}</style></head><body>
<h1>Everything broken while {document["deliveries"]:,} deliveries came in</h1>
<p class="result {"good" if is_good else "bad"}">{escape(document["result"])}</p>
<p>Seed {document["seed"]}, version {escape(document["version"])}, on {escape(words)}.</p>
<figure>{picture}</figure>
<dl>{figures}</dl>
<h2>Faults survived</h2>
{table(document["faults"], FAULTS)}
{section("Faults left out", document["left_out"], {"fault": "fault", "why": "why"})}
<h2>What was checked</h2>
{table(document["checks"], {"check": "check", "breaches": "breaches"})}
{section("Breaches", document["breaches"], {"trouble": "trouble", "what": "what"})}
{section("Dead letters before their replay", document["dead_letters_by_reason"], {"reason": "reason", "jobs": "jobs"})}
<h2>Answers to the posts</h2>
{table(document["answers"], {"answer": "answer", "posts": "posts"})}
</body></html>
"""


def section(title: str, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> str:
    """Only where there is something to show."""
    return f"<h2>{escape(title)}</h2>\n{table(rows, columns)}" if rows else ""


def table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> str:
    numeric = {name for name in columns if rows and isinstance(rows[0][name], int | float)}
    head = "".join(f"<th{' class=number' if name in numeric else ''}>{escape(title)}</th>" for name, title in columns.items())
    body = "\n".join(
        "<tr>" + "".join(f"<td{' class=number' if name in numeric else ''}>{shown(row[name])}</td>" for name in columns) + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>'


def shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) else escape(str(value))
