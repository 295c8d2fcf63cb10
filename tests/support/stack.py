"""The embedded stack as a user has it: `zixly up` in a temporary folder, on free ports, with everything it started ended again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg.rows import dict_row

from tests.support.busy import longest
from zixly_cli.settings import ROOT, StackSettings, port_setting
from zixly_cli.stack.home import Home
from zixly_cli.stack.orphans import end_orphans
from zixly_cli.stack.ports import free_port, free_stack_ports
from zixly_cli.stack.programs import Plan
from zixly_cli.stack.stack_secrets import load_or_make_secrets

READY_SECONDS = 240.0
JOB_SECONDS = 60.0
ALL_JOBS_SECONDS = 120.0
# A command that waits for what it began (`--wait`) has so long for that, and the rest for its own start and end.
COMMAND_SECONDS, WAIT_SECONDS = 75.0, 50.0
OPEN_JOBS_SQL = "select id from zixly.workflow_jobs where status in ('QUEUED', 'RUNNING')"


@dataclass
class StackUnderTest:
    """A stack in a temporary folder, and the `zixly up` that runs it."""

    settings: StackSettings
    output: Path
    process: subprocess.Popen[bytes] | None = None
    mail_port: int = field(default_factory=free_port)
    """Where its e-mail goes: nobody listens there unless a test does."""
    variables: dict[str, str] = field(default_factory=dict)
    """Settings of its own."""

    @property
    def environment(self) -> dict[str, str]:
        # Backwards, for the ports of all workers follow from the first one's.
        own = {port_setting(name): str(port) for name, port in reversed(self.settings.ports().items())}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ZIXLY_", "MAKE"))}
        mail = {"ZIXLY_SMTP_URL": f"smtp://127.0.0.1:{self.mail_port}", "ZIXLY_NOTIFY_FROM": "zixly@example.com"}
        quick = {"ZIXLY_NOTIFY_SETTLE_SECONDS": "3"}  # as resolutions wait five minutes in earnest
        workers = {"ZIXLY_WORKERS": str(self.settings.workers), "ZIXLY_WORKER_SLOTS": str(self.settings.worker_slots)}
        home = {"ZIXLY_HOME": str(self.settings.home)}
        return {**kept, **own, **workers, **mail, **quick, **self.variables, **home, "NO_COLOR": "1", "COLUMNS": "200"}

    def up(self, command: tuple[str, ...] = (sys.executable, "-m", "zixly_cli.main", "up")) -> None:
        """Start, and return when it says that it is ready."""
        with self.output.open("wb") as file:
            self.process = start(command, environment=self.environment, output=file)
        began = time.monotonic()
        while not re.search(r"^ready", self.text(), flags=re.MULTILINE):
            assert self.process.poll() is None, self.text()
            assert time.monotonic() - began < longest(READY_SECONDS), self.text()
            time.sleep(0.1)

    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def zixly(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "zixly_cli.main", *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=longest(COMMAND_SECONDS), check=False)

    def states(self) -> dict[str, str]:
        rows: list[dict[str, Any]] = json.loads(self.zixly("status", "--json").stdout)
        return {row["process"]: row["state"] for row in rows}

    @property
    def plan(self) -> Plan:
        home = Home(self.settings.home)
        return Plan(home=home, settings=self.settings, secrets=load_or_make_secrets(home.secrets_file), user_variables={})

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """What the platform's database says, as its owner sees it."""
        with psycopg.connect(self.plan.urls.owner, row_factory=dict_row) as connection:
            return connection.execute(query, values).fetchall()

    def job_statuses(self) -> list[str]:
        return [row["status"] for row in self.rows("select status from zixly.workflow_jobs order by id")]

    def wait_until(self, what: Callable[[], Any], *, seconds: float, words: str) -> Any:
        """The first true answer of `what`, within the deadline; a load that comes while it is waited for stretches it too."""
        began = time.monotonic()
        while not (answer := what()):
            assert time.monotonic() - began < longest(seconds), f"{words}: not within {seconds:.0f} s\n{self.text()[-3000:]}"
            time.sleep(0.1)
        return answer

    def wait_for_jobs(self, expected: list[str]) -> None:
        began = time.monotonic()
        while (found := self.job_statuses()) != expected:
            assert time.monotonic() - began < longest(JOB_SECONDS), f"{found}\n{self.text()[-3000:]}"
            time.sleep(0.2)

    def wait_until_all_jobs_ended(self) -> None:
        """What an earlier test began is over: nothing of it writes, or meets a fault that is meant for another."""
        self.wait_until(lambda: not self.rows(OPEN_JOBS_SQL), seconds=ALL_JOBS_SECONDS, words="every job has ended")


def patience() -> str:
    """What `--wait` is given: its limit stretches with the machine's load, as ours do."""
    return f"{longest(WAIT_SECONDS):.0f}"


def start(command: tuple[str, ...], *, environment: dict[str, str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
    )


@contextmanager
def stack_in_a_temporary_folder(**chosen: int) -> Iterator[StackUnderTest]:
    """A stack that is not up yet, with these settings; whatever becomes of it, nothing of it is left."""
    with tempfile.TemporaryDirectory(prefix="zixly-test-") as folder:
        Path(folder).chmod(0o711)  # root's Postgres runs as somebody else, who has to pass
        ports = free_stack_ports()
        settings = StackSettings.model_validate({"home": Path(folder) / "home", **ports, **chosen})
        made = StackUnderTest(settings=settings, output=Path(folder) / "up.log")
        try:
            yield made
        finally:
            if made.process is not None and made.process.poll() is None:
                made.process.kill()
                made.process.wait()
            end_orphans(settings.home)
            if Home(settings.home).is_ours:
                Home(settings.home).remove()
