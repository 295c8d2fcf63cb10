"""What work costs a stack: CPU by process, commits, and what Postgres writes to its log. Figures that need no quiet machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import psutil
import psycopg

from benchmarks.bench_stack import BenchStack
from benchmarks.cpu import seconds_of
from benchmarks.questions.idle import name_of

SQL = """
select (select sum(xact_commit) from pg_stat_database)::float8 as commits,
  pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 as written"""


@dataclass(frozen=True)
class Spent:
    """Since the stack came up, or between two moments."""

    cpu_seconds: Mapping[str, float]
    """By name of process."""
    commits: float
    """Of both databases."""
    log_bytes: float

    def since(self, earlier: Spent) -> Spent:
        cpu = {name: seconds - earlier.cpu_seconds.get(name, 0.0) for name, seconds in self.cpu_seconds.items()}
        return Spent(cpu, commits=self.commits - earlier.commits, log_bytes=self.log_bytes - earlier.log_bytes)

    @property
    def cpu(self) -> float:
        return sum(self.cpu_seconds.values())


def spent(stack: BenchStack) -> Spent:
    """What the stack has used until now."""
    cpu: defaultdict[str, float] = defaultdict(float)
    for process in stack.processes():
        try:
            name = name_of(process.cmdline())
        except psutil.NoSuchProcess:
            continue
        cpu["postgres" if name.startswith("postgres") else name] += seconds_of(process)
    with psycopg.connect(stack.plan.urls.admin) as connection:
        row = connection.execute(SQL).fetchone()
    commits, written = row or (0.0, 0.0)
    return Spent(cpu, commits=commits, log_bytes=written)
