"""Prometheus and Alertmanager for tests: Debian's, with their checkers, as children of this process."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.nginx import wait_for
from zixly_cli.stack.ports import free_port

FOLDER = Path(__file__).parents[2] / "prometheus"
PACKAGES = {
    "promtool": "prometheus",
    "prometheus": "prometheus",
    "amtool": "prometheus-alertmanager",
    "prometheus-alertmanager": "prometheus-alertmanager",
}


def require(program: str) -> str:
    """Its path. In CI a missing program is a failure: a suite that skips there proves nothing."""
    if path := shutil.which(program):
        return path
    text = f"{program} is not installed; `apt-get install {PACKAGES[program]}` does it"
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)


def said_by(program: str, *arguments: str | Path) -> str:
    """What a checker prints when it is content; anything else fails the test with what it said."""
    command = [require(program), *map(str, arguments)]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def shortened(rules: str, *, holds: str = "1s") -> str:
    """The same rules for a test that cannot wait: each `for` is a second, each window twenty. No expression is changed otherwise."""
    quick = re.sub(r"^( +for:) \w+$", rf"\1 {holds}", rules, flags=re.MULTILINE)
    return re.sub(r"\[\d+[smhd]\]", "[20s]", quick)


# What takes minutes to come about, as a test can wait for it. No other threshold is ever changed.
LOWER = {
    "OldestDueJob": ("(pipeline_oldest_due_job_seconds) > 300", "(pipeline_oldest_due_job_seconds) > 10"),
    "SlowExecution": ("(pipeline_job_duration_seconds_bucket[20s])))) > 300", "(pipeline_job_duration_seconds_bucket[20s])))) > 10"),
}


def hurried(configuration: str, *, folder: Path, mail_port: int, slack: str) -> str:
    """Alertmanager's configuration with a test's addresses in place of the real ones, secrets in `folder`, and no patience."""
    (folder / "slack_url").write_text(slack)
    changed = configuration.replace("/run/secrets/alertmanager_slack_url", str(folder / "slack_url"))
    changed = changed.replace("smtp.example.com:587", f"127.0.0.1:{mail_port}").replace("smtp_require_tls: true", "smtp_require_tls: false")
    changed = re.sub(r"^ +smtp_auth_\w+: .*\n", "", changed, flags=re.MULTILINE)  # the test's server knows nobody
    return re.sub(r"(group_wait|group_interval): \w+", r"\1: 1s", changed)


class Watch:
    """A Prometheus and an Alertmanager on this machine, with our configuration, in a folder of the test's."""

    def __init__(self, folder: Path, *, mail_port: int, slack: str, holds: str = "1s") -> None:
        self.folder = folder
        self.prometheus_port, self.alertmanager_port = free_port(), free_port()
        shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
        self.rules.write_text(shortened(self.rules.read_text(), holds=holds))
        scrapes = folder / "prometheus.yml"
        scrapes.write_text(scrapes.read_text().replace(": 15s", ": 2s").replace(": 10s", ": 2s"))
        routes = folder / "alertmanager.yml"
        routes.write_text(hurried(routes.read_text(), folder=folder, mail_port=mail_port, slack=slack))
        self.look_at("prometheus", self.prometheus_port)
        self.look_at("alertmanager", self.alertmanager_port)

    @property
    def rules(self) -> Path:
        return self.folder / "alerts.yml"

    def look_at(self, job: str, *ports: int) -> None:
        """Targets of a job; Prometheus reads the file again by itself."""
        file = self.folder / "targets" / f"{job}.yml"
        file.with_suffix(".new").write_text(json.dumps([{"targets": [f"127.0.0.1:{port}" for port in ports]}] if ports else []))
        file.with_suffix(".new").replace(file)

    def commands(self) -> list[list[str]]:
        return [
            [
                *(require("prometheus-alertmanager"), "--config.file=alertmanager.yml", "--storage.path=alertmanager"),
                *(f"--web.listen-address=127.0.0.1:{self.alertmanager_port}", "--cluster.listen-address="),
            ],
            [
                *(require("prometheus"), "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.enable-lifecycle"),
                f"--web.listen-address=127.0.0.1:{self.prometheus_port}",
            ],
        ]

    def ask(self, expr: str) -> httpx2.Response:
        """An instant query, as Grafana asks it."""
        return httpx2.post(f"{self.url}/api/v1/query", data={"query": expr}, trust_env=False, timeout=10)

    def found(self, expr: str) -> list[dict[str, Any]]:
        answer = self.ask(expr)
        assert answer.status_code == 200, f"{expr}: {answer.text}"
        result: list[dict[str, Any]] = answer.json()["data"]["result"]
        return result

    def firing(self, labels: str = "") -> set[str]:
        """Those with these labels, such as `place="postgres"`."""
        return {one["metric"]["alertname"] for one in self.found(f'ALERTS{{alertstate="firing", {labels}}}')}

    def have_fired(self, labels: str = "", *, seconds: float = 1800) -> set[str]:
        """Also those that are over; none that was over before this time."""
        fired = self.found(f'max_over_time(ALERTS{{alertstate="firing", {labels}}}[{max(math.floor(seconds * 1000), 1)}ms])')
        return {one["metric"]["alertname"] for one in fired}

    def lower(self, alert: str) -> None:
        """Let the alert fire at what comes about within a test."""
        written, lower = LOWER[alert]
        rules = self.rules.read_text()
        assert written in rules, f"{written} is in no alert"
        self.rules.write_text(rules.replace(written, lower))
        self.reload()

    def reload(self) -> None:
        httpx2.post(f"{self.url}/-/reload", trust_env=False).raise_for_status()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.prometheus_port}"


@contextmanager
def watching(
    folder: Path, *, mail_port: int, slack: str, holds: str = "1s", targets: Mapping[str, Iterable[int]] | None = None
) -> Iterator[Watch]:
    """Both servers, until the block ends. An alert's cause `holds` for so long before it fires; `targets`: ports of jobs."""
    watch = Watch(folder, mail_port=mail_port, slack=slack, holds=holds)
    for job, ports in (targets or {}).items():
        watch.look_at(job, *ports)
    processes: list[subprocess.Popen[bytes]] = []
    try:
        with (folder / "servers.log").open("wb") as log:
            processes += [subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) for command in watch.commands()]
        for port, process in zip((watch.alertmanager_port, watch.prometheus_port), processes, strict=True):
            wait_for(port, process, folder / "servers.log")
        yield watch
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(10)
