"""A client's webhooks on a running stack: what the watchdog says of them, and what became of the records."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from tests.support.stack import StackUnderTest, patience
from zixly_cli.sandbox_api import SandboxApi

LOOK_SECONDS = 60.0
LOOKS_SQL = "select state from zixly.subscription_checks where connection_id = %s and at >= %s order by at, id"


class Watched:
    """One client's webhooks on the stack, and the vendors behind them."""

    def __init__(self, stack: StackUnderTest, sandbox: SandboxApi, *, tenant: str = "demo") -> None:
        self.stack = stack
        self.sandbox = sandbox
        self.tenant = tenant

    def run(self, system: str) -> str:
        """`zixly watch run`; what the look came to."""
        done = self.stack.zixly("watch", "run", "--tenant", self.tenant, "--system", system, "--wait", patience(), "--json")
        assert done.stdout, done.stderr  # its exit status is 1 while something is silent
        (row,) = json.loads(done.stdout)
        return str(row["watch_state"])

    def run_until(self, system: str, state: str) -> None:
        """Look again and again, as what changed a moment ago may still be told of."""
        self.stack.wait_until(lambda: self.run(system) == state, seconds=LOOK_SECONDS, words=f"{system} is {state}")

    def run_until_seen(self, system: str, state: str, *, since: datetime) -> None:
        """Look until a look since then came to this. The platform looks by itself too, once an hour and soon after it saw something
        young: whichever look comes first mends what is to be mended, and the next one finds all well."""
        words = f"a look since {since:%H:%M:%S} found {system} {state}"
        self.stack.wait_until(lambda: self.run(system) and state in self.looks(system, since=since), seconds=LOOK_SECONDS, words=words)

    def looks(self, system: str, *, since: datetime) -> list[str]:
        """What looks came to, whoever asked for them."""
        return [row["state"] for row in self.stack.rows(LOOKS_SQL, self.connection(system), since)]

    def now(self) -> datetime:
        """By the clock that looks are noted by."""
        moment: datetime = self.stack.rows("select clock_timestamp() as at")[0]["at"]
        return moment

    def connection(self, system: str) -> str:
        (row,) = json.loads(self.stack.zixly("watch", "ls", "--tenant", self.tenant, "--system", system, "--json").stdout)
        return str(row["id"])

    def newest_hole(self, system: str) -> dict[str, Any]:
        found = json.loads(self.stack.zixly("watch", "holes", "--tenant", self.tenant, "--system", system, "--json").stdout)
        assert isinstance(found[0], dict)
        return found[0]

    def jobs_of(self, record: str, workflow: str) -> list[dict[str, Any]]:
        query = "select * from zixly.workflow_jobs where record_id = %s and workflow_type = %s order by created_at, id"
        return self.stack.rows(query, record, workflow)

    def wait_for(self, record: str, workflow: str) -> dict[str, Any]:
        """The first job about a record, once all about it are completed."""
        words = f"{workflow} is COMPLETED for {record}"
        self.stack.wait_until(lambda: {job["status"] for job in self.jobs_of(record, workflow)} == {"COMPLETED"}, seconds=40, words=words)
        return self.jobs_of(record, workflow)[0]

    def issues(self, system: str) -> list[dict[str, Any]]:
        """What people are asked to do about the webhooks of an account."""
        query = "select reason, status, title from zixly.issues where operation = 'webhook' and connection_id = %s order by first_seen_at"
        return self.stack.rows(query, self.connection(system))
