"""Asana as the gate sees it: who may enter (token, limits), and the workspaces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx2

from zixly_sandbox.asana.answers import error_document, server_error, too_many
from zixly_sandbox.asana.changes import Person
from zixly_sandbox.asana.events import EventLog
from zixly_sandbox.asana.hooks import Hooks
from zixly_sandbox.asana.quota import Quota
from zixly_sandbox.asana.workspace import Workspace
from zixly_sandbox.clock import Clock, iso_milliseconds
from zixly_sandbox.courier import Courier
from zixly_sandbox.http import Answer, Call, Headers, System, json_answer
from zixly_sandbox.rules import AsanaRules
from zixly_sandbox.tokens import TokenOffice, TokenPolicy, TokenRefused
from zixly_sandbox.usage import WriteLog

READS = {"GET", "HEAD"}


class Account:
    """A workspace with its webhooks, events and used calls."""

    def __init__(self, workspace: Workspace, *, clock: Clock, rules: AsanaRules, courier: Courier, random: Random) -> None:
        self.workspace = workspace
        self.quota = Quota()
        self.events = EventLog(clock=clock)
        self.hooks = Hooks(workspace.gid, courier=courier, clock=clock, rules=rules, random=random)

    def person(self, clock: Clock) -> Person:
        """Who makes changes: the user that authorised the app."""
        return Person(self.workspace, clock=clock, tell=self._tell, user=self.workspace.me.gid)

    def _tell(self, event: Any) -> None:
        self.events.add(event)
        self.hooks.emit(event)


@dataclass(frozen=True)
class Visit:
    """An admitted call to a workspace. A batch is several calls."""

    account: Account
    desk: AsanaDesk
    reads: int
    writes: int

    @property
    def workspace(self) -> Workspace:
        return self.account.workspace

    @property
    def person(self) -> Person:
        return self.account.person(self.desk.clock)

    def headers(self) -> Headers:
        return ()

    def leave(self) -> None:
        self.account.quota.leave(reads=self.reads, writes=self.writes)

    def record(self, operation: str, kind: str, gid: str, properties: Mapping[str, Any]) -> None:
        """Note a change that a caller made."""
        self.desk.writes.add(
            at=iso_milliseconds(self.desk.clock.milliseconds()),
            system="asana",
            account=self.workspace.gid,
            operation=operation,
            object_type=kind,
            object_id=gid,
            properties=properties,
        )


class AsanaDesk:
    """The vendor, with all workspaces."""

    system: System = "asana"

    def __init__(
        self,
        workspaces: Iterable[tuple[Workspace, str]],
        *,
        clock: Clock,
        rules: AsanaRules,
        writes: WriteLog,
        courier: Courier,
        random: Random,
        client: Callable[[], httpx2.AsyncClient],
    ) -> None:
        """`workspaces` with the first refresh token of each; handshakes go out through `client`."""
        self.clock = clock
        self.rules = rules
        self.writes = writes
        self.courier = courier
        self.client = client
        pairs = list(workspaces)
        self.accounts = {found.gid: Account(found, clock=clock, rules=rules, courier=courier, random=random) for found, _ in pairs}
        policy = TokenPolicy(
            access_token_seconds=lambda: rules.access_token_seconds,
            unused_refresh_token_seconds=lambda: rules.unused_refresh_token_seconds,
            replaced_refresh_token_seconds=lambda: 0,
            rotates=False,
        )
        self.tokens = TokenOffice(clock=clock, policy=policy, first={token: (found.gid,) for found, token in pairs})

    def admit(self, call: Call) -> Visit | Answer:
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        try:
            account = self.accounts[self.tokens.accounts_of(token if scheme.lower() == "bearer" else "")[0]]
        except (TokenRefused, KeyError, IndexError):
            return json_answer(error_document("Not Authorized"), status=401)
        reads, writes = weight_of(call)
        wait = account.quota.enter(self.clock.seconds(), reads=reads, writes=writes, rules=self.rules)
        return too_many(wait) if wait is not None else Visit(account, self, reads, writes)

    def failure(self, status: int, *, retry_after: float) -> Answer:
        return too_many(max(1, int(retry_after))) if status == 429 else server_error(status)


def weight_of(call: Call) -> tuple[int, int]:
    """How many reads and writes a call counts as: each action of a batch is one."""
    if not call.path.endswith("/batch"):
        return (1, 0) if call.method in READS else (0, 1)
    try:
        actions = call.json()["data"]["actions"]
        methods = [str(action["method"]).upper() for action in actions]
    except (ValueError, KeyError, TypeError):
        return 0, 1
    reads = sum(method in READS for method in methods)
    return reads, len(methods) - reads
