"""What does it cost to do nothing? The memory of the whole idle stack and the number of its processes, before and after the jobs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from benchmarks.instance import Instance
from benchmarks.progress import Say
from benchmarks.scale import Scale

MEGABYTE = 1_000_000
MODULE_FLAG = "-m"


def measure(instance: Instance, *, scale: Scale, say: Say) -> dict[str, float | None]:
    """`idle_memory_mb` (millions of bytes) and `idle_processes`."""
    sizes = idle_sizes(instance, scale=scale, say=say)
    return {"idle_memory_mb": total(sizes), "idle_processes": float(len(sizes))}


def measure_again(instance: Instance, *, scale: Scale, say: Say) -> dict[str, float | None]:
    """`idle_memory_after_mb`: the same after the jobs of all questions before, among them the backfill's 10,000."""
    return {"idle_memory_after_mb": total(idle_sizes(instance, scale=scale, say=say))}


def idle_sizes(instance: Instance, *, scale: Scale, say: Say) -> list[tuple[str, int]]:
    """Name and size in bytes of each process; told as progress, by name."""
    say(f"{instance.name}: nothing is sent for {scale.idle_seconds:g} s")
    time.sleep(scale.idle_seconds)
    sizes = named_sizes(instance.stack.processes())
    for name, (count, size) in by_name(sizes).items():
        say(f"{size / MEGABYTE:7.1f} MB  {count:3} x {name}")
    return sizes


def total(sizes: Sequence[tuple[str, int]]) -> float | None:
    return sum(size for _, size in sizes) / MEGABYTE if sizes else None


def by_name(sizes: Sequence[tuple[str, int]]) -> Mapping[str, tuple[int, int]]:
    """How many processes of a name there are and what they take together, the largest first."""
    counts: Counter[str] = Counter(name for name, _ in sizes)
    together: Counter[str] = Counter()
    for name, size in sizes:
        together[name] += size
    return {name: (counts[name], size) for name, size in together.most_common()}


def sizes_of(processes: Sequence[psutil.Process]) -> list[int]:
    """In bytes."""
    return [size for _, size in named_sizes(processes)]


def named_sizes(processes: Sequence[psutil.Process]) -> list[tuple[str, int]]:
    """What has ended meanwhile is left out."""
    sizes: list[tuple[str, int]] = []
    for process in processes:
        try:
            sizes.append((name_of(process.cmdline()), size_of(process)))
        except psutil.NoSuchProcess:
            continue
    return sizes


def name_of(command: Sequence[str]) -> str:
    """`zixly_dagster.instance.worker` for what Python was told to run, `postgres: zixly_runs` for a connection, else the program."""
    if MODULE_FLAG in command[:4]:
        return command[command.index(MODULE_FLAG) + 1]
    first = command[0] if command else "?"
    return " ".join(first.split()[:2]) if first.startswith("postgres:") else Path(first.split()[0]).name


def size_of(process: psutil.Process) -> int:
    """Its proportional set size, in which shared memory is counted once over all sharers; where the system has none (macOS), what is
    its own, which leaves shared memory out."""
    memory = process.memory_full_info()
    return int(memory.pss if hasattr(memory, "pss") else memory.uss)
