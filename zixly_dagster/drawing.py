"""A workflow's drawing for its job's description: which system is worked with, in which order. Dagster's graph beside it shows each op."""

from __future__ import annotations

import textwrap
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape
from itertools import groupby

from dagster import JobDefinition

from zixly_dagster.workflow import Workflow

# Light fills with dark text: readable on a light and on a dark page.
COLOURS: Mapping[str, str] = {
    "postgres": "#dbe4f5",
    "xero": "#c9ecf8",
    "hubspot": "#ffdcd0",
    "shopify": "#dff0c8",
    "asana": "#fbd5de",
    "s3": "#fdeabf",
    "sweeps": "#e6d9f7",
}
OTHER, GREY = "#e9e9e9", "#808080"
NAMES: Mapping[str, str] = {
    "postgres": "The ledger",
    "xero": "Xero",
    "hubspot": "HubSpot",
    "shopify": "Shopify",
    "asana": "Asana",
    "s3": "Documents",
    "sweeps": "Sweep service",
}
# What every run begins and ends with; it stands in the graph.
AROUND = frozenset({"claim_jobs", "claim_requests", "keep_report", "settle_jobs", "conclude"})
# The description stands in a column of about 330 px.
WIDTH, MARGIN, GAP, HEAD, LINE, LETTERS = 320, 6, 20, 24, 15, 46


@dataclass(frozen=True)
class Band:
    """Steps that follow one another at one system."""

    kind: str
    lines: tuple[str, ...]

    @property
    def height(self) -> int:
        return HEAD + LINE * len(self.lines) + 8


def drawn(workflow: Workflow) -> Workflow:
    """The workflow with a job whose page shows the drawing, and what triggers it."""
    job = workflow.job
    first, _, rest = (job.description or "").partition("\n\n")
    picture = f"![{workflow.title}]({data_uri(drawing_of(bands_of(job), title=workflow.title))})"
    shown = job.graph.to_job(
        name=job.name,
        description="\n\n".join(part for part in (first, picture, rest) if part),
        executor_def=job.executor_def,
        tags=dict(job.tags),
        metadata={
            "workflow": workflow.name,
            "triggers": ", ".join(workflow.triggers) or "only other workflows and people",
            "jobs in a run": f"1 to {workflow.max_batch}",
            "documentation": f"docs/workflows/{workflow.name}.md",
        },
    )
    return replace(workflow, job=shown)


def bands_of(job: JobDefinition) -> list[Band]:
    """The job's own steps, by system, in the order in which they run."""
    nodes = [node for node in job.graph.nodes_in_topological_order if node.name not in AROUND]
    return [
        Band(kind, tuple(textwrap.wrap(" → ".join(node.name.replace("_", " ") for node in group), LETTERS)))
        for kind, group in groupby(nodes, key=lambda node: str(node.definition.tags.get("kind", "")))
    ]


def drawing_of(bands: list[Band], *, title: str) -> str:
    """The SVG text: a box for each band, from top to bottom."""
    parts, top = [], MARGIN
    for number, band in enumerate(bands):
        parts += ([arrow(top - GAP)] if number else []) + box(band, top)
        top += band.height + GAP
    height = top - GAP + MARGIN
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="system-ui, sans-serif"><title>{escape(title)}</title>'
    return "".join([head, *parts, "</svg>"])


def box(band: Band, top: int) -> list[str]:
    fill, name = COLOURS.get(band.kind, OTHER), NAMES.get(band.kind, "Ourselves")
    rect = f'<rect x="{MARGIN}" y="{top}" width="{WIDTH - 2 * MARGIN}" height="{band.height}" rx="8" fill="{fill}" stroke="{GREY}"/>'
    lines = [text(line, top + HEAD + LINE * number + 10, size=12, weight=400) for number, line in enumerate(band.lines)]
    return [rect, text(name, top + 19, size=14, weight=600), *lines]


def arrow(top: int) -> str:
    middle = WIDTH // 2
    return f'<path d="M{middle} {top + 3}V{top + GAP - 4}m-4-5 4 5 4-5" fill="none" stroke="{GREY}" stroke-width="1.5"/>'


def text(words: str, y: int, *, size: int, weight: int) -> str:
    style = f'text-anchor="middle" font-size="{size}" font-weight="{weight}" fill="#1b1b1b"'
    return f'<text x="{WIDTH // 2}" y="{y}" {style}>{escape(words)}</text>'


def data_uri(svg: str) -> str:
    """Dagster's pages take pictures out of the description itself, so that they need no other server."""
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
