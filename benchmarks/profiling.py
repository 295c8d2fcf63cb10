"""`python -m benchmarks.profiling`: where the time of a burst goes. The CPU of each part of the stack for a job, by the code that is at
work (py-spy looks at the processes from outside), and the statements that Postgres works on.

Looking costs something itself, so the rate of this burst is no figure; the shares are.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from psycopg.rows import namedtuple_row
from rich.console import Console
from rich.table import Table

from benchmarks.bench_stack import BenchStack, bench_stack
from benchmarks.errors import NotMeasured
from benchmarks.instance import ZIXLY, Instance
from benchmarks.process_groups import REST, VENDORS, group_of
from benchmarks.progress import Say, teller
from benchmarks.questions.burst import JOBS_A_BATCH, VENDOR_SECONDS, Burst, one_burst
from benchmarks.sandbox import answer_after, lift_limits
from benchmarks.session import warm_up
from benchmarks.stacks_told import Stack, areas_of, functions_of, stacks_in
from zixly_cli.control import start_process, stop_process
from zixly_core.errors import ZixlyError

DELIVERIES, LOOKS_A_SECOND = 10_000, 20
WIDTH = 150
END_SECONDS = 30.0
# What is nearly always on the stack is the loop that everything is called from.
ALWAYS = 0.85
STATEMENTS_SQL = """
select regexp_replace(query, '\\s+', ' ', 'g') as query, calls, total_exec_time + total_plan_time as ms, rows,
       shared_blks_dirtied as dirtied, wal_bytes::float8 as wal_bytes
from pg_stat_statements where calls > 0 order by ms desc limit %s"""


@dataclass(frozen=True)
class Statement:
    query: str
    calls: int
    ms: float
    rows: int
    dirtied: int
    wal_bytes: float


@dataclass(frozen=True)
class Profile:
    """What a burst of `jobs` was seen to do; the stacks are those of each group of processes."""

    jobs: int
    burst: Burst
    stacks: Mapping[str, Counter[Stack]]
    statements: list[Statement]


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0 when the profile is printed, 2 when there is none."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.profiling", description="Where the time of a burst goes.")
    made.add_argument("--deliveries", type=int, default=DELIVERIES, help=f"of the burst that is looked at ({DELIVERIES})")
    made.add_argument("--rows", type=int, default=12, help="of each table (12)")
    chosen = made.parse_args(arguments)
    try:
        profile = profiled(chosen.deliveries, rows=chosen.rows, say=teller())
    except ZixlyError as error:
        sys.stderr.write(f"profiling: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("profiling: stopped\n")
        return 130
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    for table in tables_of(profile, rows=chosen.rows):
        console.print(table)
    return 0


def profiled(deliveries: int, *, rows: int, say: Say) -> Profile:
    """Raises `NotMeasured`."""
    sampler = shutil.which("py-spy", path=str(Path(sys.executable).parent))
    if sampler is None:
        raise NotMeasured("py-spy is not installed: `make setup` does it")
    say("starting the stack")
    with bench_stack() as stack, tempfile.TemporaryDirectory() as folder:
        count_statements(stack)
        lift_limits(stack.plan.urls.sandbox)
        warm_up(Instance(ZIXLY, stack, stack.plan.urls.dagster), count=3, say=say)
        stack.limit_batches(JOBS_A_BATCH)
        answer_after(stack.plan.urls.sandbox, seconds=VENDOR_SECONDS)
        one_burst(stack, count=deliveries, say=say)
        forget_statements(stack)
        with sampled(stack, sampler=sampler, folder=Path(folder)) as files:
            burst = one_burst(stack, count=deliveries, say=say)
        say("putting together what was seen")
        stacks: dict[str, Counter[Stack]] = {}
        for file, group in files.items():
            if file.exists():
                stacks.setdefault(group, Counter()).update(stacks_in(file.read_text()))
        return Profile(deliveries, burst, stacks, statements_of(stack, rows=rows))


def count_statements(stack: BenchStack) -> None:
    """Postgres counts what each statement costs from its next start on."""
    with psycopg.connect(stack.plan.urls.admin, autocommit=True) as connection:
        connection.execute("alter system set shared_preload_libraries = 'pg_stat_statements'")
        connection.execute("alter system set pg_stat_statements.track_planning = on")
    stop_process(stack.plan.settings, "postgres")
    start_process(stack.plan.settings, "postgres")
    with psycopg.connect(stack.plan.urls.admin, autocommit=True) as connection:
        connection.execute("create extension if not exists pg_stat_statements")


def forget_statements(stack: BenchStack) -> None:
    with psycopg.connect(stack.plan.urls.admin, autocommit=True) as connection:
        connection.execute("select pg_stat_statements_reset()")


def statements_of(stack: BenchStack, *, rows: int) -> list[Statement]:
    with psycopg.connect(stack.plan.urls.admin, row_factory=namedtuple_row) as connection:
        return [Statement(*row) for row in connection.execute(STATEMENTS_SQL, (rows,))]


@contextmanager
def sampled(stack: BenchStack, *, sampler: str, folder: Path) -> Iterator[dict[Path, str]]:
    """The files that hold the stacks of each Python process, by group, once the block has ended."""
    samplers: list[subprocess.Popen[bytes]] = []
    files: dict[Path, str] = {}
    for process in stack.processes():
        group = group_of(process)
        if group in {REST, VENDORS} or not is_python(process):
            continue
        file = folder / f"{process.pid}.txt"
        command = [sampler, "record", "--nonblocking", "--full-filenames", "--format", "raw", "--rate", str(LOOKS_A_SECOND)]
        command += ["--pid", str(process.pid), "--output", str(file)]
        samplers.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        files[file] = group
    try:
        yield files
    finally:
        for one in samplers:
            one.send_signal(signal.SIGINT)
        for one in samplers:
            try:
                one.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()


def is_python(process: psutil.Process) -> bool:
    try:
        return "python" in Path(process.exe()).name
    except psutil.Error:
        return False


def tables_of(profile: Profile, *, rows: int) -> Iterator[Table]:
    yield cpu_table(profile)
    yield statement_table(profile)
    for group, stacks in sorted(profile.stacks.items(), key=lambda one: -profile.burst.cpu_ms.get(one[0], 0.0)):
        yield code_table(group, stacks, cpu_ms=profile.burst.cpu_ms.get(group, 0.0), rows=rows)


def cpu_table(profile: Profile) -> Table:
    table = Table("Part", "CPU ms a job", title=f"{profile.jobs} jobs, {profile.burst.row.per_minute() or 0:.0f} a minute while looked at")
    for name, value in sorted(profile.burst.cpu_ms.items(), key=lambda one: -one[1]):
        table.add_row(name, f"{value:.2f}")
    return table


def statement_table(profile: Profile) -> Table:
    table = Table("µs a job", "Calls a job", "Rows", "Pages dirtied a job", "WAL bytes a job", "Statement", title="Postgres, by statement")
    for one in profile.statements:
        each = profile.jobs
        figures = (f"{one.ms * 1000 / each:.0f}", f"{one.calls / each:.3f}", str(one.rows), f"{one.dirtied / each:.2f}")
        table.add_row(*figures, f"{one.wal_bytes / each:.0f}", one.query[:160])
    return table


def code_table(group: str, stacks: Counter[Stack], *, cpu_ms: float, rows: int) -> Table:
    seen = stacks.total()
    table = Table("Share", "ms a job", "Of whose code", "Share ", "Function, with what it calls", title=f"{group}: {seen} looks")
    areas = areas_of(stacks).most_common(rows)
    functions = [one for one in functions_of(stacks).most_common() if one[1] < seen * ALWAYS][: rows * 3]
    for at in range(max(len(areas), len(functions))):
        area, times = areas[at] if at < len(areas) else ("", 0)
        function, inside = functions[at] if at < len(functions) else ("", 0)
        left = (f"{times / seen:.0%}", f"{cpu_ms * times / seen:.2f}", area) if area else ("", "", "")
        table.add_row(*left, f"{inside / seen:.0%}" if function else "", function)
    return table


if __name__ == "__main__":
    sys.exit(main())
