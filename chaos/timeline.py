"""The picture of a run: deliveries acknowledged and jobs ended a second, with a mark at each fault. Plain SVG, for light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from chaos.driver import Done
from chaos.scale import Scale
from chaos.session import Outcome

WIDTH, HEIGHT = 1200, 420
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 90, 40
BUCKET_SECONDS = 2.0
LANES = 5
STYLE = """
svg{font:12px system-ui,sans-serif;color-scheme:light dark;--ink:#222;--soft:#999;--in:#1f6feb;--out:#1a7f37;--mark:#cf222e}
@media (prefers-color-scheme:dark){svg{--ink:#ddd;--soft:#777;--in:#58a6ff;--out:#56d364;--mark:#ff7b72}}
text{fill:var(--ink)} .soft{fill:var(--soft)} .axis{stroke:var(--soft);stroke-width:1} .grid{stroke:var(--soft);stroke-width:.5;opacity:.4}
.in{fill:none;stroke:var(--in);stroke-width:1.5} .out{fill:none;stroke:var(--out);stroke-width:1.5}
.mark{fill:var(--mark)} .span{stroke:var(--mark);stroke-width:3;opacity:.45} .fall{stroke:var(--mark);stroke-width:.5;opacity:.35}
.key-in{fill:var(--in)} .key-out{fill:var(--out)}
"""


@dataclass(frozen=True)
class Frame:
    """Where seconds and rates lie in the picture."""

    seconds: float
    most: float

    def x(self, second: float) -> float:
        inside = min(max(second, 0.0), self.seconds)
        return round(LEFT + (WIDTH - LEFT - RIGHT) * inside / self.seconds, 1)

    def y(self, rate: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * rate / self.most, 1)


def picture_of(outcome: Outcome, *, scale: Scale) -> str:
    """As an SVG document."""
    seconds = outcome.stream_seconds + outcome.drain_seconds
    came = rates([at - outcome.began_at for at in outcome.journal.acknowledged_at], seconds=seconds)
    ended = rates([at - outcome.began_at for at in outcome.ended_at], seconds=seconds)
    frame = Frame(seconds, most=nice(max([*came, *ended, 1.0])))
    title = f"Seed {scale.seed}: {outcome.plan.deliveries} deliveries, {len(outcome.faults)} faults, {scale.minutes:g} minutes"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}</style>",
        f'<text x="{LEFT}" y="16" font-weight="600">{escape(title)}</text>',
        *key(),
        *axes(frame),
        *(
            mark
            for number, one in enumerate(outcome.faults)
            for mark in fault_marks(one, frame, lane=number % LANES, began=outcome.began_at)
        ),
        line(came, frame, name="in"),
        line(ended, frame, name="out"),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def rates(moments: Sequence[float], *, seconds: float) -> list[float]:
    """How many a second in each bucket."""
    buckets = [0.0] * (int(seconds / BUCKET_SECONDS) + 1)
    for moment in moments:
        number = int(moment / BUCKET_SECONDS)
        if 0 <= number < len(buckets):
            buckets[number] += 1 / BUCKET_SECONDS
    return buckets


def nice(most: float) -> float:
    """The end of the axis: a round number that holds the highest rate."""
    step = next(one for one in (5, 10, 20, 50, 100, 200, 500, 1_000, 10_000) if one * 5 >= most)
    return float(step * -(-most // step))


def key() -> list[str]:
    return [
        f'<rect class="key-in" x="{LEFT}" y="26" width="14" height="3"/>',
        f'<text x="{LEFT + 20}" y="32">deliveries acknowledged a second</text>',
        f'<rect class="key-out" x="{LEFT + 240}" y="26" width="14" height="3"/><text x="{LEFT + 260}" y="32">jobs ended a second</text>',
        f'<circle class="mark" cx="{LEFT + 427}" cy="28" r="3"/><text x="{LEFT + 437}" y="32">a fault, and how long it lasted</text>',
    ]


def axes(frame: Frame) -> list[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    found = [f'<line class="axis" x1="{LEFT}" y1="{bottom}" x2="{right}" y2="{bottom}"/>']
    for part in range(6):
        rate = frame.most * part / 5
        found.append(f'<line class="grid" x1="{LEFT}" y1="{frame.y(rate)}" x2="{right}" y2="{frame.y(rate)}"/>')
        found.append(f'<text class="soft" x="{LEFT - 8}" y="{frame.y(rate) + 4}" text-anchor="end">{rate:g}</text>')
    step = 30 if frame.seconds < 400 else 60 if frame.seconds < 900 else 600
    for second in range(0, int(frame.seconds) + 1, step):
        label = f"{second // 60}:{second % 60:02d}"
        found.append(f'<text class="soft" x="{frame.x(second)}" y="{bottom + 18}" text-anchor="middle">{label}</text>')
    return found


def fault_marks(one: Done, frame: Frame, *, lane: int, began: float) -> list[str]:
    """A dot above the curves, a bar for as long as the fault lasted, and its name for whoever points at it."""
    at = one.at - began
    x, end, y = frame.x(at), frame.x(at + one.seconds), 46 + lane * 9
    return [
        f"<g><title>{escape(f'{one.kind}: {one.words}')}</title>",
        f'<line class="fall" x1="{x}" y1="{y}" x2="{x}" y2="{HEIGHT - BOTTOM}"/>',
        f'<line class="span" x1="{x}" y1="{y}" x2="{end}" y2="{y}"/><circle class="mark" cx="{x}" cy="{y}" r="3"/></g>',
    ]


def line(values: Sequence[float], frame: Frame, *, name: str) -> str:
    points = " ".join(f"{frame.x((number + 0.5) * BUCKET_SECONDS)},{frame.y(value)}" for number, value in enumerate(values))
    return f'<polyline class="{name}" points="{points}"/>'
