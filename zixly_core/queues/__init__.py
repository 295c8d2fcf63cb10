"""The queues we can use, by the scheme of their URL. A back end's driver is imported only when its scheme is asked for."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

from zixly_core.errors import SettingsError
from zixly_core.queue import Queue
from zixly_core.setting_addresses import parts_of

BACK_ENDS = {
    "memory": "zixly_core.queues.memory",
    "redis": "zixly_core.queues.redis_streams",
    "rediss": "zixly_core.queues.redis_streams",
    "valkey": "zixly_core.queues.redis_streams",
    "valkeys": "zixly_core.queues.redis_streams",
    "sqs": "zixly_core.queues.sqs",
}
# Longer than a dispatcher needs from taking to settling, so that a message comes back only from one that died.
VISIBILITY = timedelta(seconds=30)
# A message whose jobs are unknown after so many times (five minutes) names jobs that do not exist.
MAX_TAKES = 10


def open_queue(url: str, *, name: str, visibility: timedelta = VISIBILITY, max_takes: int = MAX_TAKES) -> Queue:
    """The queue of system `name`. Connects on first use, and anew after the server was away.

    A message that is taken and not settled comes back after `visibility` (whole seconds on SQS); one that has been handed out
    `max_takes` times goes to the dead letters instead of being handed out again. `memory://` gives a new queue with each call.
    Raises `SettingsError` for a URL that cannot be used.
    """
    scheme = parts_of(url, setting="ZIXLY_QUEUE_URL").scheme
    if scheme not in BACK_ENDS:
        known = ", ".join(f"{name}://" for name in BACK_ENDS)
        raise SettingsError(f"ZIXLY_QUEUE_URL begins with {scheme or 'no scheme'!r}; one of {known} is needed")
    opened: Queue = import_module(BACK_ENDS[scheme]).open_from_url(url, name=name, visibility=visibility, max_takes=max_takes)
    return opened
