"""`python -m chaos`: one run of the fault suite. docs/reliability/README.md says what it does."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from typing import NoReturn

from rich.console import Console

from benchmarks.progress import teller
from chaos.kept import keep_what_broke
from chaos.report import last_line, table_of, told_faults, troubles_of, write_report
from chaos.scale import Scale
from chaos.session import Outcome, Say, run, running_ground


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0 when every promise held, 1 when one did not."""
    chosen = parser().parse_args(arguments)
    scale = Scale(seed=chosen.seed, minutes=chosen.minutes, deliveries=chosen.deliveries, has_faults=not chosen.without_faults)
    signal.signal(signal.SIGTERM, leave)
    try:
        outcome = measured(scale, say=teller())
    except KeyboardInterrupt:
        sys.stderr.write("chaos: stopped, nothing was written\n")
        return 130
    if chosen.report:
        write_report(outcome, scale=scale)
    Console(width=120).print(table_of(outcome))
    print(told_faults(outcome, scale=scale))
    print(last_line(outcome))
    return 1 if troubles_of(outcome) else 0


def measured(scale: Scale, *, say: Say) -> Outcome:
    """One run; of one in which a promise was broken so much is kept that the reason can be found."""
    with running_ground(say=say) as ground:
        outcome = asyncio.run(run(scale, ground, say=say))
        keep_what_broke(ground, troubles_of(outcome), name=scale.name, say=say)
    return outcome


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m chaos", description="Break everything while deliveries come in, then count.")
    made.add_argument("--seed", type=int, default=1, help="decides every delivery and every fault")
    made.add_argument("--minutes", type=float, default=5.0, help="how long deliveries are sent")
    made.add_argument("--deliveries", type=int, default=10_000, help="how many posts, repetitions included")
    made.add_argument("--without-faults", action="store_true", help="the same stream with nothing broken")
    made.add_argument("--report", action="store_true", help="write docs/reliability/seed-N.json and the page beside it")
    return made


def leave(*_: object) -> NoReturn:
    """SIGTERM ends us as Ctrl-C does: on the way out everything is stopped."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
