"""Time limits on a machine that has other things to do: what is promised for a free core takes longer where several share it."""

from __future__ import annotations

import os

# Beyond this a limit proves nothing any more.
MOST = 4.0


def longest(seconds: float) -> float:
    """The limit in seconds: as given while each process finds a core, else in proportion to the machine's load."""
    load, _, _ = os.getloadavg()
    return seconds * min(MOST, max(1.0, load / (os.cpu_count() or 1)))
