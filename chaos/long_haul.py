"""`python -m chaos.long_haul`: the stream at twice the steady load with nothing broken, and whether anything grows that should not."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

from rich.console import Console

from benchmarks.progress import teller
from chaos.__main__ import leave
from chaos.haul_report import Haul, last_line, table_of, troubles_of, write_report
from chaos.kept import keep_what_broke
from chaos.report import troubles_of as breaches_of
from chaos.samples import sampling
from chaos.scale import Scale
from chaos.session import Say, run, running_ground

# The steady load is ten deliveries a second, the one at which latency is promised.
PER_SECOND = 2 * 10
# About so many looks: enough for a slope, and no load of their own.
LOOKS, SHORTEST, LONGEST = 120, 5.0, 30.0


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0 when nothing grew and every promise held."""
    chosen = parser().parse_args(arguments)
    deliveries = int(chosen.minutes * 60 * chosen.per_second)
    scale = Scale(seed=chosen.seed, minutes=chosen.minutes, deliveries=deliveries, has_faults=False)
    signal.signal(signal.SIGTERM, leave)
    try:
        haul = hauled(scale, say=teller())
    except KeyboardInterrupt:
        sys.stderr.write("long haul: stopped, nothing was written\n")
        return 130
    if chosen.report:
        write_report(haul)
    Console(width=140).print(table_of(haul))
    print(last_line(haul))
    return 1 if troubles_of(haul) else 0


def hauled(scale: Scale, *, say: Say) -> Haul:
    """Samples are those of the stream: what comes after it is another load."""
    every = min(LONGEST, max(SHORTEST, scale.seconds / LOOKS))
    with running_ground(say=say, for_faults=False) as ground, sampling(ground, every_seconds=every) as samples:
        outcome = asyncio.run(run(scale, ground, say=say))
        keep_what_broke(ground, breaches_of(outcome), name="long-haul", say=say)
    return Haul(scale, outcome, [one for one in samples if one.at <= scale.seconds])


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m chaos.long_haul", description="Twice the steady load, and does anything grow?")
    made.add_argument("--seed", type=int, default=1, help="decides every delivery")
    made.add_argument("--minutes", type=float, default=60.0, help="how long deliveries are sent")
    made.add_argument("--per-second", type=float, default=PER_SECOND, help="posts a second, repetitions included")
    made.add_argument("--report", action="store_true", help="write docs/reliability/long-haul.json and the page beside it")
    return made


if __name__ == "__main__":
    sys.exit(main())
