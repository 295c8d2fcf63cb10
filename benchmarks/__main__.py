"""`python -m benchmarks [--quick] [--only NAME]`: measure, beside the baseline. README.md says what and how."""

from __future__ import annotations

import argparse
import signal
import sys
from datetime import UTC, datetime
from typing import NoReturn

from rich.console import Console

from benchmarks.machine import description
from benchmarks.plots import write_plots
from benchmarks.progress import teller
from benchmarks.report import all_figures, document_of, json_line, table_of, write_results
from benchmarks.scale import FULL, QUICK, WHOLE
from benchmarks.session import NAMES, measured
from zixly_core.errors import ZixlyError

TABLE_WIDTH = 100


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0 when every question asked has its figures, 1 when one has not, 2 when nothing could be asked."""
    chosen = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, leave)
    try:
        found = measured(chosen.only or NAMES, scale=QUICK if chosen.quick else FULL if chosen.full else WHOLE, say=teller())
    except ZixlyError as error:
        sys.stderr.write(f"benchmarks: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("benchmarks: stopped, nothing was written\n")
        return 130
    figures = all_figures(found.figures)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    document = document_of(figures, machine=description(), measured_at=now, is_quick=chosen.quick, problems=found.problems)
    if not chosen.only:
        write_results(document)
        write_plots(figures)
    console = Console() if sys.stdout.isatty() else Console(width=TABLE_WIDTH)
    console.print(table_of(figures))
    print(json_line(document))
    return 1 if found.problems else 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the platform beside Dagster as it comes.")
    form = made.add_mutually_exclusive_group()
    form.add_argument("--quick", action="store_true", help="a short form: few jobs, no repetitions")
    form.add_argument("--full", action="store_true", help="with a flood of ten minutes")
    made.add_argument("--only", action="append", choices=NAMES, help="only this question; may be repeated; no results file")
    return made


def leave(*_: object) -> NoReturn:
    """SIGTERM ends us as Ctrl-C does: on the way out everything is stopped."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
