"""The memory of processes over time."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.cpu import with_children
from benchmarks.questions.idle import MEGABYTE, sizes_of

EVERY_SECONDS = 0.5


@dataclass(frozen=True)
class Sample:
    """Seconds since the beginning, and the proportional set sizes of all, in millions of bytes."""

    seconds: float
    megabytes: float


@contextmanager
def sampled_memory(process: subprocess.Popen[bytes]) -> Iterator[list[Sample]]:
    """A list that grows, twice a second, until the end: a process and all that it started."""
    samples = [sample(process, began=time.monotonic())]
    ended = threading.Event()

    def keep_looking(began: float) -> None:
        while not ended.wait(EVERY_SECONDS):
            samples.append(sample(process, began=began))

    looking = threading.Thread(target=keep_looking, args=(time.monotonic(),), daemon=True)
    looking.start()
    try:
        yield samples
    finally:
        ended.set()
        looking.join()


def sample(process: subprocess.Popen[bytes], *, began: float) -> Sample:
    return Sample(time.monotonic() - began, sum(sizes_of(list(with_children(process.pid)))) / MEGABYTE)
