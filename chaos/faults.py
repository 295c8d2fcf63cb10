"""What each kind of fault does to the stack, and undoes where it does not mend by itself. Each tells in words what it befell."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2
import psutil
import redis

from chaos.fault_kinds import FaultKind
from chaos.ground import Ground
from chaos.plan import PlannedFault
from chaos.reconnecting import reconnect
from zixly_cli.sandbox_api import SandboxApi
from zixly_cli.seed import TENANTS
from zixly_core.errors import ZixlyError

SYSTEMS = ("xero", "hubspot", "shopify", "asana")
# Most of the stream is about invoices, so most faults of vendors are theirs whom these concern.
BUSY_SYSTEMS = ("xero", "xero", "hubspot", "hubspot", "shopify", "asana")
# Of the calls so many go wrong while a vendor is failing or hanging up.
SHARE_OF_CALLS = 0.5
SLOW_SECONDS = 3.0
DELETED_MESSAGES = 20
CLOCK_SECONDS = (90.0, 600.0, 7200.0)

T = TypeVar("T")


class CouldNotBeDone(Exception):
    """Another fault was there before this one, or there was nothing that it could befall."""


@dataclass(frozen=True)
class Scene:
    """What faults work on."""

    ground: Ground
    api: SandboxApi

    @property
    def workers(self) -> Sequence[str]:
        return self.ground.plan.worker_names


Act = Callable[[Scene, PlannedFault], str]


def chosen(options: Sequence[T], choice: float) -> T:
    return options[min(int(choice * len(options)), len(options) - 1)]


def killed(scene: Scene, name: str, *, with_children: bool) -> str:
    """SIGKILL, and wait until the process manager has it running again."""
    process = scene.ground.process(name)
    if process is None:
        raise CouldNotBeDone(f"{name} was down already")
    victims = [*(process.children(recursive=True) if with_children else []), process]
    for one in victims:
        send(one, signal.SIGKILL)
    seconds = scene.ground.wait_until_back(name, instead_of=process.pid)
    return f"{name}{' and its children' if with_children else ''} killed, running again after {seconds:.1f} s"


def kill(name: str) -> Act:
    """With children in half of the cases; without them they are orphans that must end, or do no harm."""
    return lambda scene, fault: killed(scene, name, with_children=fault.choice < 0.5)


def kill_worker(scene: Scene, fault: PlannedFault) -> str:
    return killed(scene, chosen(scene.workers, fault.choice), with_children=fault.choice * 10 % 1 < 0.7)


def kill_child_of(scene: Scene, name: str, choice: float) -> str:
    process = scene.ground.process(name)
    children = process.children(recursive=True) if process else []
    if not children:
        raise CouldNotBeDone(f"{name} had no child")
    send(chosen(children, choice), signal.SIGKILL)
    return f"a child of {name} killed"


def kill_worker_child(scene: Scene, fault: PlannedFault) -> str:
    return kill_child_of(scene, chosen(scene.workers, fault.choice), fault.choice * 10 % 1)


def kill_postgres_child(scene: Scene, fault: PlannedFault) -> str:
    """Postgres then ends every other of its processes and recovers from its log."""
    return kill_child_of(scene, "postgres", fault.choice)


def kill_postgres(scene: Scene, fault: PlannedFault) -> str:
    del fault
    return killed(scene, "postgres", with_children=False)


def stop(name: str) -> Act:
    return lambda scene, fault: stopped(scene, name, seconds=fault.seconds)


def stop_worker(scene: Scene, fault: PlannedFault) -> str:
    return stopped(scene, chosen(scene.workers, fault.choice), seconds=fault.seconds)


def stopped(scene: Scene, name: str, *, seconds: float) -> str:
    """SIGSTOP to the process and its children, and SIGCONT to those that are still there."""
    process = scene.ground.process(name)
    if process is None:
        raise CouldNotBeDone(f"{name} was down already")
    victims = [process, *process.children(recursive=True)]
    for one in victims:
        send(one, signal.SIGSTOP)
    time.sleep(seconds)
    for one in reversed(victims):
        send(one, signal.SIGCONT)
    return f"{name} stopped for {seconds:.0f} s"


def send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        os.kill(process.pid, number)
    except ProcessLookupError:
        return  # gone in the meantime


def flush(number: int, what: str) -> Act:
    def act(scene: Scene, fault: PlannedFault) -> str:
        del fault
        return in_valkey(scene, number, lambda client: f"{what} flushed: {client.dbsize()} keys, {client.flushdb() and 'all gone'}")

    return act


def delete_messages(scene: Scene, fault: PlannedFault) -> str:
    def delete(client: redis.Redis) -> str:
        stream = f"zixly:{chosen(BUSY_SYSTEMS, fault.choice)}"
        entries: Any = client.xrange(stream, count=DELETED_MESSAGES)
        gone = client.xdel(stream, *(entry_id for entry_id, _ in entries)) if entries else 0
        if not gone:
            raise CouldNotBeDone(f"{stream} held no message")
        return f"{gone} messages deleted from {stream}"

    return in_valkey(scene, 0, delete)


def in_valkey(scene: Scene, number: int, act: Callable[[redis.Redis], str]) -> str:
    client = redis.Redis.from_url(scene.ground.plan.urls.valkey(number), socket_timeout=2, socket_connect_timeout=2)
    try:
        return act(client)
    except redis.RedisError as error:
        raise CouldNotBeDone(f"Valkey was away ({type(error).__name__})") from error
    finally:
        client.close()


def vendor(kind: str, *, seconds: float = 1.0) -> Act:
    """A share of one vendor's calls goes wrong for a while."""

    def act(scene: Scene, fault: PlannedFault) -> str:
        system = chosen(BUSY_SYSTEMS, fault.choice)
        rule = {"system": system, "kind": kind, "seconds": seconds, "probability": SHARE_OF_CALLS}
        made = scene.api.post("/faults", rule)["id"]
        time.sleep(fault.seconds)
        hits = scene.api.delete(f"/faults/{made}")["hits"]
        if not hits:
            raise CouldNotBeDone(f"nobody called {system}")
        return f"{system}: {hits} calls {kind} in {fault.seconds:.0f} s"

    return act


def disk_full(scene: Scene, fault: PlannedFault) -> str:
    scene.ground.fill_disk()
    time.sleep(fault.seconds)
    scene.ground.free_disk()
    return f"the disk of the objects was full for {fault.seconds:.0f} s"


def clock(sign: int) -> Act:
    def act(scene: Scene, fault: PlannedFault) -> str:
        seconds = sign * chosen(CLOCK_SECONDS, fault.choice)
        scene.ground.move_clock(seconds)
        time.sleep(fault.seconds)
        scene.ground.move_clock(0)
        return f"the clock of {scene.workers[0]} was {seconds:+.0f} s off for {fault.seconds:.0f} s"

    return act


def tokens_expire(scene: Scene, fault: PlannedFault) -> str:
    system = chosen(SYSTEMS, fault.choice)
    grants = scene.api.post("/tokens/expire", {"system": system})["grants"]
    return f"{system}: the access tokens of {grants} grants ended"


def tokens_revoked(scene: Scene, fault: PlannedFault) -> str:
    """A person disconnects an account at the vendor, and connects it again on the console's pages a while later."""
    tenant, system = chosen([(tenant, system) for tenant in TENANTS for system in SYSTEMS], fault.choice)
    account = tenant.accounts[system]
    scene.api.post("/tokens/revoke", {"system": system, "account": account})
    time.sleep(fault.seconds)
    tries = reconnect(scene.ground.plan, tenant=tenant, system=system)
    return f"{system} of {tenant.slug} was disconnected, and connected again by a person at try {tries}"


ACTS: Mapping[FaultKind, Act] = {
    FaultKind.KILL_BRIDGE: kill("bridge"),
    FaultKind.KILL_DAEMON: kill("daemon"),
    FaultKind.KILL_CODE: kill("code"),
    FaultKind.KILL_WEBSERVER: kill("webserver"),
    FaultKind.KILL_WORKER: kill_worker,
    FaultKind.KILL_WORKER_CHILD: kill_worker_child,
    FaultKind.KILL_VALKEY: kill("valkey"),
    FaultKind.KILL_POSTGRES: kill_postgres,
    FaultKind.KILL_POSTGRES_CHILD: kill_postgres_child,
    FaultKind.FLUSH_QUEUE: flush(0, "queue"),
    FaultKind.FLUSH_BROKER: flush(1, "broker"),
    FaultKind.DELETE_MESSAGES: delete_messages,
    FaultKind.STOP_BRIDGE: stop("bridge"),
    FaultKind.STOP_DAEMON: stop("daemon"),
    FaultKind.STOP_CODE: stop("code"),
    FaultKind.STOP_WORKER: stop_worker,
    FaultKind.STOP_VALKEY: stop("valkey"),
    FaultKind.STOP_POSTGRES: stop("postgres"),
    FaultKind.VENDOR_SLOW: vendor("slow", seconds=SLOW_SECONDS),
    FaultKind.VENDOR_FAILING: vendor("500"),
    FaultKind.VENDOR_LIMITED: vendor("429"),
    FaultKind.VENDOR_HANGS_UP: vendor("disconnect_before"),
    FaultKind.VENDOR_HANGS_UP_AFTER: vendor("disconnect_after"),
    FaultKind.DISK_FULL: disk_full,
    FaultKind.CLOCK_AHEAD: clock(1),
    FaultKind.CLOCK_BEHIND: clock(-1),
    FaultKind.TOKENS_EXPIRE: tokens_expire,
    FaultKind.TOKENS_REVOKED: tokens_revoked,
}
# What a fault may end with when the stack itself is down at that moment; anything else is a bug of the suite.
TROUBLES = (CouldNotBeDone, httpx2.HTTPError, psutil.Error, ZixlyError, OSError)


def missing(ground: Ground) -> dict[FaultKind, str]:
    """The kinds that this machine cannot do, and why."""
    found: dict[FaultKind, str] = {}
    if ground.disk is None:
        found[FaultKind.DISK_FULL] = "a small disk could not be mounted (root may)"
    if ground.clock is None:
        found |= dict.fromkeys((FaultKind.CLOCK_AHEAD, FaultKind.CLOCK_BEHIND), "libfaketime is not installed")
    return found


def available(ground: Ground) -> list[FaultKind]:
    """The kinds that this machine can do."""
    return [kind for kind in FaultKind if kind not in missing(ground)]
