"""A running stack whose alerts a real Prometheus computes: what happens there, what fires, and what the dashboards' panels show."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from tests.support.busy import longest
from tests.support.dashboards import Question, questions
from tests.support.mail_server import MailServer
from tests.support.prometheus import Watch
from tests.support.slack_receiver import SlackReceiver
from tests.support.stack import StackUnderTest
from zixly_cli.deliveries import post, xero_delivery
from zixly_cli.sandbox_api import SandboxApi
from zixly_cli.seed import DEMO

SOON = 90.0
FORGED = {"x-xero-signature": "bm8="}
OPEN_JOBS = "select from zixly.workflow_jobs where status in ('QUEUED', 'RUNNING')"


@dataclass
class AlertedStack:
    """The stack, what is done to it, and who watches."""

    stack: StackUnderTest
    sandbox: SandboxApi
    watch: Watch
    slack: SlackReceiver
    mail: MailServer
    folder: Path
    """Holds what the stack watches: a folder `disk` and a certificate."""
    shown: set[Question] = field(default_factory=set)
    """What panels had an answer to."""
    fired: set[str] = field(default_factory=set)
    """Alerts, each after its cause."""

    def zixly(self, *command: str) -> Any:
        """The document that a command prints."""
        done = self.stack.zixly(*command, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def deliver(self, *records: str) -> int:
        """A webhook about invoices, which need not be there; the bridge's answer."""
        key = self.stack.plan.secrets.xero_webhook_key
        made = xero_delivery(list(records), account=DEMO.organisation, key=key, now=datetime.now(UTC))
        return post(made, bridge_url=self.stack.plan.urls.bridge).status_code

    def knock(self, count: int) -> None:
        """Somebody delivers without a key."""
        url = f"{self.stack.plan.urls.bridge}/webhook/xero"
        with ThreadPoolExecutor(8) as together:
            answers = list(together.map(lambda _: httpx2.post(url, json={}, headers=FORGED, timeout=20, trust_env=False), range(count)))
        assert {one.status_code for one in answers} == {401}

    def pay(self, count: int, *, organisation: str = DEMO.organisation) -> list[str]:
        """New invoices are paid; their ids."""
        wanted = {"organisation": organisation, "customers": min(count, 30), "invoices": count, "paid_percent": 0}
        made = self.sandbox.post("/seed", {**wanted, "only_sales": True, "only_known": True})["invoice_ids"]
        paid: list[str] = self.sandbox.post(f"/xero/{organisation}/pay", {"invoice_ids": made})["paid"]
        return paid

    def settle(self) -> None:
        self.stack.wait_until(lambda: not self.stack.rows(OPEN_JOBS), seconds=SOON, words="every job has ended")

    def look(self) -> None:
        """Which panels show something now."""
        self.shown |= {one for one in questions() if one not in self.shown and has_figures(self.watch.found(one.expr))}

    def calm(self, *alerts: str, labels: str = "") -> None:
        """Return when none of them fires or is about to: to be asked before anything is broken."""

        def raised() -> set[str]:
            return {one["metric"]["alertname"] for one in self.watch.found(f"ALERTS{{{labels}}}")} & set(alerts)

        self.stack.wait_until(lambda: not raised(), seconds=SOON, words=f"none of {', '.join(alerts)} is raised any more")

    @contextmanager
    def fires(self, *alerts: str, labels: str = "", meanwhile: Callable[[], object] | None = None) -> Iterator[None]:
        """What the block breaks makes all of them fire, within the time, and none did before: what an earlier test broke is over then.
        `meanwhile`: is done again and again."""
        self.calm(*alerts, labels=labels)
        begin = time.monotonic()
        yield
        broken = time.monotonic()
        while missing := set(alerts) - self.watch.have_fired(labels, seconds=time.monotonic() - begin):
            waited = time.monotonic() - broken
            assert waited < longest(SOON), f"these did not fire: {sorted(missing)}\n{self.stack.text()[-2000:]}"
            if meanwhile:
                meanwhile()
            self.look()
            time.sleep(1)
        self.fired |= set(alerts)


def has_figures(found: list[dict[str, Any]]) -> bool:
    return any(one["value"][1] != "NaN" for one in found)
