"""How many deliveries a second, each committed to disk before its answer? Ours beside Express with Prisma and with the bare driver.

They take turns on the same servers with the same bodies: signed, one event each, none like another. Each answer must be a success and
stand for a row. Best against best: each has the better of its medians with 64 and with 256 connections.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import express_baseline, wrk
from benchmarks.bodies import endless_bodies, write_bodies
from benchmarks.contenders import OURS, Contender, Ring, running_contenders
from benchmarks.errors import NotMeasured
from benchmarks.figures import median, slope
from benchmarks.findings import Findings
from benchmarks.memory import sampled_memory
from benchmarks.open_loop import at_rate
from benchmarks.progress import Say
from benchmarks.scale import Scale
from zixly_core.errors import ZixlyError

CONNECTIONS = (64, 256)
# More than anyone here takes: a run that would need more than there are is not counted.
MOST_A_SECOND = 9_000
# The baseline's own figures call 100 a second steady.
STEADY_TIMES_FIVE = 500
WARM_UP_SECONDS = 2
PREFIXES = {OURS: "", "prisma": "express_", "pg": "express_pg_"}


@dataclass(frozen=True)
class Turn:
    """One load on one contender."""

    per_second: float
    cpu_ms: float
    """Of its processes and the servers', for each delivery."""


def measure(*, scale: Scale, say: Say) -> Findings:
    """Deliveries a second, their cost and what follows. What stands beside us is left out where it cannot run."""
    findings = Findings()
    if not wrk.is_there():
        return Findings(problems=["ingest: wrk is not installed"])
    problem = ready(say)
    if problem is not None:
        findings.problems.append(f"ingest, beside Express: {problem}")
    with tempfile.TemporaryDirectory(prefix="zixly-ingest-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # root's Postgres runs as somebody else, who has to pass
        bodies = folder / "bodies"
        write_bodies(bodies, count=round(MOST_A_SECOND * scale.ingest_seconds))
        with running_contenders(folder, with_express=problem is None) as ring:
            for what, ask in questions(ring, bodies, folder, scale=scale, say=say).items():
                try:
                    findings.figures.update(ask())
                except ZixlyError as error:
                    say(f"not measured: {what}: {error}")
                    findings.problems.append(f"{what}: {str(error).partition(chr(10))[0]}")
    return findings


def ready(say: Say) -> str | None:
    """Why nothing can stand beside us; None when it can."""
    problem = express_baseline.missing()
    if problem is not None:
        return problem
    try:
        express_baseline.install(say)
    except NotMeasured as error:
        return str(error).partition("\n")[0]
    return None


def questions(ring: Ring, bodies: Path, folder: Path, *, scale: Scale, say: Say) -> dict[str, Callable[[], dict[str, float | None]]]:
    asked: dict[str, Callable[[], dict[str, float | None]]] = {"ingest": lambda: rates(ring, bodies, scale=scale, say=say)}
    if len(ring.contenders) > 1:
        asked["ingest, five times the steady load"] = lambda: steady(ring.ours, bodies, scale=scale, say=say)
    asked["ingest, a flood"] = lambda: flood(ring.ours, folder / "endless", scale=scale, say=say)
    return asked


def rates(ring: Ring, bodies: Path, *, scale: Scale, say: Say) -> dict[str, float | None]:
    """Everyone's turn after everyone's, so that whatever else the machine does falls on all."""
    turns: dict[tuple[str, int], list[Turn]] = {}
    for one in ring.contenders:
        one.empty()
        wrk.load(one.url, bodies, connections=CONNECTIONS[0], seconds=WARM_UP_SECONDS)
    for _ in range(scale.repetitions):
        for connections in CONNECTIONS:
            for one in ring.contenders:
                turn = taken(one, bodies, connections=connections, seconds=scale.ingest_seconds)
                say(f"{one.name}: {turn.per_second:.0f} a second over {connections} connections, {turn.cpu_ms:.3f} ms of CPU each")
                turns.setdefault((one.name, connections), []).append(turn)
    figures: dict[str, float | None] = {}
    for one in ring.contenders:
        best = max(
            (turns[one.name, connections] for connections in CONNECTIONS), key=lambda of: median([turn.per_second for turn in of]) or 0
        )
        prefix = PREFIXES[one.name]
        figures[f"{prefix}ingest_per_s"] = median([turn.per_second for turn in best])
        figures[f"{prefix}ingest_cpu_ms"] = median([turn.cpu_ms for turn in best])
    return figures


def taken(one: Contender, bodies: Path, *, connections: int, seconds: float) -> Turn:
    """Raises `NotMeasured` when an answer was no success, or stands for no row."""
    one.empty()
    before = one.cpu_seconds()
    seen = wrk.load(one.url, bodies, connections=connections, seconds=seconds)
    used = one.cpu_seconds() - before
    wrk.refuse_losses(seen, rows=one.rows(), connections=connections)
    return Turn(per_second=seen.per_second, cpu_ms=used * 1000 / seen.requests)


def steady(ours: Contender, bodies: Path, *, scale: Scale, say: Say) -> dict[str, float | None]:
    ours.empty()
    seen = at_rate(ours.url, bodies, per_second=STEADY_TIMES_FIVE, seconds=scale.steady_seconds)
    say(f"at {STEADY_TIMES_FIVE} a second: p50 {seen.p50_ms:.1f} ms, p99 {seen.p99_ms:.1f} ms")
    return {"ingest_p50_ms_at_5x": seen.p50_ms, "ingest_p99_ms_at_5x": seen.p99_ms}


def flood(ours: Contender, pipe: Path, *, scale: Scale, say: Say) -> dict[str, float | None]:
    """As much as it takes for a while: the memory of its processes must stay where it was."""
    ours.empty()
    connections = CONNECTIONS[-1]
    with endless_bodies(pipe) as bodies, sampled_memory(ours.process) as samples:
        seen = wrk.load(ours.url, bodies, connections=connections, seconds=scale.flood_seconds)
    wrk.refuse_losses(seen, rows=ours.rows(), connections=connections)
    settled = samples[len(samples) // 4 :]
    say(f"a flood of {seen.seconds:.0f} s: {seen.per_second:.0f} a second, {max(one.megabytes for one in samples):.0f} MB at most")
    return {
        "flood_seconds": seen.seconds,
        "flood_per_s": seen.per_second,
        "flood_memory_max_mb": max(one.megabytes for one in samples),
        "flood_memory_mb_per_minute": slope([(one.seconds / 60, one.megabytes) for one in settled]),
    }
