"""Real servers for tests: Valkey from its wheel, and SQS and S3 from the emulator `ministack`, which has an environment of its own.

Use it with `pytest_plugins = ["tests.support.servers"]`. Each test process starts its own servers, on free ports of this machine.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import httpx2
import pytest
from redis import Redis
from redis.exceptions import RedisError

from tests.support.busy import longest
from zixly_cli.stack.ports import free_port
from zixly_cli.stack.valkey import find_valkey

ROOT = Path(__file__).parents[2]
MINISTACK = ROOT / ".venv-ministack" / "bin" / "ministack"
REGION = "eu-west-1"
PASSWORD = "only-for-tests"
START_SECONDS = 30.0

Server = TypeVar("Server", bound="ChildServer")


class ChildServer:
    """A server that is a child of this process. `address` is `127.0.0.1:port`; the port stays the same over stops and starts."""

    def __init__(
        self,
        command: Callable[[int], Sequence[str | Path]],
        *,
        folder: Path,
        answers: Callable[[int], bool],
        environment: Callable[[int], dict[str, str]] = lambda _: {},
    ) -> None:
        self._command = command
        self._folder = folder
        self._answers = answers
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and return when it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(part) for part in self._command(self.port)],
                cwd=self._folder,
                env={"PATH": os.environ["PATH"], "HOME": str(self._folder), **self._environment(self.port)},
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + longest(START_SECONDS)
        while not self._answers(self.port):
            if self._process.poll() is not None or time.monotonic() > end:
                self.stop()
                pytest.fail(f"A server did not start; its log says: {(self._folder / 'log').read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it for good. What is on no disk is lost."""
        if self._process is None:
            return
        self.resume()
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=10)
        self._process = None

    def freeze(self) -> None:
        """Let it hold its connections and answer nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen server go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)


class ValkeyServer(ChildServer):
    """A Valkey that keeps nothing, with a password."""

    def __init__(self, folder: Path) -> None:
        super().__init__(self._valkey_command, folder=folder, answers=self._valkey_answers)

    @property
    def url(self) -> str:
        return f"redis://:{PASSWORD}@{self.address}/0"

    @staticmethod
    def _valkey_command(port: int) -> Sequence[str | Path]:
        options = ["--bind", "127.0.0.1", "--requirepass", PASSWORD, "--save", "", "--appendonly", "no"]
        return [find_valkey(), "--port", str(port), *options]

    def _valkey_answers(self, port: int) -> bool:
        client = Redis(port=port, password=PASSWORD, socket_timeout=1)
        try:
            return bool(client.ping())
        except RedisError:
            return False
        finally:
            client.close()


class AwsServer(ChildServer):
    """SQS and S3; any credentials are good."""

    def __init__(self, folder: Path, *, region: str = REGION) -> None:
        self._region = region
        super().__init__(lambda _: [MINISTACK], folder=folder, answers=self._aws_answers, environment=self._aws_environment)

    @property
    def endpoint(self) -> str:
        return f"http://{self.address}"

    def _aws_environment(self, port: int) -> dict[str, str]:
        where = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port)}  # without BIND_HOST it listens on all interfaces
        return {**where, "MINISTACK_REGION": self._region, "TMPDIR": str(self._folder)}

    def _aws_answers(self, port: int) -> bool:
        try:
            return httpx2.get(f"http://127.0.0.1:{port}/_ministack/health", timeout=1, trust_env=False).is_success
        except httpx2.HTTPError:
            return False


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """One Valkey for this test process; tests use names of their own in it."""
    yield from running(ValkeyServer(tmp_path_factory.mktemp("valkey")))


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    """A Valkey of this test's own, to be stopped, frozen and flushed."""
    yield from running(ValkeyServer(tmp_path))


@pytest.fixture(scope="session")
def aws_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsServer]:
    """One SQS and S3 for this test process; tests use names of their own in it."""
    require_ministack()
    yield from running(AwsServer(tmp_path_factory.mktemp("aws")))


@pytest.fixture
def own_aws(tmp_path: Path) -> Iterator[AwsServer]:
    """An SQS and S3 of this test's own, to be stopped."""
    require_ministack()
    yield from running(AwsServer(tmp_path))


@pytest.fixture
def aws_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """What boto3 finds in the environment; nothing of the machine's own is read."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


def require_ministack() -> None:
    """In CI a missing emulator is a failure: a suite that skips there proves nothing."""
    if MINISTACK.exists():
        return
    text = "The emulator of SQS and S3 is not installed; `make .venv-ministack/.ready` does it"
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)


def running(server: Server) -> Iterator[Server]:
    server.start()
    try:
        yield server
    finally:
        server.stop()
