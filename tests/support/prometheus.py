"""Prometheus and Alertmanager for tests: Debian's, with their checkers, as children of this process."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.nginx import wait_for
from tests.support.postgres import free_port

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


def shortened(rules: str) -> str:
    """The same rules for a test that cannot wait: each `for` is a second, each window twenty. No expression is changed otherwise."""
    quick = re.sub(r"^( +for:) \w+$", r"\1 1s", rules, flags=re.MULTILINE)
    return re.sub(r"\[\d+[smhd]\]", "[20s]", quick)


def hurried(configuration: str, *, folder: Path, mail_port: int, slack: str) -> str:
    """Alertmanager's configuration with a test's addresses in place of the real ones, secrets in `folder`, and no patience."""
    (folder / "slack_url").write_text(slack)
    changed = configuration.replace("/run/secrets/alertmanager_slack_url", str(folder / "slack_url"))
    changed = changed.replace("smtp.example.com:587", f"127.0.0.1:{mail_port}").replace("smtp_require_tls: true", "smtp_require_tls: false")
    changed = re.sub(r"^ +smtp_auth_\w+: .*\n", "", changed, flags=re.MULTILINE)  # the test's server knows nobody
    return re.sub(r"(group_wait|group_interval): \w+", r"\1: 1s", changed)


class Watch:
    """A Prometheus and an Alertmanager on this machine, with our configuration, in a folder of the test's."""

    def __init__(self, folder: Path, *, mail_port: int, slack: str) -> None:
        self.folder = folder
        self.prometheus_port, self.alertmanager_port = free_port(), free_port()
        shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
        self.rules.write_text(shortened(self.rules.read_text()))
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

    def firing(self) -> set[str]:
        return {one["metric"]["alertname"] for one in self.found('ALERTS{alertstate="firing"}')}

    def have_fired(self) -> set[str]:
        """Also those that are over."""
        return {one["metric"]["alertname"] for one in self.found('max_over_time(ALERTS{alertstate="firing"}[30m])')}

    def reload(self) -> None:
        httpx2.post(f"{self.url}/-/reload", trust_env=False).raise_for_status()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.prometheus_port}"


@contextmanager
def watching(folder: Path, *, mail_port: int, slack: str) -> Iterator[Watch]:
    """Both servers, until the block ends."""
    watch = Watch(folder, mail_port=mail_port, slack=slack)
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
