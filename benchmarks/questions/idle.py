"""What does it cost to do nothing? The memory of the whole idle stack and the number of its processes."""

from __future__ import annotations

import time
from collections.abc import Sequence

import psutil

from benchmarks.instance import Instance
from benchmarks.progress import Say
from benchmarks.scale import Scale

MEGABYTE = 1_000_000


def measure(instance: Instance, *, scale: Scale, say: Say) -> dict[str, float | None]:
    """`idle_memory_mb` (millions of bytes) and `idle_processes`."""
    say(f"{instance.name}: nothing is sent for {scale.idle_seconds:g} s")
    time.sleep(scale.idle_seconds)
    sizes = sizes_of(instance.stack.processes())
    return {"idle_memory_mb": sum(sizes) / MEGABYTE if sizes else None, "idle_processes": float(len(sizes))}


def sizes_of(processes: Sequence[psutil.Process]) -> list[int]:
    """The size of each process in bytes. What has ended meanwhile is left out."""
    sizes: list[int] = []
    for process in processes:
        try:
            sizes.append(size_of(process))
        except psutil.NoSuchProcess:
            continue
    return sizes


def size_of(process: psutil.Process) -> int:
    """Its proportional set size, in which shared memory is counted once over all sharers; where the system has none (macOS), what is
    its own, which leaves shared memory out."""
    memory = process.memory_full_info()
    return int(memory.pss if hasattr(memory, "pss") else memory.uss)
