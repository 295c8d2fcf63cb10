"""Ways to break a running stack so that its alerts have something to tell: processes that stand still, a disk, passwords, time."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from tests.support.stack import StackUnderTest
from zixly_cli.stack.manager import Manager

# Whatever is on it: a disk grows and shrinks around it, so that nothing much has to be written.
DISK_HOLDS_BYTES = 40_000_000
DISK_BYTES = 20_000_000_000
# Two hours ago, as the first 48 bits of an event's id tell its moment.
MILLISECONDS = "trunc(extract(epoch from now() - interval '2 hours') * 1000)::bigint"
# What hours without upkeep would make of the rows. The daemon stands still meanwhile, so that nobody mends them.
HOURS_GO_BY = (
    "update zixly.ledger_balance set balanced_at = balanced_at - interval '2 hours'",
    "update zixly.connections set watched_at = watched_at - interval '2 hours' where watched_at is not null",
    "update zixly.reconciliations set ended_at = ended_at - interval '2 days'",
    f"update zixly.payload_index set indexed_through = rpad(lpad(to_hex({MILLISECONDS}), 12, '0'), 32, '0')::uuid",
    "update zixly.notifications set due_at = due_at - interval '2 hours' where status = 'PENDING'",
    "update zixly.grants set refreshed_at = refreshed_at - interval '45 days' where system = 'xero'",
)


@contextmanager
def standing_still(stack: StackUnderTest, *names: str) -> Iterator[None]:
    """Processes with their children, as they stand still in a machine that swaps."""
    families = [family_of(stack, name) for name in names]
    with ExitStack() as undo:
        for one in (one for family in families for one in family):
            undo.callback(go_on, one)
            one.suspend()
        yield


def go_on(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.resume()


def family_of(stack: StackUnderTest, name: str) -> list[psutil.Process]:
    pid = Manager(stack.plan.home.socket).states()[name].pid
    assert pid, f"{name} is not running"
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def kill_children(stack: StackUnderTest, name: str) -> None:
    for child in family_of(stack, name)[1:]:
        with suppress(psutil.NoSuchProcess):
            child.send_signal(signal.SIGKILL)


class SmallDisk:
    """A disk of its own below a folder, whose size is changed while it is in use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def leave(self, free: int) -> None:
        """So many bytes are free."""
        mount("-o", f"remount,size={DISK_HOLDS_BYTES + free}", self._folder)


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """Below a folder that is not there before and after. Root alone may mount one, and in some containers not even root."""
    folder.mkdir()
    try:
        mount("-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0755", "tmpfs", folder)
    except subprocess.CalledProcessError as error:
        folder.rmdir()
        pytest.skip(f"a small disk cannot be made here: {error.stderr.strip()}")
    try:
        (folder / "held").write_bytes(bytes(DISK_HOLDS_BYTES))
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], capture_output=True, check=True, timeout=10)
        folder.rmdir()


def mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *arguments], capture_output=True, text=True, check=True, timeout=10)


def let_hours_go_by(stack: StackUnderTest) -> None:
    with psycopg.connect(stack.plan.urls.owner, autocommit=True) as owner:
        for statement in HOURS_GO_BY:
            owner.execute(statement)


@contextmanager
def intake_shut_out(stack: StackUnderTest) -> Iterator[None]:
    """Postgres does not let the bridge's writer in any more."""
    with psycopg.connect(stack.plan.urls.admin, autocommit=True) as admin:
        admin.execute("alter role zixly_intake nologin")
        admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'zixly_intake'")
        try:
            yield
        finally:
            admin.execute("alter role zixly_intake login")


@contextmanager
def queue_locked(stack: StackUnderTest) -> Iterator[None]:
    """The queue's password was changed, and nobody told the programs."""
    with ExitStack() as undo:
        queue = redis.Redis.from_url(stack.plan.urls.queue)
        undo.callback(queue.close)
        (before,) = queue.config_get("requirepass").values()
        queue.config_set("requirepass", "another")
        undo.callback(queue.config_set, "requirepass", before or "")
        queue.client_kill_filter(_type="normal", skipme=True)
        yield
