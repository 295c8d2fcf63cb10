"""Look at what jobs wait for: all due ones of all tenants in one pass, a few bulk calls to each service, no run and no worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import structlog

from zixly_core.errors import ZixlyError
from zixly_core.stores.database import Database
from zixly_core.stores.looks import Look, give_up, take_looks, wake_all

LOOK_EVERY = timedelta(seconds=10)

log = structlog.get_logger()


class WaitedService(Protocol):
    """An outside service that jobs wait for."""

    def over(self, ids: Sequence[str], /) -> set[str]:
        """Those that need not be waited for any more, whatever came of them. Raises `Transient` or `Permanent` when the service
        cannot tell; then all are waited for further."""


@dataclass(frozen=True)
class Looked:
    """What one pass came to: how many jobs were looked at, which are due now by system, how many were given up, and which services
    could not be asked."""

    looked_at: int
    given_up: int
    woken: Mapping[str, Sequence[UUID]] = field(default_factory=dict)
    away: Sequence[str] = ()


def look(database: Database, services: Mapping[str, WaitedService], *, timeout: timedelta, again: timedelta = LOOK_EVERY) -> Looked:
    """One pass, as the role that dispatches. A job is due when its service says that its wait is over, and FAILED when its attempt
    has run for longer than `timeout`. Raises `StoreUnavailable`."""
    given_up = give_up(database, timeout=timeout)
    looks = take_looks(database, again=again)
    by_service: dict[str, list[Look]] = {}
    for one in looks:
        by_service.setdefault(one.service, []).append(one)
    over: list[Look] = []
    away: list[str] = []
    for name, waiting in sorted(by_service.items()):
        told = told_by(services.get(name), waiting, name=name)
        if told is None:
            away.append(name)
        else:
            over += [one for one in waiting if one.key in told]
    return Looked(looked_at=len(looks), given_up=given_up, woken=wake_all(database, over) if over else {}, away=away)


def told_by(service: WaitedService | None, waiting: Sequence[Look], *, name: str) -> set[str] | None:
    """The keys that are over; None when the service cannot be asked, which is another thing than none."""
    if service is None:
        log.warning("waited_service_unknown", service=name, jobs=len(waiting))
        return None
    try:
        return service.over([one.key for one in waiting])
    except ZixlyError as error:
        log.warning("waited_service_away", service=name, jobs=len(waiting), reason=error.reason)
        return None
