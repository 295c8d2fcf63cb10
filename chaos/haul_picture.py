"""The picture of a long haul: a small chart for each kind of figure, a line for each of what it is of. Plain SVG, light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from chaos.growth import WARM_UP, Kind, Point

COLUMNS, CELL, CHART, PAD = 2, (600, 300), (520, 190), (60, 40)
SHOWN = (Kind.MEMORY, Kind.FILES, Kind.CONNECTIONS, Kind.WAITING, Kind.SIZE, Kind.DEAD_SHARE)
# Distinct on white and on black.
COLOURS = ("#1f77d0", "#d9480f", "#2b9348", "#a83ca8", "#b58900", "#0e9aa7", "#e0457b", "#7a6ff0", "#8a6d3b", "#6b7280")
LONGEST_KEY = 8
STYLE = """
svg{font:11px system-ui,sans-serif;color-scheme:light dark;--ink:#222;--soft:#999}
@media (prefers-color-scheme:dark){svg{--ink:#ddd;--soft:#777}}
text{fill:var(--ink)} .title{font-weight:600;font-size:13px} .soft{fill:var(--soft)} .axis{stroke:var(--soft);stroke-width:.5}
.warm{fill:var(--soft);opacity:.12} polyline{fill:none;stroke-width:1.5}
"""


def picture_of(points: Mapping[tuple[Kind, str], Sequence[Point]], *, seconds: float) -> str:
    """As an SVG document. The shaded third is the warm-up."""
    kinds = [kind for kind in SHOWN if any(key[0] is kind for key in points)]
    height = CELL[1] * -(-len(kinds) // COLUMNS)
    charts = [part for number, kind in enumerate(kinds) for part in chart(kind, points, place=number, seconds=seconds)]
    size = f"0 0 {CELL[0] * COLUMNS} {height}"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" role="img" aria-label="Figures over the run"><style>{STYLE}</style>'
    return "\n".join([head, *charts, "</svg>"]) + "\n"


def chart(kind: Kind, points: Mapping[tuple[Kind, str], Sequence[Point]], *, place: int, seconds: float) -> list[str]:
    lines = {name: found for (of, name), found in points.items() if of is kind}
    shown = sorted(lines, key=lambda name: -max(value for _, value in lines[name]))[:LONGEST_KEY]
    most = max([1e-9, *(value for name in shown for _, value in lines[name])]) * 1.1
    left, top = CELL[0] * (place % COLUMNS) + PAD[0], CELL[1] * (place // COLUMNS) + PAD[1]
    bottom = top + CHART[1]
    parts = [
        f'<text class="title" x="{left}" y="{top - 12}">{escape(kind.value)}</text>',
        f'<rect class="warm" x="{left}" y="{top}" width="{CHART[0] * WARM_UP:.1f}" height="{CHART[1]}"/>',
        f'<path class="axis" d="M{left} {top}V{bottom}H{left + CHART[0]}" fill="none"/>',
        *(mark(most * part / 4, left=left, y=bottom - CHART[1] * part / 4) for part in range(5)),
        *(moment(seconds * part / 4, x=left + CHART[0] * part / 4, y=bottom + 14) for part in range(5)),
    ]
    for number, name in enumerate(shown):
        colour = COLOURS[number % len(COLOURS)]
        where = " ".join(f"{left + CHART[0] * at / seconds:.1f},{bottom - CHART[1] * value / most:.1f}" for at, value in lines[name])
        parts.append(f'<polyline points="{where}" stroke="{colour}"><title>{escape(name)}</title></polyline>')
        x, y = left + (number % 4) * 135, bottom + 32 + (number // 4) * 15
        parts.append(f'<circle cx="{x}" cy="{y - 4}" r="4" fill="{colour}"/><text x="{x + 8}" y="{y}">{escape(name[:22])}</text>')
    return parts


def mark(value: float, *, left: float, y: float) -> str:
    return f'<text class="soft" x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.3g}</text>'


def moment(second: float, *, x: float, y: float) -> str:
    return f'<text class="soft" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{second / 60:.3g} min</text>'
