"""The composed stack under test: the real docker-compose.yml, run by docker-compose on the engine, asked from inside its network."""

from __future__ import annotations

import json
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import yaml

from tests.acceptance.compose.engine import READY_SECONDS, Engine
from tests.support.busy import longest
from zixly_cli.containers.places import PUBLIC_URL
from zixly_cli.settings import ROOT

FILE = ROOT / "docker-compose.yml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
# What has no stand-in.
LEFT_OUT = {"grafana"}
UP_SECONDS, JOB_SECONDS, DOWN_SECONDS = 300.0, 60.0, 120.0
ONCE = {"settings", "migrate"}
# A Docker engine asks by itself; Podman leaves that to systemd, which is not there. While the file is brought up, those that are awaited
# are asked; afterwards the tests ask.
ASK = "while sleep 2; do for one in $(podman ps --quiet --filter health=starting); do podman healthcheck run $one & done; wait; done"
SERVICE = "com.docker.compose.service"
# What Podman says of every network when docker-compose asks again; asked for what it is, docker-compose finds nothing changed.
ASSIGNED = {"options": {"driver": "host-local"}}


@dataclass(frozen=True)
class ComposedStack:
    """One project of docker-compose."""

    engine: Engine
    settings: tuple[str, ...]
    """Lines of its `.env`."""
    project: str = "zixly"
    more: Mapping[str, Any] = field(default_factory=dict)
    """What a docker-compose.override.yml would say of services."""

    @property
    def files(self) -> list[Path]:
        """docker-compose.yml, and what is said beside it."""
        network = COMPOSE["networks"]["inside"]
        beside = {"networks": {"inside": {**network, "ipam": {**network["ipam"], **ASSIGNED}}}, "services": dict(self.more)}
        written = self.engine.folder / f"{self.project}.override.yml"
        written.write_text(yaml.safe_dump(beside))
        return [FILE, written]

    @property
    def profiles(self) -> set[str]:
        line = next((one for one in self.settings if one.startswith("COMPOSE_PROFILES=")), "=")
        return set(line.partition("=")[2].split(","))

    @property
    def services(self) -> list[str]:
        """Those of the file, in its order, that are brought up with these profiles."""
        wanted = {name for name, one in SERVICES.items() if not one.get("profiles") or self.profiles & set(one["profiles"])}
        return [name for name in SERVICES if name in wanted - LEFT_OUT]

    def compose(self, *arguments: str, seconds: float) -> str:
        """What docker-compose printed. Fails with all of it when it ends with anything but 0."""
        done = self.tried(*arguments, seconds=seconds)
        assert done.returncode == 0, f"docker-compose {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout[-6000:]}"
        return done.stdout

    def tried(self, *arguments: str, seconds: float) -> subprocess.CompletedProcess[str]:
        """docker-compose reads profiles from its own environment, as from `.env`."""
        file = self.engine.folder / f"{self.project}.env"
        file.write_text("".join(f"{line}\n" for line in self.settings))
        variables = {"COMPOSE_PROFILES": ",".join(self.profiles), "COMPOSE_HTTP_TIMEOUT": "300"}
        files = [word for one in self.files for word in ("-f", str(one))]
        which = ["-p", self.project, *files, "--env-file", str(file)]
        return self.engine.tried("docker-compose", *which, *arguments, seconds=seconds, **variables)

    def up(self, *how: str) -> None:
        self.compose("up", "--detach", "--no-build", *how, *self.services, seconds=UP_SECONDS)
        self.wait_until_well()

    def restart(self, *services: str) -> None:
        self.compose("restart", *services, seconds=UP_SECONDS)
        self.wait_until_well()

    def down(self) -> None:
        self.compose("down", "--volumes", "--remove-orphans", seconds=DOWN_SECONDS)

    def containers(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.engine.run("podman", "ps", "--all", "--format", "json", seconds=30))
        return found

    def running(self) -> dict[str, str]:
        """The service of each container that runs."""
        return {one["Id"]: one["Labels"][SERVICE] for one in self.containers() if one["State"] == "running"}

    def wait_until_well(self) -> None:
        self.wait_until(lambda: not self.unwell(), seconds=UP_SECONDS, words="every service answers its health check")

    def unwell(self) -> set[str]:
        """The services that do not run, or of which one container does not answer its health check."""
        running = self.running()
        with ThreadPoolExecutor(2) as threads:
            asked = threads.map(lambda one: self.engine.tried("podman", "healthcheck", "run", one, seconds=60), running)
            failed = {name for name, done in zip(running.values(), asked, strict=True) if done.returncode != 0}
        return failed | set(self.services) - ONCE - set(running.values())

    def in_service(self, service: str, *command: str) -> str:
        return self.compose("exec", "-T", service, *command, seconds=60)

    def get(self, url: str, **more: Any) -> httpx2.Response:
        """From one of the published ports."""
        return self.engine.inside(lambda: httpx2.get(url, timeout=30, trust_env=False, **more))

    def through_gateway(self, path: str, **more: Any) -> httpx2.Response:
        """By its public name; of certificates, the one that it made for itself is trusted and no other."""
        return self.get(f"{PUBLIC_URL}{path}", verify=ssl.create_default_context(cadata=self.certificate()), **more)

    def certificate(self) -> str:
        """The one that the gateway has of itself."""
        return self.in_service("gateway", "cat", "/settings/self-signed.pem")

    def jobs(self) -> list[dict[str, Any]]:
        """Asked again where the answer is 503, as in the seconds after Postgres was restarted."""
        answers: list[httpx2.Response] = []

        def answered() -> bool:
            answers.append(self.get("http://127.0.0.1:3000/api/jobs?limit=100"))
            return answers[-1].status_code != httpx2.codes.SERVICE_UNAVAILABLE

        self.wait_until(answered, seconds=JOB_SECONDS, words="the API answers")
        found: list[dict[str, Any]] = answers[-1].raise_for_status().json()["jobs"]
        return found

    def send(self, what: str = "xero") -> None:
        """A signed delivery, as a vendor sends it: once more where the answer is 503, as in the seconds after Postgres was restarted."""

        def taken() -> bool:
            done = self.tried("exec", "-T", "bridge", "zixly", "send", what, seconds=60)
            assert done.returncode == 0 or "503 {" in done.stdout, done.stdout
            return done.returncode == 0

        self.wait_until(taken, seconds=JOB_SECONDS, words="the delivery is taken")

    def finished(self) -> set[str]:
        return {job["id"] for job in self.jobs() if job["status"] == "COMPLETED"}

    def wait_for_finished(self, count: int) -> None:
        self.wait_until(lambda: len(self.finished()) >= count, seconds=JOB_SECONDS, words=f"{count} jobs are COMPLETED")

    def wait_until(self, what: Callable[[], Any], *, seconds: float, words: str) -> None:
        began = time.monotonic()
        while not what():
            assert time.monotonic() - began < longest(seconds), f"{words}: not within {seconds:.0f} s\n{self.story()}"
            time.sleep(0.5)

    def story(self) -> str:
        """What a person would look at first."""
        states = "\n".join(f"{one['Names'][0]}: {one['Status']}" for one in self.containers())
        return f"{states}\n{self.compose('logs', '--no-color', '--tail', '15', seconds=60)[-12000:]}"


@contextmanager
def composed(engine: Engine, *settings: str) -> Iterator[ComposedStack]:
    """A stack with these lines of settings that is not up yet, and is down in the end."""
    made = ComposedStack(engine, settings)
    try:
        yield made
    finally:
        made.down()


def serve(engine: Engine) -> None:
    """The engine's socket, and what asks containers how they are."""
    engine.start("podman", "system", "service", "--time=0", f"unix://{engine.socket}", output=engine.folder / "service.log")
    engine.start("sh", "-c", ASK, output=engine.folder / "asking.log")
    began = time.monotonic()
    while not engine.socket.exists():
        assert time.monotonic() - began < longest(READY_SECONDS), (engine.folder / "service.log").read_text()
        time.sleep(0.05)
