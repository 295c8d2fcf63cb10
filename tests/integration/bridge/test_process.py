"""The bridge as it is started: `python -m webhook_bridge`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from tests.integration.bridge.running import XERO_KEY, eventually
from tests.support.busy import longest
from tests.support.deliveries import xero_body, xero_event, xero_headers
from tests.support.ledger import ORGANISATION, TestLedger
from tests.support.postgres import TestDatabase
from zixly_cli.stack.ports import free_port

Start = Callable[..., tuple[subprocess.Popen[bytes], str]]


def environment(database: TestDatabase, *, port: int, **overrides: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ZIXLY_")}
    urls = {f"ZIXLY_DATABASE_URL_{role.upper()}": database.url(role) for role in ("intake", "api", "metrics")}
    return inherited | urls | {"ZIXLY_BRIDGE_PORT": str(port), "ZIXLY_XERO_WEBHOOK_KEYS": XERO_KEY} | overrides


@pytest.fixture
def start(database: TestDatabase, tmp_path: Path) -> Iterator[Start]:
    processes: list[subprocess.Popen[bytes]] = []

    def started(**overrides: str) -> tuple[subprocess.Popen[bytes], str]:
        port = free_port()
        with (tmp_path / "bridge.log").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "webhook_bridge"],
                env=environment(database, port=port, **overrides),
                stdout=output,
                stderr=output,
            )
        processes.append(process)
        return process, f"http://127.0.0.1:{port}"

    yield started
    for process in processes:
        if process.poll() is None:
            process.terminate()  # with its children, who would outlive it otherwise
            process.wait(timeout=longest(20))


def is_ready(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/ready").status_code == 200
    except httpx2.TransportError:
        return False


def post(address: str, body: bytes) -> int:
    return httpx2.post(f"{address}/webhook/xero", content=body, headers=xero_headers(body, key=XERO_KEY)).status_code


def accepted(address: str) -> float:
    found = re.search(
        r'^webhook_deliveries_total{system="xero",verdict="accepted"} (.+)$', httpx2.get(f"{address}/metrics").text, re.MULTILINE
    )
    assert found is not None
    return float(found[1])


def children(process: subprocess.Popen[bytes]) -> list[int]:
    """The processes that serve for this one, the oldest first."""
    with suppress(FileNotFoundError):
        pids = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        return [int(pid) for pid in pids if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return []


def test_several_processes_take_deliveries_and_any_of_them_tells_the_sum(start: Start, ledger: TestLedger, tmp_path: Path) -> None:
    process, address = start(ZIXLY_BRIDGE_WORKERS="2")
    eventually(lambda: is_ready(address), seconds=30)
    assert {post(address, xero_body(xero_event(ORGANISATION))) for _ in range(40)} == {200}
    for _ in range(5):
        assert accepted(address) == 40
    assert ledger.owner.execute("select count(*)::int as n from zixly.workflow_jobs").fetchone() == {"n": 40}
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=longest(8)) == 0
    lines = [json.loads(line) for line in (tmp_path / "bridge.log").read_text().splitlines()]
    committed = [line for line in lines if line["event"] == "deliveries_committed"]
    assert sum(line["deliveries"] for line in committed) == 40


def test_what_a_killed_process_had_counted_stays_counted(start: Start, ledger: TestLedger) -> None:
    process, address = start(ZIXLY_BRIDGE_WORKERS="2")
    eventually(lambda: is_ready(address) and len(children(process)) == 2, seconds=30)
    assert {post(address, xero_body(xero_event(ORGANISATION))) for _ in range(10)} == {200}
    killed = children(process)[0]
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: killed not in children(process) and len(children(process)) == 2, seconds=30)
    assert {post(address, xero_body(xero_event(ORGANISATION))) for _ in range(10)} == {200}
    assert {accepted(address) for _ in range(5)} == {20}


def test_it_stops_within_five_seconds_and_keeps_what_it_took(start: Start, ledger: TestLedger) -> None:
    process, address = start()
    eventually(lambda: is_ready(address), seconds=30)
    assert post(address, xero_body(xero_event(ORGANISATION))) == 200
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=longest(10)) == 0, "as if killed"
    assert time.monotonic() - began < longest(5)
    assert ledger.owner.execute("select count(*)::int as n from zixly.deliveries").fetchone() == {"n": 1}


def test_a_server_header_and_cookies_are_not_sent(start: Start, ledger: TestLedger) -> None:
    _, address = start()
    eventually(lambda: is_ready(address), seconds=30)
    body = xero_body(xero_event(ORGANISATION))
    answer = httpx2.post(f"{address}/webhook/xero", content=body, headers=xero_headers(body, key=XERO_KEY))
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")
    assert not {"server", "set-cookie"} & set(answer.headers)


@pytest.mark.parametrize(
    ("overrides", "named"),
    [({"ZIXLY_DATABASE_URL_API": ""}, "ZIXLY_DATABASE_URL_API"), ({"ZIXLY_BRIDGE_WORKERS": "many"}, "ZIXLY_BRIDGE_WORKERS")],
)
def test_a_wrong_setting_stops_the_start_with_one_sentence_that_names_it(
    start: Start, tmp_path: Path, overrides: dict[str, str], named: str
) -> None:
    process, _ = start(**overrides)
    assert process.wait(timeout=30) == 2
    (sentence,) = (tmp_path / "bridge.log").read_text().splitlines()
    assert named in sentence
