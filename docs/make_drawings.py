"""Draw each workflow's graph for docs/workflows/ from its Dagster job: `.venv/bin/python docs/make_drawings.py`.

A test compares the drawings with the jobs, so a page never shows a graph of yesterday.
"""

from __future__ import annotations

import sys
import textwrap
from dataclasses import dataclass
from html import escape
from pathlib import Path

from dagster import JobDefinition

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from zixly_dagster.drawing import COLOURS, GREY, OTHER  # noqa: E402 - found from the checkout
from zixly_dagster.workflows import WORKFLOWS  # noqa: E402

FOLDER = ROOT / "docs" / "workflows"
WIDTH, BOX_WIDTH, BOX_HEIGHT, GAP, MARGIN = 860, 250, 58, 26, 20
LETTERS_IN_A_LINE = 78
MIDDLE = MARGIN + BOX_WIDTH // 2
TIP = (
    '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
    f'<path d="M0 0 10 5 0 10z" fill="{GREY}"/></marker></defs>'
)


@dataclass(frozen=True)
class StepBox:
    """One op of a job: its name, the system it works with, and what it does in a sentence."""

    name: str
    kind: str
    sentence: str


def steps_of(job: JobDefinition) -> list[StepBox]:
    """The ops of a job in the order in which they run."""
    return [
        StepBox(
            name=node.name.replace("_", " "),
            kind=node.definition.tags.get("kind", ""),
            sentence=first_sentence(node.definition.description or ""),
        )
        for node in job.graph.nodes_in_topological_order
    ]


def first_sentence(text: str) -> str:
    flat = " ".join(text.split())
    end = flat.find(". ")
    return flat if end < 0 else flat[: end + 1]


def drawing_of(job: JobDefinition, *, title: str) -> str:
    """The SVG text."""
    steps = steps_of(job)
    height = 2 * MARGIN + len(steps) * BOX_HEIGHT + (len(steps) - 1) * GAP
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(title)}" font-family="system-ui, sans-serif">',
        f"<title>{escape(title)}</title>",
        TIP,
    ]
    for number, step in enumerate(steps):
        top = MARGIN + number * (BOX_HEIGHT + GAP)
        parts += box(step, top)
        if number + 1 < len(steps):
            parts.append(arrow(top + BOX_HEIGHT))
    return "\n".join([*parts, "</svg>", ""])


def box(step: StepBox, top: int) -> list[str]:
    """A step: name and system in a box, what it does beside it."""
    lines = textwrap.wrap(step.sentence, LETTERS_IN_A_LINE)[:3]
    start = top + BOX_HEIGHT // 2 + 5 - 9 * (len(lines) - 1)
    fill = COLOURS.get(step.kind, OTHER)
    return [
        f'<rect x="{MARGIN}" y="{top}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8" fill="{fill}" stroke="{GREY}"/>',
        text(step.name, MIDDLE, top + (26 if step.kind else 34), 'text-anchor="middle" font-size="15" font-weight="600" fill="#1b1b1b"'),
        text(step.kind, MIDDLE, top + 45, 'text-anchor="middle" font-size="12" fill="#444"'),
        *(text(line, MARGIN + BOX_WIDTH + 18, start + 18 * n, f'font-size="13" fill="{GREY}"') for n, line in enumerate(lines)),
    ]


def arrow(top: int) -> str:
    line = f'x1="{MIDDLE}" y1="{top}" x2="{MIDDLE}" y2="{top + GAP}"'
    return f'<line {line} stroke="{GREY}" stroke-width="1.5" marker-end="url(#tip)"/>'


def text(words: str, x: int, y: int, style: str) -> str:
    return f'<text x="{x}" y="{y}" {style}>{escape(words)}</text>'


def drawings() -> dict[str, str]:
    """File name -> SVG, for every workflow."""
    return {f"{name}.svg": drawing_of(workflow.job, title=workflow.title) for name, workflow in WORKFLOWS.items()}


def main() -> int:
    for name, text in drawings().items():
        (FOLDER / name).write_text(text)
        sys.stdout.write(f"docs/workflows/{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
