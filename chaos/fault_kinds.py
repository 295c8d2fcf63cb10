"""Every kind of fault, with how long it lasts and, in words, what it is. What each does is in `faults.py`."""

from __future__ import annotations

from enum import StrEnum


class FaultKind(StrEnum):
    """A kind; its value is its name in plans and reports."""

    KILL_BRIDGE = "kill bridge"
    KILL_DAEMON = "kill daemon"
    KILL_CODE = "kill code server"
    KILL_WEBSERVER = "kill webserver"
    KILL_WORKER = "kill worker"
    KILL_WORKER_CHILD = "kill worker's child"
    KILL_VALKEY = "kill Valkey"
    KILL_POSTGRES = "kill Postgres"
    KILL_POSTGRES_CHILD = "kill one of Postgres' processes"
    FLUSH_QUEUE = "flush queue"
    FLUSH_BROKER = "flush broker"
    DELETE_MESSAGES = "delete messages"
    STOP_BRIDGE = "stop bridge"
    STOP_DAEMON = "stop daemon"
    STOP_CODE = "stop code server"
    STOP_WORKER = "stop worker beyond its lease"
    STOP_VALKEY = "stop Valkey"
    STOP_POSTGRES = "stop Postgres"
    VENDOR_SLOW = "vendor slow"
    VENDOR_FAILING = "vendor failing"
    VENDOR_LIMITED = "vendor says too many"
    VENDOR_HANGS_UP = "vendor hangs up before the work"
    VENDOR_HANGS_UP_AFTER = "vendor hangs up in mid-answer"
    DISK_FULL = "disk full"
    CLOCK_AHEAD = "clock ahead"
    CLOCK_BEHIND = "clock behind"
    TOKENS_EXPIRE = "tokens expire"
    TOKENS_REVOKED = "tokens revoked"

    @property
    def lasts(self) -> tuple[float, float]:
        """Seconds, from and to. What is killed is back when the process manager has started it again."""
        return LASTS.get(self, (0.0, 0.0))


# A lease is 60 s (ZIXLY_LEASE_SECONDS): a worker that is stopped for longer has lost its jobs when it goes on.
LASTS = {
    FaultKind.STOP_BRIDGE: (2.0, 8.0),
    FaultKind.STOP_DAEMON: (5.0, 20.0),
    FaultKind.STOP_CODE: (5.0, 20.0),
    FaultKind.STOP_WORKER: (64.0, 75.0),
    FaultKind.STOP_VALKEY: (2.0, 10.0),
    FaultKind.STOP_POSTGRES: (2.0, 8.0),
    FaultKind.VENDOR_SLOW: (10.0, 20.0),
    FaultKind.VENDOR_FAILING: (5.0, 15.0),
    FaultKind.VENDOR_LIMITED: (5.0, 10.0),
    FaultKind.VENDOR_HANGS_UP: (5.0, 15.0),
    FaultKind.VENDOR_HANGS_UP_AFTER: (5.0, 15.0),
    FaultKind.DISK_FULL: (8.0, 20.0),
    FaultKind.CLOCK_AHEAD: (10.0, 30.0),
    FaultKind.CLOCK_BEHIND: (10.0, 30.0),
    FaultKind.TOKENS_REVOKED: (2.0, 10.0),
}
