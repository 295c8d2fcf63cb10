"""Python loads this before all else where the folder is on its path: pauses that last, under a clock that is moved.

libfaketime before 0.9.11 lets every `time.sleep` of Python 3.11 and later fail with `EINVAL` when it is to leave the monotonic clock alone
(https://github.com/wolfcw/libfaketime/issues/426). Waiting for nothing with a limit takes the way that it leaves alone.
"""

from __future__ import annotations

import select
import time
from typing import SupportsIndex


def sleep(seconds: float | SupportsIndex, /) -> None:
    limit = float(seconds)
    if limit < 0:
        raise ValueError("sleep length must be non-negative")
    select.select((), (), (), limit)


time.sleep = sleep
